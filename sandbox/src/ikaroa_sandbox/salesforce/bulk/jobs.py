"""Bulk jobs: what they are, when they run, what is told of them.

A job begins some time after it is ready and takes a time that grows with its rows. On a running clock nothing else moves
it. On a clock that stands still each look at a job moves it on as well: so many looks find it unfinished, the next
finds it done.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ikaroa_sandbox.salesforce import ids, wire
from ikaroa_sandbox.salesforce.bulk.pages import Form, Pages
from ikaroa_sandbox.salesforce.limits import (
    BULK_JOBS_KEPT_MAX,
    BULK_PAGE_ROWS,
    BULK_ROWS_A_SECOND,
    BULK_RUN_SECONDS,
    BULK_WAIT_SECONDS,
)

OPEN, UPLOADED, RUNNING, DONE, FAILED, ABORTED = (
    "Open",
    "UploadComplete",
    "InProgress",
    "JobComplete",
    "Failed",
    "Aborted",
)
FINAL = frozenset({DONE, FAILED, ABORTED})
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass
class Pace:
    """How long jobs take and how big pages are; an edit may change it for jobs to come."""

    seconds: float | None = None
    """How long any job takes; by its rows when None."""
    polls: int = 1
    """How many looks find a job unfinished while the clock stands still."""
    page_rows: int = BULK_PAGE_ROWS
    """Rows of a page when the client does not say, and of each parallel page."""
    hard_delete: bool = False
    """Whether the user has the permission Bulk API Hard Delete."""
    refuses: tuple[str, ...] = ()
    """Objects that the Bulk APIs do not support."""


@dataclass
class Job:
    """One job. `kind` is V2Query, V2Ingest or Classic."""

    id: str
    kind: str
    operation: str
    object: str
    version: int
    created: datetime
    created_by: str
    state: str
    modified: datetime
    column_delimiter: str = "COMMA"
    line_ending: str = "LF"
    error: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    stuck_until: datetime | None = None
    looks: int = 0
    """Looks still to find it unfinished."""
    processed: int = 0
    retries: int = 0

    @property
    def form(self) -> Form:
        """How its CSV is written."""
        return Form(DELIMITERS[self.column_delimiter], LINE_ENDS[self.line_ending])

    def move(self, state: str, at: datetime) -> None:
        """Into another state."""
        self.state, self.modified = state, at

    def fail(self, reason: str, at: datetime) -> None:
        """Ends it."""
        self.error = reason
        self.move(FAILED, at)

    def line_up(self, pace: Pace, now: datetime) -> None:
        """Waits for its turn from now on."""
        wait = BULK_WAIT_SECONDS if pace.seconds is None else min(BULK_WAIT_SECONDS, pace.seconds / 2)
        self.starts = now + timedelta(seconds=wait)
        self.looks = pace.polls
        self.move(UPLOADED, now)

    def will_end(self, pace: Pace, rows: int) -> None:
        """Sets the end of a job that has begun."""
        whole = BULK_RUN_SECONDS + rows / BULK_ROWS_A_SECOND if pace.seconds is None else pace.seconds
        begun = self.starts or self.modified
        self.ends = begun + timedelta(seconds=whole)
        if self.stuck_until is not None:
            self.ends = max(self.ends, self.stuck_until)

    def milliseconds(self, now: datetime) -> int:
        """How long it has been at work."""
        if self.starts is None or self.state in {OPEN, UPLOADED}:
            return 0
        until = self.modified if self.state in FINAL else now
        return max(0, int((until - self.starts).total_seconds() * 1000))

    def facts(self) -> dict[str, Any]:
        """What every answer about it says."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": wire.wire_time(wire.stored_time(self.created.replace(microsecond=0))),
            "systemModstamp": wire.wire_time(wire.stored_time(self.modified.replace(microsecond=0))),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": wire.JsonText(f"{self.version}.0"),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.column_delimiter,
        }

    def progress(self, now: datetime) -> dict[str, Any]:
        """What an answer about one job says besides."""
        told: dict[str, Any] = {
            "jobType": self.kind,
            "numberRecordsProcessed": self.shown_processed(now),
            "retries": self.retries,
            "totalProcessingTime": self.milliseconds(now),
        }
        if self.state == FAILED:
            told["errorMessage"] = self.error
        return told

    def shown_processed(self, now: datetime) -> int:
        """How many rows are through: a share of them while it runs."""
        if self.state != RUNNING or self.starts is None or self.ends is None:
            return self.processed if self.state in FINAL else 0
        whole = (self.ends - self.starts).total_seconds()
        share = min(1.0, max(0.0, (now - self.starts).total_seconds() / whole)) if whole else 1.0
        return int(self.processed * share)

    def copy(self) -> Job:
        """An independent copy; results are shared, they never change."""
        return replace(self)


