"""Any order of what the CRM, the scheduler, people and time do: hypothesis looks for one that loses or doubles something."""

from __future__ import annotations

import os
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.proof import fuzz, schedule
from tests.proof.house import House
from tests.proof.schedule import ACTS, POINTS, Death, RunPlan, Schedule

PROFILES = {"default": (15, 20), "large": (500, 50)}
"""Examples and steps, by `HYPOTHESIS_PROFILE`."""
_WRITE = {"system": "xero", "method": ["PUT", "POST"], "path": "^/api.xro/"}
_LOSSES = (
    "timeout_after",
    "reset_after",
    "truncated_json",
    "503_after",
    "timeout_before",
    "429_minute",
    "duplicate",
)


def machine(house: House) -> type[RuleBasedStateMachine]:  # noqa: C901 (one rule a kind of event)
    """The machine over one house; a new example is a new organisation."""

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.number = 0
            house.begin(Schedule(seed=7, variants=False))

        @rule(times=st.integers(1, 3))
        def the_crm_changes(self, times: int) -> None:
            for _ in range(times):
                house.source.change()

        @rule(replay=st.sampled_from([0.0, 0.5, 1.0]), chunk=st.sampled_from([2, 50]))
        def run(self, replay: float, chunk: int) -> None:
            self._run(RunPlan(replay=replay, chunk=chunk))

        @rule(loss=st.sampled_from(_LOSSES), nth=st.integers(1, 5))
        def an_answer_is_lost(self, loss: str, nth: int) -> None:
            self._run(RunPlan(faults=[{**_WRITE, "do": loss, "nth": nth}]))

        @rule(nth=st.integers(1, 5), seconds=st.integers(1, schedule.LATEST_EFFECT_S))
        def a_write_comes_late(self, nth: int, seconds: int) -> None:
            self._run(RunPlan(faults=[{**_WRITE, "do": "late_commit", "nth": nth, "seconds": seconds}]))

        @rule(point=st.sampled_from(POINTS), n=st.integers(1, 4))
        def the_process_dies(self, point: str, n: int) -> None:
            self._run(RunPlan(), Death(point, n))

        @rule(
            where=st.sampled_from(["before bytes", "after bytes", "bytes on their way"]), n=st.integers(3, 14)
        )
        def the_process_dies_with_a_call_under_way(self, where: str, n: int) -> None:
            self._run(RunPlan(), Death(where, n, 200.0))

        @precondition(lambda self: self.number)
        @rule(what=st.sampled_from(sorted(set(ACTS))), whom=st.integers(0, 99))
        def somebody_acts(self, what: str, whom: int) -> None:
            house.people.act(what, whom)

        @rule(seconds=st.sampled_from([1, 60, 250, 1000]))
        def time_passes(self, seconds: int) -> None:
            house.sandbox.clock.advance(seconds)

        def _run(self, plan: RunPlan, death: Death | None = None) -> None:
            self.number += 1
            house.one_run(plan, self.number, death)

        def teardown(self) -> None:
            findings = house.end(calm_runs=2).findings
            assert not findings, findings

    return Life


@pytest.mark.e2e
@pytest.mark.timeout(1_800)
def test_no_order_of_events_loses_or_doubles_anything() -> None:
    examples, steps = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")]
    options: dict[str, Any] = {
        "max_examples": examples,
        "stateful_step_count": steps,
        "derandomize": examples < 100,
    }
    with fuzz.house() as house:
        run_state_machine_as_test(
            machine(house),
            settings=settings(
                **options, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            ),
        )
