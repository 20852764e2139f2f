"""The only place that writes SOQL: names are checked, values go through one function.

A `Query` is a value; `text` gives its SOQL. Names come from describe and must look like API names all the same, so
that nothing else can get into a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import NewType
from urllib.parse import quote_plus

Condition = NewType("Condition", str)
"""The text of a WHERE condition, made by the functions below."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}\Z")
_ID = re.compile(r"[A-Za-z0-9]{15,18}\Z")
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}

Literal = str | int | bool | Decimal | datetime | date | None


def name(value: str) -> str:
    """An object, field or relationship name, or a path of them. Raises ValueError for anything else."""
    if not all(map(is_name, value.split("."))):
        raise ValueError(f"not a Salesforce API name: {value!r}")
    return value


def is_name(value: str) -> bool:
    """Whether the text can be the API name of one object, field or relationship."""
    return _NAME.match(value) is not None


def is_id(value: str) -> bool:
    """Whether the text can be a record id. Salesforce's have 15 or 18 characters."""
    return _ID.match(value) is not None


def long_id(value: str) -> str:
    """An id with the three characters that say which of its letters are capitals; any other text as it is."""
    if len(value) != 15 or not is_id(value):
        return value
    parts = (value[at : at + 5] for at in (0, 5, 10))
    return value + "".join(
        _CHECK[sum(char.isupper() << at for at, char in enumerate(part))] for part in parts
    )


def literal(value: Literal) -> str:
    """A value as a SOQL literal. Date-times are written in UTC with milliseconds."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + "".join(_ESCAPES.get(char, char) for char in value) + "'"
    if isinstance(value, datetime):
        return format_stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def format_stamp(moment: datetime) -> str:
    """A moment as Salesforce and STATE write it: `2026-11-02T09:00:00.000Z` (UTC, milliseconds, cut not rounded)."""
    utc = moment.astimezone(timezone.utc)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def compare(field: str, operator: str, value: Literal) -> Condition:
    """`field operator value`."""
    if operator not in {"=", "!=", "<", "<=", ">", ">="}:
        raise ValueError(f"not a SOQL comparison: {operator!r}")
    return Condition(f"{name(field)} {operator} {literal(value)}")


def is_in(field: str, values: Iterable[str]) -> Condition:
    """`field IN (…)`."""
    return Condition(f"{name(field)} IN ({','.join(literal(value) for value in values)})")


def all_of(*conditions: Condition | None) -> Condition | None:
    """All conditions at once; those that are None say nothing."""
    given = [condition for condition in conditions if condition]
    if len(given) < 2:
        return given[0] if given else None
    return Condition(" AND ".join(f"({condition})" for condition in given))


def any_of(*conditions: Condition) -> Condition:
    """At least one of the conditions."""
    return Condition(" OR ".join(f"({condition})" for condition in conditions))


@dataclass(frozen=True)
class Query:
    """One SELECT. `source` is an object, or in a sub-query a child relationship."""

    columns: Sequence[str]
    source: str
    where: Condition | None = None
    order_by: Sequence[str] = ()
    subqueries: Sequence[Query] = ()
    limit: int | None = None

    @property
    def text(self) -> str:
        """The SOQL text."""
        selected = [name(column) for column in self.columns]
        selected += [f"({subquery.text})" for subquery in self.subqueries]
        parts = ["SELECT", ",".join(selected), "FROM", name(self.source)]
        if self.where:
            parts += ["WHERE", self.where]
        if self.order_by:
            parts += ["ORDER BY", ",".join(name(column) for column in self.order_by)]
        if self.limit is not None:
            parts += ["LIMIT", str(self.limit)]
        return " ".join(parts)

    @property
    def encoded(self) -> str:
        """The text as the value of a URI's `q` parameter."""
        return encode(self.text)


def count(source: str, where: Condition | None = None) -> str:
    """`SELECT COUNT() FROM source`."""
    return " ".join(["SELECT COUNT() FROM", name(source), *(["WHERE", where] if where else [])])


def encode(text: str) -> str:
    """Percent-encodes a query text; commas and the like stay, which saves a fifth of a long column list."""
    return quote_plus(text, safe="(),.:'")