@dataclass
class QueryJob(Job):
    """A query: its text, and once it has run its rows and the locators given out."""

    query: str = ""
    pages: Pages | None = None
    locators: dict[str, int] = field(default_factory=dict)

    def copy(self) -> QueryJob:
        """An independent copy."""
        return replace(self, locators=dict(self.locators))


@dataclass(frozen=True)
class Outcome:
    """What became of one uploaded row."""

    row: tuple[str, ...]
    record: str = ""
    created: bool = False
    error: str = ""


@dataclass
class IngestJob(Job):
    """An upload: its CSV, and once it has run what became of each row."""

    external_id: str = ""
    data: bytes | None = None
    header: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    unprocessed: tuple[tuple[str, ...], ...] = ()
    origin: str = ""
    """What change events of its writes say of where they come from."""

    @property
    def failed_rows(self) -> int:
        """How many rows were refused."""
        return sum(1 for one in self.outcomes if one.error)


@dataclass
class ClassicJob(Job):
    """A job of Bulk API 1.0: a holder of batches."""

    chunk_rows: int = 0
    """Rows of a chunk when PK chunking is on, else 0."""
    batches: list[Batch] = field(default_factory=list)

    def copy(self) -> ClassicJob:
        """An independent copy."""
        return replace(self, batches=[batch.copy() for batch in self.batches])


@dataclass
class Batch(QueryJob):
    """A batch of Bulk API 1.0: one query, its own states. A PK chunk shares its parent's result from row `start` on."""

    parent: str = ""
    start: int = 0
    not_processed: bool = False

    def copy(self) -> Batch:
        """An independent copy."""
        return replace(self, locators=dict(self.locators))


@dataclass
class Jobs:
    """Every bulk job of an org."""

    pace: Pace = field(default_factory=Pace)
    by_id: dict[str, Job] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    transactions: int = 0
    """How many portions of uploaded rows have been saved."""
    spent: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    """Allocation -> when how much of it was used."""

    def next_id(self, prefix: str) -> str:
        """A new id: 750 for a job, 751 for a batch, 752 for a result."""
        number = self.made.get(prefix, 0)
        self.made[prefix] = number + 1
        return ids.make(prefix, number)

    def add(self, job: Job) -> None:
        """Keeps a job; the oldest finished ones go when there are too many."""
        self.by_id[job.id] = job
        while len(self.by_id) > BULK_JOBS_KEPT_MAX:
            oldest = next((one.id for one in self.by_id.values() if one.state in FINAL), None)
            if oldest is None:
                return
            del self.by_id[oldest]

    def at_work(self) -> list[Job]:
        """Jobs and batches that time moves on, in the order they began to wait."""
        tasks: list[Job] = []
        for job in self.by_id.values():
            if isinstance(job, ClassicJob):
                tasks += [batch for batch in job.batches if batch.state in {UPLOADED, RUNNING}]
            elif job.state in {UPLOADED, RUNNING}:
                tasks.append(job)
        return tasks

    def spend(self, allocation: str, amount: int, now: datetime) -> None:
        """Uses up some of a day's allocation."""
        self.spent.setdefault(allocation, []).append((now, amount))

    def used(self, allocation: str, now: datetime) -> int:
        """How much of an allocation the last 24 hours used."""
        since = now - timedelta(days=1)
        kept = [entry for entry in self.spent.get(allocation, ()) if entry[0] > since]
        self.spent[allocation] = kept
        return sum(amount for _, amount in kept)

    def copy(self) -> Jobs:
        """An independent copy."""
        return Jobs(
            replace(self.pace),
            {key: job.copy() for key, job in self.by_id.items()},
            dict(self.made),
            self.transactions,
            {key: list(entries) for key, entries in self.spent.items()},
        )
