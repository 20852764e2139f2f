"""What one organisation holds: tables of rows keyed by GUID, with indexes, an undo log and cheap copies.

A row is a plain dict of Python objects (Decimal, date, datetime, str, bool, lists, dicts). **A stored row is never
changed in place**: change it by `table.put({**row, "Name": name})`. That is what makes `save` a copy of references and
`rollback` exact.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, ValuesView
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ikaroa_sandbox.core import Clock, Variants
from ikaroa_sandbox.xero import wire

Row = dict[str, Any]
KeyOf = Callable[[Row], str | None]

_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=8)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:  # a machine without time zone data
        return timezone.utc


class Table:
    """Rows of one kind by GUID. Made by `Store.table`."""

    def __init__(self, store: Store, name: str, id_field: str) -> None:
        self.name, self.id_field = name, id_field
        self._store = store
        self._rows: dict[str, Row] = {}
        self._keys: dict[str, KeyOf] = {}
        self._found: dict[str, dict[str, tuple[str, ...]]] = {}

    def index(self, name: str, key: KeyOf) -> None:
        """Keeps rows findable by `key(row)`; rows whose key is None are left out. Several rows may share a key."""
        self._keys[name], self._found[name] = key, {}
        for row in self._rows.values():
            self._enter(name, key(row), row[self.id_field])

    @property
    def index_names(self) -> frozenset[str]:
        """The indexes there are."""
        return frozenset(self._keys)

    def get(self, guid: str | None) -> Row | None:
        """The row with this GUID (lower case), or None."""
        return self._rows.get(guid) if guid is not None else None

    def by(self, index: str, key: str | None) -> list[Row]:
        """The rows an index holds under `key`, oldest entry first."""
        return [self._rows[guid] for guid in self._found[index].get(key, ())] if key is not None else []

    def rows(self) -> ValuesView[Row]:
        """Every row, in no promised order."""
        return self._rows.values()

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Row, *, stamp: bool = True) -> Row:
        """Stores a new row or the new state of a row; gives it a GUID where it has none and a new `UpdatedDateUTC`.

        Args:
            row: the whole row; from now on nobody changes it.
            stamp: False keeps `UpdatedDateUTC` as it stands in `row`.
        """
        if not row.get(self.id_field):
            row[self.id_field] = self._store.guid()
        if stamp:
            row["UpdatedDateUTC"] = self._store.stamp()
        self._store.note(self, row[self.id_field], self._rows.get(row[self.id_field]), silent=not stamp)
        self._set(row[self.id_field], row)
        return row

    def remove(self, guid: str) -> None:
        """Takes a row out for good (Xero mostly keeps rows and changes their status instead)."""
        self._store.note(self, guid, self._rows[guid])
        self._set(guid, None)

    def _set(self, guid: str, row: Row | None) -> None:
        old = self._rows.get(guid)
        for name, key in self._keys.items():
            before, after = (key(old) if old else None), (key(row) if row else None)
            if before != after:
                self._leave(name, before, guid)
                self._enter(name, after, guid)
        if row is None:
            self._rows.pop(guid, None)
        else:
            self._rows[guid] = row

    def _enter(self, name: str, key: str | None, guid: str) -> None:
        if key is not None:
            self._found[name][key] = (*self._found[name].get(key, ()), guid)

    def _leave(self, name: str, key: str | None, guid: str) -> None:
        if key is not None:
            left = tuple(other for other in self._found[name][key] if other != guid)
            if left:
                self._found[name][key] = left
            else:
                del self._found[name][key]

    def _save(self) -> tuple[dict[str, Row], dict[str, dict[str, tuple[str, ...]]]]:
        return dict(self._rows), {name: dict(found) for name, found in self._found.items()}

    def _restore(self, saved: tuple[dict[str, Row], dict[str, dict[str, tuple[str, ...]]]]) -> None:
        self._rows, self._found = dict(saved[0]), {name: dict(found) for name, found in saved[1].items()}


@dataclass
class Change:
    """One entry of the undo log: which row, and what it was before (None: it was not there)."""

    table: Table
    guid: str
    before: Row | None
    silent: bool = False
    """A change that gives no new `UpdatedDateUTC` (a contact becoming a customer): none of the request's own doing."""


