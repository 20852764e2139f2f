"""The document end points of one organisation, made in one place for the frame."""

from __future__ import annotations

from ikaroa_sandbox.xero.credit_notes import CreditNotes
from ikaroa_sandbox.xero.invoices import Invoices
from ikaroa_sandbox.xero.payments import Payments
from ikaroa_sandbox.xero.quotes import Quotes
from ikaroa_sandbox.xero.resource import Resource
from ikaroa_sandbox.xero.store import Store


def document_resources(store: Store, contacts: Resource) -> tuple[Resource, ...]:
    """Invoices, credit notes, quotes and payments over this store."""
    return (
        Invoices(store, contacts),
        CreditNotes(store, contacts),
        Quotes(store, contacts),
        Payments(store, contacts),
    )
