"""The rotating refresh token as a row of the ledger's database: for runs on changing machines.

The same sealed generations as in the file. A session's advisory lock makes read, refresh and save one step for all machines; what
is saved is committed at once, before the access token is used. The lock dies with its session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from target_xero.errors import ConfigurationError
from target_xero.ledger.postgres import connect, name_of, open_postgres, read_url
from target_xero.xero.secret import Secret
from target_xero.xero.token_store import TokenStore

_TABLE = "CREATE TABLE IF NOT EXISTS token_store (name TEXT PRIMARY KEY, content TEXT NOT NULL)"
_SAVE = text(
    "INSERT INTO token_store (name, content) VALUES (:name, :content) "
    "ON CONFLICT (name) DO UPDATE SET content = excluded.content"
)
_READ = text("SELECT content FROM token_store WHERE name = :name FOR UPDATE")


class TokenRow(TokenStore):
    """The token of one Xero app in a PostgreSQL database. Use it inside `locked()`."""

    def __init__(self, url: Secret, name: str, key: bytes, client_id: str) -> None:
        self._url = read_url(url.reveal())
        super().__init__(f"in {name_of(self._url)}", key, client_id)
        self._row = f"{name}|{client_id}"
        self._connection: Connection | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time from here on, on whatever machine; waits for the other.

        Raises:
            LedgerUnreachableError: the database does not let us in.
        """
        engine = open_postgres(self._url)
        connection = connect(engine)
        try:
            number = int.from_bytes(hashlib.sha256(f"token {self._row}".encode()).digest()[:7], "big")
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
                connection.execute(text(_TABLE))
            self._connection = connection
            yield
        finally:
            self._connection = None
            connection.close()
            engine.dispose()

    @property
    def exists(self) -> bool:
        """Whether a token is kept there."""
        with self.locked():
            return self._load() is not None

    def _held(self) -> Connection:
        if self._connection is None:
            raise ConfigurationError("the token store was used without its lock")
        return self._connection

    def _load(self) -> bytes | None:
        with self._held().begin():
            content = self._held().execute(_READ, {"name": self._row}).scalar()
        return None if content is None else str(content).encode()

    def _replace(self, content: bytes) -> None:
        with self._held().begin():
            self._held().execute(_SAVE, {"name": self._row, "content": content.decode()})
