"""The records of a window, by the API that suits: REST for few, Bulk for many, REST again for what Bulk cannot read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.bookmarks import Bookmark
from tap_salesforce_ikaroa.bulk.ahead import Begun, JobsAhead
from tap_salesforce_ikaroa.bulk.place import Place, place_from
from tap_salesforce_ikaroa.bulk.reader import BulkReader
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.errors import (
    JobTooSlowError,
    LocatorExpiredError,
    NoAnswerError,
    NotBulkError,
    NotVisibleError,
    RequestError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.lines import Batch, batch_of
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.reader import Reader, TooManyRows
from tap_salesforce_ikaroa.shapes import Shape
from tap_salesforce_ikaroa.window import Window

logger = logging.getLogger("tap-salesforce-ikaroa")
Expected = Callable[[], int | None]
"""How many rows there will be, as far as it can be known; asked only when it matters."""


@dataclass(frozen=True)
class Choice:
    """The settings that say which API reads."""

    api_type: str = "AUTO"
    bulk_min_rows: int = limits.BULK_WORTH_ROWS
    parallel: int = limits.RESULT_PARALLEL
    result_rows: int = limits.RESULT_PAGE_ROWS

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Choice:
        """From the tap's settings."""
        return cls(
            str(config.get("api_type", "AUTO")),
            int(config.get("bulk_min_rows", limits.BULK_WORTH_ROWS)),
            int(config.get("bulk_parallel", limits.RESULT_PARALLEL)),
            int(config.get("bulk_page_size", limits.RESULT_PAGE_ROWS)),
        )


