"""Payments: made once, never changed, taken back by `Status: DELETED`.

Sources: Xero developer docs (Payments), Xero OpenAPI 16.1.0, public issue threads (the refusals' texts, the refused
element's shape). A payment that is made or taken back is never recorded in public: what it does to the document's stamp
is a rule with variants.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from ikaroa_sandbox.xero import balances, errors, history, limits, money, reading, scopes, wire
from ikaroa_sandbox.xero.books import ONE, Books
from ikaroa_sandbox.xero.documents import lock_message, locked_message
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.payment_views import echo, payment_fields, present
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb, View
from ikaroa_sandbox.xero.store import Row, Store

ONLY_STATUS = "Only Status accepted for updates"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
NO_ACCOUNT = "Account could not be found"
WRONG_ACCOUNT = "Account type is invalid for making a payment to/from"
NOT_POSITIVE = "Payment amount must be greater than zero"
RECONCILED = "This payment has been reconciled and cannot be deleted"

TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}
_HARMLESS = frozenset(
    {"Status", "PaymentID", "HasErrors", "HasAttachments", "HasAccount", "HasValidationErrors"}
)
"""What may stand in a deletion: the status, the id, and flags that client libraries add to every object."""


class Payments(Resource):
    """`/Payments`."""

    name = "Payments"
    id_field = "PaymentID"
    type_name = "Payment"
    read_scopes, write_scopes = scopes.reading(scopes.PAYMENTS), scopes.PAYMENTS
    list_params: ClassVar = {"ids": "PaymentID"}
    query_params = frozenset({"createdbymyapp"})
    error_flag = "HasValidationErrors"
    refused_id = False

    not_heeded = frozenset({"BankAccountNumber", "Details", "Overpayment", "Particulars", "Prepayment"})

    def __init__(self, store: Store, contacts: Resource) -> None:
        super().__init__(store)
        self.contacts = contacts
        self.books = Books(store)
        self.table.index("document", lambda row: row["DocumentID"])
        self.fields = payment_fields(store, contacts)
        self.children = {"History": history.child(store, self)}

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """A payment with its account and its document."""
        return present(row, view, ctx, self.contacts)

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Makes a payment, or takes one back; see `Resource.save`."""
        known = ctx.target
        payment_id = wire.guid(element.get("PaymentID"))
        if known is None and payment_id is not None and payment_id != wire.ZERO_GUID:
            known = self.table.get(payment_id)
            if known is None or verb == "PUT":
                raise errors.ElementInvalid(
                    "PUT makes new payments only" if known else "Payment could not be found",
                    {"PaymentID": payment_id},
                )
        if known is not None:
            return self.present(self._delete(known, element, ctx), "write", ctx)
        return self.present(self._create(element, ctx), "write", ctx)

    # -- delete --------------------------------------------------------------------------------------------------------

    def _delete(self, row: Row, element: Element, ctx: Context) -> Row:
        shown = {"PaymentID": row["PaymentID"], "Status": element.get("Status"), "HasAccount": False}
        status = (reading.read_text(element.get("Status")) or "").upper()
        if set(element) - _HARMLESS or status != "DELETED":
            raise errors.ElementInvalid(ONLY_STATUS, shown)
        if row["Status"] == "DELETED":
            raise errors.ElementInvalid("Payment is already deleted", shown)
        if row["IsReconciled"]:
            raise errors.ElementInvalid(RECONCILED, shown)
        message = locked_message(row["Date"], self.store.organisation, ctx)
        if message is not None:
            raise errors.ElementInvalid(message, shown)
        return delete_payment(self.store, row)

    # -- create --------------------------------------------------------------------------------------------------------

    def _create(self, element: Element, ctx: Context) -> Row:
        amount = reading.read_decimal(element.get("Amount"))
        day = reading.read_day(element.get("Date")) or ctx.today
        messages: list[str] = []
        document = self._document(element)
        account = self._account(element)
        reference = self._reference(element, messages, ctx)
        if document is None:
            messages.append("Invoice could not be found")
        if account is None:
            messages.append(NO_ACCOUNT)
        elif account["Status"] != "ACTIVE" or not (
            account["Type"] == "BANK" or account.get("EnablePaymentsToAccount")
        ):
            messages.append(WRONG_ACCOUNT)
        elif document is not None:
            messages.extend(self._currency_messages(account, document))
        messages.extend(_amount_messages(amount, document))
        message = lock_message(day, self.store.organisation, ctx)
        if message is not None:
            messages.append(message.replace("document date", "payment date"))
        if messages or document is None or account is None or amount is None:
            raise errors.ElementInvalid(messages, echo(element, day, amount))
        rate = reading.read_decimal(element.get("CurrencyRate")) or document["CurrencyRate"]
        if document["CurrencyCode"] == self.store.organisation["BaseCurrency"]:
            rate = ONE
        row: Row = {
            "PaymentID": None,
            "DocumentID": document.get("InvoiceID") or document["CreditNoteID"],
            "DocumentType": document["Type"],
            "AccountID": account["AccountID"],
            "Date": day,
            "Amount": money.rounded(amount),
            "CurrencyCode": document["CurrencyCode"],
            "CurrencyRate": rate.quantize(ONE) if rate > 0 else ONE,
            "Reference": reference,
            "PaymentType": TYPES[document["Type"]],
            "Status": "AUTHORISED",
            "IsReconciled": reading.read_bool(element.get("IsReconciled")) or False,
            "CreatedByApp": ctx.app or None,
        }
        row["BankAmount"] = self._bank_amount(row, account)
        stored = self.table.put(row)
        balances.settle(self.store, row["DocumentID"])
        return stored

    def _document(self, element: Element) -> Row | None:
        """The invoice or credit note that is paid, by id or by number."""
        for name, id_field, number_field in (
            ("Invoice", "InvoiceID", "InvoiceNumber"),
            ("CreditNote", "CreditNoteID", "CreditNoteNumber"),
        ):
            table = self.store.table(f"{name}s")
            sent = element.get(name)
            sent = sent if isinstance(sent, Mapping) else {}
            document_id = wire.guid(sent.get(id_field))
            if document_id is not None:
                return table.get(document_id)
            number = reading.read_text(sent.get(number_field) or element.get(number_field))
            if number:
                found = table.by("number", lookup_key(number))
                return found[-1] if found else None
        return None

    def _account(self, element: Element) -> Row | None:
        sent = element.get("Account")
        sent = sent if isinstance(sent, Mapping) else {}
        account_id = wire.guid(sent.get("AccountID"))
        if account_id is not None and account_id != wire.ZERO_GUID:
            return self.books.account(None, account_id)
        return self.books.account(reading.read_text(sent.get("Code") or element.get("Code")))

    @staticmethod
    def _reference(element: Element, messages: list[str], ctx: Context) -> str:
        text = reading.read_text(element.get("Reference")) or ""
        if ctx.variants["xero.payments.reference"] == "truncated":
            return text[: limits.PAYMENT_REFERENCE_KEPT]
        if len(text) > limits.PAYMENT_REFERENCE:
            messages.append(
                f"Reference is {len(text)} characters long; it must not be longer than {limits.PAYMENT_REFERENCE}"
            )
        return text

    def _account_currency(self, account: Row) -> str:
        return str(account.get("CurrencyCode") or self.books.base_currency)

    def _currency_messages(self, account: Row, document: Row) -> list[str]:
        currency = self._account_currency(account)
        if currency in (document["CurrencyCode"], self.books.base_currency):
            return []
        return [f"A document in {document['CurrencyCode']} cannot be paid from an account in {currency}"]

    def _bank_amount(self, payment: Row, account: Row) -> Decimal:
        if self._account_currency(account) == payment["CurrencyCode"]:
            return Decimal(payment["Amount"])
        return money.base_amount(payment["Amount"], payment["CurrencyRate"])


def _amount_messages(amount: Decimal | None, document: Row | None) -> list[str]:
    messages = []
    if document is not None and document["Status"] != "AUTHORISED":
        messages.append(NOT_AUTHORISED)
    if amount is None or money.rounded(amount) <= 0:
        messages.append(NOT_POSITIVE)
    elif document is not None and money.rounded(amount) > outstanding(document):
        messages.append(TOO_MUCH)
    return messages


def outstanding(document: Row) -> Decimal:
    """What can still be paid on an invoice, or refunded on a credit note."""
    return Decimal(document["AmountDue"] if "AmountDue" in document else document["RemainingCredit"])


def delete_payment(store: Store, row: Row) -> Row:
    """Takes a payment back: the document is open again by its amount. Returns the payment as it stands then."""
    stored = store.table("Payments").put({**row, "Status": "DELETED"})
    stamped = store.variants["xero.payments.delete_stamps_document"] == "stamped"
    balances.settle(store, row["DocumentID"], stamp=stamped)
    return stored
