"""The event bus: change events under opaque replay ids, kept for three days.

A replay id names a place in the stream, not only an event: an empty answer carries one, too. Numbers of events have gaps.
(Pub/Sub API docs: replay id is opaque and not contiguous; event message durability: 72 hours.)
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.usage import Usage

if TYPE_CHECKING:
    from ikaroa_sandbox.core import Clock
    from ikaroa_sandbox.salesforce.store.database import Database

_STEP = 7
"""Every event takes the next number but six: whoever counts on the next one is wrong at once."""


def epoch_ms(moment: datetime) -> int:
    """A moment in milliseconds."""
    return int(moment.timestamp() * 1_000)


@dataclass(frozen=True)
class Event:
    """One event as it lies on the bus; it becomes binary when it is delivered, under the schema of then."""

    seq: int
    at_ms: int
    object: str
    header: dict[str, Any]
    parts: dict[str, Any]


class ReplayIdError(ValueError):
    """A replay id of another org, of none, or of a time that is no longer kept."""


@dataclass
class EventSettings:
    """What an administrator or a contract decides about the bus."""

    entities: tuple[str, ...] = ("Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem")
    """Objects selected for change data capture; five without the add-on."""
    keepalive_seconds: int = limits.KEEPALIVE_SECONDS
    commits: int = 0
    deliveries: Usage = field(default_factory=lambda: Usage(limits.DAILY_EVENT_DELIVERIES))

    def copy(self) -> EventSettings:
        """An independent copy."""
        return replace(self, deliveries=replace(self.deliveries, buckets=deque(self.deliveries.buckets)))


class EventLog:
    """The bus of one org; its events lie in the org's database, so that they are saved and undone with it."""

    def __init__(self, db: Database, clock: Clock, settings: EventSettings | None = None) -> None:
        self._db, self._clock = db, clock
        self.settings = settings or EventSettings()

    def next_commit(self) -> int:
        """A new commit number."""
        self.settings.commits += 1
        return 1_000_000_000 + 13 * self.settings.commits

    def append(self, name: str, header: dict[str, Any], parts: dict[str, Any]) -> None:
        """Publishes one event, and forgets those whose time is over."""
        now = epoch_ms(self._clock.now())
        self._db.execute(
            "INSERT INTO _events (seq, at_ms, object, header, parts) VALUES (?, ?, ?, ?, ?)",
            [self.last() + _STEP, now, name, json.dumps(header), json.dumps(parts, default=str)],
        )
        self._db.execute(
            "DELETE FROM _events WHERE at_ms < ?", [now - limits.EVENT_RETENTION_SECONDS * 1_000]
        )

    def last(self) -> int:
        """The place of the newest event there ever was."""
        return int(self._db.query("SELECT COALESCE(MAX(seq), 0) FROM (SELECT seq FROM _events UNION ALL SELECT seq FROM _events_end)")[0][0])  # fmt: skip

    def forget(self) -> None:
        """Takes every event away, as after an org moved to another instance: older replay ids mean nothing any more."""
        end = self.last()
        self._db.execute("DELETE FROM _events")
        self._db.execute("DELETE FROM _events_end")
        self._db.execute("INSERT INTO _events_end (seq) VALUES (?)", [end])

    def earliest(self) -> int:
        """The place before the oldest event that is still there."""
        horizon = epoch_ms(self._clock.now()) - limits.EVENT_RETENTION_SECONDS * 1_000
        found = self._db.query("SELECT MIN(seq) FROM _events WHERE at_ms >= ?", [horizon])[0][0]
        return int(found) - 1 if found else self.last()

    def after(self, seq: int, names: Sequence[str] | None, count: int) -> list[Event]:
        """The next events of these objects (None: of all)."""
        of = "" if names is None else f" AND object IN ({', '.join('?' * len(names))})"
        sql = f"SELECT seq, at_ms, object, header, parts FROM _events WHERE seq > ?{of} ORDER BY seq LIMIT ?"  # noqa: S608  marks only
        return [
            Event(number, at_ms, name, json.loads(header), json.loads(parts))
            for number, at_ms, name, header, parts in self._db.query(sql, [seq, *(names or ()), count])
        ]

    # -- replay ids --------------------------------------------------------------------------------------------------------

    def replay_id(self, seq: int, at_ms: int | None = None) -> bytes:
        """The opaque name of a place: of an event, or of now."""
        minute = (epoch_ms(self._clock.now()) if at_ms is None else at_ms) // 60_000
        plain = seq.to_bytes(6, "big") + minute.to_bytes(4, "big")
        return plain + self._seal(plain)

    def place_of(self, replay_id: bytes) -> int:
        """The place that a replay id names.

        Raises:
            ReplayIdError: it names none (any more).
        """
        plain, seal = replay_id[:10], replay_id[10:]
        if len(replay_id) != 14 or seal != self._seal(plain):
            raise ReplayIdError("not a replay id of this org")
        seq, minute = int.from_bytes(plain[:6], "big"), int.from_bytes(plain[6:], "big")
        kept_from = epoch_ms(self._clock.now()) // 60_000 - limits.EVENT_RETENTION_SECONDS // 60
        ended = self._db.query("SELECT COALESCE(MAX(seq), -1) FROM _events_end")[0][0]
        if minute < kept_from or seq > self.last() or seq < ended:
            raise ReplayIdError("outside of what is kept")
        return seq

    @staticmethod
    def _seal(plain: bytes) -> bytes:
        return hashlib.blake2b(plain, digest_size=4, person=b"replay").digest()
