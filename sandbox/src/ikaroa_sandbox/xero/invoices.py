"""Invoices: ACCREC (sales) and ACCPAY (bills).

Key sets differ by call and are those of recorded traffic; see `present`. Sources: Xero developer docs (Invoices),
recorded traffic, Xero OpenAPI 16.1.0.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import attachments, errors, history, invoice_email, scopes, wire
from ikaroa_sandbox.xero.answers import child_envelope
from ikaroa_sandbox.xero.balances import allocations_to, other_credit, payments_of, with_invoice_balance
from ikaroa_sandbox.xero.documents import Reading
from ikaroa_sandbox.xero.lines import present_line
from ikaroa_sandbox.xero.resource import Context, Element, Field, Resource, View
from ikaroa_sandbox.xero.store import Row, Store
from ikaroa_sandbox.xero.trade_documents import TradeDocuments, dates, present_payment

DUE_DATE_MISSING = "The document DueDate field must be specified."


class Invoices(TradeDocuments):
    """`/Invoices`."""

    name = "Invoices"
    id_field = "InvoiceID"
    type_name = "Invoice"
    key_index = "number"
    read_scopes, write_scopes = scopes.reading(scopes.INVOICES), scopes.INVOICES
    list_params: ClassVar = {
        "ids": "InvoiceID",
        "invoicenumbers": "InvoiceNumber",
        "contactids": "Contact.ContactID",
        "statuses": "Status",
    }
    query_params = frozenset({"summaryonly", "createdbymyapp", "searchterm", "includearchived"})
    not_heeded = frozenset({"CISRate", "EnteredTotal", "RoundingAmount"})
    search_fields = ("InvoiceNumber", "Reference")

    number_field = "InvoiceNumber"
    sales_type = "ACCREC"
    purchase_type = "ACCPAY"
    series = "INV-"
    noun = "Invoice"
    has_due_date = True

    def __init__(self, store: Store, contacts: Resource) -> None:
        super().__init__(store, contacts)
        self.fields = _fields(contacts)
        self.children = {
            "History": history.child(store, self),
            "Email": lambda ctx, row, request, _: invoice_email.send(self, ctx, row, request, contacts),
            "OnlineInvoice": _online_invoice,
        }

    def read_own(self, read: Reading, *, complete: bool) -> None:
        """Due date and the dates people expect or plan payment for."""
        read.day("DueDate")
        if complete and read.row.get("DueDate") is None:
            read.messages.append(DUE_DATE_MISSING)
        due = read.row.get("DueDate")
        if (
            due is not None
            and due < read.row["Date"]
            and read.ctx.variants["xero.invoices.due_before_date"] == "refused"
        ):
            read.messages.append(f"The DueDate {due} is before the document's Date {read.row['Date']}")
        read.day("ExpectedPaymentDate")
        read.day("PlannedPaymentDate")
        read.text("Url")

    def with_balance(self, row: Row) -> Row:
        """Amounts from payments and credit note allocations."""
        return with_invoice_balance(self.store, row)

    def settled(self, row: Row) -> tuple[bool, bool]:
        """Payments or credit notes; credit notes."""
        credited = bool(allocations_to(self.store, row["InvoiceID"]) or other_credit(row))
        return credited or bool(payments_of(self.store, row["InvoiceID"])), credited

    # -- out -----------------------------------------------------------------------------------------------------------

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """An invoice as one of the calls shows it.

        `write`: no Payments, CreditNotes, AmountCredited, HasAttachments. `single`: Payments only where there are some,
        and Attachments. `page`: all of these and InvoiceAddresses, a short contact. `list`: as a page, without lines.
        """
        shown: Element = {"Type": row["Type"], "InvoiceID": row["InvoiceID"]}
        shown["InvoiceNumber"] = row["InvoiceNumber"]
        if row["Type"] == self.sales_type:
            shown["Reference"] = row["Reference"]
        if view != "write":
            self._settlements(row, view, shown)
        shown.update(
            Prepayments=_other_credit(row, "Prepayment"),
            Overpayments=_other_credit(row, "Overpayment"),
            AmountDue=row["AmountDue"],
            AmountPaid=row["AmountPaid"],
        )
        if view != "write":
            shown["AmountCredited"] = row["AmountCredited"]
        self._header(row, view, shown)
        shown["Contact"] = self._contact(row, view, ctx)
        shown.update(dates(row, "Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"))
        if row["Type"] == self.sales_type and row.get("BrandingThemeID"):
            shown["BrandingThemeID"] = row["BrandingThemeID"]
        shown.update(Status=row["Status"], LineAmountTypes=row["LineAmountTypes"])
        self._lines(row, view, ctx, shown)
        shown.update(SubTotal=row["SubTotal"], TotalTax=row["TotalTax"], Total=row["Total"])
        if row["TotalDiscount"]:
            shown["TotalDiscount"] = row["TotalDiscount"]
        shown["UpdatedDateUTC"] = wire.ms(row["UpdatedDateUTC"])
        shown["UpdatedDateUTCString"] = wire.stamp_string(row["UpdatedDateUTC"])
        shown["CurrencyCode"] = row["CurrencyCode"]
        if row.get("FullyPaidOnDate"):
            shown["FullyPaidOnDate"] = wire.ms(row["FullyPaidOnDate"])
        if row.get("Url"):
            shown["Url"] = row["Url"]
        if view == "single":
            shown["Attachments"] = attachments.listed(self.store, row["InvoiceID"])
        return shown

    def _settlements(self, row: Row, view: View, shown: Element) -> None:
        payments = [present_payment(payment) for payment in payments_of(self.store, row["InvoiceID"])]
        if view != "summary" and (payments or view != "single"):
            shown["Payments"] = payments
        shown["CreditNotes"] = [self._credit(entry) for entry in allocations_to(self.store, row["InvoiceID"])]

    def _credit(self, allocation: Row) -> Element:
        note = self.store.table("CreditNotes").get(allocation["CreditNoteID"]) or {}
        return {
            "CreditNoteID": allocation["CreditNoteID"],
            "CreditNoteNumber": note.get("CreditNoteNumber", ""),
            "ID": allocation["CreditNoteID"],
            "HasErrors": False,
            "AppliedAmount": allocation["Amount"],
            "DateString": wire.day_string(allocation["Date"]),
            "Date": wire.ms(allocation["Date"]),
            "LineItems": [],
            "Total": note.get("Total"),
        }

    def _header(self, row: Row, view: View, shown: Element) -> None:
        if row["Type"] == self.sales_type:
            shown["SentToContact"] = row["SentToContact"]
        shown["CurrencyRate"] = row["CurrencyRate"]
        shown["IsDiscounted"] = bool(row["TotalDiscount"])
        if view in ("single", "page", "list"):
            shown["HasAttachments"] = attachments.has(self.store, row["InvoiceID"])
        if view in ("page", "list", "summary"):
            shown["InvoiceAddresses"] = []
        shown["HasErrors"] = False
        shown["InvoicePaymentServices"] = []

    def _contact(self, row: Row, view: View, ctx: Context) -> Element:
        contact = self.contacts.table.get(row["ContactID"])
        if view in ("write", "single") and contact is not None:
            return self.contacts.present(contact, "write", ctx)
        return self.short_contact(row)

    def _lines(self, row: Row, view: View, ctx: Context, shown: Element) -> None:
        if view in ("summary", "list"):
            if view == "list":
                shown["LineItems"] = []
            return
        write = view != "page"
        shown["LineItems"] = [
            present_line(line, unit_places=ctx.unitdp, write=write) for line in row["LineItems"]
        ]

    def echo(self, row: Row, ctx: Context) -> Element:
        """An ERROR element: the status that was asked for, stored lines and totals; no number, balance or stamp."""
        shown: Element = {"Type": row["Type"], "InvoiceID": row.get("InvoiceID") or wire.ZERO_GUID}
        if row["Type"] == self.sales_type:
            shown["Reference"] = row["Reference"]
        contact = self.contacts.table.get(row["ContactID"])
        if contact is not None:
            shown["Contact"] = self.contacts.present(contact, "write", ctx)
        shown.update(dates(row, "Date", "DueDate"))
        shown.update(Status=row["Status"], LineAmountTypes=row["LineAmountTypes"])
        shown["LineItems"] = [
            present_line(line, unit_places=ctx.unitdp, write=True) for line in row["LineItems"]
        ]
        shown.update(SubTotal=row["SubTotal"], TotalTax=row["TotalTax"], Total=row["Total"])
        if row.get("CurrencyCode"):
            shown["CurrencyCode"] = row["CurrencyCode"]
        return shown


def _fields(contacts: Resource) -> dict[str, Field]:
    """What `where` and `order` may name; which of them are optimised is in the Xero developer docs."""

    def of(name: str) -> Any:
        return lambda row: row.get(name)

    def of_contact(name: str) -> Any:
        return lambda row: (contacts.table.get(row["ContactID"]) or {}).get(name)

    return {
        "InvoiceID": Field("guid", of("InvoiceID"), optimised=True),
        "InvoiceNumber": Field("text", of("InvoiceNumber"), optimised=True),
        "Reference": Field("text", of("Reference"), optimised=True),
        "Status": Field("text", of("Status"), optimised=True),
        "Type": Field("text", of("Type"), optimised=True),
        "Contact.ContactID": Field("guid", of("ContactID"), optimised=True),
        "Contact.Name": Field("text", of_contact("Name"), optimised=True),
        "Contact.ContactNumber": Field("text", of_contact("ContactNumber"), optimised=True),
        "Date": Field("date", of("Date"), optimised=True),
        "DueDate": Field("date", of("DueDate"), optimised=True),
        "AmountDue": Field("number", of("AmountDue"), optimised=True),
        "AmountPaid": Field("number", of("AmountPaid"), optimised=True),
        "AmountCredited": Field("number", of("AmountCredited")),
        "SubTotal": Field("number", of("SubTotal")),
        "TotalTax": Field("number", of("TotalTax")),
        "Total": Field("number", of("Total")),
        "CurrencyCode": Field("text", of("CurrencyCode")),
        "CurrencyRate": Field("number", of("CurrencyRate")),
        "BrandingThemeID": Field("guid", of("BrandingThemeID")),
        "SentToContact": Field("bool", of("SentToContact")),
        "FullyPaidOnDate": Field("date", of("FullyPaidOnDate")),
        "UpdatedDateUTC": Field("date", of("UpdatedDateUTC"), optimised=True),
        "LineAmountTypes": Field("text", of("LineAmountTypes")),
        "TotalDiscount": Field("number", of("TotalDiscount")),
        "ExpectedPaymentDate": Field("date", of("ExpectedPaymentDate")),
        "PlannedPaymentDate": Field("date", of("PlannedPaymentDate")),
        "HasAttachments": Field("bool", lambda row: attachments.has(contacts.store, row["InvoiceID"])),
        "Url": Field("text", of("Url")),
    }


def _online_invoice(ctx: Context, row: Row, request: Request, tail: list[str]) -> Response:
    """`GET /Invoices/{id}/OnlineInvoice`: the page customers see; a draft and a bill have none."""
    if request.method != "GET" or tail:
        raise errors.NotSimulated(f"{request.method} /api.xro/2.0/Invoices/{{id}}/OnlineInvoice")
    if row["Type"] != "ACCREC" or row["Status"] in ("DRAFT", "DELETED"):
        raise errors.NotFound("no online invoice")
    url = f"https://in.xero.com/{row['InvoiceID'].replace('-', '')[:24]}"
    return child_envelope(ctx, "OnlineInvoices", [{"OnlineInvoiceUrl": url}])


def _other_credit(row: Row, kind: str) -> list[Element]:
    """What of an invoice is settled by prepayments or by overpayments: neither has a number of its own."""
    return [
        {
            f"{kind}ID": entry["CreditID"],
            "ID": entry["CreditID"],
            "Date": wire.ms(entry["Date"]),
            "Total": entry["Amount"],
            "AppliedAmount": entry["Amount"],
            "HasErrors": False,
        }
        for entry in other_credit(row)
        if entry["Kind"] == kind
    ]
