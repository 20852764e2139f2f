"""Everybody who works in the org: people, system jobs, and long transactions that commit late and out of order."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

from tests.histories.org import ROOTS, Org

ROWS = ("Contact", "OpportunityLineItem")
MERGED = ("Account", "Contact", "Lead")
HOUR_S = 3600
MINUTE_S = 60
LIKINGS = (0, 0.3, 1, 1, 3)
"""How much more or less than usual of an act there is in a history. What heals a miss, such as a move that has all roots read
again, is then in some histories and not in others."""


class Person:
    """Everybody, driven by one chance. `told` says what was done, in order."""

    def __init__(self, org: Org, chance: random.Random) -> None:
        self.org, self.random = org, chance
        self.open: list[str] = []
        self.told: list[str] = []
        self._made = 0
        self._for_good = chance.choice([0, 0.2, 0.5])
        """Share of deletions that leave nothing in the recycle bin."""
        acts: dict[Callable[[], None], int] = {
            self.insert: 4,
            self.update: 6,
            self.move: 2,
            self.describe_customer: 1,
            self.delete: 4,
            self.undelete: 2,
            self.wait: 3,
            self.transaction: 4,
            self.long_job: 2,
            self.merge: 1,
            self.convert: 1,
            self.touch: 1,
            self.load: 1,
            self.empty_bin: 1,
        }
        self._acts = list(acts)
        self._weights = [chance.choice(LIKINGS) * weight for weight in acts.values()]
        self._weights[0] = self._weights[0] or 1  # something must be possible

    def step(self) -> None:
        """One thing that somebody does."""
        self.random.choices(self._acts, self._weights)[0]()

    def insert(self) -> None:
        kind = self.random.choice(ROOTS + ROWS * 2)
        name = f"Record {self._next()}"
        accounts, deals = self.org.ids("Account"), self.org.ids("Opportunity")
        fields: dict[str, Any]
        if kind == "Account":
            fields = {"Name": name}
        elif kind == "Lead":
            fields = {"LastName": name, "Company": name}
        elif kind == "Contact":
            fields = {"LastName": name}
            if accounts and self.random.random() < 0.9:
                fields["AccountId"] = self.random.choice(accounts)
        elif kind == "OpportunityLineItem" and deals:
            fields = self.org.line(self.random.choice(deals), self.random.choice([0, 5]))
        else:
            kind, fields = "Opportunity", self.org.deal(name)
            if accounts and self.random.random() < 0.8:
                fields["AccountId"] = self.random.choice(accounts)
        self._do("insert", object=kind, fields=fields)

    def update(self) -> None:
        kind = self.random.choice(ROOTS + ROWS * 2)
        if not (rows := self.org.ids(kind)):
            return
        fields: dict[str, Any] = {"Description": f"words {self._next()}"}
        self._do("update", object=kind, id=self.random.choice(rows), fields=fields)

    def move(self) -> None:
        """A contact is given to another account, or to none; often the newest, as somebody had typed it in wrongly."""
        if contacts := sorted(self.org.ids("Contact")):
            moved = self.random.choice([contacts[-1], self.random.choice(contacts)])
            fields = {"AccountId": self.random.choice([*self.org.ids("Account"), None])}
            self._do("update", object="Contact", id=moved, fields=fields)

    def describe_customer(self) -> None:
        """The account of a deal gets other words: the deal's formula changes, its stamp does not."""
        customers = sorted(
            {account for (account,) in self.org.rows("Opportunity", "AccountId").values() if account}
        )
        if customers:
            fields = {"Description": f"words {self._next()}"}
            self._do("update", object="Account", id=self.random.choice(customers), fields=fields)

    def delete(self) -> None:
        kind = self.random.choice(ROOTS + ROWS * 3)
        action = "hard_delete" if self.random.random() < self._for_good else "delete"
        rows = self.org.ids(kind)
        if action == "hard_delete":
            rows += self.org.ids(kind, binned=True)
        if rows:
            self._do(action, object=kind, id=self.random.choice(rows))

    def undelete(self) -> None:
        kind = self.random.choice((*ROOTS, "Contact"))
        if gone := self.org.ids(kind, binned=True):
            self._do("undelete", object=kind, id=self.random.choice(gone))

    def merge(self) -> None:
        kind = self.random.choice(MERGED)
        rows = self.org.ids(kind)
        if len(rows) > 1:
            master, *losers = self.random.sample(rows, min(len(rows), self.random.choice([2, 3])))
            self._do("merge", object=kind, master=master, losers=losers)

    def convert(self) -> None:
        if leads := self.org.ids("Lead"):
            accounts = self.org.ids("Account")
            chosen = (
                {"account": self.random.choice(accounts)} if accounts and self.random.random() < 0.5 else {}
            )
            self._do("convert_lead", id=self.random.choice(leads), **chosen)

    def touch(self) -> None:
        """A system job moves the stamps of a whole table at once."""
        self._do("touch", object=self.random.choice(ROOTS + ROWS), may_wait=False)

    def load(self) -> None:
        """Rows loaded in bulk, all under one stamp."""
        kind = self.random.choice(ROOTS)
        count = self.random.choices([4, 30, 260], [70, 27, 3])[0]
        self._do("bulk_load", object=kind, count=count, may_wait=False)

    def empty_bin(self) -> None:
        self._do("empty_bin", may_wait=False)

    def wait(self) -> None:
        seconds = self.random.choice([0.2, 1, 30, 59, 500, 4000, self._to_the_minute()])
        self.told.append(f"{seconds} s pass")
        self.org.advance(seconds)

    def transaction(self) -> None:
        """Opens a long transaction, or lets one of those that are open commit: not in their order."""
        if self.open and self.random.random() < 0.4:
            self.commit(self.open.pop(self.random.randrange(len(self.open))))
        else:
            self._begin()

    def long_job(self) -> None:
        """A transaction changes a row, and does not commit yet; later another row of the object changes, and a new one comes."""
        self._begin()
        kind = self.random.choice(ROOTS + ROWS)
        rows = self.org.ids(kind)
        if len(rows) > 1:
            slow, quick = self.random.sample(rows, 2)
            fields = {"Description": f"words {self._next()}"}
            self._do("update", may_wait=False, object=kind, id=slow, fields=fields, transaction=self.open[-1])
            self.org.advance(self.random.choice([30, 90, 500]))
            self._do("update", may_wait=False, object=kind, id=quick, fields=fields)
        self.insert()

    def _begin(self) -> None:
        self.open.append(f"job {self._next()}")
        self.told.append(f"{self.open[-1]} begins")
        self.org.edit("open_transaction", transaction=self.open[-1])

    def commit(self, name: str) -> None:
        self.told.append(f"{name} commits")
        try:
            self.org.edit("commit_transaction", transaction=name)
        except ValueError:  # what it had prepared is no longer possible
            self.told.append(f"{name} is rolled back")
            self.org.edit("rollback_transaction", transaction=name)

    def rest(self, seconds: float) -> None:
        """What is open commits, and nobody works for so long."""
        while self.open:
            self.commit(self.open.pop())
        self.told.append(f"everybody rests for {seconds} s")
        self.org.advance(seconds)

    def _to_the_minute(self) -> float:
        """How long until the next whole minute: to such a one `latestDateCovered` is cut."""
        return MINUTE_S - self.org.sandbox.clock.now().timestamp() % MINUTE_S

    def _next(self) -> int:
        self._made += 1
        return self._made

    def _do(self, action: str, *, may_wait: bool = True, **keys: Any) -> None:
        if may_wait and self.open and self.random.random() < 0.5:
            keys["transaction"] = self.random.choice(self.open)
        # Locked by a transaction, or gone meanwhile: people meet that too.
        with contextlib.suppress(ValueError):
            answer = self.org.edit(action, **keys)
            self.told.append(f"{action} {keys} {answer.get('id') or ''}")
