"""One Subscribe stream: what the client has asked for, where it is, what may go out next. No threads, no sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import LimitError
from ikaroa_sandbox.salesforce.events import avro
from ikaroa_sandbox.salesforce.events.log import Event, EventLog, ReplayIdError
from ikaroa_sandbox.salesforce.pubsub import messages, refusals

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

ALL = "/data/ChangeEvents"


def objects_of(state: State, topic: str) -> list[str] | None:
    """The objects a topic tells of; None for all.

    Raises:
        Refusal: there is no such topic, or the user may not see it.
    """
    if topic == ALL:
        return None
    name = topic.removeprefix("/data/")
    item = next((one for one in state.org.full if avro.event_name(one) == name), None)
    if item is None or not topic.startswith("/data/") or not item.replicateable:
        raise refusals.topic_not_found(topic)
    if state.org.visible.get(item.name) is None:
        raise refusals.cannot_subscribe(topic)
    selected = item.name in state.events.settings.entities
    if not selected and state.world.variants["salesforce.events.not_selected"] == "refused":
        raise refusals.topic_not_found(topic)
    return [item.name]


@dataclass
class Subscription:
    """The state of one stream."""

    topic: str = ""
    place: int = 0
    pending: int = 0
    heard: datetime | None = None
    """When the client last asked for something."""
    told: datetime | None = None
    """When it was last told something."""
    repeat: list[Any] = field(default_factory=list)
    """Events to be delivered once more, for a fault."""

    def ask(self, state: State, request: Any, now: datetime) -> None:
        """Takes a FetchRequest.

        Raises:
            Refusal: it ends the stream.
        """
        if request.num_requested <= 0:
            raise refusals.events_invalid(request.num_requested)
        if not self.topic:
            objects_of(state, request.topic_name)
            self.topic, self.place, self.told = request.topic_name, _begin(state.events, request), now
        elif request.topic_name not in ("", self.topic):
            raise refusals.topic_changed()
        elif request.replay_preset != messages.LATEST or request.replay_id:
            raise refusals.replay_repeated()
        self.pending += min(request.num_requested, limits.EVENTS_A_REQUEST_MAX)
        self.heard = now

    def next(self, state: State, now: datetime) -> Any | None:
        """The FetchResponse that is due, if one is.

        Raises:
            Refusal: the stream ends.
        """
        if not self.topic or self.heard is None or self.told is None:
            return None
        if self.pending == 0:
            if (now - max(self.heard, self.told)).total_seconds() >= limits.DEMAND_SECONDS:
                raise refusals.no_demand()
            return None
        events = self._events(state, now)
        silent = (now - self.told).total_seconds()
        if not events and silent < state.events.settings.keepalive_seconds:
            return None
        self.told = now
        self.pending -= len(events)
        latest = (
            events[-1].replay_id if events else state.events.replay_id(max(self.place, state.events.last()))
        )
        if not events:
            self.place = max(self.place, state.events.last())
        return messages.FetchResponse(
            events=events,
            latest_replay_id=latest,
            rpc_id=f"rpc-{id(self):x}",
            pending_num_requested=self.pending,
        )

    def _events(self, state: State, now: datetime) -> list[Any]:
        if self.repeat:
            again, self.repeat = self.repeat[: self.pending], []
            return again
        found = state.events.after(self.place, objects_of(state, self.topic), self.pending)
        if not found:
            return []
        try:
            state.events.settings.deliveries.spend(now, len(found))
        except LimitError:
            raise refusals.limit_exceeded() from None
        self.place = found[-1].seq
        return [made for event in found if (made := _consumer_event(state, event)) is not None]


def _begin(log: EventLog, request: Any) -> int:
    if request.replay_preset == messages.LATEST:
        return log.last()
    if request.replay_preset == messages.EARLIEST:
        return log.earliest()
    if not request.replay_id:
        raise refusals.replay_missing()
    try:
        return log.place_of(request.replay_id)
    except ReplayIdError:
        raise refusals.replay_corrupted() from None


def _consumer_event(state: State, event: Event) -> Any | None:
    """An event in binary, under the newest schema; None for an object that the user does not see any more."""
    item = state.org.visible.get(event.object)
    if item is None:
        return None
    made = messages.ProducerEvent(
        id=f"{event.header['transactionKey']}-{event.header['sequenceNumber']}",
        schema_id=avro.schema_of(item).id,
        payload=avro.encode(item, event.header, event.parts),
    )
    return messages.ConsumerEvent(event=made, replay_id=state.events.replay_id(event.seq, event.at_ms))
