"""Which fields an event says have changed: bitmaps over the fields of its Avro schema.

`0x410000` has a bit for each field, the lowest one for the first; `3-0x1F` has one for each field inside field 3. Source:
Change Data Capture docs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def changed_names(schema: Schema, bitmaps: Iterable[str]) -> frozenset[str]:
    """The names of the fields that bitmaps stand for; inside a compound one `BillingAddress.City`, or `.*` for any.

    Raises:
        ValueError: a bitmap does not fit the schema, so nothing is known.
    """
    fields = schema["fields"]
    found: set[str] = set()
    for bitmap in bitmaps:
        parent, dash, bits = bitmap.rpartition("-")
        if not dash:
            changed = _set(fields, bits)
            found |= {field["name"] for field in changed}
            found |= {f"{field['name']}.*" for field in changed if _members(field["type"])}
            continue
        if not parent.isdecimal() or int(parent) >= len(fields):
            raise ValueError(f"no field {parent[:12]}")
        whole = fields[int(parent)]
        found |= {f"{whole['name']}.{field['name']}" for field in _set(_inside(whole["type"]), bits)}
    return frozenset(found)


def _set(fields: Sequence[Schema], bits: str) -> list[Schema]:
    value = int(bits, 16)
    if value.bit_length() > len(fields):
        raise ValueError(f"a bitmap has {value.bit_length()} bits for {len(fields)} fields")
    return [field for place, field in enumerate(fields) if value >> place & 1]


def _inside(kind: Any) -> Sequence[Schema]:
    if members := _members(kind):
        return members
    raise ValueError("bits inside a field that holds no fields")


def _members(kind: Any) -> Sequence[Schema]:
    """The fields of a record type, also of one that may be null or text instead; none of another type."""
    for option in kind if isinstance(kind, list) else [kind]:
        if isinstance(option, Mapping) and "fields" in option:
            fields: Sequence[Schema] = option["fields"]
            return fields
    return ()
