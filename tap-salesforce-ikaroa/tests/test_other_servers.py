"""Answers that are as documented, and other than the simulated org gives them: no row is lost for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa.errors import HostError, UnexpectedAnswerError, VersionRetiredError

if TYPE_CHECKING:
    import requests

    from conftest import Org, Sync

ADDRESS = "http://127.0.0.1:8790"
LEADS: dict[str, Any] = {"streams_to_discover": ["Lead"], "aggregates": {"Lead": {}}}
BY_BULK: dict[str, Any] = {**LEADS, "api_type": "BULK2", "bulk_page_size": 60}
Change = Callable[["requests.Response"], None]
Answering = Callable[[str, Change], list[str]]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Changes answers of paths that hold a text: `answering("/queryAll", change)`; gives the addresses asked."""
    send = SandboxAdapter.send
    changes: list[tuple[str, Change]] = []
    asked: list[str] = []

    def changed(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> requests.Response:
        asked.append(str(request.url))
        answer = send(self, request, *args, **more)
        for path, change in changes:
            if path in str(request.url):
                change(answer)
        return answer

    def install(path: str, change: Change) -> list[str]:
        changes.append((path, change))
        return asked

    monkeypatch.setattr(SandboxAdapter, "send", changed)
    return install


def _is_missing(answer: requests.Response) -> None:
    answer.status_code = 404
    said = {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}
    answer._content = json.dumps([said]).encode()


def _json(change: Callable[[dict[str, Any]], None]) -> Change:
    def changed(answer: requests.Response) -> None:
        told = answer.json()
        if isinstance(told, dict):
            change(told)
        answer._content = json.dumps(told).encode()

    return changed


def test_without_composite_calls_each_question_is_a_call_of_its_own(
    sync: Sync, first: Any, state: dict, answering: Answering
) -> None:
    answering("/composite", _is_missing)
    run = sync()
    assert {stream: run.by_id(stream) for stream in run.records} == {
        stream: first.by_id(stream) for stream in first.records
    }
    again = sync(state)
    assert again.records == {}
    assert again.calls["describe"] > 3


def test_an_api_version_that_the_org_does_not_serve_is_told_with_those_it_does(
    sync: Sync, answering: Answering
) -> None:
    answering("/services/data/v99.0/", _is_missing)
    with pytest.raises(VersionRetiredError, match=r"`api_version`.* to 68\.0"):
        sync(api_version="99.0", **LEADS)


def test_a_next_page_may_be_told_with_the_org_s_own_host(org: Org, sync: Sync, answering: Answering) -> None:
    def make_absolute(answer: dict[str, Any]) -> None:
        if answer.get("nextRecordsUrl"):
            answer["nextRecordsUrl"] = ADDRESS + answer["nextRecordsUrl"]

    answering("/query", _json(make_absolute))
    run = sync(page_size=200, api_type="REST", **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_a_host_that_begins_like_the_org_s_is_another(sync: Sync, answering: Answering) -> None:
    def lead_away(answer: dict[str, Any]) -> None:
        if answer.get("nextRecordsUrl"):
            answer["nextRecordsUrl"] = f"{ADDRESS}.evil.example{answer['nextRecordsUrl']}"

    asked = answering("/query", _json(lead_away))
    sync(page_size=200, api_type="REST", expect=HostError, **LEADS)
    assert all(address.startswith(f"{ADDRESS}/") for address in asked)


@pytest.mark.parametrize("before", [ADDRESS, "https://evil.example", "//evil.example", "cut"])
def test_listed_result_pages_are_fetched_from_the_job_itself_wherever_they_are_said_to_be(
    org: Org, sync: Sync, answering: Answering, before: str
) -> None:
    def moved(address: str) -> str:
        return address[address.index("/jobs/") :] if before == "cut" else before + address

    def move(answer: dict[str, Any]) -> None:
        for page in answer["resultPages"]:
            page["resultUrl"] = moved(page["resultUrl"])
        if answer.get("nextRecordsUrl"):
            answer["nextRecordsUrl"] = moved(answer["nextRecordsUrl"])

    asked = answering("/resultPages", _json(move))
    run = sync(**BY_BULK)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert all(address.startswith(f"{ADDRESS}/services/") for address in asked)


def test_a_last_page_that_does_not_say_that_it_is_the_last_is_the_last_if_all_rows_came(
    org: Org, sync: Sync, answering: Answering
) -> None:
    def say_nothing(answer: requests.Response) -> None:
        if answer.headers.get("Sforce-Locator") == "null":
            del answer.headers["Sforce-Locator"]

    answering("/results", say_nothing)
    run = sync(**BY_BULK)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_a_page_that_does_not_say_what_follows_is_no_last_one_if_rows_are_missing(
    sync: Sync, answering: Answering
) -> None:
    answering("/results", lambda answer: answer.headers.pop("Sforce-Locator"))
    run = sync(expect=UnexpectedAnswerError, **BY_BULK)
    assert "replication_key_value" not in run.bookmarks["Lead"]


def test_a_job_may_leave_its_row_count_out(org: Org, sync: Sync, answering: Answering) -> None:
    answering("/jobs/query/", _json_of_jobs(lambda job: job.pop("numberRecordsProcessed", None)))
    run = sync(**BY_BULK)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


@pytest.mark.parametrize("stream", ["Lead", "Account"])
@pytest.mark.parametrize(
    "reason",
    [
        "INVALIDENTITY : Entity 'X' is not supported by the Bulk API.",
        "FEATURENOTENABLED : Binary field not supported",
        "InvalidBatch : Selecting compound data not supported in Bulk Query",
    ],
)
def test_a_job_that_fails_for_what_bulk_cannot_do_has_its_rows_read_by_rest(
    org: Org, sync: Sync, answering: Answering, reason: str, stream: str
) -> None:
    def fail(job: dict[str, Any]) -> None:
        if job.get("state") == "JobComplete":
            job.update(state="Failed", errorMessage=reason)

    answering("/jobs/query/", _json_of_jobs(fail))
    run = sync(streams_to_discover=[stream], api_type="BULK2")
    assert set(run.by_id(stream)) == set(org.rows(stream, deleted=True))
    assert "bulk" not in run.bookmarks[stream]


def _json_of_jobs(change: Callable[[dict[str, Any]], Any]) -> Change:
    def changed(answer: requests.Response) -> None:
        if answer.request is not None and "/result" not in str(answer.request.url) and answer.content:
            _json(change)(answer)

    return changed
