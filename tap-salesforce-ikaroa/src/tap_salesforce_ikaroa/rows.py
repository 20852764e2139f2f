"""From a row of a REST answer to a record: columns of a shape only, types made right, `attributes` gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from tap_salesforce_ikaroa.describe import Field, as_text
from tap_salesforce_ikaroa.shapes import Child, Parent, Shape

Json = dict[str, Any]
Rows = list[Json]
ToRecord = Callable[[Mapping[str, Any]], Json]
_TEXT_OR_NONE = {str, type(None)}


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

    # Most values are right as they come. Texts are looked at all at once, and only what else needs care one by one.
    names = [field.name for field in fields]
    texts = [field.name for field in fields if field.convert is as_text]
    others = [(name, to_value) for name, to_value in plan if to_value is not None and to_value is not as_text]
    if len(texts) < 2:
        return convert
    all_of, texts_of = itemgetter(*names), itemgetter(*texts)

    def convert_usual(row: Mapping[str, Any]) -> Json:
        try:
            usual = set(map(type, texts_of(row))) <= _TEXT_OR_NONE
            record = dict(zip(names, all_of(row), strict=True))
        except KeyError:
            return convert(row)
        if not usual:
            return convert(row)
        for name, to_value in others:
            record[name] = to_value(record[name])
        return record

    return convert_usual


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
