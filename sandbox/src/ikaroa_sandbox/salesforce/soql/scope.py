"""Names of a query to columns: objects, fields, parents. Knows what the user may see, and says what is not there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import NotSimulatedError, QueryError
from ikaroa_sandbox.salesforce.schema.model import NUMBER_TYPES, Field, ObjectType, Schema
from ikaroa_sandbox.salesforce.soql import ast

NAMES_HELP = "Please reference your WSDL or the describe call for the appropriate names."
_FORMULA = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?:([+-])\s*([A-Za-z_]\w*)\s*)?\Z")
DATE_FUNCTIONS = {
    "CALENDAR_YEAR": "CAST(strftime('%Y', {0}) AS INTEGER)",
    "CALENDAR_MONTH": "CAST(strftime('%m', {0}) AS INTEGER)",
    "CALENDAR_QUARTER": "(CAST(strftime('%m', {0}) AS INTEGER) + 2) / 3",
    "DAY_IN_MONTH": "CAST(strftime('%d', {0}) AS INTEGER)",
    "DAY_IN_WEEK": "CAST(strftime('%w', {0}) AS INTEGER) + 1",
    "DAY_IN_YEAR": "CAST(strftime('%j', {0}) AS INTEGER)",
    "HOUR_IN_DAY": "CAST(strftime('%H', {0}) AS INTEGER)",
    "DAY_ONLY": "substr({0}, 1, 10)",
}
DATE_FUNCTIONS |= {
    f"FISCAL_{name}": DATE_FUNCTIONS[f"CALENDAR_{name}"] for name in ("YEAR", "MONTH", "QUARTER")
}
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "MIN", "MAX", "AVG"})
WRAPPERS = frozenset({"TOLABEL", "FORMAT", "CONVERTCURRENCY"})
AVERAGE_PLACES = 4


@dataclass(frozen=True)
class Operand:
    """A column or an expression over columns. `scale`: how many decimals its whole number stands for."""

    sql: str
    kind: str
    name: str
    field: Field | None = None
    scale: int = 0
    path: ast.Path | None = None
    parts: tuple[Operand, ...] = ()
    """Of an address: its columns."""


class Join(NamedTuple):
    """A parent that is joined: its alias, its object, and the relationship's name as the schema spells it."""

    alias: str
    item: ObjectType
    relationship: str


