"""The names an expression sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Work = Callable[["Scope"], Any]


class Scope(dict[str, Any]):
    """The names an expression sees: fields of the record, and values named by `let`, `as` and `split`.

    A local name is kept under a key with a blank before it, which no field has; it is worked out when first asked for.
    A name nobody knows is null.
    """

    __slots__ = ("lets", "outer")

    def __init__(
        self, values: Mapping[str, Any], lets: Mapping[str, Work], outer: Scope | None = None
    ) -> None:
        """Begin with these values; `outer` answers what is not here."""
        super().__init__(values)
        self.lets = lets
        self.outer = outer

    def __missing__(self, name: str) -> Any:
        work = self.lets.get(name)
        value = work(self) if work is not None else None if self.outer is None else self.outer[name]
        self[name] = value  # nothing that a scope knows ever changes
        return value


def local(name: str) -> str:
    """The key of a local name in a scope."""
    return f" {name}"
