"""What Xero has now, of the kinds asked for: whole lists, 1,000 a call, by the readers that runs use too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from target_xero import limits
from target_xero.access import Access
from target_xero.denial import denied
from target_xero.errors import XeroUnreachableError
from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute.listings import Listing, seen
from target_xero.execute.outcome import elements_of, limited
from target_xero.ledger.directory import Seen
from target_xero.plan.kinds import KINDS
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import minor, parse_date, text_of

LISTED = ("items", "contacts", "quotes", "invoices", "credit_notes", "payments")
_READ_BY_ID = frozenset({"contacts", "invoices"})


@dataclass
class Books:
    """Xero's rows by kind and id. Allocations have none of their own: they come with the credit notes."""

    rows: dict[str, dict[str, Seen]] = field(default_factory=dict)
    calls: int = 0

    def of(self, kind: str) -> dict[str, Seen]:
        """The rows of a kind."""
        return self.rows.get(kind, {})


def ask(access: Access, call: Call) -> Answer:
    """Reads once more while Xero stumbles.

    Raises:
        TargetXeroError: no access, no calls left, or no sensible answer.
    """
    answer = Answer(call)
    for attempt in range(limits.LISTING_FAILURES_MAX):
        if attempt:
            access.pause(limits.TOKEN_PAUSE_S * 2 ** (attempt - 1))
        if not access.client.pacer.take(1):
            break
        answer = access.client.send(call)
        if access.client.failed:
            raise access.client.failed
        if answer.status in (200, 404):
            return answer
        if answer.status in (401, 403):
            raise XeroUnreachableError(denied(answer))
        if answer.status == 429:
            raise XeroUnreachableError(limited(answer))
    said = f"HTTP {answer.status}" if answer.status else answer.failure_detail or "no call is left today"
    raise XeroUnreachableError(
        f"Xero's {call.path} cannot be read ({said}). Nothing was changed: run it again later"
    )


def read_books(access: Access, wanted: Mapping[str, Iterable[str]]) -> Books:
    """Everything Xero lists of these kinds, and the linked ids beside (`wanted`: ids by kind).

    An id that neither the list nor a look at the document itself shows is not in Xero any more.

    Raises:
        TargetXeroError: something could not be read. A list that fails is never taken for an empty one.
    """
    books = Books()
    before = sum(access.client.calls.values())
    kinds = set(wanted)
    if "allocations" in kinds:
        kinds.add("credit_notes")
    for kind in LISTED:
        if kind in kinds:
            books.rows[kind] = _listed(access, kind, books)
    for kind in sorted(kinds & _READ_BY_ID):
        _read(access, kind, set(wanted.get(kind, ())) - set(books.rows[kind]), books)
    if "contacts" in kinds:
        _read_merged(access, set(wanted.get("contacts", ())), books)
    books.calls = sum(access.client.calls.values()) - before
    return books


def _listed(access: Access, kind: str, books: Books) -> dict[str, Seen]:
    listing = Listing(kind, asked_ms=0, since=None)
    rows: dict[str, Seen] = {}
    while not listing.ended:
        call = listing.call()
        answer = ask(access, call)
        page = listing.take(answer)
        if page is None:
            raise XeroUnreachableError(f"Xero's list {call.path} could not be understood. Run it again")
        rows |= {row.remote_id: row for row in page}
        if kind == "credit_notes":
            books.rows.setdefault("allocations", {}).update(_allocations(answer))
    return rows


def _read_merged(access: Access, linked: set[str], books: Books) -> None:
    """Where contacts that are in use no more went: the short list does not tell, a look at the contact itself does."""
    rows, at, told = books.rows["contacts"], linked, set[str]()
    for _ in range(limits.MERGES_FOLLOWED_MAX):
        at = {id_ for id_ in at - told if id_ in rows and rows[id_].facts["status"] in DEAD}
        _read(access, "contacts", at, books)
        told |= at
        at = {str(rows[id_].facts.get("merged_into") or "") for id_ in at}


def _read(access: Access, kind: str, ids: set[str], books: Books) -> None:
    wanted = sorted(ids)
    for start in range(0, len(wanted), limits.IDS_PER_CALL_MAX):
        some = ",".join(wanted[start : start + limits.IDS_PER_CALL_MAX])
        params = {"IDs": some, "page": "1", "pageSize": str(limits.PAGE_SIZE_PLAIN)}
        if kind == "contacts":
            params["includeArchived"] = "true"
        answer = ask(access, Call(Purpose.LOOK_UP, "GET", KINDS[kind].endpoint, params=params))
        elements = elements_of(answer, KINDS[kind].container)
        if elements is None:
            raise XeroUnreachableError(
                f"Xero's answer on {KINDS[kind].endpoint} could not be understood. Run it again"
            )
        found = (seen(kind, element) for element in elements)
        books.rows[kind] |= {row.remote_id: row for row in found if row}


def _allocations(answer: Answer) -> dict[str, Seen]:
    """A credit note's allocations, by their own id and by `credit note/invoice`, which is how a link may know one."""
    found: dict[str, Seen] = {}
    for note in elements_of(answer, "CreditNotes") or ():
        for entry in note.get("Allocations") or ():
            invoice = text_of(entry, "Invoice", "InvoiceID")
            row = Seen(text_of(entry, "AllocationID"), facts=_facts(note, entry, invoice))
            found[f"{text_of(note, 'CreditNoteID')}/{invoice}"] = row
            if row.remote_id:
                found[row.remote_id] = row
    return found


def _facts(note: dict[str, Any], entry: dict[str, Any], invoice: str) -> dict[str, Any]:
    day = parse_date(entry.get("Date"))
    return {
        "number": text_of(note, "CreditNoteNumber"),
        "status": "",
        "date": day.isoformat() if day else "",
        "currency": text_of(note, "CurrencyCode"),
        "total": minor(entry.get("Amount")),
        "paid": invoice,
    }
