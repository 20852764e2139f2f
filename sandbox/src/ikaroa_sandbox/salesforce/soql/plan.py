"""What a compiled query is: SQL, its parameters, how a row becomes JSON, and the child sets that go with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ikaroa_sandbox.salesforce.schema.model import Field
from ikaroa_sandbox.salesforce.soql.scope import Operand
from ikaroa_sandbox.salesforce.values import renderer
from ikaroa_sandbox.salesforce.wire import quote

SqlRow = tuple[Any, ...]
Part = Callable[[SqlRow, "PageContext"], str]


@dataclass
class PageContext:
    """What rendering a row needs besides the row."""

    base: str
    """`/services/data/v67.0`"""
    child_text: Callable[[int, str], str]
    """(number of the child set, parent id) -> its JSON."""


@dataclass(frozen=True)
class Child:
    """A sub-query of a SELECT list."""

    key: str
    plan: Plan


@dataclass
class Plan:
    """One query level. The first column is the row's id; that of a child query's parent comes last."""

    kind: str
    """rows, aggregate or count."""
    object: str
    sql: str
    params: list[Any]
    render: Callable[[SqlRow, PageContext], str]
    children: list[Child] = field(default_factory=list)


def leaf(key: str, index: int, text: Callable[[Any], str]) -> Part:
    """A plain field."""
    prefix = f"{quote(key)}:"
    blank = f"{prefix}null"
    return lambda row, _: blank if row[index] is None else prefix + text(row[index])


def address(key: str, columns: list[tuple[str, int, Callable[[Any], str]]]) -> Part:
    """A compound address: an object of its parts, or null when all are empty."""
    prefix = f"{quote(key)}:"
    parts = [leaf(name, index, text) for name, index, text in sorted(columns)]
    places = [index for _, index, _ in columns]

    def render(row: SqlRow, context: PageContext) -> str:
        if all(row[index] is None for index in places):
            return f"{prefix}null"
        return prefix + "{" + ",".join(part(row, context) for part in parts) + "}"

    return render


def child_set(place: tuple[str, int]) -> Part:
    """A sub-query's rows: their key, and the sub-query's number."""
    key, number = place
    prefix = f"{quote(key)}:"
    return lambda row, context: prefix + context.child_text(number, row[0])


def record(object_name: str, id_index: int, parts: list[Part]) -> Callable[[SqlRow, PageContext], str]:
    """A record with its `attributes`."""
    head = '{"attributes":{"type":' + quote(object_name) + ',"url":"'
    middle = f"/sobjects/{object_name}/"

    def render(row: SqlRow, context: PageContext) -> str:
        fields = "".join(f",{part(row, context)}" for part in parts)
        return f'{head}{context.base}{middle}{row[id_index]}"}}{fields}}}'

    return render


def parent(key: str, object_name: str, id_index: int, parts: list[Part]) -> Part:
    """A parent record, or null."""
    prefix = f"{quote(key)}:"
    render_record = record(object_name, id_index, parts)

    def render(row: SqlRow, context: PageContext) -> str:
        return prefix + ("null" if row[id_index] is None else render_record(row, context))

    return render


def aggregate(parts: list[Part]) -> Callable[[SqlRow, PageContext], str]:
    """A row of a grouped query: no record, so no address."""
    head = '{"attributes":{"type":"AggregateResult"}'
    return lambda row, context: head + "".join(f",{part(row, context)}" for part in parts) + "}"


def text_of(operand: Operand, *, scientific: bool) -> Callable[[Any], str]:
    """How an operand's stored values show in JSON."""
    if operand.field is not None:
        return renderer(operand.field, scientific=scientific)
    if operand.kind == "number":
        return renderer(Field(name=operand.name, type="double", scale=operand.scale), scientific=scientific)
    if operand.kind == "datetime":
        return lambda stored: f'"{stored}+0000"'
    if operand.kind == "boolean":
        return lambda stored: "true" if stored else "false"
    return str if operand.kind == "int" else quote
