"""Deleted rows: whole from the recycle bin, by their Id when they are gone for good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.salesforce import limits as of_salesforce
from tap_salesforce_ikaroa.errors import TapError

if TYPE_CHECKING:
    from conftest import Org, Sync


def lead(org: Org) -> str:
    return next(row["Id"] for row in org.rows("Lead").values() if not row["IsConverted"])


def test_a_row_in_the_recycle_bin_comes_whole(org: Org, sync: Sync, state: dict) -> None:
    row_id = lead(org)
    org.edit("delete", object="Lead", id=row_id)
    run = sync(state)
    assert run.counts == {"Lead": 1}
    record = run.by_id("Lead")[row_id]
    assert record["IsDeleted"] is True
    assert record["LastName"]


def test_a_row_deleted_for_good_comes_as_a_tombstone(org: Org, sync: Sync, state: dict) -> None:
    row_id = lead(org)
    org.edit("hard_delete", object="Lead", id=row_id)
    assert row_id not in org.rows("Lead", deleted=True)
    run = sync(state)
    assert run.of("Lead") == [{"Id": row_id, "IsDeleted": True, "SystemModstamp": "2026-11-02T10:00:00.000Z"}]
    assert (
        run.bookmarks["Lead"]["replication_key_value"] == state["bookmarks"]["Lead"]["replication_key_value"]
    )


def test_a_tombstone_does_not_come_again_and_again(org: Org, sync: Sync, state: dict) -> None:
    org.edit("hard_delete", object="Lead", id=lead(org))
    org.advance(1800)
    once = sync(state)
    assert once.counts == {"Lead": 1}
    org.advance(1800)
    assert sync(once.state).counts == {}


def test_a_row_taken_out_of_the_bin_comes_back_alive(org: Org, sync: Sync, state: dict) -> None:
    row_id = lead(org)
    org.edit("delete", object="Lead", id=row_id)
    gone = sync(state)
    org.advance(1200)
    org.edit("undelete", object="Lead", id=row_id)
    assert sync(gone.state).by_id("Lead")[row_id]["IsDeleted"] is False


def test_merged_accounts_are_told_with_their_winner(org: Org, sync: Sync, state: dict) -> None:
    winner, loser = [row["Id"] for row in org.rows("Account").values() if not row["IsPersonAccount"]][:2]
    org.edit("merge", object="Account", master=winner, losers=[loser])
    found = sync(state).by_id("Account")
    assert found[loser]["IsDeleted"] is True
    assert found[loser]["MasterRecordId"] == winner


def test_deleted_rows_stay_out_where_they_are_not_wanted(org: Org, sync: Sync, state: dict) -> None:
    soft, hard = [row["Id"] for row in org.rows("Lead").values() if not row["IsConverted"]][:2]
    org.edit("delete", object="Lead", id=soft)
    org.edit("hard_delete", object="Lead", id=hard)
    assert sync(state, include_deleted=False).counts == {}


def test_a_history_that_no_longer_reaches_back_is_told_with_what_to_do(
    org: Org, sync: Sync, state: dict, log: Any
) -> None:
    org.edit("purge_deletion_log", object="Lead")
    run = sync(state, streams_to_discover=["Lead"])
    assert "deletions of Lead since" in log()
    assert "full refresh" in log()
    org.advance(3600)
    later = sync(run.state, streams_to_discover=["Lead"])
    assert later.bookmarks["Lead"]["deletions"]["Lead"] > run.bookmarks["Lead"]["deletions"]["Lead"]


def test_so_is_a_gap_of_more_than_fifteen_days(org: Org, sync: Sync, state: dict, log: Any) -> None:
    org.advance(20 * 86_400)
    sync(state, streams_to_discover=["Lead"])
    assert "deletions of Lead since" in log()


def test_more_deletions_than_one_answer_tells_are_asked_for_in_shorter_windows(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [row["Id"] for row in org.rows("Lead").values() if not row["IsConverted"]][:6]
    for row_id in gone:
        org.edit("hard_delete", object="Lead", id=row_id)
        org.advance(3600)
    monkeypatch.setattr(of_salesforce, "REPLICATION_IDS_MAX", 2)
    run = sync(state, streams_to_discover=["Lead"])
    assert set(run.by_id("Lead")) == set(gone)
    assert all(record["IsDeleted"] for record in run.of("Lead"))
    now = org.sandbox.clock.now().strftime("%Y-%m-%dT%H:%M")
    assert run.bookmarks["Lead"]["deletions"]["Lead"].startswith(now)
    assert sync(run.state, streams_to_discover=["Lead"]).counts == {}


def test_a_shorter_window_that_is_not_final_holds_the_cursor_back(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction deletes a row long ago, in Salesforce's stamps, and commits between two of the answers."""
    gone = [row["Id"] for row in org.rows("Lead").values() if not row["IsConverted"]][:6]
    org.edit("open_transaction", transaction="slow")
    org.edit("hard_delete", object="Lead", id=gone[0], transaction="slow")
    began = org.sandbox.clock.now() - timedelta(minutes=1)
    for row_id in gone[1:]:
        org.advance(3600)
        org.edit("hard_delete", object="Lead", id=row_id)
    monkeypatch.setattr(of_salesforce, "REPLICATION_IDS_MAX", 2)
    commit = {"system": "salesforce", "action": "commit_transaction", "transaction": "slow"}
    # Two windows were too full (the one of the survey, and a half of it); after the earliest part has been answered.
    org.fault("edit", path="/deleted", nth=[3], edit=commit)
    run = sync(state, streams_to_discover=["Lead"])
    assert gone[0] not in run.by_id("Lead")
    assert run.bookmarks["Lead"]["deletions"]["Lead"][:16] <= (began + timedelta(minutes=1)).strftime(
        "%Y-%m-%dT%H:%M"
    )
    assert gone[0] in sync(run.state, streams_to_discover=["Lead"]).by_id("Lead")


