"""One subscription against a Pub/Sub API that does as it is told: places, demand, failures."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import grpc
import pytest
from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.auth import Session
from tap_salesforce_ikaroa.errors import LoginError
from tap_salesforce_ikaroa.live.channel import Trouble, refusal
from tap_salesforce_ikaroa.live.events import Hint
from tap_salesforce_ikaroa.live.subscription import Failed, FromNow, Inbox, Reached, Subscription
from tap_salesforce_ikaroa.live.wire import CUSTOM, LATEST, FetchResponse

TOPIC = "/data/AccountChangeEvent"
PREFIX = "sfdc.platform.eventbus.grpc."


class Refused(grpc.RpcError):
    def __init__(self, code: str = "", status: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        self._code, self._status = code, status

    def code(self) -> grpc.StatusCode:
        return self._status

    def trailing_metadata(self) -> Any:
        return (("error-code", PREFIX + self._code),) if self._code else ()


class Call:
    """An open call. A test says what comes next."""

    def __init__(self, requests: Any, session: Session) -> None:
        self.session, self.requests = session, queue.SimpleQueue()
        self.cancelled = False
        self.steps: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._drain, args=(requests,), daemon=True).start()

    def _drain(self, requests: Any) -> None:
        for request in requests:
            self.requests.put(request)

    def asked(self) -> Any:
        return self.requests.get(timeout=5)

    def events(self, *places: bytes, pending: int = 99) -> None:
        response = FetchResponse(pending_num_requested=pending)
        for place in places:
            response.events.add(replay_id=place)
        self.steps.put(response)

    def keep_alive(self, place: bytes) -> None:
        self.steps.put(FetchResponse(latest_replay_id=place, pending_num_requested=99))

    def fail(self, *args: Any) -> None:
        self.steps.put(Refused(*args))

    def cancel(self) -> None:
        self.cancelled = True
        self.steps.put(Refused("", grpc.StatusCode.CANCELLED))

    def __iter__(self) -> Any:
        while True:
            step = self.steps.get()
            if isinstance(step, Exception):
                raise step
            yield step


class Tokens:
    def __init__(self) -> None:
        self.generation, self.renewals, self.error = 1, 0, None

    def session(self) -> Session:
        return Session(f"token {self.generation}", "http://127.0.0.1", self.generation)

    def renew(self, stale: Session) -> Session:
        if self.error:
            raise self.error
        if stale.generation == self.generation:
            self.generation, self.renewals = self.generation + 1, self.renewals + 1
        return self.session()


class Channel:
    def __init__(self) -> None:
        self.tokens, self.allowed = Tokens(), True
        self.calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

    def can_subscribe(self, topic: str) -> bool:
        return self.allowed

    def subscribe(self, requests: Any, session: Session) -> Call:
        call = Call(requests, session)
        self.calls.put(call)
        return call

    def opened(self) -> Call:
        return self.calls.get(timeout=5)


class Plain:
    def hint(self, topic: str, place: bytes, schema_id: str, payload: bytes) -> Hint:
        return Hint(topic, place)


@pytest.fixture
def quick(monkeypatch):
    for name, value in {
        "BACKOFF_FIRST_S": 0.001,
        "BACKOFF_MAX_S": 0.002,
        "ROOM_LOOK_S": 0.005,
        "REFUSED_RETRY_S": 0.01,
        "UNASKED_S": 0.05,
    }.items():
        monkeypatch.setattr(limits, name, value)


@pytest.fixture
def made(quick):
    """Makes a running subscription; stops all at the end."""
    running: list[Subscription] = []

    def make(place: bytes | None = None, **keys: Any) -> tuple[Subscription, Channel, Inbox]:
        channel = keys.pop("channel", None) or Channel()
        inbox = Inbox(keys.pop("most", 1000))
        one = Subscription(TOPIC, channel, Plain(), inbox, place, **keys)
        running.append(one)
        one.start()
        return one, channel, inbox

    yield make
    for one in running:
        one.stop()
    for one in running:
        one.join(5)


def eventually(true: Any) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.002)


def test_without_a_place_it_begins_at_now_and_says_so(made):
    _, channel, inbox = made()
    request = channel.opened().asked()
    assert (request.topic_name, request.replay_preset, request.num_requested) == (TOPIC, LATEST, 100)
    assert inbox.take(5) == FromNow(TOPIC, lost=False)


def test_with_a_place_it_goes_on_from_there(made):
    _, channel, inbox = made(b"here")
    request = channel.opened().asked()
    assert (request.replay_preset, request.replay_id) == (CUSTOM, b"here")
    assert inbox.take(0.01) is None


def test_after_a_failure_it_goes_on_from_the_last_event(made):
    _, channel, inbox = made(b"0")
    call = channel.opened()
    call.events(b"1", b"2")
    call.fail("service.unavailable", grpc.StatusCode.UNAVAILABLE)
    assert channel.opened().asked().replay_id == b"2"
    assert [inbox.take(1).place for _ in range(2)] == [b"1", b"2"]


def test_a_keep_alive_moves_the_place(made):
    _, channel, inbox = made(b"0")
    call = channel.opened()
    call.keep_alive(b"5")
    assert inbox.take(5) == Reached(TOPIC, b"5")
    call.fail("concurrent.client.limit.exceeded")
    assert channel.opened().asked().replay_id == b"5"


@pytest.mark.parametrize(
    "code", ["subscription.fetch.replayid.corrupted", "subscription.fetch.replayid.validation.failed"]
)
def test_a_place_that_is_not_known_is_given_up_and_told(made, code, log):
    _, channel, inbox = made(b"old")
    channel.opened().fail(code, grpc.StatusCode.INVALID_ARGUMENT)
    assert channel.opened().asked().replay_preset == LATEST
    assert inbox.take(5) == FromNow(TOPIC, lost=True)
    assert "no longer known" in log()


def test_the_token_is_renewed_once_and_then_used(made, monkeypatch):
    monkeypatch.setattr(limits, "REFUSED_RETRY_S", 60)
    one, channel, _ = made(b"0")
    channel.opened().fail("service.auth.error", grpc.StatusCode.UNAUTHENTICATED)
    call = channel.opened()
    assert call.session.access_token == "token 2"
    call.fail("service.auth.error", grpc.StatusCode.UNAUTHENTICATED)
    eventually(lambda: one.refused)
    assert channel.tokens.renewals == 1


def test_a_token_that_another_thread_has_renewed_is_not_renewed_again(made):
    channel = Channel()
    _, _, _ = made(b"0", channel=channel)
    call = channel.opened()
    channel.tokens.generation = 2
    call.fail("service.auth.error")
    assert channel.opened().session.access_token == "token 2"
    assert channel.tokens.renewals == 0


def test_a_login_that_is_refused_ends_the_run(made):
    channel = Channel()
    channel.tokens.error = LoginError("no")
    _, _, inbox = made(b"0", channel=channel)
    channel.opened().fail("service.auth.error")
    assert inbox.take(5) == Failed(channel.tokens.error)


@pytest.mark.parametrize("code", ["topic.not.found", "subscription.topic.cannot.subscribe"])
def test_a_topic_that_is_not_there_is_said_once_and_left(made, code, log):
    one, channel, _ = made(b"0")
    channel.opened().fail(code)
    one.join(5)
    assert one.refused == code
    assert log().count("polled") == 1
    assert channel.calls.empty()


def test_a_topic_that_this_user_may_not_have_is_left(made):
    channel = Channel()
    channel.allowed = False
    one, _, _ = made(channel=channel)
    one.join(5)
    assert one.refused
    assert channel.calls.empty()


def test_a_used_up_allowance_is_told_and_tried_again_from_the_same_place(made, log):
    one, channel, _ = made(b"0")
    channel.opened().fail("subscription.limit.exceeded")
    call = channel.opened()
    assert one.refused == "subscription.limit.exceeded"
    assert call.asked().replay_id == b"0"
    call.fail("subscription.limit.exceeded")
    channel.opened().events(b"1")
    eventually(lambda: not one.refused)
    assert log().count("used up") == 1


def test_failures_in_a_row_count_until_something_is_heard(made, log):
    one, channel, _ = made(b"0")
    for _ in range(limits.TROUBLES_TOLD):
        channel.opened().fail("", grpc.StatusCode.UNAVAILABLE)
    call = channel.opened()
    assert one.troubles == limits.TROUBLES_TOLD
    assert "no change events (unavailable)" in log()
    call.keep_alive(b"1")
    eventually(lambda: one.troubles == 0)


def test_more_is_asked_for_before_the_demand_runs_out(made):
    _, channel, _ = made(b"0")
    call = channel.opened()
    call.asked()
    call.events(*[b"%d" % n for n in range(40)], pending=60)
    call.events(*[b"%d" % n for n in range(20)], pending=40)
    assert call.asked().num_requested == 60


def test_a_full_inbox_stops_the_asking_and_room_starts_it_again(made):
    _, channel, inbox = made(b"0", most=3)
    call = channel.opened()
    call.asked()
    call.events(b"1", b"2", b"3", pending=0)
    call.asked()  # there was room for these
    call.events(b"4", pending=0)
    with pytest.raises(queue.Empty):
        call.requests.get(timeout=0.02)
    for _ in range(2):
        inbox.take(1)
    assert call.asked().num_requested == 100


def test_a_call_that_may_not_ask_for_long_is_ended_and_opened_again_from_its_place(made):
    _, channel, inbox = made(b"0", most=3)
    call = channel.opened()
    call.events(b"1", b"2", b"3", pending=0)
    call.events(b"4", pending=0)
    eventually(lambda: call.cancelled)
    assert channel.calls.empty()
    for _ in range(2):
        inbox.take(1)
    assert channel.opened().asked().replay_id == b"4"


def test_silence_longer_than_keep_alives_is_ended(made):
    now = [0.0]
    one, channel, _ = made(b"0", monotonic=lambda: now[0])
    call = channel.opened()
    call.asked()
    now[0] = limits.KEEP_ALIVE_S - 1
    one.check_pulse()
    assert call.steps.empty()
    now[0] = limits.KEEP_ALIVE_S + 1
    one.check_pulse()
    assert channel.opened().asked().replay_id == b"0"


def test_stopped_it_ends(made):
    one, channel, _ = made(b"0")
    channel.opened()
    one.stop()
    one.join(5)
    assert not one._thread.is_alive()


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (Refused("service.protection.triggered"), Trouble.PASSING),
        (Refused("service.auth.headers.invalid"), Trouble.NEVER),
        (Refused("something.new"), Trouble.PASSING),
        (Refused("", grpc.StatusCode.UNAUTHENTICATED), Trouble.SESSION),
        (Refused("", grpc.StatusCode.NOT_FOUND), Trouble.NEVER),
        (Refused("something.new", grpc.StatusCode.UNAUTHENTICATED), Trouble.SESSION),
        (Refused("", grpc.StatusCode.INVALID_ARGUMENT), Trouble.PLACE),
        (Refused("subscription.fetch.something.new", grpc.StatusCode.INVALID_ARGUMENT), Trouble.PLACE),
        (Refused("", grpc.StatusCode.RESOURCE_EXHAUSTED), Trouble.PASSING),
        (Refused("service.unavailable", grpc.StatusCode.NOT_FOUND), Trouble.PASSING),
    ],
)
def test_what_a_refusal_asks_for(error, trouble):
    assert refusal(error).trouble is trouble
