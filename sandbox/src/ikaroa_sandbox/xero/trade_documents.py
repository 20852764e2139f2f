"""Invoices and credit notes: one way of creating, changing and withdrawing for both; each adds what is its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ikaroa_sandbox.xero import document_updates as updates
from ikaroa_sandbox.xero import errors, limits, money, reading, wire
from ikaroa_sandbox.xero.books import Books
from ikaroa_sandbox.xero.contacts import mark_traded
from ikaroa_sandbox.xero.documents import (
    Reading,
    locked_message,
    next_number,
    read_branding_theme,
    read_contact,
    read_currency,
    read_document_lines,
    read_locked_date,
    read_sums,
)
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.line_rules import LineRules
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb
from ikaroa_sandbox.xero.store import Row, Store

WITHDRAWN = ("DELETED", "VOIDED")


class TradeDocuments(Resource):
    """Documents with a type, a number, a contact, lines and a balance."""

    number_field: ClassVar[str]
    sales_type: ClassVar[str]
    purchase_type: ClassVar[str]
    series: ClassVar[str]
    """What numbers of the organisation's own series start with."""
    noun: ClassVar[str]
    """How messages name it: `Invoice`, `Credit Note`."""
    has_due_date: ClassVar[bool] = False
    takes_discounts: ClassVar[bool] = True

    def __init__(self, store: Store, contacts: Resource) -> None:
        super().__init__(store)
        self.contacts = contacts
        self.books = Books(store)
        self.table.index("number", lambda row: lookup_key(row[self.number_field]))
        self.table.index("contact", lambda row: row["ContactID"])

    # -- what each family adds -----------------------------------------------------------------------------------------

    @abstractmethod
    def with_balance(self, row: Row) -> Row:
        """The row with its amounts and the status they make of it."""

    @abstractmethod
    def settled(self, row: Row) -> tuple[bool, bool]:
        """Whether payments or credit notes stand on the document, and whether credit notes do."""

    @abstractmethod
    def echo(self, row: Row, ctx: Context) -> Element:
        """What the ERROR element repeats of a row that was not stored."""

    def read_own(self, read: Reading, *, complete: bool) -> None:
        """Further fields of this family."""

    # -- save ----------------------------------------------------------------------------------------------------------

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Creates or changes one document; see `Resource.save`."""
        known = ctx.target if ctx.target is not None else self._known(element, verb, ctx)
        row = self._create(element, ctx) if known is None else self._change(known, element, ctx)
        return self.present(row, "write", ctx)

    def _known(self, element: Element, verb: Verb, ctx: Context) -> Row | None:
        """The document an element of a collection means: by id, on POST also by number; None for a new one."""
        document_id = wire.guid(element.get(self.id_field))
        if document_id is not None and document_id != wire.ZERO_GUID:
            found = self.table.get(document_id)
            if verb == "PUT" and found is not None:
                raise errors.ElementInvalid(
                    f"{self.noun} {document_id} exists already; PUT creates only, POST updates",
                    {self.id_field: document_id},
                )
            if found is None:
                raise errors.ElementInvalid(self._unknown_id(document_id), {self.id_field: document_id})
            return found
        number = reading.read_text(element.get(self.number_field))
        if verb == "PUT" or not number or ctx.variants["xero.documents.post_by_number"] == "refused":
            return None
        same = [row for row in self._numbered(number) if row["Type"] == element.get("Type", row["Type"])]
        live = [row for row in same if row["Status"] not in WITHDRAWN]
        if ctx.variants["xero.documents.number_reuse"] == "free":
            same = live
        return next(reversed(live or same), None)

    def _unknown_id(self, document_id: str) -> str:
        for name in ("Invoices", "CreditNotes"):
            if name != self.name and self.store.table(name).get(document_id) is not None:
                return "The document with the supplied id was not found for this endpoint."
        return f"An existing {self.noun} with the specified {self.id_field} could not be found"

    def _numbered(self, number: str) -> list[Row]:
        return self.table.by("number", lookup_key(number))

    # -- create --------------------------------------------------------------------------------------------------------

    def _create(self, element: Element, ctx: Context) -> Row:
        status = (reading.read_text(element.get("Status")) or "DRAFT").upper()
        read = Reading(element, ctx, self.books, {"Type": element.get("Type"), "Status": status})
        if read.row["Type"] not in (self.sales_type, self.purchase_type):
            read.messages.append(
                f"The Type '{element.get('Type') or ''}' is not valid; it must be {self.sales_type} or {self.purchase_type}"
            )
            read.refuse_if_any(lambda: {"Status": status})
        complete = self._complete(status, ctx)
        mode = self._read_mode(read)
        read_document_lines(read, self._line_rules(read, mode, complete=complete))
        if status not in updates.CREATABLE:
            read.messages.append(f"{self.noun} not of valid status for creation")
        self._read_header(read, mode, complete=complete)
        self._read_number(read)
        row = self.with_balance({**read.row, "SentToContact": False, "CreatedByApp": ctx.app or None})
        self._read_sent(read, row)
        read.refuse_if_any(lambda: self.echo(row, ctx))
        mark_traded(self.store, row["ContactID"], row["Type"])
        return self.table.put(row)

    def _read_header(self, read: Reading, mode: str, *, complete: bool) -> None:
        contact = read_contact(read, self.contacts, create=read.known is None)
        if contact is None:
            read.row.setdefault("ContactID", None)
        read_locked_date(read)
        read_currency(read, contact)
        if read.row["Type"] == self.sales_type:
            read_branding_theme(read)
            read.text("Reference", limits.DOCUMENT_REFERENCE)
        read.row.setdefault("Reference", "")
        self.read_own(read, complete=complete)
        read_sums(read, mode, f"The {self.noun.lower()} total does not equal the sum of the lines.")
        if read.row["Total"] < 0 and read.ctx.variants["xero.documents.negative_total"] == "refused":
            read.messages.append(f"The {self.noun.lower()} total {read.row['Total']} is negative")

    def _read_number(self, read: Reading) -> None:
        number = (reading.read_text(read.element.get(self.number_field)) or "").strip()
        if read.known is not None and (not number or number == read.known[self.number_field]):
            return
        sales = read.row["Type"] == self.sales_type
        if not number:
            counters = self.store.counters  # a refused element gives its number back: see `Store.rollback`
            read.row[self.number_field] = next_number(counters, self.series, self._numbered) if sales else ""
            return
        read.row[self.number_field] = number
        if len(number) > limits.DOCUMENT_NUMBER:
            read.messages.append(
                f"{self.number_field} is {len(number)} characters long; it must not be longer than {limits.DOCUMENT_NUMBER}"
            )
        if sales and any(self._takes(row, read) for row in self._numbered(number)):
            read.messages.append(f"{self.noun} # must be unique.")

    def _takes(self, other: Row, read: Reading) -> bool:
        """Whether another document keeps its number from this one."""
        if other["Type"] != self.sales_type or other is read.known:
            return False
        return other["Status"] not in WITHDRAWN or read.ctx.variants["xero.documents.number_reuse"] == "taken"

    def _read_sent(self, read: Reading, row: Row) -> None:
        sent = reading.read_bool(read.element.get("SentToContact"))
        if sent is not None and row["Status"] in ("AUTHORISED", "PAID"):
            row["SentToContact"] = sent

    # -- change --------------------------------------------------------------------------------------------------------

    def _change(self, known: Row, element: Element, ctx: Context) -> Row:
        status = (reading.read_text(element.get("Status")) or known["Status"]).upper()
        settled, credited = self.settled(known)
        change = updates.Change(known, element, status, settled=settled, credited=credited)
        read = Reading(element, ctx, self.books, {**known, "Status": status}, known)
        read.messages += updates.status_messages(change, self.noun)
        if not read.messages and status in WITHDRAWN:
            locked = locked_message(known["Date"], self.store.organisation, ctx)
            read.messages += [locked] if locked else []
        read.refuse_if_any(lambda: self.echo(read.row, ctx))
        if status in WITHDRAWN:
            return self.table.put(self.with_balance(read.row))
        complete = self._complete(status, ctx)
        mode = self._read_mode(read)
        read_document_lines(read, self._line_rules(read, mode, complete=complete))
        self._read_header(read, mode, complete=complete)
        self._read_number(read)
        if settled:
            read.messages.extend(
                updates.settled_messages(change, read.row, sales=known["Type"] == self.sales_type)
            )
        row = self.with_balance(read.row)
        self._read_sent(read, row)
        read.refuse_if_any(lambda: self.echo(row, ctx))
        mark_traded(self.store, row["ContactID"], row["Type"])
        return self.table.put(row)

    # -- parts ---------------------------------------------------------------------------------------------------------

    @staticmethod
    def _complete(status: str, ctx: Context) -> bool:
        """Whether a document of this status must have everything an approved one needs."""
        if status == "SUBMITTED":
            return ctx.variants["xero.documents.submitted_is_complete"] == "required"
        return status in ("AUTHORISED", "PAID")

    @staticmethod
    def _read_mode(read: Reading) -> str:
        sent = reading.read_text(read.element.get("LineAmountTypes"))
        kept = read.known["LineAmountTypes"] if read.known else money.EXCLUSIVE
        mode = kept
        if sent:
            mode = next((known for known in money.LINE_AMOUNT_TYPES if known.lower() == sent.lower()), "")
            if not mode:
                read.messages.append(
                    f"The LineAmountTypes '{sent}' is not valid; it must be Exclusive, Inclusive or NoTax"
                )
                mode = kept
        read.row["LineAmountTypes"] = mode
        return mode

    def _line_rules(self, read: Reading, mode: str, *, complete: bool) -> LineRules:
        sales = read.row["Type"] == self.sales_type
        variants = read.ctx.variants
        return LineRules(
            books=self.books,
            new_id=self.store.guid,
            line_amount_types=mode,
            sales=sales,
            complete=complete,
            discounts=sales and self.takes_discounts,
            unit_places=read.ctx.unitdp,
            tax_mode_changed=read.known is not None and mode != read.known["LineAmountTypes"],
            description_required=variants["xero.lines.description"] == "required",
            unknown_tracking=variants["xero.lines.unknown_tracking"],
            unknown_line_id=variants["xero.lines.unknown_line_id"],
        )

    def short_contact(self, row: Row) -> Element:
        """The contact as lists show it: id, name, and empty collections."""
        contact = self.contacts.table.get(row["ContactID"]) or {"ContactID": row["ContactID"], "Name": ""}
        return short_contact(contact)


def short_contact(contact: Mapping[str, Any]) -> Element:
    """A contact inside a list of documents."""
    return {
        "ContactID": contact["ContactID"],
        "Name": contact.get("Name", ""),
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def dates(row: Row, *names: str) -> Iterator[tuple[str, str]]:
    """`DateString` and `Date` (and so on) for each date the row has."""
    for name in names:
        day = row.get(name)
        if day is not None:
            yield f"{name}String", wire.day_string(day)
            yield name, wire.ms(day)


def present_payment(payment: Row) -> Element:
    """A payment inside the document it pays (recorded)."""
    return {
        "PaymentID": payment["PaymentID"],
        "Date": wire.ms(payment["Date"]),
        "Amount": payment["Amount"],
        "Reference": payment["Reference"],
        "CurrencyRate": payment["CurrencyRate"],
        "HasAccount": False,
        "HasValidationErrors": False,
    }
