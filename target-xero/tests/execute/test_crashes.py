"""A crash at every named point and a fault at every call, in every flow: nothing lost, nothing doubled, every cent equal.

The checker looks at the small Xero's store only, never at the ledger.
"""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import pytest


def documents(make, version=1):
    """Two customers, an item, a numbered and two plain invoices (one approved and paid), a quote, a credit note with use."""
    suffix = "" if version == 1 else " (new)"
    line = {"line_key": "L1", "item_key": "P1", "Description": "Widgets" + suffix, "Quantity": "3", "UnitAmount": "10", "AccountCode": "200"}
    plain = {k: v for k, v in make.invoice(2).items() if k != "DueDate"}
    return [
        ("contacts", [make.contact(1, AccountNumber=f"A{version}"), make.contact(2)]),
        ("items", [{"source_key": "P1", "Code": "W-1", "Name": "Widget" + suffix}]),
        ("invoices", [
            make.invoice(1, Status="AUTHORISED"),
            make.invoice(2, LineItems=[line]),
            make.invoice(3, contact_key="C2", InvoiceNumber="SF-0003", LineItems=[line]),
        ]),
        ("quotes", [plain | {"source_key": "Q1", "marker": "SF-Q1", "Title": "Offer" + suffix}]),
        ("credit_notes", [plain | {
            "source_key": "N1", "marker": "SF-N1", "contact_key": "C1", "Status": "AUTHORISED",
            "allocations": [{"invoice_key": "O1", "Amount": "5.00", "Date": "2026-11-02"}],
        }]),
        ("payments", [make.payment(1, "20.00"), {**make.payment(1, "7.00"), "source_key": "O1#second", "marker": "SF:O1b"}]),
    ]  # fmt: skip


def check(xero, version=1):
    """Every document once, with its content."""
    suffix = "" if version == 1 else " (new)"
    contacts = {row["ContactNumber"]: row for row in xero.live("Contacts")}
    assert sorted(row["ContactNumber"] for row in xero.live("Contacts")) == ["C1", "C2"]
    assert contacts["C1"]["AccountNumber"] == f"A{version}"
    assert [row["Name"] for row in xero.live("Items")] == ["Widget" + suffix]
    invoices = {row["Reference"]: row for row in xero.live("Invoices")}
    assert len(xero.live("Invoices")) == 3
    assert invoices.keys() == {"Deal 1 · SF-O1", "Deal 2 · SF-O2", "Deal 3 · SF-O3"}
    assert [invoices[f"Deal {n} · SF-O{n}"]["SubTotal"] for n in (1, 2, 3)] == [Decimal(30)] * 3
    assert invoices["Deal 2 · SF-O2"]["LineItems"][0]["Description"] == "Widgets" + suffix
    assert invoices["Deal 3 · SF-O3"]["InvoiceNumber"] == "SF-0003"
    assert invoices["Deal 3 · SF-O3"]["Contact"]["ContactID"] == contacts["C2"]["ContactID"]
    assert [row["Title"] for row in xero.live("Quotes")] == ["Offer" + suffix]
    (note,) = xero.live("CreditNotes")
    assert [entry["Amount"] for entry in note["Allocations"]] == [Decimal("5.00")]
    assert sorted(row["Amount"] for row in xero.live("Payments")) == [Decimal("7.00"), Decimal("20.00")]
    assert invoices["Deal 1 · SF-O1"]["AmountPaid"] == Decimal("27.00")


def test_the_checker_sees_a_doubled_payment_and_a_missing_invoice(world, make):
    world.run(*documents(make))
    check(world.xero)
    payment = dict(world.xero.live("Payments")[0], PaymentID="another")
    world.xero.store["Payments"]["another"] = payment
    with pytest.raises(AssertionError):
        check(world.xero)
    del world.xero.store["Payments"]["another"]
    world.xero.store["Invoices"].popitem()
    with pytest.raises(AssertionError):
        check(world.xero)


def recover(world, batches):
    """The schedule goes on: the next runs, with time between them."""
    summary = world.settle(*batches)
    assert summary.clean, (summary, world.problems)
    assert world.stopped is None
    return summary


@pytest.mark.parametrize("version", [1, 2])
def test_a_crash_at_every_point_loses_nothing_and_doubles_nothing(new_world, make, fuse, crashed, version):
    def begin():
        world = new_world()
        if version == 2:
            fuse.at = None
            world.run(*documents(make))
        fuse.passed.clear()
        return world

    world = begin()
    world.run(*documents(make, version))
    check(world.xero, version)
    points = [(name, n) for name, count in sorted(fuse.passed.items()) for n in range(1, count + 1)]
    assert {name for name, _ in points} >= {"C0", "C1", "C2", "C3", "C6", "C8", "C9", "C10"}
    for point in points:
        world = begin()
        fuse.at = point
        with pytest.raises(crashed):
            world.run(*documents(make, version))
        fuse.at = None
        recover(world, documents(make, version))
        check(world.xero, version)


def calls_of_a_clean_run(new_world, make):
    world = new_world()
    world.run(*documents(make))
    return len(world.xero.calls)


@pytest.mark.parametrize("fault", ["lost", "late", "before", "never", "garbled"])
def test_a_fault_at_every_call_loses_nothing_and_doubles_nothing(new_world, make, fault):
    for number in range(calls_of_a_clean_run(new_world, make)):
        world = new_world()
        world.faults = {number: fault}
        recover(world, documents(make))
        check(world.xero)


def test_a_crash_with_a_late_write_before_it_is_not_doubled(new_world, make, fuse, crashed):
    """C4: the bytes are out, the process ends, and Xero carries the write out only after the next run has begun."""
    for number in range(calls_of_a_clean_run(new_world, make)):
        world = new_world()
        world.faults = {number: "late"}
        fuse.passed.clear()
        fuse.at = ("C6", 1)
        try:
            world.run(*documents(make))
        except crashed:
            pass
        fuse.at = None
        world.run(*documents(make))
        recover(world, documents(make))
        check(world.xero)


@pytest.mark.parametrize("seed", range(40))
def test_seeded_schedules_of_faults_and_crashes_end_clean(new_world, make, fuse, crashed, seed):
    dice = random.Random(seed)
    world = new_world()
    world.faults = {n: dice.choice(["lost", "late", "before", "never", "garbled", "busy"]) for n in range(60) if dice.random() < 0.2}
    for version in (1, 2):
        for _ in range(dice.randrange(3)):
            fuse.passed.clear()
            fuse.at = (dice.choice(["C0", "C1", "C2", "C3", "C6", "C8", "C9", "C10", "C11"]), dice.randrange(1, 6))
            try:
                world.run(*documents(make, version), capacity=dice.randrange(1, 5))
            except crashed:
                pass
            world.xero.advance(dice.choice([1, 30, 200, 400, 1000]))
        fuse.at = None
        world.settle(*documents(make, version))
        world.faults = {n: f for n, f in world.faults.items() if n > len(world.xero.calls) + 5}
        summary = recover(world, documents(make, version))
        check(world.xero, version)
        assert not summary.waiting_for


def test_every_named_point_is_known(fuse, make, world):
    from target_xero.crash import POINTS

    world.faults = {n: "lost" for n in range(3, 12)}
    world.run(*documents(make))
    world.xero.advance(1000)
    world.run(*documents(make))
    assert set(fuse.passed) <= set(POINTS)
    assert set(itertools.chain(fuse.passed)) >= {"C10", "C11"}
