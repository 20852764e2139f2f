"""The Singer stream of one object: an incremental or full-table pass, then what changed around it.

An incremental pass reads
1. all rows of its window in the key's order; each moves the bookmark;
2. by id, the roots that a changed, added or removed child row, or a deletion, points to and that did not come in 1;
   ids that no longer exist become tombstones `{Id, IsDeleted: true, …}`;
3. all roots, when child rows were deleted for good or may have moved between roots (Salesforce no longer says which
   root they belonged to), see `recheck_hours`.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.bookmarks import Bookmark
from tap_salesforce_ikaroa.catalog import metadata_of, schema_of, selected_shape
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.reader import Reader
from tap_salesforce_ikaroa.soql import format_stamp
from tap_salesforce_ikaroa.window import Window, end_of_reading, setting_stamp

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib import Catalog, MetadataMapping

    from tap_salesforce_ikaroa.changes import Changes
    from tap_salesforce_ikaroa.shapes import Shape
    from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa

Record = dict[str, Any]


class SalesforceStream(Stream):
    """One object, with the parts its aggregate embeds."""

    # Values are made right in `rows`; the SDK's own conversion would only walk every record again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    STATE_MSG_FREQUENCY = limits.STATE_EVERY_RECORDS

    def __init__(self, tap: TapSalesforceIkaroa, shape: Shape, *, selected_by_default: bool) -> None:
        self.shape = shape
        self.selected_by_default = selected_by_default
        self._salesforce = tap
        self._state_written = time.monotonic()
        super().__init__(tap, schema=schema_of(shape), name=shape.object.name)
        self.primary_keys = ["Id"]
        self.replication_key = shape.object.replication_key

    # --- catalog ---------------------------------------------------------------------------------------------------

    @property
    def metadata(self) -> MetadataMapping:
        """The SDK's metadata, completed for parts inside lists and for columns that are always read."""
        fresh = self._metadata is None
        mapping = super().metadata
        if fresh and (self._tap_input_catalog is None or not self._tap_input_catalog.get_stream(self.name)):
            fields_selected = bool(self.config.get("select_fields_by_default", True))
            metadata_of(mapping, self.shape, self._always_read(), fields_selected=fields_selected)
        return mapping

    def apply_catalog(self, catalog: Catalog) -> None:
        """Takes a catalog; a key that it does not name stays the discovered one."""
        discovered = self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys = ["Id"]
        if self.forced_replication_method == "FULL_TABLE":
            self.replication_key = None
            return
        chosen = self.shape.object.fields.get(self.replication_key or "")
        if chosen is None or chosen.type != "datetime" or not chosen.filterable:
            self.replication_key = discovered
        if not self.replication_key:
            self.forced_replication_method = "FULL_TABLE"

    @property
    def selected_shape(self) -> Shape:
        """The part of the shape that the catalog selects."""
        return selected_shape(self.shape, self.effective_schema, self.mask, self._always_read())

    def _always_read(self) -> set[str]:
        return {"Id", "IsDeleted", self.replication_key or "Id"}

    # --- SDK hooks -------------------------------------------------------------------------------------------------

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Logs, but not the SDK's line about an unhandled error that the tap tells in its own words."""
        if level < logging.ERROR or not isinstance(sys.exc_info()[1], TapError | BrokenPipeError):
            super().log(message, *args, level=level, **kwargs)

    def get_replication_key_signpost(self, context: Any = None) -> datetime | None:  # noqa: ARG002
        """None: the ceiling of this tap's own pass is stricter."""
        return None

    def _write_starting_replication_value(self, context: Any) -> None:
        # Not needed: `Bookmark.start` says where a pass begins.
        pass

    def _increment_stream_state(self, latest_record: Record, *, context: Any = None) -> None:
        # The bookmark moves in `_incremental`, which knows which records it may follow.
        pass

    def get_records(self, context: Any) -> Iterable[Record]:  # noqa: ARG002
        """All records of this run, for the SDK to write."""
        if self.replication_key and self.replication_method == "INCREMENTAL":
            yield from self._incremental()
        else:
            for page in self._reader(deleted=self._with_deleted).pages(Window(None)):
                yield from page

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def bookmark(self) -> Bookmark:
        """This stream's place in STATE."""
        return Bookmark(self.stream_state, self.replication_key or "")

    @property
    def follows_deletions(self) -> bool:
        """Whether rows deleted for good are wanted."""
        return self._with_deleted and self.replication_method == "INCREMENTAL"

    @property
    def _with_deleted(self) -> bool:
        return bool(self.config.get("include_deleted", True))

    def _reader(self, *, deleted: bool) -> Reader:
        return Reader(self._salesforce.client, self.selected_shape, self.replication_key, deleted=deleted)

    def _incremental(self) -> Iterator[Record]:
        changes, bookmark = self._salesforce.changes_of(self), self.bookmark
        if bookmark.value is None:
            # A first pass that is cut short must know from when on child rows and deletions are still to be followed.
            bookmark.follow(changes.child_cursors, changes.deletion_cursors)
        pending = dict(changes.roots)
        reader = self._reader(deleted=self._with_deleted)
        yield from self._window(reader, self._starting_window(bookmark), changes, bookmark, pending)
        yield from self._pending(reader, pending)
        yield from self._recheck(changes, bookmark)
        bookmark.follow(changes.child_cursors, changes.deletion_cursors, changes.recent_deletions)
        if changes.certain:
            bookmark.cover(changes.ceiling)

    def _starting_window(self, bookmark: Bookmark) -> Window:
        start_date = self.config.get("start_date")
        begin = setting_stamp(start_date, "start_date") if start_date else None
        start = bookmark.start(begin, self._salesforce.lookback)
        return Window(
            self.replication_key, start, end_of_reading(self._salesforce.client.transport.clock.now())
        )

    def _window(
        self,
        reader: Reader,
        window: Window,
        changes: Changes,
        bookmark: Bookmark,
        pending: dict[str, str | None],
    ) -> Iterator[Record]:
        key, ceiling = self.replication_key or "", format_stamp(changes.ceiling)
        for page in reader.pages(window):
            for record in page:
                pending.pop(record["Id"], None)
                stamp = record[key]
                yield record
                # Back here the SDK has written the record.
                bookmark.advance(stamp, ceiling)
                self._state_if_due()

    def _pending(self, reader: Reader, pending: dict[str, str | None]) -> Iterator[Record]:
        for record in reader.by_ids(list(pending)):
            pending.pop(record["Id"], None)
            yield record
            self._state_if_due()
        for row_id, deleted_at in pending.items():
            if deleted_at:
                yield {"Id": row_id, "IsDeleted": True, self.replication_key or "": deleted_at}

    def _recheck(self, changes: Changes, bookmark: Bookmark) -> Iterator[Record]:
        if not changes.at_once and not (changes.recheck and self._recheck_is_due(changes, bookmark)):
            return
        for page in self._reader(deleted=False).pages(Window(None), Purpose.RECHECK):
            for record in page:
                yield record
                self._state_if_due()
        bookmark.recheck_done(changes.known_at)

    def _recheck_is_due(self, changes: Changes, bookmark: Bookmark) -> bool:
        hours = int(self.config.get("recheck_hours", limits.RECHECK_HOURS))
        if hours == 0:
            return False
        due = changes.known_at if bookmark.rechecked is None else bookmark.rechecked + timedelta(hours=hours)
        if due <= changes.known_at:
            return True
        if changes.recheck_up_to:
            count = self._salesforce.client.query(soql.count(self.name), Purpose.RECHECK).total
            if count <= changes.recheck_up_to:
                return True
        self.logger.info("all of %s will be read again after %s", self.name, format_stamp(due))
        bookmark.recheck_later()
        return False

    def _state_if_due(self) -> None:
        if time.monotonic() - self._state_written >= limits.STATE_EVERY_S:
            self._state_written = time.monotonic()
            self._write_state_message()
