"""What one record of a stream holds: an object's columns, parent fields in it, whole lists of child rows.

A `Shape` is made from the describes and the `aggregates` setting (`shape_of`), then narrowed to what the catalog
selects (`Shape.narrowed`).
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.describe import Field, ObjectDescribe
from tap_salesforce_ikaroa.errors import SettingsError

logger = logging.getLogger("tap-salesforce-ikaroa")

DEFAULT_AGGREGATES: dict[str, Any] = {
    "Account": {"children": {"Contacts": {}}},
    "Lead": {},
    "Product2": {"children": {"PricebookEntries": {"parents": {"Pricebook2": ["Name", "IsStandard"]}}}},
    "Opportunity": {
        "parents": {"Account": ["Name", "AccountNumber", "CurrencyIsoCode", "*__c"]},
        "children": {
            "OpportunityLineItems": {
                "parents": {"Product2": ["Name", "ProductCode", "Family", "QuantityUnitOfMeasure", "*__c"]}
            }
        },
    },
}

_USUAL_PARTS = frozenset(
    {"Contacts", "PricebookEntries", "Pricebook2", "Account", "OpportunityLineItems", "Product2"}
)
"""The relationships in the default aggregates; an org or a user often lacks one."""

FIXED_LINKS = frozenset(
    {
        ("OpportunityLineItem", "OpportunityId"),
        ("OrderItem", "OrderId"),
        ("PricebookEntry", "Product2Id"),
        ("PricebookEntry", "Pricebook2Id"),
        ("QuoteLineItem", "QuoteId"),
    }
)
"""References that can never be pointed at another row. Describe does not tell them from those the user may not edit."""

Describes = Mapping[str, ObjectDescribe]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Parent:
    """Fields of the one row that a reference leads to."""

    relationship: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Child:
    """The list of rows that refer to the root."""

    relationship: str
    object: ObjectDescribe
    link: str
    """The child's field that holds the root's id."""
    fields: tuple[Field, ...]
    parents: tuple[Parent, ...] = ()

    @property
    def movable(self) -> bool:
        """Whether a row can be given to another root."""
        return (self.object.name, self.link) not in FIXED_LINKS

    @property
    def order_by(self) -> tuple[str, ...]:
        """A stable order: as people sorted the rows, then by id."""
        return ("SortOrder", "Id") if "SortOrder" in self.object.fields else ("Id",)


@dataclass(frozen=True)
class Shape:
    """A root object with all that its records hold."""

    object: ObjectDescribe
    fields: tuple[Field, ...]
    parents: tuple[Parent, ...] = ()
    children: tuple[Child, ...] = ()

    def narrowed(self, selected: Callable[[Path], bool], always: Iterable[str]) -> Shape:
        """Only the parts whose path is selected, such as `("Account", "Name")`; columns in `always` stay."""
        keep = frozenset(always)
        return replace(
            self,
            fields=tuple(field for field in self.fields if field.name in keep or selected((field.name,))),
            parents=_narrowed_parents(self.parents, (), selected),
            children=tuple(
                replace(
                    child,
                    fields=tuple(
                        field
                        for field in child.fields
                        if field.name == "Id" or selected((child.relationship, field.name))
                    ),
                    parents=_narrowed_parents(child.parents, (child.relationship,), selected),
                )
                for child in self.children
                if selected((child.relationship,))
            ),
        )


def _narrowed_parents(
    parents: Sequence[Parent], path: Path, selected: Callable[[Path], bool]
) -> tuple[Parent, ...]:
    kept = []
    for parent in parents:
        here = (*path, parent.relationship)
        fields = tuple(field for field in parent.fields if selected((*here, field.name)))
        if fields and selected(here):
            kept.append(replace(parent, fields=fields))
    return tuple(kept)


def aggregates_of(setting: Mapping[str, Any] | None) -> dict[str, Any]:
    """The default aggregates with the setting's objects in their place.

    Raises:
        SettingsError: the setting has another form than `{object: {parents: {…}, children: {…}}}`.
    """
    merged = {**DEFAULT_AGGREGATES, **(setting or {})}
    return {name: _checked(part or {}, f"aggregates.{name}", root=True) for name, part in merged.items()}


def _checked(part: Any, where: str, *, root: bool) -> dict[str, Any]:
    known = {"parents", "children"} if root else {"parents", "fields"}
    if not isinstance(part, Mapping):
        raise SettingsError(f"`{where}` must be an object with {_listed(known)}, not {type(part).__name__}")
    unknown = set(part) - known
    if unknown:
        raise SettingsError(
            f"`{where}` has {_listed(unknown)}, which means nothing here. Known: {_listed(known)}"
        )
    for relationship, patterns in (part.get("parents") or {}).items():
        _check_patterns(patterns, f"{where}.parents.{relationship}")
    if part.get("fields") is not None:
        _check_patterns(part["fields"], f"{where}.fields")
    for relationship, child in (part.get("children") or {}).items():
        _checked(child or {}, f"{where}.children.{relationship}", root=False)
    return dict(part)


def _check_patterns(patterns: Any, where: str) -> None:
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise SettingsError(f'`{where}` must be a list of field names or patterns, such as ["Name", "*__c"]')


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def related_objects(root: ObjectDescribe, aggregate: Mapping[str, Any]) -> set[str]:
    """The objects whose describe is needed to shape an aggregate, one step away from the root."""
    found = {
        field.refers_to[0]
        for relationship in aggregate.get("parents") or {}
        if (field := root.parent(relationship))
    }
    return found | {
        root.children[relationship].object
        for relationship in aggregate.get("children") or {}
        if relationship in root.children
    }


def child_parents(describes: Describes, root: ObjectDescribe, aggregate: Mapping[str, Any]) -> set[str]:
    """The objects two steps away: parents of the aggregate's children."""
    found = set()
    for relationship, part in (aggregate.get("children") or {}).items():
        link = root.children.get(relationship)
        child = describes.get(link.object) if link else None
        for parent in (part or {}).get("parents") or {} if child else {}:
            field = child.parent(parent) if child else None
            if field:
                found.add(field.refers_to[0])
    return found


