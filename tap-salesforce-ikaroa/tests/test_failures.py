"""One stream that cannot be read does not keep the others from being read; and nothing ends well that did not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa.errors import (
    ApiClosedError,
    LoginError,
    NoAnswerError,
    QueryTimeoutError,
    QuotaReachedError,
    RequestError,
    StreamsFailedError,
    TapError,
    UnavailableError,
)
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa

if TYPE_CHECKING:
    from conftest import Org, Sync

CONFIG: dict[str, Any] = {
    "login_url": "http://127.0.0.1:8790",
    "client_id": "sandbox-salesforce-client",
    "client_secret": "sandbox-salesforce-secret",
}
FLAT: dict[str, Any] = {
    "streams_to_discover": ["Account", "Contact", "Lead"],
    "aggregates": {"Account": {}, "Contact": {}, "Lead": {}},
}
Refusing = Callable[..., None]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """Refuses the queries of one object, also inside composite calls: `refusing("Contact", 400, "INVALID_FIELD")`."""
    send = SandboxAdapter.send

    def install(object_name: str, status: int, code: str, what: str = "SELECT Id,") -> None:
        said = [{"errorCode": code, "message": "Refused."}]

        def is_meant(url: str) -> bool:
            text = unquote_plus(url)
            return what in text and f"FROM {object_name}" in text.partition("FROM (")[0]

        def other(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
            answer = send(self, request, *args, **more)
            if is_meant(str(request.url)):
                answer.status_code, answer._content = status, json.dumps(said).encode()
            elif request.url.endswith("/composite"):
                told = json.loads(answer.content)
                asked = {
                    step["referenceId"]: step["url"] for step in json.loads(request.body)["compositeRequest"]
                }
                for part in told["compositeResponse"]:
                    if is_meant(asked[part["referenceId"]]):
                        part.update(httpStatusCode=status, body=said)
                answer._content = json.dumps(told).encode()
            return answer

        monkeypatch.setattr(SandboxAdapter, "send", other)

    return install


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_FIELD"),
        (400, "MALFORMED_QUERY"),
        (403, "INSUFFICIENT_ACCESS"),
        (400, "OPERATION_TOO_LARGE"),
        (400, "QUERY_TIMEOUT"),
        (400, "INVALID_TYPE"),
        (400, "EXCEEDED_ID_LIMIT"),
        (500, "UNKNOWN_EXCEPTION"),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_a_refused_stream_keeps_no_other_from_being_read(
    org: Org, sync: Sync, refusing: Refusing, status: int, code: str, later: bool
) -> None:
    before = sync(**FLAT).state if later else None
    org.advance(3600)
    changed = {}
    for name in ("Account", "Contact", "Lead"):
        rows = list(org.rows(name))
        changed[name] = set(rows[:3]) if later else set(rows)
        for row_id in rows[:3]:
            org.update(name, row_id, Description="Changed")
    refusing("Contact", status, code)
    run = sync(before, expect=StreamsFailedError, **FLAT)
    assert "Contact" not in run.counts
    for name in ("Account", "Lead"):
        assert set(run.by_id(name)) >= changed[name]
        assert run.bookmarks[name]["covered"]["until"] > "2026-11-02T10:00"
    kept = (before or {"bookmarks": {}})["bookmarks"].get("Contact", {})
    for part in ("replication_key_value", "covered"):
        assert run.bookmarks["Contact"].get(part) == kept.get(part)
    text = str(run.error)
    assert code in text
    assert text.startswith("1 of 3 streams could not be read to the end. Contact: ")
    assert "\n" not in text


def test_what_failed_is_read_by_the_next_run(org: Org, sync: Sync, refusing: Refusing, monkeypatch) -> None:
    with monkeypatch.context():
        send = SandboxAdapter.send
        refusing("Contact", 400, "INVALID_FIELD")
        run = sync(expect=StreamsFailedError, **FLAT)
        monkeypatch.setattr(SandboxAdapter, "send", send)
    again = sync(run.state, **FLAT)
    assert set(again.by_id("Contact")) == set(org.rows("Contact"))


def test_several_that_failed_are_told_in_one_line(sync: Sync, org: Org) -> None:
    org.fault("query_timeout", path="/query", query="FROM Contact", every=1)
    org.fault("query_timeout", path="/query", query="FROM Account", every=1)
    run = sync(expect=StreamsFailedError, api_type="REST", **FLAT)
    assert str(run.error).startswith("2 of 3 streams")
    assert set(run.by_id("Lead")) == set(org.rows("Lead"))
    assert all(name in str(run.error) for name in ("Account:", "Contact:"))


def test_the_only_stream_s_failure_is_told_as_it_is(sync: Sync, refusing: Refusing) -> None:
    refusing("Lead", 403, "INSUFFICIENT_ACCESS")
    run = sync(expect=RequestError, streams_to_discover=["Lead"])
    assert "permission set" in str(run.error)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", LoginError),
        ("429_day", QuotaReachedError),
        ("503_before", UnavailableError),
        ("500_before", TapError),
        ("reset_before", UnavailableError),
        ("maintenance", NoAnswerError),
        ("api_disabled", ApiClosedError),
    ],
)
def test_what_is_no_matter_of_one_stream_ends_the_run_at_once(
    org: Org, sync: Sync, fault: str, error: type[Exception]
) -> None:
    org.fault(fault, path="/query", every=1)
    run = sync(expect=error, max_retries=1, api_type="REST", **FLAT)
    assert run.counts == {}
    if fault != "500_before":
        assert not isinstance(run.error, StreamsFailedError)


def test_a_stream_that_failed_by_bulk_leaves_no_job_and_others_are_read(org: Org, sync: Sync) -> None:
    org.fault("row_lost", path="results", query="", every=1)
    run = sync(expect=StreamsFailedError, api_type="BULK2", **FLAT)
    assert str(run.error).startswith("3 of 3")
    assert all("bulk" not in entry for entry in run.bookmarks.values())


def test_with_stream_maps_the_others_are_read_as_well(org: Org, sync: Sync, refusing: Refusing) -> None:
    refusing("Contact", 400, "INVALID_FIELD")
    maps = {"Lead": {"Company": "Company"}}
    run = sync(expect=StreamsFailedError, stream_maps=maps, **FLAT)
    assert set(run.by_id("Lead")) == set(org.rows("Lead"))


def test_a_look_at_a_few_records_ends_with_the_first_failure(org: Org) -> None:
    org.fault("query_timeout", path="/query", query="FROM Account", every=1)

    class Tap(TapSalesforceIkaroa):
        http_adapter = SandboxAdapter(org.sandbox, spend_time=False)

    with pytest.raises(QueryTimeoutError), redirect_stdout(io.StringIO()):
        Tap(config={**CONFIG, **FLAT}).run_connection_test()


# --- what a stream's survey could not find out -------------------------------------------------------------------------


def test_changed_child_rows_that_cannot_be_asked_for_are_a_failure_and_are_asked_for_again(
    org: Org, sync: Sync, state: dict, refusing: Refusing, monkeypatch
) -> None:
    send = SandboxAdapter.send
    contact, row = next(iter(org.rows("Contact").items()))
    org.update("Contact", contact, Title="Changed")
    account = list(org.rows("Account"))[-1]
    org.update("Account", account, Phone="1")
    refusing("Contact", 403, "INSUFFICIENT_ACCESS", "SELECT Id,AccountId")
    run = sync(state, expect=StreamsFailedError)
    assert account in run.by_id("Account"), "its own rows are read"
    assert "changes of Contact" in str(run.error)
    monkeypatch.setattr(SandboxAdapter, "send", send)
    org.advance(3600)
    assert row["AccountId"] in sync(run.state).by_id("Account")


def test_deletions_that_cannot_be_asked_for_are_told_and_asked_for_again(
    org: Org, sync: Sync, state: dict, monkeypatch, log: Callable[[], str]
) -> None:
    lead = next(iter(org.rows("Lead")))
    org.edit("hard_delete", object="Lead", id=lead)
    send = SandboxAdapter.send

    def refuse(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
        answer = send(self, request, *args, **more)
        if request.url.endswith("/composite"):
            told = json.loads(answer.content)
            asked = {
                step["referenceId"]: step["url"] for step in json.loads(request.body)["compositeRequest"]
            }
            for part in told["compositeResponse"]:
                if "/sobjects/Lead/deleted" in asked[part["referenceId"]]:
                    part.update(
                        httpStatusCode=403, body=[{"errorCode": "INSUFFICIENT_ACCESS", "message": ""}]
                    )
            answer._content = json.dumps(told).encode()
        return answer

    monkeypatch.setattr(SandboxAdapter, "send", refuse)
    run = sync(state)
    assert "deletions of Lead could not be asked for" in log()
    monkeypatch.setattr(SandboxAdapter, "send", send)
    assert sync(run.state).by_id("Lead")[lead]["IsDeleted"] is True


@pytest.mark.parametrize("lost", ["deletedRecords", "latestDateCovered"])
def test_deletions_told_in_another_form_are_asked_for_again(
    org: Org, sync: Sync, state: dict, monkeypatch, lost: str
) -> None:
    lead = next(iter(org.rows("Lead")))
    org.edit("hard_delete", object="Lead", id=lead)
    send = SandboxAdapter.send

    def lose(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
        answer = send(self, request, *args, **more)
        if request.url.endswith("/composite"):
            told = json.loads(answer.content)
            for part in told["compositeResponse"]:
                if isinstance(part["body"], dict) and "deletedRecords" in part["body"]:
                    del part["body"][lost]
            answer._content = json.dumps(told).encode()
        return answer

    monkeypatch.setattr(SandboxAdapter, "send", lose)
    run = sync(state)
    monkeypatch.setattr(SandboxAdapter, "send", send)
    assert sync(run.state).by_id("Lead")[lead]["IsDeleted"] is True
