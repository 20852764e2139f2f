"""Bulk API 1.0, as far as query clients need it: `/services/async/NN.0/job`, its batches, their results.

Signed in to by X-SFDC-Session. What is said of a job follows the Content-Type of the request (JSON or XML); what is said
of the batches of a CSV job is XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ikaroa_sandbox import xmltext
from ikaroa_sandbox.core import Headers, Request, Response
from ikaroa_sandbox.salesforce import errors, ids, limits, wire
from ikaroa_sandbox.salesforce.bulk import work
from ikaroa_sandbox.salesforce.bulk.jobs import (
    ABORTED,
    DONE,
    FAILED,
    FINAL,
    OPEN,
    RUNNING,
    UPLOADED,
    Batch,
    ClassicJob,
)

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_XML, _JSON = "application/xml", "application/json;charset=UTF-8"
_VERSION = re.compile(r"(\d+)\.0\Z")
_CHUNKING = re.compile(r"chunkSize\s*=\s*(\d+)", re.IGNORECASE)
_BATCH_STATES = {
    UPLOADED: "Queued",
    RUNNING: "InProgress",
    DONE: "Completed",
    FAILED: "Failed",
    ABORTED: "Failed",
}
NO_RECORDS = b"Records not found for this query"


class ClassicError(errors.WireError):
    """A refusal in Bulk API 1.0's own shape."""

    status = 400

    def __init__(self, code: str, message: str, *, as_json: bool, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.as_json, self.status = code, message, as_json, status

    def response(self) -> Response:
        """JSON or XML, as the client speaks."""
        told = {"exceptionCode": self.code, "exceptionMessage": self.message}
        if self.as_json:
            return Response(self.status, {"Content-Type": _JSON}, json.dumps(told).encode())
        return _xml("error", told, self.status)


@dataclass(frozen=True)
class _Call:
    state: State
    request: Request
    version: int
    parts: tuple[str, ...]

    @property
    def speaks_json(self) -> bool:
        return "json" in self.request.headers.get("Content-Type", "").lower()

    def refused(self, code: str, message: str) -> ClassicError:
        return ClassicError(code, message, as_json=self.speaks_json)


def handle(state: State, request: Request, version: str, parts: tuple[str, ...]) -> Response:
    """Answers one request. Raises WireError."""
    found = _VERSION.match(version)
    call = _Call(state, request, int(found[1]) if found else 0, parts)
    if call.version < limits.API_VERSION_OLDEST:
        raise call.refused("InvalidVersion", f"Unsupported API version {version}")
    _sign_in(call)
    state.usage.spend(state.world.clock.now())
    shape = ("*" if number % 2 else part for number, part in enumerate(parts))
    handler = _ROUTES.get((request.method, "/".join(shape)))
    if handler is None:
        raise errors.NotSimulatedError(f"{request.method} {request.path}")
    return handler(call)


def _sign_in(call: _Call) -> None:
    session = call.request.headers.get("X-SFDC-Session", "")
    bearer = Request("GET", "/", headers=Headers({"Authorization": f"Bearer {session}"}))
    try:
        call.state.tokens.check(bearer, call.state.world.clock.now())
    except errors.SessionError:
        raise call.refused("InvalidSessionId", "Invalid session id") from None


def _job(call: _Call) -> ClassicJob:
    found = call.state.jobs.by_id.get(ids.normalise(call.parts[1]) or "")
    if not isinstance(found, ClassicJob):
        raise call.refused("InvalidJob", f"Invalid job id: {call.parts[1]}")
    return found


def _batch(call: _Call) -> Batch:
    wanted = ids.normalise(call.parts[3])
    found = next((batch for batch in _job(call).batches if batch.id == wanted), None)
    if found is None:
        raise call.refused("InvalidBatch", f"Unable to find batch {call.parts[3]}")
    return found


def _create(call: _Call) -> Response:
    body = _body(call)
    operation, name = body.get("operation"), str(body.get("object"))
    if operation not in {"query", "queryAll"} or body.get("contentType") != "CSV":
        raise errors.NotSimulatedError("Bulk API 1.0 jobs other than queries in CSV")
    item = call.state.org.visible.get(name)
    if item is None:
        raise call.refused("InvalidJob", f"Unable to find object: {name}")
    if item.name in call.state.jobs.pace.refuses:
        raise call.refused("InvalidEntity", f"Entity '{item.name}' is not supported by the Bulk API.")
    state = call.state
    now = state.world.clock.now()
    job = ClassicJob(
        id=state.jobs.next_id("750"),
        kind="Classic",
        operation=str(operation),
        object=item.name,
        version=call.version,
        created=now,
        created_by=state.context.user_id,
        state=OPEN,
        modified=now,
        chunk_rows=_chunk_rows(call.request),
    )
    state.jobs.add(job)
    return _job_response(call, job, 201)


def _chunk_rows(request: Request) -> int:
    header = request.headers.get("Sforce-Enable-PKChunking", "")
    if not header or header.strip().lower() == "false":
        return 0
    found = _CHUNKING.search(header)
    return min(int(found[1]) if found else limits.BULK_CHUNK_ROWS, limits.BULK_CHUNK_ROWS_MAX) or 1


def _body(call: _Call) -> dict[str, Any]:
    """A job as sent, in JSON or in XML: its facts by name."""
    try:
        if call.speaks_json:
            body = call.request.json()
        else:
            body = {
                xmltext.name_of(fact): (fact.text or "").strip() for fact in xmltext.parse(call.request.body)
            }
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise call.refused("InvalidJob", "Unable to parse Job")
    return body


def _change(call: _Call) -> Response:
    job = _job(call)
    state = _body(call).get("state")
    if state not in {"Closed", "Aborted"}:
        raise call.refused("InvalidJobState", f"Changing a job to {state} is not allowed")
    if job.state != OPEN:
        raise call.refused(
            "InvalidJobState", f"Changing the state of a job that is {job.state} is not allowed"
        )
    now = call.state.world.clock.now()
    job.move(str(state), now)
    if state == "Aborted":
        for batch in job.batches:
            if batch.state not in FINAL:
                batch.not_processed = True
                batch.move(ABORTED, now)
    return _job_response(call, job)


def _info(call: _Call) -> Response:
    return _job_response(call, _job(call))


def _job_response(call: _Call, job: ClassicJob, status: int = 200) -> Response:
    counts = [batch.state for batch in job.batches if not batch.not_processed]
    told = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": _time(job, "created"),
        "systemModstamp": _time(job, "modified"),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "numberBatchesQueued": counts.count(UPLOADED),
        "numberBatchesInProgress": counts.count(RUNNING),
        "numberBatchesCompleted": counts.count(DONE),
        "numberBatchesFailed": counts.count(FAILED),
        "numberBatchesTotal": len(job.batches),
        "numberRecordsProcessed": sum(batch.processed for batch in job.batches if batch.state == DONE),
        "numberRetries": 0,
        "apiVersion": wire.JsonText(f"{job.version}.0"),
        "numberRecordsFailed": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }
    if call.speaks_json:
        return Response(status, {"Content-Type": _JSON}, wire.dumps(told).encode())
    return _xml("jobInfo", told, status)


