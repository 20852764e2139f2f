"""The reads: reference data, Xero's lists, single documents, and who has a number or name that is taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from target_xero import limits
from target_xero.crash import fault_point
from target_xero.denial import denied
from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute.bodies import contact_number
from target_xero.execute.context import RunContext
from target_xero.execute.decisions import settle_taken
from target_xero.execute.listings import Listing, seen
from target_xero.execute.outcome import elements_of, limited
from target_xero.ledger import Intent
from target_xero.ledger.directory import Seen
from target_xero.plan.kinds import KINDS
from target_xero.plan.organisation import RESOURCES
from target_xero.plan.wire import text_of


def usable(context: RunContext, answer: Answer) -> bool:
    """Whether a read may be believed. No access and no calls left end the run; all else counts as a failure."""
    fault_point("C10")
    if answer.status in (401, 403):
        context.stopped = context.stopped or denied(answer)
    elif answer.status == 429:
        context.stopped = context.stopped or limited(answer)
    return answer.status in (200, 304)


class ReferenceFlight:
    """Accounts, tax rates, currencies, tracking categories, branding themes: once a run, when a document needs them."""

    def __init__(self, context: RunContext, resource: str) -> None:
        self.call = Call(Purpose.CONNECT, "GET", RESOURCES[resource])
        self._context = context
        self._resource = resource
        context.loading.add(resource)

    def settle(self, answer: Answer) -> None:
        """Takes the data in; what cannot be read after several tries ends the run, for nothing could be checked."""
        context = self._context
        context.loading.discard(self._resource)
        if usable(context, answer) and context.organisation.load(self._resource, answer.body):
            return
        failures = context.reference_failures[self._resource] = context.reference_failures[self._resource] + 1
        if failures >= limits.LISTING_FAILURES_MAX:
            context.stopped = context.stopped or (
                f"Xero's {self.call.path} could not be read ({answer.status or answer.failure_detail}), so documents "
                "cannot be checked. They stay in the ledger and go with the next run."
            )


class ListingFlight:
    """One page of one of Xero's lists."""

    def __init__(self, context: RunContext, kind: str) -> None:
        sight = context.sight(kind)
        if sight.listing is None:
            last_ms = context.ledger.listing_asked_ms(kind)
            since = None
            if last_ms is not None:
                since = datetime.fromtimestamp(last_ms / 1_000, timezone.utc)
                since -= timedelta(seconds=limits.LISTING_OVERLAP_S)
            sight.listing = Listing(kind, context.now_ms(), since)
        self._listing = sight.listing
        self._listing.in_flight = True
        self._context = context
        self._kind = kind
        self.call = self._listing.call()

    def settle(self, answer: Answer) -> None:
        """Takes the page in; after the last one, the kind's directory is as Xero was when the list was asked for."""
        context, sight = self._context, self._context.sight(self._kind)
        self._listing.in_flight = False
        rows = self._listing.take(answer) if usable(context, answer) else None
        if rows is None:
            sight.failures += 1
            return
        with context.ledger.atomic():
            context.ledger.note_seen(self._kind, rows)
            context.ledger.note_status(
                self._kind, {row.remote_id: row.facts["status"] for row in rows if row.facts["status"]}
            )
            if self._listing.ended:
                context.ledger.listing_read(self._kind, self._listing.asked_ms)
        if self._listing.ended:
            sight.asked_ms = self._listing.asked_ms
            sight.listing = None
            sight.failures = 0


_READ_MANY = frozenset({"contacts", "invoices"})
"""Lists that take `IDs`; the others are read one by one."""
_READ_WHOLE = frozenset({"items"})
"""The list without pages: several of these cost the one call that brings them all."""


