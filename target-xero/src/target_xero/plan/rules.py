"""What Xero would refuse, as far as the document alone tells: checked before anything is sent.

Lengths and enumerations are those of the Xero OpenAPI 16.1.0 and the developer docs of each endpoint. The target alters no
text to make it fit (nor a Reference: see `target_xero.plan.marks`): a mapping may shorten, on purpose and visibly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from crm_to_xero.functions.text import length

from target_xero import limits
from target_xero.plan.canonical import DATE_FIELDS
from target_xero.plan.wire import parse_decimal
from target_xero.refusal import Refusal

LENGTHS: dict[str, dict[str, int]] = {
    "contacts": {
        "Name": limits.NAME_MAX, "ContactNumber": 50, "AccountNumber": 50, "FirstName": 255, "LastName": 255,
        "EmailAddress": 255, "TaxNumber": 50, "CompanyNumber": 50,
    },
    "Addresses": {
        "AddressLine1": 500, "AddressLine2": 500, "AddressLine3": 500, "AddressLine4": 500, "City": 255,
        "Region": 255, "PostalCode": 50, "Country": 50, "AttentionTo": 255,
    },
    "Phones": {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20},
    "ContactPersons": {"FirstName": 255, "LastName": 255, "EmailAddress": 255},
    "items": {"Code": 30, "Name": 50, "Description": 4000},
    "quotes": {"QuoteNumber": limits.NUMBER_MAX, "Title": 100, "Summary": 3000, "Terms": 4000},
    "invoices": {"InvoiceNumber": limits.NUMBER_MAX},
    "credit_notes": {"CreditNoteNumber": limits.NUMBER_MAX},
    "LineItems": {"Description": 4000, "ItemCode": 30},
}  # fmt: skip

ENUMS: dict[str, tuple[str, ...]] = {
    "AddressType": ("STREET", "POBOX"),
    "PhoneType": ("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
    "ContactStatus": ("ACTIVE",),
    "LineAmountTypes": ("Exclusive", "Inclusive", "NoTax"),
    "PaymentTerms": ("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"),
}
TYPES = {"invoices": ("ACCREC",), "credit_notes": ("ACCRECCREDIT",)}

REQUIRED = {
    "contacts": ("Name",),
    "items": ("Code",),
    "quotes": ("contact_key", "Date", "LineItems"),
    "invoices": ("contact_key", "LineItems"),
    "credit_notes": ("contact_key", "LineItems"),
    "payments": ("AccountCode", "Date", "Amount"),
}

# Letters XML 1.0 cannot carry, and halves of a surrogate pair: Xero's own format has no way to hold them.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNTRY = re.compile(r"[^\W\d_]+(?:[ .,'()&-]+[^\W\d_]*)*")
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_alone(stream: str, document: Mapping[str, Any], statuses: frozenset[str]) -> list[Refusal]:
    """Every rule the document breaks by itself.

    Args:
        stream: which kind of document.
        document: its canonical content.
        statuses: the statuses that the settings allow.
    """
    found = list(_required(stream, document))
    found += _texts(document, "")
    found += _lengths(stream, document)
    for section in ("Addresses", "Phones", "ContactPersons", "LineItems"):
        for n, element in enumerate(document.get(section) or ()):
            found += _lengths(section, element, f"{section}[{n}].")
    found += _types_and_dates(stream, document)
    found += _BY_STREAM[stream](document)
    if "Status" in document and document["Status"] not in statuses:
        cure = (
            f"Allowed here: {', '.join(sorted(statuses))}. More is switched on by the setting allow_statuses."
        )
        found.append(Refusal("status_not_allowed", "Status", document["Status"], cure))
    return found


def _required(stream: str, document: Mapping[str, Any]) -> Iterator[Refusal]:
    for name in REQUIRED[stream]:
        if not document.get(name) or (name == "Name" and not document[name].strip()):
            yield Refusal(
                "required", name, "", f"Give {name}: Xero takes no {stream[:-1].replace('_', ' ')} without."
            )
    if stream == "payments" and bool(document.get("invoice_key")) == bool(document.get("credit_note_key")):
        yield Refusal(
            "required", "invoice_key", "", "Name either the invoice or the credit note it pays, not both."
        )


def _texts(value: Any, path: str) -> Iterator[Refusal]:
    if isinstance(value, str):
        match = _UNSENDABLE.search(value)
        if match:
            yield Refusal(
                "control_character", path, value.encode("unicode_escape").decode("ascii"),
                f"Remove the character U+{ord(match[0]):04X}; Xero's format cannot hold it.",
            )  # fmt: skip
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{n}]")


def _lengths(section: str, element: Mapping[str, Any], prefix: str = "") -> Iterator[Refusal]:
    for name, longest in LENGTHS.get(section, {}).items():
        value = element.get(name, "")
        if length(value) > longest:
            yield Refusal(
                "too_long", prefix + name, value,
                f"It has {length(value)} characters; Xero takes {longest}. Shorten it in the source or the mapping.",
            )  # fmt: skip


def _types_and_dates(stream: str, document: Mapping[str, Any]) -> Iterator[Refusal]:
    if "Type" in document and document["Type"] not in TYPES.get(stream, ()):
        yield _not_one_of("Type", document["Type"], TYPES.get(stream, ()))
    for name in sorted(DATE_FIELDS & document.keys()):
        if not is_date(document[name]):
            yield Refusal("not_a_date", name, document[name], "Give a real day as YYYY-MM-DD.")
    for name in ("CurrencyCode", "DefaultCurrency"):
        if name in document and not _CURRENCY.fullmatch(document[name]):
            yield Refusal("currency_unknown", name, document[name], "Give the ISO code, e.g. GBP.")
    rate = document.get("CurrencyRate")
    if rate is not None and (parse_decimal(rate) or Decimal(0)) <= 0:
        yield Refusal(
            "not_positive",
            "CurrencyRate",
            rate,
            "Give a rate above zero, or none: Xero then takes the day's.",
        )


def is_date(text: str) -> bool:
    """Whether the text is a real day as YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _not_one_of(field: str, value: str, allowed: tuple[str, ...]) -> Refusal:
    return Refusal("not_allowed", field, value, f"Xero takes here: {', '.join(allowed) or 'nothing'}.")


