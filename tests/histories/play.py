"""One seed: a history with runs of the tap in between, and the verdict.

At the end whoever kept the last version of each record, as a target does, must hold the org: every root in its newest version,
every list of child rows whole, nothing that is gone, and no Bulk job left behind.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from ikaroa_sandbox.salesforce import limits

from tests.histories.org import CHILDREN, FORMULA, ROOTS, Org
from tests.histories.person import Person
from tests.histories.reading import Ending, Reading, Run, State, quiet
from tests.histories.wire import Died, Wire

FAULTS = (
    "503_before",
    "500_after",
    "query_timeout",
    "invalid_locator",
    "401",
    "reset_before",
    "timeout_after",
)
BULK_FAULTS = ("503_before", "503", "job_failed", "reset_after")
PAGE_FAULTS = ("row_lost", "count_off", "locator_repeated", "locator_dropped")
"""Of the result pages of a Bulk job."""
DAY_S = 86_400
HOUR_S = 3600
CALM_S = 61
"""So long after the last commit a run that says it succeeded holds the org: clocks are less apart than this."""


@dataclass
class Result:
    """What became of a seed."""

    seed: int
    findings: list[str] = field(default_factory=list)
    calls: int = 0
    records: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    """Runs by how they ended."""
    told: list[str] = field(default_factory=list)


class Target:
    """Keeps the last version of each record, and the last STATE whose records it has all kept."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, dict[str, Any]]] = {stream: {} for stream in ROOTS}
        self.state: State | None = None

    def take(self, run: Run, *, killed_after: int | None = None) -> None:
        """Takes a run's output; `killed_after`: only so many records of it, and the STATE that stood before."""
        count = len(run.records) if killed_after is None else killed_after
        for stream, record in run.records[:count]:
            self.records[stream][record["Id"]] = record
        for before, state in run.states:
            if before <= count:
                self.state = state


class Play:
    """Plays seeds, one after the other, in one org."""

    def __init__(self) -> None:
        self.org = Org()
        with quiet():
            self.reading = Reading(self.org)

    def play(self, seed: int) -> Result:
        """Plays one seed. What raises besides the tap's own errors is a finding too."""
        # Salesforce guarantees no size of a page; small ones put more of them between what happens.
        with quiet(), patch.object(limits, "BATCH_MIN", 1):
            return _Seed(self, seed).play()


