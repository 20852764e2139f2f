"""The ids a stream has given out, kept in a file of the user's, to find what Salesforce no longer says was deleted.

Salesforce tells deletions for 15 days at most. Whoever wants to be sure beyond that compares all ids now and then: an id
that was given out and is no longer there was deleted. This tap cannot know what its target holds, so it keeps the ids.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.joins import chunks
from tap_salesforce_ikaroa.lines import Batch

logger = logging.getLogger("tap-salesforce-ikaroa")


class IdStore:
    """An SQLite file of ids by stream."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS given (stream TEXT, id TEXT, PRIMARY KEY (stream, id)) WITHOUT ROWID"
            )
            self._database.execute("CREATE TEMP TABLE there (id TEXT PRIMARY KEY) WITHOUT ROWID")
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                f"`id_store_path`: {path} cannot be used as a file of ids ({error}). Give the path of a file of its own"
            ) from None

    def add(self, stream: str, ids: Sequence[str]) -> None:
        """Notes ids before they are given out."""
        self._put("INSERT OR IGNORE INTO given VALUES (?, ?)", ((stream, row_id) for row_id in ids))

    def compared(self, stream: str, there: Iterable[Batch]) -> Iterator[list[str]]:
        """The ids of a stream given out that are not among those that are there, some at a time.

        Each is forgotten once the next ones are asked for, so none is lost when a run is cut.
        """
        self._database.execute("DELETE FROM there")
        for batch in there:
            self._put("INSERT OR IGNORE INTO there VALUES (?)", ((row_id,) for row_id in batch.ids))
        query = "SELECT id FROM given WHERE stream = ? AND id NOT IN (SELECT id FROM there) ORDER BY id"
        with closing(self._database.cursor()) as cursor:
            gone = [row_id for (row_id,) in cursor.execute(query, (stream,))]
        logger.info("%s: all ids compared, %d are gone", stream, len(gone))
        for chunk in chunks(gone, limits.BATCH_RECORDS):
            yield chunk
            self._put("DELETE FROM given WHERE stream = ? AND id = ?", ((stream, row_id) for row_id in chunk))

    def _put(self, statement: str, rows: Iterable[tuple[str, ...]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")
