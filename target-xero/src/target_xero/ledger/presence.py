"""Is there a ledger? Asked by whoever only looks: opening one would make it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from target_xero.errors import LedgerMissingError
from target_xero.ledger.database import Hidden, named, open_connection, open_engine, place_of
from target_xero.ledger.migrations import version_of
from target_xero.ledger.stamp import Stamp


def must_be_there(path: Path, url: Hidden | None) -> None:
    """Makes nothing, neither the file nor the tables in a database.

    Raises:
        LedgerMissingError: there is none where the settings say.
        ConfigurationError: `url` is no address of a PostgreSQL database.
        LedgerUnreachableError: the database does not let us in.
    """
    place = place_of(path, url)
    if isinstance(place, Path):
        if not place.exists():
            raise LedgerMissingError(str(place.absolute()), was_there=Stamp(place).exists)
        return
    engine = open_engine(place)
    try:
        with closing(open_connection(engine)) as connection, connection.begin():
            if not version_of(connection):
                raise LedgerMissingError(named(place), was_there=False)
    finally:
        engine.dispose()
