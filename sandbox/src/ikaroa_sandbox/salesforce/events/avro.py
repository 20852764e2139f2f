"""The Avro schema of an object's change event, and an event in binary under it.

The header comes first, then each field as a union with null; addresses and personal names are records; dates and
date-times are milliseconds. Which fields changed is told by bitmaps over the schema's own order: `0x..` for the top level,
`n-0x..` for the parts of field n. (Salesforce change data capture guide; Pub/Sub API docs.)
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import fastavro

from ikaroa_sandbox.salesforce.schema.model import NUMBER_TYPES, Field, ObjectType

NAMESPACE = "com.sforce.eventbus"
UNTOLD = frozenset({"Id", "IsDeleted", "SystemModstamp"})
"""Never in a body: the id is in the header, the other two are nowhere."""
CHANGE_TYPES = [
    "CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW",
    "SNAPSHOT",
]  # fmt: skip
_TEXTS = {"type": "array", "items": "string"}
_HEADER = {
    "name": "ChangeEventHeader",
    "type": {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": _TEXTS},
            {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": CHANGE_TYPES}},
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            {"name": "nulledFields", "type": _TEXTS},
            {"name": "diffFields", "type": _TEXTS},
            {"name": "changedFields", "type": _TEXTS},
        ],
    },
}


@dataclass(frozen=True)
class EventSchema:
    """The change event of one object."""

    name: str
    json: str
    id: str
    places: dict[str, tuple[int, int | None]]
    """Field -> (place at the top, place within its compound)."""
    compounds: dict[str, str]
    """Part -> its compound."""


def event_name(item: ObjectType) -> str:
    """`AccountChangeEvent`, `Thing__ChangeEvent`."""
    return f"{item.name.removesuffix('c')}ChangeEvent" if item.custom else f"{item.name}ChangeEvent"


def body_fields(item: ObjectType) -> list[str]:
    """The stored fields whose values a body may hold, parts of compounds included."""
    return [f.name for f in item.fields.values() if f.stored and f.name not in UNTOLD]


def _kind(field: Field) -> str:
    if field.type in NUMBER_TYPES:
        return "double"
    return {"boolean": "boolean", "int": "int", "date": "long", "datetime": "long"}.get(field.type, "string")


@lru_cache(maxsize=64)
def _schema(name: str, fields: tuple[Field, ...]) -> EventSchema:
    item_fields = {f.name: f for f in fields}
    listed: list[dict[str, Any]] = [_HEADER]
    places: dict[str, tuple[int, int | None]] = {}
    compounds: dict[str, str] = {}
    for field in fields:
        if field.name in UNTOLD or (field.compound in item_fields):
            continue
        parts = [f for f in fields if f.compound == field.name]
        kind: Any = _kind(field)
        if parts:
            person = field.type != "address"
            kind = {
                "type": "record",
                "name": "Switchable_PersonName" if person else f"{field.name}_Address",
                "fields": [
                    {"name": _part_name(field, f), "type": ["null", _kind(f)], "default": None} for f in parts
                ],
            }
            for number, part in enumerate(parts):
                places[part.name] = (len(listed), number)
                compounds[part.name] = field.name
        places[field.name] = (len(listed), None)
        union = ["null", "string", kind] if parts and field.type != "address" else ["null", kind]
        listed.append({"name": field.name, "type": union, "default": None})
    text = json.dumps(
        {"type": "record", "name": name, "namespace": NAMESPACE, "fields": listed}, separators=(",", ":")
    )
    digest = hashlib.sha256(text.encode()).digest()
    return EventSchema(name, text, base64.urlsafe_b64encode(digest).decode()[:22], places, compounds)


def _part_name(whole: Field, part: Field) -> str:
    """`BillingStreet` is `Street` inside `BillingAddress`."""
    prefix = whole.name.removesuffix("Address") if whole.type == "address" else ""
    return part.name.removeprefix(prefix) if prefix else part.name


def schema_of(item: ObjectType) -> EventSchema:
    """The schema of an object's change event, made of the fields that the subscriber sees."""
    return _schema(event_name(item), tuple(item.fields.values()))


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    return fastavro.parse_schema(json.loads(text))


def encode(item: ObjectType, header: dict[str, Any], parts: dict[str, Any]) -> bytes:
    """One event in binary. `parts`: values by field name, and the names of changed, nulled and diff fields."""
    schema = schema_of(item)
    whole = {
        **header,
        "nulledFields": bitmaps(schema, parts.get("nulled", ())),
        "diffFields": bitmaps(schema, parts.get("diff", ())),
        "changedFields": bitmaps(schema, parts.get("changed", ())),
    }
    record: dict[str, Any] = {"ChangeEventHeader": whole}
    for name, value in parts.get("values", {}).items():
        field = item.field(name)
        if field is None or name not in schema.places:
            continue
        told = _told(field, value)
        compound = schema.compounds.get(name)
        if compound is None:
            record.setdefault(name, told)
        else:
            if not isinstance(record.get(compound), dict):
                record[compound] = {}  # a person's name is told by its parts, a company's as text
            record[compound][_part_name(item.fields[compound.lower()], field)] = told
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _parsed(schema.json), record)
    return out.getvalue()


def _told(field: Field, value: Any) -> Any:
    kind = _kind(field)
    if kind == "double":
        return float(value)
    if kind != "long":
        return value
    moment = datetime.fromisoformat(value).replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1_000)


def bitmaps(schema: EventSchema, names: Any) -> list[str]:
    """Which fields, as Salesforce tells it."""
    top = 0
    nested: dict[int, int] = {}
    for name in names:
        place = schema.places.get(name)
        if place is None:
            continue
        if place[1] is None:
            top |= 1 << place[0]
        else:
            nested[place[0]] = nested.get(place[0], 0) | 1 << place[1]
    told = [_hex(top)] if top else []
    return told + [f"{place}-{_hex(bits)}" for place, bits in sorted(nested.items())]


def _hex(bits: int) -> str:
    digits = f"{bits:X}"
    return f"0x{digits.zfill(len(digits) + len(digits) % 2)}"


def unified_diff(old: str, new: str) -> str:
    """How a change of a long text is told: a unified diff under the SHA-256 of the new value."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    return "\n".join(["--- ", f"+++ {hashlib.sha256(new.encode()).hexdigest()}", *lines])
