"""sObject trees: up to 200 new records with their children in one request, all of them or none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, limits, wire
from ikaroa_sandbox.salesforce.rest.call import Call
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.store import records

Failure = dict[str, Any]


@dataclass
class Node:
    """A record of a tree; once its parent is saved, `values` names it."""

    reference: str
    item: ObjectType
    values: dict[str, Any]
    children: list[tuple[str, Node]] = field(default_factory=list)
    """Each with the field that points to this record."""


def create(call: Call) -> Response:
    """POST composite/tree/X: 201 with the ids in order of the levels, or 400 with what was wrong and nothing saved."""
    call.params()
    root = call.object(call.parts[2])
    roots = [_node(call, one, root, 1) for one in _records(call.json_object())]
    levels = _levels(roots)
    failures = _checked(levels)
    made: list[dict[str, Any]] = []
    with call.state.context.atomic() as work:
        for node in [] if failures else [one for level in levels for one in level]:
            try:
                with call.state.context.atomic():
                    record = records.create(
                        call.state.context, call.state.org.visible, node.item, node.values
                    )
            except errors.SalesforceError as error:
                failures.append(_failure(node, error))
                break
            made.append({"referenceId": node.reference, "id": record})
            for pointer, child in node.children:
                child.values[pointer] = record
        work.undo = bool(failures)
    if failures:
        return wire.json_response({"hasErrors": True, "results": failures}, 400)
    return wire.json_response({"hasErrors": False, "results": made}, 201)


def _records(holder: dict[str, Any]) -> list[dict[str, Any]]:
    found = holder.get("records")
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise errors.RecordError("INVALID_INPUT", "The records parameter must be a list of sObjects")
    return found


def _node(call: Call, record: dict[str, Any], expected: ObjectType, depth: int) -> Node:
    """A record of the body with its children. Raises RecordError for one that is no record of the expected type."""
    if depth > limits.TREE_LEVELS_MAX:
        text = f"A tree cannot be more than {limits.TREE_LEVELS_MAX} levels deep"
        raise errors.RecordError("INVALID_INPUT", text)
    attributes = record.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    reference, kind = attributes.get("referenceId"), attributes.get("type")
    if not isinstance(reference, str) or not reference:
        raise errors.RecordError("INVALID_INPUT", "Include a reference ID for each record in the request")
    if not isinstance(kind, str) or call.state.org.visible.get(kind) is not expected:
        text = f"Record {reference} is of type {kind}, where {expected.name} is needed"
        raise errors.RecordError("INVALID_INPUT", text)
    node = Node(reference, expected, {})
    links = {
        link.relationship.lower(): link
        for link in call.state.org.visible.children(expected.name)
        if link.relationship
    }
    for name, value in record.items():
        if name == "attributes":
            continue
        link = links.get(name.lower())
        if link is None or not isinstance(value, dict) or "records" not in value:
            node.values[name] = value
            continue
        child = call.state.org.visible[link.object]
        node.children += [(link.field, _node(call, one, child, depth + 1)) for one in _records(value)]
    return node


def _levels(roots: list[Node]) -> list[list[Node]]:
    levels = [roots]
    while below := [child for node in levels[-1] for _, child in node.children]:
        levels.append(below)
    nodes = [node for level in levels for node in level]
    if len(nodes) > limits.COLLECTION_RECORDS_MAX:
        text = f"record batch size cannot exceed {limits.COLLECTION_RECORDS_MAX}"
        raise errors.RecordError("EXCEEDED_ID_LIMIT", text)
    if len({node.item.name for node in nodes}) > limits.TREE_TYPES_MAX:
        text = f"A request cannot create records of more than {limits.TREE_TYPES_MAX} types"
        raise errors.RecordError("INVALID_INPUT", text)
    return levels


def _checked(levels: list[list[Node]]) -> list[Failure]:
    """A failure for each record whose reference id another one has, too."""
    nodes = [node for level in levels for node in level]
    names = [node.reference for node in nodes]
    twice = errors.RecordError("INVALID_INPUT", "Duplicate ReferenceId provided in the request.")
    return [_failure(node, twice) for node in nodes if names.count(node.reference) > 1]


def _failure(node: Node, error: errors.SalesforceError) -> Failure:
    return {"referenceId": node.reference, "errors": [error.row()]}
