"""Statements that are built and compiled once. In SQLite they run on the driver's own cursor, at a tenth of the price.

A run asks its ledger the same few questions again and again. What SQLAlchemy does for each of them (a key for its cache, a
context, a result that converts nothing) costs ten times what SQLite needs to answer. The statements stay SQLAlchemy's, so that
one text serves SQLite and PostgreSQL, where its own way is kept.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError


class _Constants(SQLiteCompiler):
    """Writes what a statement says itself (a state, a number) into its text; only what is given each time is a parameter.

    SQLite looks at a parameter's value to see whether a partial index (`WHERE state = 'planned'`) serves it, and so plans such a
    statement anew whenever it runs. With the value in the text it plans once.
    """

    def visit_bindparam(self, bindparam: BindParameter[Any], **options: Any) -> str:  # type: ignore[override]
        """See `SQLCompiler`."""
        if not bindparam.required and isinstance(bindparam.value, str | int | list):
            options["literal_binds"] = True
        return str(super().visit_bindparam(bindparam, **options))  # type: ignore[no-untyped-call]


_SQLITE = sqlite.dialect(paramstyle="qmark")
_SQLITE.statement_compiler = _Constants
_LIST = re.compile(r"\(__\[POSTCOMPILE_(\w+)\]\)")
_PLACES = (1, 2, 4, 4, 8, 8, 8, 8)
"""For lists of one, two, three… values. A short list has a place for each value, the last of them said again in the places left over:
few texts of a statement. A longer one travels as one text of JSON, which SQLite takes three times as long to open as to look a key
up."""
_as_json = json.JSONEncoder(check_circular=False).encode


@dataclass(frozen=True)
class _Text:
    """A statement as SQLite gets it."""

    text: str
    """With lists as JSON."""
    short: dict[int, str]
    """By number of places, where it has one list, be it said once or more often."""
    values_of: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    """The parameters in the order of their places."""
    own: dict[str, Any]
    """Parameters that have a value already."""
    lists: tuple[str, ...]
    places: tuple[int, ...]
    """Of the list, among the parameters, last one first."""


class Prepared:
    """One statement. Its parameters are named; one that stands for a list has its place in `IN (…)`.

    Columns must be of types that the drivers take and give as they are: text and integers.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        """`columns`: of an INSERT, those that are given."""
        self.statement = statement
        self._columns = list(columns) if columns else None
        self._row: Callable[[Any], Any] | None = None

    @cached_property
    def _compiled(self) -> _Text:
        compiled: Any = self.statement.compile(dialect=_SQLITE, column_keys=self._columns)  # type: ignore[attr-defined]
        text, order = str(compiled), tuple(compiled.positiontup)
        lists = tuple(dict.fromkeys(_LIST.findall(text)))
        one = len(lists) == 1
        return _Text(
            _LIST.sub("(SELECT value FROM json_each(?))", text),
            {n: _LIST.sub(f"({', '.join('?' * n)})", text) for n in set(_PLACES)} if one else {},
            itemgetter(*order) if len(order) > 1 else lambda given: tuple(given[name] for name in order),
            {name: value for name, value in compiled.params.items() if not compiled.binds[name].required},
            lists,
            tuple(n for n in reversed(range(len(order))) if one and order[n] == lists[0]),
        )

    def tuples(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows of the answer, where there are too many for names."""
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self.statement, dict(parameters)).all())
        return self._run(connection, parameters).fetchall()

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows of the answer, each a named tuple."""
        if connection.dialect.name != "sqlite":
            return self.tuples(connection, parameters)
        cursor = self._run(connection, parameters)
        found = cursor.fetchall()
        if not found:
            return found
        if self._row is None:
            made: Any = namedtuple  # of an answer's columns, which mypy cannot know
            self._row = made("Row", [column[0] for column in cursor.description], rename=True)._make
        return [self._row(row) for row in found]

    def scalar(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        """The first value of the first row; None where there is none."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self.statement, dict(parameters)).scalar()
        found = self._run(connection, parameters).fetchone()
        return found[0] if found else None

    def change(self, connection: Connection, *parameters: Mapping[str, Any]) -> int:
        """Runs it with each of these; returns how many rows it found in all."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self.statement, [dict(values) for values in parameters]).rowcount
        if len(parameters) > 1 and not self._compiled.lists:
            texts = [self._filled(values) for values in parameters]
            return self._driven(
                connection, "executemany", texts[0][0], [values for _, values in texts]
            ).rowcount
        return sum(self._run(connection, values).rowcount for values in parameters)

    def ids(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Inserts these rows; returns what the statement says it returns, in their order."""
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self.statement, [dict(row) for row in rows]).scalars())
        return [self._run(connection, row).fetchall()[0][0] for row in rows]

    def _run(self, connection: Connection, given: Mapping[str, Any]) -> sqlite3.Cursor:
        return self._driven(connection, "execute", *self._filled(given))

    @staticmethod
    def _driven(connection: Connection, how: str, text: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """Runs it on the driver's own connection, by its method of that name."""
        driver: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
        try:
            cursor: sqlite3.Cursor = getattr(driver, how)(text, values)
        except sqlite3.Error as failure:
            raise DBAPIError.instance(
                text, None, failure, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
            ) from failure
        return cursor

    def _filled(self, given: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """Its text and the parameters, for lists of these lengths."""
        mine = self._compiled
        if mine.own:
            given = {**mine.own, **given}
        if not mine.lists:
            return mine.text, mine.values_of(given)
        if mine.short:
            keys = list(given[mine.lists[0]])
            count = len(keys)
            if 0 < count <= len(_PLACES):
                values, places = mine.values_of(given), _PLACES[count - 1]
                keys += keys[-1:] * (places - count)
                for at in mine.places:
                    values = (*values[:at], *keys, *values[at + 1 :])
                return mine.short[places], values
        as_json = {name: _as_json(list(given[name])) for name in mine.lists}
        return mine.text, mine.values_of({**given, **as_json})
