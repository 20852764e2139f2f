"""One topic: a thread that keeps a subscription open and hands on what it hears, from place to place.

It asks for the next events before those at hand are dealt with, so that Salesforce never waits for us; when the inbox is
full it stops asking. Salesforce ends a subscription that asks for nothing for 70 seconds: then it is opened again from
the place reached, once there is room.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.auth import Session, TokenSource
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.live import wire
from tap_salesforce_ikaroa.live.channel import PubSubError, Trouble, refusal
from tap_salesforce_ikaroa.live.events import Decoder, Hint

logger = logging.getLogger("tap-salesforce-ikaroa")


@dataclass(frozen=True)
class Reached:
    """All events before this place were handed on; there are no others."""

    topic: str
    place: bytes


@dataclass(frozen=True)
class FromNow:
    """A subscription began at "now": what was committed before is for a poll to find. `lost`: a place was given up."""

    topic: str
    lost: bool


@dataclass(frozen=True)
class Failed:
    """The run cannot go on."""

    error: TapError


Item = Hint | Reached | FromNow | Failed


class Inbox:
    """What all subscriptions hand on, in the order of arrival."""

    def __init__(self, most: int = limits.HELD_HINTS) -> None:
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._most = most

    @property
    def has_room(self) -> bool:
        """Whether more events should be asked for."""
        return self._queue.qsize() < self._most

    def put(self, item: Item) -> None:
        """Hands on."""
        self._queue.put(item)

    def take(self, timeout_s: float) -> Item | None:
        """The next one, None when there is none in time."""
        try:
            return self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None


class PubSub(Protocol):
    """What a subscription needs of the channel."""

    tokens: TokenSource

    def can_subscribe(self, topic: str) -> bool:
        """Whether this user may have the topic."""

    def subscribe(self, requests: Iterator[Any], session: Session) -> Any:
        """The open call."""


class _Requests:
    """The requests of one call, as gRPC takes them."""

    def __init__(self, topic: str, place: bytes | None) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._topic, self.open = topic, 0
        preset = wire.LATEST if place is None else wire.CUSTOM
        self._ask(limits.EVENTS_ASKED, replay_preset=preset, replay_id=place or b"")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._queue.get, None)

    def top_up(self) -> None:
        """Asks for as many as make a full demand."""
        self._ask(limits.EVENTS_ASKED - self.open)

    def end(self) -> None:
        """No more requests."""
        self._queue.put(None)

    def _ask(self, count: int, **keys: Any) -> None:
        self.open += count
        self._queue.put(wire.FetchRequest(topic_name=self._topic, num_requested=count, **keys))


@dataclass
class Subscription:
    """One topic. `place` is the replay id to go on from; None means from now."""

    topic: str
    channel: PubSub
    decoder: Decoder
    inbox: Inbox
    place: bytes | None = None
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    refused: str = ""
    """Why no events come now; empty when they do."""
    troubles: int = 0
    """Failures since something was last heard."""
    _heard_at: float = 0.0
    _renewals: int = 0
    _call: Any = None
    _session: Session = field(default=Session("", ""), repr=False)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Opens the subscription, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=self.topic, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends it, soon."""
        self._stopped.set()
        self._hang_up()

    def join(self, timeout_s: float) -> None:
        """Waits until it has ended."""
        if self._thread:
            self._thread.join(timeout_s)

    def check_pulse(self) -> None:
        """Hangs up where nothing was heard for longer than Salesforce ever is silent; it is then opened again."""
        if self._call is not None and self.monotonic() - self._heard_at > limits.KEEP_ALIVE_S:
            logger.info(
                "%s: not even a keep-alive for %d s; connecting again", self.topic, limits.KEEP_ALIVE_S
            )
            self._hang_up()

    def _hang_up(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            known = False
            while not self._stopped.is_set():
                self._session = self.channel.tokens.session()
                try:
                    known = known or self._is_allowed()
                    self._listen()
                except PubSubError as error:
                    if self._stopped.is_set() or not self._goes_on_after(error):
                        return
        except TapError as error:
            self.inbox.put(Failed(error))
        except Exception as error:
            if self._stopped.is_set():  # the channel was closed under it
                return
            # A thread that died unseen would end the events in silence.
            logger.exception("%s: the subscription ended", self.topic)
            self.refused = type(error).__name__

    def _is_allowed(self) -> bool:
        if not self.channel.can_subscribe(self.topic):
            raise PubSubError(Trouble.NEVER, "this user cannot subscribe to it")
        return True

    def _listen(self) -> None:
        """One call, until it ends. Returns where it was ended on purpose."""
        requests = _Requests(self.topic, self.place)
        self._heard_at = self.monotonic()
        call = self.channel.subscribe(iter(requests), self._session)
        self._call = call
        if self.place is None:
            self.inbox.put(FromNow(self.topic, lost=self.refused == _LOST))
            self.refused = ""
        try:
            for response in call:
                self._heard()
                self._take(response, requests)
                if not self._may_ask(requests):
                    return
            raise PubSubError(Trouble.PASSING, "closed")
        except grpc.RpcError as error:
            raise refusal(error) from None
        finally:
            self._call = None
            requests.end()
            call.cancel()

    def _heard(self) -> None:
        self._heard_at = self.monotonic()
        if self.troubles or self.refused:
            logger.info("%s: change events come again", self.topic)
        self.troubles = self._renewals = 0
        self.refused = ""

    def _take(self, response: Any, requests: _Requests) -> None:
        requests.open = max(0, requests.open - len(response.events))
        if response.pending_num_requested == 0:
            requests.open = 0
        if requests.open <= limits.EVENTS_ASKED // 2 and self.inbox.has_room:
            requests.top_up()
        for received in response.events:
            event = received.event
            hint = self.decoder.hint(self.topic, received.replay_id, event.schema_id, event.payload)
            self.inbox.put(hint)
            self.place = received.replay_id
        if not response.events and response.latest_replay_id:
            self.place = response.latest_replay_id
            self.inbox.put(Reached(self.topic, self.place))

    def _may_ask(self, requests: _Requests) -> bool:
        """Waits for room where nothing more is asked for; False when that took too long to keep the call."""
        until = self.monotonic() + limits.UNASKED_S
        while requests.open == 0 and not self._stopped.is_set():
            if self.inbox.has_room:
                requests.top_up()
            elif self.place is not None and self.monotonic() > until:
                logger.info(
                    "%s: more events than can be held; going on from the same place later", self.topic
                )
                self._call.cancel()
                self._wait_for_room()
                return False
            else:
                self._stopped.wait(limits.ROOM_LOOK_S)
        return not self._stopped.is_set()

    def _wait_for_room(self) -> None:
        while not self.inbox.has_room and not self._stopped.wait(limits.ROOM_LOOK_S):
            pass

    # --- when it fails -------------------------------------------------------------------------------------------

    def _goes_on_after(self, error: PubSubError) -> bool:
        """Does what the refusal asks for, and waits; False when there is no point in trying again."""
        self.troubles += 1
        pause = min(limits.BACKOFF_MAX_S, limits.BACKOFF_FIRST_S * 2.0 ** min(self.troubles - 1, 16))
        pause *= 0.5 + self.chance() / 2
        trouble = error.trouble
        if trouble is Trouble.SESSION:
            self._renewals += 1
            if self._renewals == 1:
                self.channel.tokens.renew(self._session)
                return True
            self._renewals, pause = 0, limits.REFUSED_RETRY_S
            self._say(error.code, "also with a new token. Polled for meanwhile; tried again later")
            return not self._stopped.wait(pause)
        if trouble is Trouble.NEVER:
            self._say(error.code, "its changes are polled for")
            return False
        if trouble is Trouble.PLACE:
            logger.warning(
                "%s: the place in STATE is no longer known to Salesforce (it keeps events for three days); what changed "
                "since is read by polling",
                self.topic,
            )
            self.place, self.refused = None, _LOST
        elif trouble is Trouble.ALLOWANCE:
            pause = limits.REFUSED_RETRY_S
            self._say(
                error.code,
                f"the org's change events of this day are used up; polled for meanwhile, tried again every "
                f"{pause / 60:.0f} minutes",
            )
        elif self.troubles == limits.TROUBLES_TOLD:
            self._say(error.code, "polled for until it can be had again")
        else:
            logger.info(
                "%s: the subscription ended (%s); opened again in %.1f s", self.topic, error.code, pause
            )
        return not self._stopped.wait(pause)

    def _say(self, code: str, consequence: str) -> None:
        if self.refused != code:
            logger.warning("%s: no change events (%s): %s", self.topic, code, consequence)
        self.refused = code


_LOST = "replay id no longer known"
