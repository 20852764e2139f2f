"""From a JSON body to values: which fields may be set, what they may hold, what must be there."""

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.salesforce.errors import RecordError, entity_deleted
from ikaroa_sandbox.salesforce.schema.model import Field, ObjectType, Schema
from ikaroa_sandbox.salesforce.store.context import Context
from ikaroa_sandbox.salesforce.store.database import Row, fold
from ikaroa_sandbox.salesforce.values import parse

INSERT, UPDATE = "insert", "update"


def accept(context: Context, schema: Schema, item: ObjectType, body: dict[str, Any], verb: str) -> Row:
    """The values a body sets. Raises RecordError for the first field Salesforce would refuse."""
    values: Row = {}
    refused: list[str] = []
    for key, raw in body.items():
        if key == "attributes":
            continue
        field = item.field(key)
        if field is None:
            field = item.parent(key) if isinstance(raw, dict) else None
            if field is None:
                raise RecordError("INVALID_FIELD", f"No such column '{key}' on sobject of type {item.name}")
            raw = _by_external_id(context, schema, field, raw)  # noqa: PLW2901  the reference it stands for
        if not (field.createable if verb == INSERT else field.updateable):
            refused.append(field.name)
            continue
        values[field.name] = parse(field, raw)
    if refused:
        text = (
            f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this "
            "field and verify that it is read/write for your profile or permission set."
        )
        raise RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", text, refused)
    return values


def _by_external_id(context: Context, schema: Schema, field: Field, raw: dict[str, Any]) -> str:
    target = schema.get(field.refers_to or "")
    keys = [key for key in raw if key != "attributes"]
    key_field = target.field(keys[0]) if target and len(keys) == 1 else None
    if target is None or key_field is None or not (key_field.external or key_field.idlookup):
        text = f"The external foreign key reference does not reference a valid entity: {field.relationship}"
        raise RecordError("INVALID_FIELD", text)
    found = find_by_key(context, target, key_field, str(raw[keys[0]]))
    if len(found) == 1:
        return found[0]
    text = f"Foreign key external ID: {fold(str(raw[keys[0]]))} not found for field {key_field.name} in entity {target.name}"
    if found:
        text = f"{target.name}: more than one record found for external id field: {found}"
    raise RecordError("DUPLICATE_EXTERNAL_ID" if found else "INVALID_FIELD", text)


def find_by_key(context: Context, item: ObjectType, field: Field, value: str) -> list[str]:
    """Ids of the live records whose key field holds this value, whatever its case."""
    live = ' AND "IsDeleted" = 0' if item.has_bin else ""
    return context.db.ids(item, f'fold("{field.name}") = ?{live}', [fold(value)])


def check_row(context: Context, item: ObjectType, row: Row, changed: Row) -> None:
    """Required fields, references and unique values of a row about to be saved."""
    missing = [
        field.name
        for field in item.fields.values()
        if field.required and context.org.on(field.feature) and row.get(field.name) is None
    ]
    if missing:
        text = f"Required fields are missing: [{', '.join(missing)}]"
        raise RecordError("REQUIRED_FIELD_MISSING", text, missing)
    for name, value in changed.items():
        field = item.fields[name.lower()]
        if value is None:
            continue
        if field.type == "reference":
            _check_reference(context, field, str(value))
        if field.unique:
            _check_unique(context, item, field, str(row["Id"]), str(value))


def _check_reference(context: Context, field: Field, value: str) -> None:
    target = context.org.full[field.refers_to or ""]
    if not value.startswith(target.prefix):
        text = f"{field.label}: id value of incorrect type: {value}"
        raise RecordError("MALFORMED_ID", text, [field.name])
    row = context.db.get(target, value)
    if row is None:
        raise RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
    if row.get("IsDeleted"):
        raise RecordError("ENTITY_IS_DELETED", "entity is deleted", [field.name])


def _check_unique(context: Context, item: ObjectType, field: Field, own_id: str, value: str) -> None:
    others = [found for found in find_by_key(context, item, field, value) if found != own_id]
    if others:
        text = f"duplicate value found: {field.name} duplicates value on record with id: {others[0][:15]}"
        raise RecordError("DUPLICATE_VALUE", text, [field.name])


def live_row(context: Context, item: ObjectType, record_id: str) -> Row:
    """The row of an id that a write names. Raises RecordError when it is gone, deleted or locked."""
    row = context.db.get(item, record_id)
    if row is None:
        gone = context.db.query("SELECT 1 FROM _deletions WHERE id = ? LIMIT 1", [record_id])
        if gone:
            raise entity_deleted()
        raise RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
    if row.get("IsDeleted"):
        raise entity_deleted()
    check_lock(context, record_id)
    return row


def check_lock(context: Context, record_id: str) -> None:
    """Raises RecordError when an open transaction holds the record."""
    if context.locks.get(record_id, context.transaction) != context.transaction:
        text = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
        raise RecordError("UNABLE_TO_LOCK_ROW", text)
