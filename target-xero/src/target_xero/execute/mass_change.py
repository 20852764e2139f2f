"""A run that would do far too much is stopped before it does: a wrong mapping or a mass edit shows in numbers first.

Weighed when documents have come in: what the run has written and what is about to be. Each document counts once. A run that
lasts longer than a day is held to the limits over the last 24 hours, for what people do in a week is no mass change. What is over a
limit stays planned, and a later run weighs it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from target_xero import limits
from target_xero.execute.tally import Tally, Weight, Writing
from target_xero.ledger import Ledger
from target_xero.plan.wire import show_minor

if TYPE_CHECKING:
    from target_xero.execute.context import ExecutorSettings
    from target_xero.execute.writes import Parcel

_STOP = (
    "{within}this run would {what}. Nothing more was sent, it all waits in the ledger. Look at it first (`target-xero plan`); if it "
    "is right, let it through once: {once} meltano run …"
)
_TELL = "{within}it would {what}. If that is right, let it through once: {once} meltano run …"


class MassChange:
    """Counts what a run writes, and compares it with the limits."""

    def __init__(self, ledger: Ledger, settings: ExecutorSettings, now_ms: Callable[[], int]) -> None:
        """`now_ms` is Xero's clock."""
        self._ledger = ledger
        self._settings = settings
        self._now_ms = now_ms
        self._weighed = -1
        self._tally = Tally()
        self._linked: deque[tuple[int, int]] = deque()
        """When how many documents were linked: when the window began (or the run, if that was later), and now and then since."""
        self._outlived = False
        """The run has lasted longer than the window."""
        self._told = False

    def weigh(self) -> str | None:
        """Why what has come in must not go; None: it may."""
        if self._weighed == self._ledger.additions:
            return None
        self._move_window()
        planned = (
            Writing(row.kind, row.source_key, not row.linked, row.currency, row.amount_minor)
            for row in self._ledger.to_be_weighed()
        )
        wrong = self._stop_or_tell(self._over(self._tally.weigh(planned)))
        if wrong is None:
            self._weighed = self._ledger.additions
        return wrong

    def add(self, batch: Sequence[Parcel]) -> str | None:
        """Counts a batch that is about to be sent. Why it must not go; None: it may."""
        now_ms = self._move_window()
        for parcel in batch:
            if parcel.intent.op == "undo":  # asked for by a person who has seen its plan
                continue
            self._tally.put(_writing_of(parcel), now_ms)
        return None if self._told else self._stop_or_tell(self._over(self._tally.weigh()))

    def _move_window(self) -> int:
        """Leaves out what was too long ago. Returns the time."""
        now_ms = self._now_ms()
        since_ms = now_ms - limits.GUARD_WINDOW_S * 1_000
        self._tally.forget(since_ms)
        if not self._linked or now_ms - self._linked[-1][0] >= limits.GUARD_SAMPLE_S * 1_000:
            self._linked.append((now_ms, self._ledger.linked_count()))
        self._outlived = self._outlived or self._linked[0][0] < since_ms
        while len(self._linked) > 1 and self._linked[1][0] <= since_ms:
            self._linked.popleft()
        return now_ms

    def _known(self, changed: int) -> int:
        """How many documents were in Xero already; not fewer than are changed.

        As many as when the window began. What was found there since is more, what was withdrawn since is not less.
        """
        others = self._ledger.linked_count() - self._tally.created
        return max(self._linked[0][1], others, changed)

    def _stop_or_tell(self, wrong: str | None) -> str | None:
        """A rehearsal is told of a limit and goes on, so that people can look at what it would stop."""
        if wrong is None or self._settings.tell_limit is None:
            return wrong
        self._told = True
        self._settings.tell_limit(wrong)
        return None

    def _over(self, weight: Weight) -> str | None:
        settings = self._settings
        if weight.documents > settings.max_documents:
            return self._say(
                f"write {weight.documents:,} documents, and max_documents is {settings.max_documents:,}",
                "TARGET_XERO_MAX_DOCUMENTS", str(weight.documents),
            )  # fmt: skip
        share = weight.changed * 100
        if (
            share > settings.max_changed_percent * self._linked[0][1]
        ):  # else surely not: more may be known, never less
            known = self._known(weight.changed)
            if known >= limits.CHANGED_KNOWN_MIN and share > settings.max_changed_percent * known:
                percent = -(-share // known)
                return self._say(
                    f"change or withdraw {weight.changed:,} of {known:,} documents in Xero ({percent} %), and "
                    f"max_changed_percent is {settings.max_changed_percent}",
                    "TARGET_XERO_MAX_CHANGED_PERCENT", str(percent),
                )  # fmt: skip
        for what in ("documents", "payments"):
            for currency, most in settings.max_amount.items():
                amount = weight.sums.get((what, currency), 0)
                if amount > most * 100:
                    return self._say(
                        f"write {what} for {show_minor(amount)} {currency}, and max_amount is {most} {currency}",
                        "TARGET_XERO_MAX_AMOUNT", f"'{_limits(settings.max_amount, currency, amount)}'",
                    )  # fmt: skip
        return None

    def _say(self, what: str, variable: str, value: str) -> str:
        sentence = _TELL if self._settings.tell_limit else _STOP
        within = f"within {limits.GUARD_WINDOW_S // 3_600} hours " if self._outlived else ""
        return sentence.format(within=within, what=what, once=f"{variable}={value}")


def _limits(limits_: Mapping[str, Decimal], currency: str, needed: int) -> str:
    shown = {name: str(most) for name, most in limits_.items()} | {currency: show_minor(needed)}
    return "{" + ", ".join(f'"{name}": "{most}"' for name, most in shown.items()) + "}"


def _writing_of(parcel: Parcel) -> Writing:
    intent = parcel.intent
    created = parcel.op == "create"
    return Writing(intent.kind, intent.source_key, created, parcel.currency, intent.amount_minor or 0)
