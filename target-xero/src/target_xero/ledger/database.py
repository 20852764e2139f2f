"""Opening the ledger's database: its file, its rights, its durability, its version."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL

from target_xero.errors import LedgerVersionError
from target_xero.ledger import schema


def open_engine(path: Path, *, durable: bool = True) -> Engine:
    """An engine on the SQLite file `path`, which is made (readable by its owner only) if it is not there.

    With `durable` every commit is on the disk before it returns; only tests switch it off.

    Raises:
        LedgerVersionError: a newer release wrote the file.
    """
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
        path.parent.chmod(0o700)
    path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'OFF'}",
            "foreign_keys=ON",
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that will write says so at once, so that it cannot fail half way for a lock.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    migrate(engine, path)
    return engine


def migrate(engine: Engine, path: Path) -> None:
    """Brings the tables to this release's version, in one transaction: the file is at the old version or at the new one."""
    with engine.begin() as connection:
        if not inspect(connection).has_table("meta"):
            schema.metadata.create_all(connection)
            facts = {"version": str(schema.VERSION), "identity": uuid.uuid4().hex}
            connection.execute(
                insert(schema.meta), [{"key": key, "value": value} for key, value in facts.items()]
            )
            return
        version = int(
            connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "version")).scalar_one()
        )
        if version > schema.VERSION:
            raise LedgerVersionError(
                f"The ledger {path} has version {version}; this release of target-xero knows versions up to "
                f"{schema.VERSION}. Upgrade target-xero; nothing was written."
            )
