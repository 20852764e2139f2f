"""The executor: a state machine over the ledger. It says which calls may go next and takes their answers; no I/O, no waiting.

For each kind of document, in the order in which Xero needs them:

    in doubt?  look it up                        lookups, decisions
    ready?     reference data, checks            gates
               new: is it in Xero already?       a list, once a run
               changed: what is there now?       read before it is written
               payment: is it approved?
               up to 50 into one call            writes -> outcome

A kind that waits for an answer lets the other kinds go on; a document waits only for the documents it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from target_xero import limits
from target_xero.exchange import Answer, Call
from target_xero.execute import customers, gates, payable, steps, undoing, updates
from target_xero.execute.blocked import settle_blocked
from target_xero.execute.bodies import Linked
from target_xero.execute.bound import for_whom, holds, is_bound
from target_xero.execute.context import ExecutorSettings, Flight, RunContext
from target_xero.execute.decisions import before_create, settle_doubts
from target_xero.execute.lookups import TakenFlight
from target_xero.execute.notes import NoteFlight, next_note
from target_xero.execute.steps import WAIT, Step
from target_xero.execute.writes import Parcel, WriteFlight, fit
from target_xero.ledger import Intent, Ledger, Link
from target_xero.plan.kinds import KINDS
from target_xero.plan.organisation import Organisation

_KINDS = tuple(KINDS)
_WIDE = limits.BATCH_ELEMENTS_MAX * limits.FLIGHTS_MAX


class Executor:
    """Carries out the planned intents of one organisation.

        while not executor.idle:
            for call in executor.next_calls(capacity):
                ...send; some time later: executor.receive(answer)

    Every call that was handed out must be answered, if only with a `Failure`. One thread at a time.
    """

    def __init__(
        self,
        ledger: Ledger,
        organisation: Organisation,
        now: Callable[[], datetime],
        settings: ExecutorSettings,
    ) -> None:
        """`ledger` has a run begun on it; `now` is Xero's clock.

        Raises:
            QuietPeriodError: the settings' quiet period is too short to be safe.
        """
        self._context = RunContext(ledger, organisation, now, settings)
        self._flights: list[Flight] = []
        self._exhausted_at: int | None = None
        self._waiting_at: int | None = None
        """The ledger's version at which nothing could go before one of the flights lands."""

    @property
    def stopped(self) -> str | None:
        """Why the run must end early: no access, no calls left, no sensible answers. Else None."""
        return self._context.stopped

    @property
    def idle(self) -> bool:
        """Nothing is in flight and nothing may go now. New documents, or time, can change that."""
        if self._flights:
            return False
        if self.stopped:
            return True
        if self._exhausted_at != self._context.ledger.version:
            return False
        ripe_ms = self._context.ledger.next_ripe_ms(self._context.quiet_ms)
        return ripe_ms is None or ripe_ms > self._context.now_ms()

    def next_calls(self, capacity: int) -> list[Call]:
        """Up to `capacity` calls that may go now; for writes, the ledger has committed `sent`.

        Raises:
            LedgerError: nothing of the call that was being made ready may be sent.
        """
        calls: list[Call] = []
        if self._flights and self._waiting_at == self._context.ledger.version:
            return calls
        self._context.stopped = self.stopped or self._context.mass.weigh()
        while len(calls) < capacity and not self.stopped:
            version = self._context.ledger.version
            flight = self._next_flight()
            if flight is not None:
                self._flights.append(flight)
                calls.append(flight.call)
            elif self._context.ledger.version != version:
                continue  # what was settled may have released an earlier kind
            elif self._flights:
                self._waiting_at = version
                break
            elif not settle_blocked(self._context):
                break
        self._exhausted_at = None if self._flights else self._context.ledger.version
        return calls

    def receive(self, answer: Answer) -> None:
        """Takes what came of a call.

        Raises:
            ValueError: the call was not handed out by this executor, or was answered already.
        """
        flight = next((f for f in self._flights if f.call is answer.call or f.call == answer.call), None)
        if flight is None:
            raise ValueError(f"{answer.call.method} {answer.call.path} is not in flight.")
        self._flights.remove(flight)
        self._exhausted_at = self._waiting_at = None
        flight.settle(answer)
        if not isinstance(flight, NoteFlight):
            self._context.heard(answer)

    def _next_flight(self) -> Flight | None:
        ledger = self._context.ledger
        for kind in KINDS:
            work, step = ledger.work(_KINDS), None
            if kind in work.unknown:
                step = self._doubts(kind)
                work = ledger.work(_KINDS)
            if step is None and kind in work.planned:
                step = self._writes(kind)
            if step is not None and step is not WAIT:
                return step  # type: ignore[return-value]
        return next_note(self._context)

    @property
    def notices(self) -> list[str]:
        """What people should know of this run although nothing is wrong."""
        return self._context.notices

    # --- outcomes in doubt ------------------------------------------------------------------------------------------

    def _doubts(self, kind: str) -> Step:
        context = self._context
        while True:
            found = context.ledger.in_doubt(kind, context.now_ms(), context.quiet_ms, _WIDE)
            doubts = [i for i in found if i.id not in context.busy]
            if not doubts:
                return WAIT if found else None
            if context.sight(steps.seen_through(kind)).blind:
                steps.hold_blind(context, kind, doubts)
                continue
            links = context.ledger.links(kind, [i.source_key for i in doubts])
            again = [i for i in doubts if i.sent_op != "create" or i.source_key in links]
            if again:  # an update sets values: what is there is read before it is sent again
                now_ms = context.now_ms()
                ripe = {i.id for i in again if context.again_ms(i) <= now_ms}
                context.ledger.back_to_planned(sorted(ripe))
                context.ledger.looked([i.id for i in again if i.id not in ripe], now_ms)
                continue
            if kind == "allocations":
                step = self._allocations_in_doubt(doubts)
            else:
                step = self._creates_in_doubt(kind, doubts)
            if step is not None:
                return step

    def _creates_in_doubt(self, kind: str, doubts: Sequence[Intent]) -> Step:
        context = self._context
        taken = [i for i in doubts if i.conflict and kind != "items"]
        if taken:
            by_name = [i for i in taken if i.id in context.by_name]
            return TakenFlight(context, by_name or taken, by_name=bool(by_name))
        step = gates.rates_for_doubts(context, kind, doubts)
        step = step or steps.listing(context, kind, max(self._look_from_ms(i) for i in doubts))
        if step is None:
            asked_ms = context.sight(kind).asked_ms or 0
            with context.ledger.atomic():
                mine = [gates.rounded(context, i) for i in doubts]
                settle_doubts(context, mine, context.linked(mine), asked_ms)
        return step

    def _look_from_ms(self, intent: Intent) -> int:
        """The earliest useful time of a look-up: the send itself, or the end of the quiet period once that is over."""
        ripe_ms = self._context.absence_proven_ms(intent)
        return ripe_ms if ripe_ms <= self._context.now_ms() else intent.last_sent_ms or 0

    def _allocations_in_doubt(self, doubts: Sequence[Intent]) -> Step:
        context, linked = self._context, self._context.linked(doubts)
        for intent in doubts:
            note_id = payable.note_of(intent, linked)
            step = steps.reading(context, "credit_notes", [note_id], self._look_from_ms(intent))
            if step is not None:
                return step
            asked_ms, note = context.sight("credit_notes").elements[note_id]
            if gates.allocated(context, intent, note, linked):
                continue
            if asked_ms >= context.absence_proven_ms(intent):
                context.resend_or_park([intent])
            else:
                context.ledger.looked([intent.id], asked_ms)
        return None

    # --- writes -----------------------------------------------------------------------------------------------------

    def _writes(self, kind: str) -> Step:
        context = self._context
        sight = context.sight(kind)
        if sight.listing and sight.listing.in_flight:
            return WAIT
        limit = limits.BATCH_ELEMENTS_MAX
        while True:
            ready = context.ledger.ready(kind, limit)
            if not ready:
                return None
            version = context.ledger.version
            more = len(ready) == limit < _WIDE
            step = self._write(kind, ready, more=more)
            if step is not None and step is not WAIT:
                return step
            if context.ledger.version != version:
                continue  # some were settled: ask the ledger again
            if not more:
                return step
            limit = _WIDE  # the first ones wait for an answer; later ones may not have to

    def _write(self, kind: str, ready: Sequence[Intent], *, more: bool) -> Step:
        """A call with some of these, a read that they wait for, or WAIT. Settling some of them moves the ledger's version.

        `more`: the ledger has more than these, if a call is not full.
        """
        context = self._context
        step = steps.reference_data(context, kind, ready)
        if step is not None:
            return step
        intents = gates.check(context, kind, ready)
        linked = context.linked(intents)
        version = context.ledger.version
        step = customers.in_use(context, kind, intents, linked)
        if step is not None or context.ledger.version != version:
            return step
        if context.survivors:  # the contacts that took the place of merged ones
            linked = context.linked(intents)
        links = context.ledger.links(kind, [i.source_key for i in intents])
        absent = [i.id for i in intents if i.op != "save" and i.source_key not in links]
        if absent:
            context.ledger.nothing_to_do(absent)
        new = [i for i in intents if i.source_key not in links and i.op == "save"]
        known = [i for i in intents if i.source_key in links]
        waits = self._create(kind, new, linked)
        if waits is not None and waits is not WAIT:
            return waits  # one flight at a time: making a second one ready now would lose it
        return self._update(kind, known, links, linked, more=more) or waits

    def _create(self, kind: str, found: Sequence[Intent], linked: Linked) -> Step:
        context = self._context
        new = for_whom(context, found, linked)
        if not new:
            return None
        if context.sight(steps.seen_through(kind)).blind:
            steps.hold_blind(context, kind, new)
            return None
        step = payable.approved(context, new, linked) if kind in ("payments", "allocations") else None
        if step is None and kind == "allocations":
            return self._allocate(new, linked)
        if step is None and not (kind == "payments" and all(gates.awaits_approval(i, linked) for i in new)):
            step = steps.listing(context, kind)
            if step is None and before_create(context, new, linked):
                return None
        return step or self._send(kind, gates.parcels_of_new(context, new, linked))

    def _allocate(self, new: Sequence[Intent], linked: Linked) -> Step:
        """Allocations have no marker: the note itself says whether one is there. One call a note."""
        context = self._context
        note_id = payable.note_of(new[0], linked)
        step = steps.reading(context, "credit_notes", [note_id])
        if step is not None:
            return step
        note = context.sight("credit_notes").elements[note_id][1]
        mine = [i for i in new if payable.note_of(i, linked) == note_id]
        rest = [i for i in mine if not gates.allocated(context, i, note, linked)]
        rest = payable.within_credit(context, rest, note or {})
        return self._send("allocations", gates.parcels_of_new(context, rest, linked))

    def _update(
        self, kind: str, known: Sequence[Intent], links: dict[str, Link], linked: Linked, *, more: bool
    ) -> Step:
        context = self._context
        step = undoing.allocations(context, kind, known, links)
        if step is not None:
            return step
        elements = context.sight(kind).elements
        ids = {i.id: links[i.source_key].remote_id for i in known}
        unread = [
            ids[i.id]
            for i in known
            if (is_bound(i) or updates.must_be_read(i, links[i.source_key])) and ids[i.id] not in elements
        ]
        if unread and context.sight(kind).blind:
            steps.hold_blind(context, kind, [i for i in known if ids[i.id] in unread])
            return None
        ready = [
            i
            for i in known
            if ids[i.id] not in unread and holds(context, i, links[i.source_key], elements.get(ids[i.id]))
        ]
        if kind == "contacts":
            step = customers.merged(context, ready, ids)
        step = step or undoing.uses(context, kind, ready, ids)
        if step is not None:
            return step
        agreed = context.ledger.agreed(kind, [i.source_key for i in ready])
        parcels: list[Parcel] = []
        for intent in ready:
            key = intent.source_key
            if intent.op == "undo":
                parcel = undoing.parcel_of_undo(context, intent, links[key], agreed[key])
            else:
                parcel = updates.parcel_of_update(context, intent, links[key], linked, agreed.get(key))
            if parcel and context.park_tired([intent]):
                parcels.append(parcel)
        if len(parcels) >= limits.BATCH_ELEMENTS_MAX or not unread:
            return self._send(kind, parcels)
        if more and len(unread) < limits.IDS_PER_CALL_MAX:
            return WAIT  # for a fuller read
        step = steps.reading(context, kind, unread)
        return self._send(kind, parcels) or WAIT if step is WAIT else step

    def _send(self, kind: str, parcels: Sequence[Parcel]) -> Step:
        batch = fit(undoing.one_by_one(parcels), self._context.settings.batch_documents)
        if not batch:
            return None
        self._context.stopped = self._context.mass.add(batch)
        if self._context.stopped:
            return None
        elements = self._context.sight(kind).elements
        for parcel in batch:  # what was read is used once: the next write reads again
            if parcel.link:
                elements.pop(parcel.link.remote_id, None)
                undoing.opens_again(self._context, parcel)
        return WriteFlight(self._context, kind, batch)
