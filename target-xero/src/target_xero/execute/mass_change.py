"""A run that would do far too much is stopped before it does: a wrong mapping or a mass edit shows in numbers first.

Weighed when documents have come in, over the whole run: what was written and what is about to be. What is over a limit stays
planned, and a later run weighs it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from target_xero import limits
from target_xero.ledger import Ledger
from target_xero.ledger.guarding import Weight
from target_xero.plan.wire import show_minor

if TYPE_CHECKING:
    from target_xero.execute.context import ExecutorSettings
    from target_xero.execute.writes import Parcel

_STOP = (
    "this run would {what}. Nothing more was sent, it all waits in the ledger. Look at it first (target-xero plan); if it is "
    "right, let it through once: {once} meltano run …"
)
_TELL = "it would {what}. If that is right, let it through once: {once} meltano run …"


class MassChange:
    """Counts what a run writes, and compares it with the limits."""

    def __init__(self, ledger: Ledger, settings: ExecutorSettings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._weighed = -1
        self._counted: set[int] = set()
        self._written = Weight()
        self._linked = 0
        self._told = False

    def weigh(self) -> str | None:
        """Why what has come in must not go; None: it may."""
        if self._weighed == self._ledger.additions:
            return None
        if self._weighed < 0:
            self._linked = self._ledger.linked_count()
        planned = self._ledger.weigh()
        wrong = self._stop_or_tell(self._over(_sum(self._written, planned)))
        if wrong is None:
            self._weighed = self._ledger.additions
        return wrong

    def add(self, batch: Sequence[Parcel]) -> str | None:
        """Counts a batch that is about to be sent. Why it must not go; None: it may."""
        new = [parcel for parcel in batch if parcel.intent.id not in self._counted]
        self._counted.update(parcel.intent.id for parcel in new)
        self._written = _sum(self._written, _weight_of(new))
        return None if self._told else self._stop_or_tell(self._over(self._written))

    def _stop_or_tell(self, wrong: str | None) -> str | None:
        """A rehearsal is told of a limit and goes on, so that people can look at what it would stop."""
        if wrong is None or self._settings.tell_limit is None:
            return wrong
        self._told = True
        self._settings.tell_limit(wrong)
        return None

    def _over(self, weight: Weight) -> str | None:
        settings = self._settings
        count = weight.created + weight.changed
        if count > settings.max_documents:
            return self._say(
                f"write {count:,} documents, and max_documents is {settings.max_documents:,}",
                "TARGET_XERO_MAX_DOCUMENTS", str(count),
            )  # fmt: skip
        if (
            weight.changed >= limits.CHANGED_FLOOR
            and weight.changed * 100 > settings.max_changed_percent * self._linked
        ):
            percent = min(100, -(-weight.changed * 100 // self._linked)) if self._linked else 100
            return self._say(
                f"change or withdraw {weight.changed:,} of {self._linked:,} documents in Xero ({percent} %), and "
                f"max_changed_percent is {settings.max_changed_percent}",
                "TARGET_XERO_MAX_CHANGED_PERCENT", str(percent),
            )  # fmt: skip
        for what, sums in (("documents", weight.sales_minor), ("payments", weight.payments_minor)):
            for currency, most in settings.max_amount.items():
                if sums.get(currency, 0) > most * 100:
                    return self._say(
                        f"write {what} for {show_minor(sums[currency])} {currency}, and max_amount is {most} {currency}",
                        "TARGET_XERO_MAX_AMOUNT", f"'{_limits(settings.max_amount, currency, sums[currency])}'",
                    )  # fmt: skip
        return None

    def _say(self, what: str, variable: str, value: str) -> str:
        sentence = _TELL if self._settings.tell_limit else _STOP
        return sentence.format(what=what, once=f"{variable}={value}")


def _limits(limits_: Mapping[str, Decimal], currency: str, needed: int) -> str:
    shown = {name: str(most) for name, most in limits_.items()} | {currency: show_minor(needed)}
    return "{" + ", ".join(f'"{name}": "{most}"' for name, most in shown.items()) + "}"


def _sum(one: Weight, other: Weight) -> Weight:
    return Weight(
        one.created + other.created,
        one.changed + other.changed,
        dict(Counter(one.sales_minor) + Counter(other.sales_minor)),
        dict(Counter(one.payments_minor) + Counter(other.payments_minor)),
    )


def _weight_of(parcels: Sequence[Parcel]) -> Weight:
    weight = Weight()
    for parcel in parcels:
        intent = parcel.intent
        weight.created += parcel.op == "create"
        weight.changed += parcel.op != "create"
        sums = weight.payments_minor if intent.kind == "payments" else weight.sales_minor
        if intent.amount_minor and intent.kind != "allocations":
            sums[parcel.currency] = sums.get(parcel.currency, 0) + intent.amount_minor
    return weight
