"""Single records: read, create, change, delete, upsert by external id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, ids, wire
from ikaroa_sandbox.salesforce.rest import query
from ikaroa_sandbox.salesforce.rest.call import Call, key_field, record_id
from ikaroa_sandbox.salesforce.schema.model import Field, ObjectType
from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.store import deletion, records
from ikaroa_sandbox.salesforce.store.database import Row


def show(call: Call, item: ObjectType, record: str, wanted: list[Field] | None = None) -> Any:
    """The JSON of a record as GET shows it: formula fields too, so it is read by query. `record` has 18 characters."""
    fields = wanted if wanted is not None else list(item.fields.values())
    path = tuple(ast.Item(ast.Path((field.name,), 0)) for field in fields)
    where = ast.Comparison(ast.Path(("Id",), 0), "=", ast.Literal("string", f"'{record}'", 0))
    return query.first_record(call, ast.Query(path, item.name, 0, where))


def _row(call: Call, item: ObjectType, record: str) -> Row:
    row = call.state.db.get(item, record)
    if row is None:
        raise errors.no_such_record(record)
    if row.get("IsDeleted"):
        raise errors.entity_deleted()
    return row


def named_fields(item: ObjectType, names: Iterable[str]) -> list[Field]:
    """The fields of these names, each once, Id first. Raises RecordError for one that is not there."""
    fields = [item.fields["id"]]
    for name in names:
        field = item.field(name.strip())
        if field is None:
            text = f"No such column '{name.strip()}' on sobject of type {item.name}"
            raise errors.RecordError("INVALID_FIELD", text)
        if field not in fields:
            fields.append(field)
    return fields


def _wanted(call: Call, item: ObjectType) -> list[Field] | None:
    names = call.params("fields").get("fields")
    return None if names is None else named_fields(item, names.split(","))


def get(call: Call) -> Response:
    """GET sobjects/X/{id}."""
    item = call.object(call.parts[1])
    wanted = _wanted(call, item)
    return _shown(call, item, record_id(item, call.parts[2]), wanted)


def _shown(call: Call, item: ObjectType, record: str, wanted: list[Field] | None) -> Response:
    """The record, or 304 when If-Modified-Since says that the client has it as it is."""
    row = _row(call, item, record)
    _precondition(call, row)
    since = call.header_time("If-Modified-Since")
    if since is not None and _changed(row) <= since:
        return wire.empty_response(304)
    return wire.json_response(show(call, item, record, wanted))


def create(call: Call) -> Response:
    """POST sobjects/X."""
    call.params()
    item = call.object(call.parts[1])
    made = records.create(call.state.context, call.state.org.visible, item, call.json_object())
    body = {"id": made, "success": True, "errors": []}
    return wire.json_response(body, 201, {"Location": f"{call.base}/sobjects/{item.name}/{made}"})


def update(call: Call) -> Response:
    """PATCH sobjects/X/{id}."""
    call.params()
    item = call.object(call.parts[1])
    body = call.json_object()
    if any(key.lower() == "id" for key in body):
        text = "The Id field should not be specified in the sobject data."
        raise errors.RecordError("INVALID_FIELD", text, ["Id"])
    record = record_id(item, call.parts[2])
    _precondition(call, _row(call, item, record))
    records.update(call.state.context, call.state.org.visible, item, record, body)
    return wire.empty_response()


def _changed(row: Row) -> datetime:
    """When a record was last changed, in whole seconds as HTTP's dates are; what is never changed has its making only."""
    stamp = next(row[name] for name in ("LastModifiedDate", "SystemModstamp", "CreatedDate") if name in row)
    return wire.parse_stored(str(stamp)).replace(microsecond=0)


def _precondition(call: Call, row: Row) -> None:
    """Raises ResourceError (412) when the record is newer than If-Unmodified-Since."""
    since = call.header_time("If-Unmodified-Since")
    if since is not None and _changed(row) > since:
        text = "The record has been modified since the given time"
        raise errors.ResourceError("PRECONDITION_FAILED", text, status=412)


def delete(call: Call) -> Response:
    """DELETE sobjects/X/{id}."""
    call.params()
    item = call.object(call.parts[1])
    record = record_id(item, call.parts[2])
    _precondition(call, _row(call, item, record))
    deletion.delete(call.state.context, item, record)
    return wire.empty_response()


def _several(call: Call, error: records.AmbiguousKeyError) -> Response:
    return wire.json_response([f"{call.base}/sobjects/{error.item.name}/{one}" for one in error.found], 300)


def get_by_key(call: Call) -> Response:
    """GET sobjects/X/{external id field}/{value}."""
    item = call.object(call.parts[1])
    wanted = _wanted(call, item)
    field = key_field(item, call.parts[2])
    try:
        found = _find(call, item, field, call.parts[3])
    except records.AmbiguousKeyError as error:
        return _several(call, error)
    if found is None:
        raise errors.not_found()
    return _shown(call, item, found, wanted)


def _find(call: Call, item: ObjectType, field: Field, value: str) -> str | None:
    if field.type == "id":
        found = ids.normalise(value)
        row = call.state.db.get(item, found) if found else None
        return found if row is not None and not row.get("IsDeleted") else None
    return records.find(call.state.context, item, field, value)


def upsert(call: Call) -> Response:
    """PATCH sobjects/X/{external id field}/{value}: 201 made, 200 changed, 300 when several records match."""
    update_only = call.params("updateOnly").get("updateOnly", "").lower() == "true"
    item = call.object(call.parts[1])
    field = key_field(item, call.parts[2])
    body = call.json_object()
    if any(key.lower() == field.name.lower() for key in body):
        text = f"The {field.name} field should not be specified in the sobject data."
        raise errors.RecordError("INVALID_FIELD", text, [field.name])
    try:
        there = _find(call, item, field, call.parts[3])
        if there is not None:
            _precondition(call, _row(call, item, there))
        elif update_only:
            raise errors.not_found()
        made, created = records.upsert(
            call.state.context, call.state.org.visible, item, field, call.parts[3], body
        )
    except records.AmbiguousKeyError as error:
        return _several(call, error)
    answer = {"id": made, "success": True, "errors": [], "created": created}
    headers = {"Location": f"{call.base}/sobjects/{item.name}/{made}"} if created else {}
    return wire.json_response(answer, 201 if created else 200, headers)


def delete_by_key(call: Call) -> Response:
    """DELETE sobjects/X/{external id field}/{value}."""
    call.params()
    item = call.object(call.parts[1])
    try:
        found = _find(call, item, key_field(item, call.parts[2]), call.parts[3])
    except records.AmbiguousKeyError as error:
        return _several(call, error)
    if found is None:
        raise errors.not_found()
    _precondition(call, _row(call, item, found))
    deletion.delete(call.state.context, item, found)
    return wire.empty_response()
