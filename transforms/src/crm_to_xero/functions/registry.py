"""The functions that mapping expressions may call, and how one is added.

A function is pure: no clock, no chance, no I/O; the same values give the same result in every run. The first line of its
docstring and the `Example:` line are its documentation: they are what the README's table and `crm-to-xero-check --functions`
show, and the example is run as a test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = Callable[..., Any]
_F = TypeVar("_F", bound=Function)


@dataclass(frozen=True)
class Entry:
    """One function as expressions see it."""

    name: str
    group: str
    call: Function
    signature: inspect.Signature

    @property
    def summary(self) -> str:
        """What it gives, in one sentence."""
        return (inspect.getdoc(self.call) or "").split("\n", 1)[0]

    @property
    def example(self) -> str:
        """`expression -> result`, where the docstring has one."""
        for line in (inspect.getdoc(self.call) or "").splitlines():
            if line.startswith("Example: "):
                return line.removeprefix("Example: ")
        return ""


ENTRIES: dict[str, Entry] = {}


def function(group: str, name: str = "") -> Callable[[_F], _F]:
    """Register a function for expressions.

    Args:
        group: Heading under which the documentation shows it.
        name: Its name in expressions, where Python's own name would clash with a builtin; else the function's name.
    """

    def register(call: _F) -> _F:
        key = name or call.__name__
        ENTRIES[key] = Entry(key, group, call, inspect.signature(call))
        return call

    return register
