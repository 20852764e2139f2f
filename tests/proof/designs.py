"""Bad designs, each switched on by itself. They are mistakes that loaders of this kind do make; `planted.py` hunts for them.

They are patched in from outside, for the length of one seed, and never stand in the product. Each names the harm that it
does: only a verdict of that harm counts as a catch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from target_xero.engine import Engine
from target_xero.exchange import Answer
from target_xero.execute import bodies, decisions, executor, outcome, steps, writes
from target_xero.execute.context import RunContext
from target_xero.execute.lookups import ListingFlight
from target_xero.execute.outcome import Next, Verdict
from target_xero.execute.writes import WriteFlight
from target_xero.ledger import Ledger, lock
from target_xero.ledger.execution import ExecutionLedger
from target_xero.ledger.schema import intent
from target_xero.xero.client import ClockOffset
from target_xero.xero.token_store import TokenStore

from tests.proof.house import House
from tests.proof.schedule import LISTS, Schedule

Patches = Iterator[None]
SHORT_S = 120
"""A quiet period that is too short."""
LONG_S = 900
"""One that is over."""


@dataclass(frozen=True)
class Design:
    """A mistake, and how to make it."""

    name: str
    sentence: str
    harm: str
    """The verdict that it must be caught by."""
    switched_on: Callable[[], AbstractContextManager[None]]
    likely: Callable[[Schedule], bool] = lambda _schedule: True
    """Schedules in which the harm is likely; they are played first."""


DESIGNS: dict[str, Design] = {}


def design(
    harm: str, likely: Callable[[Schedule], bool] = lambda _schedule: True
) -> Callable[[Callable[[], Patches]], Callable[[], Patches]]:
    """Registers a bad design under its name."""

    def register(function: Callable[[], Patches]) -> Callable[[], Patches]:
        name, sentence = function.__name__, (function.__doc__ or "").strip()
        DESIGNS[name] = Design(name, sentence, harm, contextmanager(function), likely)
        return function

    return register


def _dies(*places: str, restart_s: int = 0) -> Callable[[Schedule], bool]:
    """The process dies at one of these places, and is started again not before that time."""

    def likely(schedule: Schedule) -> bool:
        deaths = [death for run in schedule.runs for death in run.deaths]
        return any(death.where in places and death.restart_s >= restart_s for death in deaths)

    return likely


def _people(*acts: str) -> Callable[[Schedule], bool]:
    """Somebody does one of these."""
    return lambda schedule: any(act.what in acts for run in schedule.runs for act in run.acts)


def _late(schedule: Schedule) -> bool:
    """A write takes effect after the next run has begun."""
    return any(
        fault["do"] == "late_commit" and run.pause_s + 60 < fault["seconds"]
        for run in schedule.runs[:-1]
        for fault in run.faults
        if run.pause_s > SHORT_S
    )


def _unreadable(schedule: Schedule) -> bool:
    """A list cannot be read in a run, a quiet period after another one."""
    return any(
        earlier.pause_s >= LONG_S and any(fault.get("path") == LISTS for fault in run.faults)
        for earlier, run in itertools.pairwise(schedule.runs)
        if any("after" in fault["do"] or fault["do"] == "truncated_json" for fault in earlier.faults)
        or earlier.deaths
    )


def _wrong_clock(schedule: Schedule) -> bool:
    """This machine's clock goes forward between two runs, and a write of the first takes effect in the second."""
    return any(
        later.wall_jump_s > earlier.wall_jump_s
        and any(
            fault["do"] == "late_commit" and earlier.pause_s + 60 < fault["seconds"]
            for fault in earlier.faults
        )
        for earlier, later in itertools.pairwise(schedule.runs)
    )


@contextmanager
def _planned_again(*states: str) -> Patches:
    """A run begins with what is in these states as if it had never been sent."""
    kept = Ledger.begin_run

    def begin_run(self: Any, *args: Any, **options: Any) -> Any:
        with self.atomic() as connection:
            connection.execute(intent.update().where(intent.c.state.in_(states)).values(state="planned"))
        return kept(self, *args, **options)

    with patch.object(Ledger, "begin_run", begin_run):
        yield