def _enum(field: str, value: str | None, enum: str, *, fold: bool = False) -> Iterator[Refusal]:
    if value is None:
        return
    allowed = ENUMS[enum]
    if value not in allowed and not (fold and value.casefold() in {a.casefold() for a in allowed}):
        yield _not_one_of(field, value, allowed)


def _email(field: str, value: str | None) -> Iterator[Refusal]:
    if value is not None and not _EMAIL.fullmatch(value):
        cure = (
            "Xero takes plain ASCII letters only."
            if not value.isascii()
            else "Give an address like name@example.com."
        )
        yield Refusal("email_invalid", field, value, cure)


def _contact(document: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _email("EmailAddress", document.get("EmailAddress"))
    yield from _enum("ContactStatus", document.get("ContactStatus"), "ContactStatus")
    for n, address in enumerate(document.get("Addresses") or ()):
        yield from _enum(f"Addresses[{n}].AddressType", address.get("AddressType", "(none)"), "AddressType")
        country = address.get("Country")
        if country is not None and not _COUNTRY.fullmatch(country):
            cure = "Xero takes letters only; give the country's name."
            yield Refusal("country_invalid", f"Addresses[{n}].Country", country, cure)
    for n, phone in enumerate(document.get("Phones") or ()):
        yield from _enum(f"Phones[{n}].PhoneType", phone.get("PhoneType", "(none)"), "PhoneType")
    persons = document.get("ContactPersons") or ()
    if len(persons) > limits.PERSONS_MAX:
        yield Refusal(
            "too_many", "ContactPersons", str(len(persons)),
            f"Xero keeps at most {limits.PERSONS_MAX} persons with a contact. Let the mapping choose.",
        )  # fmt: skip
    for n, person in enumerate(persons):
        yield from _email(f"ContactPersons[{n}].EmailAddress", person.get("EmailAddress"))
    for side, terms in (document.get("PaymentTerms") or {}).items():
        yield from _enum(f"PaymentTerms.{side}.Type", terms.get("Type", "(none)"), "PaymentTerms")
        day = parse_decimal(terms.get("Day"))
        of_month = str(terms.get("Type", "")).startswith("OF")
        if day is None or day < 0 or day != day.to_integral_value() or (of_month and day > limits.MONTH_DAYS):
            cure = (
                f"Give a day of the month, up to {limits.MONTH_DAYS}."
                if of_month
                else "Give a whole number of days."
            )
            yield Refusal("not_a_day", f"PaymentTerms.{side}.Day", str(terms.get("Day")), cure)


def _item(document: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _decimals("SalesDetails.UnitPrice", (document.get("SalesDetails") or {}).get("UnitPrice"))


def _sales(document: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _enum("LineAmountTypes", document.get("LineAmountTypes"), "LineAmountTypes", fold=True)
    cure = "Another line has it: give each line a key of its own, or none."
    yield from _twice(document, "LineItems", "line_key", cure)
    for n, line in enumerate(document.get("LineItems") or ()):
        where = f"LineItems[{n}]."
        if not line.get("Description"):
            yield Refusal("required", where + "Description", "", "Say what the line is for.")
        yield from _quantity(where + "Quantity", line.get("Quantity"))
        yield from _decimals(where + "UnitAmount", line.get("UnitAmount"))
        for name in ("LineAmount", "TaxAmount"):
            yield from _decimals(where + name, line.get(name), limits.MONEY_DECIMALS)
        if document.get("Status") in _COMPLETE and not _coded(line):
            yield Refusal(
                "required", where + "AccountCode", "",
                "What is approved or sent for approval needs an account on each line: give AccountCode, or an item that has one.",
            )  # fmt: skip
        rate = parse_decimal(line.get("DiscountRate"))
        yield from _decimals(where + "DiscountRate", line.get("DiscountRate"))
        if rate is not None and not 0 <= rate <= 100:
            yield Refusal(
                "out_of_range", where + "DiscountRate", str(rate), "Give a percentage from 0 to 100."
            )
        tracking = line.get("Tracking") or ()
        if len(tracking) > limits.TRACKING_MAX:
            cure = f"Xero keeps at most {limits.TRACKING_MAX} tracking categories on a line."
            yield Refusal("too_many", where + "Tracking", str(len(tracking)), cure)
        for option in tracking:
            if not option.get("Name") or not option.get("Option"):
                yield Refusal("required", where + "Tracking", str(option), "Give both Name and Option.")


_COMPLETE = frozenset({"SUBMITTED", "AUTHORISED"})


def _coded(line: Mapping[str, Any]) -> bool:
    """Whether the line has an account, or an item that may give one, or no amount to book at all."""
    priced = "UnitAmount" in line or "LineAmount" in line
    named = any(line.get(name) for name in ("AccountCode", "item_key", "ItemCode", "system_account"))
    return named or not priced


def _quantity(field: str, value: Any) -> Iterator[Refusal]:
    yield from _decimals(field, value)
    if value is not None and len(str(value)) > limits.QUANTITY_MAX:
        cure = f"It has {len(str(value))} characters; Xero takes {limits.QUANTITY_MAX}. Give the line in another unit, or in parts."
        yield Refusal("too_long", field, str(value), cure)


def _invoice(document: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _sales(document)
    due, day = document.get("DueDate"), document.get("Date")
    if due and day and is_date(due) and is_date(day) and due < day:
        yield Refusal("due_before_date", "DueDate", due, f"It lies before the invoice's date, {day}.")
    if document.get("Status") == "AUTHORISED" and not due:
        yield Refusal("required", "DueDate", "", "An approved invoice needs the day it is due.")
    url = document.get("Url")
    if url is not None and not url.startswith(("https://", "http://")):
        yield Refusal("not_an_address", "Url", url, "Give a whole address, https://…")


def _twice(document: Mapping[str, Any], name: str, field: str, cure: str) -> Iterator[Refusal]:
    """One of a list would be taken for another one."""
    met: set[str] = set()
    for n, element in enumerate(document.get(name) or ()):
        value = element.get(field)
        if value in met:
            yield Refusal("twice", f"{name}[{n}].{field}", value, cure)
        elif value is not None:
            met.add(value)


def _credit_note(document: Mapping[str, Any]) -> Iterator[Refusal]:
    yield from _sales(document)
    for n, line in enumerate(document.get("LineItems") or ()):
        if "DiscountRate" in line:
            cure = "Xero has no discounts on credit notes; give the net price."
            yield Refusal("not_allowed", f"LineItems[{n}].DiscountRate", line["DiscountRate"], cure)
    cure = "The note is set against this invoice already: give one allocation an invoice, with the sum."
    yield from _twice(document, "allocations", "invoice_key", cure)
    for n, allocation in enumerate(document.get("allocations") or ()):
        where = f"allocations[{n}]."
        if not allocation.get("invoice_key"):
            yield Refusal("required", where + "invoice_key", "", "Say which invoice it is set against.")
        yield from _positive(where + "Amount", allocation.get("Amount"))
        if not is_date(allocation.get("Date", "")):
            yield Refusal(
                "not_a_date", where + "Date", allocation.get("Date", ""), "Give a real day as YYYY-MM-DD."
            )


def _payment(document: Mapping[str, Any]) -> Iterator[Refusal]:
    if "Amount" in document:
        yield from _positive("Amount", document["Amount"])


def _positive(field: str, value: Any) -> Iterator[Refusal]:
    if (parse_decimal(value) or Decimal(0)) <= 0:
        yield Refusal("not_positive", field, str(value), "Give an amount above zero.")
    yield from _decimals(field, value, limits.MONEY_DECIMALS)


def _decimals(field: str, value: Any, most: int = limits.UNIT_DECIMALS) -> Iterator[Refusal]:
    number = parse_decimal(value)
    if number is None:
        return
    places = -int(number.as_tuple().exponent)
    if places > most:
        yield Refusal(
            "too_many_decimals", field, str(value),
            f"Xero keeps {most} decimals and would round. Round it in the source, or send quantity 1 with the line's "
            "total and say the price in the text.",
        )  # fmt: skip
    if abs(number) > Decimal(limits.LINE_AMOUNT_MAX):
        yield Refusal("too_large", field, str(value), f"Xero takes amounts up to {limits.LINE_AMOUNT_MAX}.")


_BY_STREAM: dict[str, Callable[[Mapping[str, Any]], Iterator[Refusal]]] = {
    "contacts": _contact,
    "items": _item,
    "quotes": _sales,
    "invoices": _invoice,
    "credit_notes": _credit_note,
    "payments": _payment,
}
