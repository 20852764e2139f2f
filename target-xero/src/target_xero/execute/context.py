"""What every part of the executor works with: the ledger, the organisation, Xero's clock, and what this run has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from target_xero import limits
from target_xero.denial import correlation
from target_xero.errors import QuietPeriodError
from target_xero.exchange import Answer, Call
from target_xero.execute.listings import Listing
from target_xero.execute.mass_change import MassChange
from target_xero.ledger import Intent, Ledger, Link
from target_xero.ledger.base import milliseconds
from target_xero.plan import tax
from target_xero.plan.kinds import KINDS
from target_xero.plan.organisation import Organisation
from target_xero.plan.wire import text_of
from target_xero.refusal import Refusal


@dataclass(frozen=True)
class ExecutorSettings:
    """How patient and how large.

    Raises:
        QuietPeriodError: the quiet period is shorter than a request may still take effect.
    """

    quiet_period_s: int = limits.QUIET_PERIOD_S
    """Wait after an ambiguous write that no unique number protects, before it may be repeated. On Xero's clock."""
    batch_documents: int = limits.BATCH_ELEMENTS_MAX
    attempts_max: int = limits.ATTEMPTS_MAX
    on_total_difference: str = "fail"
    """What to do when Xero would make another total, tax included, than the source says."""
    max_documents: int = limits.DOCUMENTS_A_RUN
    """A run that would write more documents (one longer than a day: in 24 hours) stops before it does."""
    max_changed_percent: int = limits.CHANGED_PERCENT
    """A run that would change or withdraw a larger share of what is linked stops before it does."""
    max_amount: Mapping[str, Decimal] = field(default_factory=dict)
    """By currency, before tax: a run that would write documents for more stops before it does."""
    history_notes: bool = False
    """Whether each write is followed by a note in the document's History."""
    tell_limit: Callable[[str], object] | None = None
    """In a rehearsal: takes what one of the three limits would stop a run for. It then stops nothing."""

    def __post_init__(self) -> None:
        least = limits.REQUEST_TIMEOUT_S + limits.LATEST_EFFECT_S
        if self.quiet_period_s < least:
            raise QuietPeriodError(
                f"quiet_period_s is {self.quiet_period_s}, but Xero may carry out a request up to {least} seconds after it "
                f"was sent. Set it to {least} or more (default {limits.QUIET_PERIOD_S})."
            )


class Flight(Protocol):
    """A call that is on its way, and what is to be done with its answer."""

    call: Call

    def settle(self, answer: Answer) -> None:
        """Takes what came of the call; commits."""


@dataclass
class Sight:
    """What this run has seen of one kind of document in Xero."""

    asked_ms: int | None = None
    """When the list that was last read to its end in this run was asked for."""
    listing: Listing | None = None
    """The list that is being read."""
    elements: dict[str, tuple[int, dict[str, Any] | None]] = field(default_factory=dict)
    """Documents read one by one, by id: when they were asked for, and what Xero has (None: nothing)."""
    reading: set[str] = field(default_factory=set)
    """Ids that are being read."""
    writing: int = 0
    """Writes of this kind in flight."""
    failures: int = 0
    """Reads that brought no sense."""

    @property
    def blind(self) -> bool:
        """Reads of this kind fail again and again; this run goes on without it."""
        return self.failures >= limits.LISTING_FAILURES_MAX


