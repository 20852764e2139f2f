"""Where the ledgers of all schedules are made: one file, whose connections stay open from run to run and from seed to seed.

SQLite plans a statement once a connection, and SQLAlchemy compiles it once an engine. A run that ends, however it ends, leaves
what a process leaves: whatever it had not committed is rolled back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sqlalchemy import QueuePool
from sqlalchemy.exc import OperationalError
from target_xero.ledger import Ledger, base, sqlite, waiting

_OPEN = (
    "SELECT id, kind, source_key, revision, state, note FROM intent "
    "WHERE state NOT IN ('done', 'superseded') ORDER BY id"
)


class _Kept(QueuePool):
    """Connections that outlive whoever opened them. What is given back with a transaction open is rolled back."""

    def dispose(self) -> None:
        """They stay."""

    def recreate(self) -> _Kept:
        """See `dispose`."""
        return self


@dataclass
class Ledgers:
    """One ledger at a time, each of them new."""

    folder: Path
    commits_left: int = 0
    """Of the commits that write something the one that fails, counted down; 0: none."""

    def __post_init__(self) -> None:
        self.path = self.folder / "ledger.sqlite"
        Ledger(self.path, lock=False).close()
        self._own = sqlite3.connect(self.path, isolation_level=None)
        self._own.row_factory = sqlite3.Row
        self._own.execute(
            "UPDATE meta SET value = 'proof' WHERE key = 'identity'"
        )  # no chance but the seed's
        tables = self._own.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self._new = {name: self._own.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}
        self._open = base.open_engine

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While this holds, all ledgers of the process come from here."""
        with (
            patch.object(sqlite, "NullPool", _Kept),
            patch.object(base, "open_engine", lru_cache(maxsize=None)(self._opened)),
        ):
            yield

    def _opened(self, *args: Any, **options: Any) -> Any:
        engine = self._open(*args, **options)
        begin, commit = engine.dialect.do_begin, engine.dialect.do_commit
        before = 0

        def do_begin(connection: Any) -> None:
            nonlocal before
            begin(connection)
            if self.commits_left:
                before = connection.total_changes

        def do_commit(connection: Any) -> None:
            if self.commits_left and connection.total_changes != before:
                self.commits_left -= 1
                if not self.commits_left:
                    raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))
            commit(connection)

        engine.dialect.do_begin, engine.dialect.do_commit = do_begin, do_commit
        return engine

    def renew(self) -> None:
        """An empty ledger, with nothing beside it."""
        for beside in self.folder.glob(f"{self.path.name}.*"):
            beside.unlink()
        self._own.executescript("BEGIN IMMEDIATE;" + "".join(f"DELETE FROM {name};" for name in self._new))
        for name, rows in self._new.items():
            for row in rows:
                places = ", ".join("?" * len(row))
                self._own.execute(f"INSERT INTO {name} VALUES ({places})", tuple(row))
        self._own.execute("COMMIT")

    def open_rows(self) -> list[dict[str, Any]]:
        """What the ledger says is still open, with what people are told of it."""
        rows = [dict(row) for row in self._own.execute(_OPEN)]
        told = waiting.notes(SimpleNamespace(**row) for row in rows)
        return [{**row, "note": told[row["id"]]} for row in rows]
