"""What is done every few days: formula fields read again, all ids compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_salesforce_ikaroa.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Org, Sync

DAY = 86_400
LEADS = {"streams_to_discover": ["Lead"]}
PAGES = {**LEADS, "page_size": 200, "bulk_page_size": 60, "bulk_parallel": 1, "lookback_window": 0}


@pytest.mark.parametrize("days", [{"Lead": 7}, {"*": 7}])
def test_a_stream_with_formulas_is_read_again_when_its_days_are_over(
    org: Org, sync: Sync, days: dict[str, int]
) -> None:
    settings = {**LEADS, "refresh_days": days}
    run = sync(**settings)
    org.advance(6 * DAY)
    run = sync(run.state, **settings)
    assert run.counts == {}
    org.advance(DAY)
    run = sync(run.state, **settings)
    assert run.counts == {"Lead": 253}
    assert sync(run.state, **settings).counts == {}


@pytest.mark.parametrize(("api_type", "batches"), [("REST", 2), ("BULK2", 3)])
def test_the_days_count_from_the_beginning_of_a_first_pass_that_took_two_runs(
    org: Org, sync: Sync, cut: Sync, api_type: str, batches: int
) -> None:
    settings = {**PAGES, "api_type": api_type, "refresh_days": {"Lead": 7}}
    first = cut(batches, **settings)
    org.advance(6 * DAY)
    second = sync(first.state, **settings)
    assert 0 < len(second.of("Lead")) < 253, "it goes on where the first one was cut"
    org.advance(DAY)
    third = sync(second.state, **settings)
    assert third.counts == {"Lead": 253}, "what the first one wrote is seven days old"


def test_bulk_rows_that_waited_longer_than_the_days_are_read_again_in_the_same_run(
    org: Org, sync: Sync, cut: Sync
) -> None:
    settings = {**PAGES, "api_type": "BULK2", "refresh_days": {"Lead": 1}}
    first = cut(1, **settings)
    org.advance(2 * DAY)
    run = sync(first.state, **settings)
    assert len(run.of("Lead")) >= 2 * 253


def test_days_that_are_set_later_begin_with_a_reading(sync: Sync) -> None:
    """The records may be of any age then."""
    state = sync(**LEADS).state
    run = sync(state, **LEADS, refresh_days={"Lead": 7})
    assert run.counts == {"Lead": 253}
    assert sync(run.state, **LEADS, refresh_days={"Lead": 7}).counts == {}


def test_another_stream_is_not_read_again(org: Org, sync: Sync) -> None:
    settings = {**LEADS, "refresh_days": {"Account": 1}}
    run = sync(**settings)
    org.advance(9 * DAY)
    assert sync(run.state, **settings).counts == {}


@pytest.mark.parametrize("api_type", ["REST", "BULK2"])
def test_a_deletion_that_salesforce_no_longer_tells_is_found_by_its_id(
    org: Org, sync: Sync, tmp_path: Path, api_type: str
) -> None:
    settings = {
        **LEADS,
        "api_type": api_type,
        "full_compare_days": 7,
        "id_store_path": str(tmp_path / "ids" / "given.db"),
    }
    run = sync(**settings)
    gone = next(iter(org.rows("Lead")))
    org.edit("hard_delete", object="Lead", id=gone)
    org.advance(40 * DAY)
    run = sync(run.state, **settings)
    assert [(record["Id"], record["IsDeleted"]) for record in run.of("Lead")] == [(gone, True)]
    org.advance(8 * DAY)
    assert sync(run.state, **settings).counts == {}


def test_comparing_without_a_file_is_told(sync: Sync) -> None:
    with pytest.raises(SettingsError, match="id_store_path"):
        sync(**LEADS, full_compare_days=7)


def test_after_an_overflow_of_events_all_is_read_and_all_ids_are_compared(
    org: Org, sync: Sync, tmp_path: Path
) -> None:
    """Salesforce's advice for `GAP_OVERFLOW`: read the whole object again, deletions included."""
    settings = {**LEADS, "full_compare_days": 7, "id_store_path": str(tmp_path / "given.db")}
    run = sync(**settings)
    gone = next(iter(org.rows("Lead")))
    org.edit("hard_delete", object="Lead", id=gone)
    org.advance(3600)
    org.edit("purge_deletion_log", object="Lead")
    run.state["bookmarks"]["Lead"]["resync"] = True
    run = sync(run.state, **settings)
    assert set(run.by_id("Lead")) == {gone, *org.rows("Lead")}
    assert run.by_id("Lead")[gone]["IsDeleted"] is True
    org.advance(3600)
    assert sync(run.state, **settings).counts == {}
