"""WHERE and HAVING to SQL with parameters.

SOQL knows two truth values: a comparison with an empty field is false (and `!=` true), so NOT of it is true. Text
compares without case, ids with it; a 15-character id means the same as its 18-character form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from ikaroa_sandbox.salesforce import ids, limits, wire
from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.soql.dates import period
from ikaroa_sandbox.salesforce.soql.lexer import unescape
from ikaroa_sandbox.salesforce.soql.scope import Operand, Scope

_TYPE_NAMES = {"text": "string", "multi": "string", "id": "ID", "number": "double", "datetime": "dateTime"}
_LITERALS = {
    "text": {"string"},
    "multi": {"string"},
    "id": {"string"},
    "boolean": {"boolean"},
    "number": {"number"},
    "int": {"number"},
    "date": {"date", "period"},
    "datetime": {"datetime", "period"},
}
_SQL_OP = {"=": "=", "!=": "IS NOT", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_DATETIME = re.compile(r"(.{10})T(.{8})(\.\d+)?(Z|[+-]\d\d:?\d\d)\Z")


def _balanced(op: str, parts: list[str]) -> str:
    """Joined in halves: SQLite limits how deep an expression goes, and a plain chain goes as deep as it is long."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_balanced(op, parts[:half])} {op} {_balanced(op, parts[half:])})"


