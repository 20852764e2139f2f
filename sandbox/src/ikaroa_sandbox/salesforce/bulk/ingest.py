"""Bulk API 2.0 uploads: `jobs/ingest` and what is below it."""

from __future__ import annotations

import email
import email.message
import email.policy
import json
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, limits, wire
from ikaroa_sandbox.salesforce.bulk import desk
from ikaroa_sandbox.salesforce.bulk.jobs import ABORTED, OPEN, RUNNING, UPLOADED, IngestJob
from ikaroa_sandbox.salesforce.events import capture
from ikaroa_sandbox.salesforce.rest.call import Call

_KEYS = (
    "object",
    "operation",
    "externalIdFieldName",
    "contentType",
    "columnDelimiter",
    "lineEnding",
    "assignmentRuleId",
)
_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")


def create(call: Call) -> Response:
    """POST jobs/ingest: a job to upload to; as multipart/form-data with its rows, which begins by itself."""
    call.params()
    if call.version < limits.BULK_INGEST_VERSION:
        raise errors.not_found()
    desk.check_media(call.request, "application/json", "multipart/form-data")
    body, data = _parts(call)
    job = _made(call, desk.body_of(body, _KEYS))
    if data is not None:
        if len(data) > limits.BULK_MULTIPART_CHARS_MAX:
            text = f"The data of a multipart request may have {limits.BULK_MULTIPART_CHARS_MAX} characters"
            raise desk.refused("INVALIDJOB", text)
        job.data = data
        job.line_up(call.state.jobs.pace, call.state.world.clock.now())
    call.state.jobs.add(job)
    return wire.json_response(_facts(call, job))


def _parts(call: Call) -> tuple[Any, bytes | None]:
    """The job's JSON, and the rows of a multipart request."""
    content = call.request.headers.get("Content-Type", "")
    if not content.lower().startswith("multipart/"):
        return call.json(), None
    head = f"Content-Type: {content}\r\n\r\n".encode("latin-1")
    message = email.message_from_bytes(head + call.request.body, policy=email.policy.HTTP)
    found = message.get_payload()
    parts: dict[str, bytes] = {}
    for part in found if isinstance(found, list) else ():
        if isinstance(part, email.message.Message):
            data = part.get_payload(decode=True)
            name = str(part.get_param("name", header="content-disposition"))
            parts[name] = data if isinstance(data, bytes) else b""
    if set(parts) != {"job", "content"}:
        raise desk.refused("INVALIDJOB", "A multipart request has two parts, job and content")
    try:
        return json.loads(parts["job"]), parts["content"]
    except ValueError:
        raise errors.RecordError("JSON_PARSER_ERROR", "The part job is not valid JSON") from None


def _made(call: Call, body: dict[str, Any]) -> IngestJob:
    state = call.state
    now = state.world.clock.now()
    operation = desk.one_of(body, "operation", _OPERATIONS)
    item = state.org.visible.get(str(body.get("object")))
    if item is None:
        raise desk.refused("INVALIDJOB", f"InvalidJob : Unable to find object: {body.get('object')}")
    if item.name in state.jobs.pace.refuses:
        raise desk.refused("INVALIDENTITY", f"Entity '{item.name}' is not supported by the Bulk API.")
    if operation == "hardDelete" and not state.jobs.pace.hard_delete:
        text = "hardDelete operation requires special user profile permission, please contact your system administrator"
        raise desk.refused("FEATURENOTENABLED", text)
    key = str(body.get("externalIdFieldName", ""))
    field = item.field(key)
    if operation == "upsert" and (
        field is None or not (field.external or field.idlookup or field.type == "id")
    ):
        text = (
            f"InvalidJob : Field name provided, {key or 'none'} does not match an External ID for {item.name}"
        )
        raise desk.refused("INVALIDJOB", text)
    job = IngestJob(
        id=state.jobs.next_id("750"),
        kind="V2Ingest",
        operation=operation,
        object=item.name,
        version=call.version,
        created=now,
        created_by=state.context.user_id,
        state=OPEN,
        modified=now,
        external_id=field.name if field is not None and operation == "upsert" else "",
        origin=capture.origin_of(call.request, call.version),
    )
    desk.choose_form(job, body)
    return job


