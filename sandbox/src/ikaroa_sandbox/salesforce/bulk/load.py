"""An ingest job's rows: from its CSV to records, each row on its own, by the rules that the record APIs keep."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.salesforce import ids, limits
from ikaroa_sandbox.salesforce.bulk.jobs import LINE_ENDS, IngestJob, Outcome
from ikaroa_sandbox.salesforce.errors import RecordError, SalesforceError
from ikaroa_sandbox.salesforce.events import capture
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.store import accept, deletion, records

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

NULL = "#N/A"
"""A cell that empties its field; a blank one leaves the field alone."""
Body = dict[str, Any]
Save = Callable[[Body], tuple[str, bool]]


def run(state: State, job: IngestJob, at: datetime) -> None:
    """Saves every row that can be saved. A file that cannot be read at all fails the job."""
    item = state.org.visible.get(job.object)
    try:
        if item is None:
            raise _refused(f"InvalidBatch : Object not found : {job.object}")
        header, rows = _read(job)
        job.header, job.unprocessed = header, rows
        _check_header(job, item, header)
    except RecordError as refusal:
        job.fail(refusal.message, at)
        return
    job.unprocessed = ()
    save = _saver(state, job, item)
    outcomes: list[Outcome] = []
    capture.drain(state)
    for start in range(0, len(rows), limits.BULK_TRANSACTION_ROWS):
        outcomes += _transaction(state, job, rows[start : start + limits.BULK_TRANSACTION_ROWS], save)
        capture.drain(state, job.origin)
        state.jobs.transactions += 1
    job.outcomes = tuple(outcomes)
    job.processed = len(outcomes)
    job.data = None
    state.jobs.spend("DailyBulkApiBatches", max(1, -(-len(rows) // limits.BULK_BATCH_ROWS)), at)


def leave_unprocessed(job: IngestJob) -> None:
    """An upload that was never worked on: its rows are handed back as they came."""
    try:
        job.header, job.unprocessed = _read(job)
    except RecordError:
        job.header, job.unprocessed = (), ()


def _refused(text: str) -> RecordError:
    return RecordError("InvalidBatch", text)


def _read(job: IngestJob) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The header and the rows of the upload."""
    try:
        text = (job.data or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("ClientInputError : Failed to read query or data: the content is not UTF-8") from None
    first = text.split("\n", 1)[0]
    if "\n" in text and first.endswith("\r") != (job.line_ending == "CRLF"):
        raise _refused(
            f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {job.line_ending}"
        )
    csv.field_size_limit(limits.BULK_UPLOAD_BYTES_MAX)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=job.form.delimiter, strict=True)
    try:
        rows = [tuple(row) for row in reader if row]
    except csv.Error as error:
        raise _refused(f"ClientInputError : Failed to parse CSV at line {reader.line_num}: {error}") from None
    if not rows:
        raise _refused("InvalidBatch : Unable to find any data: the file has no header row")
    header = tuple(name.strip() for name in rows[0])
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(header):
            raise _refused(
                f"InvalidBatch : Row {number} has {len(row)} columns, the header has {len(header)} "
                f"(line ending {job.line_ending}, {LINE_ENDS[job.line_ending]!r})"
            )
    return header, tuple(rows[1:])


def _check_header(job: IngestJob, item: ObjectType, header: tuple[str, ...]) -> None:
    for name in header:
        relationship, _, field = name.partition(".")
        known = item.parent(relationship) if field else item.field(name)
        if known is None:
            raise _refused(f"InvalidBatch : Field name not found : {name}")
    twice = [name for name, count in Counter(name.lower() for name in header).items() if count > 1]
    if twice:
        raise _refused(f"InvalidBatch : Duplicate field name in the header : {twice[0]}")
    needed = {"update": "Id", "delete": "Id", "hardDelete": "Id", "upsert": job.external_id}.get(
        job.operation
    )
    names = {name.lower() for name in header}
    if needed and needed.lower() not in names:
        raise _refused(f"InvalidBatch : Field name not found : {needed}")
    if job.operation in {"delete", "hardDelete"} and names != {"id"}:
        raise _refused("InvalidBatch : Only the Id column may be given for this operation")


