"""What a reconciliation finds. Money is integer hundredths."""

from __future__ import annotations

from dataclasses import dataclass, field

from target_xero.ledger import Tenant

FINDINGS = {
    "missing": "linked, but not in Xero any more",
    "ended": "voided, deleted or archived in Xero",
    "amount": "another amount in Xero than was agreed",
    "tax": "the same amount before tax, another one with tax",
    "currency": "another currency in Xero",
    "paid_elsewhere": "the payment is for another document in Xero",
    "date": "the payment has another date in Xero",
    "source": "agreed with Xero, but not the source's own total",
    "doubled": "more than one in Xero with this mark",
    "stray": "in Xero with a mark of ours that no link accounts for",
    "refused": "not in Xero as the source says: refused",
    "parked": "not in Xero as the source says: a person must look",
    "undone": "not in Xero as the source says: taken back by undo",
    "waiting": "not in Xero yet: goes with a later run",
}
"""Every finding there is, with what it means."""


@dataclass(frozen=True)
class Difference:
    """One document that is not the same on all three sides, and why."""

    finding: str
    """A key of `FINDINGS`."""
    kind: str
    source_key: str
    label: str
    told: str
    """What differs, with both values, and what to do."""
    marker: str = ""
    number: str = ""
    remote_id: str = ""
    currency: str = ""
    source_minor: int | None = None
    ledger_minor: int | None = None
    xero_minor: int | None = None
    url: str = ""


@dataclass
class Totals:
    """The sums of one kind and currency; `documents` counts what the source calls for."""

    documents: int = 0
    source_minor: int = 0
    ledger_minor: int = 0
    xero_minor: int = 0

    @property
    def difference_minor(self) -> int:
        """What Xero has more (or less) than the source says."""
        return self.xero_minor - self.source_minor


@dataclass
class Result:
    """The reconciliation of one organisation."""

    tenant: Tenant
    month: str | None = None
    totals: dict[tuple[str, str], Totals] = field(default_factory=dict)
    """By kind and currency; kinds without money have the currency ''."""
    differences: list[Difference] = field(default_factory=list)
    compared: int = 0
    """Links that were compared."""
    calls: int = 0

    @property
    def clean(self) -> bool:
        """Nothing differs, by tolerance zero, and nothing is open."""
        return not self.differences and not any(total.difference_minor for total in self.totals.values())
