"""What people do in Xero, in short."""

from __future__ import annotations

from typing import Any

import pytest


class Office:
    """People at work in Xero's own screens, beside a house."""

    def __init__(self, house: Any) -> None:
        self.house = house

    def does(self, action: str, **command: Any) -> Any:
        self.house.sandbox.clock.advance(120)  # reads lag behind writes: what is read at once is not believed
        return self.house.sandbox.edit("xero", {"action": action, **command})

    def ours(self, kind: str = "Invoices") -> list[dict[str, Any]]:
        return [row for row in self.house.books(kind) if "SF" in (row.get("Reference") or "")]

    @property
    def invoice(self) -> dict[str, Any]:
        (found,) = self.ours()
        return found

    def contact(self, number: int) -> dict[str, Any]:
        key = f"001{number:015d}"
        return next(c for c in self.house.books("Contacts") if c.get("ContactNumber") == key)


@pytest.fixture
def office(house: Any) -> Office:
    return Office(house)