def _facts(call: Call, job: IngestJob) -> dict[str, Any]:
    told = {**job.facts(), "contentUrl": f"{call.base[1:]}/jobs/ingest/{job.id}/batches"}
    if job.external_id:
        told["externalIdFieldName"] = job.external_id
    return told


def upload(call: Call) -> Response:
    """PUT jobs/ingest/{id}/batches: the rows, all at once."""
    call.params()
    job = desk.find(call, IngestJob)
    desk.check_media(call.request, "text/csv")
    if job.state != OPEN:
        raise desk.wrong_state(f"Data cannot be uploaded to a job in state {job.state}: it must be {OPEN}")
    if job.data is not None:
        raise desk.wrong_state("The job has its data already: one upload a job")
    if len(call.request.body) > limits.BULK_UPLOAD_BYTES_MAX:
        text = f"An upload may have {limits.BULK_UPLOAD_BYTES_MAX} bytes"
        raise errors.ResourceError("REQUEST_ENTITY_TOO_LARGE", text, status=413)
    job.data = call.request.body
    return wire.empty_response(201)


def every(call: Call) -> Response:
    """GET jobs/ingest: all bulk jobs."""
    return desk.listing(call, "ingest")


def info(call: Call) -> Response:
    """GET jobs/ingest/{id}."""
    call.params()
    job = desk.find(call, IngestJob, looked_at=True)
    now = call.state.world.clock.now()
    told = {**_facts(call, job), **job.progress(now), "apexProcessingTime": 0}
    told["apiActiveProcessingTime"] = told["totalProcessingTime"]
    told["numberRecordsFailed"] = 0 if job.state in {OPEN, UPLOADED, RUNNING} else job.failed_rows
    return wire.json_response(told)


def patch(call: Call) -> Response:
    """PATCH jobs/ingest/{id}: the upload is complete, or the job is given up."""
    call.params()
    job = desk.find(call, IngestJob)
    if desk.wanted_state(call, UPLOADED, ABORTED) == ABORTED:
        desk.stop(call, job)
    elif job.state != OPEN:
        raise desk.wrong_state(f"Closing a job in state {job.state} is not allowed: it must be {OPEN}")
    else:
        job.line_up(call.state.jobs.pace, call.state.world.clock.now())
    return wire.json_response(_facts(call, job))


def delete(call: Call) -> Response:
    """DELETE jobs/ingest/{id}."""
    call.params()
    return desk.delete(call, desk.find(call, IngestJob))


def successful(call: Call) -> Response:
    """GET successfulResults: the rows that were saved, with their ids."""
    job = _ended(call)
    rows = [
        (one.record, "true" if one.created else "false", *one.row) for one in job.outcomes if not one.error
    ]
    return _csv(call, job, ("sf__Id", "sf__Created", *job.header), rows)


def failed(call: Call) -> Response:
    """GET failedResults: the rows that were refused, with the reason."""
    job = _ended(call)
    rows = [(one.record, one.error, *one.row) for one in job.outcomes if one.error]
    return _csv(call, job, ("sf__Id", "sf__Error", *job.header), rows)


def unprocessed(call: Call) -> Response:
    """GET unprocessedrecords: the rows that were never tried, because the job failed or was aborted."""
    job = _ended(call)
    return _csv(call, job, job.header, list(job.unprocessed))


def _ended(call: Call) -> IngestJob:
    call.params()
    job = desk.find(call, IngestJob)
    if job.state in {OPEN, UPLOADED, RUNNING}:
        raise desk.wrong_state(f"Results of a job in state {job.state} cannot be read: it has not ended")
    return job


def _csv(call: Call, job: IngestJob, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Response:
    text = "".join(job.form.lines([header, *rows] if header else [])).encode("utf-8", "replace")
    return desk.csv_response(call, lambda: text)