class RunContext:
    """One run of the executor."""

    def __init__(
        self,
        ledger: Ledger,
        organisation: Organisation,
        now: Callable[[], datetime],
        settings: ExecutorSettings,
    ) -> None:
        self.ledger = ledger
        self.organisation = organisation
        self.settings = settings
        self.stopped: str | None = None
        self.busy: set[int] = set()
        """Intents whose look-up is in flight."""
        self.loading: set[str] = set()
        """Reference data in flight."""
        self.provided: set[int] = set()
        """Intents for which no more reference data has to be read."""
        self.sound: set[tuple[int, date]] = set()
        """Intents that go as they are, on that day, for all that the organisation allows."""
        self.survivors: dict[str, str] = {}
        """Contacts that are in use no more: the one each was merged into (empty: none), as read in this run."""
        self.notes_tried: set[int] = set()
        """Intents whose note this run has tried to write."""
        self.notes_absent: set[int] = set()
        """Intents whose note was looked for and is not in Xero."""
        self.notices: list[str] = []
        """What people should know although nothing is wrong, each sentence once."""
        self.mass = MassChange(ledger, settings, self.now_ms)
        self.by_name: set[int] = set()
        """Contacts whose number nobody has, so that it must be their name that is taken."""
        self.reference_failures: Counter[str] = Counter()
        self.uses: dict[str, str] = {}
        """What uses a contact that is to be archived, by its id; empty: nothing."""
        self._now = now
        self._sights = {kind: Sight() for kind in KINDS}
        self._failures_in_a_row = 0

    def sight(self, kind: str) -> Sight:
        """What this run has seen of a kind."""
        return self._sights[kind]

    def forget(self, kind: str) -> None:
        """A write of this kind may or may not have happened: what was read before it proves nothing any more."""
        self.sight(kind).asked_ms = None
        self.sight("credit_notes" if kind == "allocations" else kind).elements.clear()

    def today(self) -> date:
        """The day in UTC."""
        return self._now().date()

    def earliest_day(self) -> date:
        """The earliest day that Xero may give to a document without one, wherever on earth the organisation is."""
        return (self._now() - timedelta(seconds=limits.DAY_BEHIND_S)).date()

    def now_ms(self) -> int:
        """Xero's clock, as the ledger keeps time."""
        return milliseconds(self._now())

    @property
    def quiet_ms(self) -> int:
        """The quiet period, as the ledger keeps time."""
        return self.settings.quiet_period_s * 1_000

    def absence_proven_ms(self, intent: Intent) -> int:
        """A look-up asked at or after this time shows that the intent may be sent again and have no second effect."""
        return self.again_ms(intent) if intent.unique else (intent.last_sent_ms or 0) + self.quiet_ms

    def again_ms(self, intent: Intent) -> int:
        """When a write whose repetition is harmless goes again: at once for the first few times, then in patience.

        A Xero that answers nothing is not asked to death, and a document not parked for an outage of minutes.
        """
        prompt = intent.attempt < limits.PROMPT_SENDS
        return (intent.last_sent_ms or 0) + (0 if prompt else self.quiet_ms)

    @staticmethod
    def quiet_until_ms(intent: Intent, attempts: int, sent_ms: int, op: str) -> int:
        """Until when an earlier attempt than the last one may yet take effect, if its answer was lost; 0: none can.

        A create that Xero has no unique number for goes again only when the one before is certain to have had none.
        """
        if attempts < 2 or (op == "create" and not intent.unique):
            return 0
        return sent_ms + (limits.REQUEST_TIMEOUT_S + limits.LATEST_EFFECT_S) * 1_000

    def notice(self, sentence: str) -> None:
        """Something to know."""
        if sentence not in self.notices:
            self.notices.append(sentence)

    def currency_of(self, invoice_id: str) -> str:
        """The currency of an invoice, as it was read in this run; empty: it was not."""
        read = self.sight("invoices").elements.get(invoice_id)
        return text_of(read[1], "CurrencyCode") if read and read[1] else ""

    def rounded(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the rounding line that its total with tax calls for, where the settings say so."""
        if self.settings.on_total_difference != "rounding_line" or not tax.is_expected(document):
            return document
        return tax.check_total(kind, document, self.organisation, "rounding_line")[0] or document

    def linked(self, intents: Sequence[Intent]) -> dict[tuple[str, str], Link]:
        """The links of all documents that these need; of a contact that was merged away, the surviving contact."""
        wanted: dict[str, set[str]] = {}
        for intent in intents:
            for kind, key in intent.needs:
                wanted.setdefault(kind, set()).add(key)
        return {
            (kind, key): self._surviving(link)
            for kind, keys in wanted.items()
            for key, link in self.ledger.links(kind, sorted(keys)).items()
        }

    def _surviving(self, link: Link) -> Link:
        survivor = self.survivors.get(link.remote_id) if link.kind == "contacts" else None
        return replace(link, remote_id=survivor) if survivor else link

    def refuse(
        self,
        intent: Intent,
        rule: str,
        cure: str,
        *,
        field: str = "",
        value: str = "",
        proposal: dict[str, Any] | None = None,
    ) -> None:
        """Rejects one intent for one reason."""
        self.ledger.reject([intent.id], [Refusal(rule, field, value, cure, proposal)])

    def resend_or_park(self, intents: Sequence[Intent]) -> None:
        """A look-up has shown that they were not carried out: planned again, unless they were sent too often already."""
        rest = [i.id for i in self.park_tired(intents)]
        if rest:
            self.ledger.back_to_planned(rest)

    def park_tired(self, intents: Sequence[Intent]) -> list[Intent]:
        """Parks those that were sent too often already; returns the others. Each was looked up since it was last sent."""
        tired = [i.id for i in intents if i.attempt >= self.settings.attempts_max]
        if tired:
            self.ledger.park(
                tired,
                f"Sent {self.settings.attempts_max} times without an answer that says what became of it; it was looked up each "
                "time, and Xero does not have it as it was sent. Nothing more is sent by itself. Find out why Xero does not "
                "answer (its status page, its support), then run `target-xero retry`.",
            )
        return [i for i in intents if i.attempt < self.settings.attempts_max]

    def heard(self, answer: Answer) -> None:
        """Watches for a Xero that gives no sensible answers at all."""
        if answer.status is not None and answer.status < 500 and answer.status != 408:
            self._failures_in_a_row = 0
            return
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= limits.FAILURES_IN_A_ROW_MAX:
            last = (
                f"HTTP {answer.status}{correlation(answer)}"
                if answer.status
                else answer.failure_detail or "no answer"
            )
            self.stopped = self.stopped or (
                f"Xero gave no usable answer {self._failures_in_a_row} times in a row (last: {last}). What is left stays in "
                "the ledger and goes with the next run."
            )