class Source:
    """Reads records of one shape by either API."""

    def __init__(
        self, client: Client, shape: Shape, key: str | None, choice: Choice, *, deleted: bool
    ) -> None:
        self.reader = Reader(client, shape, key, deleted=deleted)
        self._bulk = BulkReader(
            client,
            shape,
            key,
            deleted=deleted,
            parallel=choice.parallel,
            page_rows=choice.result_rows,
        )
        self._client, self._choice = client, choice
        self._name, self._key = shape.object.name, key

    def batches(
        self,
        window: Window,
        expected: Expected,
        purpose: Purpose = Purpose.QUERY,
        keeper: Keeper | None = None,
    ) -> Iterator[Batch]:
        """The records of a window. A batch with a `top` says that the bookmark may move that far.

        `keeper`: what keeps the place of Bulk jobs in STATE; without it they cannot be resumed, and move no bookmark.
        """
        if (keeper and keeper.begun) or self._pays(expected):
            yield from self._bulk_else_rest(window, purpose, keeper)
            return
        if self._choice.api_type == "AUTO":
            self.reader.most_rows = self._choice.bulk_min_rows
        try:
            yield from self._by_rest(window, purpose)
        except TooManyRows as found:
            logger.info("%s: %d rows to read, by Bulk", self._name, found.rows)
            yield from self._bulk_else_rest(window, purpose, keeper)

    def resumed(self, place: Place, keeper: Keeper) -> Generator[Batch, None, bool]:
        """What is left of jobs that a run before this one was reading; returns whether they were read to the end."""
        job, begun = place.jobs[""], place.begun
        logger.info("%s: going on with Bulk job %s, made at %s by an earlier run", self._name, job, begun)
        try:
            yield from self._jobs(place, keeper)
        except (RequestError, UnexpectedAnswerError) as error:
            # Nothing is lost: the bookmark has not moved, and the reading that follows begins there.
            logger.info("%s", error)
            return False
        return True

    def resumable(self, keeper: Keeper, window: Window) -> Place | None:
        """The place in STATE if its jobs are still there and can stand for the beginning of this window."""
        place = place_from(keeper.bookmark.bulk)
        if place is None:
            return None
        now = self._client.transport.clock.now()
        wanted = self._choice.api_type != "REST" and not place.done and place.covers(window, now)
        if wanted and self._bulk.still_there(place):
            return place
        self._forget(place, keeper)
        return None

    def begin(self, window: Window, expected: Expected, keeper: Keeper) -> Begun | None:
        """Makes the jobs of a window before its turn, if Bulk is what will read it. Tries only once: there is time later."""
        if not self._pays(expected):
            return None
        try:
            with self._client.transport.once():
                place = self._bulk.begin(window, keeper.ceiling)
        except NotBulkError as error:
            return Begun(window, error)
        place.waited = True
        keeper.keep(place)
        return Begun(window, place)

    def discard(self, begun: Begun, keeper: Keeper) -> None:
        """Does away with jobs that were made before their turn."""
        if isinstance(begun.answer, Place):
            self._forget(begun.answer, keeper)

    def _pays(self, expected: Expected) -> bool:
        if self._choice.api_type != "AUTO":
            return self._choice.api_type == "BULK2"
        rows = expected()
        return rows is not None and rows * self.reader.parts > self._choice.bulk_min_rows

    def _bulk_else_rest(self, window: Window, purpose: Purpose, keeper: Keeper | None) -> Iterator[Batch]:
        self.reader.most_rows = None
        try:
            yield from self._by_bulk(window, keeper)
        except NotBulkError as error:
            logger.info("%s: read by REST, as Bulk API 2.0 does not read it (%s)", self._name, error)
            yield from self._by_rest(window, purpose)

    def _by_rest(self, window: Window, purpose: Purpose) -> Iterator[Batch]:
        for page in self.reader.pages(window, purpose):
            self.reader.most_rows = None  # it was said of the whole window, by its first page
            yield batch_of(page, self._key)

    def _by_bulk(self, window: Window, keeper: Keeper | None) -> Iterator[Batch]:
        begun = keeper.begun if keeper else None
        pending, made_anew = [begun.window if begun else window], False
        while pending:
            rest = pending.pop()
            place = begun.place if begun else self._bulk.begin(rest, keeper.ceiling if keeper else None)
            begun = None
            try:
                yield from self._jobs(place, keeper)
            except JobTooSlowError as error:
                halves = rest.halves()
                if halves is None:
                    raise
                logger.info("%s; reading on in windows of half the length", error)
                pending += reversed(halves)
            except (LocatorExpiredError, NotVisibleError) as error:
                if made_anew:
                    raise
                made_anew = True
                logger.info("%s: the result of a Bulk job is gone (%s); a new one is made", self._name, error)
                pending.append(rest)

    def _jobs(self, place: Place, keeper: Keeper | None) -> Iterator[Batch]:
        if keeper:
            keeper.keep(place)
            yield Batch(b"")  # STATE can be written now: from here on the jobs are found again
            if keeper.ahead.fill():
                yield Batch(b"")
        try:
            for batch in self._bulk.read(place):
                if keeper and not len(batch):  # all before this place is written
                    keeper.keep(place)
                yield batch
                if keeper:
                    keeper.keep(place)
        except BaseException as error:
            # It would come the same way again. Else jobs that are complete stay for whoever finds them in STATE.
            hopeless = isinstance(error, RequestError | UnexpectedAnswerError) and not isinstance(
                error, NoAnswerError
            )
            if hopeless or keeper is None or not place.complete:
                self._forget(place, keeper)
            raise
        if keeper:
            place.done = (
                True  # in STATE until they are deleted: a run that is cut here leaves that to the next
            )
            keeper.keep(place)
            yield Batch(b"", (), place.top)
        self._forget(place, keeper)

    def _forget(self, place: Place, keeper: Keeper | None) -> None:
        """Does away with jobs. Those that could not be deleted stay in STATE, for the next run to find."""
        if self._bulk.discard(place) and keeper:
            keeper.keep(None)


@dataclass
class Keeper:
    """Keeps the place of Bulk jobs in a stream's STATE.

    `ceiling`: how far their rows may move the bookmark. `begun`: what was begun before the stream's turn. `ahead`: the
    streams to come, whose jobs are made as soon as this stream's are in STATE.
    """

    bookmark: Bookmark
    ceiling: str
    begun: Begun | None = None
    ahead: JobsAhead = field(default_factory=JobsAhead)

    def keep(self, place: Place | None) -> None:
        """Notes where the reading stands."""
        self.bookmark.keep_bulk(place.entry() if place else None)
