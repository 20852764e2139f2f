"""The tree of a SOQL query. Positions point into the query's text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Path:
    """A field, possibly through parents: `Account.Owner.Name`."""

    parts: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        """As written."""
        return ".".join(self.parts)


@dataclass(frozen=True)
class Call:
    """A function: `COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)`, `FIELDS(ALL)`, `COUNT()`."""

    name: str
    argument: Path | Call | None
    position: int


Expression = Path | Call


@dataclass(frozen=True)
class Item:
    """One entry of a SELECT list."""

    what: Expression | Query
    alias: str | None = None
    alias_position: int = 0


@dataclass(frozen=True)
class Literal:
    """A value. `kind`: string, number, date, datetime, boolean, null, or period (`TODAY`, `LAST_N_DAYS`)."""

    kind: str
    text: str
    position: int
    number: Decimal | None = None
    count: int | None = None
    """The n of `LAST_N_DAYS:n`."""


@dataclass(frozen=True)
class Comparison:
    """`field op value`. `op` is =, !=, <, <=, >, >= or like."""

    left: Expression
    op: str
    right: Literal


@dataclass(frozen=True)
class Membership:
    """`field IN (…)`, `field NOT IN (…)`, INCLUDES, EXCLUDES; `values` may be a sub-query."""

    left: Expression
    op: str
    values: tuple[Literal, ...] | Query


@dataclass(frozen=True)
class Logic:
    """`and` / `or` of several, `not` of one."""

    op: str
    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Logic


@dataclass(frozen=True)
class Order:
    """One entry of ORDER BY. `nulls` is first, last or None."""

    what: Expression
    descending: bool = False
    nulls: str | None = None


@dataclass(frozen=True)
class Query:
    """A whole query or sub-query."""

    select: tuple[Item, ...]
    source: str
    source_position: int
    where: Condition | None = None
    group: tuple[Expression, ...] = ()
    having: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    alias: str | None = None
    position: int = 0
    unsupported: tuple[str, ...] = field(default=())
    """Clauses that are SOQL but that the sandbox does not run."""
