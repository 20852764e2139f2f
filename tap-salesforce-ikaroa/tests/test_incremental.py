"""Later runs: only what changed, nothing that was committed late is missed, and a cut run goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tap_salesforce_ikaroa.errors import SettingsError, TapError, UnavailableError

if TYPE_CHECKING:
    from conftest import Org, Sync


def test_a_run_without_changes_gives_no_record_and_costs_three_calls_and_a_login(
    sync: Sync, state: dict
) -> None:
    run = sync(state)
    assert run.counts == {}
    assert sum(run.calls.values()) == 4
    assert run.calls["login"] == 1


def test_one_changed_account_is_one_record(org: Org, sync: Sync, state: dict) -> None:
    account = next(iter(org.rows("Account")))
    org.update("Account", account, Phone="+44 20 7946 0999")
    run = sync(state)
    assert run.counts == {"Account": 1}
    assert run.of("Account")[0]["Phone"] == "+44 20 7946 0999"
    assert run.of("Account")[0]["Contacts"] is not None


def test_a_change_made_in_the_second_of_the_run_is_read(org: Org, sync: Sync, state: dict) -> None:
    lead = org.insert("Lead", LastName="Now", Company="Now Ltd")
    assert list(sync(state).by_id("Lead")) == [lead]


def test_a_long_transaction_that_commits_after_the_run_is_not_missed(
    org: Org, sync: Sync, state: dict
) -> None:
    # Its stamps are older than the bookmark that other rows give, by far more than the lookback.
    org.edit("open_transaction", transaction="slow")
    late = org.edit(
        "insert", object="Lead", fields={"LastName": "Late", "Company": "Late Ltd"}, transaction="slow"
    )["id"]
    org.advance(1800)
    org.insert("Lead", LastName="Early", Company="Early Ltd")
    between = sync(state, lookback_window=0)
    assert late not in between.by_id("Lead")
    org.advance(1800)
    org.edit("commit_transaction", transaction="slow")
    assert late in sync(between.state, lookback_window=0).by_id("Lead")


def test_the_bookmark_never_passes_what_salesforce_calls_final(org: Org, sync: Sync, state: dict) -> None:
    started = org.sandbox.clock.now()
    org.edit("open_transaction", transaction="slow")
    org.advance(900)
    lead = org.insert("Lead", LastName="Fresh", Company="Fresh Ltd")
    run = sync(state)
    assert lead in run.by_id("Lead"), "what is there is read at once"
    for stream in run.bookmarks.values():
        assert stream["replication_key_value"] <= started.strftime("%Y-%m-%dT%H:%M:%S.999Z")
        assert stream["covered"]["until"] <= started.strftime("%Y-%m-%dT%H:%M:%S.999Z")


@pytest.mark.slow
def test_rows_of_one_stamp_are_neither_lost_nor_read_for_ever(org: Org, sync: Sync, state: dict) -> None:
    org.edit("bulk_load", object="Lead", count=700, fields={"LastName": "Bulk {n}", "Company": "Bulk"})
    run = sync(state, page_size=200)
    assert run.counts == {"Lead": 700}
    assert len(run.by_id("Lead")) == 700
    org.advance(3600)
    again = sync(run.state)
    assert again.counts == {"Lead": 700}, "once more, within the lookback of the first"
    org.advance(3600)
    assert sync(again.state).counts == {}


def test_a_run_that_is_cut_goes_on_where_it_was_cut(org: Org, sync: Sync) -> None:
    org.fault("503", path="/query/", every=1)
    cut = sync(expect=UnavailableError, page_size=200, max_retries=2, streams_to_discover=["Lead"])
    read = cut.by_id("Lead")
    assert 200 <= len(read) < 253
    assert cut.bookmarks["Lead"]["replication_key_value"] == max(
        row["SystemModstamp"] for row in read.values()
    )
    org.sandbox.faults.clear()
    rest = sync(cut.state, page_size=200, streams_to_discover=["Lead"], lookback_window=0)
    assert len(rest.of("Lead")) <= 253 - len(read) + 1
    assert set(read) | set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_a_child_changed_during_a_cut_first_run_still_re_emits_its_root(org: Org, sync: Sync) -> None:
    settings = {"streams_to_discover": ["Account"], "page_size": 200, "max_retries": 0}
    org.edit("bulk_load", object="Account", count=250, fields={"Name": "Bulk {n}"})
    org.fault("503", path="/query/", every=1)
    cut = sync(expect=TapError, **settings)
    read = next(iter(cut.by_id("Account")))
    org.advance(60)
    contact = org.insert("Contact", LastName="New", AccountId=read)
    org.advance(7200)
    org.sandbox.faults.clear()
    again = sync(cut.state, **settings).by_id("Account")
    assert contact in [row["Id"] for row in again[read]["Contacts"]]


def test_the_bookmark_does_not_go_back(org: Org, sync: Sync, state: dict) -> None:
    before = state["bookmarks"]["Lead"]["replication_key_value"]
    run = sync(state, lookback_window=int(timedelta(days=400).total_seconds()))
    assert run.counts["Lead"] > 100
    assert all(given["bookmarks"]["Lead"]["replication_key_value"] >= before for given in run.states)


def test_state_of_the_older_taps_is_understood(org: Org, sync: Sync) -> None:
    stamp = sorted(row["SystemModstamp"] for row in org.rows("Lead", deleted=True).values())[-20]
    run = sync({"bookmarks": {"Lead": {"SystemModstamp": f"{stamp[:19]}.000000Z"}}}, lookback_window=0)
    assert run.counts["Lead"] == 20


def test_a_bookmark_set_back_by_hand_is_followed(org: Org, sync: Sync, state: dict) -> None:
    stamp = sorted(row["SystemModstamp"] for row in org.rows("Lead", deleted=True).values())[-20]
    state["bookmarks"]["Lead"]["replication_key_value"] = stamp.replace("+0000", "Z")
    assert sync(state, lookback_window=0).counts["Lead"] == 20


def test_a_forced_full_table_stream_reads_everything_and_keeps_no_bookmark(
    org: Org, sync: Sync, discover, state: dict
) -> None:
    catalog = discover(streams_to_discover=["Lead"])
    catalog["streams"][0]["replication_method"] = "FULL_TABLE"
    catalog["streams"][0]["metadata"][-1]["metadata"]["forced-replication-method"] = "FULL_TABLE"
    run = sync(catalog=catalog)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert "replication_key_value" not in run.bookmarks.get("Lead", {})


FULL = {"replication-method": "FULL_TABLE"}


@pytest.mark.parametrize(
    ("top", "root", "full"),
    [
        ({}, FULL, True),
        ({}, {"forced-replication-method": "FULL_TABLE"}, True),
        ({"replication_method": "FULL_TABLE"}, {}, True),
        ({}, {"replication-method": "LOG_BASED"}, False),
        ({"replication_method": "LOG_BASED"}, {}, False),
        ({}, {"replication-method": "INCREMENTAL", "replication-key": "LastModifiedDate"}, False),
        ({"replication_key": "LastModifiedDate"}, {}, False),
        ({"replication_key": "Name"}, {"replication-key": "No_Such__c"}, False),
    ],
)
def test_method_and_key_may_be_chosen_in_either_place_of_a_catalog(
    sync: Sync, discover, state: dict, top: dict, root: dict, full: bool
) -> None:
    catalog = discover(streams_to_discover=["Lead"])
    stream = catalog["streams"][0]
    stream.update(top)
    next(one for one in stream["metadata"] if not one["breadcrumb"])["metadata"].update(root)
    key = "LastModifiedDate" if "LastModifiedDate" in str((top, root)) else "SystemModstamp"
    run = sync(catalog=catalog)
    assert run.bookmarks["Lead"].get("replication_key") == (None if full else key)
    again = sync(run.state, catalog=catalog, lookback_window=0)
    assert (len(again.of("Lead")) == len(run.of("Lead"))) is full


@pytest.mark.parametrize("around", ["singer_state", "completed"])
def test_a_state_as_meltano_keeps_it_is_a_state(sync: Sync, state: dict, around: str) -> None:
    kept = {"singer_state": state}
    run = sync(kept if around == "singer_state" else {"completed": kept, "partial": {}})
    assert run.records == {}


@pytest.mark.parametrize(
    "written",
    ["2026-11-02T10:30:00+02:00", "2026-11-01T21:30:00.000-11:00", "2026-11-02T08:30:00Z"],
)
def test_a_bookmark_in_another_form_means_the_same_moment(org: Org, sync: Sync, written: str) -> None:
    entry = {"replication_key": "SystemModstamp", "replication_key_value": written}
    run = sync({"bookmarks": {"Lead": entry}}, streams_to_discover=["Lead"])
    after = {
        row_id for row_id, row in org.rows("Lead").items() if str(row["SystemModstamp"]) > "2026-11-02T08:30"
    }
    assert after <= set(run.by_id("Lead"))
    assert len(run.by_id("Lead")) < len(org.rows("Lead"))
    assert run.bookmarks["Lead"]["replication_key_value"] >= "2026-11-02T08:30:00.000Z"


def test_a_bookmark_in_the_future_is_not_believed(org: Org, sync: Sync, log) -> None:
    entry = {"replication_key": "SystemModstamp", "replication_key_value": "2099-01-01T00:00:00.000Z"}
    run = sync({"bookmarks": {"Lead": entry}}, streams_to_discover=["Lead"])
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert run.bookmarks["Lead"]["replication_key_value"] < "2099"
    assert "Lead" in log()
    assert "2099" in log()


@pytest.mark.parametrize(
    "state",
    [
        {"bookmarks": ["Lead"]},
        {"bookmarks": {"Lead": "x"}},
        {"bookmarks": {"Lead": {"SystemModstamp": "some day"}}},
        {"bookmarks": {"Lead": {"replication_key": "SystemModstamp", "replication_key_value": 12345}}},
    ],
)
def test_a_state_that_means_nothing_is_told_with_the_cure(sync: Sync, state: object) -> None:
    with pytest.raises(SettingsError, match="full refresh"):
        sync(state)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_state_message_is_a_state(sync: Sync, state: dict, wrapped: bool) -> None:
    bookmarks = {**state, "bookmarks": {**state["bookmarks"], "Case": None}}
    assert sync({"type": "STATE", "value": bookmarks} if wrapped else bookmarks).counts == {}
