"""What the lines of one document are read by: the organisation's books, and the rules of the document they stand in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ikaroa_sandbox.xero.books import Books


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
