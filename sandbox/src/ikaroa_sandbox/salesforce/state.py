"""Everything one simulated org is, in one place: what handlers read and change, what save and restore copy."""

from __future__ import annotations

import sqlite3
from collections import deque
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ikaroa_sandbox.core import World
from ikaroa_sandbox.salesforce import wire
from ikaroa_sandbox.salesforce.bulk.jobs import Jobs
from ikaroa_sandbox.salesforce.events.log import EventLog, EventSettings
from ikaroa_sandbox.salesforce.oauth import Tokens
from ikaroa_sandbox.salesforce.org import Org
from ikaroa_sandbox.salesforce.schema.load import base_schema
from ikaroa_sandbox.salesforce.soql.run import Locators
from ikaroa_sandbox.salesforce.store.context import Context
from ikaroa_sandbox.salesforce.store.database import Database
from ikaroa_sandbox.salesforce.usage import Usage

Saved = tuple[sqlite3.Connection, dict[str, Any]]


@lru_cache(maxsize=1)
def _empty_tables() -> sqlite3.Connection:
    """The tables of the standard schema: copying them is far cheaper than making them."""
    return Database(base_schema()).save()


@dataclass
class OpenTransaction:
    """A long transaction: what it will do, and since when it has been running."""

    started: str
    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(time stamp, command) in order."""


@dataclass
class State:
    """One org."""

    world: World
    org: Org
    db: Database
    context: Context
    events: EventLog
    org_id: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    usage: Usage = field(default_factory=Usage)
    locators: Locators = field(default_factory=Locators)
    transactions: dict[str, OpenTransaction] = field(default_factory=dict)
    log_begins: dict[str, str] = field(default_factory=dict)
    """Object -> since when the deletion log tells, where it has been purged."""
    jobs: Jobs = field(default_factory=Jobs)

    @classmethod
    def new(cls, world: World) -> State:
        """An org without a single row."""
        org = Org(modified=world.clock.now())
        db = Database(org.full, _empty_tables())
        return cls(world, org, db, Context(world, org, db), EventLog(db, world.clock))

    def capture(self, entities: tuple[str, ...]) -> None:
        """Selects the objects whose changes become events from here on."""
        self.events.settings.entities = entities
        self.db.captured = frozenset(entities)

    @property
    def covered_until(self) -> str:
        """The start of the oldest transaction still open, else now, cut to the minute: all before it is committed."""
        now = wire.stored_time(self.world.clock.now())
        oldest = min([now, *(one.started for one in self.transactions.values())])
        return f"{oldest[:16]}:00.000"

    def save(self) -> Saved:
        """A copy of everything."""
        context = self.context
        rest = {
            "org": self.org.copy(),
            "user_id": context.user_id,
            "counters": dict(context.counters),
            "locks": dict(context.locks),
            "batch": context.batch,
            "org_id": self.org_id,
            "tokens": self.tokens.copy(),
            "usage": replace(self.usage, buckets=deque(self.usage.buckets)),
            "locators": replace(self.locators, open=dict(self.locators.open)),
            "transactions": {
                name: replace(one, commands=list(one.commands)) for name, one in self.transactions.items()
            },
            "jobs": self.jobs.copy(),
            "log_begins": dict(self.log_begins),
            "events": self.events.settings.copy(),
        }
        return self.db.save(), rest

    @classmethod
    def restored(cls, world: World, saved: Saved) -> State:
        """A state from `save`; the copy stays good for another time."""
        copy, rest = saved
        org: Org = rest["org"].copy()
        db = Database(org.full, copy)
        context = Context(
            world, org, db, rest["user_id"], dict(rest["counters"]), dict(rest["locks"]), batch=rest["batch"]
        )
        events: EventSettings = rest["events"].copy()
        db.captured = frozenset(events.entities)
        return cls(
            world=world,
            org=org,
            db=db,
            context=context,
            events=EventLog(db, world.clock, events),
            org_id=rest["org_id"],
            tokens=rest["tokens"].copy(),
            usage=replace(rest["usage"], buckets=deque(rest["usage"].buckets)),
            locators=replace(rest["locators"], open=dict(rest["locators"].open)),
            transactions={
                name: replace(one, commands=list(one.commands)) for name, one in rest["transactions"].items()
            },
            log_begins=dict(rest["log_begins"]),
            jobs=rest["jobs"].copy(),
        )
