"""Moves bulk jobs on: as time passes, and on a clock that stands still as they are looked at."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.bulk import load
from ikaroa_sandbox.salesforce.bulk.jobs import (
    ABORTED,
    DONE,
    FINAL,
    OPEN,
    RUNNING,
    UPLOADED,
    Batch,
    IngestJob,
    Job,
    QueryJob,
)
from ikaroa_sandbox.salesforce.bulk.pages import Pages
from ikaroa_sandbox.salesforce.errors import QueryError, ResourceError, SalesforceError
from ikaroa_sandbox.salesforce.rest.query import settings_of
from ikaroa_sandbox.salesforce.soql.flat import FlatPlan, Style, compile_flat, rows_of
from ikaroa_sandbox.salesforce.soql.parser import parse
from ikaroa_sandbox.salesforce.store import deletion

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

_CLASSIC_SUBQUERY = "Aggregate Relationships not supported in Bulk Query with CSV content type"


def planned(state: State, job: QueryJob) -> FlatPlan:
    """The plan of a job's query. Raises QueryError or ResourceError as Salesforce refuses it."""
    tree = parse(job.query)
    item = state.org.visible.get(tree.source)
    if item is not None and item.name in state.jobs.pace.refuses:
        text = f"Entity '{item.name}' is not supported by the Bulk API."
        raise ResourceError("INVALIDENTITY", text, status=400)
    style = Style(
        shuffle=zlib.crc32(job.id.encode()),
        zero_as_double=state.world.variants["salesforce.bulk.whole_zero"] == "as_double",
    )
    if isinstance(job, Batch):
        style = Style(style.shuffle, style.zero_as_double, _CLASSIC_SUBQUERY)
    settings = settings_of(state, job.version, deleted_too=job.operation == "queryAll")
    return compile_flat(job.query, tree, settings, style)


def advance(state: State) -> None:
    """Begins and ends every job whose time has come, in order of time. To be called before anything else happens."""
    now = state.world.clock.now()
    tasks = state.jobs.at_work()
    for job in sorted(tasks, key=lambda one: one.starts or one.created):
        _advance(state, job, now)


def _advance(state: State, job: Job, now: datetime) -> None:
    if job.state == UPLOADED and job.starts is not None and job.starts <= now:
        begin(state, job, job.starts)
    if job.state == RUNNING and job.ends is not None and job.ends <= now:
        job.move(DONE, job.ends)


def look(state: State, job: Job) -> None:
    """Somebody asks for the job's state: on a clock that stands still, that moves it on."""
    clock = state.world.clock
    now = clock.now()
    if not clock.frozen or job.state in FINAL or job.state == OPEN:
        return
    if job.stuck_until is not None and now < job.stuck_until:
        return
    done = job.looks == 0
    job.looks = max(0, job.looks - 1)
    if job.state == UPLOADED:
        job.starts = now
        begin(state, job, now)
    if done and job.state == RUNNING:
        job.move(DONE, now)


def begin(state: State, job: Job, at: datetime) -> None:
    """Runs a job: what it reads or writes happens now, what it tells comes by and by."""
    job.move(RUNNING, at)
    if isinstance(job, QueryJob):
        _run_query(state, job, at)
    elif isinstance(job, IngestJob):
        load.run(state, job, at)
    if job.state == RUNNING:
        job.will_end(state.jobs.pace, job.processed)


def _run_query(state: State, job: QueryJob, at: datetime) -> None:
    deletion.empty_expired(state.context)
    try:
        plan = planned(state, job)
    except SalesforceError as error:
        job.fail(_reason(error, job), at)
        return
    job.pages = Pages.write(plan.names, rows_of(state.db, plan), job.form)
    job.processed = job.pages.rows
    megabytes = -(-job.pages.size // 2**20)
    state.jobs.spend("DailyBulkV2QueryFileStorageMB", megabytes, at)


def _reason(error: SalesforceError, job: QueryJob) -> str:
    text = f"{error.code}: {error.message}" if isinstance(error, QueryError) else error.message
    return f"InvalidBatch : Failed to process query: {text}" if isinstance(job, Batch) else text


def forget_old(state: State, job: Job) -> None:
    """Results are kept for some days, then taken away."""
    age = state.world.clock.now() - job.modified
    if isinstance(job, QueryJob) and job.state == DONE and age.days >= limits.BULK_RESULT_DAYS:
        job.pages = None


def abort(state: State, job: Job) -> None:
    """Stops a job; rows it has saved stay saved."""
    if isinstance(job, IngestJob) and not job.outcomes:
        load.leave_unprocessed(job)
    job.move(ABORTED, state.world.clock.now())
