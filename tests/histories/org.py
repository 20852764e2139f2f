"""The org of a history: one sandbox a process, put back for each seed; and its rows as its store holds them."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from ikaroa_sandbox.app import START, Sandbox
from ikaroa_sandbox.core import Clock

ROOTS = ("Account", "Lead", "Opportunity")
CHILDREN = {
    "Account": ("Contacts", "Contact", "AccountId"),
    "Opportunity": ("OpportunityLineItems", "OpportunityLineItem", "OpportunityId"),
}
FORMULA = "Customer_Words__c"
"""A formula of Opportunity: a field of its account, whose changes do not stamp the opportunity."""
ADDRESS = "http://127.0.0.1:8790"


class Org:
    """One sandbox with people's hands in it. Made once a process; `begin` puts it back."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(clock=Clock(START - timedelta(days=2)))
        self.edit("change_data_capture", objects=[])
        formula = {"type": "string", "length": 255, "formula": "Account.Description"}
        self.edit("add_field", object="Opportunity", field=FORMULA, **formula)
        self.book = self.ids("Pricebook2")[0]
        product = self.insert("Product2", Name="Widget", IsActive=True)
        price = {"Pricebook2Id": self.book, "Product2Id": product, "UnitPrice": 5, "IsActive": True}
        self.price = self.insert("PricebookEntry", **price, CurrencyIsoCode="GBP")
        self._empty = self.sandbox.save()
        self._small = self._populated(4, 8)
        self._big = self._populated(150, 320)

    def begin(self, chance: random.Random) -> str:
        """Puts the org back to one of its beginnings; which one."""
        size = chance.choices(("empty", "small", "big"), (10, 87, 3))[0]
        self.sandbox.restore({"empty": self._empty, "small": self._small, "big": self._big}[size])
        return size

    def _populated(self, roots: int, rows: int) -> object:
        self.sandbox.restore(self._empty)
        for n in range(roots):
            account = self.insert("Account", Name=f"Account {n}")
            self.insert("Opportunity", **self.deal(f"Deal {n}"), AccountId=account)
            self.insert("Lead", LastName=f"Lead {n}", Company="Company")
            self.sandbox.clock.advance(n % 3)  # many share a stamp
        accounts, deals = self.ids("Account"), self.ids("Opportunity")
        for n in range(rows):
            self.insert("Contact", LastName=f"Person {n}", AccountId=accounts[n % roots])
            self.insert("OpportunityLineItem", **self.line(deals[n * n % roots]))
        self.sandbox.clock.advance(7200)
        return self.sandbox.save()

    # --- hands -----------------------------------------------------------------------------------------------------

    def edit(self, action: str, **keys: Any) -> dict[str, Any]:
        """What a person does. Raises ValueError when it cannot be done."""
        return self.sandbox.edit("salesforce", {"action": action, **keys})

    def insert(self, kind: str, **fields: Any) -> str:
        return str(self.edit("insert", object=kind, fields=fields)["id"])

    def advance(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)

    def fault(self, do: str, **keys: Any) -> None:
        self.sandbox.faults.add({"do": do, "system": "salesforce", **keys})

    def deal(self, name: str) -> dict[str, Any]:
        """The fields of a new opportunity."""
        dated = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-12-01"}
        return {**dated, "Pricebook2Id": self.book, "CurrencyIsoCode": "GBP"}

    def line(self, deal: str, price: int = 5) -> dict[str, Any]:
        """The fields of a new line of an opportunity."""
        return {"OpportunityId": deal, "PricebookEntryId": self.price, "Quantity": 1, "UnitPrice": price}

    # --- what is there -----------------------------------------------------------------------------------------------

    @property
    def _state(self) -> Any:
        return self.sandbox.backends["salesforce"].state  # type: ignore[attr-defined]

    def ids(self, kind: str, *, binned: bool = False) -> list[str]:
        """The ids of an object's rows: those alive, or those in the recycle bin."""
        item = self._state.org.full[kind]
        if not item.has_bin:
            return [] if binned else list(self._state.db.ids(item, "1 = 1", []))
        return list(self._state.db.ids(item, '"IsDeleted" = ?', [int(binned)]))

    def rows(self, kind: str, *columns: str) -> dict[str, tuple[Any, ...]]:
        """Some columns of the rows that are alive, by id."""
        alive = ' WHERE "IsDeleted" = 0' if self._state.org.full[kind].has_bin else ""
        names = ", ".join(f'"{name}"' for name in ("Id", *columns))
        return {
            row_id: tuple(rest)
            for row_id, *rest in self._state.db.query(f'SELECT {names} FROM "{kind}"{alive}')
        }

    @property
    def jobs(self) -> list[str]:
        """The Bulk jobs that somebody has made and nobody has deleted."""
        return list(self._state.jobs.by_id)
