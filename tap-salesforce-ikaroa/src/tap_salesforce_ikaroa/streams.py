"""The Singer stream of one object: its catalog entry, and its records as messages. What is read stands in `passes`."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.exceptions import SyncLifecycleSignal
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.bookmarks import Bookmark
from tap_salesforce_ikaroa.catalog import metadata_of, schema_of, selected_shape
from tap_salesforce_ikaroa.errors import RequestError, TapError
from tap_salesforce_ikaroa.lines import Batch
from tap_salesforce_ikaroa.passes import Pass

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib import Catalog, MetadataMapping

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
        self.watcher: Callable[[Batch], None] | None = None
        """Sees what is about to be written."""
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
        """Takes a catalog. It names method and key in two places each: the one that was changed since discovery holds.

        What the object does not have, or cannot be read by, stays as discovered. LOG_BASED is read like INCREMENTAL.
        """
        discovered = self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys = ["Id"]
        if not (entry := catalog.get_stream(self.name)):
            return
        root, fields = entry.metadata.root, self.shape.object.fields
        methods = {entry.replication_method, root.forced_replication_method} - {None, ""}
        if "FULL_TABLE" in methods and (discovered or methods == {"FULL_TABLE"}):
            self.replication_key, self.forced_replication_method = None, "FULL_TABLE"
            return
        keys = [str(key) for key in (root.replication_key, entry.replication_key) if key in fields]
        keys = [key for key in keys if key != discovered and fields[key].can_be_key]
        self.replication_key = keys[0] if keys else discovered
        self.forced_replication_method = "INCREMENTAL" if self.replication_key else "FULL_TABLE"

    @property
    def selected_shape(self) -> Shape:
        """The part of the shape that the catalog selects."""
        return selected_shape(self.shape, self.effective_schema, self.mask, self._always_read())

    def _always_read(self) -> set[str]:
        return {"Id", "IsDeleted", self.replication_key or "Id"}

    # --- SDK hooks -------------------------------------------------------------------------------------------------

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Logs, but not the SDK's line about an unhandled error for what the tap tells itself, or was asked to stop at."""
        told = TapError | BrokenPipeError | SyncLifecycleSignal
        if level < logging.ERROR or not isinstance(sys.exc_info()[1], told):
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

    # --- reading ---------------------------------------------------------------------------------------------------

    def get_records(self, context: Any) -> Iterable[Record]:  # noqa: ARG002
        """All records of this run, for the SDK to write."""
        for batch in self.batches():
            self._remember(batch)
            yield from batch.records
            self.state_if_due(at_once=not len(batch))

    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """The SDK's loop, or the same messages by whole batches where it would change nothing of a record."""
        self._salesforce.changes_of(self)  # of all streams: what goes wrong there is no matter of this one
        with self._salesforce.reading(self):
            if write_messages and self._writes_as_read:
                self._write_batches()
            else:
                yield from super()._sync_records(context, write_messages=write_messages)

    def _write_batches(self) -> None:
        with self.get_record_counter() as counter, self.get_sync_timer():
            for batch in self.batches():
                self.write(batch)
                counter.increment(len(batch))
                self.state_if_due(at_once=not len(batch))
        self._finalize_state(self.stream_state)
        self._write_state_message()

    def write(self, batch: Batch) -> None:
        """Writes the records of a batch."""
        if not len(batch):
            return
        self._remember(batch)
        if self._writes_as_read:
            self._salesforce.whole_lines.write_batch(self.name, batch.lines, utc_now())
            self.state_manager.is_flushed = False
        else:
            for record in batch.records:
                self._write_record_message(record)

    @property
    def _writes_as_read(self) -> bool:
        """Whether nothing lies between a record and its message: no map, no flattening, no limit of records."""
        maps = self.stream_maps
        flattened = maps[0].flattening_options is not None and maps[0].flattening_options.enabled
        plain = len(maps) == 1 and type(maps[0]) is SameRecordTransform and not flattened
        return plain and self.ABORT_AT_RECORD_COUNT is None and not self.child_streams and self.selected

    def batches(self) -> Iterator[Batch]:
        """What one pass reads. The bookmark moves as batches are taken."""
        tap = self._salesforce
        changes = tap.changes_of(self)  # before any row is asked for
        if changes:
            return self._named(self.one_pass.incremental(changes, tap.lookback, tap.ahead.page(self.name)))
        return self._named(self.one_pass.full_table())

    def _named(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same, but a refusal says which stream it is about."""
        try:
            yield from batches
        except RequestError as error:
            if self.name in str(error):
                raise
            raise type(error)(f"{self.name}: {error}", error.code, error.status) from None

    @property
    def one_pass(self) -> Pass:
        """How this stream is read in this run."""
        return Pass(
            self._salesforce.client,
            self.selected_shape,
            self.replication_key,
            self.config,
            self.bookmark,
            self._salesforce.ids,
            self._salesforce.jobs_ahead,
        )

    @property
    def follows_changes(self) -> bool:
        """Whether a bookmark says where to read on."""
        return bool(self.replication_key) and self.replication_method == "INCREMENTAL"

    @property
    def bookmark(self) -> Bookmark:
        """This stream's place in STATE."""
        return Bookmark(self.stream_state, self.replication_key or "")

    @property
    def follows_deletions(self) -> bool:
        """Whether rows deleted for good are wanted."""
        return bool(self.config.get("include_deleted", True)) and self.replication_method == "INCREMENTAL"

    def _remember(self, batch: Batch) -> None:
        if self.watcher:
            self.watcher(batch)
        if len(batch):
            self.bookmark.unsettle()
        if self._salesforce.ids and batch.ids:
            self._salesforce.ids.add(self.name, batch.ids)

    def state_if_due(self, *, at_once: bool = False) -> None:
        """Writes STATE where the last one is some seconds old."""
        if at_once or time.monotonic() - self._state_written >= limits.STATE_EVERY_S:
            self._state_written = time.monotonic()
            self.state_manager.is_flushed = False
            self._write_state_message()
