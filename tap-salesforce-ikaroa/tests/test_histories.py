"""Seeded histories of a small org, read again and again by whole runs: what was given out adds up to what is there.

A few seeds of the whole tap, messages and all; `make histories` plays thousands with what a run does around it left out.

Rows change, are added, deleted, taken back, deleted for good; long transactions commit late with old stamps; runs are cut.
At the end whoever kept the last version of each record, as a target does, holds the org: every root in its newest version,
every child list whole, nothing that is gone.
"""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.errors import TapError

if TYPE_CHECKING:
    from conftest import Org, Sync

pytestmark = pytest.mark.slow
SETTINGS: dict[str, Any] = {"streams_to_discover": ["Account", "Opportunity", "Lead"], "page_size": 200}
SEEDS = range(6)
"""Each way of reading once; and again, the other half of what is not documented in force."""
CHILDREN = {
    "Account": ("Contacts", "Contact", "AccountId"),
    "Opportunity": ("OpportunityLineItems", "OpportunityLineItem", "OpportunityId"),
}


FAULTS = ["503_before", "query_timeout", "invalid_locator", "401"]
BULK_FAULTS = [
    "503_before",
    "503",
    "job_failed",
    "row_lost",
    "count_off",
    "locator_repeated",
    "locator_dropped",
]
ROOTS, ROWS = ["Account", "Lead", "Opportunity"], ["Contact", "OpportunityLineItem"]


class History:
    """A person, a long job and a schedule, all driven by one seed."""

    def __init__(self, org: Org, seed: int) -> None:
        self.org = org
        self.random = random.Random(seed)
        self.open: list[str] = []
        self.made = 0
        book = next(iter(org.rows("Pricebook2")))
        product = org.insert("Product2", Name="Widget", IsActive=True)
        self.price = org.insert(
            "PricebookEntry",
            Pricebook2Id=book,
            Product2Id=product,
            UnitPrice=5,
            IsActive=True,
            CurrencyIsoCode="GBP",
        )
        self.book = book
        for kind in (
            ["Account"] * 3
            + ["Opportunity"] * 3
            + ["Contact"] * 8
            + ["OpportunityLineItem"] * 8
            + ["Lead"] * 3
        ):
            self.insert(kind)
        org.advance(7200)

    def step(self) -> None:
        actions = [
            self.insert,
            self.update,
            self.update,
            self.delete,
            self.delete,
            self.undelete,
            self.wait,
            self.transaction,
        ]
        self.random.choice(actions)()

    def insert(self, kind: str = "") -> None:
        self.made += 1
        name = f"Record {self.made}"
        accounts, deals = list(self.org.rows("Account")), list(self.org.rows("Opportunity"))
        kind = kind or self.random.choice(ROOTS + ROWS * 2)
        if kind == "Account":
            self.do("insert", object=kind, fields={"Name": name})
        elif kind == "Lead":
            self.do("insert", object=kind, fields={"LastName": name, "Company": name})
        elif kind == "Contact" and accounts:
            self.do(
                "insert", object=kind, fields={"LastName": name, "AccountId": self.random.choice(accounts)}
            )
        elif kind == "OpportunityLineItem" and deals:
            fields = {
                "OpportunityId": self.random.choice(deals),
                "PricebookEntryId": self.price,
                "Quantity": 1,
                "UnitPrice": self.random.choice([0, 5]),
            }
            self.do("insert", object=kind, fields=fields)
        else:
            fields = {
                "Name": name,
                "StageName": "Prospecting",
                "CloseDate": "2026-12-01",
                "Pricebook2Id": self.book,
                "CurrencyIsoCode": "GBP",
            }
            self.do("insert", object="Opportunity", fields=fields)

    def update(self) -> None:
        kind = self.random.choice(ROOTS + ROWS * 2)
        rows, accounts = list(self.org.rows(kind)), list(self.org.rows("Account"))
        if not rows:
            return
        self.made += 1
        fields = {"Description": f"words {self.made}"}
        if kind == "Contact" and accounts and self.random.random() < 0.5:
            fields["AccountId"] = self.random.choice(accounts)
        self.do("update", object=kind, id=self.random.choice(rows), fields=fields)

    def delete(self) -> None:
        kind = self.random.choice(ROOTS + ROWS * 3)
        if rows := list(self.org.rows(kind)):
            self.do(self.random.choice(["delete", "hard_delete"]), object=kind, id=self.random.choice(rows))

    def undelete(self) -> None:
        kind = self.random.choice(["Account", "Lead", "Opportunity", "Contact"])
        gone = [row_id for row_id, row in self.org.rows(kind, deleted=True).items() if row["IsDeleted"]]
        if gone:
            self.do("undelete", object=kind, id=self.random.choice(gone))

    def wait(self) -> None:
        self.org.advance(self.random.choice([1, 30, 500, 4000]))

    def during(self, nth: int) -> None:
        """Somebody adds a lead or a contact just before the nth call about Bulk jobs."""
        self.made += 1
        kind, fields = "Lead", {"LastName": f"Record {self.made}", "Company": "Meanwhile"}
        accounts = list(self.org.rows("Account"))
        if accounts and self.random.random() < 0.5:
            kind, fields = "Contact", {"LastName": f"Record {self.made}", "AccountId": accounts[0]}
        edit = {"system": "salesforce", "action": "insert", "object": kind, "fields": fields}
        self.org.fault("edit", path="/jobs/query", nth=[nth], edit=edit)

    def transaction(self) -> None:
        if self.open and self.random.random() < 0.5:
            self.commit(self.open.pop(self.random.randrange(len(self.open))))
            return
        self.made += 1
        self.open.append(f"job {self.made}")
        self.org.edit("open_transaction", transaction=self.open[-1])

    def commit(self, name: str) -> None:
        try:
            self.org.edit("commit_transaction", transaction=name)
        except ValueError:  # what it had prepared is no longer possible
            self.org.edit("rollback_transaction", transaction=name)

    def do(self, action: str, **keys: Any) -> None:
        if self.open and self.random.random() < 0.5:
            keys["transaction"] = self.random.choice(self.open)
        with contextlib.suppress(
            ValueError
        ):  # locked by a transaction, or gone meanwhile: people meet that too
            self.org.edit(action, **keys)

    def finish(self) -> None:
        while self.open:
            self.commit(self.open.pop())
        self.org.advance(3600)


