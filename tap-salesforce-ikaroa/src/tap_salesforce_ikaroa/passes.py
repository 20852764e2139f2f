"""One pass over a stream: an incremental or full-table reading, then what changed around it.

An incremental pass reads
1. what is left of Bulk jobs that an earlier run was reading;
2. all rows of its window; each moves the bookmark, by REST as it is written, by Bulk when the last one is;
3. by id, the roots that a changed, added or removed child row, or a deletion, points to and that did not come in 2;
   ids that no longer exist become tombstones `{Id, IsDeleted: true, …}`;
   between 2 and 3 all rows that have no value of the key, where there can be some: no window holds them;
4. all roots, when child rows were deleted for good or may have moved between roots (Salesforce no longer says which
   root they belonged to), see `recheck_hours`; or when formula fields are due, see `refresh_days`;
5. every few days all ids, to find what was deleted unseen, see `full_compare_days`.

Where change events said that they do not tell all (`GAP_OVERFLOW`), 4 and 5 are done at once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.ahead import Peek
from tap_salesforce_ikaroa.bookmarks import Bookmark
from tap_salesforce_ikaroa.bulk.ahead import Begun, JobsAhead, Turn
from tap_salesforce_ikaroa.client import Client, Page
from tap_salesforce_ikaroa.errors import IncompleteAnswerError, QueryTimeoutError
from tap_salesforce_ikaroa.findings import Changes
from tap_salesforce_ikaroa.lines import Batch, batch_of
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.shapes import Shape
from tap_salesforce_ikaroa.soql import format_stamp
from tap_salesforce_ikaroa.source import Choice, Keeper, Source
from tap_salesforce_ikaroa.window import Window, end_of_reading, setting_stamp, unstamped

if TYPE_CHECKING:
    from tap_salesforce_ikaroa.ids import IdStore

logger = logging.getLogger("tap-salesforce-ikaroa")
_REFRESHED, _COMPARED = "refreshed", "compared"


@dataclass
class Pass:
    """One stream's pass in one run.

    `ids`: the file of ids given out, where they are compared. `ahead`: Bulk jobs made before their stream's turn.
    """

    client: Client
    shape: Shape
    key: str | None
    config: Mapping[str, Any]
    bookmark: Bookmark
    ids: IdStore | None = None
    ahead: JobsAhead = field(default_factory=JobsAhead)

    @property
    def name(self) -> str:
        """The object, which is the stream's name too."""
        return self.shape.object.name

    def full_table(self) -> Iterator[Batch]:
        """All records there are. Jobs that a run of today was reading are read on: their rows are those of then."""
        source, window = self._source(deleted=self.with_deleted), Window(None)
        keeper = self._keeper(self.ahead.take(self.name))
        self.bookmark.resync_done()  # it is one
        if not keeper.begun and (place := source.resumable(keeper, window)):
            whole = yield from source.resumed(place, keeper)
            if whole:
                return
        yield from source.batches(window, self._count, keeper=keeper)

    def peek(self, lookback: timedelta) -> Peek | None:
        """What to ask first of a stream of which few rows are to be expected; None where it is to be read otherwise."""
        if self.bookmark.value is None or self.bookmark.bulk or self.config.get("api_type") == "BULK2":
            return None
        reader = self._source(deleted=self.with_deleted).reader
        path = reader.first_rows(self._window(lookback), limits.ROWS_AHEAD)
        return Peek(self.name, path) if path else None

    def turn(
        self, changes: Changes | None, lookback: timedelta, has_many: Callable[[str], bool] = lambda _: False
    ) -> Turn:
        """How this pass begins its Bulk jobs before its turn. `changes`: what an incremental one knows.

        `has_many`: whether a later pass is known to have more than a few rows, so that counting them saves a first page.
        """
        keeper = self._keeper(None, changes)

        def begin() -> Begun | None:
            if self.bookmark.bulk:  # jobs of another run, to be read on first
                return None
            source = self._source(deleted=self.with_deleted)
            if changes is None:
                # A count costs a call: the turn itself makes it, where it is needed.
                return source.begin(Window(None), lambda: None, keeper)
            window = self._window(lookback)
            if changes.rows is None and has_many(self.name):
                changes.rows = self._count(window, deleted=self.with_deleted)
            begun = source.begin(window, lambda: changes.rows, keeper)
            if begun:
                self._prepare(changes)
            return begun

        def discard(begun: Begun) -> None:
            self._source(deleted=self.with_deleted).discard(begun, keeper)

        return Turn(self.name, 1 + len(self.shape.children), begin, discard)

    def incremental(
        self, changes: Changes, lookback: timedelta, first_page: Page | None = None
    ) -> Iterator[Batch]:
        """What changed since the bookmark. The bookmark moves as batches are taken.

        `first_page`: all rows of the window, where they were few and were asked for before.
        """
        bookmark, pending = self.bookmark, dict(changes.roots)
        begun = self.ahead.take(self.name)
        ceiling = format_stamp(changes.ceiling)
        source = self._source(deleted=self.with_deleted)
        if bookmark.unsettle():
            yield Batch(b"")  # STATE must say so before the first record does
        if not begun:
            yield from self._resumed(source, lookback)
        self._prepare(changes)
        if first_page is not None:
            batches = iter([batch_of(source.reader.complete(first_page.rows), self.key)])
        else:
            # Of a later pass the first page says how many rows it has.
            keeper = self._keeper(begun, changes)
            batches = source.batches(self._window(lookback), lambda: changes.rows, keeper=keeper)
        yield from self._moving(batches, ceiling, pending)
        yield from self._unstamped(source, changes, pending)
        yield from self._pending(source, pending)
        yield from self._all_again(changes)
        yield from self._compared(changes)
        bookmark.resync_done()
        bookmark.follow(changes.child_cursors, changes.deletion_cursors, changes.recent_deletions)
        if changes.problem:
            raise changes.problem
        if changes.certain:
            bookmark.cover(changes.ceiling)
        if any(child.movable for child in self.shape.children):
            bookmark.settle(self.client.transport.clock.now().replace(microsecond=0))

    @property
    def with_deleted(self) -> bool:
        """Whether deleted rows are wanted."""
        return bool(self.config.get("include_deleted", True))

    # --- the window ----------------------------------------------------------------------------------------------

    def _source(self, *, deleted: bool) -> Source:
        return Source(self.client, self.shape, self.key, Choice.of(self.config), deleted=deleted)

    def _window(self, lookback: timedelta) -> Window:
        start = self.bookmark.start(first_moment(self.config), lookback)
        return Window(self.key, start, end_of_reading(self.client.transport.clock.now()))

    def _prepare(self, changes: Changes) -> None:
        """Notes what a later run must know if this one is cut as soon as records are asked for."""
        self.bookmark.unsettle()
        if self.bookmark.value is None:
            # From when on child rows and deletions are still to be followed.
            self.bookmark.begin_following(changes.child_cursors, changes.deletion_cursors)
            if self._refresh_days:
                # Of now, not of the pass's end: it may take several runs, and Bulk jobs wait for days.
                self.bookmark.mark_done(_REFRESHED, changes.known_at)

    def _keeper(self, begun: Begun | None = None, changes: Changes | None = None) -> Keeper:
        ceiling = format_stamp(changes.ceiling) if changes else ""
        return Keeper(self.bookmark, ceiling, begun, self.ahead)

    def _resumed(self, source: Source, lookback: timedelta) -> Iterator[Batch]:
        if not self.bookmark.bulk:
            return
        keeper = self._keeper()
        self.bookmark.resync_done()  # it is one
        if place := source.resumable(keeper, self._window(lookback)):
            # Rows of old jobs do not tell what the survey of this run found: nothing leaves `pending` here.
            yield from self._moving(source.resumed(place, keeper), place.ceiling or "", {})

    def _moving(
        self, batches: Iterator[Batch], ceiling: str, pending: dict[str, str | None]
    ) -> Iterator[Batch]:
        before = self.bookmark.value
        try:
            for batch in batches:
                if pending:
                    for row_id in batch.ids:
                        pending.pop(row_id, None)
                # Back from here the batch is written. What moves the bookmark must be done before STATE is.
                yield batch
                if batch.top:
                    self.bookmark.advance(batch.top, ceiling)
                    yield Batch(b"")
        except IncompleteAnswerError:
            self.bookmark.set_back(before)  # rows are missing somewhere before the last one
            raise

    # --- around it -----------------------------------------------------------------------------------------------

    def _unstamped(self, source: Source, changes: Changes, pending: dict[str, str | None]) -> Iterator[Batch]:
        if not self.key or changes.unstamped == 0:
            return
        for batch in source.batches(unstamped(self.key), lambda: changes.unstamped):
            for row_id in batch.ids:
                pending.pop(row_id, None)
            yield replace(batch, top=None)

    def _pending(self, source: Source, pending: dict[str, str | None]) -> Iterator[Batch]:
        for record in source.reader.by_ids(list(pending)):
            pending.pop(record["Id"], None)
            yield batch_of([record], None)
        gone = {row_id: moment for row_id, moment in pending.items() if moment}
        if gone:
            yield self._tombstones(gone)

    def _tombstones(self, gone: Mapping[str, str | None]) -> Batch:
        key = self.key or ""
        records = [{"Id": row_id, "IsDeleted": True, key: moment} for row_id, moment in gone.items()]
        return batch_of(records, None)

    def _all_again(self, changes: Changes) -> Iterator[Batch]:
        refresh = self._refresh_is_due(changes.known_at)
        again = (
            changes.at_once
            or self.bookmark.resync_pending
            or (changes.recheck and self._recheck_is_due(changes))
        )
        if again or refresh:
            window = Window(None)
            yield from (
                replace(batch, top=None)
                for batch in self._source(deleted=False).batches(window, self._count, Purpose.RECHECK)
            )
            self.bookmark.mark_done(_REFRESHED, changes.known_at)
        if again:
            self.bookmark.recheck_done(changes.known_at)

    def _recheck_is_due(self, changes: Changes) -> bool:
        hours = int(self.config.get("recheck_hours", limits.RECHECK_HOURS))
        if hours == 0:
            return False
        done = self.bookmark.rechecked
        due = changes.known_at if done is None else done + timedelta(hours=hours)
        if due <= changes.known_at:
            return True
        count = self._count() if changes.recheck_up_to else sys.maxsize
        if (count or 0) <= changes.recheck_up_to:
            return True
        if changes.recheck_up_to and count == sys.maxsize:
            logger.info(
                "%s could not be counted in time: whether all is read again shows next time", self.name
            )
            self.bookmark.recheck_later(changes.recheck_up_to)
        else:
            logger.info("all of %s will be read again after %s", self.name, format_stamp(due))
            self.bookmark.recheck_later()
        return False

    def _refresh_is_due(self, now: datetime) -> bool:
        """Whether formula fields, whose changes move no stamp, are to be read again."""
        done = self.bookmark.done(_REFRESHED)
        # None: nobody noted how old the oldest record is; the setting is newer than the bookmark.
        return bool(self._refresh_days) and (done is None or now >= done + timedelta(days=self._refresh_days))

    @property
    def _refresh_days(self) -> int:
        return _of_stream(self.config.get("refresh_days"), self.name)

    def _compared(self, changes: Changes) -> Iterator[Batch]:
        if self.ids is None or not self.with_deleted:
            return
        days = timedelta(days=int(self.config.get("full_compare_days", 0)))
        done = self.bookmark.done(_COMPARED)
        if done is not None and changes.known_at < done + days and not self.bookmark.resync_pending:
            return
        for chunk in self.ids.compared(self.name, self._only_ids()):
            yield self._tombstones(dict.fromkeys(chunk, format_stamp(changes.known_at)))
        self.bookmark.mark_done(_COMPARED, changes.known_at)

    def _only_ids(self) -> Iterator[Batch]:
        fields = tuple(field for field in self.shape.fields if field.name == "Id")
        bare = replace(self.shape, fields=fields, parents=(), children=())
        source = Source(self.client, bare, None, Choice.of(self.config), deleted=True)
        return source.batches(Window(None), self._count, Purpose.RECHECK)

    def _count(self, window: Window | None = None, *, deleted: bool = False) -> int | None:
        text = soql.count(self.name, window.condition if window else None)
        try:
            return self.client.count(text, deleted=deleted and self.shape.object.has_deleted_flag)
        except QueryTimeoutError:
            return sys.maxsize  # very many


def first_moment(config: Mapping[str, Any]) -> datetime | None:
    """The moment before which nothing is read."""
    start_date = config.get("start_date")
    return setting_stamp(start_date, "start_date") if start_date else None


def _of_stream(setting: Any, name: str) -> int:
    days = setting.get(name, setting.get("*", 0)) if isinstance(setting, Mapping) else setting
    return int(days or 0)
