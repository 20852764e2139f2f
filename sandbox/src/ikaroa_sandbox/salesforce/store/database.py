"""The org's rows in SQLite, in memory: one table an object, exact numbers, text that sorts as time.

Knows columns and values; the rules of Salesforce are in `records.py` and what it calls.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from ikaroa_sandbox.salesforce.limits import CHANGES_A_TRANSACTION_MAX, LONG_TEXT_CHARS
from ikaroa_sandbox.salesforce.schema.model import NUMBER_TYPES, Field, ObjectType, Schema
from ikaroa_sandbox.salesforce.values import Value, to_stored, to_value

Row = dict[str, Value]
RATE_PLACES = 6
"""Decimals of CurrencyType.ConversionRate."""

_DELETIONS = """
CREATE TABLE _deletions (
    seq INTEGER PRIMARY KEY, object TEXT NOT NULL, id TEXT NOT NULL, deleted_at TEXT NOT NULL,
    batch INTEGER NOT NULL, gone INTEGER NOT NULL, undeleted INTEGER NOT NULL DEFAULT 0)
"""
_CAPTURE = (
    "CREATE TABLE _changes (seq INTEGER PRIMARY KEY, verb TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL, fields TEXT NOT NULL)",
    "CREATE TABLE _events (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, object TEXT NOT NULL, header TEXT NOT NULL, parts TEXT NOT NULL)",
    "CREATE TABLE _events_end (seq INTEGER NOT NULL)",
)
"""What change data capture has noted of the running transaction, the events made of it, and the last place before a clearing."""


def fold(text: Any) -> Any:
    """Text without case: how Salesforce compares and sorts it."""
    return text.lower() if isinstance(text, str) else text


class _ExactAverage:
    """AVG over whole numbers, to four places more than they have, halves up."""

    def __init__(self) -> None:
        self.total, self.count = 0, 0

    def step(self, value: int | None) -> None:
        if value is not None:
            self.total += value
            self.count += 1

    def finalize(self) -> int | None:
        return (self.total * 20_000 + self.count) // (2 * self.count) if self.count else None


def _connect() -> sqlite3.Connection:
    connection = sqlite3.connect(
        ":memory:", check_same_thread=False, isolation_level=None, cached_statements=512
    )
    connection.create_function("fold", 1, fold, deterministic=True)
    connection.create_aggregate("exact_avg", 1, _ExactAverage)  # type: ignore[arg-type]
    return connection


def _column(field: Field) -> str:
    kind = "TEXT" if field.type not in {"int", "boolean", "double", "currency", "percent"} else "INTEGER"
    return f'"{field.name}" {kind}' + (" PRIMARY KEY NOT NULL" if field.type == "id" else "")


def to_stored_row(item: ObjectType, row: Row) -> tuple[Any, ...]:
    """A row as its columns hold it; a field it does not name is empty (a checkbox is off)."""
    stored: dict[str, Any] = dict(item.blank)
    for name, value in row.items():
        if name in stored:
            field = item.numbers.get(name)
            stored[name] = value if field is None else to_stored(field, value)
    return tuple(stored.values())


@dataclass
class Work:
    """What is done inside a savepoint. Whoever sets `undo` has it undone at the end."""

    undo: bool = False


class Database:
    """The tables of one org. Names come from the schema only, values always travel as parameters."""

    def __init__(self, schema: Schema, copy: sqlite3.Connection | None = None) -> None:
        self._depth = 0
        self.captured: frozenset[str] = frozenset()
        """Objects whose changes are noted for change data capture."""
        self.changed = False
        """Something may have been noted."""
        self.rates: dict[str, Decimal] = {}
        self.connection = _connect()
        # Of the rates alone: a function that held this object would keep the connection from ever being let go.
        to_corporate = partial(_to_corporate, self.rates)
        self.connection.create_function("to_corporate", 2, to_corporate, deterministic=True)
        if copy is not None:
            copy.backup(self.connection)
            return
        self.connection.execute(_DELETIONS)
        for statement in _CAPTURE:
            self.connection.execute(statement)
        self.connection.execute("CREATE INDEX _deletions_id ON _deletions (id)")
        self.connection.execute("CREATE INDEX _deletions_at ON _deletions (object, deleted_at)")
        for item in schema:
            self._create(item)

    def _create(self, item: ObjectType) -> None:
        run = self.connection.execute
        run(f'CREATE TABLE "{item.name}" ({", ".join(map(_column, item.stored_fields))})')
        if item.stamp:
            run(f'CREATE INDEX "{item.name}_stamp" ON "{item.name}" ("{item.stamp}", "Id")')
        for field in item.stored_fields:
            if field.refers_to and field.refers_to != "User":
                run(f'CREATE INDEX "{item.name}_{field.name}" ON "{item.name}" ("{field.name}")')
            if field.unique or field.external or field.idlookup:
                run(f'CREATE INDEX "{item.name}_{field.name}" ON "{item.name}" (fold("{field.name}"))')

    def add_column(self, item: ObjectType, field: Field) -> None:
        """Gives the table a column for a new field, or an old one of that name a second life."""
        if field.name not in {row[1] for row in self.query(f'PRAGMA table_info("{item.name}")')}:
            self.connection.execute(f'ALTER TABLE "{item.name}" ADD COLUMN {_column(field)}')
        if field.unique or field.external:
            self.connection.execute(
                f'CREATE INDEX "{item.name}_{field.name}" ON "{item.name}" (fold("{field.name}"))'
            )

    def drop_column(self, item: ObjectType, field: Field) -> None:
        """Takes the values of a deleted field away (the column stays: older SQLite cannot drop one)."""
        self.connection.execute(f'DROP INDEX IF EXISTS "{item.name}_{field.name}"')
        self.connection.execute(f'UPDATE "{item.name}" SET "{field.name}" = NULL')  # noqa: S608  as above

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        return self.connection.execute(sql, params).fetchall()

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Runs a statement; returns how many rows it changed."""
        return self.connection.execute(sql, params).rowcount

    def get(self, item: ObjectType, record_id: str) -> Row | None:
        """One row by its 18-character id, deleted ones too."""
        rows = self.select(item, '"Id" = ?', [record_id])
        return rows[0] if rows else None

    def select(
        self, item: ObjectType, where: str = "1", params: Sequence[Any] = (), order: str = ""
    ) -> list[Row]:
        """Rows as values. `where` is SQL of this package's own making."""
        fields = item.stored_fields
        sql = f'SELECT {item.columns} FROM "{item.name}" WHERE {where} {order}'  # noqa: S608  as above
        names = [field.name for field in fields]
        special = [field for field in fields if field.type == "boolean" or field.type in NUMBER_TYPES]
        rows: list[Row] = [dict(zip(names, row, strict=True)) for row in self.query(sql, params)]
        for row in rows:
            for field in special:
                row[field.name] = to_value(field, row[field.name])
        return rows

    def ids(self, item: ObjectType, where: str, params: Sequence[Any], order: str = '"Id"') -> list[str]:
        """Ids of the rows that a condition keeps."""
        sql = f'SELECT "Id" FROM "{item.name}" WHERE {where} ORDER BY {order}'  # noqa: S608  names are the schema's
        return [row[0] for row in self.query(sql, params)]

    def count_live(self, item: ObjectType) -> int:
        """How many rows there are outside the recycle bin."""
        live = ' WHERE "IsDeleted" = 0' if item.has_bin else ""
        return int(self.query(f'SELECT COUNT(*) FROM "{item.name}"{live}')[0][0])  # noqa: S608  as above

    def insert(self, item: ObjectType, rows: Iterable[Row]) -> None:
        """Adds rows; a field a row does not name is empty (a checkbox is off)."""
        self.insert_stored(item, [to_stored_row(item, row) for row in rows])

    def insert_stored(self, item: ObjectType, stored: list[tuple[Any, ...]]) -> None:
        """Adds rows that are as their columns hold them, in the order of its `stored_fields`."""
        fields = item.stored_fields
        marks = ", ".join("?" * len(fields))
        sql = f'INSERT INTO "{item.name}" ({item.columns}) VALUES ({marks})'  # noqa: S608  as above
        self.connection.executemany(sql, stored)
        if item.name in self.captured and stored:
            if len(stored) * len(fields) > CHANGES_A_TRANSACTION_MAX:
                self._note("OVERFLOW", item, "")
            else:
                for whole_row in stored:
                    self._note("CREATE", item, str(whole_row[0]))

    def update(self, item: ObjectType, record_id: str, changes: Row) -> None:
        """Changes some columns of one row."""
        if not changes:
            return
        if item.name in self.captured:
            self._note_update(item, record_id, changes)
        sets = ", ".join(f'"{name}" = ?' for name in changes)
        values = [to_stored(item.fields[name.lower()], value) for name, value in changes.items()]
        sql = f'UPDATE "{item.name}" SET {sets} WHERE "Id" = ?'  # noqa: S608  as above
        self.execute(sql, [*values, record_id])

    def restamp(self, item: ObjectType, at: str, record_id: str | None = None) -> int:
        """Moves SystemModstamp alone, of one row or of all; returns of how many."""
        sql = f'UPDATE "{item.name}" SET "SystemModstamp" = ? WHERE ? IS NULL OR "Id" = ?'  # noqa: S608  as above
        return self.execute(sql, [at, record_id, record_id])

    def remove(self, item: ObjectType, record_id: str) -> None:
        """Takes a row away for good."""
        if item.name in self.captured:
            live = ' AND "IsDeleted" = 0' if item.has_bin else ""
            if self.query(f'SELECT 1 FROM "{item.name}" WHERE "Id" = ?{live}', [record_id]):  # noqa: S608  as above
                self._note("DELETE", item, record_id)
        self.execute(f'DELETE FROM "{item.name}" WHERE "Id" = ?', [record_id])  # noqa: S608  as above

    def _note(self, verb: str, item: ObjectType, record_id: str, fields: str = "{}") -> None:
        self.changed = True
        self.connection.execute(
            "INSERT INTO _changes (verb, object, id, fields) VALUES (?, ?, ?, ?)",
            [verb, item.name, record_id, fields],
        )

    def _note_update(self, item: ObjectType, record_id: str, changes: Row) -> None:
        """Notes an update; to the bin and out of it are changes of `IsDeleted`."""
        if "IsDeleted" in changes:
            self._note("DELETE" if changes["IsDeleted"] else "UNDELETE", item, record_id)
            return
        told: dict[str, str | None] = dict.fromkeys(changes)
        for name, value in changes.items():
            if isinstance(value, str) and len(value) > LONG_TEXT_CHARS:
                found = self.query(f'SELECT "{name}" FROM "{item.name}" WHERE "Id" = ?', [record_id])  # noqa: S608  as above
                told[name] = found[0][0] if found else None
        if set(told) - {"SystemModstamp"}:
            self._note("UPDATE", item, record_id, json.dumps(told))

    @contextmanager
    def savepoint(self) -> Iterator[Work]:
        """All of it or, after an exception or when asked, nothing of it."""
        self._depth += 1
        name = f"s{self._depth}"
        self.connection.execute(f"SAVEPOINT {name}")
        work = Work()
        try:
            yield work
        except BaseException:
            work.undo = True
            raise
        finally:
            if work.undo:
                self.connection.execute(f"ROLLBACK TO {name}")
            self.connection.execute(f"RELEASE {name}")
            self._depth -= 1

    def save(self) -> sqlite3.Connection:
        """A copy of everything."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.backup(copy)
        return copy

    def load_rates(self) -> None:
        """Reads the conversion rates anew; to be called before a query that converts."""
        rows = self.query('SELECT "IsoCode", "ConversionRate" FROM "CurrencyType"')
        self.rates.clear()
        self.rates.update((code, Decimal(rate).scaleb(-RATE_PLACES)) for code, rate in rows if rate)


def _to_corporate(rates: Mapping[str, Decimal], amount: int | None, code: str | None) -> int | None:
    """An amount in the corporate currency, in the same whole units. `rates`: units of a currency for one of it."""
    if amount is None:
        return None
    rate = rates.get(code or "", Decimal(1))
    return int((Decimal(amount) / rate).to_integral_value(ROUND_HALF_UP))