@design("DOUBLED")
def blind_resend() -> Patches:
    """No answer? Send it again."""
    kept, kept_look = ExecutionLedger.unknown, executor.before_create

    def unknown(self: Any, ids: Any, note: str, *, conflict: bool = False) -> None:
        if conflict:
            kept(self, ids, note, conflict=True)
        else:
            self.back_to_planned(ids, note)

    def look(context: Any, intents: Any, linked: Any) -> bool:
        never_sent = [one for one in intents if not one.attempt]
        return bool(never_sent) and kept_look(context, never_sent, linked)

    with (
        patch.object(ExecutionLedger, "unknown", unknown),
        patch.object(executor, "before_create", look),
        _planned_again("sent", "unknown"),
    ):
        yield


@design("DOUBLED")
def look_up_without_quiet_period() -> Patches:
    """No answer? Look at once; nothing there, so send it again. And then the first request is carried out."""
    with patch.object(RunContext, "absence_proven_ms", lambda _self, one: one.last_sent_ms or 0):
        yield


@design("DOUBLED", _late)
def quiet_period_too_short() -> Patches:
    """Waits, but not as long as a request can still take effect."""
    with patch.object(RunContext, "quiet_ms", property(lambda _self: SHORT_S * 1_000)):
        yield


@design("DOUBLED", _dies("after bytes", "bytes on their way", "C6", restart_s=400))
def same_key_past_its_life() -> Patches:
    """Trusts the idempotency key: the same key again, however long ago the first call was."""

    def key(self: WriteFlight, _attempts: Any) -> str:
        return "-".join(str(parcel.intent.id) for parcel in self._parcels)

    with ExitStack() as stack:
        stack.enter_context(patch.object(WriteFlight, "_key", key))
        stack.enter_context(contextmanager(blind_resend)())
        yield


@design("OVERWRITTEN", _people("take number", "take name"))
def post_instead_of_put() -> Patches:
    """Creates with the verb that also updates: somebody else's document with the number, or the name, is overwritten."""
    kept = WriteFlight.__init__

    def make(self: Any, *args: Any) -> None:
        kept(self, *args)
        if not self.call.path.endswith("Allocations"):
            self.call = replace(self.call, method="POST")

    def looked(_context: Any, _intents: Any, _linked: Any) -> bool:
        return False

    with patch.object(WriteFlight, "__init__", make), patch.object(executor, "before_create", looked):
        yield


@design("LOST", lambda schedule: _dies("C0")(schedule) or any(run.disk_full for run in schedule.runs))
def state_before_intent() -> Patches:
    """The bookmark goes out when a document is read, not when the ledger owns it."""
    with patch.object(House, "early_state", new=True):
        yield


@design("DOUBLED", _dies("bytes on their way"))
def send_before_sent_is_committed() -> Patches:
    """The ledger learns of a send only after it: a process that dies meanwhile knows nothing of it."""
    with _planned_again("sent"):
        yield


@design("DOUBLED")
def done_without_link() -> Patches:
    """Writes down that it is done, and not what it has become."""
    kept = ExecutionLedger._link

    def link(self: Any, connection: Any, effects: Any, *, agreed: bool) -> None:
        if agreed and effects:
            self._release(
                connection, effects[0].intent.kind, [effect.intent.source_key for effect in effects]
            )
        else:
            kept(self, connection, effects, agreed=agreed)

    with patch.object(ExecutionLedger, "_link", link):
        yield


@design("LOCK", lambda schedule: any(run.overlap for run in schedule.runs))
def second_run_ignores_the_lock() -> Patches:
    """Two runs at once."""
    careless = SimpleNamespace(flock=lambda *_: None, LOCK_EX=0, LOCK_NB=0, LOCK_SH=0, LOCK_UN=0)
    with patch.object(lock, "fcntl", careless):
        yield


@design("WRONG")
def float_money() -> Patches:
    """Prices are binary fractions, rounded to the cent as they come."""
    kept = Engine.accept

    def cents(line: Any) -> Any:
        return (
            {**line, "UnitAmount": str(round(float(line["UnitAmount"]), 2))} if "UnitAmount" in line else line
        )

    def accept(self: Engine, stream: str, documents: Any) -> None:
        rounded = [
            {**document, "LineItems": [cents(line) for line in document["LineItems"]]}
            if "LineItems" in document
            else document
            for document in documents
        ]
        kept(self, stream, rounded)

    with patch.object(Engine, "accept", accept):
        yield


