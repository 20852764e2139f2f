"""One run on one organisation: documents go in, intents are planned in the ledger, carried out in Xero, and summed up.

    engine = Engine(settings)
    engine.accept("contacts", documents)     taken into memory, then into the ledger, batch by batch
    engine.settle()                          plans, sends, receives, until nothing more can be done now
    engine.close()                           what the run did; gives the ledger back

Everything happens in the caller's thread but the HTTP calls themselves.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from target_xero import limits
from target_xero.access import Access
from target_xero.exchange import Call, Purpose
from target_xero.execute import Executor, ExecutorSettings
from target_xero.fingerprint import Fingerprints
from target_xero.found import Word, settle_found
from target_xero.ledger import Ledger, RunSummary, Tenant
from target_xero.ledger.model import Essence, Fingerprint, Recalled
from target_xero.nothing_to_send import NothingToSend
from target_xero.plan import Planner, PlannerSettings
from target_xero.plan.item import Fresh, Known, Make, key_of
from target_xero.plan.kinds import KINDS
from target_xero.recall import Line, Met
from target_xero.settings import Settings
from target_xero.terminal import as_typed
from target_xero.xero.driver import Driver, Lane, Sender
from target_xero.xero.pacing import Timing

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from target_xero.preview.document import Plan
    from target_xero.preview.rehearsal import Rehearsal, Shown

logger = logging.getLogger("target-xero")
GONE = frozenset({"VOIDED", "DELETED", "ARCHIVED"})
"""Statuses in which a document is in the books no more."""


@dataclass
class Outcome:
    """What a run came to: the ledger's own count, and what it cost."""

    summary: RunSummary
    organisation: str
    problems: list[dict[str, Any]]
    """Documents that wait for a person, from this run and earlier ones, oldest first."""
    calls: dict[str, int] = field(default_factory=dict)
    """Requests that went out, by purpose, tokens included."""
    day_left: int | None = None
    """Calls that Xero still grants today, as it last said."""
    stopped: str | None = None
    """Why the run ended before everything was done."""
    shown: Shown | None = None
    """Of a run that plans or proposes: the plan, and where it was saved."""
    notices: tuple[str, ...] = ()
    """What people should know although nothing is wrong."""
    former_name: str = ""
    """What the organisation was called when the ledger met it, where it has been renamed since."""
    parts: tuple[Outcome, ...] = ()
    """Of a run on several organisations: each one's own; this is their sum."""

    @property
    def plan_refuses(self) -> bool:
        """Whether a plan that was made is not whole, or something in it is refused or parked."""
        shown = [part.shown for part in self.parts or (self,) if part.shown is not None]
        return not all(one.plan.is_clean for one in shown)

    @classmethod
    def none(cls, organisation: str, why: str) -> Outcome:
        """Of an organisation that could not be reached."""
        return cls(RunSummary(0), organisation, [], stopped=why)

    @classmethod
    def total(cls, parts: Sequence[Outcome], stopped: str | None) -> Outcome:
        """The sum of several organisations' outcomes."""
        calls: Counter[str] = Counter()
        for part in parts:
            calls.update(part.calls)
        return cls(
            summary=RunSummary.total(part.summary for part in parts),
            organisation=", ".join(part.organisation for part in parts),
            problems=[problem for part in parts for problem in part.problems],
            calls=dict(calls),
            stopped=stopped,
            parts=tuple(parts),
        )


