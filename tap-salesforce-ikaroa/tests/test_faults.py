"""What goes wrong on the way: retried where it passes, told in one line where it does not, never silently less data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa.errors import (
    LoginError,
    QueryTimeoutError,
    QuotaReachedError,
    RequestError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.transport import Transport

if TYPE_CHECKING:
    from conftest import Org, Sync

LEADS = {"streams_to_discover": ["Lead"], "page_size": 200}
Answered = Callable[..., list[str]]
PASSING = [
    "406",
    "420",
    "429",
    "429_concurrent",
    "500_before",
    "502_before",
    "503_before",
    "504_before",
    "timeout_before",
    "reset_before",
    "reset_mid_body",
    "truncated_json",
    "html_page_before",
    "html_page_after",
    "maintenance",
]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Answered:
    """Has Salesforce answer in a given way: `answered("/queryAll", 400, code, times=2)`; gives the addresses so answered."""
    send = SandboxAdapter.send

    def install(path: str, status: int, code: str | None, times: int = 10**6) -> list[str]:
        done: list[str] = []

        def other(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
            answer = send(self, request, *args, **more)
            if path in str(request.url) and len(done) < times:
                done.append(str(request.url))
                said = [{"errorCode": code, "message": "Refused."}] if code else None
                answer.status_code, answer._content = status, json.dumps(said).encode() if said else b""
            return answer

        monkeypatch.setattr(SandboxAdapter, "send", other)
        return done

    return install


@pytest.mark.parametrize("kind", PASSING)
def test_a_passing_fault_costs_a_pause_and_no_row(org: Org, sync: Sync, kind: str) -> None:
    org.fault(kind, path="/query", nth=[1, 2])
    org.fault(kind, path="/composite", nth=[1])
    run = sync(**LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(run.of("Lead")) == len(run.by_id("Lead"))
    assert len(run.pauses) == 3
    assert all(pause <= 60 for pause in run.pauses)


def test_what_does_not_pass_ends_the_run_with_state_and_one_line(org: Org, sync: Sync) -> None:
    org.fault("503", path="/query/", every=1)
    run = sync(expect=UnavailableError, **LEADS)
    assert len(run.pauses) == 6, "the first attempt and max_retries more"
    assert run.pauses == sorted(run.pauses)
    assert run.bookmarks["Lead"]["replication_key_value"]
    assert "\n" not in str(run.error)


def test_html_for_ever_is_told_as_such(org: Org, sync: Sync) -> None:
    org.fault("maintenance", path="/query", every=1)
    run = sync(expect=UnexpectedAnswerError, max_retries=1, **LEADS)
    assert "text/html in the place of data" in str(run.error)


@pytest.mark.parametrize("kind", ["401", "401_jwt", "expire_tokens"])
def test_a_session_that_ends_in_mid_run_is_renewed_once(org: Org, sync: Sync, kind: str) -> None:
    org.fault(kind, path="/query/", nth=[1])
    run = sync(**LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert run.calls["login"] == 2
    assert run.pauses == []


def test_a_session_that_is_refused_again_is_told_with_what_to_check(org: Org, sync: Sync) -> None:
    org.fault("401", path="/query", every=1)
    run = sync(expect=LoginError, **LEADS)
    assert run.calls["login"] == 2
    assert "also with a new token" in str(run.error)
    assert "API Enabled" in str(run.error)


def test_the_day_s_limit_stops_the_run_at_once_and_keeps_state(org: Org, sync: Sync) -> None:
    org.fault("429_day", path="/query/", nth=[1])
    run = sync(expect=QuotaReachedError, **LEADS)
    assert run.pauses == []
    assert "daily API calls are used up" in str(run.error)
    assert run.bookmarks["Lead"]["replication_key_value"]


def test_a_query_that_takes_too_long_is_asked_for_in_halves(org: Org, sync: Sync) -> None:
    org.fault("query_timeout", path="/queryAll", nth=[1, 2, 4])
    run = sync(**LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(run.of("Lead")) == len(run.by_id("Lead"))
    stamps = [record["SystemModstamp"] for record in run.of("Lead")]
    assert stamps == sorted(stamps)


def test_a_query_that_times_out_in_mid_page_goes_on_after_the_last_row(org: Org, sync: Sync) -> None:
    org.fault("query_timeout", path="/query/", nth=[1])
    run = sync(**LEADS)
    assert len(run.of("Lead")) == len(org.rows("Lead", deleted=True))


def test_more_than_salesforce_may_look_through_is_asked_for_in_halves(
    org: Org, sync: Sync, answered: Answered
) -> None:
    refused = answered("/queryAll", 400, "OPERATION_TOO_LARGE", times=2)
    run = sync(**LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(refused) == 2


def test_more_than_salesforce_may_look_through_in_any_window_is_told_with_the_cure(
    sync: Sync, answered: Answered
) -> None:
    answered("/queryAll", 400, "OPERATION_TOO_LARGE")
    run = sync(expect=QueryTimeoutError, **LEADS)
    assert "View All" in str(run.error)


@pytest.mark.parametrize("code", ["MALFORMED_QUERY", "INVALID_FIELD", ""])
def test_a_refusal_says_which_stream_it_is_about(sync: Sync, answered: Answered, code: str) -> None:
    answered("/queryAll", 400, code)
    run = sync(expect=RequestError, **LEADS)
    assert "Lead" in str(run.error)
    assert ".." not in str(run.error)


def test_nothing_in_the_place_of_an_answer_is_asked_for_again(
    org: Org, sync: Sync, answered: Answered
) -> None:
    nothing = answered("/queryAll", 200, None, times=2)
    run = sync(**LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(nothing) == len(run.pauses) == 2


def test_a_query_that_always_times_out_is_an_error_not_an_empty_stream(org: Org, sync: Sync) -> None:
    org.fault("query_timeout", path="/queryAll", every=1)
    run = sync(expect=QueryTimeoutError, **LEADS)
    assert "No shorter window helps" in str(run.error)
    assert "covered" not in run.bookmarks["Lead"]


def test_a_forgotten_locator_starts_again_after_the_last_row(org: Org, sync: Sync) -> None:
    org.edit("bulk_load", object="Lead", count=600, fields={"LastName": "Bulk {n}", "Company": "Tie"})
    org.fault("invalid_locator", path="/query/", nth=[1, 3])
    run = sync(**LEADS)
    assert len(run.of("Lead")) == len(org.rows("Lead", deleted=True))
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_a_forgotten_locator_of_a_child_list_starts_the_page_again(org: Org, sync: Sync) -> None:
    account = org.insert("Account", Name="Many Contacts Ltd")
    org.edit(
        "bulk_load", object="Contact", count=450, fields={"LastName": "Person {n}", "AccountId": account}
    )
    org.fault("invalid_locator", path="/query/", nth=[2])
    run = sync(streams_to_discover=["Account"])
    assert len(run.by_id("Account")[account]["Contacts"]) == 450
    assert len(run.of("Account")) == len(run.by_id("Account"))


def test_retry_after_is_honoured(org: Org, sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    once = Transport._once
    answers: list[int] = []

    def busy_once(self: Transport, *args: Any) -> Any:
        answer = once(self, *args)
        if not answers:
            answers.append(1)
            return type(answer)(503, {"Retry-After": "17"}, b"")
        return answer

    monkeypatch.setattr(Transport, "_once", busy_once)
    assert sync(**LEADS).pauses == [17.0]


def test_a_refused_part_of_a_composite_call_is_asked_for_alone(org: Org, sync: Sync, state: dict) -> None:
    lead = org.insert("Lead", LastName="New", Company="New Ltd")
    org.edit("hide_object", object="Contact")
    run = sync(state, streams_to_discover=["Lead", "Account"])
    assert lead in run.by_id("Lead")


def test_a_dead_connection_is_told_by_host_alone(org: Org, sync: Sync) -> None:
    org.fault("connect_failed", path="/query", every=1)
    run = sync(expect=UnavailableError, **LEADS)
    assert "make sandbox" in str(run.error)
