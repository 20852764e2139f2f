"""One call in, one answer out: what is on the wire, what is sent again, what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import requests
import urllib3
from target_xero.errors import AuthorisationError
from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.ledger.base import milliseconds
from target_xero.xero.auth import Grant, Tokens
from target_xero.xero.client import ClockOffset, XeroClient
from target_xero.xero.pacing import Pacer, Timing
from target_xero.xero.secret import Secret
from target_xero.xero.transport import new_session

CALL = Call(
    Purpose.WRITE,
    "PUT",
    "/Contacts",
    params={"summarizeErrors": "false", "where": 'Name=="A & B"'},
    body={"Contacts": [{"Name": "A", "Amount": Decimal("1.10")}]},
    idempotency_key="7:1",
    intents=(7,),
)
READ = Call(Purpose.LOOK_UP, "GET", "/Contacts", headers={"If-Modified-Since": "2026-01-01T00:00:00"})
OK = (
    200,
    {"Contacts": [], "Total": 1},
    {"X-DayLimit-Remaining": "900", "Date": "Mon, 02 Nov 2026 09:00:00 GMT"},
)
MINUTE = (429, b"", {"X-Rate-Limit-Problem": "minute", "Retry-After": "26", "X-MinLimit-Remaining": "0"})
DAY = (429, b"", {"X-Rate-Limit-Problem": "day", "Retry-After": "66975", "X-DayLimit-Remaining": "0"})
EXPIRED = (401, {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"})


class Granted:
    def __init__(self) -> None:
        self.given = 0

    def grant(self) -> Grant:
        self.given += 1
        return Grant(Secret(f"token-{self.given}"), 1800)


class Barred:
    def grant(self) -> Grant:
        raise AuthorisationError("authorise again")


class Setup:
    def __init__(self, scripted: Any, virtual: Any, *replies: Any, credentials: Any = None) -> None:
        self.adapter = scripted(*replies)
        self.virtual = virtual
        timing = Timing(virtual.seconds, virtual.sleep)
        self.credentials = credentials or Granted()
        self.clock = ClockOffset(timing)
        self.client = XeroClient(
            session=new_session(self.adapter),
            api_url="https://api.xero.com",
            tokens=Tokens(self.credentials, timing),
            pacer=Pacer(timing),
            clock=self.clock,
            timing=timing,
        )

    def send(self, call: Call = CALL) -> Answer:
        assert self.client.pacer.take(1) == 1
        answer = self.client.send(call)
        assert self.client.pacer._open == 0, "every slot is given back"
        return answer


@pytest.fixture
def make(scripted: Any, virtual: Any) -> Any:
    return lambda *replies, **options: Setup(scripted, virtual, *replies, **options)


def test_a_write_is_on_the_wire_as_xero_wants_it(make: Any) -> None:
    setup = make(OK)
    setup.client.tenant_id = "tenant-1"
    setup.send()
    request = setup.adapter.requests[0]
    assert request.method == "PUT"
    assert request.url == (
        "https://api.xero.com/api.xro/2.0/Contacts?summarizeErrors=false&where=Name%3D%3D%22A%20%26%20B%22"
    )
    assert request.body == b'{"Contacts":[{"Name":"A","Amount":1.10}]}'
    assert {name: request.headers[name] for name in ("Authorization", "xero-tenant-id", "Idempotency-Key")} == {
        "Authorization": "Bearer token-1", "xero-tenant-id": "tenant-1", "Idempotency-Key": "7:1",
    }  # fmt: skip
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.headers["User-Agent"].startswith("target-xero/")


def test_a_read_has_no_body_and_a_custom_connection_no_tenant_header(make: Any) -> None:
    setup = make(OK)
    setup.send(READ)
    request = setup.adapter.requests[0]
    assert request.body is None
    assert "xero-tenant-id" not in request.headers
    assert request.headers["If-Modified-Since"] == "2026-01-01T00:00:00"


def test_an_answer_keeps_digits_and_has_its_headers_in_lower_case(make: Any) -> None:
    answer = make((200, b'{"Total": 100.10}', {"X-DayLimit-Remaining": "1"})).send()
    assert str(answer.body["Total"]) == "100.10"
    assert answer.headers["x-daylimit-remaining"] == "1"
    assert answer.status == 200


def test_an_expired_token_is_replaced_once_and_nobody_hears_of_it(make: Any) -> None:
    setup = make(EXPIRED, OK)
    assert setup.send().status == 200
    assert [request.headers["Authorization"] for request in setup.adapter.requests] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_a_second_401_is_an_answer(make: Any) -> None:
    setup = make(EXPIRED)
    assert setup.send().status == 401
    assert len(setup.adapter.requests) == 2


@pytest.mark.parametrize("said", ["insufficent_scope", "insufficient_scope"])
def test_a_missing_scope_is_not_cured_by_a_new_token(make: Any, said: str) -> None:
    setup = make((401, {}, {"WWW-Authenticate": said}))
    assert setup.send().status == 401
    assert len(setup.adapter.requests) == 1


def test_the_minute_limit_is_waited_out_and_the_call_sent_again(make: Any) -> None:
    setup = make(MINUTE, OK)
    began = setup.virtual.now
    assert setup.send().status == 200
    assert setup.virtual.now - began >= 26


def test_the_day_limit_is_an_answer(make: Any) -> None:
    setup = make(DAY)
    began = setup.virtual.now
    assert setup.send().status == 429
    assert setup.virtual.now == began


def test_429s_without_end_become_an_answer(make: Any) -> None:
    setup = make(MINUTE)
    assert setup.send().status == 429
    assert len(setup.adapter.requests) <= 12


@pytest.mark.parametrize("status", [400, 403, 404, 408, 409, 412, 500, 502, 503, 504, 301, 302])
def test_any_other_status_comes_back_at_once(make: Any, status: int) -> None:
    setup = make((status, b"<html>", {"Location": "https://evil.example"}))
    answer = setup.send()
    assert (answer.status, answer.body, answer.text) == (status, None, "<html>")
    assert len(setup.adapter.requests) == 1


REFUSED = requests.ConnectionError(
    urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("x"), "refused")
)


@pytest.mark.parametrize(
    ("raised", "failure"),
    [
        (REFUSED, Failure.NEVER_SENT),
        (requests.ConnectTimeout(), Failure.NEVER_SENT),
        (requests.ReadTimeout(), Failure.AMBIGUOUS),
        (requests.ConnectionError(urllib3.exceptions.ProtocolError("reset")), Failure.AMBIGUOUS),
        (RuntimeError("?"), Failure.AMBIGUOUS),
    ],
    ids=str,
)
def test_a_failure_is_an_answer_and_is_not_sent_again(make: Any, raised: Exception, failure: Failure) -> None:
    setup = make(raised)
    answer = setup.send()
    assert (answer.status, answer.failure) == (None, failure)
    assert len(setup.adapter.requests) == 1


def test_a_body_that_is_cut_off_is_ambiguous(make: Any) -> None:
    answer = make((200, b'{"Contacts": [', {"Content-Length": "400"})).send()
    assert answer.failure is Failure.AMBIGUOUS


def test_a_body_that_cannot_be_written_is_never_sent(make: Any) -> None:
    setup = make(OK)
    answer = setup.send(Call(Purpose.WRITE, "PUT", "/Contacts", body={"Amount": Decimal("NaN")}))
    assert answer.failure is Failure.NEVER_SENT
    assert setup.adapter.requests == []


def test_an_endless_answer_is_given_up(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_xero.limits.ANSWER_BYTES_MAX", 10)
    assert make((200, b"x" * 11)).send().failure is Failure.AMBIGUOUS


def test_without_access_nothing_is_sent_and_the_reason_is_kept(make: Any) -> None:
    setup = make(OK, credentials=Barred())
    assert setup.send().failure is Failure.NEVER_SENT
    assert setup.adapter.requests == []
    assert isinstance(setup.client.failed, AuthorisationError)


def test_no_token_is_in_an_answer(make: Any) -> None:
    assert "token-1" not in repr(make(requests.ConnectionError("Bearer token-9")).send().call)


def test_xeros_clock_is_taken_from_its_first_answer_and_runs_on_ours(make: Any) -> None:
    setup = make(OK, (200, {}, {"Date": "Mon, 02 Nov 2037 09:00:00 GMT"}))
    setup.send()
    setup.virtual.now += 90
    setup.send()
    assert setup.clock.now() == datetime(2026, 11, 2, 9, 1, 30, tzinfo=timezone.utc)


def test_before_any_answer_the_clock_is_ours() -> None:
    wall = datetime(2026, 1, 1, tzinfo=timezone.utc)
    clock = ClockOffset(Timing(lambda: 50.0), lambda: wall)
    assert clock.now() == wall
    clock.note("not a date")
    assert clock.now() == wall
    clock.note("Thu, 01 Jan 2026 01:00:00 +0000")
    assert clock.now() == wall + timedelta(hours=1)


def test_calls_are_counted_by_purpose_every_time_they_go_out(make: Any) -> None:
    setup = make(EXPIRED, OK)
    setup.send()
    setup.send(READ)
    assert dict(setup.client.calls) == {"write": 2, "look up": 1}


class TestAProcessThatStoodStill:
    """Between the ledger's `sent` and the first byte lies nothing but this client; a frozen machine may wake up there."""

    def write(self, setup: Setup) -> Call:
        return replace(CALL, sent_ms=milliseconds(setup.clock.now()))

    @pytest.mark.parametrize(("pause", "sent"), [(0.0, 1), (2.0, 1), (2.1, 0), (1200.0, 0)])
    def test_for_more_than_two_seconds_sends_nothing_any_more(
        self, make: Any, pause: float, sent: int
    ) -> None:
        setup = make(OK)
        call = self.write(setup)
        setup.virtual.now += pause
        answer = setup.send(call)
        assert len(setup.adapter.requests) == sent
        assert setup.client.calls["write"] == sent
        assert answer.failure is (None if sent else Failure.NEVER_SENT)
        assert answer.failure_detail.startswith("this process stood still for") is not bool(sent)

    def test_while_its_token_was_renewed_counts_too(self, make: Any) -> None:
        class Slow(Granted):
            def grant(self) -> Grant:
                setup.virtual.now += 30
                return super().grant()

        setup = make(OK, credentials=Slow())
        assert setup.send(self.write(setup)).failure is Failure.NEVER_SENT
        assert setup.adapter.requests == []

    def test_after_a_refusal_has_its_two_seconds_again_from_the_end_of_the_wait(self, make: Any) -> None:
        setup = make(MINUTE, OK)
        assert setup.send(self.write(setup)).status == 200
        assert len(setup.adapter.requests) == 2

    def test_after_a_refusal_is_noticed_as_well(self, make: Any) -> None:
        setup = make(MINUTE, OK)
        tokens = setup.client._tokens

        class Frozen:
            asked = 0

            def current(self) -> Secret:
                self.asked += 1
                setup.virtual.now += 600 * (self.asked == 2)
                return tokens.current()

        setup.client._tokens = Frozen()
        assert setup.send(self.write(setup)).failure is Failure.NEVER_SENT
        assert len(setup.adapter.requests) == 1

    def test_reads_may_go_at_any_time(self, make: Any) -> None:
        setup = make(OK)
        setup.virtual.now += 3600
        assert setup.send(READ).status == 200


def test_a_write_that_xeros_limits_held_back_for_longer_than_the_quiet_period_bears_is_not_sent_late(
    make: Any,
) -> None:
    """330 s of quiet are the time-out and the latest effect together: a send 26 s late could act after them."""
    setup = make(MINUTE, OK)
    setup.client._lateness_s = 330 - 30 - 300
    answer = setup.send(replace(CALL, sent_ms=milliseconds(setup.clock.now())))
    assert (answer.failure, len(setup.adapter.requests)) == (Failure.NEVER_SENT, 1)
    assert "quiet period" in answer.failure_detail