def _action(change: Change) -> str:
    if change.table.get(change.guid) is None:
        return "delete"
    return "create" if change.before is None else "update"


_DESCRIBING = (
    "InvoiceNumber",
    "CreditNoteNumber",
    "QuoteNumber",
    "ContactNumber",
    "Name",
    "Code",
    "Reference",
    "Status",
    "Total",
    "Amount",
    "DocumentID",
)
"""Fields that tell a checker what a record is without looking it up."""


def _described(row: Row | None) -> dict[str, str]:
    return {name: str(row[name]) for name in _DESCRIBING if row.get(name)} if row else {}


@dataclass
class Store:
    """One organisation's data.

    `organisation` is the organisation's own row (settings, lock dates); replace it as a whole. `counters` are number
    series (`INV` -> last number given out).
    """

    clock: Clock
    variants: Variants
    chance: random.Random
    organisation: Row = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    _log: list[Change] = field(default_factory=list)
    _last_stamp: datetime | None = None

    def table(self, name: str, id_field: str | None = None) -> Table:
        """The table of this name; the first caller makes it and names its id field.

        Raises:
            KeyError: nobody made it yet and `id_field` is not given.
        """
        if name not in self.tables:
            if id_field is None:
                raise KeyError(name)
            self.tables[name] = Table(self, name, id_field)
        return self.tables[name]

    def guid(self) -> str:
        """A new GUID."""
        return wire.new_guid(self.chance)

    def stamp(self) -> datetime:
        """A moment for `UpdatedDateUTC`: now, in whole milliseconds, and always later than the one before."""
        now = self.clock.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if self._last_stamp is not None and now <= self._last_stamp:
            now = self._last_stamp + _MILLISECOND
        self._last_stamp = now
        return now

    def today(self) -> date:
        """The organisation's own date: what a document without `Date` gets."""
        return self.clock.now().astimezone(_zone(self.organisation.get("Zone", "Europe/London"))).date()

    # -- undo ----------------------------------------------------------------------------------------------------------

    def note(self, table: Table, guid: str, before: Row | None, *, silent: bool = False) -> None:
        """Writes down a row's state before it changes (called by tables)."""
        self._log.append(Change(table, guid, before, silent))

    def begin(self) -> None:
        """Starts a request: forgets the undo log of the one before."""
        self._log.clear()

    def mark(self) -> tuple[int, dict[str, int]]:
        """A point to roll back to."""
        return len(self._log), dict(self.counters)

    def rollback(self, mark: tuple[int, dict[str, int]]) -> None:
        """Undoes every change since `mark`, number series included."""
        while len(self._log) > mark[0]:
            change = self._log.pop()
            change.table._set(change.guid, change.before)  # noqa: SLF001 - the log is the tables' own
        self.counters = dict(mark[1])

    def effects(self) -> list[dict[str, Any]]:
        """What happened since `begin`, one entry a record, for the journal."""
        first: dict[tuple[str, str], Change] = {}
        for change in self._log:
            if change.silent and change.before is not None:
                continue
            first.setdefault((change.table.name, change.guid), change)
        return [
            {"action": _action(change), "object": name, "id": guid, **_described(change.table.get(guid))}
            for (name, guid), change in first.items()
        ]

    # -- copies --------------------------------------------------------------------------------------------------------

    def save(self) -> Mapping[str, Any]:
        """A copy that later changes do not touch: references to rows, not rows."""
        return {
            "organisation": self.organisation,
            "counters": dict(self.counters),
            "tables": {name: table._save() for name, table in self.tables.items()},  # noqa: SLF001
            "last_stamp": self._last_stamp,
            "chance": self.chance.getstate(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Puts a copy from `save` back."""
        self.organisation, self.counters = saved["organisation"], dict(saved["counters"])
        for name, table in self.tables.items():
            table._restore(saved["tables"].get(name, ({}, {index: {} for index in table._keys})))  # noqa: SLF001
        self._last_stamp = saved["last_stamp"]
        self.chance.setstate(saved["chance"])
        self._log.clear()

    def clear(self) -> None:
        """Empties every table and number series; the tables and their indexes stay."""
        for table in self.tables.values():
            table._restore(({}, {index: {} for index in table._keys}))  # noqa: SLF001
        self.organisation, self.counters, self._last_stamp = {}, {}, None
        self._log.clear()