@dataclass
class Scope:
    """One FROM: its object, and the parents that paths have asked for, joined once each."""

    text: str
    schema: Schema
    item: ObjectType
    alias: str = "t"
    names: tuple[str, ...] = ()
    """What the root may be called in a path: its name and its alias."""
    joins: dict[tuple[str, ...], Join] = field(default_factory=dict)
    sql_joins: list[str] = field(default_factory=list)
    multi_currency: bool = False
    nulls_descending: str = "last"

    def error(self, code: str, message: str, position: int) -> QueryError:
        """An error that points into the query."""
        return QueryError(code, message, self.text, position)

    def operand(self, what: ast.Expression) -> Operand:
        """The column of a path, or the expression of a function."""
        return self.column(what) if isinstance(what, ast.Path) else self.function(what)

    def column(self, path: ast.Path, *, of_formula: bool = False) -> Operand:
        """The column at the end of a path. Raises QueryError (INVALID_FIELD) for a name that is not there.

        `of_formula`: a formula shows its value to whoever may see the formula, hidden fields in it or not.
        """
        parts = self.relative(path)
        alias, item = self._walk(parts[:-1], path.position)
        found = item.field(parts[-1]) or (item.hidden.get(parts[-1].lower()) if of_formula else None)
        if found is None:
            message = (
                f"No such column '{parts[-1]}' on entity '{item.name}'. If you are attempting to use a custom field, "
                f"be sure to append the '__c' after the custom field name. {NAMES_HELP}"
            )
            raise self.error("INVALID_FIELD", message, path.position)
        return self._operand(alias, item, found, parts[:-1], path)

    def relative(self, path: ast.Path) -> tuple[str, ...]:
        """A path's parts without the object's own name or alias in front."""
        parts = path.parts
        return parts[1:] if len(parts) > 1 and parts[0].lower() in self.names else parts

    def _walk(self, relationships: tuple[str, ...], position: int) -> tuple[str, ObjectType]:
        if len(relationships) > limits.PARENT_LEVELS_MAX:
            message = f"maximum number of relationship levels is {limits.PARENT_LEVELS_MAX}"
            raise self.error("INVALID_FIELD", message, position)
        alias, item = self.alias, self.item
        for depth, name in enumerate(relationships):
            key = tuple(part.lower() for part in relationships[: depth + 1])
            if key not in self.joins:
                self.joins[key] = self._join(alias, item, name, position)
            alias, item, _ = self.joins[key]
        return alias, item

    def _join(self, alias: str, item: ObjectType, name: str, position: int) -> Join:
        reference = item.parent(name)
        parent = self.schema.get(reference.refers_to or "") if reference else None
        if reference is None or parent is None:
            message = (
                f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                f"relationship, be sure to append the '__r' after the custom relationship name. {NAMES_HELP}"
            )
            raise self.error("INVALID_FIELD", message, position)
        if len(self.joins) >= limits.PARENT_RELATIONSHIPS_MAX:
            message = f"maximum number of relationships is {limits.PARENT_RELATIONSHIPS_MAX}"
            raise self.error("MALFORMED_QUERY", message, position)
        joined = f"{self.alias}_{len(self.joins)}"
        self.sql_joins.append(
            f'LEFT JOIN "{parent.name}" AS {joined} ON {joined}."Id" = {alias}."{reference.name}"'
        )
        return Join(joined, parent, str(reference.relationship))

    def _operand(
        self, alias: str, item: ObjectType, found: Field, above: tuple[str, ...], path: ast.Path
    ) -> Operand:
        if found.formula:
            return self._formula(found, above, path)
        if found.type == "address":
            columns = tuple(
                self._operand(alias, item, part, above, path)
                for part in item.fields.values()
                if part.compound == found.name
            )
            return Operand("", "address", found.name, found, path=path, parts=columns)
        scale = found.scale if found.type in NUMBER_TYPES else 0
        return Operand(f'{alias}."{found.name}"', kind_of(found), found.name, found, scale, path)

    def _formula(self, found: Field, above: tuple[str, ...], path: ast.Path) -> Operand:
        """A formula is a field path, or the sum or difference of two fields of its own scale (blank counts as 0)."""
        parsed = _FORMULA.match(found.formula or "")
        if parsed is None:
            raise NotSimulatedError(f"the formula of {found.name}: {found.formula}")
        sides = [
            self.column(ast.Path((*above, *name.split(".")), path.position), of_formula=True).sql
            for name in (parsed[1], parsed[3])
            if name
        ]
        sql = (
            sides[0] if len(sides) == 1 else f"(coalesce({sides[0]}, 0) {parsed[2]} coalesce({sides[1]}, 0))"
        )
        scale = found.scale if found.type in NUMBER_TYPES else 0
        return Operand(sql, kind_of(found), found.name, found, scale, path)

    def function(self, call: ast.Call) -> Operand:
        """The expression of an aggregate or a date function. Raises QueryError, or NotSimulatedError by name."""
        if call.name in DATE_FUNCTIONS and call.argument is not None:
            inner = self.operand(call.argument)
            if inner.kind not in {"date", "datetime"}:
                raise self.error(
                    "INVALID_FIELD", f"field {inner.name} does not support {call.name}", call.position
                )
            kind = "date" if call.name == "DAY_ONLY" else "int"
            return Operand(DATE_FUNCTIONS[call.name].format(inner.sql), kind, inner.name)
        if call.name in AGGREGATES and call.argument is not None:
            return self._aggregate(call)
        if call.name in WRAPPERS and call.argument is not None:
            return self.operand(call.argument)
        raise NotSimulatedError(f"the SOQL function {call.name}()")

    def _aggregate(self, call: ast.Call) -> Operand:
        inner = (
            self.operand(call.argument) if call.argument else self.column(ast.Path(("Id",), call.position))
        )
        allowed = {
            "SUM": {"number", "int"},
            "AVG": {"number", "int"},
            "MIN": {"number", "int", "text", "date", "datetime", "id"},
            "MAX": {"number", "int", "text", "date", "datetime", "id"},
        }.get(call.name, {"number", "int", "text", "date", "datetime", "id", "boolean", "multi"})
        if inner.kind not in allowed or (inner.field is not None and inner.field.long_text):
            message = f"field {inner.name} does not support aggregate operator {call.name}"
            raise self.error("MALFORMED_QUERY", message, call.position)
        if call.name == "COUNT":
            return Operand(f"COUNT({inner.sql})", "int", inner.name)
        if call.name == "COUNT_DISTINCT":
            sql = f"fold({inner.sql})" if inner.kind == "text" else inner.sql
            return Operand(f"COUNT(DISTINCT {sql})", "int", inner.name)
        money = self.corporate(inner)
        if call.name == "AVG":
            return Operand(f"exact_avg({money})", "number", inner.name, None, inner.scale + AVERAGE_PLACES)
        return Operand(f"{call.name}({money})", inner.kind, inner.name, None, inner.scale)

    def corporate(self, inner: Operand) -> str:
        """With multi-currency, an aggregated amount is in the corporate currency, each row converted first."""
        if not (self.multi_currency and inner.field is not None and inner.field.type == "currency"):
            return inner.sql
        above = inner.path.parts[:-1] if inner.path else ()
        code = self.column(ast.Path((*above, "CurrencyIsoCode"), 0))
        return f"to_corporate({inner.sql}, {code.sql})"


def kind_of(found: Field) -> str:
    """How a field's values compare: id, text, multi, boolean, number, int, date, datetime, address."""
    if found.type in {"id", "reference"}:
        return "id"
    if found.type in NUMBER_TYPES:
        return "number"
    if found.type == "multipicklist":
        return "multi"
    return found.type if found.type in {"boolean", "int", "date", "datetime", "address"} else "text"
