"""Reads a window of one shape by Bulk jobs: rows as they come, or joined with their child rows.

A shape without children is one job whose rows are written on in the order of its result, which is none. A shape with
children is one job for the roots and one for each list; their rows are sorted by the root's id on disk and merged. In both
cases nothing is known about the order of the key: the bookmark may move only when all has been read.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from operator import itemgetter

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.bulk.csvrows import CsvRows, Row
from tap_salesforce_ikaroa.bulk.encoder import Encoder
from tap_salesforce_ikaroa.bulk.jobs import Job, Jobs
from tap_salesforce_ikaroa.bulk.late import Late
from tap_salesforce_ikaroa.bulk.pages import ResultPage, ResultPages
from tap_salesforce_ikaroa.bulk.place import Place, start_of
from tap_salesforce_ikaroa.bulk.spill import Sorter, ordinal
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.errors import NotBulkError, UnexpectedAnswerError
from tap_salesforce_ikaroa.lines import Batch
from tap_salesforce_ikaroa.shapes import Child, Shape
from tap_salesforce_ikaroa.soql import Condition, Query, format_stamp
from tap_salesforce_ikaroa.window import Window

logger = logging.getLogger("tap-salesforce-ikaroa")
_ROOT = ""


class BulkReader:
    """Reads one shape by Bulk. `key` is the replication key, None where there is none."""

    def __init__(
        self,
        client: Client,
        shape: Shape,
        key: str | None,
        *,
        deleted: bool,
        parallel: int = limits.RESULT_PARALLEL,
        page_rows: int = limits.RESULT_PAGE_ROWS,
    ) -> None:
        self._jobs = Jobs(client)
        self._shape, self._key = shape, key
        self._deleted = deleted and shape.object.has_deleted_flag
        self._parallel, self._page_rows = parallel, page_rows
        self._late = Late(client, shape, deleted=self._deleted)
        own = self._late.without(shape)
        self._root = Encoder(own.fields, own.parents, ["Id", *([key] if key else [])])
        self._children = {child.relationship: (child, _child_encoder(child)) for child in shape.children}
        self._name = shape.object.name

    @property
    def form(self) -> str:
        """What the jobs of this reader give, in short: two readings with the same form can stand for each other."""
        queries = [(self._name, self._root.columns, self._deleted, self._jobs.client.api_version)]
        queries += [
            (child.object.name, encoder.columns, False, "") for child, encoder in self._children.values()
        ]
        return hashlib.sha256(repr(queries).encode()).hexdigest()[:16]

    # --- jobs ----------------------------------------------------------------------------------------------------

    def begin(self, window: Window, ceiling: str | None = None) -> Place:
        """Creates the jobs of a window.

        Raises:
            NotBulkError: Bulk API 2.0 does not read this; no job is left behind.
        """
        if unreadable := [child.relationship for child in self._shape.children if Late.needed(child)]:
            raise NotBulkError(f"the parts of an address in {', '.join(unreadable)} are not known")
        begun = format_stamp(self._jobs.client.transport.clock.now().replace(microsecond=0))
        place = Place({}, self.form, start_of(window), begun, ceiling)
        query = Query(self._root.columns, self._name, window.condition)
        try:
            place.jobs[_ROOT] = self._jobs.create(query, deleted=self._deleted).id
            for relationship, (child, encoder) in self._children.items():
                query = Query(encoder.columns, child.object.name, _of_roots(child, window))
                place.jobs[relationship] = self._jobs.create(query, deleted=False).id
        except BaseException:
            self.discard(place)
            raise
        return place

    def still_there(self, place: Place) -> bool:
        """Whether the jobs of a place from STATE can still be read on."""
        if place.form != self.form or set(place.jobs) != {_ROOT, *self._children}:
            return False
        jobs = [self._jobs.look(job_id) for job_id in place.jobs.values()]
        return all(job is not None and (job.complete or job.running) for job in jobs)

    def discard(self, place: Place) -> bool:
        """Aborts and deletes the jobs of a place; whether all are gone."""
        gone = [self._jobs.discard(job_id, ended=place.complete) for job_id in place.jobs.values()]
        return all(gone)

    def read(self, place: Place) -> Iterator[Batch]:
        """The records of a place's jobs, from where it stands. The place moves on as batches have been taken.

        Raises:
            JobFailedError: a job ended without a result.
        """
        looks = {part: 0.0 if place.waited or part else limits.POLL_FIRST_S for part in place.jobs}
        jobs = {
            part: self._jobs.wait(job_id, self._what(part), first_look_s=looks[part])
            for part, job_id in place.jobs.items()
        }
        place.complete = True
        yield from self._joined(place, jobs) if self._children else self._flat(place, jobs[_ROOT])

    def _what(self, part: str) -> str:
        return f"{self._name}.{part}" if part else self._name

    # --- a shape without children --------------------------------------------------------------------------------

    def _flat(self, place: Place, job: Job) -> Iterator[Batch]:
        with ResultPages(self._jobs, job, self._parallel, self._page_rows) as pages:
            for page in pages.after(place.locator):
                for rows in self._rows(pages, page, self._root):
                    batch = self._batch(self._root.lines(rows), rows, place)
                    yield self._late.completed(batch)
                place.rows, place.locator = place.rows + page.rows, page.following
                if place.locator:
                    yield Batch(b"")  # a run that is killed from here on goes on with the next page
        _check_total(self._name, job, place.rows)

    def _batch(self, lines: bytes, rows: Sequence[Row], place: Place) -> Batch:
        at = self._root.columns.index("Id")
        self._raise_top(place, rows)
        return Batch(lines, [row[at] for row in rows])

    def _raise_top(self, place: Place, rows: Sequence[Row]) -> None:
        if self._key and rows:
            top = max(map(itemgetter(self._root.columns.index(self._key)), rows))
            place.top = max(place.top or "", top[:-5] + "Z" if top.endswith("+0000") else top)

    def _rows(self, pages: ResultPages, page: ResultPage, encoder: Encoder) -> Iterator[list[Row]]:
        """The rows of a page, block by block. A page with other rows than announced is fetched and given again."""
        tries = 0
        while True:
            tries += 1
            count = 0
            try:
                csv_rows = CsvRows(encoder.columns)
                for block in page.blocks():
                    if rows := csv_rows.feed(block):
                        count += len(rows)
                        yield rows
                if rows := csv_rows.finish():
                    count += len(rows)
                    yield rows
                if count == page.rows:
                    return
                problem = UnexpectedAnswerError(
                    f"{self._name}: a page of the Bulk job's result has {count} rows in place of {page.rows}"
                )
            except UnexpectedAnswerError as error:
                problem = error
            finally:
                page.close()
            if tries == limits.RESULT_TRIES:
                raise problem
            logger.info("%s; fetching it again", problem)
            pages.again(page)

    # --- a shape with children -----------------------------------------------------------------------------------

    def _joined(self, place: Place, jobs: dict[str, Job]) -> Iterator[Batch]:
        with ExitStack() as files:
            roots = files.enter_context(closing(Sorter()))
            for rows in self._all_rows(jobs[_ROOT], self._root, self._name):
                self._raise_top(place, rows)
                at = self._root.columns.index("Id")
                roots.add([row[at] for row in rows], self._root.lines(rows).splitlines(keepends=True))
            lists = []
            for relationship, (child, encoder) in self._children.items():
                sorter = files.enter_context(closing(Sorter()))
                for rows in self._all_rows(jobs[relationship], encoder, child.object.name):
                    sorter.add(
                        _child_keys(child, encoder, rows), encoder.lines(rows).splitlines(keepends=True)
                    )
                lists.append((relationship.encode(), _Lists(sorter.sorted())))
            merged = self._merged(roots, lists, place.after)
            while part := list(islice(merged, limits.BATCH_RECORDS)):
                ids = [row_id for row_id, _ in part]
                yield self._late.completed(Batch(b"".join([line for _, line in part]), ids))
                place.after = ids[-1]

    def _all_rows(self, job: Job, encoder: Encoder, what: str) -> Iterator[list[Row]]:
        total = 0
        with ResultPages(self._jobs, job, self._parallel, self._page_rows) as pages:
            for page in pages.after(None):
                yield from self._rows(pages, page, encoder)
                total += page.rows
        _check_total(what, job, total)

    @staticmethod
    def _merged(
        roots: Sorter, lists: Sequence[tuple[bytes, _Lists]], after: str | None
    ) -> Iterator[tuple[str, bytes]]:
        for root_id, text in roots.sorted():
            if after and root_id <= after:
                continue
            parts = [b'"%b":[%b]' % (name, b",".join(of_root.of(root_id))) for name, of_root in lists]
            yield root_id, text[:-1] + b"," + b",".join(parts) + b"}\n"


class _Lists:
    """Child rows sorted by their root's id, taken root by root in the same order."""

    def __init__(self, rows: Iterator[tuple[str, bytes]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, root_id: str) -> list[bytes]:
        found = []
        while self._next and self._next[0][:18] <= root_id:
            if self._next[0][:18] == root_id:
                found.append(self._next[1])
            self._next = next(self._rows, None)
        return found


def _child_encoder(child: Child) -> Encoder:
    own = Late.bulk_part(child)
    return Encoder(own.fields, own.parents, [child.link, *child.order_by])


def _child_keys(child: Child, encoder: Encoder, rows: Sequence[Row]) -> list[str]:
    at = [encoder.columns.index(column) for column in (child.link, *child.order_by)]
    if len(at) == 2:
        return [f"{row[at[0]]:18}{row[at[1]]}" for row in rows]
    return [f"{row[at[0]]:18}{ordinal(row[at[1]])}{row[at[2]]}" for row in rows]


def _of_roots(child: Child, window: Window) -> Condition | None:
    """The child rows whose roots lie in the window, where the child can tell; the join drops the others anyway."""
    reference = child.object.fields[child.link]
    alive = soql.compare("IsDeleted", "=", value=False) if child.object.has_deleted_flag else None
    if not (window.key and window.start and reference.relationship and len(reference.refers_to) == 1):
        return alive
    key = f"{reference.relationship}.{window.key}"
    # Without an end: a root that changes between the two jobs would lose its list in this pass.
    return soql.all_of(alive, Window(key, window.start, window.end if window.narrowed else None).condition)


def _check_total(what: str, job: Job, rows: int) -> None:
    if job.rows is not None and rows != job.rows:
        raise UnexpectedAnswerError(
            f"{what}: the pages of Bulk job {job.id} hold {rows} rows, and Salesforce says it has {job.rows}. The bookmark "
            "was not moved; run again"
        )
