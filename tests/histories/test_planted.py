"""A proof that never fails proves nothing: mistakes that taps make, planted one by one, are caught.

The seed on the page comes first. Whenever the tap asks for something else than before, what happens in a seed is another story,
and the others follow.
"""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tests.histories import planted
from tests.histories.designs import DESIGNS
from tests.histories.planted import hunt
from tests.histories.play import Play, Result


def test_the_page_tells_every_mistake_and_a_seed_that_caught_it() -> None:
    seeds = planted.recorded()
    assert set(seeds) == set(DESIGNS)
    assert planted.table(seeds) in planted.PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def play() -> Play:
    return Play()


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_a_planted_mistake_is_caught_and_the_sound_tap_is_clean(play: Play, name: str) -> None:
    found = hunt(play, name, [planted.recorded()[name], *range(planted.SEEDS_MAX)])
    assert found.unsound == [], "the sound tap fails, see make histories SEED=…"
    assert found.seed is not None, f"{name} gets away: {DESIGNS[name].sentence}"


@pytest.mark.slow
def test_a_seed_on_which_the_sound_tap_fails_too_is_no_catch(play: Play) -> None:
    with patch.object(play, "play", lambda seed: Result(seed, ["missed: Lead 1"])):
        found = hunt(play, "ceiling_ignored", range(3))
    assert (found.seed, found.unsound) == (None, [0, 1, 2])


@pytest.mark.slow
def test_another_harm_than_its_own_is_no_catch(play: Play) -> None:
    with patch.object(play, "play", lambda seed: Result(seed, ["TypeError: the patch is at fault"])):
        found = hunt(play, "ceiling_ignored", range(3))
    assert (found.seed, found.unsound) == (None, [])
