"""The kinds of document Xero takes from us, in the order in which Xero needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """How one kind of document is called on the wire."""

    name: str
    endpoint: str
    """Path of the collection; also the key of the list in bodies and answers, after the slash."""
    id_field: str
    number_field: str
    """Xero's own name for one: the number people read."""
    one: str
    """For sentences."""

    @property
    def container(self) -> str:
        """The key of the list in bodies and answers."""
        return self.endpoint[1:]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("items", "/Items", "ItemID", "Code", "item"),
        Kind("contacts", "/Contacts", "ContactID", "ContactNumber", "contact"),
        Kind("quotes", "/Quotes", "QuoteID", "QuoteNumber", "quote"),
        Kind("invoices", "/Invoices", "InvoiceID", "InvoiceNumber", "invoice"),
        Kind("credit_notes", "/CreditNotes", "CreditNoteID", "CreditNoteNumber", "credit note"),
        Kind("allocations", "/CreditNotes", "AllocationID", "AllocationID", "allocation"),
        Kind("payments", "/Payments", "PaymentID", "Reference", "payment"),
    )
}


def is_unique(kind: str, document: Mapping[str, Any]) -> bool:
    """Whether Xero itself refuses a second one (class U), so that a create may be repeated at once.

    Xero developer docs: contact numbers and names, item codes, and the numbers of sales invoices and sales credit notes
    are unique. Xero's own number series, quotes, payments and allocations are not protected by anything (class N).
    """
    if kind in ("contacts", "items"):
        return True
    return kind in ("invoices", "credit_notes") and bool(document.get(KINDS[kind].number_field))


def needs_of(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The documents that must be in Xero before this one, as (kind, source_key)."""
    found: list[tuple[str, str]] = []
    if document.get("contact_key"):
        found.append(("contacts", document["contact_key"]))
    if document.get("invoice_key"):
        found.append(("invoices", document["invoice_key"]))
    if document.get("credit_note_key"):
        found.append(("credit_notes", document["credit_note_key"]))
    found += [("items", line["item_key"]) for line in document.get("LineItems") or () if line.get("item_key")]
    return tuple(dict.fromkeys(found))
