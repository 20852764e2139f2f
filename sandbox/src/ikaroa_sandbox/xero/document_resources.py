"""The document end points of one organisation, made in one place for the frame."""

from __future__ import annotations

from ikaroa_sandbox.xero import document_edits, history
from ikaroa_sandbox.xero.credit_notes import CreditNotes
from ikaroa_sandbox.xero.invoices import Invoices
from ikaroa_sandbox.xero.payments import Payments
from ikaroa_sandbox.xero.quotes import Quotes
from ikaroa_sandbox.xero.resource import Resource
from ikaroa_sandbox.xero.store import Store


def document_resources(store: Store, contacts: Resource, items: Resource) -> tuple[Resource, ...]:
    """Invoices, credit notes, quotes and payments over this store, with what people may do by hand; notes for all."""
    invoices, credit_notes = Invoices(store, contacts), CreditNotes(store, contacts)
    quotes, payments = Quotes(store, contacts), Payments(store, contacts)
    for family in (contacts, items):
        family.children["History"] = history.child(store, family)
    document_edits.register(invoices, credit_notes, quotes, payments)
    return invoices, credit_notes, quotes, payments
