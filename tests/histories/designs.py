"""Mistakes that taps of this kind make, each switched on by itself: the histories must catch every one.

They are patched in from outside for the length of a seed and never stand in the product. Each names the harm that it does:
only a finding of that harm counts as a catch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from tap_salesforce_ikaroa import changes, passes, source
from tap_salesforce_ikaroa.bookmarks import Bookmark
from tap_salesforce_ikaroa.bulk import reader
from tap_salesforce_ikaroa.bulk.csvrows import CsvRows
from tap_salesforce_ikaroa.bulk.reader import BulkReader
from tap_salesforce_ikaroa.changes import Survey
from tap_salesforce_ikaroa.errors import QueryTimeoutError
from tap_salesforce_ikaroa.lines import Batch
from tap_salesforce_ikaroa.passes import Pass
from tap_salesforce_ikaroa.reader import Reader
from tap_salesforce_ikaroa.window import Position, Window

Patches = Iterator[None]
LOST = ("missed", "old version", "kept though deleted")
"""What becomes of a row whose last version was not read."""


@dataclass(frozen=True)
class Design:
    """A mistake, and how to make it."""

    name: str
    sentence: str
    harms: tuple[str, ...]
    """How a finding begins that it must be caught by."""
    switched_on: Callable[[], AbstractContextManager[None]]


DESIGNS: dict[str, Design] = {}


def design(*harms: str) -> Callable[[Callable[[], Patches]], Callable[[], Patches]]:
    """Registers a mistake under its name."""

    def register(make: Callable[[], Patches]) -> Callable[[], Patches]:
        sentence = (make.__doc__ or "").strip()
        DESIGNS[make.__name__] = Design(make.__name__, sentence, harms, contextmanager(make))
        return make

    return register


# --- how far ----------------------------------------------------------------------------------------------------------


@design(*LOST)
def ceiling_ignored() -> Patches:
    """The bookmark goes up to now: what a transaction commits late, with an older stamp, is never read."""
    conclude = Survey._conclude

    def up_to_now(self: Survey, follower: Any) -> None:
        self._ceilings = dict.fromkeys(self._ceilings, self._now)
        conclude(self, follower)

    with patch.object(Survey, "_conclude", up_to_now):
        yield


@design(*LOST)
def rows_of_the_last_moment_left_out() -> Patches:
    """The next run begins after the bookmark, not at it: what shares its stamp and was committed later is lost."""

    def beyond(self: Window) -> Any:
        if self.after:
            return self._beyond(self.after, ">")
        return changes.soql.compare(self.key, ">", self.start) if self.key and self.start else None

    with patch.object(Window, "_from", beyond):
        yield


@design(*LOST)
def ties_skipped_in_between() -> Patches:
    """A query that is started again goes on after the last stamp, not after the last row: rows of one stamp are lost."""
    resumed = Window.resumed

    def after_stamp(self: Window, after: Position | None) -> Window:
        last = after and replace(after, row_id=f"{after.row_id[:3]}{'z' * 12}")
        return resumed(self, last if after and after.stamp else after)

    with patch.object(Window, "resumed", after_stamp):
        yield


@design(*LOST)
def bookmark_before_the_last_page() -> Patches:
    """A Bulk job's rows move the bookmark as they come, and they come in no order; a run that was cut begins after it."""
    batch = BulkReader._batch

    def moving(self: BulkReader, lines: bytes, rows: Any, place: Any) -> Batch:
        return replace(batch(self, lines, rows, place), top=place.top)

    with patch.object(BulkReader, "_batch", moving), patch.object(source.Keeper, "keep", lambda *_: None):
        yield


@design(*LOST)
def bookmark_before_the_rows() -> Patches:
    """STATE is written for rows that are not yet."""

    def hasty(self: Pass, batches: Any, ceiling: str, pending: dict[str, Any]) -> Iterator[Batch]:
        for batch in batches:
            if batch.top:
                self.bookmark.advance(batch.top, ceiling)
                yield Batch(b"")
            for row_id in batch.ids:
                pending.pop(row_id, None)
            yield batch

    with patch.object(Pass, "_moving", hasty):
        yield


