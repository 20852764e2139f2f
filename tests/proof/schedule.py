"""What is done to the world: drawn from the seed before anything runs, so that it can be printed and read.

A schedule is a few troubled runs with people and time in between; two clean runs always follow.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

LATEST_EFFECT_S = 300
"""A1: the longest time after which a request still takes effect."""
STALE_S = 60
"""A4: the age of the oldest data that a read may answer from."""
POINTS = ("C0", "C1", "C2", "C3", "C6", "C8", "C9", "C10", "C11")

_READS = {"system": "xero", "method": "GET", "path": "^/api.xro/"}
_WRITES = {"system": "xero", "method": ["PUT", "POST"], "path": "^/api.xro/"}
_ANY = {"system": "xero", "path": "^/api.xro/"}
LISTS = "/(Quotes|Invoices|CreditNotes|Payments)$"
_UNREADABLE = ("500_before", "503_before", "timeout_before", "truncated_json", "html_page_before")
_EITHER = (
    "429_minute", "429_day", "429_concurrent", "500_before", "502_before", "503_before", "504_before",
    "timeout_before", "reset_before", "connect_failed", "html_page_before", "expire_tokens", "slow",
    "timeout_after", "reset_after", "reset_mid_body", "reset_after_body", "truncated_json", "html_page_after",
    "wrong_content_type", "500_after", "502_after", "503_after", "504_after",
)  # fmt: skip
_TELLING = (
    "timeout_after", "reset_after", "truncated_json", "late_commit", "late_commit", "late_commit", "duplicate",
    "500_after", "503_after", "504_after",
)  # fmt: skip
"""What troubles money most: it was done, or will be, and nobody was told."""


@dataclass
class Death:
    """When the process ends: at the n-th passing of a named point, or around the n-th request's bytes."""

    where: str
    """A named point, or `before bytes`, `after bytes`, `bytes on their way`."""
    n: int
    seconds: float = 0.0
    """For bytes on their way: when Xero acts on them."""
    restart_s: int = 0
    """How long until the scheduler starts it again."""


@dataclass
class Freeze:
    """The machine stands still at the n-th passing of a named point."""

    where: str
    n: int
    seconds: float


@dataclass
class Act:
    """Something that happens just before the n-th request of a run, or between runs (n = 0)."""

    n: int
    what: str
    chance: int
    """Picks whom it happens to, when it happens."""


@dataclass
class RunPlan:
    """One run and what goes wrong in it."""

    changes: int = 0
    chunk: int = 50
    replay: float = 0.0
    """The share of documents that are sent although their bookmark is past."""
    flights: int = 4
    faults: list[dict[str, Any]] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    freezes: list[Freeze] = field(default_factory=list)
    plan_first: bool = False
    """Somebody looks at the plan of the run before it; nothing may be written."""
    approve: bool = False
    """It only proposes; somebody approves what waits, and it is carried out, after the run or at the end of all."""
    retry: bool = False
    """What was refused or parked is to go again."""
    disk_full: int = 0
    """The n-th commit of the ledger fails; 0: none."""
    overlap: int = 0
    """A second run is tried before the n-th request; 0: none."""
    wall_jump_s: int = 0
    """By how much this machine's wall clock is wrong."""
    real_driver: bool = False
    pause_s: int = 0
    """How long nothing happens afterwards."""


@dataclass
class Schedule:
    """Everything that happens in one seed before the two clean runs."""

    seed: int
    variants: bool = True
    refresh_token: bool = False
    page_size: int = 1000
    quiet_s: int = 900
    batch: int = 50
    runs: list[RunPlan] = field(default_factory=list)

    def told(self) -> list[str]:
        """For people."""
        sign_in = "refresh token" if self.refresh_token else "custom connection"
        rules = "drawn" if self.variants else "default"
        lines = [
            f"seed {self.seed}: variants {rules}, {sign_in}, pages of {self.page_size}, quiet period {self.quiet_s} s"
        ]
        lines.append(f"  {self.batch} documents a call")
        for n, run in enumerate(self.runs, 1):
            parts = [
                f"{name}={value!r}" for name, value in vars(run).items() if value not in (0, 0.0, [], False)
            ]
            lines.append(f"  run {n}: {', '.join(parts)}")
        return lines


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(f"schedule {seed}")
    found = Schedule(
        seed,
        variants=chance.random() < 0.8,
        refresh_token=chance.random() < 0.1,
        page_size=chance.choice((1000, 1000, 1000, 2, 3)),
        quiet_s=chance.choice((900, 900, 600)),
        batch=chance.choice((50, 50, 10, 3, 1)),
    )
    for n in range(chance.choice((1, 1, 2, 2, 3))):
        found.runs.append(_run(chance, first=n == 0))
    apart = random.Random(f"approval {seed}")
    if apart.random() < 0.05:
        apart.choice(found.runs).approve = True
    return found