def _time(job: ClassicJob | Batch, which: str) -> str:
    return f"{wire.stored_time(getattr(job, which).replace(microsecond=0))}Z"


def _add_batch(call: _Call) -> Response:
    job = _job(call)
    if job.state != OPEN:
        raise call.refused("InvalidJobState", f"Job is {job.state}: no batch can be added")
    now = call.state.world.clock.now()
    jobs = call.state.jobs
    if jobs.used("DailyBulkApiBatches", now) >= limits.BULK_BATCHES_DAILY:
        raise call.refused("ExceededQuota", "ApiBatchItems Limit exceeded.")
    batch = _new_batch(call.state, job, call.request.body.decode("utf-8", "replace"))
    jobs.spend("DailyBulkApiBatches", 1, now)
    batch.line_up(jobs.pace, now)
    job.batches.append(batch)
    return _xml("batchInfo", _batch_facts(call.state, job, batch), 201)


def _new_batch(state: State, job: ClassicJob, text: str) -> Batch:
    now = state.world.clock.now()
    return Batch(
        id=state.jobs.next_id("751"),
        kind="Classic",
        operation=job.operation,
        object=job.object,
        version=job.version,
        created=now,
        created_by=job.created_by,
        state=UPLOADED,
        modified=now,
        query=text,
    )


