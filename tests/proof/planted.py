"""Bad designs, each switched on by itself: every one must be caught. `python -m tests.proof.planted` prints which seed did it.

A proof that never fails proves nothing. These are mistakes that loaders of this kind do make; here they are patched in from
outside, for the length of a run of this harness, and never stand in the product.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from target_xero.engine import Engine
from target_xero.execute import bodies, decisions, executor, outcome, steps, writes
from target_xero.execute.context import RunContext
from target_xero.execute.listings import Listing
from target_xero.execute.outcome import Next, Verdict
from target_xero.execute.writes import WriteFlight
from target_xero.ledger import Ledger, lock
from target_xero.ledger.execution import ExecutionLedger
from target_xero.ledger.schema import intent
from target_xero.plan import amounts
from target_xero.xero.client import ClockOffset
from target_xero.xero.token_store import TokenStore

from tests.proof import fuzz
from tests.proof.house import House

SEEDS_MAX = 2_000
Patches = Iterator[None]

DESIGNS: dict[str, Callable[[], Any]] = {}


def design(function: Callable[[], Patches]) -> Callable[[], Patches]:
    """Registers a bad design under its name."""
    made = contextmanager(function)
    DESIGNS[function.__name__] = made  # type: ignore[assignment]
    return function


@design
def blind_resend() -> Patches:
    """No answer? Send it again."""
    kept = ExecutionLedger.unknown

    def unknown(self: Any, ids: Any, note: str, *, conflict: bool = False) -> None:
        if conflict:
            kept(self, ids, note, conflict=True)
        else:
            self.back_to_planned(ids, note)

    with patch.object(ExecutionLedger, "unknown", unknown):
        yield


@design
def look_up_without_quiet_period() -> Patches:
    """No answer? Look at once; nothing there, so send it again. And then the first request is carried out."""
    with patch.object(RunContext, "absence_proven_ms", lambda _self, one: one.last_sent_ms or 0):
        yield


@design
def quiet_period_too_short() -> Patches:
    """Waits, but not as long as a request can still take effect."""
    with patch.object(RunContext, "quiet_ms", property(lambda _self: 120_000)):
        yield


@design
def same_key_past_its_life() -> Patches:
    """Trusts the idempotency key: the same key again, however long ago the first call was."""

    def key(self: WriteFlight, _attempts: Any) -> str:
        return "-".join(str(parcel.intent.id) for parcel in self._parcels)

    with ExitStack() as stack:
        stack.enter_context(patch.object(WriteFlight, "_key", key))
        stack.enter_context(contextmanager(blind_resend)())
        yield


@design
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


@design
def state_before_intent() -> Patches:
    """The bookmark goes out when a document is read, not when the ledger owns it."""
    with patch.object(House, "early_state", new=True):
        yield


@design
def send_before_sent_is_committed() -> Patches:
    """The ledger learns of a send only after it: a process that dies meanwhile knows nothing of it."""
    kept = Ledger.begin_run

    def begin_run(self: Any, *args: Any, **options: Any) -> Any:
        with self.atomic() as connection:
            connection.execute(intent.update().where(intent.c.state == "sent").values(state="planned"))
        return kept(self, *args, **options)

    with patch.object(Ledger, "begin_run", begin_run):
        yield


@design
def done_without_link() -> Patches:
    """Writes down that it is done, and not what it has become."""
    with patch.object(ExecutionLedger, "_link", lambda *_args, **_options: None):
        yield


@design
def second_run_ignores_the_lock() -> Patches:
    """Two runs at once."""
    careless = SimpleNamespace(flock=lambda *_: None, LOCK_EX=0, LOCK_NB=0, LOCK_SH=0, LOCK_UN=0)
    with patch.object(lock, "fcntl", careless):
        yield


@design
def float_money() -> Patches:
    """Computes with binary fractions and rounds them as they come."""

    def line_amount(line: Any) -> Decimal:
        product = float(line.get("Quantity", 1)) * float(line.get("UnitAmount", 0))
        return Decimal(str(round(product, 2)))

    with patch.object(amounts, "line_amount", line_amount):
        yield


@design
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


@design
def failed_look_up_means_none() -> Patches:
    """A list that could not be read shows nothing, so there is nothing."""
    kept = Listing.take

    def take(self: Listing, answer: Any) -> Any:
        rows = kept(self, answer)
        if rows is None:
            self.ended = True
        return rows or []

    def usable(*_: Any) -> bool:
        return True

    with patch.object(Listing, "take", take), patch("target_xero.execute.lookups.usable", usable):
        yield


@design
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


@design
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


@design
def marker_lost() -> Patches:
    """A document's own reference leaves no room for the marker."""
    kept = bodies.reference
    with patch.object(bodies, "reference", lambda text, marker, longest: text or kept(text, marker, longest)):
        yield


@design
def server_error_means_not_done() -> Patches:
    """A 5xx is taken for a refusal."""
    kept = outcome.of_call

    def of_call(answer: Any, *args: Any, **options: Any) -> Any:
        verdict = kept(answer, *args, **options)
        failed = answer.status is not None and answer.status >= 500
        return Verdict(Next.UNSENT, "Xero failed.") if failed else verdict

    with patch.object(writes, "of_call", of_call):
        yield


@design
def wall_clock_measures_the_quiet_period() -> Patches:
    """This machine's clock instead of Xero's; somebody sets it, or it was wrong."""
    kept = ClockOffset.__init__

    def make(self: Any, timing: Any, wall: Any) -> None:
        kept(self, timing, wall)
        self.now = wall

    with patch.object(ClockOffset, "__init__", make):
        yield


@design
def namesake_taken_for_the_customer() -> Patches:
    """A contact of the same name must be the same customer: it is adopted and overwritten."""

    def adopt(context: Any, one: Any, row: Any) -> None:
        context.ledger.adopt(decisions.effect_of(one, row))

    with patch.object(decisions, "_refuse_name", adopt):
        yield


def hunt(name: str, most: int = SEEDS_MAX) -> tuple[str, int | None, str, float]:
    """(design, the seed that caught it, what it said, seconds); None: it got through."""
    began = time.monotonic()
    with DESIGNS[name](), fuzz.house() as place:
        for seed in range(most):
            try:
                findings = place.play(seed).findings
            except Exception as failure:  # noqa: BLE001  a design that breaks the target is caught, too
                findings = [f"BROKEN: {type(failure).__name__}: {failure}"]
            if findings:
                return name, seed, findings[0], time.monotonic() - began
    return name, None, "not caught", time.monotonic() - began


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 1 when a design got through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="within how many each must be caught")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=sorted(DESIGNS), action="append", help="this design alone")
    options = parser.parse_args(arguments)
    names = options.only or list(DESIGNS)
    missed = 0
    with multiprocessing.get_context("fork").Pool(options.workers, initializer=fuzz.settle_in) as pool:
        waiting = [pool.apply_async(hunt, (name, options.seeds)) for name in names]
        for entry in waiting:
            name, seed, said, seconds = entry.get()
            missed += seed is None
            caught = "NOT CAUGHT" if seed is None else f"seed {seed}"
            print(f"{name:38} {caught:>11} {seconds:6.1f} s  {said[:110]}", flush=True)
    print(f"{len(names) - missed} of {len(names)} bad designs caught within {options.seeds} seeds")
    return int(missed > 0)


if __name__ == "__main__":
    fuzz.fix_order("tests.proof.planted")
    sys.exit(main())
