"""STATE as others leave it: of streams that are not read, of other tools, of people; whole or in part unreadable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.errors import SettingsError

if TYPE_CHECKING:
    from conftest import Org, Sync

LEADS: dict[str, Any] = {"streams_to_discover": ["Lead"], "aggregates": {"Lead": {}}}


@pytest.mark.parametrize(
    "entry",
    [
        {"replication_key": "SystemModstamp", "replication_key_value": "some day"},
        {"SystemModstamp": "2026-02-30T00:00:00Z"},
        {"replication_key_value": {"a": 1}},
        {"partitions": [{"context": {}}], "progress_markers": {"Note": "x"}},
        "2026-11-01T00:00:00Z",
        ["x"],
        12,
    ],
)
def test_what_state_says_of_a_stream_that_is_not_read_is_passed_on_unchanged(
    sync: Sync, state: dict, entry: Any
) -> None:
    given = {"bookmarks": {**state["bookmarks"], "Invoice__c": entry, "Account": entry}}
    run = sync(given, **LEADS)
    assert run.error is None
    assert all(one["bookmarks"]["Invoice__c"] == one["bookmarks"]["Account"] == entry for one in run.states)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("covered", "x"),
        ("covered", {"bookmark": "x"}),
        ("covered", {"bookmark": "x", "until": "soon"}),
        ("children", ["Contacts"]),
        ("children", {"Contacts": 5}),
        ("deletions", {"Account": "yesterday"}),
        ("deletions", 7),
        ("recheck", "x"),
        ("recheck", {"seen": [1]}),
        ("recheck", {"up_to": "many"}),
        ("recheck", {"done": "x"}),
        ("settled", 5),
        ("refreshed", "x"),
        ("compared", True),
    ],
)
def test_a_part_of_a_stream_s_state_that_means_nothing_is_told_with_the_cure(
    sync: Sync, state: dict, part: str, value: Any
) -> None:
    state["bookmarks"]["Account"][part] = value
    with pytest.raises(SettingsError, match=f"STATE of Account: `{part}`.*full refresh"):
        sync(state, streams_to_discover=["Account"])


@pytest.mark.parametrize(
    "more",
    [
        {"bulk": "x"},
        {"bulk": {"jobs": {"": "750x"}, "form": "y", "start": 5}},
        {"bulk": {"jobs": {"": "750x"}, "form": "y", "begun": 5, "rows": 1}},
        {"bulk": {"jobs": ["x"], "form": "y"}},
        {"live": "x"},
        {"live": ["x"]},
        {"covered": None, "children": None, "recheck": None, "settled": None},
        {"covered": {}, "recheck": {}},
        {"of_a_later_version": {"x": [1]}},
    ],
)
def test_what_costs_only_a_little_work_is_done_anew(org: Org, sync: Sync, state: dict, more: dict) -> None:
    state["bookmarks"]["Lead"] |= more
    lead = org.insert("Lead", LastName="New", Company="New Ltd")
    assert lead in sync(state, **LEADS).by_id("Lead")


@pytest.mark.parametrize("value", ["2026-10-01T00:00:00Z", "2026-10-01T02:00:00+02:00", "2026-10-01"])
def test_a_tap_that_was_cut_and_marked_its_progress_moves_no_bookmark(
    org: Org, sync: Sync, value: str
) -> None:
    marks = {
        "replication_key": "SystemModstamp",
        "replication_key_value": value,
        "progress_markers": {
            "Note": "Progress is not resumable if interrupted.",
            "replication_key": "SystemModstamp",
            "replication_key_value": "2026-11-02T08:59:59.000Z",
        },
        "replication_key_signpost": "2026-11-02T08:59:59.000Z",
        "starting_replication_value": value,
    }
    run = sync({"bookmarks": {"Lead": marks}}, **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert not {"progress_markers", "replication_key_signpost"} & set(run.bookmarks["Lead"])


@pytest.mark.parametrize(
    "part",
    [
        {"children": {"Contacts": "2031-01-01T00:00:00Z"}},
        {"deletions": {"Contact": "2031-01-01T00:00:00Z"}},
        {"recheck": {"done": "9999-12-31T23:59:59Z"}},
        {"settled": "2031-01-01T00:00:00Z"},
        {"refreshed": "2031-01-01T00:00:00Z"},
        {"compared": "2031-01-01T00:00:00Z"},
    ],
)
def test_a_moment_in_the_future_is_not_believed_wherever_it_stands(
    org: Org, sync: Sync, state: dict, part: dict, log: Callable[[], str]
) -> None:
    for name, value in part.items():
        known = state["bookmarks"]["Account"].get(name)
        state["bookmarks"]["Account"][name] = {**known, **value} if isinstance(known, dict) else value
    run = sync(state, streams_to_discover=["Account"])
    assert set(run.by_id("Account")) == set(org.rows("Account"))
    assert "ahead of Salesforce's time" in log()
    assert not any("2031" in str(entry) or "9999" in str(entry) for entry in run.bookmarks.values())


def test_moments_with_an_offset_mean_the_same_everywhere(org: Org, sync: Sync, state: dict) -> None:
    entry = state["bookmarks"]["Account"]
    plain = sync(state, streams_to_discover=["Account"]).bookmarks["Account"]
    moment = datetime.fromisoformat(entry["children"]["Contacts"].replace("Z", "+00:00"))
    entry["children"]["Contacts"] = moment.astimezone(timezone(timedelta(hours=13))).isoformat()
    assert sync(state, streams_to_discover=["Account"]).bookmarks["Account"] == plain