class Engine:
    """Opens the ledger and takes its lock, gets access, and pins the organisation.

    Args:
        settings: the target's settings.
        stop: says whether the run is asked to end; what is in flight is waited for.
        adapter: carries the requests (default: the network).
        timing: where time comes from (default: the machine).
        organisation: its name in the setting `organisations`, where it is one of several; whoever opens them holds the
            ledger's run lock.
        beside: the open ledger of those several.

    Raises:
        TargetXeroError: there is no usable ledger, no access, no Xero, or another organisation than the ledger's.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: Callable[[], bool] = lambda: False,
        adapter: BaseAdapter | None = None,
        timing: Timing | None = None,
        organisation: str = "",
        beside: Ledger | None = None,
    ) -> None:
        self._settings = settings
        self._organisation = organisation
        self._stop = stop
        self._pending: dict[str, list[Fresh | Known]] = {}
        self._read: list[tuple[Fingerprint, list[Fresh]]] = []
        """Records with their fingerprints, and the documents they gave, that are not planned yet."""
        self._stood: list[tuple[Fingerprint, list[Essence]]] = []
        """Records with what they came to, that the ledger does not remember yet."""
        self._standing: defaultdict[str, dict[str, tuple[str, Line, Make]]] = defaultdict(dict)
        """By stream and key, documents that are in Xero as they came: not counted yet, and looked at no more."""
        self._entered: set[tuple[str, str]] | None = None
        """Stream and key of what was taken in since the ledger was asked for known records: its answer holds no more for these."""
        self._held = 0
        self.stopped: str | None = None
        self._rehearsal: Rehearsal | None = None
        self._ledger = Ledger.open(settings.ledger_path, settings.ledger_url, beside=beside)
        self._ledger.actor = settings.run_by
        try:
            self._access = Access(settings, stop=stop, adapter=adapter, timing=timing)
        except BaseException:
            self._ledger.close()
            raise
        try:
            self._start()
        except BaseException:
            self.abandon()
            raise

    def _start(self) -> None:
        settings, access = self._settings, self._access
        access.organisation.books_closed_until = settings.books_closed_until
        sender: Sender = access.client
        if settings.mode == "plan":
            from target_xero.preview.rehearsal import Rehearsal  # noqa: PLC0415  most runs show no plan

            self._rehearsal = Rehearsal(self._ledger, access, settings)
            sender = self._rehearsal.client
        self._driver = Driver(sender, self._stop)
        self._ledger.clock = access.clock.now
        self._ledger.begin_run(self.tenant, access.clock.now(), self._organisation)
        if self._ledger.warning:
            logger.warning("%s", as_typed(self._ledger.warning))
        if settings.mode == "approve":
            self._ledger.proposing = settings.run_by
            self._ledger.propose_open()
        self._planner = Planner(
            self._ledger,
            lambda: access.organisation,
            PlannerSettings(
                allow_statuses=settings.allow_statuses, on_total_difference=settings.on_total_difference
            ),
        )
        if settings.retry_refused:
            self._planner.retry()
        self._executor_settings = ExecutorSettings(
            quiet_period_s=settings.quiet_period_s,
            batch_documents=settings.batch_documents,
            on_total_difference=settings.on_total_difference,
            max_documents=settings.max_documents,
            max_changed_percent=settings.max_changed_percent,
            max_amount=settings.max_amount,
            history_notes=settings.history_notes,
            tell_limit=self._rehearsal.note_limit if self._rehearsal else None,
        )
        self._executor: Executor | NothingToSend
        if settings.mode == "approve":
            self._executor = NothingToSend()
        else:
            self._executor = Executor(
                self._ledger, access.organisation, access.clock.now, self._executor_settings
            )

    @property
    def ledger(self) -> Ledger:
        """The ledger, with this organisation's run begun on it."""
        return self._ledger

    @property
    def tenant(self) -> Tenant:
        """The organisation as Xero tells."""
        return self._access.organisation.tenant

    def accept(
        self, stream: str, documents: Iterable[Mapping[str, Any]], of: Fingerprint | None = None
    ) -> None:
        """Takes documents of one stream. They are in the ledger at the latest when `settle` returns.

        `of` is the fingerprint of the record that they are, where it may be remembered.
        """
        self._enter([(stream, document) for document in documents], of)

    def accept_record(self, source: str, record: dict[str, Any], of: Fingerprint | None = None) -> int:
        """Takes a record of the mapping's source as the documents it gives; how many.

        Raises:
            RecordError: the record is no JSON object.
        """
        documents = self._documents(source, record)
        self._enter(documents, of)
        return len(documents)

    def accept_known(self, source: str, met: Iterable[Met], read: Callable[[Line], Any]) -> int:
        """Takes records of one stream by what they came to when they were last read; how many documents that is.

        `read` gives the record of a line, should what it came to hold no more.
        """
        make = partial(self._make, source, read)
        count = 0
        for line, documents in met:
            for kind, key, hash_, stands in documents:
                if stands and not (self._entered and (kind, key) in self._entered):
                    self._standing[kind][key] = hash_, line, make
                else:
                    self._await(kind, Known(Essence(kind, key, hash_), line, make))
            self._held += len(documents)
            count += len(documents)
            self._plan_if_full()
        return count

    def _await(self, stream: str, item: Fresh | Known) -> None:
        """Keeps a document for the planner, with the one that it replaces, if that came before it."""
        standing = self._standing[stream]
        standing.pop(item.key, None)  # the last one counts
        former = item.former_key
        if former in standing:
            hash_, line, make = standing.pop(former)
            self._await(stream, Known(Essence(stream, former, hash_), line, make))
        self._pending.setdefault(stream, []).append(item)
        if self._entered is not None:
            self._entered |= {(stream, item.key), (stream, former)}

    def _make(
        self, source: str, read: Callable[[Line], Any], line: Line, kind: str, key: str
    ) -> Mapping[str, Any]:
        """One document of a record."""
        rules = self._settings.rules
        mapped = rules is not None and source in rules.streams
        found = self._documents(source, read(line)) if mapped else [(source, read(line))]
        return {(stream, key_of(body)): body for stream, body in found}[kind, key]

    def _documents(self, source: str, record: dict[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
        rules = self._settings.rules
        if rules is None:
            raise ValueError("there is no mapping")
        return rules.documents(source, record)

    def _enter(self, documents: Sequence[tuple[str, Mapping[str, Any]]], of: Fingerprint | None) -> None:
        items = []
        for stream, document in documents:
            items.append(Fresh(document))
            self._await(stream, items[-1])
        self._held += len(items)
        if of and items:
            self._read.append((of, items))
        self._plan_if_full()

    def _plan_if_full(self) -> None:
        if self._held >= limits.ACCEPT_DOCUMENTS:
            self.plan()

    def plan(self) -> None:
        """Brings what was accepted into the ledger."""
        for stream, keys in self._standing.items():
            self._ledger.count_unchanged(stream, len(keys))
        self._standing.clear()
        while self._pending:
            stream = next(iter(self._pending))
            self._planner.accept(stream, self._pending[stream])
            del self._pending[stream]
        self._held = 0
        read, self._read = self._read, []
        for of, items in read:
            essences = [item.essence for item in items if item.essence is not None]
            if len(essences) == len(items) == len({essence[:2] for essence in essences}):
                self._stood.append((of, essences))
        if len(self._stood) >= limits.REMEMBER_RECORDS:
            self._remember()

    def _remember(self) -> None:
        """Keeps what records came to whose documents were all found as Xero has them."""
        stood, self._stood = self._stood, []
        self._ledger.remember(stood)

    def recall(self, fingerprints: Iterable[Fingerprint]) -> dict[Fingerprint, list[Recalled]]:
        """What the records with these fingerprints came to, of those that the ledger remembers."""
        self._entered = {
            (stream, key)
            for stream, items in self._pending.items()
            for item in items
            for key in (item.key, item.former_key)
        }
        return self._ledger.recall(fingerprints)

    @cached_property
    def fingerprints(self) -> Fingerprints | None:
        """For records of this run; None: all are read."""
        if not self._settings.recall_records:
            return None
        return Fingerprints(self._settings, self.tenant, self._settings.rules)

    def retry(self, kinds: Sequence[str] = (), keys: Sequence[str] = ()) -> int:
        """Refused and parked documents (empty: of all kinds, with all keys) go again with the next `settle`; how many."""
        return self._planner.retry(kinds, keys)

    def on(self, tenant: Tenant) -> Engine:  # noqa: ARG002
        """The engine of an organisation; see `Organisations.on`."""
        return self

    def found(self, kind: str, source_key: str, remote_id: str, word: Word) -> str:
        """Settles a parked document as what a person found in Xero; see `target_xero.found`."""
        return settle_found(self._ledger, self._access.client, (kind, source_key), remote_id, word)

    def settle(self) -> bool:
        """Plans what was accepted and carries out all that can be done now.

        Returns:
            Whether it was: everything accepted is done, refused, parked, or waits in the ledger for its time. False when
            the run must end first (`stopped` says why).

        Raises:
            TargetXeroError: no access any more, or the ledger cannot be written. What the ledger has, it has.
        """
        self.plan()
        self._remember()
        self.stopped = self._driver.run(self._executor)
        return self.stopped is None

    def lane(self) -> Lane:
        """This organisation's calls, to be driven beside those of others."""
        return self._driver.lane(self._executor)

    def is_gone(self, kind: str, source_key: str) -> bool:
        """Whether a document that the ledger knows is in Xero no more: void, deleted, archived. An unclear answer is no."""
        link = self.ledger.links(kind, [source_key]).get(source_key)
        open_ = self.ledger.known(kind, [source_key])
        if link is None or (source_key in open_ and open_[source_key].open):
            return False
        client = self._access.client
        if not client.pacer.take(1):
            return False
        one = KINDS[kind]
        answer = client.send(Call(Purpose.LOOK_UP, "GET", f"{one.endpoint}/{link.remote_id}"))
        if answer.status == 404:
            return True
        elements = answer.body.get(one.container) if isinstance(answer.body, dict) else None
        if answer.status != 200 or not elements:
            return False
        status = elements[0].get("ContactStatus" if kind == "contacts" else "Status")
        return status in GONE

    def outcome(self, summarise: Callable[[], RunSummary] | None = None) -> Outcome:
        """What the run has come to so far."""
        return Outcome(
            summary=(summarise or self._ledger.summary)(),
            organisation=self._access.organisation.name,
            problems=self._ledger.problems(),
            calls=self._access.calls,
            day_left=self._access.client.pacer.day_left,
            stopped=self.stopped,
            former_name=self._ledger.former_name,
            notices=tuple(self._executor.notices),
        )

    def close(self) -> Outcome:
        """Writes the run's summary into the ledger and gives the ledger back."""
        try:
            outcome = self.outcome(partial(self._ledger.finish_run, self._access.clock.now()))
            if self._rehearsal is not None:
                outcome.shown = self._rehearsal.show("run", self.stopped)
            elif self._ledger.proposing is not None and not self._stop():
                outcome.shown = self.show_proposals()
            return outcome
        finally:
            self.abandon()

    def now(self) -> datetime:
        """The time in Xero."""
        return self._access.clock.now()

    def hold_unapproved(self) -> None:
        """What an earlier run planned and nobody approved waits for approval from now on."""
        self._ledger.proposing = self._settings.run_by
        self._ledger.propose_open()
        self._ledger.proposing = None

    def plan_so_far(self, purpose: str, undoes: int = 0) -> Plan:
        """In mode `plan`: what the run has come to so far."""
        if self._rehearsal is None:
            raise ValueError("only a run in mode plan has a plan")
        return self._rehearsal.plan(purpose, self.stopped, undoes)

    def leave_rehearsal(self) -> datetime:
        """In mode `plan`: undoes all that the run did in the ledger. What is written there from now on stays.

        Returns:
            The time in Xero.
        """
        if self._rehearsal is not None:
            self._rehearsal.end()
        return self.now()

    def show_proposals(self) -> Shown:
        """What waits for approval, as a plan, saved. Nothing is written to Xero, and nothing stays in the ledger."""
        from target_xero.preview.files import save  # noqa: PLC0415  most runs show no plan
        from target_xero.preview.rehearsal import Shown, rehearse_proposals  # noqa: PLC0415

        plan = rehearse_proposals(
            self._ledger, self._access, self._settings, self._executor_settings, self._stop
        )
        return Shown(plan, save(plan, self._settings.plan_path))

    def abandon(self) -> None:
        """Gives the ledger back without a word; for a run that ends on a failure."""
        if self._rehearsal is not None:
            self._rehearsal.end()
        self._access.close()
        self._ledger.close()
