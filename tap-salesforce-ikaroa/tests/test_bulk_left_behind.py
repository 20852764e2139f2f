"""Bulk jobs of a run that ended early: read on where the next run can, deleted where it cannot; whole tables too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.quota import Purpose

if TYPE_CHECKING:
    from conftest import Org, Sync

LEADS: dict[str, Any] = {
    "api_type": "BULK2",
    "streams_to_discover": ["Lead"],
    "bulk_parallel": 1,
    "bulk_page_size": 60,
    "lookback_window": 0,
}


def jobs(org: Org, method: str = "POST") -> list[str]:
    return [
        exchange.request.path
        for exchange in org.exchanges
        if exchange.request.method == method and "/jobs/query" in exchange.request.path
    ]


def left(org: Org) -> int:
    return len(jobs(org)) - len(set(jobs(org, "DELETE")))


@pytest.fixture
def whole_table(discover) -> dict[str, Any]:
    """A catalog that asks for all leads, each time."""
    catalog = discover(streams_to_discover=["Lead"])
    catalog["streams"][0]["replication_method"] = "FULL_TABLE"
    catalog["streams"][0]["metadata"][-1]["metadata"]["forced-replication-method"] = "FULL_TABLE"
    return catalog


def test_a_whole_table_is_read_on_where_it_was_cut(
    org: Org, sync: Sync, cut: Sync, whole_table: dict[str, Any]
) -> None:
    there = set(org.rows("Lead", deleted=True))
    first = cut(3, catalog=whole_table, **LEADS)
    org.advance(3600)
    rest = sync(first.state, catalog=whole_table, **LEADS)
    assert len(jobs(org)) == 1
    assert set(first.by_id("Lead")) | set(rest.by_id("Lead")) == there
    assert len(rest.of("Lead")) < len(there)
    assert left(org) == 0
    assert "bulk" not in rest.bookmarks["Lead"]


def test_a_whole_table_of_yesterday_is_read_anew(
    org: Org, sync: Sync, cut: Sync, whole_table: dict[str, Any]
) -> None:
    first = cut(3, catalog=whole_table, **LEADS)
    org.advance(24 * 3600 + 60)
    rest = sync(first.state, catalog=whole_table, **LEADS)
    assert set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(jobs(org)) == 2
    assert left(org) == 0


@pytest.mark.parametrize("incremental", [False, True])
def test_jobs_whose_results_cannot_be_fetched_any_more_are_made_anew_in_the_same_run(
    org: Org, sync: Sync, cut: Sync, whole_table: dict[str, Any], incremental: bool
) -> None:
    catalog = None if incremental else whole_table
    first = cut(3, catalog=catalog, **LEADS)
    org.edit("expire_locators")
    rest = sync(first.state, catalog=catalog, **LEADS)
    assert set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert left(org) == 0


def test_jobs_that_are_read_but_not_yet_deleted_are_deleted_by_the_next_run(org: Org, sync: Sync) -> None:
    whole = sync(**LEADS)
    done = [state for state in whole.states if state["bookmarks"]["Lead"].get("bulk", {}).get("done")]
    moved = [state for state in done if state["bookmarks"]["Lead"].get("replication_key_value")]
    assert moved, "STATE names the jobs until they are deleted"
    job = org.sandbox.backends["salesforce"].state.jobs  # type: ignore[attr-defined]
    assert not job.by_id
    rest = sync(moved[0], **LEADS)
    assert len(rest.of("Lead")) < 253, "they are not read again"
    assert "bulk" not in rest.bookmarks["Lead"]


@pytest.mark.parametrize("batches", [1, 2])
def test_jobs_of_a_reading_that_is_not_resumed_are_deleted_at_once(
    org: Org, sync: Sync, cut: Sync, batches: int
) -> None:
    settings = {**LEADS, "refresh_days": {"Lead": 1}}
    state = sync(**settings).state
    org.advance(2 * 86_400)
    run = cut(batches, state, **settings)
    assert run.tap.client.quota.calls[Purpose.BULK]
    assert left(org) == 0
