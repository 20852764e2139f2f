"""Deleted rows: whole from the recycle bin, by their Id when they are gone for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
