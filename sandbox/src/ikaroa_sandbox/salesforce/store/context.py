"""What every rule that writes is given: the rows, the set-up, the time of the write, and the list of what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ikaroa_sandbox.core import World
from ikaroa_sandbox.salesforce import ids, wire
from ikaroa_sandbox.salesforce.org import Org
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.store.database import Database, Row, Work

Effect = dict[str, Any]


@dataclass
class Context:
    """One org's rows and counters. `at` is set while writes happen under an earlier time stamp."""

    world: World
    org: Org
    db: Database
    user_id: str = ""
    counters: dict[str, int] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    """Record id -> name of the open transaction that has changed it."""
    effects: list[Effect] = field(default_factory=list)
    at: str | None = None
    transaction: str | None = None
    """Name of the open transaction that is writing, if one is."""
    batch: int = 0
    """Number of the current delete: what was deleted together is undeleted together."""

    def now(self) -> str:
        """The time stamp of a write: that of its transaction, else the clock's."""
        if self.at is not None:
            return self.at
        moment = self.world.clock.now()
        if self.world.variants["salesforce.records.stamp_granularity"] == "second":
            moment = moment.replace(microsecond=0)
        return wire.stored_time(moment)

    def next_id(self, item: ObjectType) -> str:
        """A new record id."""
        return ids.make(item.prefix, self.count(item.name))

    def count(self, name: str) -> int:
        """The next number of a counter, from 0."""
        number = self.counters.get(name, 0)
        self.counters[name] = number + 1
        return number

    def note(self, action: str, item: ObjectType, record_id: str) -> None:
        """Records what a write did, for the journal."""
        self.effects.append({"action": action, "object": item.name, "id": record_id})

    @contextmanager
    def atomic(self) -> Iterator[Work]:
        """All of it or (after an exception, or when `undo` is set) nothing of it, effects included."""
        mark = len(self.effects)
        work = Work(undo=True)
        try:
            with self.db.savepoint() as work:
                yield work
        finally:
            if work.undo:
                del self.effects[mark:]

    def take_effects(self) -> list[Effect]:
        """The effects since the last call."""
        taken, self.effects = self.effects, []
        return taken


@dataclass(frozen=True)
class Save:
    """One record being saved, as the rules around it see it."""

    context: Context
    item: ObjectType
    old: Row | None
    """The row before, None when the record is new."""
    row: Row
    """The row as it will be; rules that run before the save complete it."""
    given: Row
    """What the caller set."""
