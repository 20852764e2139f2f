"""From a field's schema and its compiled expressions to a builder that gives a value of that type, or notes a problem."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm_to_xero import limits
from crm_to_xero.documents import DATE, FLAG, NUMBER, Schema
from crm_to_xero.errors import nearest
from crm_to_xero.expressions import FAILURES, Expression, Named
from crm_to_xero.functions.dates import parse_date
from crm_to_xero.functions.money import number, plain
from crm_to_xero.functions.text import BROKEN
from crm_to_xero.rules import Builder, Problem, elements, problem_of, together
from crm_to_xero.scope import Scope, local

Coerce = Callable[[Any], Any]


def to_text(value: Any) -> str | None:
    """Text for a text field: what no database can hold is shown as U+FFFD, a number becomes its digits, empty is nothing."""
    if isinstance(value, str):  # where all is printable nothing is broken
        return (value if value.isprintable() else BROKEN.sub("\ufffd", value)) or None
    if value is None:
        return None
    if isinstance(value, bool):
        raise TypeError("text is expected, not true or false")
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, float):
        return plain(number(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"text is expected, not {type(value).__name__}")


def to_number(value: Any) -> Decimal | int | None:
    """An exact number for a number field."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return number(value)


def to_flag(value: Any) -> bool | None:
    """True or false for a flag."""
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(f"true or false is expected, not {value!r}; truth(…) makes one")


def to_date(value: Any) -> str | None:
    """`YYYY-MM-DD` for a date field."""
    return None if value is None or value == "" else parse_date(value).isoformat()


def to_key(value: Any) -> str | None:
    """A source key: text of 1 to 100 characters."""
    key = to_text(value)
    if key is not None and len(key) > limits.SOURCE_KEY:
        raise ValueError(f"a key has at most {limits.SOURCE_KEY} characters")
    return key if key and key.strip() else None


def coercer(schema: Schema) -> Coerce:
    """The function that makes any value one of the schema's type, or raises TypeError or ValueError."""
    if schema is DATE:
        return to_date
    if schema is NUMBER:
        return to_number
    if schema is FLAG:
        return to_flag
    kind = shape(schema)
    if kind == "object":
        return _object_coercer(schema["properties"])
    if kind == "list":
        return _list_coercer(schema["items"])
    return to_text


def shape(schema: Schema) -> str:
    """`object`, `list` or `value`."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return "object" if "object" in types else "list" if "array" in types else "value"


def _object_coercer(properties: Mapping[str, Schema]) -> Coerce:
    parts = {name: coercer(part) for name, part in properties.items()}

    def coerce(value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TypeError(f"a record is expected, not {type(value).__name__}")
        found = {}
        for name, item in value.items():
            if name not in parts:
                raise ValueError(f"there is no field {name!r} here. {nearest(str(name), parts)}")
            done = parts[name](item)
            if done is not None:
                found[name] = done
        return found or None

    return coerce


def _list_coercer(items: Schema) -> Coerce:
    part = coercer(items)

    def coerce(value: Any) -> list[Any] | None:
        if value is None:
            return None
        return [done for item in elements(value) if (done := part(item)) is not None]

    return coerce


@dataclass(frozen=True)
class ValueBuilder:
    """A field given by one expression."""

    path: str
    expression: Expression
    coerce: Coerce
    line: int

    def __call__(self, scope: Scope, problems: list[Problem]) -> Any:
        """The value, or None and a problem."""
        try:
            return self.coerce(self.expression.work(scope))
        except FAILURES as exc:
            problems.append(problem_of(self.path, self.expression, exc, scope, self.line))
            return None


@dataclass(frozen=True)
class ConstantBuilder:
    """A field that is the same in every document."""

    value: Any

    def __call__(self, scope: Scope, problems: list[Problem]) -> Any:  # noqa: ARG002  as all builders
        """The value."""
        return self.value


@dataclass(frozen=True)
class ObjectBuilder:
    """A nested structure; nothing if all its parts are nothing, or its condition does not hold."""

    parts: Mapping[str, Builder]
    when: ValueBuilder | None = None

    def __call__(self, scope: Scope, problems: list[Problem]) -> dict[str, Any] | None:
        """The fields that have a value."""
        if self.when is not None and not self.when(scope, problems):
            return None
        return together(self.parts, scope, problems) or None


@dataclass(frozen=True)
class ListBuilder:
    """A list written out element by element. An element is left out where only its `needed` (constant) fields have values."""

    parts: Sequence[ObjectBuilder]
    needed: frozenset[str]

    def __call__(self, scope: Scope, problems: list[Problem]) -> list[Any] | None:
        """The elements that say something; nothing if none does."""
        found = [value for part in self.parts if (value := part(scope, problems)) is not None]
        return [value for value in found if not self.needed.issuperset(value)] or None


@dataclass(frozen=True)
class EachBuilder:
    """One element for each element of a source list. A list that is null says nothing; an empty one is an empty list."""

    path: str
    each: Expression
    name: str
    lets: Mapping[str, Named]
    when: ValueBuilder | None
    parts: Mapping[str, Builder]
    line: int

    def __call__(self, scope: Scope, problems: list[Problem]) -> list[Any] | None:
        """The elements that say something."""
        try:
            value = self.each.work(scope)
            if value is None:
                return None
            items = elements(value)
        except FAILURES as exc:
            problems.append(problem_of(self.path, self.each, exc, scope, self.line))
            return None
        found = []
        for index, item in enumerate(items):
            inner = Scope({local(self.name): item, local("index"): index}, self.lets, scope)
            before = len(problems)
            if self.when is None or self.when(inner, problems):
                done = together(self.parts, inner, problems)
                if done:
                    found.append(done)
            for problem in problems[before:]:
                if problem.origin is None or problem.origin is inner:
                    problem.field = f"{self.path}[{index}].{problem.field}"
        return found
