"""A proof that never fails proves nothing: mistakes that taps make, planted one by one, are caught within a few seeds."""

from __future__ import annotations

import pytest

from tests.histories.designs import DESIGNS, caught
from tests.histories.play import Play

pytestmark = pytest.mark.slow
WITHIN = 50
"""Seeds that may be needed at most."""


@pytest.fixture(scope="module")
def play() -> Play:
    return Play()


@pytest.mark.parametrize("name", DESIGNS)
def test_a_planted_mistake_is_caught(play: Play, name: str) -> None:
    seed = caught(play, DESIGNS[name], range(WITHIN))
    assert seed is not None, f"{name} gets away: {DESIGNS[name].sentence}"
