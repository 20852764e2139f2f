"""From a row of a REST answer to a record: columns of a shape only, types made right, `attributes` gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tap_salesforce_ikaroa.describe import Field
from tap_salesforce_ikaroa.shapes import Child, Parent, Shape

Json = dict[str, Any]
Rows = list[Json]
ToRecord = Callable[[Mapping[str, Any]], Json]


def columns(fields: Sequence[Field], parents: Sequence[Parent]) -> list[str]:
    """The SELECT expressions of fields and parent fields."""
    names = [field.name for field in fields]
    return names + [f"{parent.relationship}.{field.name}" for parent in parents for field in parent.fields]


def _values(fields: Sequence[Field]) -> ToRecord:
    plan = [(field.name, field.convert) for field in fields]

    def convert(row: Mapping[str, Any]) -> Json:
        # A column that is missing in the row stays missing: it is not known, which is not the same as null.
        return {
            name: row[name] if to_value is None else to_value(row[name])
            for name, to_value in plan
            if name in row
        }

    return convert


def _with_parents(fields: Sequence[Field], parents: Sequence[Parent]) -> ToRecord:
    own = _values(fields)
    of_parents = [(parent.relationship, _values(parent.fields)) for parent in parents]

    def convert(row: Mapping[str, Any]) -> Json:
        record = own(row)
        for relationship, of_parent in of_parents:
            if relationship in row:
                parent = row[relationship]
                record[relationship] = None if parent is None else of_parent(parent)
        return record

    return convert


def child_converter(child: Child) -> ToRecord:
    """Makes the converter of a child's rows."""
    return _with_parents(child.fields, child.parents)


def converter(shape: Shape) -> ToRecord:
    """Makes the converter of a root's rows, whose child lists are lists of raw rows (see `reader`)."""
    root = _with_parents(shape.fields, shape.parents)
    of_children = [(child.relationship, child_converter(child)) for child in shape.children]

    def convert(row: Mapping[str, Any]) -> Json:
        record = root(row)
        for relationship, of_child in of_children:
            record[relationship] = [of_child(entry) for entry in row.get(relationship) or ()]
        return record

    return convert