def test_one_minute_with_too_many_deletions_is_told_as_unknown(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    for row_id in [row["Id"] for row in org.rows("Lead").values() if not row["IsConverted"]][:3]:
        org.edit("hard_delete", object="Lead", id=row_id)
    monkeypatch.setattr(of_salesforce, "REPLICATION_IDS_MAX", 2)
    run = sync(state, streams_to_discover=["Lead"])
    assert "deletions of Lead since" in log()
    org.advance(3600)
    assert sync(run.state, streams_to_discover=["Lead"]).counts == {}


def test_too_many_changes_do_not_hide_how_far_commits_reach(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.advance(1800)
    for n in range(3):
        org.insert("Lead", LastName=f"Early {n}", Company="Company")
    org.advance(90)
    org.edit("open_transaction", transaction="slow")
    opened = org.sandbox.clock.now()
    org.advance(60)
    org.insert("Lead", LastName="Late", Company="Company")
    monkeypatch.setattr(of_salesforce, "REPLICATION_IDS_MAX", 2)
    run = sync(state, streams_to_discover=["Lead"])
    reached = run.bookmarks["Lead"]["replication_key_value"]
    assert reached <= opened.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_what_a_first_pass_gave_out_before_it_was_cut_is_told_when_it_is_deleted(
    org: Org, sync: Sync
) -> None:
    settings: dict[str, Any] = {
        "streams_to_discover": ["Lead"],
        "api_type": "BULK2",
        "bulk_page_size": 100,
        "bulk_parallel": 1,
        "max_retries": 0,
    }
    org.fault("locator_repeated", path="/results", nth=[2])
    cut = sync(None, expect=TapError, **settings)
    gone = cut.of("Lead")[0]["Id"]
    org.advance(600)
    org.edit("hard_delete", object="Lead", id=gone)
    org.advance(600)
    org.fault("503_before", path="/jobs/query", nth=[1])
    failed = sync(cut.state, expect=TapError, **settings)
    assert failed.counts == {}
    org.sandbox.faults.clear()
    org.advance(600)
    last = sync(failed.state, **settings)
    assert last.by_id("Lead")[gone]["IsDeleted"] is True
