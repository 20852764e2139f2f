"""The test of the tests: what counts as a catch of a bad design."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from target_xero import limits
from target_xero.execute.writes import WriteFlight

from tests.proof import planted
from tests.proof.designs import DESIGNS, Design
from tests.proof.house import House, Result

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _limits_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule sets some of its own."""
    for name in ("PAGE_SIZE", "FLIGHTS_MAX"):
        monkeypatch.setattr(limits, name, getattr(limits, name))


def test_the_page_tells_every_bad_design_its_harm_and_a_seed_that_caught_it() -> None:
    seeds = planted.recorded()
    assert set(seeds) == set(DESIGNS)
    assert max(seeds.values()) < planted.SEEDS_MAX
    assert planted.table(seeds) in planted.PAGE.read_text(encoding="utf-8")


def test_a_design_that_raises_is_broken_and_not_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def raises() -> Iterator[None]:
        with patch.object(WriteFlight, "settle", side_effect=KeyError("no such thing")):
            yield

    monkeypatch.setitem(DESIGNS, "raises", Design("raises", "It raises.", "LOST", raises))
    found = planted.hunt("raises", range(3))
    assert "no such thing" in found.broken
    assert not found.caught


def test_a_seed_on_which_the_sound_product_fails_too_is_no_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(House, "play", lambda _self, seed: Result(seed, ["DOUBLED: invoices O1"]))
    found = planted.hunt("blind_resend", range(3))
    assert (found.seed, found.unsound, found.caught) == (None, [0, 1, 2], False)


def test_another_harm_than_its_own_is_no_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(House, "play", lambda _self, seed: Result(seed, ["FAILED: run 0: LedgerError"]))
    found = planted.hunt("blind_resend", range(3))
    assert (found.seed, found.unsound, found.broken) == (None, [], "")
