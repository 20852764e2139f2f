"""Quotes: enums in upper case, dates without offset, and a POST that is no partial update.

Recorded: an omitted QuoteNumber mints a new number on every write, omitted Terms become empty, omitted LineItems stay,
lines sent without LineItemID replace. A line without TaxType is taxed with nothing. Answers are `application/json`
without charset, their envelope has `SummarizeErrors`, a page has no pagination block. Sources: recorded traffic,
Xero OpenAPI 16.1.0, Xero developer docs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, ClassVar

from ikaroa_sandbox.xero import errors, history, limits, money, reading, scopes, wire
from ikaroa_sandbox.xero.books import Books
from ikaroa_sandbox.xero.documents import (
    Reading,
    next_number,
    read_branding_theme,
    read_contact,
    read_currency,
    read_document_lines,
    read_sums,
)
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.line_rules import LineRules
from ikaroa_sandbox.xero.resource import Context, Element, Field, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store
from ikaroa_sandbox.xero.trade_documents import short_contact

STATUSES = ("DRAFT", "SENT", "DECLINED", "ACCEPTED", "INVOICED", "DELETED")
_MODES = {mode.upper(): mode for mode in money.LINE_AMOUNT_TYPES}
_TEXTS = {
    "Reference": limits.QUOTE_REFERENCE,
    "Title": limits.QUOTE_TITLE,
    "Summary": limits.QUOTE_SUMMARY,
    "Terms": limits.QUOTE_TERMS,
}


class Quotes(Resource):
    """`/Quotes`."""

    name = "Quotes"
    id_field = "QuoteID"
    type_name = "Quote"
    read_scopes, write_scopes = scopes.reading(scopes.INVOICES), scopes.INVOICES
    paging = "page"
    list_params: ClassVar = {
        "ids": "QuoteID",
        "quotenumber": "QuoteNumber",
        "contactid": "Contact.ContactID",
        "status": "Status",
    }
    query_params = frozenset({"datefrom", "dateto", "expirydatefrom", "expirydateto"})
    content_type = wire.JSON_BARE

    def __init__(self, store: Store, contacts: Resource) -> None:
        super().__init__(store)
        self.contacts = contacts
        self.books = Books(store)
        self.table.index("number", lambda row: lookup_key(row["QuoteNumber"]))
        self.table.index("contact", lambda row: row["ContactID"])
        self.fields = {
            "QuoteID": Field("guid", lambda row: row["QuoteID"], optimised=True),
            "QuoteNumber": Field("text", lambda row: row["QuoteNumber"], optimised=True),
            "Status": Field("text", lambda row: row["Status"], optimised=True),
            "Contact.ContactID": Field("guid", lambda row: row["ContactID"], optimised=True),
            "Date": Field("date", lambda row: row["Date"], optimised=True),
            "ExpiryDate": Field("date", lambda row: row.get("ExpiryDate")),
            "Contact.Name": Field(
                "text", lambda row: (contacts.table.get(row["ContactID"]) or {}).get("Name")
            ),
            **{name: stored(name) for name in ("Reference", "Title", "CurrencyCode", "LineAmountTypes")},
            **{name: stored(name, "number") for name in ("SubTotal", "TotalTax", "Total")},
            "UpdatedDateUTC": Field("date", lambda row: row["UpdatedDateUTC"], optimised=True),
        }
        self.children = {"History": history.child(store, self)}

    def envelope(self, ctx: Context) -> Element:
        """The envelope echoes the flag (recorded)."""
        return {"SummarizeErrors": ctx.params.get("summarizeerrors", "true").lower() != "false"}

    def visible(self, rows: Iterable[Row], ctx: Context) -> Iterable[Row]:
        """Rows within the date parameters."""
        for name, field, holds in _DATE_PARAMS:
            if ctx.params.get(name):
                rows = _within(rows, field, reading.read_day(ctx.params[name]), holds)
        return rows

    # -- save ----------------------------------------------------------------------------------------------------------

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Creates or changes one quote; see `Resource.save`."""
        known = ctx.target if ctx.target is not None else self._known(element, verb)
        row: Row = {**known} if known else dict.fromkeys(_TEXTS, "")
        row["Terms"] = ""
        read = Reading(element, ctx, self.books, row, known)
        self._read_status(read)
        contact = read_contact(read, self.contacts, create=known is None)
        row.setdefault("ContactID", contact["ContactID"] if contact else None)
        self._read_dates(read)
        read_currency(read, contact)
        read_branding_theme(read)
        for name, longest in _TEXTS.items():
            read.text(name, longest)
        mode = self._read_mode(read)
        if not (row["Status"] == "DELETED" and known):
            read_document_lines(read, self._line_rules(read, mode))
        read_sums(read, mode, "The quote total does not equal the sum of the lines.")
        self._read_number(read)
        read.refuse_if_any(lambda: self._echo(row))
        row.setdefault("CreatedByApp", ctx.app or None)
        return self.present(self.table.put(row), "write", ctx)

    def _known(self, element: Element, verb: Verb) -> Row | None:
        quote_id = wire.guid(element.get("QuoteID"))
        if quote_id is None or quote_id == wire.ZERO_GUID:
            return None
        found = self.table.get(quote_id)
        if found is None:
            message = "An existing Quote with the specified QuoteID could not be found"
            raise errors.ElementInvalid(message, {"QuoteID": quote_id})
        if verb == "PUT":
            raise errors.ElementInvalid(
                f"Quote {quote_id} exists already; PUT creates only", {"QuoteID": quote_id}
            )
        return found

    @staticmethod
    def _read_status(read: Reading) -> None:
        status = (reading.read_text(read.element.get("Status")) or read.row.get("Status") or "DRAFT").upper()
        if status not in STATUSES:
            read.messages.append(
                f"The Status '{status}' is not valid; it must be one of {', '.join(STATUSES)}"
            )
        elif read.known is not None and read.known["Status"] == "DELETED":
            read.messages.append("Quote not of valid status for modification")
        read.row["Status"] = status

    @staticmethod
    def _read_dates(read: Reading) -> None:
        read.day("Date")
        read.day("ExpiryDate")
        if "Date" not in read.row:
            read.messages.append("The Date field must be specified.")
            read.row["Date"] = read.ctx.today
        expiry = read.row.get("ExpiryDate")
        if expiry is not None and expiry < read.row["Date"]:
            read.messages.append(f"The ExpiryDate {expiry} is before the quote's Date {read.row['Date']}")

    @staticmethod
    def _read_mode(read: Reading) -> str:
        sent = (
            reading.read_text(read.element.get("LineAmountTypes"))
            or read.row.get("LineAmountTypes")
            or "EXCLUSIVE"
        )
        if sent.upper() not in _MODES:
            read.messages.append(
                f"The LineAmountTypes '{sent}' is not valid; it must be one of {', '.join(_MODES)}"
            )
            sent = "EXCLUSIVE"
        read.row["LineAmountTypes"] = sent.upper()
        return _MODES[sent.upper()]

    def _line_rules(self, read: Reading, mode: str) -> LineRules:
        variants = read.ctx.variants
        return LineRules(
            books=self.books,
            new_id=self.store.guid,
            line_amount_types=mode,
            tax_from_account=False,
            unit_places=int(variants["xero.quotes.unit_places"]),
            tax_mode_changed=read.known is not None
            and read.row["LineAmountTypes"] != read.known["LineAmountTypes"],
            description_required=variants["xero.lines.description"] == "required",
            unknown_tracking=variants["xero.lines.unknown_tracking"],
            unknown_line_id=variants["xero.lines.unknown_line_id"],
        )

    def _read_number(self, read: Reading) -> None:
        number = (reading.read_text(read.element.get("QuoteNumber")) or "").strip()
        if not number:
            read.row["QuoteNumber"] = next_number(self.store.counters, "QU-", self._numbered)
            return
        read.row["QuoteNumber"] = number
        if len(number) > limits.DOCUMENT_NUMBER:
            read.messages.append(
                f"QuoteNumber is {len(number)} characters long; it must not be longer than {limits.DOCUMENT_NUMBER}"
            )
        own = read.row.get("QuoteID")
        if any(row["QuoteID"] != own and row["Status"] != "DELETED" for row in self._numbered(number)):
            read.messages.append("Quote Number must be unique")

    def _numbered(self, number: str) -> list[Row]:
        return self.table.by("number", lookup_key(number))

    # -- out -----------------------------------------------------------------------------------------------------------

    def present(self, row: Row, view: View, ctx: Context) -> Element:  # noqa: ARG002 - the protocol's
        """A quote; every date without offset."""
        shown: Element = {
            "QuoteID": row["QuoteID"],
            "QuoteNumber": row["QuoteNumber"],
            "Reference": row["Reference"],
        }
        shown["Terms"] = row["Terms"]
        contact = self.contacts.table.get(row["ContactID"])
        if view in ("write", "single") and contact is not None:
            shown["Contact"] = {
                **short_contact(contact),
                "FirstName": contact["FirstName"],
                "LastName": contact["LastName"],
                "EmailAddress": contact["EmailAddress"],
            }
        else:
            shown["Contact"] = short_contact(contact or {"ContactID": row["ContactID"]})
        shown["LineItems"] = [_line(line) for line in row["LineItems"]]
        for name in ("Date", "ExpiryDate"):
            if row.get(name):
                shown[name] = wire.ms_bare(row[name])
                shown[f"{name}String"] = wire.day_string(row[name])
        shown.update(Status=row["Status"], CurrencyRate=row["CurrencyRate"], CurrencyCode=row["CurrencyCode"])
        shown.update(SubTotal=row["SubTotal"], TotalTax=row["TotalTax"], Total=row["Total"])
        shown.update(TotalDiscount=row["TotalDiscount"], Title=row["Title"], Summary=row["Summary"])
        if row.get("BrandingThemeID"):
            shown["BrandingThemeID"] = row["BrandingThemeID"]
        shown["UpdatedDateUTC"] = wire.ms_bare(row["UpdatedDateUTC"])
        shown["LineAmountTypes"] = row["LineAmountTypes"]
        return shown

    @staticmethod
    def _echo(row: Row) -> Element:
        shown: Element = {"QuoteID": row.get("QuoteID") or wire.ZERO_GUID, "Status": row["Status"]}
        shown["LineItems"] = [_line(line) for line in row["LineItems"]]
        shown.update(SubTotal=row["SubTotal"], TotalTax=row["TotalTax"], Total=row["Total"])
        return shown


def _line(line: Row) -> Element:
    names = ("AccountCode", "Description", "UnitAmount", "DiscountRate", "DiscountAmount", "LineAmount")
    shown: Element = {"LineItemID": line["LineItemID"]}
    for name in (*names, "ItemCode", "Quantity", "TaxType", "TaxAmount"):
        if line.get(name) is not None:
            shown[name] = line[name]
    shown["Tracking"] = line["Tracking"]
    return shown


_DATE_PARAMS: tuple[tuple[str, str, Callable[[date, date], bool]], ...] = (
    ("datefrom", "Date", lambda day, bound: day >= bound),
    ("dateto", "Date", lambda day, bound: day <= bound),
    ("expirydatefrom", "ExpiryDate", lambda day, bound: day >= bound),
    ("expirydateto", "ExpiryDate", lambda day, bound: day <= bound),
)


def _within(
    rows: Iterable[Row], field: str, bound: date | None, holds: Callable[[Any, Any], bool]
) -> Iterable[Row]:
    return [row for row in rows if row.get(field) and bound is not None and holds(row[field], bound)]
