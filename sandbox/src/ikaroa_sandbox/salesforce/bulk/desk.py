"""What the handlers of both kinds of Bulk 2.0 jobs share: finding a job, what a body may hold, listing, stopping, deleting."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.salesforce import errors, ids, limits, wire
from ikaroa_sandbox.salesforce.bulk import work
from ikaroa_sandbox.salesforce.bulk.jobs import (
    DELIMITERS,
    FINAL,
    LINE_ENDS,
    OPEN,
    RUNNING,
    UPLOADED,
    ClassicJob,
    Job,
)
from ikaroa_sandbox.salesforce.rest.call import Call

CSV_TYPE = "text/csv; charset=UTF-8"
KINDS = ("Classic", "V2Query", "V2Ingest")
AnyJob = TypeVar("AnyJob", bound=Job)
_LIST_LOCATOR = ids.make("01g", 1_000_000)


def refused(code: str, text: str, status: int = 400) -> errors.ResourceError:
    """An error of the jobs resources."""
    return errors.ResourceError(code, text, status=status)


def wrong_state(text: str) -> errors.ResourceError:
    """The job is not where it would have to be for this."""
    return refused("INVALIDJOBSTATE", text)


def find(call: Call, kind: type[AnyJob], *, looked_at: bool = False) -> AnyJob:
    """The job of the path; being asked for its state may move it on. Raises ResourceError (NOT_FOUND)."""
    found = call.state.jobs.by_id.get(ids.normalise(call.parts[2]) or "")
    if type(found) is not kind:
        raise errors.not_found()
    if looked_at:
        work.look(call.state, found)
    work.forget_old(call.state, found)
    return found


def check_media(request: Request, *kinds: str) -> None:
    """Raises ResourceError (415) unless the body is of one of these kinds."""
    content = request.headers.get("Content-Type", "").lower()
    if request.body and not content.startswith(kinds):
        text = f"Content-Type header specified in HTTP request is not supported: {content or 'none'}"
        raise errors.ResourceError("UNSUPPORTED_MEDIA_TYPE", text, status=415)


def body_of(value: Any, known: Sequence[str]) -> dict[str, Any]:
    """A job's JSON, of text values under known names only."""
    if not isinstance(value, dict):
        raise errors.RecordError("JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object")
    for name, given in value.items():
        if name not in known:
            raise errors.RecordError("JSON_PARSER_ERROR", f'Unrecognized field "{name}"')
        if given is not None and not isinstance(given, str):
            raise errors.RecordError("JSON_PARSER_ERROR", f"{name}: a text is needed, not {given!r}")
    return {name: given for name, given in value.items() if given is not None}


def one_of(body: dict[str, Any], name: str, allowed: Sequence[str], default: str | None = None) -> str:
    """A choice of the body. Raises ResourceError naming what there is."""
    given = body.get(name, default)
    if given not in allowed:
        text = f"{name}: {given!r} is not valid; valid values are {', '.join(allowed)}"
        raise refused("INVALIDJOB", text)
    return str(given)


def choose_form(job: Job, body: dict[str, Any]) -> None:
    """Gives a job the form of CSV that its body asks for."""
    one_of(body, "contentType", ["CSV"], "CSV")
    job.column_delimiter = one_of(body, "columnDelimiter", list(DELIMITERS), "COMMA")
    job.line_ending = one_of(body, "lineEnding", list(LINE_ENDS), "LF")


def csv_response(
    call: Call, plain: Callable[[], bytes], gzipped: Callable[[], bytes] | None = None
) -> Response:
    """A CSV answer, compressed when the client takes that."""
    accepts = call.request.headers.get("Accept-Encoding", "").lower()
    if "gzip" in accepts:
        body = gzipped() if gzipped else gzip.compress(plain(), 1, mtime=0)
        return Response(200, {"Content-Type": CSV_TYPE, "Content-Encoding": "gzip"}, body)
    return Response(200, {"Content-Type": CSV_TYPE}, plain())


def listing(call: Call, resource: str) -> Response:
    """Every bulk job of the org, of whichever kind, in pages."""
    params = call.params("isPkChunkingEnabled", "jobType", "concurrencyMode", "queryLocator")
    jobs = [
        job
        for job in call.state.jobs.by_id.values()
        if params.get("jobType", job.kind) == job.kind
        and (params.get("isPkChunkingEnabled") != "true" or (isinstance(job, ClassicJob) and job.chunk_rows))
        and params.get("concurrencyMode", "parallel").lower() == "parallel"
    ]
    start = _list_start(params.get("queryLocator", ""))
    stop = start + limits.BULK_JOBS_PAGE
    records = [{**job.facts(), "jobType": job.kind} for job in jobs[start:stop]]
    body: dict[str, Any] = {"done": stop >= len(jobs), "records": records, "nextRecordsUrl": None}
    if stop < len(jobs):
        kept = "".join(f"{name}={value}&" for name, value in params.items() if name != "queryLocator")
        body["nextRecordsUrl"] = f"{call.base}/jobs/{resource}?{kept}queryLocator={_LIST_LOCATOR}-{stop}"
    return wire.json_response(body)


def _list_start(locator: str) -> int:
    if not locator:
        return 0
    name, _, start = locator.rpartition("-")
    if name != _LIST_LOCATOR or not start.isdigit():
        raise refused("INVALID_QUERY_LOCATOR", "invalid query locator")
    return int(start)


def stop(call: Call, job: Job) -> None:
    """Aborts a job that has not ended. Raises ResourceError (INVALIDJOBSTATE)."""
    if job.state not in {OPEN, UPLOADED, RUNNING}:
        raise wrong_state(f"Aborting a job in state {job.state} is not allowed")
    work.abort(call.state, job)


def delete(call: Call, job: Job) -> Response:
    """Removes a job that has ended, results and all. Raises ResourceError (INVALIDJOBSTATE)."""
    if job.state not in FINAL:
        raise wrong_state(f"Deleting a job in state {job.state} is not allowed: abort it first")
    del call.state.jobs.by_id[job.id]
    return wire.empty_response(204)


def wanted_state(call: Call, *allowed: str) -> str:
    """The state that a PATCH asks for."""
    check_media(call.request, "application/json")
    body = body_of(call.json(), ["state"])
    return one_of(body, "state", allowed)
