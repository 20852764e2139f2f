"""A crash at every named point and a fault at every call, in every flow: nothing lost, nothing doubled, every cent equal.

The checker looks at the small Xero's store only, never at the ledger.
"""

from __future__ import annotations

import contextlib
import random
from decimal import Decimal

import pytest
from target_xero.crash import POINTS

pytestmark = pytest.mark.slow

both = pytest.mark.parametrize("new_world", ["sqlite", "postgres"], indirect=True)
"""On both databases that a ledger can be in."""


def documents(make, version=1):
    """Two customers, an item, a numbered and two plain invoices (one approved and paid), a quote, a credit note with use."""
    suffix = "" if version == 1 else " (new)"
    line = {
        "line_key": "L1",
        "item_key": "P1",
        "Description": "Widgets" + suffix,
        "Quantity": "3",
        "UnitAmount": "10",
        "AccountCode": "200",
    }
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
    for _ in range(3):
        summary = world.run(*batches)
        if summary.clean:
            break
        world.xero.advance(1_000)
    assert summary.clean, (summary, world.problems)
    assert world.stopped is None
    world.xero.advance(1_000)  # whatever Xero was still to do, it has done


def crash_then_recover(new_world, make, fuse, crashed, version, point):
    world = new_world()
    fuse.at = None
    if version == 2:
        world.run(*documents(make))
    fuse.passed.clear()
    fuse.at = point
    with pytest.raises(crashed):
        world.run(*documents(make, version))
    fuse.at = None
    recover(world, documents(make, version))
    check(world.xero, version)


def points_passed(new_world, make, fuse, version):
    world = new_world()
    if version == 2:
        world.run(*documents(make))
    fuse.passed.clear()
    world.run(*documents(make, version))
    check(world.xero, version)
    assert fuse.passed.keys() >= {"C0", "C1", "C2", "C3", "C6", "C8", "C9", "C10"}
    return dict(fuse.passed)


@both
def test_a_crash_at_the_first_passing_of_each_point_loses_and_doubles_nothing(new_world, make, fuse, crashed):
    for name in points_passed(new_world, make, fuse, 1):
        crash_then_recover(new_world, make, fuse, crashed, 1, (name, 1))


@pytest.mark.e2e
@pytest.mark.parametrize("version", [1, 2])
def test_a_crash_at_every_passing_of_every_point_loses_and_doubles_nothing(
    new_world, make, fuse, crashed, version
):
    for name, count in points_passed(new_world, make, fuse, version).items():
        for n in range(1, count + 1):
            crash_then_recover(new_world, make, fuse, crashed, version, (name, n))


def calls_of_a_clean_run(new_world, make):
    world = new_world()
    world.run(*documents(make))
    return world.xero.calls


def test_a_late_write_at_every_write_is_not_doubled(new_world, make):
    """The bug everybody ships: look at once, find nothing, send again, and then the first request is carried out."""
    for number, call in enumerate(calls_of_a_clean_run(new_world, make)):
        if call.method != "GET":
            world = new_world()
            world.faults = {number: "late"}
            recover(world, documents(make))
            check(world.xero)


def test_a_list_read_in_the_same_moment_as_a_lost_write_is_not_taken_for_newer(new_world, make):
    for number, call in enumerate(calls_of_a_clean_run(new_world, make)):
        if call.method != "GET":
            world = new_world()
            world.tick_ms = 0
            world.faults = {number: "lost"}
            summary = world.run(*documents(make))
            assert summary.clean, (call.path, summary, world.problems)
            check(world.xero)


@pytest.mark.e2e
@pytest.mark.parametrize("fault", ["lost", "late", "before", "never", "garbled"])
def test_a_fault_at_every_call_loses_and_doubles_nothing(new_world, make, fault):
    for number in range(len(calls_of_a_clean_run(new_world, make))):
        world = new_world()
        world.faults = {number: fault}
        recover(world, documents(make))
        check(world.xero)


def test_a_process_that_ends_with_a_write_still_under_way_doubles_nothing(new_world, make, crashed):
    """C4: the bytes are out, the process ends, and Xero carries the write out only after the next run has begun."""
    for number, call in enumerate(calls_of_a_clean_run(new_world, make)):
        if call.method == "GET":
            continue
        world = new_world()
        world.faults = {number: "cut"}
        with pytest.raises(crashed):
            world.run(*documents(make))
        world.run(*documents(make))
        recover(world, documents(make))
        check(world.xero)


def test_a_crash_between_finding_and_adopting_finds_it_again(new_world, make, fuse, crashed):
    """C11: the look-up has found what the lost answer was about, and the process ends before that is written down."""
    for number, call in enumerate(calls_of_a_clean_run(new_world, make)):
        if call.method == "GET" or "Allocations" in call.path:
            continue
        world = new_world()
        world.faults = {number: "lost"}
        fuse.passed.clear()
        fuse.at = ("C11", 1)
        with pytest.raises(crashed):
            world.run(*documents(make))
        fuse.at = None
        recover(world, documents(make))
        check(world.xero)


def seeded(new_world, make, fuse, crashed, seed):
    dice = random.Random(seed)
    world = new_world()
    kinds = ["lost", "late", "before", "never", "garbled"]
    world.faults = {n: dice.choice(kinds) for n in range(60) if dice.random() < 0.2}
    for version in (1, 2):
        for _ in range(dice.randrange(3)):
            fuse.passed.clear()
            fuse.at = (dice.choice(POINTS), dice.randrange(1, 6))
            with contextlib.suppress(crashed):
                world.run(*documents(make, version), capacity=dice.randrange(1, 5))
            world.xero.advance(dice.choice([1, 30, 200, 400, 1000]))
        fuse.at = None
        for _ in range(2):
            world.run(*documents(make, version))
            world.xero.advance(1_000)
        world.faults = {n: f for n, f in world.faults.items() if n > len(world.xero.calls) + 60}
        recover(world, documents(make, version))
        check(world.xero, version)


@pytest.mark.parametrize("seed", range(4))
def test_seeded_faults_and_crashes_end_clean(new_world, make, fuse, crashed, seed):
    seeded(new_world, make, fuse, crashed, seed)


@pytest.mark.e2e
@pytest.mark.parametrize("block", range(8))
def test_many_seeded_faults_and_crashes_end_clean(new_world, make, fuse, crashed, block):
    for seed in range(100 + block * 25, 125 + block * 25):
        seeded(new_world, make, fuse, crashed, seed)
