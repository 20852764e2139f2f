"""The client of a rehearsal: what is asked is asked of Xero, what would be written is answered here and noted.

The executor works with it as with Xero, so that what depends on a new document is planned, too, and what Xero would refuse for
what it has already is refused in the plan. Reads that only the plan needs are not counted among the calls a run will take.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from target_xero import limits
from target_xero.errors import TargetXeroError
from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.execute.listings import fold
from target_xero.execute.outcome import elements_of
from target_xero.execute.undoing import allocation_of
from target_xero.plan.kinds import KINDS
from target_xero.plan.organisation import RESOURCES, Organisation
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import parse_decimal, text_of
from target_xero.preview.books import SALES, Books, Element
from target_xero.xero.driver import Sender
from target_xero.xero.pacing import Pacer

_BY_NAME = re.compile(r'Name=="(.*)"')
_PATH = re.compile(
    r"/(?P<container>[A-Za-z]+)(?:/(?P<id>[^/]+))?(?:/(?P<child>[A-Za-z]+)(?:/(?P<grandchild>.+))?)?"
)
_KIND = {kind.container: kind.name for kind in KINDS.values() if kind.name != "allocations"}
NUMBER_TAKEN = {"invoices": "Invoice # must be unique.", "credit_notes": "Credit Note # must be unique."}
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
ARCHIVED = "Archived contacts cannot currently be edited via the API."
NAME_TAKEN = "The contact name must be unique across all active contacts."


@dataclass(frozen=True)
class Write:
    """One document of one call that was not sent."""

    intent: int
    kind: str
    op: str
    """`create`, `update`, `delete` or `void`."""
    sent: Element
    before: Element | None
    """What Xero has; None: nothing, or not known."""
    after: Element
    """What Xero would answer."""
    refused: str = ""
    """Why Xero would refuse it."""


class RehearsalClient:
    """Safe to use from several threads at once, as the client it stands before."""

    def __init__(self, client: Sender, organisation: Organisation) -> None:
        self._client = client
        self._shared = organisation
        self._own = replace(organisation)
        """Reference data read for the plan alone must not spare the executor a read that a run would make."""
        self._books = Books(self._own)
        self._lock = threading.RLock()
        self._items_read = False
        self._contacts_listed = False
        """Whether all contacts were listed, as before the first ones: their names are then known before any is written."""
        self.writes: list[Write] = []
        self.calls: Counter[str] = Counter()
        """The calls a run would make, by purpose."""

    @property
    def pacer(self) -> Pacer:
        """The real one."""
        return self._client.pacer

    @property
    def failed(self) -> TargetXeroError | None:
        """Why no call can go any more."""
        return self._client.failed

    def before(self, kind: str, remote_id: str) -> Element | None:
        """A document as Xero told it."""
        return self._books.read.get((kind, remote_id))

    def is_made_up(self, kind: str, remote_id: str) -> bool:
        """Whether the id stands for what would be made, so that Xero does not have it."""
        return self._books.made_up(kind, remote_id)

    def send(self, call: Call) -> Answer:
        """Reads go out, writes do not."""
        with self._lock:
            self.calls[call.purpose.value] += 1
        return self._read(call) if call.method == "GET" else self._write(call)

    # -- reads -------------------------------------------------------------------------------------------------------

    def _read(self, call: Call) -> Answer:
        match = _PATH.fullmatch(call.path)
        kind = _KIND.get(match["container"]) if match and not match["child"] else None
        if match is None or kind is None:
            return self._client.send(call)
        wanted = [match["id"]] if match["id"] else [i for i in call.params.get("IDs", "").split(",") if i]
        made_up = [id_ for id_ in wanted if self._books.made_up(kind, id_)]
        real = [id_ for id_ in wanted if id_ not in made_up]
        container = KINDS[kind].container
        if wanted and kind == "items" and self._is_removed(wanted[0]):
            self.pacer.give_back(1)
            return Answer(call, 404)
        if wanted and not real:
            self.pacer.give_back(1)
            answer = Answer(call, 200, body={container: []})
        elif made_up:
            sent = replace(call, params={**call.params, "IDs": ",".join(real)})
            answer = replace(self._client.send(sent), call=call)
        else:
            answer = self._client.send(call)
        return self._as_planned(answer, kind, made_up)

    def _as_planned(self, answer: Answer, kind: str, made_up: Sequence[str]) -> Answer:
        found = elements_of(answer, KINDS[kind].container) if answer.status == 200 else None
        if found is None:
            return answer
        call, books = answer.call, self._books
        if kind == "contacts" and not {"IDs", "where"} & call.params.keys() and not call.headers:
            self._contacts_listed = True
        whole = kind == "items"
        single = "IDs" in call.params or call.path.count("/") > 1
        with self._lock:
            for element in found:
                if whole or single:
                    books.read[kind, text_of(element, KINDS[kind].id_field)] = element
                    self._keep_allocations(kind, element)
            shown = [books.as_planned(kind, element) for element in found]
            shown += [new for id_ in made_up if (new := books.now(kind, id_))]
            shown += self._with_number(call, kind)
        return replace(answer, body={**answer.body, KINDS[kind].container: shown})

    def _keep_allocations(self, kind: str, element: Element) -> None:
        """A credit note shows its allocations; an undoing takes them back one by one."""
        for entry in element.get("Allocations") or () if kind == "credit_notes" else ():
            self._books.read["allocations", text_of(entry, "AllocationID")] = allocation_of(element, entry)

    def _is_removed(self, item_id: str) -> bool:
        found = self._books.now("items", item_id)
        return found is not None and found.get("Status") == "DELETED"

    def _with_number(self, call: Call, kind: str) -> list[Element]:
        """Documents of the plan that a look-up by number, or of a contact by name, would show once they are there."""
        field, wanted = KINDS[kind].number_field, call.params.get("InvoiceNumbers", "").split(",")
        named = _BY_NAME.fullmatch(call.params.get("where", "")) if kind == "contacts" else None
        if named:
            field, wanted = "Name", [named[1].replace('""', '"')]
        values = {value.casefold() for value in wanted if value}
        return [e for e in self._books.planned(kind) if values and text_of(e, field).casefold() in values]

    # -- writes ------------------------------------------------------------------------------------------------------

    def _write(self, call: Call) -> Answer:
        match = _PATH.fullmatch(call.path)
        kind = _KIND.get(match["container"], "") if match else ""
        if match is not None and match["child"] == "Allocations":
            kind = "allocations"
        elif match is None or match["child"] or not kind:  # a note in a document's history, say
            self.pacer.give_back(1)
            return Answer(call, 200, body=call.body or {})
        if call.method == "DELETE":
            return self._remove(call, kind, match["grandchild"] or match["id"])
        container = "Allocations" if kind == "allocations" else KINDS[kind].container
        sent = [dict(element) for element in (call.body or {}).get(container, [])]
        if match["id"] and kind == "payments":
            sent = [{**(sent[0] if sent else call.body or {}), "PaymentID": match["id"]}]
        unread = self._read_first(call, kind, sent)
        if unread is not None:
            return unread
        with self._lock:
            shown = [
                self._save(call, kind, element, intent)
                for element, intent in zip(sent, call.intents, strict=True)
            ]
        return Answer(call, 200, body={container: shown})

    def _save(self, call: Call, kind: str, sent: Element, intent: int) -> Element:
        books, id_field = self._books, KINDS[kind].id_field
        create = call.method == "PUT"
        remote_id = text_of(sent, id_field)
        before = None if create else books.now(kind, remote_id)
        why = self._refused(kind, sent, before, create=create)
        if why:
            self.writes.append(Write(intent, kind, "create" if create else "update", sent, before, sent, why))
            return {**sent, "StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": why}]}
        element = books.create(kind, sent, intent) if create else books.update(kind, sent)
        status = text_of(sent, "Status") or text_of(sent, "ContactStatus")
        op = {"DELETED": "delete", "VOIDED": "void", "ARCHIVED": "archive"}.get(status, "update")
        self.writes.append(Write(intent, kind, "create" if create else op, sent, before, element))
        return element

    def _remove(self, call: Call, kind: str, remote_id: str) -> Answer:
        self.pacer.give_back(1)
        with self._lock:
            before = self._books.now(kind, remote_id) or {}
            after = self._books.update(kind, {KINDS[kind].id_field: remote_id, "Status": "DELETED"})
            for intent in call.intents:
                self.writes.append(Write(intent, kind, "delete", {}, before or None, after))
        return Answer(call, 204)

    # -- what Xero would find wrong, for what it has -----------------------------------------------------------------

    def _refused(self, kind: str, sent: Element, before: Element | None, *, create: bool) -> str:
        number = text_of(sent, KINDS[kind].number_field).casefold()
        if create and kind in NUMBER_TAKEN and number and number in self._numbers(kind):
            return NUMBER_TAKEN[kind]
        if create and kind == "payments":
            return self._unpayable(sent)
        if kind == "contacts":
            name = fold(text_of(sent, "Name"))
            own = text_of(sent, "ContactID")
            if not create and before is not None and text_of(before, "ContactStatus") in DEAD:
                return ARCHIVED
            if name and any(
                fold(text_of(other, "Name")) == name and text_of(other, "ContactID") != own
                for other in self._alive(kind)
            ):
                return NAME_TAKEN
        return ""

    def _alive(self, kind: str) -> list[Element]:
        """What is known of the kind, as it would be, and not archived, deleted or voided."""
        elements = [self._books.as_planned(k, e) for (k, _), e in self._books.read.items() if k == kind]
        status = "ContactStatus" if kind == "contacts" else "Status"
        return [e for e in [*elements, *self._books.planned(kind)] if text_of(e, status) not in DEAD]

    def _numbers(self, kind: str) -> set[str]:
        return {text_of(element, KINDS[kind].number_field).casefold() for element in self._alive(kind)}

    def _unpayable(self, sent: Element) -> str:
        for kind, owner in (("invoices", "Invoice"), ("credit_notes", "CreditNote")):
            document = self._books.now(kind, text_of(sent, owner, f"{owner}ID"))
            if document is None:
                continue
            if text_of(document, "Status") != "AUTHORISED":
                return NOT_AUTHORISED
            due = parse_decimal(document.get("AmountDue" if kind == "invoices" else "RemainingCredit"))
            amount = parse_decimal(sent.get("Amount"))
            if due is not None and amount is not None and amount > due:
                return TOO_MUCH
        return ""

    # -- reads that only the plan needs ------------------------------------------------------------------------------

    def _read_first(self, call: Call, kind: str, sent: Sequence[Element]) -> Answer | None:
        """Reads what the answer depends on, in the call's slot and more; an answer instead when that cannot be read."""
        calls = [*self._reference(kind), *self._of_documents(call, kind, sent)]
        for n, needed in enumerate(calls):
            if n and not self.pacer.take(1):
                return Answer(call, failure=Failure.NEVER_SENT, failure_detail="no more calls today")
            answer = self._client.send(needed)
            resource = next((name for name, path in RESOURCES.items() if path == needed.path), None)
            if answer.status != 200 or (resource and not self._own.load(resource, answer.body)):
                told = f"{needed.path} could not be read for the plan"
                return Answer(call, failure=Failure.NEVER_SENT, failure_detail=told)
            if not resource:
                self._keep(answer)
        if not calls:
            self.pacer.give_back(1)
        return None

    def _reference(self, kind: str) -> list[Call]:
        """Accounts and tax rates, so that the tax can be told."""
        if kind not in SALES:
            return []
        wanted = []
        with self._lock:
            for resource in ("accounts", "tax_types"):
                if self._shared.loaded(resource):
                    setattr(self._own, resource, getattr(self._shared, resource))
                elif not self._own.loaded(resource):
                    wanted.append(Call(Purpose.CONNECT, "GET", RESOURCES[resource]))
        return wanted

    def _of_documents(self, call: Call, kind: str, sent: Sequence[Element]) -> list[Call]:
        create = call.method == "PUT"
        if kind == "items" and not create and not self._items_read:
            self._items_read = True
            return [_get("/Items")]
        if kind == "contacts":
            return self._of_contacts(sent, create=create)
        if kind == "payments" and create:
            return self._by_id("invoices", [text_of(element, "Invoice", "InvoiceID") for element in sent])
        if kind == "invoices" and create:
            numbers = [n for element in sent if (n := text_of(element, "InvoiceNumber"))]
            size = limits.IDS_PER_CALL_MAX
            pages = [numbers[start : start + size] for start in range(0, len(numbers), size)]
            return [
                _get(
                    "/Invoices", InvoiceNumbers=",".join(page), page="1", pageSize=str(limits.PAGE_SIZE_PLAIN)
                )
                for page in pages
            ]
        if kind == "credit_notes" and create:
            return [
                _get("/CreditNotes", where=f'CreditNoteNumber=="{n}"', page="1")
                for element in sent
                if (n := text_of(element, "CreditNoteNumber").replace('"', '""'))
            ]
        return []

    def _of_contacts(self, sent: Sequence[Element], *, create: bool) -> list[Call]:
        if create:
            return [] if self._contacts_listed else _by_name([text_of(element, "Name") for element in sent])
        ids = [text_of(element, "ContactID") for element in sent]
        return self._by_id("contacts", ids, includeArchived="true")

    def _by_id(self, kind: str, ids: Sequence[str], **params: str) -> list[Call]:
        books, size = self._books, limits.IDS_PER_CALL_MAX
        unread = [
            id_
            for id_ in dict.fromkeys(ids)
            if id_ and (kind, id_) not in books.read and not books.made_up(kind, id_)
        ]
        return [
            _get(
                KINDS[kind].endpoint,
                IDs=",".join(unread[start : start + size]),
                page="1",
                pageSize=str(limits.PAGE_SIZE_PLAIN),
                **params,
            )
            for start in range(0, len(unread), size)
        ]

    def _keep(self, answer: Answer) -> None:
        kind = _KIND[answer.call.path.strip("/")]
        with self._lock:
            for element in elements_of(answer, KINDS[kind].container) or []:
                self._books.read[kind, text_of(element, KINDS[kind].id_field)] = element


def _by_name(names: Sequence[str]) -> list[Call]:
    """Look-ups of contacts by several names each, as long as an address may be."""
    clauses: list[str] = []
    for name in dict.fromkeys(names):
        doubled = name.replace('"', '""')
        one = f'Name=="{doubled}"'
        if clauses and len(clauses[-1]) + len(one) <= limits.WHERE_MAX:
            clauses[-1] += f" OR {one}"
        else:
            clauses.append(one)
    return [_get("/Contacts", where=clause, page="1") for clause in clauses]


def _get(path: str, **params: str) -> Call:
    return Call(Purpose.LOOK_UP, "GET", path, params=params)
