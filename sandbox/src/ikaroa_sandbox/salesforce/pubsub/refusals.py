"""How the Pub/Sub API refuses: a gRPC status, a sentence, and an `error-code` in the trailer."""

from __future__ import annotations

import grpc

PREFIX = "sfdc.platform.eventbus.grpc."


class Refusal(Exception):  # noqa: N818  it is an answer
    """Ends a call. `code` is without the prefix all codes share; empty for a connection that just breaks."""

    def __init__(self, code: str, status: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code, self.status, self.text = code, status, text


def _refusal(code: str, status: grpc.StatusCode, text: str) -> Refusal:
    return Refusal(f"{PREFIX}{code}", status, text)


def headers_invalid(what: str) -> Refusal:
    """A missing or malformed entry of the metadata."""
    text = f"The authentication headers are invalid: {what}"
    return _refusal("service.auth.headers.invalid", grpc.StatusCode.UNAUTHENTICATED, text)


def not_authenticated() -> Refusal:
    """No session, or one of another org."""
    text = "The authentication exception occurred: the access token is invalid or has expired"
    return _refusal("service.auth.error", grpc.StatusCode.UNAUTHENTICATED, text)


def topic_not_found(topic: str) -> Refusal:
    """No such topic."""
    text = f"The topic name {topic} cannot be found"
    return _refusal("topic.not.found", grpc.StatusCode.NOT_FOUND, text)


def cannot_subscribe(topic: str) -> Refusal:
    """The user may not read what the topic tells of."""
    text = f"The user cannot subscribe to the topic {topic}"
    return _refusal("subscription.topic.cannot.subscribe", grpc.StatusCode.PERMISSION_DENIED, text)


def schema_not_found(schema_id: str) -> Refusal:
    """No such schema."""
    text = f"The schema {schema_id} cannot be found"
    return _refusal("schema.not.found", grpc.StatusCode.NOT_FOUND, text)


def events_invalid(number: int) -> Refusal:
    """A request for no events."""
    text = f"The number of requested events must be greater than 0, not {number}"
    return _refusal("subscription.fetch.requested.events.invalid", grpc.StatusCode.INVALID_ARGUMENT, text)


def replay_missing() -> Refusal:
    """CUSTOM without a replay id."""
    text = "A replay id is needed with the replay preset CUSTOM"
    return _refusal("subscription.fetch.replayid.validation.failed", grpc.StatusCode.INVALID_ARGUMENT, text)


def replay_corrupted() -> Refusal:
    """A replay id that names nothing (any more)."""
    text = "The replay id is invalid: it is corrupted or no longer within the retention"
    return _refusal("subscription.fetch.replayid.corrupted", grpc.StatusCode.INVALID_ARGUMENT, text)


def replay_repeated() -> Refusal:
    """A place in the stream given again on a running one."""
    text = "The replay preset and the replay id belong in the first request of a stream only"
    return _refusal("subscription.fetch.replay.repeated", grpc.StatusCode.INVALID_ARGUMENT, text)


def topic_changed() -> Refusal:
    """Another topic on a running stream."""
    text = "A stream has one topic"
    return _refusal("subscription.fetch.topic.changed", grpc.StatusCode.INVALID_ARGUMENT, text)


def limit_exceeded() -> Refusal:
    """The day's deliveries are used up."""
    text = "The daily event delivery limit is exceeded"
    return _refusal("subscription.limit.exceeded", grpc.StatusCode.RESOURCE_EXHAUSTED, text)


def unavailable() -> Refusal:
    """The service is down for a moment."""
    return _refusal(
        "service.unavailable", grpc.StatusCode.UNAVAILABLE, "The service is temporarily unavailable"
    )


def protection() -> Refusal:
    """The service protects itself."""
    text = "The service cannot take the request now to protect itself"
    return _refusal("service.protection.triggered", grpc.StatusCode.RESOURCE_EXHAUSTED, text)


def too_many_clients() -> Refusal:
    """More streams at once than a client may have."""
    text = "The concurrent client limit is exceeded"
    return _refusal("concurrent.client.limit.exceeded", grpc.StatusCode.RESOURCE_EXHAUSTED, text)


def no_demand() -> Refusal:
    """Nobody has asked for events for too long."""
    text = "The stream was closed: no events were requested in time"
    return _refusal("subscription.fetch.timeout", grpc.StatusCode.DEADLINE_EXCEEDED, text)


def cut() -> Refusal:
    """The connection breaks."""
    return Refusal("", grpc.StatusCode.UNAVAILABLE, "Stream removed")
