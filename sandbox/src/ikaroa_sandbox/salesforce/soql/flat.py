"""A query to rows of text, as the Bulk APIs give them: one column a field, parents' fields by their path, no children."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ikaroa_sandbox.salesforce.errors import NotSimulatedError, QueryError
from ikaroa_sandbox.salesforce.schema.model import Field
from ikaroa_sandbox.salesforce.soql import ast, grouped, sql
from ikaroa_sandbox.salesforce.soql.compile import Compiler, Settings
from ikaroa_sandbox.salesforce.soql.scope import Operand, Scope
from ikaroa_sandbox.salesforce.soql.shape import expanded
from ikaroa_sandbox.salesforce.store.database import Database
from ikaroa_sandbox.salesforce.values import renderer

_UNSUPPORTED = "FUNCTIONALITY_NOT_ENABLED"
_SPREAD = 2_654_435_761
"""A multiplier that scatters consecutive numbers over 32 bits."""


@dataclass(frozen=True)
class FlatPlan:
    """A query ready to run: the object, the columns' names, SQL whose columns are text, and its parameters."""

    object: str
    names: list[str]
    sql: str
    params: list[Any]
    scientific: bool


@dataclass(frozen=True)
class Style:
    """What differs between the Bulk APIs and their variants."""

    shuffle: int
    """Rows that nobody ordered come in an order drawn by this number."""
    zero_as_double: bool = True
    """Whether a whole number's zero reads 0.0."""
    subquery_refusal: str = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"


def compile_flat(text: str, tree: ast.Query, settings: Settings, style: Style) -> FlatPlan:
    """The plan of a bulk query.

    Raises:
        QueryError: what Salesforce refuses, everywhere or in bulk.
        NotSimulatedError: SOQL that the sandbox cannot run.
    """
    return _Flat(text, settings).flat(tree, style)


def rows_of(database: Database, plan: FlatPlan) -> Iterator[tuple[Any, ...]]:
    """The rows, one by one. Nothing else may use the database meanwhile."""
    database.load_rates()
    database.connection.create_function("csv_number", 2, _number(plan.scientific), deterministic=True)
    return database.connection.execute(plan.sql, plan.params)


@lru_cache(maxsize=2)
def _number(scientific: bool) -> Callable[[int | None, int], str | None]:  # noqa: FBT001  a cache's key
    renderers = [
        renderer(Field(name="", type="double", scale=scale), scientific=scientific) for scale in range(19)
    ]

    def text(stored: int | None, scale: int) -> str | None:
        return None if stored is None else renderers[scale](stored)

    return text


class _Flat(Compiler):
    """Compiles one bulk query."""

    def flat(self, tree: ast.Query, style: Style) -> FlatPlan:
        item = self._item(tree)
        self._refuse(tree, style)
        scope = self._scope(tree, item)
        names: list[str] = []
        columns: list[str] = []
        for one in expanded(tree, scope):
            name, operand = self._column(one, scope)
            if name in names:
                message = f"duplicate field selected: {name}"
                raise self._error(message, one.what.position)
            names.append(name)
            columns.append(_cell(operand, style))
        conditions, where = self._where(tree, scope)
        order = sql.order_terms(tree.order, scope) or [
            f"({scope.alias}.rowid * {_SPREAD} + {style.shuffle}) % 4294967296"
        ]
        text = sql.select(columns, scope, where, f"ORDER BY {', '.join(order)}", sql.window(tree))
        return FlatPlan(item.name, names, text, conditions.params, self.settings.scientific)

    def _refuse(self, tree: ast.Query, style: Style) -> None:
        calls = [one.what for one in tree.select if isinstance(one.what, ast.Call)]
        if any(isinstance(one.what, ast.Query) for one in tree.select):
            raise QueryError("FEATURENOTENABLED", style.subquery_refusal)
        if tree.group or tree.having is not None:
            raise QueryError(_UNSUPPORTED, "GROUP BY is not supported in Bulk Query")
        if tree.offset is not None:
            raise QueryError(_UNSUPPORTED, "OFFSET is not supported in Bulk Query")
        if any(call.name == "TYPEOF" for call in calls):
            raise QueryError(_UNSUPPORTED, "TYPEOF is not supported in Bulk Query")
        if any(grouped.is_bare_count(call) or grouped.is_aggregate(call) for call in calls):
            raise QueryError(_UNSUPPORTED, "Aggregate functions are not supported in Bulk Query")

    def _column(self, one: ast.Item, scope: Scope) -> tuple[str, Operand]:
        """A column's name, spelled as the schema does, and where it comes from."""
        what = one.what
        if not isinstance(what, ast.Path):
            name = what.name if isinstance(what, ast.Call) else "a sub-query"
            raise NotSimulatedError(f"the SOQL function {name}() in a bulk query's SELECT list")
        if one.alias is not None:
            raise scope.error("MALFORMED_QUERY", f"unexpected token: '{one.alias}'", one.alias_position)
        operand = scope.column(what)
        if operand.field is not None and operand.field.type in {"address", "location"}:
            raise QueryError(_UNSUPPORTED, "Selecting compound data not supported in Bulk Query")
        if operand.field is not None and operand.field.type == "base64":
            raise QueryError(_UNSUPPORTED, "Binary fields cannot be selected in bulk queries")
        parts = scope.relative(what)
        above = [
            scope.joins[tuple(part.lower() for part in parts[: depth + 1])].relationship
            for depth in range(len(parts) - 1)
        ]
        return ".".join([*above, operand.name]), operand


def _cell(operand: Operand, style: Style) -> str:
    """The SQL of a column's text. Text, ids, dates and picklists are stored as they show."""
    column = operand.sql
    if operand.kind == "datetime":
        return f"{column} || 'Z'"
    if operand.kind == "boolean":
        return f"CASE {column} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"
    if operand.kind == "number":
        return f"csv_number({column}, {operand.scale})"
    if operand.kind == "int" and style.zero_as_double:
        return f"CASE {column} WHEN 0 THEN '0.0' ELSE {column} END"
    return column
