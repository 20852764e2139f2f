"""Carries a schedule out: the target's own engine on the sandbox, in one thread, on the virtual clock.

Nothing here decides anything about documents. The driver is replaced by one that sends and receives in an order drawn from
the seed; the connection ends the process, lets people act, and freezes the machine at given requests: see `standins.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.systems import System
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES
from sqlalchemy.exc import SQLAlchemyError
from target_xero import access, crash, limits
from target_xero.engine import Engine
from target_xero.errors import AuthorisationError, LedgerInUseError, LedgerTakenOverError, TargetXeroError
from target_xero.preview import approval
from target_xero.preview.bench import proposals
from target_xero.settings import Settings
from target_xero.xero import driver
from target_xero.xero.client import ClockOffset
from target_xero.xero.pacing import Timing

from tests.proof.ledgers import Ledgers
from tests.proof.people import People
from tests.proof.schedule import Death, RunPlan, Schedule, draw
from tests.proof.source import STREAMS, Document, Key, Source
from tests.proof.standins import Died, Fuse, Line, Seconds, SeededThreads
from tests.proof.verdict import Story, Verdict

TOKEN_KEY = "0f" * 32
CALM = 100_000
"""Numbers of the clean runs begin here."""
APPROVED_WITHIN_S = 200
"""Where nothing happens for longer than that after a run, nobody approves before the end."""


@dataclass
class Result:
    """What became of one seed."""

    seed: int
    findings: list[str]
    told: list[str] = field(default_factory=list)
    journal: list[Any] = field(default_factory=list)
    calls: int = 0
    deaths: int = 0


class House:
    """One schedule at a time."""

    early_state = False
    """Whether bookmarks go out before the ledger owns what they cover: a bad design, see `planted.py`."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers
        self.sandbox = Sandbox(systems=[System(XeroBackend, RULES)])
        self._new = self.sandbox.save()

    def play(self, seed: int) -> Result:
        """The whole of one seed, and the verdict."""
        schedule = draw(seed)
        self.begin(schedule)
        for number, plan in enumerate(schedule.runs):
            self._troubled(plan, number)
        # Where nothing is left, a second clean run has nothing to do; every fourth seed makes it all the same.
        return self.end(calm_runs=2, sparing=seed % 4 != 0)

    def end(self, *, calm_runs: int, sparing: bool = False) -> Result:
        """The clean runs that follow everything, each after a quiet period, and the verdict."""
        schedule = self._schedule
        self.sandbox.faults.clear()
        calm = RunPlan(replay=0.3)
        if self.people.books_were_closed:  # what was refused for it goes again once somebody says so
            self.people.act("open books", 0)
            calm = replace(calm, retry=True)
        for number in range(calm_runs):
            self.sandbox.clock.advance(schedule.quiet_s + 100)
            self._run(calm, CALM + number, None, calm=True)
            waiting = any(row["state"] in ("planned", "sent", "unknown") for row in self._ledgers.open_rows())
            if sparing and not waiting:
                break
        self.sandbox.clock.advance(schedule.quiet_s + 100)
        for _ in range(2):  # what waited for something that was itself to be approved comes with the second
            if any(row["state"] == "proposed" for row in self._ledgers.open_rows()):
                self._approve_all()
        story = Story(
            self.source,
            self.people.touched,
            self.people.approved,
            self._ledgers.open_rows(),
            numbers_stay_taken=self.sandbox.variants["xero.documents.number_reuse"] == "taken",
            findings=self._findings,
        )
        findings = Verdict(story, self.sandbox.dump("xero"), self.sandbox.journal).findings()
        told = [*schedule.told(), *self._told, *(f"  {line}" for line in self.people.told)]
        return Result(
            schedule.seed, findings, told, list(self.sandbox.journal), len(self.sandbox.journal), self._deaths
        )

    def one_run(self, plan: RunPlan, number: int, death: Death | None = None) -> None:
        """One run with its faults; the next one finds none of them."""
        self.sandbox.faults.clear()
        if plan.faults:
            self.sandbox.faults.add({"rules": plan.faults})
        self._run(plan, number * 10, death)
        self.sandbox.faults.clear()

    def begin(self, schedule: Schedule) -> None:
        """A new world, organisation and ledger."""
        self._schedule = schedule
        self._ledgers.renew()
        self._token_store.unlink(missing_ok=True)
        self.sandbox.restore(self._new)
        if schedule.variants:
            self.sandbox.draw_variants(schedule.seed)
        self.source = Source(random.Random(f"source {schedule.seed}"))
        self.source.found()
        self.people = People(self.sandbox, self.source)
        self._told: list[str] = []
        self._findings: list[str] = []
        self._deaths = 0
        limits.PAGE_SIZE = schedule.page_size

    @property
    def _token_store(self) -> Path:
        return self._ledgers.folder / "token.json"

    def settings(self, **more: Any) -> Settings:
        """The target's settings for this schedule."""
        config: dict[str, Any] = {
            "client_id": credentials.XERO_CLIENT_ID, "client_secret": credentials.XERO_CLIENT_SECRET,
            "ledger_path": str(self._ledgers.path), "token_store_path": str(self._token_store),
            "allow_statuses": ["DRAFT", "SUBMITTED", "AUTHORISED"], "quiet_period_seconds": self._schedule.quiet_s,
            "batch_documents": self._schedule.batch,
            "run_by": "author", "plan_path": str(self._ledgers.folder / "plan"),
        }  # fmt: skip
        if self._schedule.refresh_token:
            config |= {"refresh_token": credentials.XERO_REFRESH_TOKEN, "token_store_key": TOKEN_KEY}
        return _read_settings(json.dumps(config | more))

    def try_second_run(self) -> None:
        """Cron starts another run while this one is at work: it must be turned away."""
        try:
            second = Engine(self.settings(), adapter=SandboxAdapter(self.sandbox), timing=self._timing(0))
        except LedgerInUseError:
            return
        second.abandon()
        self._findings.append("LOCK: a second run was let in while the first was at work")

    # -- runs --------------------------------------------------------------------------------------------------------------

    def _troubled(self, plan: RunPlan, number: int) -> None:
        for _ in range(plan.changes):
            self._told.append(f"  before run {number + 1}: {self.source.change()}")
        for act in plan.acts:
            if act.n == 0:
                self.people.act(act.what, act.chance)
        self.sandbox.faults.clear()
        if plan.faults:
            self.sandbox.faults.add({"rules": plan.faults})
        if plan.plan_first:
            self._look_at_plan()
        for attempt, death in enumerate((*plan.deaths, None)):
            if not self._run(plan, number * 10 + attempt, death):
                break
            self.sandbox.clock.advance(death.restart_s if death else 0)
        self._ledgers.commits_left = 0
        if plan.approve and plan.pause_s < APPROVED_WITHIN_S:
            self.sandbox.faults.clear()
            self._approve_all()
        self.sandbox.clock.advance(plan.pause_s)

    def _look_at_plan(self) -> None:
        """A run in mode `plan`: it may fail, but it writes nothing, and no bookmark moves."""

        def look(engine: Engine) -> None:
            for key, document in self.source.now.items():
                engine.accept(key[0], [document])
            engine.settle()

        before = len(self.sandbox.journal)
        known = self._ledgers.open_rows()
        self._at_desk("plan", look)
        wrote = [
            e for e in list(self.sandbox.journal)[before:] if _is_write(e.request) and e.outcome != "late"
        ]
        if wrote or known != self._ledgers.open_rows():
            self._findings.append(f"PLAN: looking at a plan wrote {len(wrote)} times, or changed the ledger")

    def _approve_all(self) -> None:
        """Somebody approves all that waits, and it is carried out."""

        def approve(engine: Engine) -> None:
            plan = proposals(engine)
            documents = approval.chosen(plan, (), ())
            now = engine.leave_rehearsal()
            if documents:
                approval.approve(engine.ledger, plan, documents, "controller", "", now)
            self._told.append(f"  {len(documents)} documents are approved")

        def carry_out(engine: Engine) -> None:
            released = approval.release(engine.ledger)
            engine.settle()
            approval.finish(engine.ledger, released, engine.now())
            self._told.append(f"  {len(released.started)} approved documents are carried out")

        self._at_desk("plan", approve)
        self._at_desk("apply", carry_out)

    def _at_desk(self, mode: str, work: Callable[[Engine], None]) -> None:
        """Runs a command; no access is a reason to give up, not a finding."""
        engine: Engine | None = None
        chance = random.Random(f"{mode} {self._schedule.seed} {len(self.sandbox.journal)}")
        self._make_ours(0, SeededThreads(chance))
        try:
            engine = Engine(
                self.settings(mode=mode), adapter=SandboxAdapter(self.sandbox), timing=self._timing(0)
            )
            work(engine)
        except TargetXeroError as failure:
            self._told.append(f"  no {mode}: {type(failure).__name__}: {failure}")
        finally:
            self._give_back()
            if engine is not None:
                engine.abandon()

    def _timing(self, start: float) -> Timing:
        clock = self.sandbox.clock
        return Timing(Seconds(clock, start), clock.advance)  # type: ignore[arg-type]

    def _run(self, plan: RunPlan, number: int, death: Death | None, *, calm: bool = False) -> bool:
        """One process. True: it died, and the scheduler starts it again."""
        chance = random.Random(f"run {self._schedule.seed} {number}")
        self._ledgers.commits_left = plan.disk_full if number % 10 == 0 else 0
        crash.armed = Fuse(death, plan.freezes, self.sandbox.clock.advance)
        limits.FLIGHTS_MAX = plan.flights
        self._make_ours(plan.wall_jump_s, None if plan.real_driver else SeededThreads(chance))
        engine: Engine | None = None
        try:
            line = Line(self, plan, death, chance)
            mode = "approve" if plan.approve else "apply"
            engine = Engine(
                self.settings(mode=mode), adapter=line, timing=self._timing(chance.uniform(0, 1e6))
            )
            if plan.retry:
                engine.retry()
            self._feed(engine, plan, chance)
            if calm and engine.stopped:
                self._findings.append(f"STOPPED: a run without faults stopped: {engine.stopped}")
        except Died as died:
            self._deaths += 1
            self._told.append(f"  run {number} died: {died}")
            if calm or death is None:
                self._findings.append(f"ENDLESS: run {number}: {died}")
            return death is not None
        except (TargetXeroError, SQLAlchemyError) as failure:
            self._failed(failure, number, calm=calm)
        finally:
            crash.armed = None
            self._give_back()
            if engine is not None:
                engine.abandon()
        return False

    def _make_ours(self, wall_jump_s: int, threads: SeededThreads | None) -> None:
        """The wall clock, and the order in which calls go and land."""
        access.ClockOffset = partial(ClockOffset, wall=partial(self._wall, wall_jump_s))  # type: ignore[misc, assignment]
        if threads is not None:
            driver.ThreadPoolExecutor = lambda *_, **__: threads  # type: ignore[assignment, misc]
            driver.wait = threads.wait  # type: ignore[assignment]

    def _give_back(self) -> None:
        access.ClockOffset = ClockOffset  # type: ignore[misc]
        driver.ThreadPoolExecutor, driver.wait = ThreadPoolExecutor, wait  # type: ignore[misc]

    def _wall(self, jump_s: int) -> datetime:
        return self.sandbox.clock.now() + timedelta(seconds=jump_s)

    def _failed(self, failure: Exception, number: int, *, calm: bool) -> None:
        self._told.append(f"  run {number} ended: {type(failure).__name__}: {failure}")
        if isinstance(failure, AuthorisationError) and self._schedule.refresh_token:
            self._authorise_again()
            if calm:  # the person signs in again, and the run is started again
                self._run(RunPlan(), number + 5, None, calm=True)
        elif calm or isinstance(failure, LedgerTakenOverError):
            self._findings.append(f"FAILED: run {number}: {type(failure).__name__}: {failure}")

    def _authorise_again(self) -> None:
        if _used_before_saved(list(self.sandbox.journal)):
            self._findings.append("TOKEN: the newest refresh token was used and then lost")
        self._token_store.unlink(missing_ok=True)
        self.sandbox.backend("xero").identity.reset()  # type: ignore[attr-defined]

    def _feed(self, engine: Engine, plan: RunPlan, chance: random.Random) -> None:
        """Sends what no bookmark has passed and some of the rest, and moves the bookmark when the target says so."""
        again = [key for key in self.source.now if chance.random() < plan.replay]
        keys = list(dict.fromkeys([*self.source.unacknowledged, *again]))
        if chance.random() < 0.8:
            keys.sort(key=lambda key: STREAMS.index(key[0]))
        sent: list[tuple[Key, Document]] = []
        for start in range(0, len(keys), plan.chunk):
            for key in keys[start : start + plan.chunk]:
                document = self.source.now[key]
                engine.accept(key[0], _as_sent(document, chance))
                sent.append((key, document))
                if self.early_state:
                    self.source.acknowledge(key, document)
            if not engine.settle():
                return
            for key, document in sent:
                self.source.acknowledge(key, document)
        if not keys:
            engine.settle()


@lru_cache(maxsize=64)
def _read_settings(config: str) -> Settings:
    return Settings.read(json.loads(config))


def _as_sent(document: Document, chance: random.Random) -> list[Document]:
    """As a mapping gives it: a re-key with the content, or before or after it; now and then twice."""
    if "previous_source_key" in document and chance.random() < 0.6:
        move = {name: document[name] for name in ("source_key", "previous_source_key")}
        content = {name: value for name, value in document.items() if name != "previous_source_key"}
        return [move, content] if chance.random() < 0.5 else [content, move]
    return [document] * (2 if chance.random() < 0.05 else 1)


def _is_write(request: Any) -> bool:
    return request.method != "GET" and "/api.xro/" in request.path


def _used_before_saved(journal: list[Any]) -> bool:
    """Whether the token end point refuses by now, and its last good answer was followed by a call that used it."""
    asked = [n for n, e in enumerate(journal) if e.request.path.endswith("/connect/token")]
    granted = [n for n in asked if journal[n].handled_status == 200]
    refused = bool(asked) and journal[asked[-1]].handled_status == 400
    return (
        refused
        and bool(granted)
        and any("/api.xro/" in e.request.path for e in journal[granted[-1] : asked[-1]])
    )