@dataclass
class Conditions:
    """Compiles conditions over one scope; `params` fills in the order of the question marks."""

    scope: Scope
    today: date
    sub_select: Callable[[ast.Query], tuple[str, list[Any], str]]
    params: list[Any] = field(default_factory=list)
    semi_joins: int = 0
    nested: bool = False
    """Whether this is the WHERE of a semi join's query."""
    _around: str = ""
    """The OR or NOT that is being compiled."""

    def compile(self, condition: ast.Condition) -> str:
        """SQL that is true for the rows a condition keeps."""
        if isinstance(condition, ast.Logic):
            return self._logic(condition)
        if isinstance(condition, ast.Membership):
            return self._membership(condition)
        operand = self._operand(condition.left)
        if condition.op == "like":
            return self._like(operand, condition.right)
        return self._compare(operand, condition.op, condition.right)

    def _logic(self, condition: ast.Logic) -> str:
        outside = self._around
        self._around = outside if condition.op == "and" else condition.op.upper()
        parts = [self.compile(part) for part in condition.parts]
        self._around = outside
        return (
            f"(({parts[0]}) IS NOT TRUE)" if condition.op == "not" else _balanced(condition.op.upper(), parts)
        )

    def _operand(self, what: ast.Expression) -> Operand:
        operand = self.scope.operand(what)
        if operand.kind == "address" or (operand.field is not None and not operand.field.filterable):
            name = what.text if isinstance(what, ast.Path) else operand.name
            message = f"field '{name}' can not be filtered in a query call"
            raise self.scope.error("INVALID_FIELD", message, what.position)
        return operand

    def _wrong(self, operand: Operand, literal: ast.Literal) -> Exception:
        name = _TYPE_NAMES.get(operand.kind, operand.kind)
        quotes = "should be" if operand.kind in {"text", "multi", "id"} else "should not be"
        message = f"value of filter criterion for field '{operand.name}' must be of type {name} and {quotes} enclosed in quotes"
        return self.scope.error("INVALID_FIELD", message, literal.position)

    def _operator_error(self, operand: Operand, position: int) -> Exception:
        message = f"invalid operator on {operand.kind} field"
        return self.scope.error("INVALID_QUERY_FILTER_OPERATOR", message, position)

    def _string(self, literal: ast.Literal, *, pattern: bool = False) -> str:
        text = unescape(literal.text, self.scope.text, literal.position, pattern=pattern)
        if len(text) > limits.SOQL_STRING_CHARS_MAX:
            message = f"filter value is longer than {limits.SOQL_STRING_CHARS_MAX} characters"
            raise self.scope.error("MALFORMED_QUERY", message, literal.position)
        return text

    def _compare(self, operand: Operand, op: str, literal: ast.Literal) -> str:
        if literal.kind == "null":
            if op not in {"=", "!="}:
                raise self._operator_error(operand, literal.position)
            return f"{operand.sql} IS {'NOT ' if op == '!=' else ''}NULL"
        if literal.kind not in _LITERALS[operand.kind]:
            raise self._wrong(operand, literal)
        if literal.kind == "period":
            return self._period(operand, op, literal)
        if operand.kind == "boolean" and op not in {"=", "!="}:
            raise self._operator_error(operand, literal.position)
        value = self._value(operand, literal)
        if value is None:
            return f"{operand.sql} IS {'NOT ' if op == '!=' else ''}NULL" if op in {"=", "!="} else "0"
        if isinstance(value, Decimal):
            return self._between_whole(operand, op, value)
        self.params.append(value)
        return f"{self._comparable(operand)} {_SQL_OP[op]} ?"

    def _comparable(self, operand: Operand) -> str:
        return f"fold({operand.sql})" if operand.kind in {"text", "multi"} else operand.sql

    def _value(self, operand: Operand, literal: ast.Literal) -> Any:
        """The parameter for a literal: stored form; None for an empty string; Decimal when between two stored values."""
        if operand.kind in {"text", "multi"}:
            return self._string(literal).lower() or None
        if operand.kind == "id":
            text = self._string(literal)
            found = ids.normalise(text) if text else None
            if text and found is None:
                message = f"invalid ID field: {text}"
                raise self.scope.error("INVALID_QUERY_FILTER_OPERATOR", message, literal.position)
            return found
        if operand.kind == "boolean":
            return int(literal.text == "true")
        if operand.kind in {"number", "int"}:
            scaled = (literal.number or Decimal(0)).scaleb(operand.scale)
            return int(scaled) if scaled == scaled.to_integral_value() and abs(scaled) < 2**63 else scaled
        return self._moment(operand, literal)

    def _moment(self, operand: Operand, literal: ast.Literal) -> str:
        try:
            if operand.kind == "date":
                return date.fromisoformat(literal.text).isoformat()
            found = _DATETIME.match(literal.text)
            day, clock, fraction, zone = found.groups() if found else ("", "", None, "")
            zone = "+0000" if zone == "Z" else zone.replace(":", "")
            shown = f"{day}T{clock}{(fraction or '.0')[:7]}{zone}"
            parsed = datetime.strptime(shown, "%Y-%m-%dT%H:%M:%S.%f%z")
        except ValueError:
            message = f"invalid {operand.kind}: {literal.text}"
            raise self.scope.error("INVALID_FIELD", message, literal.position) from None
        return wire.stored_time(parsed.astimezone(timezone.utc))

    def _between_whole(self, operand: Operand, op: str, value: Decimal) -> str:
        """A number with more decimals than the field keeps lies between two values that can be stored."""
        if op in {"=", "!="}:
            return "0" if op == "=" else "1"
        below = op in {"<", "<="}
        whole = int(value.to_integral_value(ROUND_FLOOR if below else ROUND_CEILING))
        self.params.append(max(-(2**63), min(whole, 2**63 - 1)))
        return f"{operand.sql} {'<=' if below else '>='} ?"

    def _period(self, operand: Operand, op: str, literal: ast.Literal) -> str:
        start, end = period(literal.text, literal.count, self.today)
        tail = "T00:00:00.000" if operand.kind == "datetime" else ""
        first, after = f"{start.isoformat()}{tail}", f"{end.isoformat()}{tail}"
        sql = operand.sql
        if op in {"=", "!="}:
            self.params += [first, after]
            inside = f"({sql} >= ? AND {sql} < ?)"
            return inside if op == "=" else f"({inside} IS NOT TRUE)"
        self.params.append(first if op in {"<", ">="} else after)
        return f"{sql} {'<' if op in {'<', '<='} else '>='} ?"

    def _like(self, operand: Operand, literal: ast.Literal) -> str:
        if operand.kind != "text":
            raise self._operator_error(operand, literal.position)
        if literal.kind != "string":
            raise self._wrong(operand, literal)
        self.params.append(self._string(literal, pattern=True).lower())
        return f"fold({operand.sql}) LIKE ? ESCAPE '\\'"

    def _membership(self, condition: ast.Membership) -> str:
        operand = self._operand(condition.left)
        if isinstance(condition.values, ast.Query):
            return self._semi_join(operand, condition, condition.values)
        if condition.op in {"includes", "excludes"}:
            return self._includes(operand, condition.op, condition.values)
        if operand.kind in {"date", "datetime"} and any(value.kind == "period" for value in condition.values):
            inside = "(" + " OR ".join(self._compare(operand, "=", value) for value in condition.values) + ")"
        else:
            inside = self._in_list(operand, condition.values)
        return inside if condition.op == "in" else f"({inside} IS NOT TRUE)"

    def _in_list(self, operand: Operand, literals: tuple[ast.Literal, ...]) -> str:
        values: list[Any] = []
        empty = False
        for literal in literals:
            if literal.kind != "null" and literal.kind not in _LITERALS[operand.kind]:
                raise self._wrong(operand, literal)
            value = None if literal.kind == "null" else self._value(operand, literal)
            empty = empty or value is None
            if value is not None and not isinstance(value, Decimal):
                values.append(value)
        self.params += values
        inside = f"{self._comparable(operand)} IN ({', '.join('?' * len(values))})"
        return f"({inside} OR {operand.sql} IS NULL)" if empty else inside

    def _includes(self, operand: Operand, op: str, literals: tuple[ast.Literal, ...]) -> str:
        if operand.kind != "multi":
            raise self._operator_error(operand, literals[0].position)
        choices = []
        for literal in literals:
            if literal.kind != "string":
                raise self._wrong(operand, literal)
            wanted = [part.strip().lower() for part in self._string(literal).split(";") if part.strip()]
            self.params += [f";{part};" for part in wanted]
            choices.append(
                "(" + " AND ".join([f"instr(';' || fold({operand.sql}) || ';', ?) > 0"] * len(wanted)) + ")"
            )
        inside = "(" + " OR ".join(choices) + ")"
        return inside if op == "includes" else f"({inside} IS NOT TRUE)"

    def _semi_join(self, operand: Operand, condition: ast.Membership, query: ast.Query) -> str:
        self.semi_joins += 1
        if self.semi_joins > limits.SEMI_JOINS_MAX:
            message = f"A query may have no more than {limits.SEMI_JOINS_MAX} semi join sub-selects"
            raise self.scope.error("MALFORMED_QUERY", message, query.position)
        if operand.kind != "id":
            message = (
                f"The left operand of a semi join must be an ID or reference field, {operand.name} is neither"
            )
            raise self.scope.error("INVALID_FIELD", message, condition.left.position)
        self._check_semi_join(query)
        sql, params, kind = self.sub_select(query)
        if kind and (own := pointed_at(self.scope, operand)) and own != kind:
            message = (
                f"The sub-select gives ids of {kind}, the left operand {operand.name} holds those of {own}"
            )
            raise self.scope.error("MALFORMED_QUERY", message, query.position)
        self.params += params
        inside = f"{operand.sql} IN ({sql})"
        return inside if condition.op == "in" else f"({inside} IS NOT TRUE)"

    def _check_semi_join(self, query: ast.Query) -> None:
        """Where a semi join may stand, and on what it may select. Raises QueryError."""
        message = ""
        if self.nested:
            message = "Nesting of semi join sub-selects is not supported"
        elif self._around:
            message = f"Semi join sub-selects are not allowed with the '{self._around}' operator"
        elif query.source.lower() == self.scope.item.name.lower():
            message = "The inner and outer selects should not be on the same object type"
        if message:
            raise self.scope.error("MALFORMED_QUERY", message, query.position)


def pointed_at(scope: Scope, operand: Operand) -> str:
    """The object whose ids an id column of the scope's own object holds; empty where that is not one object."""
    if operand.field is None or operand.path is None or len(scope.relative(operand.path)) > 1:
        return ""
    return scope.item.name if operand.field.type == "id" else operand.field.refers_to or ""
