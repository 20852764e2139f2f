"""Reads the schema files into `Schema`.

A field's keys are those of `Field`, with `to` (the object a reference points to), `as` (its relationship name in a
field path), `children` (the relationship's name seen from the parent) and `name` (it is the name field). Types that
stand for more than one field: `address` (its parts and the compound), `currency_code` (with multi-currency only).
`audit` adds the system fields: full | history (append-only) | setup (no recycle bin).
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from ikaroa_sandbox.salesforce.schema.model import Field, ObjectType, Schema

FILES = ("people", "sales", "products", "setup")
CURRENCIES = ("GBP", "EUR", "USD")
DEFAULT_LENGTHS = {
    "phone": 40,
    "url": 255,
    "email": 80,
    "picklist": 255,
    "multipicklist": 4099,
    "textarea": 255,
}

_USER = {"type": "reference", "to": "User", "readonly": True}
_CREATED: dict[str, dict[str, Any]] = {
    "CreatedDate": {"type": "datetime", "readonly": True},
    "CreatedById": {**_USER, "as": "CreatedBy"},
}
_MODIFIED: dict[str, dict[str, Any]] = {
    "LastModifiedDate": {"type": "datetime", "readonly": True},
    "LastModifiedById": {**_USER, "as": "LastModifiedBy"},
}
_STAMP: dict[str, dict[str, Any]] = {
    "SystemModstamp": {"type": "datetime", "readonly": True, "label": "System Modstamp"}
}
AUDIT: dict[str, dict[str, dict[str, Any]]] = {
    "full": {**_CREATED, **_MODIFIED, **_STAMP},
    "setup": {**_CREATED, **_MODIFIED, **_STAMP},
    "history": {**_CREATED, **_STAMP},
}
_RENAMED = {"to": "refers_to", "as": "relationship", "name": "name_field"}


def label_of(name: str) -> str:
    """A label made of a name: `Payment_Date__c` and `PaymentDate` are both `Payment Date`."""
    words = re.sub(r"__p?c\Z", "", name).replace("_", " ")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", words)
    return re.sub(r" Id\Z", " ID", words)


def make_field(name: str, facts: dict[str, Any]) -> Field:
    """One field of its facts as a schema file (or an edit) gives them. Raises ValueError for an unknown key."""
    facts = {_RENAMED.get(key, key): value for key, value in facts.items()}
    unknown = set(facts) - set(Field.__dataclass_fields__)
    if unknown:
        raise ValueError(f"field {name}: unknown key {', '.join(sorted(unknown))}")
    kind = facts.get("type", "string")
    facts.setdefault("label", label_of(name))
    facts.setdefault("length", 18 if kind == "reference" else DEFAULT_LENGTHS.get(kind, 0))
    if kind in {"double", "currency", "percent"}:
        facts.setdefault("precision", 18)
        facts.setdefault("scale", 2)
    facts["values"] = tuple(str(value) for value in facts.get("values", ()))
    if facts.get("master"):
        facts["cascade"] = True
    return Field(name=name, **facts)


def _address(name: str, facts: dict[str, Any]) -> list[Field]:
    prefix = facts.get("prefix", name)
    compound = f"{prefix}Address"
    shared = {"compound": compound, "feature": facts.get("feature")}
    parts: list[tuple[str, dict[str, Any]]] = [
        ("Street", {"type": "textarea", "length": 255}),
        ("City", {"length": 40}),
        ("State", {"length": 80, "label": f"{label_of(prefix)} State/Province".strip()}),
        ("PostalCode", {"length": 20, "label": f"{label_of(prefix)} Zip/Postal Code".strip()}),
        ("Country", {"length": 80}),
        ("Latitude", {"type": "double", "precision": 18, "scale": 15}),
        ("Longitude", {"type": "double", "precision": 18, "scale": 15}),
        ("GeocodeAccuracy", {"type": "picklist", "values": ["Address", "Street", "Zip", "City", "Unknown"]}),
    ]
    fields = [make_field(prefix + part, {**shared, **more}) for part, more in parts]
    return [
        *fields,
        make_field(compound, {"type": "address", "readonly": True, "feature": facts.get("feature")}),
    ]


def expand(name: str, facts: dict[str, Any] | None) -> list[Field]:
    """The fields that one entry of a schema file stands for."""
    facts = dict(facts or {})
    if facts.get("type") == "address":
        return _address(name, facts)
    if facts.get("type") == "currency_code":
        facts |= {
            "type": "picklist",
            "values": list(CURRENCIES),
            "restricted": True,
            "feature": "multi_currency",
        }
        facts.setdefault("label", "Currency ISO Code")
    return [make_field(name, facts)]


def make_object(name: str, facts: dict[str, Any]) -> ObjectType:
    """One object of its facts, with the system fields its `audit` calls for."""
    audit = facts.get("audit", "full")
    fields = [Field(name="Id", type="id", label=f"{label_of(name)} ID", length=18, readonly=True)]
    if audit != "setup":
        fields.append(make_field("IsDeleted", {"type": "boolean", "readonly": True, "label": "Deleted"}))
    for field_name, entry in facts["fields"].items():
        fields += expand(field_name, entry)
    for field_name, entry in AUDIT[audit].items():
        fields += expand(field_name, entry)
    label = facts.get("label", label_of(name))
    return ObjectType(
        name=name,
        prefix=facts["prefix"],
        label=label,
        plural=facts.get("plural", f"{label}s"),
        fields={field.name.lower(): field for field in fields},
        traits=frozenset(facts.get("traits", ())),
        feature=facts.get("feature"),
    )


@lru_cache(maxsize=1)
def base_schema() -> Schema:
    """Every object and field an org of the sandbox can have, before features and hiding."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    folder = resources.files(__package__) / "objects"
    objects: dict[str, ObjectType] = {}
    for stem in FILES:
        text = (folder / f"{stem}.yaml").read_text(encoding="utf-8")
        for name, facts in yaml.load(text, Loader=loader).items():  # noqa: S506  a safe loader, in C where there is one
            objects[name.lower()] = make_object(name, facts)
    return Schema(objects)
