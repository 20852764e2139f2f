"""Reading by Bulk API 2.0: the same records as by REST, chosen where it pays, resumed where it was cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.bulk.jobs import Jobs
from tap_salesforce_ikaroa.errors import JobFailedError, RequestError, TapError, UnexpectedAnswerError
from tap_salesforce_ikaroa.writer import Terminated, WholeLineWriter

if TYPE_CHECKING:
    from conftest import Org, Run, Sync

BULK: dict[str, Any] = {"api_type": "BULK2"}
LEADS: dict[str, Any] = {**BULK, "streams_to_discover": ["Lead"], "bulk_parallel": 1, "bulk_page_size": 60}


def jobs(org: Org, method: str = "POST") -> list[str]:
    return [
        exchange.request.path
        for exchange in org.exchanges
        if exchange.request.method == method and "/jobs/query" in exchange.request.path
    ]


def kinds(run: Run) -> set[str]:
    return {purpose for purpose, count in run.calls.items() if count}


# --- the same records ---------------------------------------------------------------------------------------------


def test_every_record_is_the_one_that_rest_gives(sync: Sync, first: Run) -> None:
    by_bulk = sync(**BULK)
    assert "query" not in kinds(by_bulk)
    assert by_bulk.counts == first.counts
    for stream in first.records:
        assert by_bulk.by_id(stream) == first.by_id(stream)
        assert by_bulk.bookmarks[stream] == first.bookmarks[stream]


def test_odd_texts_and_nulls_are_the_same_by_both(org: Org, sync: Sync) -> None:
    for text in ('say "hi", then\nleave\r\n', "\\ \t ü😀\u2028", "NULL", "None", "NA", " x ", ",", "0"):
        org.insert("Lead", LastName="Odd", Company="Odd", Description=text)
    by_rest, by_bulk = sync(streams_to_discover=["Lead"], api_type="REST"), sync(**LEADS)
    assert by_bulk.by_id("Lead") == by_rest.by_id("Lead")


def test_the_sdk_path_and_the_fast_path_write_the_same_bytes(sync: Sync, monkeypatch) -> None:
    fast = sync(**BULK)
    monkeypatch.setattr("tap_salesforce_ikaroa.streams.SalesforceStream._writes_as_read", False)
    slow = sync(**BULK)

    def records(run: Run) -> list[str]:
        found = [line for line in run.text.splitlines() if '"type":"RECORD"' in line]
        return [line[: line.rindex(',"time_extracted":"')] for line in found]

    # A job gives its rows in no order, and not always the same.
    assert sorted(records(fast)) == sorted(records(slow))
    lines = fast.text.splitlines()
    assert {json.dumps(sorted(json.loads(line))) for line in lines if '"RECORD"' in line} == {
        '["record", "stream", "time_extracted", "type"]'
    }


def test_stream_maps_still_apply(sync: Sync) -> None:
    run = sync(
        **LEADS, stream_maps={"Lead": {"Shout": "LastName.upper()", "__else__": "__NULL__", "Id": "Id"}}
    )
    assert run.counts == {"Lead": 253}
    assert run.of("Lead")[0]["Shout"].startswith("LEAD ")


# --- chosen where it pays -----------------------------------------------------------------------------------------


def test_auto_counts_first_and_takes_bulk_for_many_rows_only(sync: Sync) -> None:
    run = sync(bulk_min_rows=100)
    assert run.calls["query"] == 3, "Account, Opportunity and Product2 have fewer"
    assert run.calls["bulk"] > 0
    assert run.counts["Lead"] == 253


def test_auto_sees_by_the_first_page_that_a_later_run_has_many_rows(
    org: Org, sync: Sync, state: dict
) -> None:
    org.edit("bulk_load", object="Lead", count=300, fields={"LastName": "Bulk {n}", "Company": "Bulk"})
    org.sandbox.journal.clear()
    run = sync(state, bulk_min_rows=200)
    assert run.counts == {"Lead": 300}
    assert len(run.by_id("Lead")) == 300
    assert len(jobs(org)) == 1


def test_what_bulk_does_not_read_is_read_by_rest(sync: Sync, monkeypatch, log) -> None:
    def refuse(*_: Any) -> None:
        raise RequestError("Entity 'Lead' is not supported by the Bulk API.", "INVALIDENTITY", 400)

    monkeypatch.setattr("tap_salesforce_ikaroa.client.Client.post", refuse)
    run = sync(**LEADS)
    assert run.counts == {"Lead": 253}
    assert "read by REST" in log()


@pytest.mark.slow
def test_a_bulk_load_of_one_stamp_is_read_whole(org: Org, sync: Sync, state: dict) -> None:
    org.edit("bulk_load", object="Lead", count=700, fields={"LastName": "Bulk {n}", "Company": "Bulk"})
    run = sync(state, **LEADS)
    assert run.counts == {"Lead": 700}
    org.advance(3600)
    org.advance(3600)
    assert sync(sync(run.state, **LEADS).state, **LEADS).counts == {}


def test_the_bookmark_moves_after_the_last_page_only_and_to_the_greatest_stamp(org: Org, sync: Sync) -> None:
    run = sync(**LEADS)
    moved = [state["bookmarks"]["Lead"].get("replication_key_value") for state in run.states]
    assert set(moved[:-2]) == {None}
    assert moved[-1] == max(record["SystemModstamp"] for record in run.of("Lead"))


# --- courtesy -----------------------------------------------------------------------------------------------------


def test_jobs_are_looked_at_soon_and_deleted_when_they_are_read(org: Org, sync: Sync) -> None:
    run = sync(**BULK)
    assert run.pauses[0] == 0.5
    assert len(jobs(org)) == 7, "four roots, three lists"
    assert len(set(jobs(org, "DELETE"))) == 7


def test_a_signal_aborts_a_job_that_still_runs(org: Org, sync: Sync, monkeypatch) -> None:
    class ImpatientError(Exception):
        pass

    monkeypatch.setattr("tap_salesforce_ikaroa.bulk.jobs.Jobs.look", stop_once(ImpatientError))
    with pytest.raises(ImpatientError):
        sync(**LEADS)
    assert len(jobs(org, "PATCH")) == len(jobs(org)) == 1
    assert len(jobs(org, "DELETE")) == 1


def stop_once(error: type[Exception]) -> Any:
    look, calls = Jobs.look, []

    def once(self: Jobs, job_id: str) -> Any:
        calls.append(job_id)
        if len(calls) == 1:
            raise error
        return look(self, job_id)

    return once


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_a_job_that_fails_for_good_is_told_with_salesforces_reason(org: Org, sync: Sync) -> None:
    org.fault("job_failed", path="/jobs/query", every=1)
    run = sync(**LEADS, start_date="2026-11-02T08:59:59Z", expect=JobFailedError)
    assert "Retried more than 15 times" in str(run.error)
    assert "bulk" not in run.state.get("bookmarks", {}).get("Lead", {})


def test_a_job_that_takes_too_long_is_asked_for_in_halves(org: Org, sync: Sync) -> None:
    org.fault("job_failed", path="/jobs/query", nth=[1])
    run = sync(**LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(jobs(org)) == 3


@pytest.mark.parametrize("kind", ["row_lost", "count_off"])
@pytest.mark.parametrize("nth", [2, 4, 5])  # a page of the accounts, or of their contacts
def test_a_page_with_other_rows_than_announced_is_fetched_again(
    org: Org, sync: Sync, first: Run, kind: str, nth: int
) -> None:
    org.fault(kind, path="/results", nth=[nth])
    run = sync(**{**LEADS, "streams_to_discover": ["Account"], "bulk_page_size": 7})
    assert run.counts == {"Account": 20}
    assert run.by_id("Account") == first.by_id("Account")


@pytest.mark.parametrize("kind", ["row_lost", "count_off", "locator_dropped", "locator_repeated"])
@pytest.mark.parametrize("stream", ["Lead", "Account"])
def test_a_result_that_stays_wrong_never_moves_the_bookmark(
    org: Org, sync: Sync, kind: str, stream: str
) -> None:
    org.fault(kind, path="/results", every=1)
    settings = {**LEADS, "streams_to_discover": [stream], "bulk_page_size": 7}
    run = sync(**settings, expect=UnexpectedAnswerError)
    assert "replication_key_value" not in run.state.get("bookmarks", {}).get(stream, {})
    org.sandbox.faults.clear()
    again = sync(run.state, **settings)
    assert set(again.by_id(stream)) == set(org.rows(stream, deleted=True))


def test_a_root_that_changes_between_the_jobs_keeps_its_list(
    org: Org, sync: Sync, state: dict, monkeypatch
) -> None:
    accounts = list(org.rows("Account"))[:3]
    for account in accounts:
        org.update("Account", account, Phone="1")
    create, made = Jobs.create, []

    def change_meanwhile(self: Jobs, query: Any, **more: Any) -> Any:
        made.append(query.source)
        if made == ["Account", "Contact"]:
            org.advance(60)
            org.update("Account", accounts[0], Phone="2")
        return create(self, query, **more)

    monkeypatch.setattr(Jobs, "create", change_meanwhile)
    run = sync(state, **BULK, streams_to_discover=["Account"])
    assert made[:2] == ["Account", "Contact"]
    assert all(len(run.by_id("Account")[account]["Contacts"]) == 2 for account in accounts)


# --- resuming -----------------------------------------------------------------------------------------------------


def cut_after(monkeypatch, batches: int, error: BaseException) -> None:
    write, written = WholeLineWriter.write_batch, []

    def count(self: WholeLineWriter, *batch: Any) -> None:
        write(self, *batch)
        written.append(1)
        if len(written) == batches:
            raise error

    monkeypatch.setattr(WholeLineWriter, "write_batch", count)


@pytest.mark.parametrize(
    "settings", [LEADS, {**BULK, "streams_to_discover": ["Account"], "bulk_page_size": 7}]
)
def test_a_run_that_was_cut_goes_on_with_the_same_jobs(
    org: Org, sync: Sync, monkeypatch, settings: dict
) -> None:
    stream = settings["streams_to_discover"][0]
    monkeypatch.setattr("tap_salesforce_ikaroa.limits.BATCH_RECORDS", 6)
    with monkeypatch.context() as patch:
        cut_after(patch, 3, TapError("cut"))
        cut = sync(**settings, expect=TapError)
    made, read = len(jobs(org)), cut.by_id(stream)
    assert cut.bookmarks[stream]["bulk"]["jobs"]
    late = org.insert(
        stream, **({"Name": "Late"} if stream == "Account" else {"LastName": "Late", "Company": "L"})
    )
    org.advance(3600)
    rest = sync(cut.state, **settings, lookback_window=0)
    assert len(jobs(org)) - made <= made, "the old jobs are read on, and one pass of new ones catches up"
    assert set(read) | set(rest.by_id(stream)) == set(org.rows(stream, deleted=True))
    assert late in rest.by_id(stream)
    again = len(set(read) & {record["Id"] for record in rest.of(stream)})
    assert again < len(read), "what was written for certain does not come again"
    assert "bulk" not in rest.bookmarks[stream]
    assert len(set(jobs(org, "DELETE"))) == len(jobs(org))


def test_pages_are_no_longer_than_asked_for(org: Org, sync: Sync) -> None:
    # Salesforce lists one page of all rows; see `resultPages`.
    run = sync(**{**LEADS, "bulk_parallel": 3, "bulk_page_size": 100})
    asked = [exchange.request for exchange in org.exchanges if exchange.request.path.endswith("/results")]
    assert [dict(request.params())["maxRecords"] for request in asked] == ["100"] * 3
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_state_is_written_after_every_page_so_that_a_killed_run_goes_on_there(org: Org, sync: Sync) -> None:
    run = sync(**{**LEADS, "bulk_page_size": 100})
    places = [entry for value in run.states if (entry := value["bookmarks"].get("Lead", {}).get("bulk"))]
    assert {place.get("rows") for place in places if place.get("locator")} == {100, 200}
    killed = next(
        value for value in run.states if value["bookmarks"]["Lead"].get("bulk", {}).get("rows") == 200
    )
    # The job is gone with the run that read it; what a killed one leaves is a STATE like this, and its job.
    written = run.lines.index({"type": "STATE", "value": killed})
    assert sum(line["type"] == "RECORD" for line in run.lines[:written]) == 200


def test_jobs_of_another_selection_are_not_read_on(org: Org, sync: Sync, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        cut_after(patch, 2, TapError("cut"))
        cut = sync(**LEADS, expect=TapError)
    org.edit("add_field", object="Lead", field="New__c", type="string", length=40)
    rest = sync(cut.state, **LEADS)
    assert set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert all("New__c" in record for record in rest.of("Lead"))
    assert len(set(jobs(org, "DELETE"))) == 2


def test_a_job_that_salesforce_has_forgotten_is_made_anew(org: Org, sync: Sync, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        cut_after(patch, 2, TapError("cut"))
        cut = sync(**LEADS, expect=TapError)
    cut.state["bookmarks"]["Lead"]["bulk"]["jobs"][""] = "750000000000001AAA"
    assert set(sync(cut.state, **LEADS).by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_a_bookmark_set_back_by_hand_is_followed_beyond_old_jobs(org: Org, sync: Sync, monkeypatch) -> None:
    whole = sync(**LEADS)
    org.edit("bulk_load", object="Lead", count=100, fields={"LastName": "Bulk {n}", "Company": "Bulk"})
    with monkeypatch.context() as patch:
        cut_after(patch, 1, TapError("cut"))
        cut = sync(whole.state, **LEADS, expect=TapError)
    entry = cut.state["bookmarks"]["Lead"]
    entry["replication_key_value"] = "2026-01-01T00:00:00.000Z"
    rest = sync(cut.state, **LEADS)
    assert set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_sigterm_keeps_a_complete_job_in_state(org: Org, sync: Sync, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        cut_after(patch, 2, Terminated(15))
        with pytest.raises(BaseException) as ended:
            sync(**LEADS)
    assert getattr(ended.value, "exit_code", None) == 143
    assert jobs(org, "DELETE") == []
