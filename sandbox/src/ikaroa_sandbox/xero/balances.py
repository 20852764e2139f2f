"""What is paid, credited and still due on a document, always worked out anew from payments and allocations.

`AmountPaid + AmountCredited + AmountDue == Total` holds for every invoice at every moment, and
`AppliedAmount + refunds + RemainingCredit == Total` for every credit note.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ikaroa_sandbox.xero import money
from ikaroa_sandbox.xero.store import Row, Store

APPROVED = ("AUTHORISED", "PAID")


def payments_of(store: Store, document_id: str | None) -> list[Row]:
    """The payments that count on this invoice or credit note, oldest first."""
    return [
        row for row in store.table("Payments").by("document", document_id) if row["Status"] == "AUTHORISED"
    ]


def allocations_to(store: Store, invoice_id: str | None) -> list[Row]:
    """The credit note allocations on this invoice."""
    return store.table("Allocations").by("invoice", invoice_id)


def allocations_from(store: Store, credit_note_id: str | None) -> list[Row]:
    """Where this credit note went."""
    return store.table("Allocations").by("credit_note", credit_note_id)


def other_credit(invoice: Row) -> list[Row]:
    """The prepayments and overpayments that people allocated to this invoice."""
    return list(invoice.get("OtherCredit") or ())


def with_invoice_balance(store: Store, invoice: Row) -> Row:
    """The invoice with its amounts and, where it is approved, with the status they make of it. Does not store it.

    An AUTHORISED invoice with nothing due is PAID; one that was approved with a total of zero is so at once, unless the
    rule `xero.invoices.zero_total` says otherwise.
    """
    paid, last = _sum(payments_of(store, invoice.get("InvoiceID")))
    credit = [*allocations_to(store, invoice.get("InvoiceID")), *other_credit(invoice)]
    credited, last_allocated = _sum(credit)
    due = invoice["Total"] - paid - credited
    found = {**invoice, "AmountPaid": paid, "AmountCredited": credited, "AmountDue": due}
    found.pop("FullyPaidOnDate", None)
    if invoice["Status"] not in APPROVED:
        return found
    settled = due == 0 and (paid or credited or store.variants["xero.invoices.zero_total"] == "paid")
    found["Status"] = "PAID" if settled else "AUTHORISED"
    if settled:
        found["FullyPaidOnDate"] = max(
            (day for day in (last, last_allocated) if day), default=invoice["Date"]
        )
    return found


def with_credit_balance(store: Store, note: Row) -> Row:
    """The credit note with what is left of it and, where it is approved, with the status that makes. Does not store it."""
    refunded, last = _sum(payments_of(store, note.get("CreditNoteID")))
    applied, last_allocated = _sum(allocations_from(store, note.get("CreditNoteID")))
    left = note["Total"] - refunded - applied
    found = {**note, "AppliedAmount": applied, "RefundedAmount": refunded, "RemainingCredit": left}
    found.pop("FullyPaidOnDate", None)
    if note["Status"] not in APPROVED:
        return found
    settled = left == 0 and (refunded or applied)
    found["Status"] = "PAID" if settled else "AUTHORISED"
    if settled:
        found["FullyPaidOnDate"] = max((day for day in (last, last_allocated) if day), default=note["Date"])
    return found


def settle(store: Store, document_id: str, *, stamp: bool = True) -> None:
    """Brings an invoice's or credit note's amounts and status up to date after a payment or allocation came or went."""
    invoice = store.table("Invoices").get(document_id)
    if invoice is not None:
        store.table("Invoices").put(with_invoice_balance(store, invoice), stamp=stamp)
        return
    note = store.table("CreditNotes").get(document_id)
    if note is not None:
        store.table("CreditNotes").put(with_credit_balance(store, note), stamp=stamp)


def _sum(rows: list[Row]) -> tuple[Decimal, date | None]:
    total, last = money.ZERO, None
    for row in rows:
        total += row["Amount"]
        last = row["Date"] if last is None else max(last, row["Date"])
    return total, last