class Kept:
    """What a target keeps: the last version of each record."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, dict[str, Any]]] = {}

    def take(self, run: Any) -> None:
        for stream, records in run.records.items():
            for record in records:
                self.records.setdefault(stream, {})[record["Id"]] = record

    def compare(self, org: Org) -> None:
        for stream in ("Account", "Opportunity", "Lead"):
            kept, there = self.records.get(stream, {}), org.rows(stream)
            alive = {row_id for row_id, record in kept.items() if not record["IsDeleted"]}
            assert alive == set(there), stream
            for row_id, row in there.items():
                assert kept[row_id]["Description"] == row["Description"], (stream, row_id)
                assert kept[row_id]["SystemModstamp"] == row["SystemModstamp"].replace("+0000", "Z"), (
                    stream,
                    row_id,
                )
            if stream in CHILDREN:
                self._compare_children(org, stream)

    def _compare_children(self, org: Org, stream: str) -> None:
        relationship, kind, link = CHILDREN[stream]
        expected: dict[str, dict[str, Any]] = {row_id: {} for row_id in org.rows(stream)}
        for row in org.rows(kind).values():
            if row[link] in expected:
                expected[row[link]][row["Id"]] = row["Description"]
        for row_id, children in expected.items():
            given = {row["Id"]: row["Description"] for row in self.records[stream][row_id][relationship]}
            assert given == children, (stream, row_id)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_given_out_adds_up_to_the_org(empty: tuple[Org, object], tap_on: Sync, seed: int) -> None:
    org, saved = empty
    org.sandbox.restore(saved)
    if seed % 2:
        org.sandbox.draw_variants(seed)  # whatever is not documented may be either way
    history, kept, chance = History(org, seed), Kept(), random.Random(seed)
    state: dict[str, Any] | None = None
    settings = {
        **SETTINGS,
        "api_type": ["REST", "BULK2", "AUTO"][seed % 3],
        "bulk_min_rows": 2,
        "bulk_page_size": chance.choice([1, 3, 50]),
        "bulk_parallel": chance.choice([1, 2]),
        "lookback_window": chance.choice([0, 600]),
        "max_retries": 0,
    }
    for _ in range(5):
        for _ in range(chance.randrange(1, 14)):
            history.step()
        if chance.random() < 0.3:
            org.fault(chance.choice(FAULTS), path="/query", nth=[chance.randrange(1, 4)])
        if settings["api_type"] != "REST" and chance.random() < 0.4:
            org.fault(chance.choice(BULK_FAULTS), path="/jobs/query", nth=[chance.randrange(1, 9)])
            if chance.random() < 0.3:  # somebody works while the rows are read
                history.during(chance.randrange(1, 9))
        run = tap_on(org.sandbox, state, expect=TapError, may_fail=True, **settings)
        org.sandbox.faults.clear()
        kept.take(run)
        state = run.state or state
    history.finish()
    kept.take(tap_on(org.sandbox, state, **settings))
    kept.compare(org)
