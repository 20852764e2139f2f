"""sObject collections: up to 200 records a request, each with its own result; 200 even when rows fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, ids, limits, wire
from ikaroa_sandbox.salesforce.rest import rows
from ikaroa_sandbox.salesforce.rest.call import Call, key_field
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.store import deletion, records

Result = dict[str, Any]
Act = Callable[[Any], Result]


def _one(call: Call, item: Any, act: Act) -> Result:
    """One item's result; what a failing one has done is undone."""
    try:
        with call.state.context.atomic():
            return act(item)
    except errors.SalesforceError as error:
        return {"success": False, "errors": [error.row()]}


def _collect(call: Call, items: list[Any], act: Act, *, all_or_none: bool) -> Response:
    """Applies `act` to each item; with `all_or_none` one failure undoes them all."""
    with call.state.context.atomic() as work:
        results = [_one(call, item, act) for item in items]
        work.undo = all_or_none and not all(one["success"] for one in results)
    if work.undo:
        undone = errors.RecordError(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        )
        results = [
            one if not one["success"] else {"success": False, "errors": [undone.row()]} for one in results
        ]
    return wire.json_response(results)


def _body(call: Call) -> tuple[list[dict[str, Any]], bool]:
    body = call.json_object()
    found = body.get("records")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise errors.RecordError("INVALID_INPUT", "The records parameter must be a list of sObjects")
    unknown = set(body) - {"records", "allOrNone"}
    if unknown:
        text = f'Unrecognized field "{min(unknown)}"'
        raise errors.RecordError("JSON_PARSER_ERROR", text)
    _check_count(len(found))
    return found, body.get("allOrNone") is True


def _check_count(count: int) -> None:
    if count > limits.COLLECTION_RECORDS_MAX:
        text = f"record batch size cannot exceed {limits.COLLECTION_RECORDS_MAX}"
        raise errors.RecordError("EXCEEDED_ID_LIMIT", text)


def _type(call: Call, record: dict[str, Any]) -> ObjectType:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    found = call.state.org.visible.get(name) if isinstance(name, str) else None
    if found is None:
        text = (
            f"sObject type '{name}' is not supported."
            if name
            else "The attributes.type of a record must be given"
        )
        raise errors.RecordError("INVALID_TYPE" if name else "INVALID_INPUT", text)
    return found


def _id(item: ObjectType, record: dict[str, Any]) -> str:
    raw = next((value for key, value in record.items() if key.lower() == "id"), None)
    if raw is None:
        raise errors.RecordError("MISSING_ARGUMENT", "Id not specified in an update call")
    found = ids.normalise(raw) if isinstance(raw, str) else None
    if found is None or found[:3] != item.prefix:
        raise errors.RecordError(
            "MALFORMED_ID", f"{item.label} ID: id value of incorrect type: {raw}", ["Id"]
        )
    return found


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key.lower() not in {"id", "attributes"}}


def _twice(keys: list[str | None]) -> set[str]:
    """Keys that more than one record of the request names, so that none of them can say what it should become."""
    return {key for key, count in Counter(keys).items() if key is not None and count > 1}


def _value(record: dict[str, Any], name: str) -> str | None:
    """A field of a record as text, whatever the case of its name; None where there is nothing in it."""
    found = next((value for key, value in record.items() if key.lower() == name.lower()), None)
    return None if found in (None, "") else str(found)


def create(call: Call) -> Response:
    """POST composite/sobjects."""
    call.params()
    found, all_or_none = _body(call)

    def act(record: dict[str, Any]) -> Result:
        values = {key: value for key, value in record.items() if key != "attributes"}
        made = records.create(call.state.context, call.state.org.visible, _type(call, record), values)
        return {"id": made, "success": True, "errors": []}

    return _collect(call, found, act, all_or_none=all_or_none)


def update(call: Call) -> Response:
    """PATCH composite/sobjects, each record with its id."""
    call.params()
    found, all_or_none = _body(call)
    twice = _twice([ids.normalise(_value(record, "Id") or "") for record in found])

    def act(record: dict[str, Any]) -> Result:
        item = _type(call, record)
        changed = _id(item, record)
        if changed in twice:
            raise errors.RecordError("DUPLICATE_VALUE", f"Duplicate id specified: {changed}", ["Id"])
        records.update(call.state.context, call.state.org.visible, item, changed, _fields(record))
        return {"id": changed, "success": True, "errors": []}

    return _collect(call, found, act, all_or_none=all_or_none)


def upsert(call: Call) -> Response:
    """PATCH composite/sobjects/X/{external id field}."""
    call.params()
    item = call.object(call.parts[2])
    field = key_field(item, call.parts[3])
    found, all_or_none = _body(call)
    twice = _twice([(_value(record, field.name) or "").lower() or None for record in found])

    def act(record: dict[str, Any]) -> Result:
        if _type(call, record).name != item.name:
            text = f"all records must be of type {item.name}"
            raise errors.RecordError("INVALID_TYPE", text)
        key = _value(record, field.name)
        if key is None:
            raise errors.RecordError("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
        if key.lower() in twice:
            text = f"Duplicate external id specified: {key}"
            raise errors.RecordError("DUPLICATE_VALUE", text, [field.name])
        made, created = records.upsert(
            call.state.context, call.state.org.visible, item, field, key, _fields(record)
        )
        return {"id": made, "success": True, "errors": [], "created": created}

    return _collect(call, found, act, all_or_none=all_or_none)


def delete(call: Call) -> Response:
    """DELETE composite/sobjects?ids=a,b."""
    params = call.params("ids", "allOrNone")
    wanted = [one.strip() for one in params.get("ids", "").split(",") if one.strip()]
    _check_count(len(wanted))

    def act(raw: str) -> Result:
        found = ids.normalise(raw)
        item = call.state.org.visible.by_prefix(raw) if found else None
        if found is None or item is None:
            raise errors.RecordError("MALFORMED_ID", f"malformed id {raw}")
        deletion.delete(call.state.context, item, found)
        return {"id": found, "success": True, "errors": []}

    return _collect(call, wanted, act, all_or_none=params.get("allOrNone", "").lower() == "true")


def retrieve(call: Call) -> Response:
    """GET composite/sobjects/X?ids=&fields=, or POST with the same in the body. A record not there is null."""
    item = call.object(call.parts[2])
    if call.request.method == "POST":
        call.params()
        body = call.json_object()
        wanted, names = body.get("ids"), body.get("fields")
        if not isinstance(wanted, list) or not isinstance(names, list):
            raise errors.RecordError("INVALID_INPUT", "ids and fields must be lists")
    else:
        params = call.params("ids", "fields")
        wanted, names = (params.get(one, "").split(",") for one in ("ids", "fields"))
    if len(wanted) > limits.COLLECTION_GET_MAX:
        text = f"record batch size cannot exceed {limits.COLLECTION_GET_MAX}"
        raise errors.RecordError("EXCEEDED_ID_LIMIT", text)
    fields = rows.named_fields(item, map(str, names))
    found = []
    for one in wanted:
        record = ids.normalise(str(one).strip())
        row = call.state.db.get(item, record) if record else None
        gone = row is None or row.get("IsDeleted") or record is None
        found.append(None if gone else rows.show(call, item, str(record), fields))
    return wire.json_response(found)
