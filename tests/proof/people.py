"""Hands in Xero: what they do, to whom, and which documents of ours can no longer be expected to be as the source says."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ikaroa_sandbox.app import Sandbox

from tests.proof.source import DAY, Key, Source
from tests.proof.verdict import live, marker_of

_TABLES = {"invoices": "Invoices", "quotes": "Quotes", "credit_notes": "CreditNotes", "payments": "Payments"}


@dataclass
class People:
    """The organisation's staff."""

    sandbox: Sandbox
    source: Source
    touched: set[Key] = field(default_factory=set)
    """Documents that somebody changed; what depends on them is touched as well (the checker follows that)."""
    approved: set[Key] = field(default_factory=set)
    """Drafts that somebody approved: from then on they are not changed, but they are there."""
    told: list[str] = field(default_factory=list)
    books_were_closed: bool = False
    """Somebody moved the lock date over our documents, for a while at least."""

    def act(self, what: str, seed: int) -> None:
        """Does it, if there is anybody it can be done to."""
        chance = random.Random(seed)
        try:
            done = _ACTS[what](self, chance)
        except ValueError as refusal:  # Xero's own rules bind people, too
            done = f"{what}: not possible ({refusal})"
        if done:
            self.told.append(done)

    def _edit(self, action: str, **details: Any) -> dict[str, Any]:
        return self.sandbox.edit("xero", {"action": action, **details})

    def _any(self, chance: random.Random, stream: str, *statuses: str) -> tuple[Key, dict[str, Any]] | None:
        """One of our documents of that stream that is in Xero."""
        rows = self.sandbox.dump("xero")[_TABLES[stream]]
        ours = {
            self.source.now[key].get("marker", key[1]): key for key in self.source.now if key[0] == stream
        }
        found = [
            (ours[marker_of(row)], row) for row in rows
            if marker_of(row) in ours and live(row) and (not statuses or row["Status"] in statuses)
        ]  # fmt: skip
        return chance.choice(sorted(found, key=lambda entry: entry[0])) if found else None

    def _contact(self, chance: random.Random) -> tuple[Key, str] | None:
        rows = {row.get("ContactNumber"): row["ContactID"] for row in self.sandbox.dump("xero")["Contacts"]}
        found = []
        for key, document in self.source.now.items():
            number = document.get("ContactNumber") or key[1]
            if key[0] == "contacts" and number in rows:
                found.append((key, rows[number]))
        return chance.choice(found) if found else None

    def _on_invoice(self, action: str, *statuses: str, **details: Any) -> Callable[[random.Random], str]:
        def do(chance: random.Random) -> str:
            found = self._any(chance, "invoices", *statuses)
            if not found:
                return ""
            key, row = found
            self._edit(action, invoice=row["InvoiceID"], **details)
            (self.approved if action == "approve_invoice" else self.touched).add(key)
            return f"{action} {key[1]}"

        return do

    def _pay(self, chance: random.Random) -> str:
        found = self._any(chance, "invoices", "AUTHORISED")
        if not found:
            return ""
        key, row = found
        account = "090" if row["CurrencyCode"] == "GBP" else "091"
        self._edit("pay_invoice", invoice=row["InvoiceID"], account=account)
        self.touched.add(key)
        return f"somebody pays {key[1]} in full"

    def _rename(self, chance: random.Random) -> str:
        return self._with_contact(chance, "rename_contact", name=f"Renamed {chance.randrange(1000)}")

    def _archive(self, chance: random.Random) -> str:
        return self._with_contact(chance, "archive_contact")

    def _with_contact(self, chance: random.Random, action: str, **details: Any) -> str:
        found = self._contact(chance)
        if not found:
            return ""
        key, remote_id = found
        self._edit(action, contact=remote_id, **details)
        self.touched.add(key)
        return f"{action} {key[1]}"

    def _merge(self, chance: random.Random) -> str:
        one, other = self._contact(chance), self._contact(chance)
        if not one or not other or one == other:
            return ""
        self._edit("merge_contacts", contact=one[1], into=other[1])
        self.touched |= {one[0], other[0]}
        return f"{one[0][1]} is merged into {other[0][1]}"

    def _take_number(self, chance: random.Random) -> str:
        keys = [k for k, d in self.source.now.items() if k[0] == "invoices" and d.get("InvoiceNumber")]
        if not keys:
            return ""
        key = chance.choice(keys)
        self._edit("create_contact", fields={"Name": f"Somebody {seed_of(key)}"})
        number = self.source.now[key]["InvoiceNumber"]
        self._edit("create_invoice", contact=f"Somebody {seed_of(key)}", amount="5", number=number)
        self.touched.add(key)
        return f"somebody takes number {number}"

    def _take_name(self, chance: random.Random) -> str:
        keys = [k for k in self.source.now if k[0] == "contacts"]
        key = chance.choice(keys)
        self._edit("create_contact", fields={"Name": self.source.now[key]["Name"]})
        self.touched.add(key)
        return f"somebody takes the name of {key[1]}"

    def _take_back_payment(self, chance: random.Random) -> str:
        found = self._any(chance, "payments")
        if not found:
            return ""
        key, row = found
        self._edit("delete_payment", payment=row["PaymentID"])
        self.touched.add(key)
        return f"somebody takes back payment {key[1]}"

    def close_books(self, _chance: random.Random) -> str:
        """The lock date moves over every document's day."""
        self._edit("set_lock_dates", period=DAY)
        self.books_were_closed = True
        return f"somebody closes the books until {DAY}"

    def open_books(self, _chance: random.Random) -> str:
        """And back."""
        self._edit("set_lock_dates", period=None)
        return "somebody opens the books again"


def seed_of(key: Key) -> str:
    """A name for what somebody makes because of a document."""
    return "-".join(key)


_ACTS: dict[str, Callable[[People, random.Random], str]] = {
    "approve": lambda p, c: p._on_invoice("approve_invoice", "DRAFT", "SUBMITTED")(c),
    "void": lambda p, c: p._on_invoice("void_invoice", "AUTHORISED")(c),
    "delete": lambda p, c: p._on_invoice("delete_invoice", "DRAFT", "SUBMITTED")(c),
    "edit": lambda p, c: p._on_invoice("edit_invoice", fields={"DueDate": "2027-01-31"})(c),
    "unmark": lambda p, c: p._on_invoice("edit_invoice", fields={"Reference": "by hand"})(c),
    "pay": People._pay,
    "rename": People._rename,
    "archive": People._archive,
    "merge": People._merge,
    "take number": People._take_number,
    "take name": People._take_name,
    "take back payment": People._take_back_payment,
    "close books": People.close_books,
    "open books": People.open_books,
}
