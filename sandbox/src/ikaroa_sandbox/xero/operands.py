"""The parts of a `where` expression once parsed: typed operands, and what can be done with them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

from ikaroa_sandbox.xero import errors
from ikaroa_sandbox.xero.store import Row

Value = Callable[[Row], Any]
Predicate = Callable[[Row], bool]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TYPE_NAMES = {
    "guid": "Guid",
    "text": "String",
    "number": "Decimal",
    "date": "DateTime",
    "bool": "Boolean",
    "null": "Object",
}
TEXT_CHANGES: dict[str, Callable[[str], str]] = {
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": str.strip,
}
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


@dataclass(frozen=True)
class Operand:
    """A part of the expression: its type (a field's, or `null`) and how to get its value from a row."""

    type: str
    value: Value


def constant(kind: str, value: Any) -> Operand:
    """A literal."""
    return Operand(kind, lambda _row: value)


def either(one: Predicate, other: Predicate) -> Predicate:
    """OR; the right side is looked at only when the left does not fit."""
    return lambda row: one(row) or other(row)


def both(one: Predicate, other: Predicate) -> Predicate:
    """AND; the right side is looked at only when the left fits, so that a null check protects it."""
    return lambda row: one(row) and other(row)


def compared(left: Operand, sign: str, right: Operand, folding: Callable[[str], str]) -> Operand:
    """A comparison; ordering against a missing value is never true.

    Raises:
        QueryParseError: the two sides cannot be compared this way.
    """
    kinds = {left.type, right.type} - {"null"}
    ordered = sign not in {"==", "=", "!=", "<>"}
    if len(kinds) > 1 or (ordered and (kinds <= {"bool", "guid"} or "null" in {left.type, right.type})):
        names = TYPE_NAMES[left.type], TYPE_NAMES[right.type]
        raise errors.QueryParseError(
            f"Operator '{sign}' incompatible with operand types '{names[0]}' and '{names[1]}'"
        )
    test, kind = COMPARE[sign], next(iter(kinds), "null")
    key = _moment if kind == "date" else (_folded(folding) if kind == "text" else _same)
    one, other = left.value, right.value

    def matches(row: Row) -> bool:
        a, b = one(row), other(row)
        if ordered and (a is None or b is None):
            return False
        return test(key(a), key(b))

    return Operand("bool", matches)


def _moment(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    return value


def _same(value: Any) -> Any:
    return value


def _folded(folding: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else folding(value)
