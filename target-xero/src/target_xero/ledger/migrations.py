"""From an older ledger's tables to this release's: an ordered list of steps, one transaction, the version written last.

A step names the tables that are not as they were; tables that were not there at all need no mention. Killed at any moment, the
ledger is at the old version or at the new one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, create_mock_engine, insert, inspect, select, text, update
from sqlalchemy.schema import CreateTable

from target_xero.crash import fault_point
from target_xero.errors import LedgerVersionError
from target_xero.ledger import schema
from target_xero.ledger.audit import begin_chain
from target_xero.ledger.prepared import Prepared

_VERSION = Prepared(select(schema.meta.c.value).where(schema.meta.c.key == "version"))
_TABLE = {
    "sqlite": Prepared(text("SELECT 1 FROM sqlite_master WHERE name = 'meta'")),
    "postgresql": Prepared(text("SELECT to_regclass('meta')")),
}


@dataclass(frozen=True)
class Step:
    """What makes one version out of the one before."""

    version: int
    changed: tuple[str, ...]
    """Tables whose columns or checks changed; built anew, with all their rows."""
    then: Callable[[Connection], None] | None = None
    """What the rows need besides."""


_ADDED_BY_4 = (
    ("intent", "cleared", "INTEGER NOT NULL DEFAULT 0"),
    ("intent", "correlation", "TEXT NOT NULL DEFAULT ''"),
    ("note", "tried_ms", "BIGINT NOT NULL DEFAULT 0"),
)


def _to_4(connection: Connection) -> None:
    """Columns that a step before this one may have made already: it builds its tables as this release has them."""
    for table, name, kind in _ADDED_BY_4:
        if name not in {column["name"] for column in inspect(connection).get_columns(table)}:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def _to_6(connection: Connection) -> None:
    """What records came to has a table that it is found in by number; what is in the older one is learnt again by one run."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS fingerprint")


def _to_7(connection: Connection) -> None:
    """An index by mark; a step before this one that builds its table anew has made it already."""
    index = next(index for index in schema.intent.indexes if index.name == "intent_marker")
    index.create(connection, checkfirst=True)


STEPS = (
    Step(2, changed=("run", "intent"), then=begin_chain),
    Step(3, changed=()),  # added what step 6 replaces
    Step(4, changed=(), then=_to_4),
    Step(5, changed=()),  # adds the table `dismissed`
    Step(6, changed=(), then=_to_6),  # adds the table `remembered`
    Step(7, changed=(), then=_to_7),
)


def version_of(connection: Connection) -> int:
    """The version of the ledger's tables; 0: there are none yet."""
    if _TABLE[connection.dialect.name].scalar(connection, {}) is None:
        return 0
    return int(_VERSION.scalar(connection, {}))


def migrate(connection: Connection, name: str) -> None:
    """Makes the tables, or brings them to this release's version.

    Raises:
        LedgerVersionError: a newer release wrote them.
    """
    if connection.dialect.name == "sqlite" and version_of(connection) == schema.VERSION:
        return  # nearly always; to look needs no transaction
    with connection.begin():
        if connection.dialect.name != "sqlite":  # two first runs at once
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('target-xero tables'))"))
        version = version_of(connection)
        if version > schema.VERSION:
            raise LedgerVersionError(
                f"The ledger {name} has version {version}; this release of target-xero knows versions up to "
                f"{schema.VERSION}. Upgrade target-xero; nothing was written."
            )
        if version == 0:
            for statement in _creation(connection.dialect.name):
                connection.exec_driver_sql(statement)
            facts = {"version": str(schema.VERSION), "identity": uuid.uuid4().hex}
            connection.execute(
                insert(schema.meta), [{"key": key, "value": value} for key, value in facts.items()]
            )
    if 0 < version < schema.VERSION:
        with _free_of_references(connection), connection.begin():
            _step_up(connection, version_of(connection))


@cache
def _creation(dialect: str) -> tuple[str, ...]:
    """What makes all tables where there are none, worked out once a process."""
    statements: list[str] = []

    def note(item: Any, *_: object, **__: object) -> None:
        statements.append(str(item.compile(dialect=engine.dialect)))

    engine = create_mock_engine(f"{dialect}://" if dialect == "sqlite" else f"{dialect}+psycopg://", note)
    schema.metadata.create_all(engine, checkfirst=False)
    return tuple(statements)


@contextmanager
def _free_of_references(connection: Connection) -> Iterator[None]:
    """SQLite: a table that is built anew is dropped while others refer to it. Checked before the commit."""
    if connection.dialect.name != "sqlite":  # changes its tables where they stand
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _step_up(connection: Connection, version: int) -> None:
    steps = [step for step in STEPS if step.version > version]
    changed = {name for step in steps for name in step.changed}
    for table in schema.metadata.sorted_tables:
        if table.name in changed:
            _rebuild(connection, table)
            fault_point("C22")
    schema.metadata.create_all(connection)
    for step in steps:
        if step.then:
            step.then(connection)
            fault_point("C22")
    if connection.dialect.name == "sqlite":
        _check_references(connection)
    fault_point("C22")
    connection.execute(
        update(schema.meta).where(schema.meta.c.key == "version").values(value=str(schema.VERSION))
    )


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise LedgerVersionError(
            f"The ledger has rows of {broken[0]} that refer to rows of {broken[2]} that are not there; it is damaged and was left "
            "as it is. Restore it from a backup."
        )


def _rebuild(connection: Connection, table: Table) -> None:
    """A table as this release has it, with the rows it had. SQLite has no other way to change a table's checks.

    Version 1 knew SQLite only; a later change of a table in PostgreSQL is an `ALTER TABLE` in the step's `then`.
    """
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    kept = ", ".join(f'"{column.name}"' for column in table.columns if column.name in there)
    made = str(CreateTable(table).compile(dialect=connection.dialect))
    connection.exec_driver_sql(
        made.replace(f"CREATE TABLE {table.name}", f"CREATE TABLE new_{table.name}", 1)
    )
    connection.exec_driver_sql(
        f"INSERT INTO new_{table.name} ({kept}) SELECT {kept} FROM {table.name}"  # noqa: S608 (our own names)
    )
    connection.exec_driver_sql(f"DROP TABLE {table.name}")
    connection.exec_driver_sql(f"ALTER TABLE new_{table.name} RENAME TO {table.name}")
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        index.create(connection)