@design("TOKEN", lambda schedule: schedule.refresh_token and any(run.deaths for run in schedule.runs))
def token_used_before_saved() -> Patches:
    """The new refresh token is kept in memory until the work is done."""
    kept_save, kept_settle = TokenStore.save, Engine.settle
    unsaved: list[tuple[Any, ...]] = []

    def settle(self: Engine) -> bool:
        result = kept_settle(self)
        while unsaved:
            kept_save(*unsaved.pop(0))
        return result

    def begin(self: Any, *args: Any) -> None:
        unsaved[:] = [(self, *args)]

    with patch.object(TokenStore, "save", begin), patch.object(Engine, "settle", settle):
        yield


@design("DOUBLED", _unreadable)
def failed_look_up_means_none() -> Patches:
    """A list that could not be read shows nothing, so there is nothing."""
    kept = ListingFlight.settle

    def settle(self: ListingFlight, answer: Any) -> None:
        read = answer.status == 200 and isinstance(answer.body, dict)
        kept(self, answer if read else Answer(answer.call, status=304))

    with patch.object(ListingFlight, "settle", settle):
        yield


@design("DOUBLED")
def old_list_believed() -> Patches:
    """A list that was read before the write is asked whether the write has happened."""
    kept = steps.listing

    def listing(context: Any, kind: str, _asked_since_ms: int = 0) -> Any:
        return kept(context, kind)

    with (
        patch.object(steps, "listing", listing),
        patch.object(RunContext, "forget", lambda *_: None),
        patch.object(RunContext, "absence_proven_ms", lambda *_: 0),
    ):
        yield


@design("DOUBLED")
def batch_resent_as_a_batch() -> Patches:
    """One element without an answer? The whole call again."""
    kept = WriteFlight._settle_all

    def settle_all(self: WriteFlight, verdict: Verdict) -> None:
        if verdict.next in (Next.UNKNOWN, Next.UNKNOWN_SPLIT) and len(self._parcels) > 1:
            self._context.ledger.back_to_planned([parcel.intent.id for parcel in self._parcels])
        else:
            kept(self, verdict)

    with patch.object(WriteFlight, "_settle_all", settle_all):
        yield


@design("LOST")
def marker_lost() -> Patches:
    """A document's own reference leaves no room for the marker."""
    kept = bodies.reference
    with patch.object(bodies, "reference", lambda kind, text, marker: text or kept(kind, text, marker)):
        yield


@design("DOUBLED")
def server_error_means_not_done() -> Patches:
    """A 5xx is taken for a refusal: the call goes again, under a new key."""
    kept = outcome.of_call

    def of_call(answer: Any, *args: Any, **options: Any) -> Any:
        verdict = kept(answer, *args, **options)
        failed = answer.status is not None and answer.status >= 500
        return Verdict(Next.UNSENT, "Xero failed.") if failed else verdict

    def key(self: WriteFlight, _attempts: Any) -> str:
        return f"{self._sent_ms}-{self._parcels[0].intent.id}"

    with patch.object(writes, "of_call", of_call), patch.object(WriteFlight, "_key", key):
        yield


@design("DOUBLED", _wrong_clock)
def wall_clock_measures_the_quiet_period() -> Patches:
    """This machine's clock instead of Xero's; somebody sets it, or it was wrong."""
    kept = ClockOffset.__init__

    def make(self: Any, timing: Any, wall: Any) -> None:
        kept(self, timing, wall)
        self.now = wall

    with patch.object(ClockOffset, "__init__", make):
        yield


@design("OVERWRITTEN", _people("take name"))
def namesake_taken_for_the_customer() -> Patches:
    """A contact of the same name must be the same customer: it is adopted and overwritten."""

    def adopt(context: Any, one: Any, row: Any) -> None:
        context.ledger.adopt(decisions.effect_of(one, row))

    with patch.object(decisions, "_refuse_name", adopt):
        yield