def _batch_facts(state: State, job: ClassicJob, batch: Batch) -> dict[str, Any]:
    now = state.world.clock.now()
    told: dict[str, Any] = {
        "id": batch.id,
        "jobId": job.id,
        "state": "NotProcessed" if batch.not_processed else _BATCH_STATES[batch.state],
    }
    if batch.error:
        told["stateMessage"] = batch.error
    return told | {
        "createdDate": _time(batch, "created"),
        "systemModstamp": _time(batch, "modified"),
        "numberRecordsProcessed": 0 if batch.not_processed else batch.shown_processed(now),
        "numberRecordsFailed": 0,
        "totalProcessingTime": batch.milliseconds(now),
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }


def _seen(call: _Call, job: ClassicJob) -> list[Batch]:
    """The job's batches, moved on by being looked at; one that is done under PK chunking has become its chunks."""
    for batch in list(job.batches):
        work.look(call.state, batch)
        if job.chunk_rows and batch.state == DONE and not batch.parent and not batch.not_processed:
            _chunk(call.state, job, batch)
    return job.batches


def _chunk(state: State, job: ClassicJob, batch: Batch) -> None:
    pages = batch.pages
    rows = pages.rows if pages else 0
    for start in range(0, max(rows, 1), job.chunk_rows):
        chunk = _new_batch(state, job, batch.query)
        chunk.parent, chunk.pages, chunk.start = batch.id, pages, start
        chunk.processed = min(job.chunk_rows, rows - start)
        chunk.starts, chunk.created = batch.starts, batch.created
        chunk.move(DONE, batch.modified)
        job.batches.append(chunk)
    state.jobs.spend("DailyBulkApiBatches", len(job.batches) - 1, state.world.clock.now())
    batch.not_processed, batch.pages = True, None


def _batch_info(call: _Call) -> Response:
    job = _job(call)
    _seen(call, job)
    return _xml("batchInfo", _batch_facts(call.state, job, _batch(call)))


def _batch_list(call: _Call) -> Response:
    job = _job(call)
    told = "".join(_element("batchInfo", _batch_facts(call.state, job, one)) for one in _seen(call, job))
    return _document(f'<batchInfoList xmlns="{_NAMESPACE}">{told}</batchInfoList>')


def _finished(call: _Call) -> Batch:
    batch = _batch(call)
    if batch.state != DONE or batch.pages is None:
        raise call.refused("InvalidBatch", "Batch is not completed, or has no result")
    return batch


def _result_list(call: _Call) -> Response:
    batch = _finished(call)
    name = _result_id(batch)
    return _document(f'<result-list xmlns="{_NAMESPACE}"><result>{name}</result></result-list>')


def _result_id(batch: Batch) -> str:
    return ids.normalise(f"752{batch.id[3:15]}") or ""


def _result(call: _Call) -> Response:
    batch = _finished(call)
    if ids.normalise(call.parts[5]) != _result_id(batch) or batch.pages is None:
        raise call.refused("InvalidBatch", f"Unable to find result {call.parts[5]}")
    page = batch.pages.page(batch.start, batch.processed)
    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    if batch.processed == 0:
        return Response(200, headers, NO_RECORDS)
    if "gzip" in call.request.headers.get("Accept-Encoding", "").lower():
        return Response(200, {**headers, "Content-Encoding": "gzip"}, page.gzipped())
    return Response(200, headers, page.plain())


def _element(name: str, facts: dict[str, Any]) -> str:
    return (
        f"<{name}>{''.join(f'<{key}>{escape(str(value))}</{key}>' for key, value in facts.items())}</{name}>"
    )


def _xml(name: str, facts: dict[str, Any], status: int = 200) -> Response:
    body = _element(name, facts).replace(f"<{name}>", f'<{name} xmlns="{_NAMESPACE}">', 1)
    return _document(body, status)


def _document(body: str, status: int = 200) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return Response(status, {"Content-Type": _XML}, text.encode("utf-8", "replace"))


_ROUTES: dict[tuple[str, str], Callable[[_Call], Response]] = {
    ("POST", "job"): _create,
    ("GET", "job/*"): _info,
    ("POST", "job/*"): _change,
    ("POST", "job/*/batch"): _add_batch,
    ("GET", "job/*/batch"): _batch_list,
    ("GET", "job/*/batch/*"): _batch_info,
    ("GET", "job/*/batch/*/result"): _result_list,
    ("GET", "job/*/batch/*/result/*"): _result,
}
