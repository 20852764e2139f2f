"""What the lines of one document are read by: the organisation's books, and the rules of the document they stand in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Row = dict[str, Any]


class Books(Protocol):
    """What lines refer to: the organisation's accounts, taxes, items and tracking categories."""

    def account(self, code: str | None, account_id: str | None = None) -> Row | None:
        """The account of this code or id, archived ones too."""

    def tax_rate(self, tax_type: str) -> Row | None:
        """The tax rate of this TaxType, with `EffectiveRate` in percent."""

    def taxable(self, account: Row, rate: Row) -> bool:
        """Whether this tax rate can be used with this account."""

    def item(self, code: str) -> Row | None:
        """The item of this code."""

    def tracking(self, sent: Mapping[str, Any]) -> Row | None:
        """Category and option that a line's tracking entry names (by name or id), or None."""


@dataclass
class LineRules:
    """What holds for the lines of one document, and where refusals and warnings are gathered."""

    books: Books
    new_id: Callable[[], str]
    line_amount_types: str
    sales: bool = True
    """Sales document (ACCREC, its credit note, a quote): the item's sales details fill in."""
    complete: bool = False
    """The document is to be approved: accounts and tax types must stand."""
    discounts: bool = True
    tax_from_account: bool = True
    unit_places: int = 2
    tax_mode_changed: bool = False
    """Kept lines get their tax anew, because the document has another LineAmountTypes than before."""
    description_required: bool = True
    unknown_tracking: str = "refused"
    unknown_line_id: str = "refused"
    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