@design(*LOST)
def todays_ceiling_for_old_jobs() -> Patches:
    """Jobs of an earlier run move the bookmark as far as commits reach now, not as far as they reached then."""
    known = passes.Pass._resumed

    def up_to_now(self: Pass, reading: Any, lookback: timedelta) -> Iterator[Batch]:
        if self.bookmark.bulk:
            self.bookmark.bulk["ceiling"] = passes.format_stamp(self.client.transport.clock.now())
        return known(self, reading, lookback)

    with patch.object(Pass, "_resumed", up_to_now):
        yield


# --- what is not told -------------------------------------------------------------------------------------------------


@design("kept though deleted")
def deletions_not_asked_for() -> Patches:
    """Nobody asks which rows were deleted for good."""
    with patch.object(Survey, "_deletion_question", lambda *_: ()):
        yield


@design("old list")
def changed_children_not_followed() -> Patches:
    """A changed child row does not bring its root along."""
    with patch.object(Survey, "_child_question", lambda *_: ()):
        yield


@design("old list")
def deleted_children_not_traced() -> Patches:
    """Child rows that were deleted for good stay in their lists."""
    with patch.object(Survey, "_trace", lambda *_: None):
        yield


@design("old list")
def moved_children_stay_where_they_were() -> Patches:
    """A child row that was given to another root stays in the list of the old one, too."""
    with patch.object(changes, "_may_have_moved", lambda *_: False):
        yield


@design("old list")
def rows_beyond_the_ceiling_taken_for_new() -> Patches:
    """What was made since the bookmark is taken for never given out, although it was read beyond the ceiling."""

    def made_before(row: Any, child: Any, since: Any, _settled: Any) -> bool:
        stamp = row[child.object.replication_key]
        return bool(changes.parse_stamp(stamp) >= since > changes.parse_stamp(row["CreatedDate"]))

    with patch.object(changes, "_may_have_moved", made_before):
        yield


@design("old formula")
def formulas_not_read_again() -> Patches:
    """Formula fields are read when their row changes, and only then."""
    with patch.object(Pass, "_refresh_is_due", lambda *_: False):
        yield


# --- errors taken for an end ------------------------------------------------------------------------------------------


@design(*LOST)
def timeout_taken_for_the_end() -> Patches:
    """A query that takes Salesforce too long ends the stream, successfully."""
    pages = Reader.pages

    def until_too_slow(self: Reader, *given: Any) -> Iterator[Any]:
        try:
            yield from pages(self, *given)
        except QueryTimeoutError:
            return

    with patch.object(Reader, "pages", until_too_slow), patch.object(Window, "halves", lambda _: None):
        yield


@design(*LOST, "old list")
def rows_of_a_page_not_counted() -> Patches:
    """A result page with fewer rows than announced is taken as it is."""

    def uncounted(self: BulkReader, _pages: Any, page: Any, encoder: Any) -> Iterator[Any]:
        rows = CsvRows(encoder.columns)
        for block in page.blocks():
            yield rows.feed(block)
        yield rows.finish()
        page.close()

    with patch.object(BulkReader, "_rows", uncounted):
        yield


@design(*LOST, "old list")
def the_last_page_believed() -> Patches:
    """A result that says it has no more pages is taken for whole; nobody adds up its rows."""
    with patch.object(reader, "_check_total", lambda *_: None):
        yield


@design("old list")
def cursors_moved_first() -> Patches:
    """What was asked about child rows and deletions is noted as done before it is."""
    follow, incremental = Bookmark.follow, Pass.incremental

    def at_once(self: Pass, found: Any, *given: Any) -> Iterator[Batch]:
        follow(self.bookmark, found.child_cursors, found.deletion_cursors, found.recent_deletions)
        return incremental(self, found, *given)

    with patch.object(Pass, "incremental", at_once):
        yield
