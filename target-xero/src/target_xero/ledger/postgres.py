"""The ledger in a PostgreSQL database: how it is reached, and its run lock.

The lock is an advisory one, held by the session that also writes: who loses the session can neither write nor believe that the
lock is still his. It belongs to database and schema, so that several ledgers may share a server.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from target_xero import limits
from target_xero.errors import ConfigurationError, LedgerInUseError, LedgerLostError, LedgerUnreachableError
from target_xero.ledger import schema
from target_xero.ledger.lock import IN_USE, holder_now, holder_said

_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_EXPECTED = "an address such as postgresql://user:password@host/name is expected"
_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (classid::bigint << 32) | objid::bigint = :key"
)


def read_url(address: str) -> URL:
    """The address of a PostgreSQL database, for the driver that we use.

    Raises:
        ConfigurationError: it is none. The message repeats nothing of it: it may hold a password.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"setting ledger_url: {_EXPECTED}") from None
    if url.drivername not in _SCHEMES:
        raise ConfigurationError(
            f"setting ledger_url: {_EXPECTED}; for a SQLite file use the setting ledger_path"
        )
    return url.set(drivername="postgresql+psycopg")


def name_of(url: URL) -> str:
    """What sentences call the database: no user, no password."""
    host = url.host or url.query.get("host") or "this machine"
    return f"{url.database or 'postgresql'} on {host}"


def open_postgres(url: URL, *, durable: bool = True) -> Engine:
    """An engine on the database; its connections are made when they are asked for, by `connect`.

    Raises:
        ConfigurationError: the driver is not installed.
    """
    defaults = {"connect_timeout": str(limits.CONNECT_TIMEOUT_S), "application_name": "target-xero"}
    given = {name: value for name, value in defaults.items() if name not in url.query}
    try:
        engine = create_engine(
            url.update_query_dict({**given, "client_encoding": "utf8"}),
            poolclass=NullPool,
            hide_parameters=True,
        )
    except ImportError:
        raise ConfigurationError(
            "setting ledger_url: the PostgreSQL driver is missing; install it with: pip install 'psycopg[binary]'"
        ) from None

    schema.share_conditions("postgresql")

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"SET synchronous_commit = {'on' if durable else 'off'}")
            cursor.execute(f"SET lock_timeout = '{limits.LEDGER_LOCK_TIMEOUT_S}s'")
        connection.autocommit = False

    return engine


def connect(engine: Engine) -> Connection:
    """A session with the database.

    Raises:
        LedgerUnreachableError: there is none to be had; the message says why, without the password.
    """
    try:
        connection = engine.connect()
    except DBAPIError as failure:
        _unreachable(engine.url, failure)
    with connection.begin():
        encoding, schema = connection.execute(
            text("SELECT current_setting('server_encoding'), current_schema()")
        ).one()
    problem = ""
    if encoding != "UTF8":
        problem = (
            f"its encoding is {encoding}, and the ledger needs UTF8. Make one with: createdb --encoding=UTF8"
        )
    elif schema is None:
        problem = (
            "the schema that its search_path names does not exist. Make it, or correct the setting ledger_url"
        )
    if problem:
        connection.close()
        raise LedgerUnreachableError(
            f"The ledger's database {name_of(engine.url)} cannot be used: {problem}."
        )
    return connection


def _unreachable(url: URL, failure: DBAPIError) -> NoReturn:
    lines = str(failure.orig).strip().splitlines() or [type(failure.orig).__name__]
    reason = lines[0].rpartition("FATAL: ")[2].strip() if "FATAL: " in lines[0] else lines[0].strip()
    for secret in (url.password, url.query.get("password")):
        if secret:
            reason = reason.replace(str(secret), "***")
    raise LedgerUnreachableError(
        f"The ledger's database {name_of(url)} cannot be reached: {reason}. Check that it runs and the setting ledger_url; "
        "nothing is sent without it."
    ) from None


class AdvisoryLock:
    """`pg_advisory_lock`, held by the session that writes. The server releases it when the session ends, however it ends.

    Raises:
        LedgerInUseError: another session holds it; the message says which process, where and since when.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        with connection.begin():
            place = connection.execute(text("SELECT current_database(), current_schema()")).one()
            digest = hashlib.sha256(json.dumps(["target-xero ledger", *place]).encode()).digest()
            self._key = int.from_bytes(
                digest[:7], "big"
            )  # always positive, so that pg_locks shows it as it is
            got = connection.execute(
                text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}
            ).scalar_one()
        if not got:
            raise LedgerInUseError(IN_USE.format(name=name, holder=self._holder()))

    def sign(self) -> None:
        """Writes down who holds it; once the tables are there."""
        with self._connection.begin():
            self._connection.execute(
                text(
                    "INSERT INTO meta (key, value) VALUES ('holder', :value) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                ),
                {"value": json.dumps(holder_now())},
            )

    def _holder(self) -> str:
        with self._connection.begin():
            there = self._connection.execute(text("SELECT to_regclass('meta')")).scalar()
            said = (
                self._connection.execute(text("SELECT value FROM meta WHERE key = 'holder'")).scalar()
                if there
                else None
            )
        return holder_said(said or "")

    def check(self) -> None:
        """Makes sure that this very session holds the lock; a pooler between us and the server may have changed it.

        Raises:
            LedgerLostError: it does not.
        """
        if not self._connection.execute(_HELD, {"key": self._key}).scalar_one():
            raise LedgerLostError(
                f"The run lock on the ledger {self._name} is not held by this session any more, so another run may have begun. "
                "This run ends here. If a connection pooler stands before the database, use it in session mode."
            )

    def release(self) -> None:
        """Gives the lock back at once; the server would, too, a moment after the session ends."""
        with suppress(SQLAlchemyError), self._connection.begin():
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