def _transaction(
    state: State, job: IngestJob, rows: tuple[tuple[str, ...], ...], save: Save
) -> list[Outcome]:
    """One portion of rows; each is kept or refused on its own."""
    bodies = [_body(job.header, row) for row in rows]
    doubled = _doubled(job, bodies)

    def one(row: tuple[str, ...], body: Body) -> Outcome:
        try:
            with state.context.atomic():
                key = _key(job, body)
                if key is not None and key in doubled:
                    text = f"Duplicate external id specified: {key}"
                    raise RecordError("DUPLICATE_VALUE", text, [job.external_id])
                record, created = save(body)
        except SalesforceError as error:
            text = f"{error.code}:{error.message}:{','.join(error.fields)} --"
            return Outcome(row, _given_id(body), error=text)
        return Outcome(row, record, created)

    return [one(row, body) for row, body in zip(rows, bodies, strict=True)]


def _body(header: tuple[str, ...], row: tuple[str, ...]) -> Body:
    body: Body = {}
    for name, cell in zip(header, row, strict=True):
        if cell == "":
            continue
        value = None if cell == NULL else cell
        relationship, _, field = name.partition(".")
        if field:
            body[relationship] = {field: value}
        else:
            body[name] = value
    return body


def _key(job: IngestJob, body: Body) -> str | None:
    if job.operation != "upsert":
        return None
    wanted = job.external_id.lower()
    found = next((value for name, value in body.items() if name.lower() == wanted), None)
    return str(found) if found is not None else None


def _doubled(job: IngestJob, bodies: list[Body]) -> set[str]:
    """External ids that come more than once among rows saved together."""
    keys = Counter(key for key in (_key(job, body) for body in bodies) if key is not None)
    return {key for key, count in keys.items() if count > 1}


def _given_id(body: Body) -> str:
    found = next((value for name, value in body.items() if name.lower() == "id"), None)
    return str(found or "")


def _id(item: ObjectType, body: Body) -> str:
    raw = _given_id(body)
    if not raw:
        raise RecordError("MISSING_ARGUMENT", "Id not specified in an update call")
    found = ids.normalise(raw)
    if found is None or found[:3] != item.prefix:
        text = f"{item.label} ID: id value of incorrect type: {raw}"
        raise RecordError("MALFORMED_ID", text, ["Id"])
    return found


def _without_id(body: Body) -> Body:
    return {name: value for name, value in body.items() if name.lower() != "id"}


def _saver(state: State, job: IngestJob, item: ObjectType) -> Save:
    """What is done with one row: it answers the record's id and whether it is new."""
    context, schema = state.context, state.org.visible

    def insert(body: Body) -> tuple[str, bool]:
        return records.create(context, schema, item, body), True

    def update(body: Body) -> tuple[str, bool]:
        record = _id(item, body)
        records.update(context, schema, item, record, _without_id(body))
        return record, False

    def upsert(body: Body) -> tuple[str, bool]:
        if job.external_id.lower() == "id":
            return update(body) if _given_id(body) else insert(body)
        key = _key(job, body)
        if key is None:
            raise RecordError("MISSING_ARGUMENT", f"{job.external_id} not specified", [job.external_id])
        field = item.fields[job.external_id.lower()]
        return records.upsert(context, schema, item, field, key, body)

    def delete(body: Body) -> tuple[str, bool]:
        record = _id(item, body)
        deletion.delete(context, item, record)
        return record, False

    def hard_delete(body: Body) -> tuple[str, bool]:
        record = _id(item, body)
        accept.live_row(context, item, record)
        deletion.hard_delete(context, item, record)
        return record, False

    return {
        "insert": insert,
        "update": update,
        "upsert": upsert,
        "delete": delete,
        "hardDelete": hard_delete,
    }[job.operation]
