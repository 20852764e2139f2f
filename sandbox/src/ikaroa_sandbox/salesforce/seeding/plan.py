"""How big the seeded org is, and when things happened in it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from ikaroa_sandbox.salesforce import wire
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store.database import Row

ACCOUNTS, CONTACTS, LEADS, OPPORTUNITIES, ORDERS = 400, 900, 250, 600, 40
PERSON_ACCOUNTS = 8
CONTACTS_AN_ACCOUNT_MAX = 4
"""The billing contact and the others together stay within what Xero takes as contact persons."""
WON_SHARE = 0.4
WON_WITHOUT_LINES = 20
LINES_MAX = 5
CONVERTED_LEADS = 30
SCHEDULED_DEALS = 10
SHARED_EMAILS = 25
BIN_ACCOUNTS, BIN_CONTACTS, BIN_LEADS, BIN_OPPORTUNITIES = 4, 6, 3, 5
IMPORT_DAYS_AGO = 900
"""The day of the bulk import that gave many accounts one time stamp."""


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The word lists."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (resources.files(__package__) / "words.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506  a safe loader, in C where there is one
    return found


@dataclass
class Sower:
    """Chance, time and the rows of one seeding. All chance comes from the seed, all time from the clock."""

    state: State
    chance: random.Random

    def __post_init__(self) -> None:
        self.now: datetime = self.state.world.clock.now().replace(microsecond=0)
        self.rows: dict[str, list[Row]] = {}
        users = self.state.db.select(self.state.org.full["User"], order='ORDER BY "Id"')
        self.users = [str(user["Id"]) for user in users]

    def object(self, name: str) -> ObjectType:
        """An object, whether the user sees it or not."""
        return self.state.org.full[name]

    def ago(self, days: float) -> str:
        """A moment that many days ago, as stored, to the second."""
        return wire.stored_time((self.now - timedelta(days=days)).replace(microsecond=0))

    def day(self, days: float) -> str:
        """A date that many days from now."""
        return (self.now + timedelta(days=days)).date().isoformat()

    def add(self, name: str, values: Row, created_days: float, changed_days: float | None = None) -> Row:
        """One row, made so many days ago and last changed so many days ago."""
        item = self.object(name)
        created = self.ago(created_days)
        changed = self.ago(created_days if changed_days is None else min(changed_days, created_days))
        row: Row = {"Id": self.state.context.next_id(item)}
        for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            if item.field(field):
                row[field] = created if field == "CreatedDate" else changed
        for field in ("CreatedById", "LastModifiedById", "OwnerId"):
            if item.field(field):
                row[field] = self.users[0]
        row |= values
        self.rows.setdefault(name, []).append(row)
        return row

    def write(self) -> None:
        """Puts all rows into the database."""
        with self.state.db.savepoint():
            for name, rows in self.rows.items():
                self.state.db.insert(self.object(name), rows)
