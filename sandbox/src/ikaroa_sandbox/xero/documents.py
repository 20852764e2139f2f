"""What invoices, credit notes and quotes share in reading: contact, dates, currency, theme, lines, sums, lock dates.

A document is read into a new row while refusals gather in `Reading.messages`; only when there are none is it stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ikaroa_sandbox.xero import errors, lines, money, reading, wire
from ikaroa_sandbox.xero.books import ONE, Books
from ikaroa_sandbox.xero.folding import fold, lookup_key
from ikaroa_sandbox.xero.line_rules import LineRules
from ikaroa_sandbox.xero.resource import Context, Element, Resource
from ikaroa_sandbox.xero.store import Row

NO_CONTACT = "A Contact must be specified for this type of transaction"
NO_LINES = "One or more line items must be specified"
ARCHIVED_CONTACT = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
_CONTACT_FIELDS = (
    "Name",
    "FirstName",
    "LastName",
    "EmailAddress",
    "AccountNumber",
    "CompanyNumber",
    "TaxNumber",
    "Addresses",
    "Phones",
    "ContactPersons",
    "BankAccountDetails",
    "DefaultCurrency",
)
"""Contact fields that, beside a ContactID in a document, update the contact itself."""


@dataclass
class Reading:
    """One element on its way to a row: `row` is what it would be, `messages` why it will not."""

    element: Element
    ctx: Context
    books: Books
    row: Row
    known: Row | None = None
    messages: list[str] = field(default_factory=list)

    def sent(self, name: str) -> bool:
        """Whether the element says anything about this field (null counts as not said)."""
        return self.element.get(name) is not None

    def text(self, name: str, longest: int | None = None) -> None:
        """Takes over a text field; one that is too long is refused."""
        value = reading.read_text(self.element.get(name))
        if value is None:
            return
        if longest is not None and len(value) > longest:
            self.messages.append(
                f"{name} is {len(value)} characters long; it must not be longer than {longest}"
            )
            return
        self.row[name] = value

    def day(self, name: str) -> None:
        """Takes over a date field."""
        value = reading.read_day(self.element.get(name))
        if value is not None:
            self.row[name] = value

    def refuse_if_any(self, echo: Callable[[], Mapping[str, Any]]) -> None:
        """Raises ElementInvalid, with the element's echo, when something was found wrong."""
        if self.messages:
            raise errors.ElementInvalid(self.messages, echo())


# -- contact -----------------------------------------------------------------------------------------------------------


def read_contact(read: Reading, contacts: Resource, *, create: bool) -> Row | None:
    """The contact a document names, made or changed on the way as Xero does; the row gets its ContactID.

    Raises:
        NotFound: the ContactID is unknown; Xero ends the whole request with it.
    """
    sent = read.element.get("Contact")
    if not isinstance(sent, Mapping) or not any(
        sent.get(key) for key in ("ContactID", "ContactNumber", "Name")
    ):
        if create:
            read.messages.append(NO_CONTACT)
            return None
        return contacts.table.get(read.row["ContactID"])
    contact = _named_contact(sent, read, contacts)
    if contact is None:
        return None
    if contact.get("ContactStatus", "ACTIVE") != "ACTIVE" and contact["ContactID"] != read.row.get(
        "ContactID"
    ):
        read.messages.append(ARCHIVED_CONTACT)
        return None
    read.row["ContactID"] = contact["ContactID"]
    return contact


def _named_contact(sent: Mapping[str, Any], read: Reading, contacts: Resource) -> Row | None:
    contact_id = wire.guid(sent.get("ContactID"))
    if contact_id is not None and contact_id != wire.ZERO_GUID:
        contact = contacts.table.get(contact_id)
        if contact is None:
            raise errors.NotFound(f"no Contact {contact_id!r}")
        return _with_fields(sent, contact, read, contacts)
    number, name = reading.read_text(sent.get("ContactNumber")), reading.read_text(sent.get("Name"))
    found = contacts.table.by("number", lookup_key(number))
    if not found and name:
        found = contacts.table.by("name", fold(name))
    if found:
        return found[0]
    try:
        saved = contacts.save(
            {key: value for key, value in sent.items() if key != "ContactID"}, "PUT", read.ctx
        )
    except errors.ElementInvalid as refusal:
        read.messages.extend(refusal.messages)
        return None
    return contacts.table.get(saved["ContactID"])


def _with_fields(sent: Mapping[str, Any], contact: Row, read: Reading, contacts: Resource) -> Row:
    """Contact fields beside a ContactID update the contact, and people who are not among them are gone."""
    fields = {name: sent[name] for name in _CONTACT_FIELDS if sent.get(name) is not None}
    changed = {name: value for name, value in fields.items() if value != contact.get(name)}
    if not changed or contact.get("ContactStatus", "ACTIVE") != "ACTIVE":
        return contact
    if read.ctx.variants["xero.documents.contact_fields"] == "ignored":
        return contact
    update = {"ContactID": contact["ContactID"], "ContactPersons": [], **fields}
    target, read.ctx.target = read.ctx.target, None
    try:
        contacts.save(update, "POST", read.ctx)
    except errors.ElementInvalid as refusal:
        read.messages.extend(refusal.messages)
    finally:
        read.ctx.target = target
    return contacts.table.get(contact["ContactID"]) or contact


# -- dates, currency, theme --------------------------------------------------------------------------------------------


