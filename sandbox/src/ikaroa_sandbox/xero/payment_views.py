"""A payment on the wire, and what may be asked of payments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.xero import reading, wire
from ikaroa_sandbox.xero.resource import Context, Element, Field, Resource, View
from ikaroa_sandbox.xero.store import Row, Store
from ikaroa_sandbox.xero.trade_documents import short_contact


def document_of(store: Store, payment: Row) -> Row:
    """The invoice or credit note a payment stands on."""
    name = "CreditNotes" if payment["DocumentType"].endswith("CREDIT") else "Invoices"
    return store.table(name).get(payment["DocumentID"]) or {}


def present(row: Row, view: View, ctx: Context, contacts: Resource) -> Element:
    """A payment; answers to writes name the account's code, lists and reads its name too."""
    account = ctx.store.table("Accounts").get(row["AccountID"]) or {}
    shown: Element = {
        "PaymentID": row["PaymentID"],
        "Date": wire.ms(row["Date"]),
        "BankAmount": row["BankAmount"],
        "Amount": row["Amount"],
        "Reference": row["Reference"],
        "CurrencyRate": row["CurrencyRate"],
        "PaymentType": row["PaymentType"],
        "Status": row["Status"],
        "UpdatedDateUTC": wire.ms(row["UpdatedDateUTC"]),
        "HasAccount": True,
        "IsReconciled": row["IsReconciled"],
        "Account": {"AccountID": row["AccountID"], "Code": account.get("Code", "")},
    }
    if view != "write":
        shown["Account"]["Name"] = account.get("Name", "")
    document = document_of(ctx.store, row)
    if row["DocumentType"].endswith("CREDIT"):
        shown["CreditNote"] = _credit_note(row, document, contacts)
    else:
        shown["Invoice"] = _invoice(row, document, contacts, view)
    shown["HasValidationErrors"] = False
    return shown


def _invoice(payment: Row, invoice: Row, contacts: Resource, view: View) -> Element:
    shown: Element = {
        "Type": payment["DocumentType"],
        "InvoiceID": payment["DocumentID"],
        "InvoiceNumber": invoice.get("InvoiceNumber", ""),
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
    }
    if view in ("write", "single"):
        for name in ("AmountDue", "AmountPaid", "AmountCredited", "Total", "Status"):
            shown[name] = invoice.get(name)
    shown.update(IsDiscounted=False, InvoiceAddresses=[], HasErrors=False, InvoicePaymentServices=[])
    shown["Contact"] = short_contact(
        contacts.table.get(invoice.get("ContactID")) or {"ContactID": wire.ZERO_GUID}
    )
    shown.update(LineItems=[], CurrencyCode=payment["CurrencyCode"])
    return shown


def _credit_note(payment: Row, note: Row, contacts: Resource) -> Element:
    return {
        "Type": payment["DocumentType"],
        "CreditNoteID": payment["DocumentID"],
        "CreditNoteNumber": note.get("CreditNoteNumber", ""),
        "ID": payment["DocumentID"],
        "HasErrors": False,
        "Contact": short_contact(contacts.table.get(note.get("ContactID")) or {"ContactID": wire.ZERO_GUID}),
        "LineItems": [],
        "CurrencyCode": payment["CurrencyCode"],
    }


def echo(element: Mapping[str, Any], day: date, amount: Decimal | None) -> Element:
    """What the answer repeats of a refused payment (shape from a public log of the real API)."""
    shown: Element = {"Date": wire.ms(day)}
    if amount is not None:
        shown["Amount"] = amount
    if element.get("Reference") is not None:
        shown["Reference"] = reading.read_text(element["Reference"])
    account = element.get("Account")
    shown["HasAccount"] = isinstance(account, Mapping)
    if isinstance(account, Mapping):
        shown["Account"] = {
            "AccountID": wire.guid(account.get("AccountID")) or wire.ZERO_GUID,
            "Code": account.get("Code"),
            "ValidationErrors": [],
        }
    for name in ("Invoice", "CreditNote"):
        sent = element.get(name)
        if isinstance(sent, Mapping):
            ids = {key: sent[key] for key in sent if key.startswith(name)}
            shown[name] = {**ids, "HasErrors": False, "LineItems": [], "ValidationErrors": []}
    return shown


def payment_fields(store: Store, contacts: Resource) -> dict[str, Field]:
    """What `where` and `order` may name; which of them are optimised is in the Xero developer docs."""

    def of(name: str) -> Any:
        return lambda row: row.get(name)

    def invoice(name: str) -> Any:
        return lambda row: (
            None if row["DocumentType"].endswith("CREDIT") else document_of(store, row).get(name)
        )

    def contact(name: str) -> Any:
        return lambda row: (contacts.table.get(document_of(store, row).get("ContactID")) or {}).get(name)

    def account(name: str) -> Any:
        return lambda row: (store.table("Accounts").get(row["AccountID"]) or {}).get(name)

    return {
        "PaymentID": Field("guid", of("PaymentID"), optimised=True),
        "PaymentType": Field("text", of("PaymentType"), optimised=True),
        "Status": Field("text", of("Status"), optimised=True),
        "Date": Field("date", of("Date"), optimised=True),
        "Reference": Field("text", of("Reference"), optimised=True),
        "Amount": Field("number", of("Amount")),
        "BankAmount": Field("number", of("BankAmount")),
        "IsReconciled": Field("bool", of("IsReconciled")),
        "CurrencyRate": Field("number", of("CurrencyRate")),
        "Account.AccountID": Field("guid", of("AccountID")),
        "Account.Code": Field("text", account("Code")),
        "Account.Name": Field("text", account("Name")),
        "Invoice.InvoiceID": Field("guid", invoice("InvoiceID"), optimised=True),
        "Invoice.InvoiceNumber": Field("text", invoice("InvoiceNumber")),
        "Invoice.Contact.ContactID": Field("guid", contact("ContactID")),
        "UpdatedDateUTC": Field("date", of("UpdatedDateUTC"), optimised=True),
    }
