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
