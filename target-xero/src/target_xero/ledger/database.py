"""Where a ledger is: a SQLite file or a PostgreSQL database. The one place that tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from target_xero.errors import LedgerUnreachableError
from target_xero.ledger.lock import RunLock
from target_xero.ledger.postgres import AdvisoryLock, connect, name_of, open_postgres, read_url
from target_xero.ledger.sqlite import open_sqlite

Place = Path | URL
"""A file, or the address of a database."""


class Hidden(Protocol):
    """A secret text, shown to nobody by itself."""

    def reveal(self) -> str:
        """The text."""


def place_of(path: Path, url: Hidden | None) -> Place:
    """The database where there is an address of one, else the file.

    Raises:
        ConfigurationError: the address is none of a PostgreSQL database.
    """
    return read_url(url.reveal()) if url is not None else path


def named(place: Place) -> str:
    """What sentences call it."""
    return str(place) if isinstance(place, Path) else name_of(place)


def open_engine(place: Place, *, durable: bool = True) -> Engine:
    """An engine for the place; a file is made if it is not there.

    Raises:
        LedgerUnreachableError: the file cannot be made.
    """
    if not isinstance(place, Path):
        return open_postgres(place, durable=durable)
    with _writing(place):
        return open_sqlite(place, durable=durable)


def open_connection(engine: Engine) -> Connection:
    """The ledger's one connection."""
    return engine.connect() if engine.dialect.name == "sqlite" else connect(engine)


def take_lock(place: Place, connection: Connection) -> RunLock | AdvisoryLock:
    """The run lock.

    Raises:
        LedgerInUseError: another run holds it.
        LedgerUnreachableError: the file that is locked cannot be made.
    """
    if not isinstance(place, Path):
        return AdvisoryLock(connection, name_of(place))
    with _writing(place):
        return RunLock(place)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise LedgerUnreachableError(
            f"The ledger {path} cannot be made or written: {failure.strerror}. Check the setting ledger_path, and the rights and "
            "the disk of its folder; nothing is sent without it."
        ) from None


def sentence_of(failure: SQLAlchemyError) -> str:
    """What is wrong with the ledger, and what to do."""
    reason = reason_of(failure)
    cure = next((cure for words, cure in _CURES.items() if any(word in reason for word in words)), "")
    return f"the ledger cannot be used: {reason}. {cure}Nothing is sent without it"


_CURES = {
    (
        "malformed",
        "not a database",
    ): "Restore its newest backup (an older copy is recognised as one), or move it away and run "
    "`target-xero ledger rebuild`. ",
    ("disk is full", "No space left"): "Make room on its disk, then run again. ",
    ("readonly", "unable to open", "permission denied"): "Check the rights and the disk of its folder. ",
}
"""By what SQLite and PostgreSQL say."""


def reason_of(failure: SQLAlchemyError) -> str:
    """Why the database refused, in its own first line: the lines behind it may repeat a document's content."""
    lines = str(getattr(failure, "orig", None) or "").strip().splitlines()
    return lines[0] if lines else type(failure).__name__