def lock_message(day: date, organisation: Row, ctx: Context) -> str | None:
    """Why a document may not carry this date: on or before one of the organisation's lock dates."""
    name, lock = _lock_over(day, organisation, ctx)
    return (
        f"The document date cannot be before the {name}, currently set at {lock:%d-%b-%Y}" if lock else None
    )


def locked_message(day: date, organisation: Row, ctx: Context) -> str | None:
    """Why a document that has this date may not be touched any more."""
    name, lock = _lock_over(day, organisation, ctx)
    return f"The document cannot be edited as it is currently dated before the {name}" if lock else None


def _lock_over(day: date, organisation: Row, ctx: Context) -> tuple[str, date | None]:
    """The lock date that covers a day, and what Xero calls it; None where none does."""
    locks: list[tuple[str, date | None]] = [("end of year lock date", organisation.get("EndOfYearLockDate"))]
    if ctx.variants["xero.locks.period"] == "enforced":
        locks.append(("period lock date", organisation.get("PeriodLockDate")))
    return next(((name, lock) for name, lock in locks if lock is not None and day <= lock), ("", None))


def read_locked_date(read: Reading) -> None:
    """The document's own date (today when a new one has none), not in a locked period, neither before nor after."""
    organisation = read.ctx.store.organisation
    read.day("Date")
    if read.known is None:
        read.row.setdefault("Date", read.ctx.today)
        message = lock_message(read.row["Date"], organisation, read.ctx)
    else:
        message = locked_message(read.known["Date"], organisation, read.ctx)
        if message is None and read.row["Date"] != read.known["Date"]:
            message = lock_message(read.row["Date"], organisation, read.ctx)
    if message is not None:
        read.messages.append(message)


def read_currency(read: Reading, contact: Row | None) -> None:
    """CurrencyCode (the contact's, else the organisation's) and CurrencyRate (the day rate where none is given)."""
    code = reading.read_text(read.element.get("CurrencyCode"))
    rate = reading.read_decimal(read.element.get("CurrencyRate"))
    if code:
        code = code.strip().upper()
    elif read.known is not None:
        code = read.known["CurrencyCode"]
    else:
        code = (contact or {}).get("DefaultCurrency") or read.books.base_currency
    if not read.books.has_currency(str(code)):
        read.messages.append(f"Organisation is not subscribed to currency {code}")
        return
    if code == read.books.base_currency:
        rate = ONE
    elif not rate or rate < 0:
        same = read.known is not None and read.known["CurrencyCode"] == code
        rate = read.known["CurrencyRate"] if same and read.known else read.books.day_rate(str(code))
    read.row["CurrencyCode"], read.row["CurrencyRate"] = code, rate.quantize(ONE)


def read_branding_theme(read: Reading) -> None:
    """BrandingThemeID: one that exists; a new sales document gets the first theme by itself."""
    if read.sent("BrandingThemeID"):
        theme_id = wire.guid(read.element["BrandingThemeID"])
        if theme_id is None or read.books.branding_theme(theme_id) is None:
            value = read.element["BrandingThemeID"]
            read.messages.append(
                f"The BrandingThemeID {value} does not match a branding theme of this organisation"
            )
        else:
            read.row["BrandingThemeID"] = theme_id
    elif read.known is None:
        read.row["BrandingThemeID"] = read.books.default_branding_theme()


# -- lines and sums ----------------------------------------------------------------------------------------------------


def read_document_lines(read: Reading, rules: LineRules) -> None:
    """The document's lines after this write; a document without any is refused."""
    names_lines = read.sent("LineItems")
    sent = reading.read_objects(read.element.get("LineItems"), "LineItems")
    kept = read.known["LineItems"] if read.known else []
    if sent:
        read.row["LineItems"] = lines.read_lines(sent, rules, kept)
    elif read.known and kept and (rules.tax_mode_changed or read.row["Status"] != read.known["Status"]):
        read.row["LineItems"] = lines.check_again(kept, rules)
    else:
        read.row["LineItems"] = kept
    if (names_lines and not sent) or not read.row["LineItems"]:
        read.messages.append(NO_LINES)
    read.messages.extend(rules.messages)
    read.ctx.warnings.extend(rules.warnings)


def read_sums(read: Reading, mode: str, wrong_total: str) -> None:
    """SubTotal, TotalTax, Total and TotalDiscount from the lines; sums that were sent must agree with them."""
    sums = lines.document_totals(read.row["LineItems"], mode)
    read.row.update(SubTotal=sums.sub_total, TotalTax=sums.total_tax, Total=sums.total)
    read.row["TotalDiscount"] = lines.total_discount(read.row["LineItems"])
    for name, text in (
        ("SubTotal", "The document sub total does not equal the sub total of the lines."),
        ("TotalTax", "The document total tax does not equal the total tax of the lines."),
        ("Total", wrong_total),
    ):
        claimed = reading.read_decimal(read.element.get(name))
        if claimed is not None and money.rounded(claimed) != read.row[name]:
            read.messages.append(text)


def next_number(counters: dict[str, int], series: str, taken: Callable[[str], object]) -> str:
    """The next number of a series (`INV-0042`) that nobody has; counts the series up."""
    while True:
        counters[series] = counters.get(series, 0) + 1
        number = f"{series}{counters[series]:04d}"
        if not taken(number):
            return number