def _run(chance: random.Random, *, first: bool) -> RunPlan:
    run = RunPlan(
        changes=0 if first else chance.choice((0, 1, 2, 3)),
        chunk=chance.choice((50, 50, 8)),
        replay=chance.choice((0.0, 0.2, 1.0)),
        flights=chance.choice((1, 2, 4, 4)),
        wall_jump_s=chance.choice((0, 0, 3600, -3600)),
        pause_s=chance.choice((0, 5, 150, 200, 250, 1000, 1000)),
        real_driver=chance.random() < 0.03,
    )
    if run.real_driver:
        run.flights = 1  # the threads' own order is nobody's to draw
    run.faults = [_fault(chance) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    if chance.random() < 0.05:
        run.faults.append(
            {**_READS, "do": "stale", "every": 1, "times": 50, "seconds": chance.randint(1, STALE_S)}
        )
    if (
        not first and chance.random() < 0.12
    ):  # what is in doubt is to be looked up, and its list cannot be read
        run.faults.append(
            {**_READS, "path": LISTS, "do": chance.choice(_UNREADABLE), "times": chance.randint(1, 3)}
        )
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        run.deaths.append(_death(chance, real_driver=run.real_driver))
    if chance.random() < 0.25:
        run.acts = [
            Act(chance.choice((0, chance.randint(2, 16))), chance.choice(ACTS), chance.randrange(1 << 20))
            for _ in range(chance.choice((1, 1, 2)))
        ]
    if chance.random() < 0.06:
        run.disk_full = chance.randint(1, 40)
    if chance.random() < 0.06:
        run.overlap = chance.randint(2, 12)
    if chance.random() < 0.1 and not run.real_driver:
        run.freezes = [
            Freeze(chance.choice(POINTS), chance.randint(1, 6), chance.choice((3, 60, 1200, 1200)))
        ]
    run.plan_first = chance.random() < 0.05
    run.retry = chance.random() < 0.1
    return run


def _fault(chance: random.Random) -> dict[str, Any]:
    drawn = chance.random()
    if drawn < 0.55:
        rule = {**_WRITES, "do": chance.choice(_TELLING), "nth": chance.randint(1, 6)}
    elif drawn < 0.7:
        lists = chance.choice(("Contacts", "Items", "Quotes", "Invoices", "CreditNotes", "Payments"))
        rule = {**_READS, "path": f"/{lists}$", "do": chance.choice(_EITHER), "nth": chance.randint(1, 2)}
    elif drawn < 0.75:  # a bad quarter of an hour
        rule = {
            **_ANY,
            "do": chance.choice(_EITHER),
            "after": chance.randint(0, 8),
            "times": chance.randint(3, 12),
        }
    else:
        rule = {**_ANY, "do": chance.choice(_EITHER), "nth": chance.randint(1, 14)}
    if rule["do"] == "late_commit":
        rule["seconds"] = chance.choice((1, chance.randint(1, LATEST_EFFECT_S), 270, LATEST_EFFECT_S))
        rule["answer"] = chance.choice(("timeout", "timeout", "reset", "503"))
    if rule["do"] == "slow":
        rule["seconds"] = chance.choice((5, 29, 31, 120))
    return rule


def _death(chance: random.Random, *, real_driver: bool) -> Death:
    restart_s = chance.choice((0, 0, 60, 150, 400))
    if real_driver or chance.random() < 0.5:
        return Death(chance.choice(POINTS), chance.choice((1, 1, chance.randint(1, 6))), restart_s=restart_s)
    where = chance.choice(
        ("before bytes", "after bytes", "after bytes", "bytes on their way", "bytes on their way")
    )
    return Death(where, chance.randint(1, 16), chance.choice((1, 60, 200, LATEST_EFFECT_S)), restart_s)


ACTS = (
    "approve", "approve", "approve", "pay", "void", "delete", "edit", "unmark", "rename", "archive", "merge",
    "take number", "take number", "take name", "take name", "take back payment", "close books", "close books", "open books",
)  # fmt: skip
"""What people do; see `people.py`."""
