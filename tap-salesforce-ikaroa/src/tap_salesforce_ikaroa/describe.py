"""What an object is, from its describe: fields, their JSON types, the key to replicate by, its relationships."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from singer_sdk.singerlib.json import serialize_json

from tap_salesforce_ikaroa import soql
from tap_salesforce_ikaroa.answers import learn_names

logger = logging.getLogger("tap-salesforce-ikaroa")
Json = dict[str, Any]
Convert = Callable[[Any], Any]

REPLICATION_KEYS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
_OF_CREATION = frozenset({"CreatedDate", "LoginTime"})
_TEXT_PARTS = (
    "city",
    "country",
    "countryCode",
    "geocodeAccuracy",
    "postalCode",
    "state",
    "stateCode",
    "street",
)
_NUMBER_PARTS = ("latitude", "longitude")


def _nullable(kind: str, **more: Any) -> Json:
    return {"type": [kind, "null"], **more}


def _stamp(value: Any) -> Any:
    # "2026-11-22T10:00:00.000+0000" is not RFC 3339, which JSON Schema's date-time asks for.
    return value[:-5] + "Z" if isinstance(value, str) and value.endswith("+0000") else value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def as_text(value: Any) -> Any:
    """A value of a text field as text, what is no single value as JSON; null stays null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return serialize_json(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _compound(value: Any) -> Any:
    return (
        {part: item for part, item in value.items() if part != "attributes"}
        if isinstance(value, dict)
        else value
    )


_PARTS = {part: _nullable("string") for part in _TEXT_PARTS} | {
    part: _nullable("number") for part in _NUMBER_PARTS
}
_TYPES: dict[str, tuple[Json, Convert | None]] = {
    "boolean": (_nullable("boolean"), None),
    "int": (_nullable("integer"), _whole),
    "long": (_nullable("integer"), _whole),
    "double": (_nullable("number"), None),
    "currency": (_nullable("number"), None),
    "percent": (_nullable("number"), None),
    "date": (_nullable("string", format="date"), None),
    "datetime": (_nullable("string", format="date-time"), _stamp),
    "time": (_nullable("string", format="time"), None),
    "address": (_nullable("object", properties=_PARTS), _compound),
    "location": (
        _nullable("object", properties={part: _nullable("number") for part in _NUMBER_PARTS}),
        _compound,
    ),
}
_ANY_TEXT: tuple[Json, Convert | None] = (_nullable("string"), as_text)
UNREADABLE = frozenset({"base64"})
COMPOUND = frozenset({"address", "location"})


@dataclass(frozen=True)
class Field:
    """One field as this user sees it."""

    name: str
    type: str
    label: str = ""
    calculated: bool = False
    filterable: bool = True
    sortable: bool = True
    nillable: bool = False
    """Whether a row may lack it, as describe says."""
    relationship: str | None = None
    refers_to: tuple[str, ...] = ()
    components: tuple[tuple[str, Field], ...] = ()
    """Of an address or location: the fields that hold its parts, by the part's name."""

    @property
    def is_compound(self) -> bool:
        """Whether its value is an object, made of other fields."""
        return self.type in COMPOUND

    @property
    def can_be_key(self) -> bool:
        """Whether it tells what is new: a moment that rows may be chosen and ordered by."""
        return self.type == "datetime" and self.filterable and self.sortable

    @property
    def schema(self) -> Json:
        """Its JSON Schema. Only Id is never null; an unknown type is text."""
        kind = {"type": "string"} if self.name == "Id" else dict(_TYPES.get(self.type, _ANY_TEXT)[0])
        if self.calculated:
            kind["description"] = "Formula: a change of its value alone does not move SystemModstamp"
        return kind

    @property
    def convert(self) -> Convert | None:
        """How a value of the REST answer becomes one of the record; None where it is the same."""
        return _TYPES.get(self.type, _ANY_TEXT)[1]


@dataclass(frozen=True)
class ChildLink:
    """A relationship from an object to the rows that refer to it."""

    relationship: str
    object: str
    field: str


@dataclass(frozen=True)
class ObjectDescribe:
    """One object as this user sees it. Fields hidden from the user are simply not there."""

    name: str
    label: str
    queryable: bool
    replicateable: bool
    updateable: bool
    """Whether this user may change rows. Where not, others may all the same."""
    fields: Mapping[str, Field]
    children: Mapping[str, ChildLink]

    @cached_property
    def replication_key(self) -> str | None:
        """The field to replicate by; None means full table, as where rows change and only their creation is stamped."""
        return None if self.updateable and self.stamp in _OF_CREATION else self.stamp

    @cached_property
    def stamp(self) -> str | None:
        """The field that tells most of what is new: the first known one that serves."""
        return next(
            (name for name in REPLICATION_KEYS if name in self.fields and self.fields[name].can_be_key), None
        )

    @property
    def has_deleted_flag(self) -> bool:
        """Whether rows carry IsDeleted, which is what queryAll and a recycle bin need."""
        return "IsDeleted" in self.fields

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a parent relationship that leads to one kind of object."""
        for field in self.fields.values():
            if field.relationship == relationship and len(field.refers_to) == 1:
                return field
        return None


def parse_object(raw: Mapping[str, Any]) -> ObjectDescribe:
    """An object's describe answer, the parts that count here."""
    entries = [entry for entry in raw.get("fields") or () if _has_name(entry, raw["name"])]
    learn_names([raw["name"], *(entry["name"] for entry in entries)])
    parts = _components(entries)
    fields = (_parse_field(entry, parts.get(entry["name"], ())) for entry in entries)
    return ObjectDescribe(
        name=raw["name"],
        label=raw.get("label") or raw["name"],
        queryable=bool(raw.get("queryable")),
        replicateable=bool(raw.get("replicateable")),
        updateable=bool(raw.get("updateable")),
        fields={field.name: field for field in fields if field.type not in UNREADABLE},
        children={link.relationship: link for link in _child_links(raw.get("childRelationships") or ())},
    )


def _components(entries: Iterable[Mapping[str, Any]]) -> dict[str, tuple[tuple[str, Field], ...]]:
    found: dict[str, list[tuple[str, Field]]] = {}
    for entry in entries:
        whole = str(entry.get("compoundFieldName") or "")
        part = _part_of(entry["name"]) if whole and whole != entry["name"] else None
        if part:
            found.setdefault(whole, []).append((part, _parse_field(entry)))
    return {whole: tuple(sorted(parts, key=lambda item: item[0])) for whole, parts in found.items()}


def _part_of(name: str) -> str | None:
    """The part that a component field holds: `BillingPostalCode` and `Site__PostalCode__s` hold `postalCode`."""
    plain = name.removesuffix("__s")
    known = sorted((*_TEXT_PARTS, *_NUMBER_PARTS), key=len, reverse=True)
    return next((part for part in known if plain.lower().endswith(part.lower())), None)


def _parse_field(raw: Mapping[str, Any], components: tuple[tuple[str, Field], ...] = ()) -> Field:
    return Field(
        components=components,
        name=raw["name"],
        type=str(raw.get("type") or "").lower(),
        label=raw.get("label") or "",
        calculated=bool(raw.get("calculated")),
        filterable=bool(raw.get("filterable", True)),
        sortable=bool(raw.get("sortable", True)),
        nillable=bool(raw.get("nillable")),
        relationship=_relationship(raw),
        refers_to=tuple(raw.get("referenceTo") or ()),
    )


def _child_links(raw: Iterable[Mapping[str, Any]]) -> Iterable[ChildLink]:
    for entry in raw:
        if (relationship := _relationship(entry)) and not entry.get("deprecatedAndHidden"):
            yield ChildLink(relationship, entry["childSObject"], entry["field"])


def _has_name(entry: Mapping[str, Any], owner: str) -> bool:
    name = entry["name"]
    if isinstance(name, str) and soql.is_name(name):
        return True
    logger.warning("%s has a field whose name no query can hold: it is left out", owner)
    return False


def _relationship(raw: Mapping[str, Any]) -> str | None:
    name = raw.get("relationshipName")
    return name if isinstance(name, str) and soql.is_name(name) else None


def is_readable(brief: Mapping[str, Any]) -> bool:
    """Whether an object of the global describe can be a stream."""
    return (
        bool(brief.get("queryable"))
        and not brief.get("deprecatedAndHidden")
        and soql.is_name(str(brief["name"]))
        and not str(brief["name"]).endswith("ChangeEvent")
    )
