"""Xero's lists: how each is asked for, and by what its elements are known again."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from target_xero import limits
from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute.outcome import elements_of
from target_xero.ledger.directory import Seen
from target_xero.plan.kinds import KINDS
from target_xero.plan.marks import marker_in
from target_xero.plan.wire import minor, parse_date, parse_instant, text_of, xero_timestamp

_PARAMS: dict[str, dict[str, str]] = {
    "items": {},
    "contacts": {"summaryOnly": "true", "includeArchived": "true"},
    "quotes": {},
    "invoices": {"summaryOnly": "true"},
    "credit_notes": {},
    "payments": {},
}
_UNPAGED = frozenset({"items"})
_NO_PAGE_SIZE = frozenset({"quotes"})


@dataclass
class Listing:
    """One reading of a list, page after page, to its end.

        |<-- overlap -->|<--------- changed since --------->|
        since           last reading asked                  this reading asked

    The lists are ordered by their time of change, so a row that changes while we read moves to the end, and what follows it
    moves up by one: page numbers would skip a row. The next page is therefore asked for by the last row's time, a second
    back; only when a whole page falls into one moment does the page number move.
    """

    kind: str
    asked_ms: int
    since: datetime | None
    page: int = 1
    ended: bool = False
    in_flight: bool = False

    def __post_init__(self) -> None:
        self.first = self.since is None

    def call(self) -> Call:
        """The request for the next page."""
        params = dict(_PARAMS[self.kind])
        if self.kind not in _UNPAGED:
            params["page"] = str(self.page)
            if self.kind not in _NO_PAGE_SIZE:
                params["pageSize"] = str(limits.PAGE_SIZE)
        headers = {"If-Modified-Since": xero_timestamp(self.since)} if self.since else {}
        return Call(Purpose.LOOK_UP, "GET", KINDS[self.kind].endpoint, params=params, headers=headers)

    def take(self, answer: Answer) -> list[Seen] | None:
        """The page's rows, and the place of the next page; None when the answer is no list (a failure, never "nothing")."""
        if answer.status == 304:
            self.ended = True
            return []
        elements = elements_of(answer, KINDS[self.kind].container) if answer.status == 200 else None
        if elements is None:
            return None
        pagination = answer.body.get("pagination")
        if self.kind in _UNPAGED or not elements:
            self.ended = True
        elif isinstance(pagination, dict):
            self.ended = int(pagination.get("pageCount") or 0) <= self.page
        else:
            self.ended = len(elements) < limits.PAGE_SIZE_PLAIN
        self._turn(elements)
        return [row for element in elements if (row := seen(self.kind, element))]

    def _turn(self, elements: list[dict[str, Any]]) -> None:
        times = [parse_instant(element.get("UpdatedDateUTC")) for element in elements]
        known = [time for time in times if time]
        ordered = len(known) == len(times) and known == sorted(known)
        target = known[-1].replace(microsecond=0) - timedelta(seconds=1) if known and ordered else None
        if target and target > (self.since or datetime.min.replace(tzinfo=timezone.utc)):
            self.since, self.page = target, 1
        else:
            self.page += 1


def fold(name: str) -> str:
    """A contact's name as Xero compares it: no case, no accents."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def seen(kind: str, element: Mapping[str, Any]) -> Seen | None:
    """A list's element as the ledger's directory keeps it; None when it has no id."""
    source = dict(element)
    remote_id = text_of(source, KINDS[kind].id_field)
    return Seen(remote_id, *_READERS[kind](source)) if remote_id else None


def _contact(element: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    facts = {
        "name": text_of(element, "Name"),
        "number": text_of(element, "ContactNumber"),
        "status": text_of(element, "ContactStatus"),
    }
    if merged := text_of(element, "MergedToContactID"):
        facts["merged_into"] = merged
    return facts["number"], fold(facts["name"]), facts


def _item(element: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    code = text_of(element, "Code")
    return code.casefold(), "", {"number": code, "status": ""}


def _sales(number: str) -> Any:
    def read(element: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        day = parse_date(element.get("Date") or element.get("DateString"))
        contact = text_of(element, "Contact", "ContactID")
        facts = {
            "number": text_of(element, number),
            "status": text_of(element, "Status"),
            "contact": contact,
            "date": day.isoformat() if day else "",
            "currency": text_of(element, "CurrencyCode"),
            "subtotal": minor(element.get("SubTotal")),
            "total": minor(element.get("Total")),
        }
        if number == "InvoiceNumber":
            facts |= {"paid": minor(element.get("AmountPaid")), "due": minor(element.get("AmountDue"))}
        return marker_in(text_of(element, "Reference")), contact, facts

    return read


def _payment(element: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    day = parse_date(element.get("Date"))
    paid = text_of(element, "Invoice", "InvoiceID") or text_of(element, "CreditNote", "CreditNoteID")
    reference = text_of(element, "Reference")
    facts = {
        "number": reference,
        "status": text_of(element, "Status"),
        "date": day.isoformat() if day else "",
        "total": minor(element.get("Amount")),
        "paid": paid,
        "currency": text_of(element, "Invoice", "CurrencyCode")
        or text_of(element, "CreditNote", "CurrencyCode"),
    }
    return marker_in(reference), paid, facts


_READERS: dict[str, Any] = {
    "contacts": _contact,
    "items": _item,
    "quotes": _sales("QuoteNumber"),
    "invoices": _sales("InvoiceNumber"),
    "credit_notes": _sales("CreditNoteNumber"),
    "payments": _payment,
}
