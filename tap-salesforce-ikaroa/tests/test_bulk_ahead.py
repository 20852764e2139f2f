"""Bulk jobs of the streams that come next: made before their turn, kept in STATE, and gone when nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.bulk.jobs import Jobs
from tap_salesforce_ikaroa.errors import NotBulkError, QuotaReachedError, StreamsFailedError, TapError
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.writer import WholeLineWriter

if TYPE_CHECKING:
    from conftest import Org, Run, Sync

BULK: dict[str, Any] = {"api_type": "BULK2"}
FLAT: dict[str, Any] = {
    **BULK,
    "streams_to_discover": ["Account", "Contact", "Lead"],
    "aggregates": {"Account": {}, "Contact": {}},
}


def asked(org: Org) -> list[tuple[str, str]]:
    """What was asked about jobs: method and the rest of the path."""
    return [
        (exchange.request.method, exchange.request.path.split("/jobs/query")[1])
        for exchange in org.exchanges
        if "/jobs/query" in exchange.request.path
    ]


def there(org: Org) -> list[str]:
    """The jobs that Salesforce still has."""
    return list(org.sandbox.backends["salesforce"].state.jobs.by_id)  # type: ignore[attr-defined]


def created_before_the_first_result(org: Org) -> int:
    calls = asked(org)
    first = next(at for at, (_, path) in enumerate(calls) if "result" in path)
    return sum(method == "POST" for method, _ in calls[:first])


def most_at_once(org: Org) -> int:
    now = most = 0
    for method, _ in asked(org):
        now += {"POST": 1, "DELETE": -1}.get(method, 0)
        most = max(most, now)
    return most


def refuse(monkeypatch: pytest.MonkeyPatch, error: TapError, when: Callable[[list[str]], bool]) -> list[str]:
    """Job creations fail where `when`, given the queries tried so far, says so. Returns the list of those queries, which grows."""
    made = Jobs.create
    tried: list[str] = []

    def create(self: Jobs, query: Any, *, deleted: bool) -> Any:
        tried.append(query.text)
        if when(tried):
            raise error
        return made(self, query, deleted=deleted)

    monkeypatch.setattr(Jobs, "create", create)
    return tried


def streams_in_order(run: Run) -> list[str]:
    return list(dict.fromkeys(line["stream"] for line in run.lines if line["type"] == "RECORD"))


def test_jobs_of_all_streams_wait_at_salesforce_together(org: Org, sync: Sync) -> None:
    ahead, single = sync(**BULK), sync(**BULK, bulk_jobs=1)
    assert created_before_the_first_result(org) == 7, "four roots, three lists"
    assert ahead.counts == single.counts
    assert all(ahead.by_id(stream) == single.by_id(stream) for stream in single.records)
    assert ahead.bookmarks == single.bookmarks
    assert streams_in_order(ahead) == streams_in_order(single)
    assert sum(ahead.pauses) < sum(single.pauses), "less waiting"
    assert ahead.calls["bulk"] <= single.calls["bulk"], "and no call more"
    assert not there(org)


def test_records_come_stream_by_stream(sync: Sync) -> None:
    run = sync(**BULK)
    streams = [line["stream"] for line in run.lines if line["type"] == "RECORD"]
    changes = sum(one != other for one, other in pairwise(streams))
    assert changes == len(set(streams)) - 1


@pytest.mark.parametrize(("most", "bound"), [(1, 2), (3, 3), (5, 5), (7, 7)])
def test_no_more_jobs_than_are_configured_are_there_at_once(
    org: Org, sync: Sync, most: int, bound: int
) -> None:
    sync(**BULK, bulk_jobs=most)
    assert most_at_once(org) <= bound, "jobs of one stream are always together"
    assert not there(org)


def test_auto_makes_jobs_ahead_of_streams_with_many_rows_only(org: Org, sync: Sync) -> None:
    settings = {**FLAT, "api_type": "AUTO", "bulk_min_rows": 30}
    run = sync(**settings)
    assert created_before_the_first_result(org) == 2, "40 contacts and 253 leads, not 20 accounts"
    assert run.counts == {"Account": 20, "Contact": 40, "Lead": 253}


def test_a_later_run_makes_jobs_ahead_of_streams_that_turn_out_to_have_many_rows(
    org: Org, sync: Sync, state: dict
) -> None:
    settings = {**FLAT, "api_type": "AUTO", "bulk_min_rows": 300}
    first = sync(**settings)
    org.advance(3600)
    for name, count in (("Account", 320), ("Contact", 250), ("Lead", 330)):
        fields = {"Name": "A {n}"} if name == "Account" else {"LastName": "B {n}", "Company": "C {n}"}
        fields = {**fields} if name == "Lead" else {key: fields[key] for key in fields if key != "Company"}
        org.edit("bulk_load", object=name, count=count, fields=fields)
    org.sandbox.journal.clear()
    run = sync(first.state, **settings)
    assert created_before_the_first_result(org) == 2, "accounts and leads, not contacts"
    assert run.counts == {"Account": 320, "Contact": 250, "Lead": 330}
    assert run.calls["count"] == 2, "in the place of first pages that nobody reads"
    assert not there(org)


def test_whole_tables_are_begun_ahead_too(org: Org, sync: Sync, discover) -> None:
    catalog = discover(streams_to_discover=FLAT["streams_to_discover"], aggregates=FLAT["aggregates"])
    for stream in catalog["streams"]:
        stream["replication_method"] = "FULL_TABLE"
        stream["metadata"][-1]["metadata"]["forced-replication-method"] = "FULL_TABLE"
    run = sync(catalog=catalog, **FLAT)
    assert created_before_the_first_result(org) == 3
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert not there(org)


def test_a_run_that_fails_aborts_and_deletes_what_it_made_ahead(org: Org, cut: Sync, sync: Sync) -> None:
    run = cut(1, **FLAT, bulk_page_size=5)
    assert set(run.bookmarks["Account"]) >= {"bulk"}, "its result is there, and the next run reads on"
    assert "bulk" not in run.bookmarks["Contact"]
    assert "bulk" not in run.bookmarks["Lead"]
    assert there(org) == [run.bookmarks["Account"]["bulk"]["jobs"][""]]
    rest = sync(run.state, **FLAT)
    assert rest.counts["Lead"] == 253
    assert not there(org)


@pytest.fixture
def kill(sync: Sync, monkeypatch: pytest.MonkeyPatch):
    """A run whose jobs are not aborted at its end, as where it is killed."""

    def run(*given: Any, **settings: Any) -> Run:
        write = WholeLineWriter.write_batch
        written: list[int] = []

        def count(self: WholeLineWriter, *batch: Any) -> None:
            write(self, *batch)
            written.append(1)
            if len(written) == 1:
                raise TapError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(WholeLineWriter, "write_batch", count)
            patch.setattr("tap_salesforce_ikaroa.bulk.ahead.JobsAhead.discard", lambda _: None)
            return sync(*given, expect=TapError, **settings)

    return run


def test_jobs_that_a_killed_run_had_made_ahead_are_read_by_the_next(org: Org, sync: Sync, kill) -> None:
    first = kill(**FLAT)
    assert {stream for stream, entry in first.bookmarks.items() if "bulk" in entry} == {
        "Account",
        "Contact",
        "Lead",
    }
    left = set(there(org))
    assert len(left) == 3
    org.sandbox.journal.clear()
    org.advance(3600)
    rest = sync(first.state, api_type="AUTO", **{name: FLAT[name] for name in FLAT if name != "api_type"})
    assert not [method for method, _ in asked(org) if method == "POST"], "no job is made anew"
    assert set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert not there(org)


DEALS: dict[str, Any] = {
    **BULK,
    "streams_to_discover": ["Account", "Lead", "Opportunity"],
    "recheck_hours": 0,
}


def test_what_is_deleted_between_a_job_made_ahead_and_the_next_run_is_told(
    org: Org, sync: Sync, kill
) -> None:
    first = kill(**DEALS)
    lead, line = next(iter(org.rows("Lead"))), next(iter(org.rows("OpportunityLineItem").values()))
    org.edit("hard_delete", object="Lead", id=lead)
    org.edit("delete", object="OpportunityLineItem", id=line["Id"])
    org.advance(3600)
    rest = sync(first.state, **DEALS)
    last = rest.of("Opportunity")
    deal = [record for record in last if record["Id"] == line["OpportunityId"]][-1]
    assert rest.of("Lead")[-1] == rest.by_id("Lead")[lead], "after the row of the job"
    assert rest.by_id("Lead")[lead]["IsDeleted"] is True
    assert line["Id"] not in {item["Id"] for item in deal["OpportunityLineItems"]}
    assert not there(org)


def test_a_child_that_was_made_and_moved_around_a_killed_run_leaves_its_first_root(
    org: Org, sync: Sync, kill
) -> None:
    """The next run reads the first root with it, by the job that was made ahead; the root itself does not change."""
    settings: dict[str, Any] = {
        **BULK,
        "streams_to_discover": ["Lead", "Opportunity"],
        "aggregates": {"Opportunity": {"children": {"Orders": {}}}},
        "lookback_window": 0,
    }
    before = sync(**settings)
    assert "settled" in before.bookmarks["Opportunity"]
    one, other, third, *_ = org.rows("Opportunity")
    org.advance(3600)
    order = {"AccountId": next(iter(org.rows("Account"))), "EffectiveDate": "2026-11-02", "Status": "Draft"}
    moved = org.insert("Order", **order, OpportunityId=one)
    org.update("Lead", next(iter(org.rows("Lead"))), Title="Director")
    for deal in (one, third):
        org.advance(60)
        org.update("Opportunity", deal, NextStep="call")
    org.advance(60)
    first = kill(before.state, **settings)
    assert "bulk" in first.bookmarks["Opportunity"]
    org.advance(60)
    org.update("Order", moved, OpportunityId=other)
    org.advance(3600)
    last = sync(first.state, **settings).by_id("Opportunity")
    assert [row["Id"] for row in last[other]["Orders"]] == [moved]
    assert last[one]["Orders"] == []


def test_an_object_that_bulk_does_not_read_is_refused_once_and_read_by_rest(
    org: Org, sync: Sync, monkeypatch, log
) -> None:
    refusal = NotBulkError("Entity 'Contact' is not supported by the Bulk API.")
    tried = refuse(monkeypatch, refusal, lambda tried: " FROM Contact" in tried[-1])
    run = sync(**FLAT)
    assert run.counts == {"Account": 20, "Contact": 40, "Lead": 253}
    assert len(tried) == 3
    assert "Contact: read by REST" in log()
    assert not there(org)


def test_a_job_that_cannot_be_made_ahead_is_made_when_its_turn_comes(
    org: Org, sync: Sync, monkeypatch, log
) -> None:
    refuse(monkeypatch, TapError("just now not"), lambda tried: len(tried) == 2)
    run = sync(**FLAT)
    assert run.counts == {"Account": 20, "Contact": 40, "Lead": 253}
    assert "just now not" in log()
    assert not there(org)


def test_a_job_made_ahead_that_takes_too_long_is_asked_for_in_halves(org: Org, sync: Sync) -> None:
    org.fault("job_failed", method="POST", path="/jobs/query", nth=[3])
    run = sync(**FLAT)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert [method for method, _ in asked(org)].count("POST") == 5
    assert not there(org)


def test_a_job_made_ahead_that_somebody_aborts_is_told_when_its_turn_comes(
    org: Org, sync: Sync, monkeypatch
) -> None:
    wait = Jobs.wait

    def aborted(self: Jobs, job_id: str, what: str, **more: Any) -> Any:
        if what == "Contact":
            self.client.patch(self.of(job_id), {"state": "Aborted"}, Purpose.BULK)
        return wait(self, job_id, what, **more)

    monkeypatch.setattr(Jobs, "wait", aborted)
    run = sync(expect=StreamsFailedError, **FLAT)
    assert run.counts == {"Account": 20, "Lead": 253}
    assert "Contact: Bulk job" in str(run.error)
    assert not any("bulk" in entry for entry in run.bookmarks.values())
    assert not there(org)


def test_where_the_quota_ends_a_run_its_jobs_are_left_to_the_next(org: Org, sync: Sync) -> None:
    org.edit("limits", daily=100, used=76)
    run = sync(expect=QuotaReachedError, **FLAT)
    left = {job for entry in run.bookmarks.values() for job in entry.get("bulk", {}).get("jobs", {}).values()}
    assert left == set(there(org))
