"""Seeded histories: after any of them a target that kept the last version of each record holds the org."""

from __future__ import annotations

import pytest

from tests.histories import fuzz
from tests.histories.play import Play, Result

pytestmark = pytest.mark.slow
SEEDS = range(15)
"""As few as have all that is promised of them in them; thousands by `make histories`."""
MORE = range(15, 32)


@pytest.fixture(scope="module")
def play() -> Play:
    return Play()


@pytest.fixture(scope="module")
def results(play: Play) -> list[Result]:
    return [play.play(seed) for seed in SEEDS]


def test_a_target_holds_the_org_after_any_history(results: list[Result]) -> None:
    assert [(result.seed, result.findings) for result in results if result.findings] == []


def test_a_target_holds_the_org_after_further_histories(play: Play) -> None:
    results = [play.play(seed) for seed in MORE]
    assert [(result.seed, result.findings) for result in results if result.findings] == []


def test_in_the_histories_there_is_all_that_they_promise(results: list[Result]) -> None:
    told = "\n".join(line for result in results for line in result.told)
    acts = ("hard_delete", "undelete", "empty_bin", "merge", "convert_lead", "touch", "bulk_load")
    assert [act for act in acts if f"\n{act} {{" not in told] == []
    assert " commits\n" in told
    ended = {how for result in results for how in result.ended}
    assert {"ended", "stopped", "Died", "UnavailableError"} <= ended


def test_a_seed_repeats_and_the_command_tells_it(
    capsys: pytest.CaptureFixture[str], results: list[Result]
) -> None:
    assert fuzz.main(["--seed", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [*results[1].told, "nothing is wrong"]
