"""What people do to documents in Xero's own screens: approve, pay, void, delete, edit, and make some of their own.

Every act goes through the same rules as the API, as somebody else than the app. Numbers in a command may be JSON numbers
or text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.core import exact
from ikaroa_sandbox.xero import allocations, balances, money, payments, wire
from ikaroa_sandbox.xero.dumping import plain
from ikaroa_sandbox.xero.folding import fold, lookup_key
from ikaroa_sandbox.xero.resource import Context, Element, Resource
from ikaroa_sandbox.xero.store import Row

Command = Mapping[str, Any]

_TOLD = (
    "InvoiceID",
    "InvoiceNumber",
    "AmountDue",
    "AmountPaid",
    "AmountCredited",
    "CreditNoteID",
    "CreditNoteNumber",
    "RemainingCredit",
    "QuoteID",
    "QuoteNumber",
    "PaymentID",
    "Amount",
    "AllocationID",
    "Status",
    "Reference",
    "Total",
)
_DUE_DAYS = 14
_BANK = "090"


def register(invoices: Resource, credit_notes: Resource, quotes: Resource, payment_family: Resource) -> None:
    """Adds the acts to the resources they belong to."""
    hand = _Hand(invoices, credit_notes, quotes, payment_family)
    invoices.edits.update(
        {
            "create_invoice": hand.create_invoice,
            "approve_invoice": hand.approve_invoice,
            "edit_invoice": hand.edit_invoice,
            "void_invoice": hand.void_invoice,
            "delete_invoice": hand.delete_invoice,
            "pay_invoice": hand.pay_invoice,
            "allocate_credit": hand.allocate_credit,
            "remove_credit": hand.remove_credit,
        }
    )
    credit_notes.edits.update(
        {
            "create_credit_note": hand.create_credit_note,
            "allocate_credit_note": hand.allocate_credit_note,
            "delete_allocation": hand.delete_allocation,
        }
    )
    quotes.edits["set_quote_status"] = hand.set_quote_status
    payment_family.edits.update(
        {"delete_payment": hand.delete_payment, "reconcile_payment": hand.reconcile_payment}
    )


class _Hand:
    def __init__(
        self, invoices: Resource, credit_notes: Resource, quotes: Resource, payment_family: Resource
    ) -> None:
        self._invoices, self._notes, self._quotes = invoices, credit_notes, quotes
        self._payments = payment_family

    # -- invoices ------------------------------------------------------------------------------------------------------

    def create_invoice(self, ctx: Context, command: Command) -> Element:
        """`contact` (id, number or name), `amount` or `fields.LineItems`, `number`, `type`, `status`, `fields`."""
        element = self._document(ctx, command, "InvoiceNumber", "ACCREC")
        return self._saved(self._invoices, element, "PUT", ctx)

    def approve_invoice(self, ctx: Context, command: Command) -> Element:
        """`invoice` (id or number); gives it a due date where it has none."""
        row = _one(self._invoices, command, "invoice")
        due = row.get("DueDate") or row["Date"] + timedelta(days=_DUE_DAYS)
        return self._changed(self._invoices, row, {"Status": "AUTHORISED", "DueDate": due.isoformat()}, ctx)

    def edit_invoice(self, ctx: Context, command: Command) -> Element:
        """`invoice` and `fields`, as the API names them (`Reference`, `DueDate`, `LineItems`, `InvoiceNumber`, …)."""
        row = _one(self._invoices, command, "invoice")
        return self._changed(self._invoices, row, _fields(command), ctx)

    def void_invoice(self, ctx: Context, command: Command) -> Element:
        """`invoice`: an approved one without payments."""
        return self._changed(
            self._invoices, _one(self._invoices, command, "invoice"), {"Status": "VOIDED"}, ctx
        )

    def delete_invoice(self, ctx: Context, command: Command) -> Element:
        """`invoice`: a draft or one that waits for approval."""
        return self._changed(
            self._invoices, _one(self._invoices, command, "invoice"), {"Status": "DELETED"}, ctx
        )

    def pay_invoice(self, ctx: Context, command: Command) -> Element:
        """`invoice`; `amount` (all that is due by default), `date`, `account` (code, 090), `reference`, `reconciled`."""
        row = _one(self._invoices, command, "invoice")
        element = {
            "Invoice": {"InvoiceID": row["InvoiceID"]},
            "Account": {"Code": str(command.get("account") or _BANK)},
            "Amount": exact(command.get("amount", row["AmountDue"])),
            "Date": command.get("date"),
            "Reference": command.get("reference"),
            "IsReconciled": command.get("reconciled"),
        }
        return self._saved(self._payments, element, "PUT", ctx)

    def allocate_credit(self, ctx: Context, command: Command) -> Element:
        """`invoice`, `amount`, `kind` (`Overpayment`, the default, or `Prepayment`): money received before or beyond a bill."""
        row, kind = _one(self._invoices, command, "invoice"), str(command.get("kind") or "Overpayment")
        amount = Decimal(str(command.get("amount", row["AmountDue"])))
        if kind not in {"Overpayment", "Prepayment"} or row["Status"] != "AUTHORISED":
            raise ValueError("give an approved `invoice` and as `kind` Overpayment or Prepayment")
        if not 0 < amount <= row["AmountDue"]:
            raise ValueError(f"the amount is more than nothing and at most the {row['AmountDue']} due")
        entry = {
            "CreditID": ctx.store.guid(),
            "Kind": kind,
            "Amount": money.rounded(amount),
            "Date": row["Date"],
        }
        return self._credited(ctx, row, [*balances.other_credit(row), entry])

    def remove_credit(self, ctx: Context, command: Command) -> Element:
        """`invoice`: the prepayments and overpayments on it are its no more."""
        return self._credited(ctx, _one(self._invoices, command, "invoice"), [])

    def _credited(self, ctx: Context, row: Row, credit: list[Row]) -> Element:
        changed = balances.with_invoice_balance(ctx.store, {**row, "OtherCredit": credit})
        return _told(self._invoices.table.put(changed))

    # -- credit notes and quotes ---------------------------------------------------------------------------------------

    def create_credit_note(self, ctx: Context, command: Command) -> Element:
        """As `create_invoice`; approved unless `status` says otherwise."""
        approved = {**command, "status": command.get("status") or "AUTHORISED"}
        element = self._document(ctx, approved, "CreditNoteNumber", "ACCRECCREDIT")
        return self._saved(self._notes, element, "PUT", ctx)

    def allocate_credit_note(self, ctx: Context, command: Command) -> Element:
        """`credit_note`, `invoice`, `amount` (as much as fits by default), `date`."""
        note, invoice = _one(self._notes, command, "credit_note"), _one(self._invoices, command, "invoice")
        fits = min(note["RemainingCredit"], invoice["AmountDue"])
        sent = {
            "Invoice": {"InvoiceID": invoice["InvoiceID"]},
            "Amount": exact(command.get("amount", fits)),
            "Date": command.get("date"),
        }
        return _told(allocations.allocate(ctx, note, sent))

    def delete_allocation(self, ctx: Context, command: Command) -> Element:
        """`allocation` (id)."""
        entry = ctx.store.table("Allocations").get(wire.guid(command.get("allocation")))
        if entry is None:
            raise ValueError(
                f"there is no allocation {command.get('allocation')!r}: give its id as `allocation`"
            )
        allocations.remove(ctx.store, entry)
        return _told(entry)

    def set_quote_status(self, ctx: Context, command: Command) -> Element:
        """`quote` (id or number) and `status`."""
        key = str(command.get("quote") or "")
        row = self._quotes.table.get(wire.guid(key)) or next(
            iter(self._quotes.table.by("number", lookup_key(key))), None
        )
        if row is None:
            raise ValueError(f"there is no quote with id or number {key!r}: give one as `quote`")
        fields = {"Status": command.get("status"), "QuoteNumber": row["QuoteNumber"], "Terms": row["Terms"]}
        return self._changed(self._quotes, row, fields, ctx)

    # -- payments ------------------------------------------------------------------------------------------------------

    def delete_payment(self, ctx: Context, command: Command) -> Element:
        """`payment` (id), or `invoice` (id or number) for its last one."""
        return _told(payments.delete_payment(ctx.store, self._payment(command)))

    def reconcile_payment(self, _ctx: Context, command: Command) -> Element:
        """As `delete_payment`: the payment is matched with the bank's statement and cannot be taken back by the API."""
        return _told(self._payments.table.put({**self._payment(command), "IsReconciled": True}))

    def _payment(self, command: Command) -> Row:
        if command.get("payment"):
            row = self._payments.table.get(wire.guid(command["payment"]))
        else:
            invoice = _one(self._invoices, command, "invoice")
            found = self._payments.table.by("document", invoice["InvoiceID"])
            row = next((payment for payment in reversed(found) if payment["Status"] == "AUTHORISED"), None)
        if row is None or row["Status"] != "AUTHORISED":
            raise ValueError("there is no such payment, or it was taken back: give its id as `payment`")
        return row

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _document(self, ctx: Context, command: Command, number_field: str, sales_type: str) -> dict[str, Any]:
        contact = self._contact(ctx, str(command.get("contact") or ""))
        fields = exact(dict(command.get("fields") or {}))
        element: dict[str, Any] = {
            "Type": command.get("type") or sales_type,
            "Contact": {"ContactID": contact["ContactID"]},
            "Status": command.get("status") or "DRAFT",
            "DueDate": (ctx.today + timedelta(days=_DUE_DAYS)).isoformat(),
        }
        if command.get("number"):
            element[number_field] = str(command["number"])
        if command.get("amount") is not None:
            line = {"Description": "By hand", "Quantity": 1, "UnitAmount": exact(command["amount"])}
            element["LineItems"] = [{**line, "AccountCode": "200", "TaxType": "NONE"}]
        return {**element, **fields}

    def _contact(self, ctx: Context, key: str) -> Row:
        table = ctx.store.table("Contacts")
        found = table.get(wire.guid(key)) or next(
            iter([*table.by("number", lookup_key(key)), *table.by("name", fold(key))]), None
        )
        if found is None:
            raise ValueError(f"there is no contact with id, number or name {key!r}: give one as `contact`")
        return found

    def _changed(self, family: Resource, row: Row, fields: Mapping[str, Any], ctx: Context) -> Element:
        ctx.target = row
        return self._saved(family, dict(fields), "POST", ctx)

    @staticmethod
    def _saved(family: Resource, element: dict[str, Any], verb: Any, ctx: Context) -> Element:
        ctx.params = {"unitdp": "4"}  # the screens take four decimals
        saved = family.save(element, verb, ctx)
        return _told(family.table.get(saved[family.id_field]) or {})


def _one(family: Resource, command: Command, name: str) -> Row:
    key = str(command.get(name) or "")
    row = family.find(key) if key else None
    if row is None:
        raise ValueError(f"there is no {name} with id or number {key!r}: give one as `{name}`")
    return row


def _fields(command: Command) -> dict[str, Any]:
    fields = command.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise ValueError('give the fields: {"fields": {"Reference": "…"}}')
    found: dict[str, Any] = exact(fields)
    return found


def _told(row: Row) -> Element:
    told: Element = plain({name: row[name] for name in _TOLD if name in row})
    return told