def shape_of(root: ObjectDescribe, aggregate: Mapping[str, Any], describes: Describes) -> Shape:
    """The shape of a root's records. A part that this org or user does not have is left out, with a line in the log."""
    children = []
    for relationship, part in (aggregate.get("children") or {}).items():
        link = root.children.get(relationship)
        child = describes.get(link.object) if link else None
        if link is None or child is None or not child.queryable or link.field not in child.fields:
            _left_out(root.name, relationship, root.children)
            continue
        patterns = (part or {}).get("fields") or ["*"]
        children.append(
            Child(
                relationship=relationship,
                object=child,
                link=link.field,
                fields=_matching(child, patterns),
                parents=_parents(child, (part or {}).get("parents") or {}, describes),
            )
        )
    return Shape(
        object=root,
        fields=tuple(root.fields.values()),
        parents=_parents(root, aggregate.get("parents") or {}, describes),
        children=tuple(children),
    )


def _parents(
    owner: ObjectDescribe, wanted: Mapping[str, Sequence[str]], describes: Describes
) -> tuple[Parent, ...]:
    parents = []
    for relationship, patterns in wanted.items():
        field = owner.parent(relationship)
        target = describes.get(field.refers_to[0]) if field else None
        if target is None:
            _left_out(owner.name, relationship, [field.relationship for field in owner.fields.values()])
            continue
        parents.append(Parent(relationship, _matching(target, patterns)))
    return tuple(parents)


def _matching(target: ObjectDescribe, patterns: Sequence[str]) -> tuple[Field, ...]:
    return tuple(
        field
        for field in target.fields.values()
        if field.name == "Id" or any(fnmatchcase(field.name, pattern) for pattern in patterns)
    )


def _left_out(owner: str, relationship: str, there: Iterable[str | None]) -> None:
    """A part of the usual aggregates is often missing; one that somebody wrote down is a mistake or a lost right."""
    expected = relationship in _USUAL_PARTS
    near = difflib.get_close_matches(relationship, filter(None, there), n=1, cutoff=limits.NAME_LIKENESS)
    logger.log(
        logging.INFO if expected else logging.WARNING,
        "%s is read without %s: this org does not have it, it is hidden from this user, or it leads to several objects%s",
        owner,
        relationship,
        f". Did you mean {near[0]} (setting `aggregates`)?" if near and not expected else "",
    )
