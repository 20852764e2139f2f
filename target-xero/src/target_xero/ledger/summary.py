"""What a run did, counted from the ledger's rows (money in hundredths, per currency)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class StreamSummary:
    """One document type in one run."""

    created: int = 0
    updated: int = 0
    adopted: int = 0
    """Already in Xero as the document says; linked without a write."""
    unchanged: int = 0
    undone: int = 0
    """Taken back by `undo`; the source says the same again, so it stays so."""
    deleted: int = 0
    refused: int = 0
    """Refused in this run."""
    waiting: int = 0
    """Not settled yet: outcome unknown, or another document must come first."""
    parked: int = 0
    """A person must look; counted over the whole ledger."""
    proposed: int = 0
    """Waits for approval; counted over the whole ledger."""

    @property
    def total(self) -> int:
        """All documents the run has dealt with."""
        return sum(asdict(self).values())


@dataclass
class Money:
    """Sums of what a run created or changed, in hundredths."""

    documents: int
    """As the source's documents say, before tax (payments: the amounts)."""
    xero: int
    """As Xero answered, the same quantity."""
    xero_total: int
    """As Xero answered, tax included."""
    rounding: int = 0
    """What of the difference between the two are rounding lines that a run added (`on_total_difference`)."""


@dataclass
class RunSummary:
    """One run of the target on one organisation."""

    epoch: int
    streams: dict[str, StreamSummary] = field(default_factory=dict)
    money: dict[str, dict[str, Money]] = field(default_factory=dict)
    """stream -> currency -> sums."""
    open_refusals: int = 0
    """All refused documents that wait for a cure, from this and earlier runs."""
    waiting_for: list[str] = field(default_factory=list)
    """The first few sentences on what the waiting documents wait for."""

    @classmethod
    def total(cls, summaries: Iterable[RunSummary]) -> RunSummary:
        """The sum over several organisations; money by currency, as ever."""
        found = cls(0)
        for summary in summaries:
            found.epoch = max(found.epoch, summary.epoch)
            found.open_refusals += summary.open_refusals
            found.waiting_for += summary.waiting_for
            for name, counts in summary.streams.items():
                total = found.stream(name)
                for field_, count in asdict(counts).items():
                    setattr(total, field_, getattr(total, field_) + count)
            for name, by_currency in summary.money.items():
                for currency, sums in by_currency.items():
                    known = found.money.setdefault(name, {}).setdefault(currency, Money(0, 0, 0))
                    known.documents += sums.documents
                    known.xero += sums.xero
                    known.xero_total += sums.xero_total
                    known.rounding += sums.rounding
        return found

    def stream(self, name: str) -> StreamSummary:
        """The counts of one document type."""
        return self.streams.setdefault(name, StreamSummary())

    @property
    def clean(self) -> bool:
        """Whether nothing is left for a person or a later run."""
        return not self.open_refusals and not any(s.waiting or s.parked for s in self.streams.values())

    def as_dict(self) -> dict[str, Any]:
        """For the ledger and for `--json`."""
        return asdict(self)
