"""Bulk API 2.0 queries: `jobs/query` and what is below it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, limits, wire
from ikaroa_sandbox.salesforce.bulk import desk, work
from ikaroa_sandbox.salesforce.bulk.jobs import ABORTED, DONE, UPLOADED, QueryJob
from ikaroa_sandbox.salesforce.bulk.pages import Pages
from ikaroa_sandbox.salesforce.rest.call import Call

_KEYS = ("operation", "query", "contentType", "columnDelimiter", "lineEnding")
_NUMBER_OF_RECORDS, _LOCATOR = "Sforce-NumberOfRecords", "Sforce-Locator"


def create(call: Call) -> Response:
    """POST jobs/query: a job, which begins by itself. What cannot be read in bulk is refused here."""
    call.params()
    _check_version(call)
    desk.check_media(call.request, "application/json")
    body = desk.body_of(call.json(), _KEYS)
    state = call.state
    now = state.world.clock.now()
    operation = desk.one_of(body, "operation", ["query", "queryAll"])
    text = body.get("query", "")
    if not text.strip():
        raise desk.refused("INVALIDJOB", "query: a query must be specified")
    job = QueryJob(
        id=state.jobs.next_id("750"),
        kind="V2Query",
        operation=operation,
        object="",
        version=call.version,
        created=now,
        created_by=state.context.user_id,
        state=UPLOADED,
        modified=now,
        query=text,
    )
    desk.choose_form(job, body)
    job.object = work.planned(state, job).object
    _check_allocation(call)
    state.jobs.spend("DailyBulkV2QueryJobs", 1, now)
    job.line_up(state.jobs.pace, now)
    state.jobs.add(job)
    return wire.json_response(job.facts())


def _check_version(call: Call) -> None:
    if call.version < limits.BULK_QUERY_VERSION:
        raise errors.not_found()


def _check_allocation(call: Call) -> None:
    now = call.state.world.clock.now()
    used = call.state.jobs.used("DailyBulkV2QueryJobs", now)
    if used >= limits.BULK_QUERY_JOBS_DAILY:
        text = f"Max bulk v2 query jobs ({limits.BULK_QUERY_JOBS_DAILY}) per 24 hrs has been reached ({used + 1})"
        raise desk.refused("LIMIT_EXCEEDED", text)
    if call.state.jobs.used("DailyBulkV2QueryFileStorageMB", now) >= limits.BULK_QUERY_STORAGE_MB_DAILY:
        text = "Max bulk v2 query result size stored  kb per 24 hrs has been exceeded"
        raise desk.refused("LIMIT_EXCEEDED", text)


def every(call: Call) -> Response:
    """GET jobs/query: all bulk jobs."""
    _check_version(call)
    return desk.listing(call, "query")


def info(call: Call) -> Response:
    """GET jobs/query/{id}."""
    call.params()
    job = desk.find(call, QueryJob, looked_at=True)
    return wire.json_response(_told(call, job))


def _told(call: Call, job: QueryJob) -> dict[str, Any]:
    ordered = any(f" {word} " in f" {job.query.upper()} " for word in ("ORDER", "LIMIT"))
    now = call.state.world.clock.now()
    return {**job.facts(), **job.progress(now), "isPkChunkingSupported": not ordered}


def patch(call: Call) -> Response:
    """PATCH jobs/query/{id} with {"state": "Aborted"}."""
    call.params()
    job = desk.find(call, QueryJob)
    desk.wanted_state(call, ABORTED)
    desk.stop(call, job)
    return wire.json_response(job.facts())


def delete(call: Call) -> Response:
    """DELETE jobs/query/{id}."""
    call.params()
    return desk.delete(call, desk.find(call, QueryJob))


def results(call: Call) -> Response:
    """GET jobs/query/{id}/results: a page of CSV, and where the next one begins."""
    params = call.params("locator", "maxRecords")
    job, pages = _finished(call)
    start = _start(call, job, params.get("locator"))
    count = _count(params.get("maxRecords"), call.state.jobs.pace.page_rows)
    stop = min(start + count, pages.rows)
    page = pages.page(start, count)
    bare = pages.rows == 0 and call.state.world.variants["salesforce.bulk.empty_result"] == "nothing"
    answer = (
        desk.csv_response(call, lambda: b"") if bare else desk.csv_response(call, page.plain, page.gzipped)
    )
    answer.headers[_NUMBER_OF_RECORDS] = str(stop - start)
    answer.headers[_LOCATOR] = locator(job, stop) if stop < pages.rows else "null"
    return answer


def result_pages(call: Call) -> Response:
    """GET jobs/query/{id}/resultPages: addresses of up to five pages, to be read side by side."""
    params = call.params("locator")
    if call.version < limits.BULK_RESULT_PAGES_VERSION:
        raise errors.not_found()
    job, pages = _finished(call)
    rows = call.state.jobs.pace.page_rows
    start = _start(call, job, params.get("locator"))
    starts = list(range(start, max(pages.rows, start + 1), rows))
    shown, rest = starts[: limits.BULK_RESULT_LINKS], starts[limits.BULK_RESULT_LINKS :]
    root = f"{call.base}/jobs/query/{job.id}"
    body: dict[str, Any] = {
        "resultPages": [{"resultUrl": f"{root}/results?locator={locator(job, one)}"} for one in shown]
    }
    if rest:
        name = call.state.world.variants["salesforce.bulk.next_pages_key"]
        body[name] = f"{root}/resultpages?locator={locator(job, rest[0])}"
    body["done"] = not rest
    return wire.json_response(body)


def _finished(call: Call) -> tuple[QueryJob, Pages]:
    """A job whose results are there. Raises ResourceError: unfinished, of another version, or too old."""
    job = desk.find(call, QueryJob)
    if job.version != call.version:
        text = f"The job was created with API version {job.version}.0: use that version to get its results"
        raise desk.refused("API_VERSION_MISMATCH", text, 409)
    if job.state != DONE:
        raise desk.wrong_state(f"Results of a job in state {job.state} cannot be read: it must be {DONE}")
    if job.pages is None:
        raise desk.refused("NOT_FOUND", "The results of this job have expired", 404)
    return job, job.pages


def locator(job: QueryJob, start: int) -> str:
    """The name of the place of a row in a job's result: stable, and good only once it has been given out."""
    digest = hashlib.sha256(f"{job.id} {start}".encode()).digest()[:9]
    name = base64.urlsafe_b64encode(digest).decode()
    job.locators[name] = start
    return name


def _start(call: Call, job: QueryJob, name: str | None) -> int:
    if name is None:
        return 0
    if name not in job.locators:
        status = int(call.state.world.variants["salesforce.bulk.invalid_locator"])
        raise desk.refused("INVALID_LOCATOR", f"Invalid locator: {name}", status)
    return job.locators[name]


def _count(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise desk.refused("INVALID_MAX_RECORDS", f"maxRecords: a whole number from 1 is needed, not {text}")
    return int(text)
