"""The connection to the Pub/Sub API: three calls, the session's token with each, and errors told apart.

Salesforce says why a call failed in the trailer `error-code`. Source: Pub/Sub API docs, handling errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import grpc

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.auth import Session, TokenSource
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.hosts import AllowedHosts, is_loopback
from tap_salesforce_ikaroa.live import wire

_PREFIX = "sfdc.platform.eventbus.grpc."


class Trouble(Enum):
    """What a refusal asks of the subscriber."""

    SESSION = "renew the token, then go on"
    PLACE = "the place is no longer known: poll, then go on from now"
    ALLOWANCE = "today's events are used up: poll, and try again later"
    NEVER = "no events of this object: poll"
    PASSING = "wait, then go on from the same place"


_CODES = {
    "service.auth.error": Trouble.SESSION,
    "subscription.fetch.replayid.corrupted": Trouble.PLACE,
    "subscription.fetch.replayid.validation.failed": Trouble.PLACE,
    "subscription.limit.exceeded": Trouble.ALLOWANCE,
    "service.unavailable": Trouble.PASSING,
    "service.protection.triggered": Trouble.PASSING,
    "service.auth.headers.invalid": Trouble.NEVER,
    "topic.not.found": Trouble.NEVER,
    "subscription.topic.cannot.subscribe": Trouble.NEVER,
}
_STATUSES = {  # where no code is given, or none that is known
    grpc.StatusCode.INVALID_ARGUMENT: Trouble.PLACE,  # the one argument that may become invalid
    grpc.StatusCode.UNAUTHENTICATED: Trouble.SESSION,
    grpc.StatusCode.NOT_FOUND: Trouble.NEVER,
    grpc.StatusCode.PERMISSION_DENIED: Trouble.NEVER,
    grpc.StatusCode.UNIMPLEMENTED: Trouble.NEVER,
}


class PubSubError(Exception):
    """A call was refused or cut. `code`: Salesforce's own, or gRPC's where it gave none."""

    def __init__(self, trouble: Trouble, code: str) -> None:
        super().__init__(code)
        self.trouble = trouble
        self.code = code


def refusal(error: grpc.RpcError) -> PubSubError:
    """What a gRPC error means."""
    call: Any = error  # what gRPC raises is the call itself
    status: grpc.StatusCode = call.code()
    trailers: dict[str, Any] = dict(call.trailing_metadata() or ())
    code = str(trailers.get("error-code") or "").removeprefix(_PREFIX)
    trouble = _CODES.get(code) or _STATUSES.get(status)
    return PubSubError(trouble or Trouble.PASSING, code or status.name.lower())


@dataclass
class Channel:
    """One connection for all topics; safe for several threads."""

    endpoint: str
    tokens: TokenSource
    _channel: grpc.Channel = field(init=False, repr=False)

    def __post_init__(self) -> None:
        host = self.endpoint.rpartition(":")[0]
        options = [("grpc.max_receive_message_length", limits.EVENTS_BYTES)]
        if is_loopback(host):
            self._channel = grpc.insecure_channel(self.endpoint, [*options, ("grpc.enable_http_proxy", 0)])
        else:
            self._channel = grpc.secure_channel(self.endpoint, grpc.ssl_channel_credentials(), options)
        self._topic = self._unary("GetTopic", wire.TopicInfo)
        self._schema = self._unary("GetSchema", wire.SchemaInfo)
        self._subscribe = self._channel.stream_stream(
            f"{wire.SERVICE}/Subscribe",
            request_serializer=_to_bytes,
            response_deserializer=wire.FetchResponse.FromString,
        )

    def _unary(self, name: str, answer: Any) -> Any:
        return self._channel.unary_unary(
            f"{wire.SERVICE}/{name}",
            request_serializer=_to_bytes,
            response_deserializer=answer.FromString,
        )

    def can_subscribe(self, topic: str, timeout_s: float = limits.PUBSUB_ANSWER_S) -> bool:
        """Whether there is such a topic, and this user may have it.

        Raises:
            PubSubError: it could not be asked.
        """
        info = self._asked(self._topic, wire.TopicRequest(topic_name=topic), timeout_s)
        return bool(info.can_subscribe)

    def schema(self, schema_id: str) -> str:
        """An Avro schema, as JSON text.

        Raises:
            PubSubError: it could not be asked.
        """
        return str(self._asked(self._schema, wire.SchemaRequest(schema_id=schema_id)).schema_json)

    def subscribe(self, requests: Iterator[Any], session: Session) -> Any:
        """The open call: iterate for responses, `cancel()` to end it."""
        return self._subscribe(requests, metadata=self._metadata(session))

    def close(self) -> None:
        """Ends all that is under way."""
        self._channel.close()

    def _asked(self, method: Any, request: Any, timeout_s: float = limits.PUBSUB_ANSWER_S) -> Any:
        session = self.tokens.session()
        try:
            return method(request, metadata=self._metadata(session), timeout=timeout_s)
        except grpc.RpcError as error:
            raise refusal(error) from None

    def _metadata(self, session: Session) -> tuple[tuple[str, str], ...]:
        return (
            ("accesstoken", session.access_token),
            ("instanceurl", session.instance_url),
            ("tenantid", session.organisation_id),
        )


def _to_bytes(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def checked_endpoint(setting: str, hosts: AllowedHosts) -> str:
    """The address as `host:port`.

    Raises:
        SettingsError: it has another form, or its host is not allowed.
    """
    host, _, port = setting.strip().rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise SettingsError(
            f"`pubsub_endpoint` is not a host with a port: {setting[:60]!r}. Write it as {limits.PUBSUB_ENDPOINT}"
        )
    hosts.check(f"https://{host}:{port}", "`pubsub_endpoint`")
    return f"{host}:{port}"
