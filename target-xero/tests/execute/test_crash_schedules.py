"""Every flow, with the process ending at every point of it once, and at every two points one after the other.

A schedule: the flow runs and its process ends at one point; for two, the next run's process ends, too. Then come two clean runs
and time enough for whatever Xero still had to carry out. The checks look at the small Xero's store only.

C4 is the moment in which the bytes are out: Xero carries such a call out 290 s later, when other runs have begun.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from target_xero.exchange import Purpose
from target_xero.ledger.base import milliseconds
from target_xero.preview.approval import finish, release
from target_xero.preview.undo import undo

pytestmark = pytest.mark.slow

LINE = {
    "line_key": "L1",
    "Description": "Widgets",
    "Quantity": "3",
    "UnitAmount": "10.00",
    "AccountCode": "200",
}


def contact(n: int, **fields: Any) -> dict[str, Any]:
    return {"source_key": f"C{n}", "Name": f"Customer {n}", "source_label": f"Account {n}", **fields}


def sale(key: str, **fields: Any) -> dict[str, Any]:
    """A quote or credit note of customer 1, without a number of its own."""
    return {"source_key": key, "marker": f"SF-{key}", "contact_key": "C1", "Date": "2026-11-02", "Reference": key,
            "LineItems": [LINE], **fields}  # fmt: skip


def invoice(key: str, **fields: Any) -> dict[str, Any]:
    return sale(key, DueDate="2026-12-02", **fields)


def payment(key: str, amount: str) -> dict[str, Any]:
    return {"source_key": key, "marker": f"SF:{key}", "invoice_key": "O1", "AccountCode": "090", "Date": "2026-11-02",
            "Amount": amount}  # fmt: skip


CUSTOMER = ("contacts", [contact(1)])
NUMBERED = {"InvoiceNumber": "SF-0002"}
"""Class U: Xero keeps it unique. Everything else of these flows but contacts and items is class N."""
BOTH = [invoice("O1"), invoice("O2", **NUMBERED)]
NEW = [{**LINE, "Description": "Widgets (new)"}]
PAID = [payment("P1", "10.00"), payment("P2", "10.00")]
EVERYTHING = [
    CUSTOMER,
    ("items", [{"source_key": "I1", "Code": "W-1", "Name": "Widget"}]),
    ("quotes", [sale("Q1", Title="Offer")]),
    ("invoices", BOTH),
    ("credit_notes", [sale("N1")]),
]


def changed() -> list[tuple[str, list[dict[str, Any]]]]:
    return [
        ("contacts", [contact(1, EmailAddress="new@example.com")]),
        ("items", [{"source_key": "I1", "Code": "W-1", "Name": "Widget (new)"}]),
        ("quotes", [sale("Q1", Title="Offer (new)")]),
        ("invoices", [{**one, "LineItems": NEW} for one in BOTH]),
        ("credit_notes", [sale("N1", LineItems=NEW)]),
    ]


# What is in the books: (which document, what is in it, its amount), and how often.


def books(xero: Any) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for row in xero.live("Contacts"):
        if row["ContactStatus"] == "ACTIVE":
            found["contact", row["Name"], row.get("EmailAddress", "")] += 1
    for row in xero.live("Items"):
        found["item", row["Code"], row["Name"]] += 1
    for container in ("Quotes", "Invoices", "CreditNotes"):
        for row in xero.live(container):
            what = f"{row['LineItems'][0]['Description']} {row.get('Title', '')}".strip()
            found[row["Reference"], what, f"{row['Total']:.2f}"] += 1
    for row in xero.live("Payments"):
        found["payment", row["Reference"], f"{row['Amount']:.2f}"] += 1
    for row in xero.live("CreditNotes"):
        for entry in row.get("Allocations", ()):
            found["allocation", row["Reference"], f"{entry['Amount']:.2f}"] += 1
    return found


def expect(*rows: tuple[str, str, str]) -> Callable[[Any], None]:
    """Each of these once, and nothing else."""

    def check(xero: Any) -> None:
        assert books(xero) == Counter(rows)

    return check


def sold(key: str, what: str = "Widgets", total: str = "36.00") -> tuple[str, str, str]:
    return (f"{key} · SF-{key}", what, total)


C1, ITEM = ("contact", "Customer 1", ""), ("item", "W-1", "Widget")
ALL = (C1, ITEM, sold("Q1", "Widgets Offer"), sold("O1"), sold("O2"), sold("N1"))


def nothing(_world: Any) -> None:
    """Before the first run."""


def loads(*batches: Any, **options: Any) -> Callable[[Any], Any]:
    """A run over these documents."""

    def go(world: Any) -> Any:
        world.executor_fields = options
        return world.run(*copy.deepcopy(batches))

    return go


def approves_and_applies(*batches: Any) -> Callable[[Any], Any]:
    """A run that proposes, somebody who approves all that waits, and `apply`."""

    def go(world: Any) -> Any:
        with world.ledger() as ledger:
            ledger.proposing = "author"
            world.begin(ledger, copy.deepcopy(batches))
            ledger.finish_run(world.xero.now)
        with world.ledger() as ledger:
            executor = world.begin(ledger, [])
            waiting = {one.id: (one.content_hash, "") for one in ledger.proposals() if one.approval is None}
            if waiting:
                ledger.approve("plan", "approver", "", waiting, milliseconds(world.xero.now))
            released = release(ledger)
            world.pump(executor, [])
            finish(ledger, released, world.xero.now)
            assert not ledger.proposals()
            return ledger.finish_run(world.xero.now)

    return go


def undoes(run: int) -> Callable[[Any], Any]:
    """`undo` of a run; the plan before it is left out, for it writes nothing."""

    def go(world: Any) -> Any:
        with world.ledger() as ledger:
            executor = world.begin(ledger, [])

            def settle() -> bool:
                world.pump(executor, [])
                return executor.stopped is None

            settle()
            undo(SimpleNamespace(ledger=ledger, settle=settle), run, "somebody")
            return ledger.finish_run(world.xero.now)

    return go


def approved_by_people(*batches: Any) -> Callable[[Any], None]:
    """In Xero since an earlier run, an hour ago, and approved there."""

    def set_up(world: Any) -> None:
        assert world.run(*copy.deepcopy(batches)).clean
        world.xero.advance(3_600)
        for row in world.xero.live("Invoices"):
            world.xero._save("Invoices", {**row, "Status": "AUTHORISED"})
        world.xero.advance(3_600)

    return set_up


def in_xero(*batches: Any) -> Callable[[Any], None]:
    """In Xero since an earlier run, an hour ago."""

    def set_up(world: Any) -> None:
        assert world.run(*copy.deepcopy(batches)).clean
        world.xero.advance(3_600)

    return set_up


def paid(world: Any) -> None:
    """Approved by people, and paid by the second run."""
    approved_by_people(CUSTOMER, ("invoices", BOTH))(world)
    in_xero(("payments", PAID))(world)


def merged(world: Any) -> None:
    """Customer 1 was merged into a contact that people made."""
    in_xero(CUSTOMER)(world)
    survivor = world.xero.put("Contacts", Name="Group")
    (gone,) = (row for row in world.xero.live("Contacts") if row["Name"] == "Customer 1")
    world.xero._save(
        "Contacts", {**gone, "ContactStatus": "ARCHIVED", "MergedToContactID": survivor["ContactID"]}
    )
    world.xero.advance(3_600)


def entered_by_people(world: Any) -> None:
    """Somebody entered what the source will send, with its number and marker."""
    owner = world.xero.put("Contacts", Name="Customer 1", ContactNumber="C1")
    world.xero.put("Items", Code="W-1", Name="Widget")
    lines = [
        {"Description": "Widgets", "Quantity": Decimal(3), "UnitAmount": Decimal(10), "AccountCode": "200"}
    ]
    world.xero.put(
        "Invoices", Type="ACCREC", InvoiceNumber="INV-9", Reference="O1 · SF-O1", Contact=owner, CurrencyCode="GBP",
        Date="2026-11-02", DueDate="2026-12-02", LineItems=lines, LineAmountTypes="Exclusive", SubTotal=Decimal("30.00"),
        Total=Decimal("36.00"), AmountPaid=Decimal(0),
    )  # fmt: skip
    world.xero.advance(3_600)


def noted(xero: Any) -> None:
    expect(C1, sold("O1"), sold("O2"))(xero)
    for container in ("Contacts", "Invoices"):
        for id_ in xero.store[container]:
            (note,) = xero.notes[id_]
            assert note["Details"].startswith(("Created from ", "Changed from "))


def at_the_survivor(xero: Any) -> None:
    expect(("contact", "Group", ""), sold("O1"), sold("O2"))(xero)
    (survivor,) = (row for row in xero.live("Contacts") if row["ContactStatus"] == "ACTIVE")
    assert {row["Contact"]["ContactID"] for row in xero.live("Invoices")} == {survivor["ContactID"]}


@dataclass(frozen=True)
class Flow:
    """Where it begins, what a run of it does, and what must be in Xero at its end."""

    before: Callable[[Any], Any]
    go: Callable[[Any], Any]
    check: Callable[[Any], None]


ROUNDED = [{**one, "expected_total_with_tax": "36.01"} for one in BOTH]
FLOWS = {
    "create": Flow(nothing, loads(*EVERYTHING), expect(*ALL)),
    "update": Flow(in_xero(*EVERYTHING), loads(*changed()), expect(
        ("contact", "Customer 1", "new@example.com"), ("item", "W-1", "Widget (new)"), sold("Q1", "Widgets Offer (new)"),
        sold("O1", "Widgets (new)"), sold("O2", "Widgets (new)"), sold("N1", "Widgets (new)"),
    )),
    "adopt": Flow(entered_by_people, loads(CUSTOMER, *EVERYTHING[1:2], ("invoices", BOTH)), expect(
        C1, ITEM, sold("O1"), sold("O2"),
    )),
    "withdraw": Flow(in_xero(CUSTOMER, ("invoices", BOTH)), loads(
        ("invoices", [{**one, "withdrawn": True} for one in BOTH]),
    ), expect(C1)),
    "pay": Flow(approved_by_people(CUSTOMER, ("invoices", BOTH)), loads(("payments", PAID)), expect(
        C1, sold("O1"), sold("O2"), ("payment", "SF:P1", "10.00"), ("payment", "SF:P2", "10.00"),
    )),
    "credit and allocate": Flow(approved_by_people(CUSTOMER, ("invoices", BOTH)), loads(("credit_notes", [sale(
        "N1", Status="AUTHORISED", allocations=[{"invoice_key": key, "Amount": "5.00", "Date": "2026-11-02"} for key in ("O1", "O2")],
    )])), expect(
        C1, sold("O1"), sold("O2"), sold("N1"), *[("allocation", "N1 · SF-N1", "5.00")] * 2,
    )),
    "approve and apply": Flow(nothing, approves_and_applies(*EVERYTHING), expect(*ALL)),
    "undo drafts": Flow(in_xero(*EVERYTHING), undoes(1), expect()),
    "undo what was approved": Flow(
        approved_by_people(CUSTOMER, ("invoices", BOTH)), undoes(1), expect()
    ),
    "undo payments": Flow(paid, undoes(2), expect(C1, sold("O1"), sold("O2"))),
    "note in the History": Flow(nothing, loads(CUSTOMER, ("invoices", BOTH), history_notes=True), noted),
    "follow a merged contact": Flow(merged, loads(("invoices", BOTH)), at_the_survivor),
    "round": Flow(
        nothing,
        loads(CUSTOMER, ("invoices", ROUNDED), on_total_difference="rounding_line"),
        expect(C1, sold("O1", total="36.01"), sold("O2", total="36.01")),
    ),
}  # fmt: skip


class Stage:
    """One flow, any number of schedules of it; what all of them begin with is made once."""

    def __init__(self, flow: Flow, new_world: Any, fuse: Any, crashed: type[BaseException]) -> None:
        self.flow, self.fuse, self.crashed = flow, fuse, crashed
        self._new_world = new_world
        self.world = new_world()
        fuse.at = None
        flow.before(self.world)
        self.beginning = self.keep()

    def keep(self) -> tuple[bytes, Any]:
        self.world.xero.calls.clear()
        return self.world.path.read_bytes(), copy.deepcopy(self.world.xero)

    def back_to(self, kept: tuple[bytes, Any]) -> None:
        self.world = self._new_world()
        self.world.path.write_bytes(kept[0])
        self.world.xero = copy.deepcopy(kept[1])
        self.world.before_call = self._send

    def _send(self, call: Any) -> None:
        if call.purpose is Purpose.WRITE:
            try:
                self.fuse("C4")
            except self.crashed:
                if not call.path.endswith("/History"):
                    self.world.xero.late.append((self.world.xero.now + timedelta(seconds=290), call))
                raise

    def points(self) -> dict[str, int]:
        """How often a run passes each point."""
        self.fuse.at = None
        self.fuse.passed.clear()
        self.flow.go(self.world)
        return dict(self.fuse.passed)

    def ends_at(self, point: tuple[str, int]) -> None:
        self.fuse.passed.clear()
        self.fuse.at = point
        with pytest.raises(self.crashed):
            self.flow.go(self.world)
        self.fuse.at = None

    def verdict(self, schedule: Any) -> None:
        """Two clean runs; then everything is there once, and nothing is in doubt."""
        for _ in range(2):
            left = self.flow.go(self.world)
            self.world.xero.advance(1_000)
        try:
            assert left.clean, left
            self.flow.check(self.world.xero)
        except AssertionError as error:
            raise AssertionError(f"crash at {schedule}: {error}") from error


@pytest.fixture(params=FLOWS)
def stage(request: Any, new_world: Any, fuse: Any, crashed: type[BaseException]) -> Stage:
    return Stage(FLOWS[request.param], new_world, fuse, crashed)


def test_a_crash_at_every_passing_of_every_point(stage: Stage, capsys: Any) -> None:
    stage.back_to(stage.beginning)
    passed = stage.points()
    stage.verdict("no point")
    assert passed.keys() >= {"C2", "C3", "C4", "C6", "C8", "C9"}
    for name in passed:
        stage.back_to(stage.beginning)
        stage.ends_at((name, 1))
        stage.verdict(name)
    with capsys.disabled():
        print(f" {len(passed)} schedules ", end="")


@pytest.mark.e2e
def test_a_second_crash_at_every_point_after_a_crash_at_every_point(stage: Stage, capsys: Any) -> None:
    schedules = 0
    stage.back_to(stage.beginning)
    for n, first in enumerate(stage.points()):
        stage.back_to(stage.beginning)
        stage.ends_at((first, 1))
        stage.world.xero.advance((1, 1_000)[n % 2])
        between = stage.keep()
        for second in stage.points():
            stage.back_to(between)
            stage.ends_at((second, 1))
            stage.verdict((first, second))
            schedules += 1
    with capsys.disabled():
        print(f" {schedules} schedules ", end="")
