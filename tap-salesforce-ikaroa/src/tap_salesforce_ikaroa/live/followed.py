"""One stream in live mode: what its events mean, what was given out of it, and how records are read and written."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.joins import chunks
from tap_salesforce_ikaroa.lines import Batch, batch_of
from tap_salesforce_ikaroa.live.events import Hint
from tap_salesforce_ikaroa.live.given import Given
from tap_salesforce_ikaroa.live.places import keep_place, place_in
from tap_salesforce_ikaroa.live.roots import Tracker
from tap_salesforce_ikaroa.reader import Reader

if TYPE_CHECKING:
    from tap_salesforce_ikaroa.client import Client
    from tap_salesforce_ikaroa.streams import SalesforceStream

logger = logging.getLogger("tap-salesforce-ikaroa")


class Followed:
    """A stream and its events."""

    def __init__(self, stream: SalesforceStream, client: Client, config: Mapping[str, Any]) -> None:
        self.stream, self.name = stream, stream.name
        self._shape = shape = stream.selected_shape
        self._deleted = bool(config.get("include_deleted", True))
        self._compares = self._deleted and bool(int(config.get("full_compare_days", 0)))
        self._reader = Reader(client, shape, stream.replication_key, deleted=self._deleted)
        self._tracker = Tracker(client, shape, config.get("skip_changes_by") or ())
        self._given = Given()
        self._hinted: dict[str, None] = {}
        self._unannounced: set[str] = set()
        self._polls = 0
        self.silent = False
        """Whether its records change without a word: the object is not selected for change events."""
        self.topics = self._tracker.topics
        self.references = self._tracker.references

    # --- places --------------------------------------------------------------------------------------------------

    def place(self, topic: str) -> bytes | None:
        """How far a topic was followed, by STATE."""
        return place_in(self.stream.stream_state, topic)

    def keep_place(self, topic: str, place: bytes | None) -> None:
        """Notes how far."""
        if topic in self.topics:
            keep_place(self.stream.stream_state, topic, place)

    # --- reading -------------------------------------------------------------------------------------------------

    def see(self, batch: Batch) -> None:
        """Takes note of what the first pass writes."""
        self._tracker.learn(batch)
        self._given.fresh(batch)

    def follow(self, hints: Iterable[Hint]) -> tuple[int, bool]:
        """Reads again what hints mean, and writes it; how many records were new, and whether a poll is needed."""
        written, poll = 0, False
        wanted = self._tracker.wanted(hints)
        while wanted.roots or wanted.poll:
            poll = poll or wanted.poll
            if wanted.whole:
                self._resync()
            self._note_hinted(wanted.roots)
            for batch in self._again(wanted.roots):
                written += self._write(batch)
            wanted = self._tracker.wanted(())  # a root that one of these rows has left
        return written, poll

    def _resync(self) -> None:
        """Has the next poll read everything, and says what that does not find."""
        if self.stream.bookmark.resync_pending:
            return
        self.stream.bookmark.resync_later()
        if self._compares:
            logger.info(
                "%s: change events do not tell all; all is read again, all ids are compared", self.name
            )
        else:
            logger.warning(
                "%s: change events do not tell all (more than 100,000 changes at once); all of it is read again. What was "
                "deleted comes from Salesforce's list of deletions (15 days, or less when there are many); to have all ids "
                "compared as well, set `full_compare_days` and `id_store_path`",
                self.name,
            )

    def poll(self) -> int:
        """Reads what changed, as a run without events does; how many records were new."""
        written: set[str] = set()
        count = 0
        for batch in self.stream.batches():
            fresh = self._fresh(batch)
            self.stream.write(fresh)
            count += len(fresh)
            if len(written) < limits.HELD_HINTS:
                written.update(fresh.ids)
            self.stream.state_if_due(at_once=not len(batch))
        self._look_for_silence(written)
        return count

    def _again(self, roots: Mapping[str, str | None]) -> Iterator[Batch]:
        for chunk in chunks(filter(soql.is_id, roots), limits.IDS_AT_ONCE):
            records = list(self._reader.by_ids(chunk))
            if records:
                yield batch_of(records, None)
            missing = set(chunk) - {record["Id"] for record in records}
            gone = {row_id: moment for row_id in missing if (moment := roots[row_id])}
            if gone and self._deleted and self._shape.object.has_deleted_flag:
                yield batch_of([self._tombstone(row_id, moment) for row_id, moment in gone.items()], None)

    def _tombstone(self, row_id: str, moment: str) -> dict[str, Any]:
        key = self.stream.replication_key
        return {"Id": row_id, "IsDeleted": True, **({key: moment} if key else {})}

    def _write(self, batch: Batch) -> int:
        fresh = self._fresh(batch)
        self.stream.write(fresh)
        return len(fresh)

    def _fresh(self, batch: Batch) -> Batch:
        self._tracker.learn(batch)
        return self._given.fresh(batch)

    # --- silence -------------------------------------------------------------------------------------------------

    def _note_hinted(self, ids: Iterable[str]) -> None:
        for row_id in ids:
            self._hinted[row_id] = None
        while len(self._hinted) > limits.HELD_HINTS:
            del self._hinted[next(iter(self._hinted))]
        if self.silent:
            logger.info("%s: change events come after all", self.name)
            self.silent = False

    def _look_for_silence(self, written: set[str]) -> None:
        """Records that a poll found changed and that no event has told until the next poll: events do not come."""
        self._polls += 1
        untold = self._unannounced - self._hinted.keys()
        if untold and not self.silent:
            self.silent = True
            logger.warning(
                "%s: records change without events. Select %s in Setup, Change Data Capture, to have them within a second; "
                "polled for every few seconds meanwhile",
                self.name,
                " and ".join(
                    topic.removeprefix("/data/").removesuffix("ChangeEvent") for topic in self.topics
                ),
            )
        # The first poll gives again what lies within the lookback.
        self._unannounced = written - self._hinted.keys() if self._polls > 1 else set()
