"""Credit notes: ACCRECCREDIT (to customers) and ACCPAYCREDIT (from suppliers).

Shaped as invoices are, with `RemainingCredit` in place of an amount due and an extra `ID` (recorded). A credit note is
applied by allocations (`allocations.py`), which are a call of their own. Sources: Xero developer docs, Xero OpenAPI 16.1.0.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ikaroa_sandbox.xero import allocations, attachments, history, scopes, wire
from ikaroa_sandbox.xero.balances import allocations_from, payments_of, with_credit_balance
from ikaroa_sandbox.xero.lines import present_line
from ikaroa_sandbox.xero.resource import Context, Element, Field, Resource, View
from ikaroa_sandbox.xero.store import Row, Store
from ikaroa_sandbox.xero.trade_documents import TradeDocuments, dates, present_payment


class CreditNotes(TradeDocuments):
    """`/CreditNotes`."""

    name = "CreditNotes"
    id_field = "CreditNoteID"
    type_name = "CreditNote"
    key_index = "number"
    read_scopes, write_scopes = scopes.reading(scopes.INVOICES), scopes.INVOICES
    list_params: ClassVar = {"ids": "CreditNoteID", "creditnotenumbers": "CreditNoteNumber"}
    query_params = frozenset({"summaryonly", "createdbymyapp", "searchterm"})
    not_heeded = frozenset({"CISRate"})
    search_fields = ("CreditNoteNumber", "Reference")

    number_field = "CreditNoteNumber"
    sales_type = "ACCRECCREDIT"
    purchase_type = "ACCPAYCREDIT"
    series = "CN-"
    noun = "Credit Note"
    takes_discounts = False

    def __init__(self, store: Store, contacts: Resource) -> None:
        super().__init__(store, contacts)
        allocations.make_table(store)
        self.fields = _fields(contacts)
        self.children = {
            "History": history.child(store, self),
            "Allocations": lambda ctx, row, request, tail: allocations.answer(self, ctx, row, request, tail),
        }

    def with_balance(self, row: Row) -> Row:
        """What is left, from allocations and refunds."""
        return with_credit_balance(self.store, row)

    def settled(self, row: Row) -> tuple[bool, bool]:
        """Allocations or refunds; allocations."""
        applied = bool(allocations_from(self.store, row["CreditNoteID"]))
        return applied or bool(payments_of(self.store, row["CreditNoteID"])), applied

    # -- out -----------------------------------------------------------------------------------------------------------

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """A credit note as one of the calls shows it; key sets follow those of invoices."""
        shown: Element = {"CreditNoteID": row["CreditNoteID"], "CreditNoteNumber": row["CreditNoteNumber"]}
        if view not in {"write", "summary"}:
            payments = payments_of(self.store, row["CreditNoteID"])
            shown["Payments"] = [present_payment(payment) for payment in payments]
        shown.update(
            ID=row["CreditNoteID"], HasErrors=False, CurrencyRate=row["CurrencyRate"], Type=row["Type"]
        )
        if row["Type"] == self.sales_type:
            shown.update(Reference=row["Reference"], SentToContact=row["SentToContact"])
        shown["RemainingCredit"] = row["RemainingCredit"]
        applied = allocations_from(self.store, row["CreditNoteID"])
        shown["Allocations"] = [allocations.present(entry, ctx) for entry in applied]
        if view in ("single", "page", "list"):
            held = attachments.has(self.store, row["CreditNoteID"])
            shown.update(AppliedAmount=row["AppliedAmount"], HasAttachments=held)
        contact = self.contacts.table.get(row["ContactID"])
        if view in ("write", "single") and contact is not None:
            shown["Contact"] = self.contacts.present(contact, "write", ctx)
        else:
            shown["Contact"] = self.short_contact(row)
        shown.update(dates(row, "Date"))
        if row["Type"] == self.sales_type and row.get("BrandingThemeID"):
            shown["BrandingThemeID"] = row["BrandingThemeID"]
        shown.update(Status=row["Status"], LineAmountTypes=row["LineAmountTypes"])
        if view == "list":
            shown["LineItems"] = []
        elif view != "summary":
            shown["LineItems"] = self._lines(row, ctx, write=view != "page")
        shown.update(SubTotal=row["SubTotal"], TotalTax=row["TotalTax"], Total=row["Total"])
        shown["UpdatedDateUTC"] = wire.ms(row["UpdatedDateUTC"])
        shown["CurrencyCode"] = row["CurrencyCode"]
        if row.get("FullyPaidOnDate"):
            shown["FullyPaidOnDate"] = wire.ms(row["FullyPaidOnDate"])
        return shown

    @staticmethod
    def _lines(row: Row, ctx: Context, *, write: bool) -> list[Element]:
        return [present_line(line, unit_places=ctx.unitdp, write=write) for line in row["LineItems"]]

    def echo(self, row: Row, ctx: Context) -> Element:
        """An ERROR element: the status that was asked for, stored lines and totals."""
        document_id = row.get("CreditNoteID") or wire.ZERO_GUID
        shown: Element = {"CreditNoteID": document_id, "ID": document_id, "Type": row["Type"]}
        shown.update(dates(row, "Date"))
        shown.update(Status=row["Status"], LineAmountTypes=row["LineAmountTypes"])
        shown["LineItems"] = self._lines(row, ctx, write=True)
        shown.update(SubTotal=row["SubTotal"], TotalTax=row["TotalTax"], Total=row["Total"])
        return shown


def _fields(contacts: Resource) -> dict[str, Field]:
    def of(name: str) -> Any:
        return lambda row: row.get(name)

    def of_contact(name: str) -> Any:
        return lambda row: (contacts.table.get(row["ContactID"]) or {}).get(name)

    return {
        "CreditNoteID": Field("guid", of("CreditNoteID"), optimised=True),
        "CreditNoteNumber": Field("text", of("CreditNoteNumber"), optimised=True),
        "Reference": Field("text", of("Reference"), optimised=True),
        "Status": Field("text", of("Status"), optimised=True),
        "Type": Field("text", of("Type"), optimised=True),
        "Contact.ContactID": Field("guid", of("ContactID"), optimised=True),
        "Contact.Name": Field("text", of_contact("Name"), optimised=True),
        "Contact.ContactNumber": Field("text", of_contact("ContactNumber"), optimised=True),
        "Date": Field("date", of("Date"), optimised=True),
        "RemainingCredit": Field("number", of("RemainingCredit")),
        "SubTotal": Field("number", of("SubTotal")),
        "TotalTax": Field("number", of("TotalTax")),
        "Total": Field("number", of("Total")),
        "AppliedAmount": Field("number", of("AppliedAmount")),
        "CurrencyCode": Field("text", of("CurrencyCode")),
        "CurrencyRate": Field("number", of("CurrencyRate")),
        "BrandingThemeID": Field("guid", of("BrandingThemeID")),
        "SentToContact": Field("bool", of("SentToContact")),
        "LineAmountTypes": Field("text", of("LineAmountTypes")),
        "HasAttachments": Field("bool", lambda row: attachments.has(contacts.store, row["CreditNoteID"])),
        "UpdatedDateUTC": Field("date", of("UpdatedDateUTC"), optimised=True),
    }