class ReadFlight:
    """What Xero has now of documents that are linked: read before they are written again."""

    def __init__(self, context: RunContext, kind: str, remote_ids: Sequence[str]) -> None:
        whole = kind in _READ_WHOLE and len(remote_ids) > 1
        most = len(remote_ids) if whole else limits.IDS_PER_CALL_MAX if kind in _READ_MANY else 1
        self.remote_ids = list(remote_ids)[:most]
        self._context = context
        self._kind = kind
        self._asked_ms = context.now_ms()
        context.sight(kind).reading.update(self.remote_ids)
        path = KINDS[kind].endpoint
        params: dict[str, str] = {}
        if kind in _READ_MANY:
            params = {"IDs": ",".join(self.remote_ids), "page": "1", "pageSize": str(limits.PAGE_SIZE_PLAIN)}
            if kind == "contacts":
                params["includeArchived"] = "true"
        elif not whole:
            path = f"{path}/{self.remote_ids[0]}"
        if kind != "contacts":  # prices as they are kept, not rounded for show
            params["unitdp"] = str(limits.UNIT_DECIMALS)
        self.call = Call(Purpose.LOOK_UP, "GET", path, params=params)

    def settle(self, answer: Answer) -> None:
        """Keeps the elements for the writes that wait for them, and their statuses and line ids in the ledger."""
        context, kind = self._context, KINDS[self._kind]
        sight = context.sight(self._kind)
        sight.reading.difference_update(self.remote_ids)
        readable = usable(context, answer)
        gone = answer.status == 404 and len(self.remote_ids) == 1 and self._kind not in _READ_MANY
        elements = elements_of(answer, kind.container) if readable else [] if gone else None
        if elements is None:
            sight.failures += 1
            return
        sight.failures = 0
        found = {text_of(element, kind.id_field): element for element in elements}
        for remote_id in self.remote_ids:
            sight.elements[remote_id] = (self._asked_ms, found.get(remote_id))
        status = "ContactStatus" if self._kind == "contacts" else "Status"
        context.ledger.note_status(
            self._kind,
            {id_: text_of(element, status) for id_, element in found.items() if text_of(element, status)},
        )


class TakenFlight:
    """Xero said that a number or name is taken: by whom?"""

    def __init__(self, context: RunContext, intents: Sequence[Intent], *, by_name: bool = False) -> None:
        self._context = context
        self._kind = intents[0].kind
        self._intents = list(intents)[: limits.IDS_PER_CALL_MAX if self._kind == "invoices" else 1]
        self._by_name = by_name
        self._asked_ms = context.now_ms()
        context.busy.update(i.id for i in self._intents)
        self.call = Call(Purpose.LOOK_UP, "GET", KINDS[self._kind].endpoint, params=self._params())

    def _params(self) -> dict[str, str]:
        document = self._intents[0].document
        if self._kind == "invoices":
            numbers = ",".join(str(i.document["InvoiceNumber"]) for i in self._intents)
            return {"InvoiceNumbers": numbers, "page": "1", "pageSize": str(limits.PAGE_SIZE_PLAIN)}
        if self._kind == "credit_notes":
            return {"where": f"CreditNoteNumber=={_quoted(document['CreditNoteNumber'])}", "page": "1"}
        field, value = (
            ("Name", document["Name"])
            if self._by_name
            else ("ContactNumber", contact_number(self._intents[0]))
        )
        return {"where": f"{field}=={_quoted(value)}", "includeArchived": "true", "page": "1"}

    def settle(self, answer: Answer) -> None:
        """Adopts or refuses; a look-up that failed is tried again, it is never "nobody"."""
        context = self._context
        context.busy.difference_update(i.id for i in self._intents)
        elements = elements_of(answer, KINDS[self._kind].container) if usable(context, answer) else None
        if elements is None:
            context.sight(self._kind).failures += 1
            return
        context.sight(self._kind).failures = 0
        rows = [row for element in elements if (row := seen(self._kind, element))]
        for intent in self._intents:
            holders = [row for row in rows if self._holds(intent, row)]
            if not holders and self._kind == "contacts" and not self._by_name:
                context.by_name.add(intent.id)
            else:
                settle_taken(context, intent, holders, self._asked_ms)

    def _holds(self, intent: Intent, row: Seen) -> bool:
        if self._kind == "contacts":
            return True
        number: Any = intent.document[KINDS[self._kind].number_field]
        return str(row.facts["number"]).casefold() == str(number).casefold()


def _quoted(value: object) -> str:
    """A text of a `where` clause: a quote inside is doubled."""
    doubled = str(value).replace('"', '""')
    return f'"{doubled}"'
