"""A document of Xero's in plain words: its fields, its lines, and what an update changes, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from target_xero.execute.compare import Difference, compared
from target_xero.plan.wire import minor, parse_date, plain, text_of
from target_xero.preview.document import Change, Line

_SLOTS = {"Addresses": "AddressType", "Phones": "PhoneType"}
_PLACE = re.compile(r"(Addresses|Phones)\[(\d+)\]")
_ELSEWHERE = frozenset(
    {"LineItems", "Contact", "Type", "Status", "ContactStatus", "Date", "DueDate", "SubTotal", "TotalTax", "Total",
     "AmountDue", "AmountPaid", "CurrencyCode", "Amount", "Invoice", "CreditNote"}
)  # fmt: skip
"""Shown apart, or not what people look at."""


def shown(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, str) and value.startswith("/Date("):
        day = parse_date(value)
        return day.isoformat() if day else value
    return str(value)


def day_of(element: Mapping[str, Any], field: str) -> str:
    """A date field as YYYY-MM-DD."""
    found = parse_date(element.get(field)) or parse_date(element.get(f"{field}String"))
    return found.isoformat() if found else ""


def flat(element: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every plain field, nested ones by their path; empty ones left out."""
    for name, value in element.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from flat(value, where)
        elif isinstance(value, list):
            for n, entry in enumerate(value):
                slot = entry.get(_SLOTS.get(name, "")) if isinstance(entry, Mapping) else None
                inner = f"{where}[{slot or n}]"
                if isinstance(entry, Mapping):
                    rest = {key: v for key, v in entry.items() if key != _SLOTS.get(name)}
                    yield from flat(rest, inner)
                else:
                    yield inner, shown(entry)
        elif value not in (None, ""):
            yield where, shown(value)


def fields_of(kind: str, element: Mapping[str, Any], id_field: str) -> tuple[tuple[str, str], ...]:
    """What is to be seen of a new document beside its lines and amounts."""
    hidden = _ELSEWHERE if kind not in ("contacts", "items") else frozenset({"ContactStatus"})
    return tuple(
        (name, value)
        for name, value in flat(element)
        if name not in (id_field, "BrandingThemeID")
        and name.partition(".")[0].partition("[")[0] not in hidden
    )


def lines_of(element: Mapping[str, Any]) -> tuple[Line, ...]:
    """The lines of a sales document."""
    return tuple(_line(line) for line in element.get("LineItems") or () if isinstance(line, Mapping))


def _line(line: Mapping[str, Any]) -> Line:
    tracking = "; ".join(
        f"{text_of(dict(option), 'Name')}: {text_of(dict(option), 'Option')}"
        for option in line.get("Tracking") or ()
    )
    return Line(
        description=shown(line.get("Description")),
        quantity=shown(line.get("Quantity")),
        unit_amount=shown(line.get("UnitAmount")),
        discount=shown(line.get("DiscountRate")),
        account=shown(line.get("AccountCode")),
        tax_type=shown(line.get("TaxType")),
        item=shown(line.get("ItemCode")),
        tracking=tracking,
        amount_minor=minor(line.get("LineAmount")),
        tax_minor=minor(line.get("TaxAmount")),
    )


def changes_of(before: Mapping[str, Any], sent: Mapping[str, Any]) -> tuple[Change, ...]:
    """What an update changes; lines by their place, and lines that come or go as a whole."""
    lines, theirs = sent.get("LineItems"), before.get("LineItems")
    head = {name: value for name, value in sent.items() if name != "LineItems"}
    found = [_change(replace(told, field=_in_slot(told.field, sent))) for told in compared(head, before)]
    if isinstance(lines, list):
        old = theirs if isinstance(theirs, list) else []
        for n in range(max(len(lines), len(old))):
            where = f"Line {n + 1}"
            if n >= len(old):
                found.append(Change(where, "", _one_line(lines[n])))
            elif n >= len(lines):
                found.append(Change(where, _one_line(old[n]), ""))
            else:
                found += [_change(told, where) for told in compared(_plain_line(lines[n]), old[n])]
    return tuple(found)


def _in_slot(field: str, sent: Mapping[str, Any]) -> str:
    """`Phones[0].PhoneNumber` by what kind of telephone it is, as in the fields of a new document."""
    place = _PLACE.match(field)
    if place is None:
        return field
    entry = sent[place[1]][int(place[2])]
    return f"{place[1]}[{entry.get(_SLOTS[place[1]]) or place[2]}]{field[place.end() :]}"


def _plain_line(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in ("LineItemID", "TaxAmount")}


def _one_line(line: Mapping[str, Any]) -> str:
    found = _line(line)
    price = f"{found.quantity or '1'} x {found.unit_amount}" if found.unit_amount else ""
    return ", ".join(part for part in (found.description, price, found.account) if part)


def _change(found: Difference, where: str = "") -> Change:
    return Change(f"{where} {found.field}".strip(), shown(found.theirs), shown(found.ours))
