"""The ledger's one connection and its transactions; the other ledger modules build on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, func, select

from target_xero.errors import LedgerTakenOverError
from target_xero.ledger import schema
from target_xero.ledger.database import open_engine
from target_xero.ledger.lock import RunLock
from target_xero.ledger.model import Tenant
from target_xero.limits import KEYS_PER_SELECT

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


_NEWEST_RUN = select(func.max(schema.run.c.epoch)).where(schema.run.c.tenant == bindparam("tenant"))


def milliseconds(when: datetime) -> int:
    """A point in time as the ledger keeps it."""
    delta = when - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000


def chunks(values: Iterable[T], size: int = KEYS_PER_SELECT) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def dump(value: Any) -> str:
    """Canonical JSON: sorted, compact, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def storable(text: str) -> str:
    """Text that every database takes: what it cannot hold (half a surrogate pair, a zero) is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")


class LedgerBase:
    """One connection, one writer. Every method commits by itself unless it stands inside `atomic()`."""

    tenant: Tenant
    epoch: int = 0

    def __init__(self, path: Path, *, durable: bool = True, lock: bool = True) -> None:
        self.path = path
        self.version = 0
        """Counts the commits that may have made work for the executor."""
        self._engine = open_engine(path, durable=durable)
        self._lock = RunLock(path) if lock else None
        self._connection = self._engine.connect()
        with self.atomic() as connection:
            of_ledger = select(schema.meta.c.value).where(schema.meta.c.key == "identity")
            self.identity: str = connection.execute(of_ledger).scalar_one()
            """A random name given to the ledger when it was made."""

    def close(self) -> None:
        """Closes the file and gives the run lock back."""
        self._connection.close()
        self._engine.dispose()
        if self._lock:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> LedgerBase:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def atomic(self) -> Iterator[Connection]:
        """All or nothing, on the disk when it returns. Nests: the outermost commits."""
        if self._connection.in_transaction():
            yield self._connection
        else:
            with self._connection.begin():
                yield self._connection

    def fence(self, connection: Connection) -> None:
        """Refuses to go on when a later run has begun on this ledger.

        Raises:
            LedgerTakenOverError: it has.
        """
        newest = connection.execute(_NEWEST_RUN, {"tenant": self.tenant.id}).scalar_one()
        if newest != self.epoch:
            raise LedgerTakenOverError(
                f"Run {newest} has begun on the ledger {self.path} while this one, run {self.epoch}, stood still. "
                "This run ends here; what it had not sent, the later run sends."
            )

    def rows(
        self, connection: Connection, statement: Any, keys: Sequence[Any], **parameters: Any
    ) -> Iterator[Any]:
        """Runs `statement` (with an expanding parameter `keys`) over all keys, some hundred at a time."""
        for chunk in chunks(keys):
            yield from connection.execute(statement, {"keys": chunk, "tenant": self.tenant.id, **parameters})
