"""A live run: subscribe, read what changed so far, then follow the events until it is time to end.

The subscriptions begin before the first pass and hold their events until it is over, so that nothing falls between the
two. STATE carries the polling bookmark at all times, and each topic's replay id once its events are written. A run that is
cut goes on from both.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.errors import SettingsError, UnexpectedAnswerError
from tap_salesforce_ikaroa.live.agenda import Agenda
from tap_salesforce_ikaroa.live.channel import Channel, checked_endpoint
from tap_salesforce_ikaroa.live.doorbell import Doorbell, Spool
from tap_salesforce_ikaroa.live.events import Decoder, Hint
from tap_salesforce_ikaroa.live.followed import Followed
from tap_salesforce_ikaroa.live.subscription import (
    Failed,
    FromNow,
    Inbox,
    Item,
    PubSub,
    Reached,
    Subscription,
)

if TYPE_CHECKING:
    from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa

logger = logging.getLogger("tap-salesforce-ikaroa")


class Connection(PubSub, Protocol):
    """The Pub/Sub API, or what stands for it."""

    def schema(self, schema_id: str) -> str:
        """An Avro schema, as JSON text."""

    def close(self) -> None:
        """Ends all calls."""


class LiveSession:
    """One run in live mode. `channel` and `monotonic` are replaced in tests."""

    def __init__(
        self,
        tap: TapSalesforceIkaroa,
        channel: Connection | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        config = tap.config
        self._tap, self._now = tap, monotonic
        self._max_s = int(config.get("live_max_seconds", 0)) or float("inf")
        self._idle_s = int(config.get("live_idle_seconds", 0)) or float("inf")
        self._channel = channel or _channel_of(tap)
        self._followed = [Followed(stream, tap.client, config) for stream in tap.selected]
        fast_s = int(config.get("poll_interval_seconds", limits.POLL_INTERVAL_S))
        safety_s = max(fast_s, int(config.get("safety_poll_seconds", limits.SAFETY_POLL_S)))
        self._agenda = Agenda(fast_s, safety_s)
        self._inbox = Inbox()
        self._subscriptions: dict[str, Subscription] = {}
        self._doorbell: Doorbell | None = None
        self._began = self._busy_at = self._day_began = monotonic()

    def run(self) -> None:
        """Runs until a bound is reached.

        Raises:
            TapError: it cannot go on; STATE stands for what was written.
        """
        self._tap.failures.go_on = True
        try:
            self._subscribe()
            self._doorbell = _doorbell_of(self._tap, self._inbox)
            self._first_pass()
            self._follow()
        finally:
            if self._doorbell:
                self._doorbell.close()
            for subscription in self._subscriptions.values():
                subscription.stop()
            for subscription in self._subscriptions.values():
                subscription.join(limits.STOP_S)
            self._channel.close()

    # --- beginning -----------------------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        for topic in dict.fromkeys(topic for each in self._followed for topic in each.topics):
            watchers = self._watchers(topic)
            references = frozenset(name for each in watchers for name in each.references(topic))
            places = [place for each in watchers if (place := each.place(topic))]
            decoder = Decoder(self._channel.schema, references)
            place = places[0] if places else None
            subscription = Subscription(topic, self._channel, decoder, self._inbox, place)
            self._subscriptions[topic] = subscription
            subscription.start()

    def _first_pass(self) -> None:
        for each in self._followed:
            each.stream.watcher = each.see
        self._tap.sync_all()
        for each in self._followed:
            each.stream.watcher = None
            self._agenda.begin(each.name, self._now(), often=each.stream.follows_changes)
        self._busy_at = self._now()
        logger.info("live: following %s", ", ".join(each.name for each in self._followed))

    def _watchers(self, topic: str) -> list[Followed]:
        return [each for each in self._followed if topic in each.topics]

    # --- the loop ------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        while self._followed and not self._is_over():
            if items := self._next_items(self._patience()):
                self._deal_with(items)
            self._look_after()
            self._poll(self._agenda.due(self._now(), self._without_events()))

    def _is_over(self) -> bool:
        now = self._now()
        if now - self._began >= self._max_s:
            logger.info("live: ends after %d s, as `live_max_seconds` says", self._max_s)
            return True
        if now - self._busy_at >= self._idle_s:
            logger.info("live: ends, as nothing has changed for %d s (`live_idle_seconds`)", self._idle_s)
            return True
        return False

    def _patience(self) -> float:
        ends = min(
            self._began + self._max_s,
            self._busy_at + self._idle_s,
            self._agenda.next_at(self._without_events()),
            self._now() + limits.PULSE_S,
        )
        return max(0.0, ends - self._now())

    def _next_items(self, timeout_s: float) -> list[Item]:
        """What the subscriptions have handed on; a first hint waits a moment for others."""
        items: list[Item] = []
        until, ids = 0.0, 0
        item = self._inbox.take(timeout_s)
        while item is not None:
            items.append(item)
            ids += len(item.ids) if isinstance(item, Hint) else 0
            until = until or self._now() + limits.LINGER_S
            if ids >= limits.IDS_AT_ONCE:
                break
            item = self._inbox.take(until - self._now())
        return items

    def _deal_with(self, items: Sequence[Item]) -> None:
        hints = [item for item in items if isinstance(item, Hint)]
        for item in items:
            if isinstance(item, Failed):
                raise item.error
            if isinstance(item, FromNow):
                self._begun_from_now(item)
        if hints:
            self._busy_at = self._now()
        for each in self._followed:
            if self._needs_poll(each, hints):
                self._agenda.soon(each.name)
        # Only now: what these places stand for is written. What is left to a poll is before the polling bookmark.
        for item in items:
            if isinstance(item, Hint | Reached) and item.place:
                self._keep_place(item.topic, item.place)
        self._write_state()
        if self._doorbell:
            self._doorbell.done(hints)

    def _needs_poll(self, each: Followed, hints: Sequence[Hint]) -> bool:
        poll = True  # finds what could not be read by its id, too
        with self._tap.reading(each.stream):
            _, poll = each.follow(hints)
        return poll

    def _begun_from_now(self, item: FromNow) -> None:
        if item.lost:
            self._keep_place(item.topic, None)
        for each in self._watchers(item.topic):
            self._agenda.from_now(each.name, lost=item.lost)

    def _keep_place(self, topic: str, place: bytes | None) -> None:
        for each in self._watchers(topic):
            each.keep_place(topic, place)

    def _write_state(self) -> None:
        if self._followed:
            self._followed[0].stream.state_if_due(at_once=True)  # STATE is one for all streams

    # --- polls ---------------------------------------------------------------------------------------------------

    def _without_events(self) -> set[str]:
        mute = {
            topic
            for topic, subscription in self._subscriptions.items()
            if subscription.refused or subscription.troubles >= limits.TROUBLES_TOLD
        }
        return {each.name for each in self._followed if each.silent or mute.intersection(each.topics)}

    def _poll(self, names: Iterable[str]) -> None:
        due = [each for each in self._followed if each.name in set(names)]
        if not due:
            return
        self._tap.survey([each.stream for each in due])
        # Events wait: rows of all these streams may have been read at once, and must not be written after newer ones.
        for each in due:
            with self._tap.reading(each.stream):
                if each.poll():
                    self._busy_at = self._now()
                self._tap.failures.read_after_all(each.name)
            self._agenda.polled(each.name, self._now())
        self._write_state()

    def _look_after(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.check_pulse()
        if self._now() - self._day_began >= limits.DAY_S:
            self._day_began = self._now()
            self._tap.client.quota.new_day()


def _channel_of(tap: TapSalesforceIkaroa) -> Any:
    client = tap.client
    endpoint = str(tap.config.get("pubsub_endpoint") or limits.PUBSUB_ENDPOINT)
    endpoint = checked_endpoint(endpoint, client.transport.hosts)
    if not client.tokens.session().organisation_id:
        raise UnexpectedAnswerError(
            "Salesforce's login answer does not say which org it is for (`id`), which `mode: live` needs"
        )
    return Channel(endpoint, client.tokens)


def _doorbell_of(tap: TapSalesforceIkaroa, inbox: Inbox) -> Doorbell | None:
    port, spool = int(tap.config.get("doorbell_port", 0)), tap.config.get("doorbell_spool_path")
    if not port:
        return None
    if not spool:
        raise SettingsError(
            "`doorbell_port` is set, and needs `doorbell_spool_path`: a file that keeps what was acknowledged"
        )
    path = "/" + str(tap.config.get("doorbell_path") or "").lstrip("/")
    organisation = tap.client.tokens.session().organisation_id
    return Doorbell(port, path, Spool(Path(str(spool)).expanduser()), organisation, inbox.put)
