"""What an org's objects and fields are: immutable facts, as the describe calls report them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

TEXT_TYPES = frozenset(
    {
        "string",
        "textarea",
        "phone",
        "url",
        "email",
        "picklist",
        "multipicklist",
        "combobox",
        "encryptedstring",
    }
)
NUMBER_TYPES = frozenset({"double", "currency", "percent"})


@dataclass(frozen=True)
class Field:
    """One field. `scale` is the number of decimals kept; `feature` names the switch without which it is not there."""

    name: str
    type: str = "string"
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    refers_to: str | None = None
    relationship: str | None = None
    children: str | None = None
    cascade: bool = False
    restrict: bool = False
    master: bool = False
    values: tuple[str, ...] = ()
    restricted: bool = False
    required: bool = False
    readonly: bool = False
    createonly: bool = False
    name_field: bool = False
    external: bool = False
    unique: bool = False
    idlookup: bool = False
    compound: str | None = None
    formula: str | None = None
    autonumber: str | None = None
    default: str | int | bool | None = None
    feature: str | None = None

    @property
    def custom(self) -> bool:
        """Whether an administrator made it."""
        return self.name.endswith(("__c", "__pc"))

    @property
    def calculated(self) -> bool:
        """Whether it is a formula: computed when read, moving no time stamp."""
        return self.formula is not None

    @property
    def stored(self) -> bool:
        """Whether it has a column of its own."""
        return self.formula is None and self.type != "address"

    @property
    def long_text(self) -> bool:
        """Long text can be neither filtered, sorted nor grouped."""
        return self.type == "textarea" and self.length > 255

    @property
    def filterable(self) -> bool:
        """Whether WHERE may name it."""
        return not self.long_text and self.type != "address"

    @property
    def sortable(self) -> bool:
        """Whether ORDER BY may name it."""
        return self.filterable and self.type != "multipicklist"

    @property
    def groupable(self) -> bool:
        """Whether GROUP BY may name it."""
        return self.filterable and self.type not in {"multipicklist", "datetime", *NUMBER_TYPES}

    @property
    def createable(self) -> bool:
        """Whether an insert may set it."""
        return self.stored and not self.readonly

    @property
    def updateable(self) -> bool:
        """Whether an update may set it."""
        return self.createable and not self.createonly

    @property
    def nillable(self) -> bool:
        """Whether it may be empty."""
        return not (self.required or self.type in {"id", "boolean"} or self.name_field)


@dataclass(frozen=True)
class ObjectType:
    """One sObject type: its fields by lower-case name, in the order describe lists them."""

    name: str
    prefix: str
    label: str
    plural: str
    fields: dict[str, Field]
    traits: frozenset[str] = frozenset()
    feature: str | None = None
    hidden: dict[str, Field] = field(default_factory=dict)
    """Fields that the user may not see; formulas read them all the same."""

    @property
    def custom(self) -> bool:
        """Whether an administrator made it."""
        return self.name.endswith("__c")

    @property
    def writable(self) -> bool:
        """Whether the record APIs may create and change rows."""
        return "read_only" not in self.traits

    @property
    def deletable(self) -> bool:
        """Whether the record APIs may delete rows."""
        return self.writable and "no_delete" not in self.traits

    @property
    def replicateable(self) -> bool:
        """Whether /updated and /deleted serve it."""
        return "no_replication" not in self.traits

    @property
    def has_bin(self) -> bool:
        """Whether it has IsDeleted, so that deleted rows stay to be seen by queryAll."""
        return "isdeleted" in self.fields

    def field(self, name: str) -> Field | None:
        """The field of this name, whatever its case."""
        return self.fields.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        """The reference field that a relationship name in a field path goes through."""
        wanted = relationship.lower()
        return next(
            (f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None
        )

    @property
    def stamp(self) -> str | None:
        """The field that says when a row last changed for the replication calls."""
        for name in ("SystemModstamp", "LastModifiedDate", "CreatedDate"):
            if name.lower() in self.fields:
                return name
        return None

    @cached_property
    def stored_fields(self) -> tuple[Field, ...]:
        """The fields with a column of their own."""
        return tuple(field for field in self.fields.values() if field.stored)

    @cached_property
    def columns(self) -> str:
        """Their columns, as SQL lists them."""
        return ", ".join(f'"{field.name}"' for field in self.stored_fields)

    @cached_property
    def blank(self) -> dict[str, bool | None]:
        """What they hold in a row that names none of them: nothing; a checkbox is off."""
        return {field.name: False if field.type == "boolean" else None for field in self.stored_fields}

    @cached_property
    def numbers(self) -> dict[str, Field]:
        """Those that hold an exact number."""
        return {field.name: field for field in self.stored_fields if field.type in NUMBER_TYPES}

    @property
    def name_field(self) -> Field:
        """The field people know a record by."""
        return next((f for f in self.fields.values() if f.name_field), self.fields["id"])


@dataclass(frozen=True)
class Child:
    """A relationship seen from the parent: `object` has `field`, which points to the parent."""

    object: str
    field: str
    relationship: str | None
    cascade: bool
    restrict: bool


@dataclass(frozen=True, eq=False)
class Schema:
    """The objects of an org, by lower-case name. Two schemas are the same only if they are one."""

    objects: dict[str, ObjectType] = field(default_factory=dict)

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self.objects.values())

    def get(self, name: str) -> ObjectType | None:
        """The object of this name, whatever its case."""
        return self.objects.get(name.lower())

    def __getitem__(self, name: str) -> ObjectType:
        return self.objects[name.lower()]

    def children(self, parent: str) -> list[Child]:
        """Every reference field that points to `parent`."""
        return [
            Child(item.name, f.name, f.children, f.cascade, f.restrict)
            for item in self
            for f in item.fields.values()
            if f.refers_to == parent
        ]

    def by_prefix(self, record_id: str) -> ObjectType | None:
        """The object whose records' ids begin like this one."""
        return next((item for item in self if item.prefix == record_id[:3]), None)
