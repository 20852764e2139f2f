"""What a figure is, and the registry of those who make them."""

from __future__ import annotations

import importlib
import json
import operator
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

_COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}

Maker = Callable[[], Iterator["Figure"]]
_GROUPS: dict[str, Maker] = {}


@dataclass(frozen=True)
class Figure:
    """One measured figure against its bar, e.g. `Figure("calls", 609, "calls", "<= 612")`. No bar: told for itself."""

    name: str
    value: float
    unit: str
    bar: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether it keeps to its bar; None where it has none."""
        if not self.bar:
            return None
        sign, _, limit = self.bar.partition(" ")
        return bool(_COMPARE[sign](Decimal(str(self.value)), Decimal(limit)))

    def line(self) -> str:
        """As one JSON line."""
        shown = {"name": self.name, "value": self.value, "unit": self.unit, "bar": self.bar or None}
        return json.dumps({**shown, "holds": self.holds})


def group(maker: Maker) -> Maker:
    """Registers a group of figures under the function's name, dashes for underscores."""
    _GROUPS[maker.__name__.replace("_", "-")] = maker
    return maker


def groups() -> dict[str, Maker]:
    """All groups, by name; every module of this folder may have some."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith("_"):
            importlib.import_module(f"bench.{module.name}")
    return dict(sorted(_GROUPS.items()))