class _Seed:
    def __init__(self, play: Play, seed: int) -> None:
        self.org, self.reading = play.org, play.reading
        self.random = random.Random(f"history:{seed}")
        self.result = Result(seed)
        self.size = self.org.begin(self.random)
        self.org.sandbox.default_variants()
        if self.random.random() < 0.5:
            self.org.sandbox.draw_variants(seed)  # whatever is not documented may be either way
        self.tidy = True
        """Whether every job can be known to the tap: no answer about one was lost, nor a STATE that named it."""
        self.person = Person(self.org, self.random)
        self.target = Target()
        self.settings = self._settings()
        self.skew_s = self.random.choice([0, 0, 0, -3, 3, 70])
        told = {**self.settings, "org": self.size, "skew_s": self.skew_s}
        self.result.told = self.person.told
        self.result.told.append(f"{told} {self.org.sandbox.variants.chosen()}")

    def _settings(self) -> dict[str, Any]:
        chance = self.random
        few = self.size == "big"
        return {
            "api_type": chance.choice(["REST", "BULK2", "AUTO"]),
            "bulk_jobs": 1 if self.result.seed % 2 else 10,
            "page_size": 200 if few else chance.choice([1, 2, 5, 200]),
            "bulk_min_rows": chance.choice([1, 5]),
            "bulk_page_size": chance.choice([50, 200] if few else [1, 3, 50]),
            "bulk_parallel": chance.choice([1, 2]),
            "lookback_window": chance.choice([0, 0, 600]),
            "refresh_days": {"Opportunity": 1} if chance.random() < 0.3 else {},
            "max_retries": chance.choice([0, 0, 2]),
        }

    def play(self) -> Result:
        try:
            for _ in range(self.random.randrange(2, 6)):
                # Few things between two runs: each is alone more often, and nothing else heals what was made of it.
                for _ in range(self.random.randrange(1, self.random.choice([4, 14]))):
                    self.person.step()
                self._run_oddly()
            self._last_run()
        except Exception as error:  # noqa: BLE001  whatever it is, it must not have happened
            self.result.findings.append(f"{type(error).__name__}: {error}")
        return self.result

    def _run_oddly(self) -> None:
        """A run as runs are: with faults, people at work, an end that comes too soon. Or a calm one, where only faults are."""
        chance = self.random
        self._faults()
        calm = chance.random() < 0.3
        ending, busy = Ending(), 0.0
        if calm:
            self.person.rest(CALM_S)
        else:
            busy = chance.choice([0.0, 0.05, 0.2])
            if (luck := chance.random()) < 0.25:
                ending = Ending(at_call=chance.randrange(2, 30))
            elif luck < 0.5:
                ending = Ending(at_batch=chance.randrange(1, 13))
        run = self._run(ending, lambda: self.person.step() if chance.random() < busy else None)
        self.org.sandbox.faults.clear()
        about_jobs = (entry for entry in self.org.sandbox.journal if "/jobs/query" in entry.request.path)
        unheard = any(entry.fault and "/result" not in entry.request.path for entry in about_jobs)
        self.tidy = self.tidy and not unheard and not isinstance(run.error, Died)
        if not calm and chance.random() < 0.1:  # the target dies as well, somewhere
            kept = chance.randrange(len(run.records) + 1)
            self.result.told.append(f"  the target kept {kept} records")
            self.target.take(run, killed_after=kept)
            self.tidy = False
            return
        self.target.take(run)
        if calm and not run.error:
            # Where the roots could not be counted in time, the next run sees whether it reads all again.
            waiting = frozenset(
                stream
                for stream in CHILDREN
                if "up_to" in ((self.target.state or {})["bookmarks"][stream].get("recheck") or {})
            )
            verdict = Verdict(self.org, self.target)
            self.result.findings += verdict.findings(formulas=False, lists_wait=waiting)

    def _faults(self) -> None:
        """What goes wrong with the next run's requests."""
        chance, fault = self.random, self.org.fault
        if chance.random() < 0.3:
            fault(chance.choice(FAULTS), path="/query|/composite", nth=[chance.randrange(1, 9)])
        if chance.random() < 0.3:  # a query takes too long, or a later page of one is forgotten
            kind, path = chance.choice([("invalid_locator", "/query(All)?/."), ("query_timeout", "/query")])
            fault(kind, path=path, nth=[chance.randrange(1, 4)])
        if self.settings["api_type"] != "REST":
            if chance.random() < 0.3:
                fault(chance.choice(BULK_FAULTS), path="/jobs/query", nth=[chance.randrange(1, 12)])
            if chance.random() < 0.5:
                fault(chance.choice(PAGE_FAULTS), path="/results", nth=[chance.randrange(1, 4)])

    def _last_run(self) -> None:
        """Everything is quiet: no fault, nobody works."""
        self.person.rest(2 * DAY_S if self.settings["refresh_days"] else HOUR_S)
        run = self._run(Ending(), lambda: None)
        if run.error:
            raise run.error
        self.target.take(run)
        self.result.findings += Verdict(self.org, self.target).findings(
            formulas=bool(self.settings["refresh_days"])
        )
        if self.tidy and (left := self.org.jobs):
            self.result.findings.append(f"job left: {len(left)} Bulk jobs were not deleted")

    def _run(self, ending: Ending, meanwhile: Any) -> Run:
        self.result.told.append(f"-- run from {self.target.state}, {ending}")
        wire = Wire(self.org.sandbox, self.skew_s, meanwhile=meanwhile)
        run = self.reading.run(self.settings, self.target.state, wire, self.random, ending)
        self.result.calls += run.calls
        self.result.records += len(run.records)
        how = type(run.error).__name__ if run.error else "stopped" if ending.at_batch else "ended"
        self.result.ended[how] = self.result.ended.get(how, 0) + 1
        written = [f"{stream} {record['Id']}" for stream, record in run.records]
        self.result.told.append(f"   {how} {run.error or ''}: {written}")
        return run


@dataclass
class Verdict:
    """Compares what a target kept with the org's store."""

    org: Org
    target: Target

    def findings(self, *, formulas: bool, lists_wait: frozenset[str] = frozenset()) -> list[str]:
        """What is wrong, a sentence each. `lists_wait`: streams whose lists are not promised yet."""
        found = [finding for stream in ROOTS for finding in self._roots(stream)]
        found += [
            finding for stream in CHILDREN if stream not in lists_wait for finding in self._children(stream)
        ]
        if formulas:
            found += self._formulas()
        return found

    def _roots(self, stream: str) -> list[str]:
        there = self.org.rows(stream, "Description", "SystemModstamp")
        kept = {row_id: row for row_id, row in self.target.records[stream].items() if not row["IsDeleted"]}
        found = [f"missed: {stream} {row_id}" for row_id in there.keys() - kept.keys()]
        found += [f"kept though deleted: {stream} {row_id}" for row_id in kept.keys() - there.keys()]
        for row_id in there.keys() & kept.keys():
            words, stamp = there[row_id]
            if (kept[row_id]["Description"], kept[row_id]["SystemModstamp"][:23]) != (
                words,
                stamp[:10] + "T" + stamp[11:23],
            ):
                found.append(f"old version: {stream} {row_id}")
        return found

    def _children(self, stream: str) -> list[str]:
        relationship, kind, link = CHILDREN[stream]
        expected: dict[str, dict[str, Any]] = {row_id: {} for row_id in self.org.rows(stream)}
        for row_id, (root, words) in self.org.rows(kind, link, "Description").items():
            if root in expected:
                expected[root][row_id] = words
        found = []
        for root, rows in expected.items():
            given = self.target.records[stream].get(root, {}).get(relationship) or ()
            if {row["Id"]: row["Description"] for row in given} != rows:
                found.append(f"old list: {relationship} of {stream} {root}")
        return found

    def _formulas(self) -> list[str]:
        words = {row_id: text for row_id, (text,) in self.org.rows("Account", "Description").items()}
        kept = self.target.records["Opportunity"]
        return [
            f"old formula: Opportunity {row_id}"
            for row_id, (account,) in self.org.rows("Opportunity", "AccountId").items()
            if row_id in kept and kept[row_id].get(FORMULA) != words.get(account)
        ]
