"""The ledger in a SQLite file: its rights and its durability."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL

from target_xero import limits

_STATEMENTS = 512
"""So many stay planned: all that a run asks, with lists of several lengths."""


def open_sqlite(path: Path, *, durable: bool = True) -> Engine:
    """An engine on the file `path`, which is made (readable by its owner only) if it is not there.

    With `durable` every commit is on the disk before it returns; only tests switch it off.
    """
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
        path.parent.chmod(0o700)
    if not path.exists():  # one on a disk that takes nothing can still be read
        path.touch(mode=0o600)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        hide_parameters=True,  # a document's text has no place in an error's
        connect_args={
            "check_same_thread": False,
            "isolation_level": None,
            "timeout": 30,
            "cached_statements": _STATEMENTS,
        },
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'OFF'}",
            "foreign_keys=ON",
            "cache_size=-16000",
            f"mmap_size={limits.LEDGER_MAPPED_BYTES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Any) -> None:
        # IMMEDIATE: a transaction that will write says so at once, so that it cannot fail half way for a lock.
        connection.execute("BEGIN IMMEDIATE")

    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]
    return engine
