"""The Pub/Sub API over real gRPC. Expectations: Pub/Sub API docs (flow control, replay, keep-alive, errors)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.salesforce.pubsub import messages as m
from ikaroa_sandbox.salesforce.pubsub import serve_pubsub_in_thread

pytestmark = pytest.mark.e2e
PREFIX = "sfdc.platform.eventbus.grpc."
ALL = "/data/ChangeEvents"


class Client:
    """A plain gRPC client of the published interface."""

    def __init__(self, sandbox: Sandbox, endpoint: str) -> None:
        self.sandbox = sandbox
        self.state = sandbox.backends["salesforce"].state
        self.channel = grpc.insecure_channel(endpoint)
        self.metadata = {
            "accesstoken": self.state.tokens.open_session(self.state.org_id, sandbox.clock.now()),
            "instanceurl": "https://acme.my.salesforce.com",
            "tenantid": self.state.org_id,
        }

    def call(self, name: str, request: Any, answer: Any) -> Any:
        method = self.channel.unary_unary(
            f"/{m.SERVICE}/{name}", type(request).SerializeToString, answer.FromString
        )
        return method(request, metadata=tuple(self.metadata.items()), timeout=20)

    def subscribe(self, *requests: dict[str, Any]) -> tuple[Any, queue.Queue[Any]]:
        asked: queue.Queue[Any] = queue.Queue()
        for request in requests:
            asked.put(m.FetchRequest(**{"topic_name": ALL, "num_requested": 100} | request))
        method = self.channel.stream_stream(
            f"/{m.SERVICE}/Subscribe", m.FetchRequest.SerializeToString, m.FetchResponse.FromString
        )
        return method(iter(asked.get, None), metadata=tuple(self.metadata.items()), timeout=30), asked

    def change(self, name: str) -> None:
        self.sandbox.edit("salesforce", {"action": "insert", "object": "Account", "fields": {"Name": name}})


def code(failure: grpc.RpcError) -> str:
    found = dict(failure.trailing_metadata() or ())
    return str(found.get("error-code", "")).removeprefix(PREFIX)


def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as failure:
        next(call)
    return failure.value.code(), code(failure.value)


@pytest.fixture
def client() -> Iterator[Client]:
    sandbox = Sandbox()
    with serve_pubsub_in_thread(sandbox) as endpoint:
        made = Client(sandbox, endpoint)
        yield made
        made.channel.close()


def test_a_change_reaches_a_waiting_stream_and_counts_against_what_was_asked(client: Client) -> None:
    stream, _ = client.subscribe({"num_requested": 5})
    threading.Timer(0.2, client.change, ["One"]).start()
    answer = next(stream)
    assert (len(answer.events), answer.pending_num_requested) == (1, 4)
    assert answer.events[0].replay_id == answer.latest_replay_id
    stream.cancel()


def test_a_hundred_at_most_count_of_one_request(client: Client) -> None:
    stream, _ = client.subscribe({"num_requested": 150})
    threading.Timer(0.2, client.change, ["One"]).start()
    assert next(stream).pending_num_requested == 99
    stream.cancel()


def test_nothing_is_sent_beyond_what_was_asked_and_more_comes_when_more_is_asked(client: Client) -> None:
    for n in range(3):
        client.change(str(n))
    stream, asked = client.subscribe({"num_requested": 2, "replay_preset": m.EARLIEST})
    first = next(stream)
    assert (len(first.events), first.pending_num_requested) == (2, 0)
    asked.put(m.FetchRequest(topic_name=ALL, num_requested=2))
    assert len(next(stream).events) == 1
    stream.cancel()


def test_a_stream_goes_on_after_a_replay_id_without_a_gap_and_without_a_repeat(client: Client) -> None:
    for n in range(4):
        client.change(str(n))
    stream, _ = client.subscribe({"num_requested": 2, "replay_preset": m.EARLIEST})
    place = next(stream).latest_replay_id
    stream.cancel()
    stream, _ = client.subscribe({"replay_preset": m.CUSTOM, "replay_id": place})
    answer = next(stream)
    assert len(answer.events) == 2
    assert place not in [event.replay_id for event in answer.events]
    stream.cancel()


def test_a_quiet_stream_hears_something_with_a_fresh_place_within_270_seconds(client: Client) -> None:
    stream, _ = client.subscribe({})
    threading.Timer(0.3, client.sandbox.clock.advance, [270]).start()
    answer = next(stream)
    assert (len(answer.events), answer.pending_num_requested) == (0, 100)
    assert answer.latest_replay_id
    stream.cancel()


def test_a_stream_without_demand_is_closed_after_70_seconds(client: Client) -> None:
    client.change("One")
    stream, _ = client.subscribe({"num_requested": 1, "replay_preset": m.EARLIEST})
    next(stream)
    threading.Timer(0.3, client.sandbox.clock.advance, [71]).start()
    refused(stream)


def test_a_replay_id_that_is_too_old_or_made_up_is_corrupted(client: Client) -> None:
    client.change("One")
    stream, _ = client.subscribe({"replay_preset": m.EARLIEST})
    place = next(stream).latest_replay_id
    stream.cancel()
    client.sandbox.clock.advance(73 * 3600)
    client.metadata["accesstoken"] = client.state.tokens.open_session(
        client.state.org_id, client.sandbox.clock.now()
    )
    for replay in (place, b"\x01\x02"):
        stream, _ = client.subscribe({"replay_preset": m.CUSTOM, "replay_id": replay})
        assert refused(stream) == (
            grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.corrupted",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"num_requested": 0}, "subscription.fetch.requested.events.invalid"),
        ({"replay_preset": m.CUSTOM}, "subscription.fetch.replayid.validation.failed"),
        ({"topic_name": "/data/NobodyChangeEvent"}, "topic.not.found"),
        ({"topic_name": "/event/Order__e"}, "topic.not.found"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_code(
    client: Client, request_: dict[str, Any], expected: str
) -> None:
    stream, _ = client.subscribe(request_)
    assert refused(stream)[1] == expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("accesstoken", "nonsense", "service.auth.error"),
        ("tenantid", "00D000000000001", "service.auth.headers.invalid"),
        ("tenantid", "00D000000000001EAA", "service.auth.error"),
        ("instanceurl", "ftp://acme", "service.auth.headers.invalid"),
    ],
)
def test_wrong_credentials_are_told_apart(client: Client, key: str, value: str, expected: str) -> None:
    client.metadata[key] = value
    stream, _ = client.subscribe({})
    assert refused(stream) == (grpc.StatusCode.UNAUTHENTICATED, expected)


@pytest.mark.parametrize("key", ["accesstoken", "instanceurl", "tenantid"])
def test_no_stream_opens_while_one_of_the_credentials_is_missing(client: Client, key: str) -> None:
    del client.metadata[key]
    stream, _ = client.subscribe({})
    assert refused(stream) == (grpc.StatusCode.UNAUTHENTICATED, "service.auth.headers.invalid")


def test_schemas_are_found_by_the_id_that_topics_and_events_name(client: Client) -> None:
    topic = client.call("GetTopic", m.TopicRequest(topic_name="/data/AccountChangeEvent"), m.TopicInfo)
    assert topic.can_subscribe
    schema = client.call("GetSchema", m.SchemaRequest(schema_id=topic.schema_id), m.SchemaInfo)
    assert '"name":"AccountChangeEvent"' in schema.schema_json
    with pytest.raises(grpc.RpcError) as failure:
        client.call("GetSchema", m.SchemaRequest(schema_id="none"), m.SchemaInfo)
    assert failure.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_used_up_allowance_ends_the_stream(client: Client) -> None:
    client.sandbox.edit("salesforce", {"action": "event_limits", "daily": 2})
    for n in range(4):
        client.change(str(n))
    stream, asked = client.subscribe({"num_requested": 2, "replay_preset": m.EARLIEST})
    assert len(next(stream).events) == 2
    asked.put(m.FetchRequest(topic_name=ALL, num_requested=2))
    assert refused(stream)[1] == "subscription.limit.exceeded"


def test_faults_strike_streams_and_duplicates_arrive_twice(client: Client) -> None:
    client.sandbox.faults.add({"do": "503_before", "system": "salesforce", "path": "Subscribe", "nth": 1})
    stream, _ = client.subscribe({})
    assert refused(stream) == (grpc.StatusCode.UNAVAILABLE, "service.unavailable")
    client.change("One")
    client.sandbox.faults.clear()
    client.sandbox.faults.add({"do": "duplicate", "system": "salesforce", "path": "Subscribe", "nth": 2})
    stream, _ = client.subscribe({"replay_preset": m.EARLIEST})
    first, second = next(stream), next(stream)
    assert [e.replay_id for e in first.events] == [e.replay_id for e in second.events]
    stream.cancel()


def test_the_end_of_a_session_ends_the_stream_or_not_as_the_variant_says(client: Client) -> None:
    stream, _ = client.subscribe({})
    threading.Timer(
        0.2, lambda: (client.sandbox.backends["salesforce"].expire_tokens(), client.change("One"))
    ).start()
    assert refused(stream)[1] == "service.auth.error"


def test_every_call_is_in_the_journal_and_no_token_is(client: Client) -> None:
    client.change("One")
    stream, _ = client.subscribe({"replay_preset": m.EARLIEST})
    next(stream)
    stream.cancel()
    entries = [entry.as_json() for entry in client.sandbox.journal]
    assert [entry["method"] for entry in entries] == ["GRPC", "GRPC"]
    assert client.metadata["accesstoken"] not in str(entries)
