"""Credit note allocations: `PUT /CreditNotes/{id}/Allocations` applies credit to invoices, `DELETE …/{id}` takes it back.

Source: Xero developer docs (Credit notes: allocations). No allocation is recorded anywhere: the texts are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import balances, errors, money, reading, wire
from ikaroa_sandbox.xero.answers import child_envelope
from ikaroa_sandbox.xero.documents import lock_message
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.resource import Context, Element
from ikaroa_sandbox.xero.store import Row, Store, Table

if TYPE_CHECKING:
    from ikaroa_sandbox.xero.credit_notes import CreditNotes

_PAIRS = {"ACCRECCREDIT": "ACCREC", "ACCPAYCREDIT": "ACCPAY"}


def make_table(store: Store) -> Table:
    """The allocations' table with its indexes, by invoice and by credit note."""
    table = store.table("Allocations", "AllocationID")
    table.index("invoice", lambda row: row["InvoiceID"])
    table.index("credit_note", lambda row: row["CreditNoteID"])
    return table


def answer(notes: CreditNotes, ctx: Context, row: Row, request: Request, tail: list[str]) -> Response:
    """Answers `/CreditNotes/{id}/Allocations[/{AllocationID}]`.

    Raises:
        NotFound: no allocation of this credit note has that id.
        ValidationFailed: an allocation is refused; none of the body is kept.
    """
    if request.method == "DELETE" and len(tail) == 1:
        return _delete(ctx, row, tail[0])
    if tail or request.method not in ("GET", "PUT"):
        raise errors.NotSimulated(
            f"{request.method} /api.xro/2.0/CreditNotes/{{id}}/Allocations/{'/'.join(tail)}"
        )
    if request.method == "GET":
        entries = balances.allocations_from(ctx.store, row["CreditNoteID"])
        return child_envelope(ctx, "Allocations", [present(entry, ctx) for entry in entries])
    return _put(notes, ctx, row, request)


def _put(notes: CreditNotes, ctx: Context, row: Row, request: Request) -> Response:
    sent = reading.child_elements(request, "Allocations", "Allocation", one_bare=True)
    mark = ctx.store.mark()
    tried = [_try(ctx, notes.table.get(row["CreditNoteID"]) or row, entry) for entry in sent]
    refused = [refusal for _, refusal in tried if refusal]
    if refused:
        ctx.store.rollback(mark)
        raise errors.ValidationFailed(refused)
    return child_envelope(ctx, "Allocations", [present(made, ctx) for made, _ in tried if made])


def _try(ctx: Context, note: Row, sent: Mapping[str, Any]) -> tuple[Row | None, Element]:
    try:
        return allocate(ctx, note, sent), {}
    except errors.ElementInvalid as refusal:
        messages = [{"Message": message} for message in refusal.messages]
        return None, {**refusal.echo, "HasValidationErrors": True, "ValidationErrors": messages}


def allocate(ctx: Context, note: Row, sent: Mapping[str, Any]) -> Row:
    """Applies credit to one invoice and brings both documents' balances up to date.

    Raises:
        ElementInvalid: the allocation is refused.
    """
    store = ctx.store
    amount = reading.read_decimal(sent.get("Amount"))
    day = reading.read_day(sent.get("Date")) or ctx.today
    invoice = _invoice(store, sent.get("Invoice"))
    messages = _messages(note, invoice, amount)
    message = lock_message(day, store.organisation, ctx)
    if message is not None:
        messages.append(message)
    if messages or invoice is None or amount is None:
        echo: Element = {"Date": wire.ms(day)}
        if amount is not None:
            echo["Amount"] = amount
        raise errors.ElementInvalid(messages, echo)
    entry = store.table("Allocations").put(
        {
            "AllocationID": None,
            "CreditNoteID": note["CreditNoteID"],
            "InvoiceID": invoice["InvoiceID"],
            "Amount": money.rounded(amount),
            "Date": day,
            "CreatedByApp": ctx.app or None,
        }
    )
    balances.settle(store, invoice["InvoiceID"])
    balances.settle(store, note["CreditNoteID"])
    return entry


def _invoice(store: Store, sent: Any) -> Row | None:
    if not isinstance(sent, Mapping):
        return None
    table = store.table("Invoices")
    invoice_id, number = wire.guid(sent.get("InvoiceID")), reading.read_text(sent.get("InvoiceNumber"))
    if invoice_id is not None:
        return table.get(invoice_id)
    found = table.by("number", lookup_key(number))
    return found[-1] if found else None


def _messages(note: Row, invoice: Row | None, amount: Decimal | None) -> list[str]:
    messages: list[str] = []
    if note["Status"] not in balances.APPROVED:
        messages.append("Credit notes can only be allocated once they are Authorised")
    if invoice is None:
        return [*messages, "Invoice could not be found"]
    if invoice["Type"] != _PAIRS[note["Type"]] or invoice["ContactID"] != note["ContactID"]:
        messages.append("A credit note can only be allocated to invoices of the same contact and kind")
    if invoice["CurrencyCode"] != note["CurrencyCode"]:
        messages.append(
            f"A credit note in {note['CurrencyCode']} cannot be allocated to an invoice in {invoice['CurrencyCode']}"
        )
    if invoice["Status"] != "AUTHORISED":
        messages.append("Credit notes can only be allocated to Authorised documents")
    if amount is None or money.rounded(amount) <= 0:
        messages.append("Allocation amount must be greater than zero")
        return messages
    if money.rounded(amount) > note["RemainingCredit"]:
        messages.append("Allocation amount exceeds the remaining credit of this credit note")
    if money.rounded(amount) > invoice["AmountDue"]:
        messages.append("Allocation amount exceeds the amount outstanding on this document")
    return messages


def _delete(ctx: Context, note: Row, allocation_id: str) -> Response:
    table = ctx.store.table("Allocations")
    entry = table.get(wire.guid(allocation_id))
    if entry is None or entry["CreditNoteID"] != note["CreditNoteID"]:
        raise errors.NotFound(f"no Allocation {allocation_id!r}")
    remove(ctx.store, entry)
    shown = {**present(entry, ctx), "IsDeleted": True}
    return Response(
        200, {"Content-Type": wire.JSON_UTF8}, wire.dumps(shown)
    )  # one Allocation, without an envelope


def remove(store: Store, entry: Row) -> None:
    """Takes an allocation back; both documents are open again by its amount."""
    store.table("Allocations").remove(entry["AllocationID"])
    balances.settle(store, entry["InvoiceID"])
    balances.settle(store, entry["CreditNoteID"])


def present(entry: Row, ctx: Context) -> Element:
    """One allocation inside a credit note or in the answer to a PUT."""
    invoice = ctx.store.table("Invoices").get(entry["InvoiceID"]) or {}
    return {
        "AllocationID": entry["AllocationID"],
        "Amount": entry["Amount"],
        "Date": wire.ms(entry["Date"]),
        "Invoice": {
            "InvoiceID": entry["InvoiceID"],
            "InvoiceNumber": invoice.get("InvoiceNumber", ""),
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "HasErrors": False,
            "IsDiscounted": False,
            "LineItems": [],
        },
        "ValidationErrors": [],
    }
