"""What limits a run, in a run of minutes and in one of weeks: each document counts once, and a day at a time."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from target_xero import limits
from target_xero.plan import Planner

DAY_S = 86_400


class Session:
    """One run that goes on: documents come, and what can go goes."""

    def __init__(self, world, ledger):
        self._world = world
        self._planner = Planner(ledger, world.organisation, world.settings)
        self._executor = world.begin(ledger, [])

    def takes(self, stream, documents):
        self._world.xero.advance(120)
        self._planner.accept(stream, documents)
        self._world.pump(self._executor, [])
        return self._executor.stopped


@pytest.fixture
def session(world):
    @contextmanager
    def begin(**settings):
        world.executor_fields = settings
        with world.ledger() as ledger:
            yield Session(world, ledger)

    return begin


def items(count, word="", first=0):
    return [
        {"source_key": f"P{n}", "Code": f"P{n}", "Name": f"Widget {n}{word}"} for n in range(first, count)
    ]


def named(world, word):
    return sum(row["Name"].endswith(word) for row in world.xero.live("Items"))


@pytest.fixture
def few(monkeypatch):
    """Five documents are many."""
    monkeypatch.setattr(limits, "CHANGED_KNOWN_MIN", 5)


# -- the share of what is changed ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_a_run_made_itself_may_be_changed_by_it(world, session):
    assert limits.CHANGED_KNOWN_MIN <= 600
    with session() as live:
        assert live.takes("items", items(600)) is None
        assert live.takes("items", items(600, " new")) is None
    assert named(world, " new") == 600


def test_a_document_that_is_edited_again_and_again_is_one_document(world, session, few):
    world.run(("items", items(20)))
    with session(max_changed_percent=25) as live:
        for n in range(1, 20):
            assert live.takes("items", items(1, f" {n}")) is None
        assert live.takes("items", items(5, " five")) is None
        assert "6 of 20 documents in Xero (30 %)" in live.takes("items", items(6, " six"))
    assert named(world, " six") == 0


@pytest.mark.slow  # thousands of documents: the shares are those of the guard's own limits
def test_a_mistake_is_stopped_in_the_middle_of_a_run_that_began_long_ago(world, session):
    world.run(("items", items(1_500)))
    with session(max_changed_percent=30) as live:
        for day in range(10):
            changed = [
                row for n in range(40) for row in items(day * 40 + n + 1, f" {day}", first=day * 40 + n)
            ]
            assert live.takes("items", changed) is None
            world.xero.advance(DAY_S)
        stopped = live.takes("items", items(600, " wrong"))
    assert stopped is not None
    assert stopped.startswith(
        "within 24 hours this run would change or withdraw 600 of 1,500 documents in Xero (40 %)"
    )
    assert "max_changed_percent is 30" in stopped
    assert "TARGET_XERO_MAX_CHANGED_PERCENT=40 meltano run" in stopped
    assert named(world, " wrong") == 0


def test_a_mistake_that_comes_in_drops_is_stopped_as_well(world, session, few):
    world.run(("items", items(20)))
    with session() as live:
        for n in range(10):
            assert live.takes("items", items(n + 1, " wrong", first=n)) is None
        assert "11 of 20 documents in Xero (55 %)" in live.takes("items", items(11, " wrong", first=10))
    assert named(world, " wrong") == 10


def test_what_was_made_a_day_ago_is_known_and_can_be_changed_by_mistake(world, session, few):
    with session() as live:
        assert live.takes("items", items(20)) is None
        world.xero.advance(DAY_S)
        assert "11 of 20 documents in Xero (55 %)" in live.takes("items", items(11, " wrong"))
    assert named(world, " wrong") == 0


def test_what_was_let_through_is_not_held_against_a_run_later(world, session, few):
    with session() as live:
        assert live.takes("items", items(20)) is None
        world.xero.advance(DAY_S - 1_000)
        assert live.takes("items", items(15, " new")) is None  # as it made them itself
        world.xero.advance(2_000)
        assert live.takes("items", items(10, " newer")) is None
        assert "11 of 20 documents" in live.takes("items", items(20, " newer", first=19))
    assert named(world, " newer") == 10


def test_changes_of_a_week_are_no_mass_change(world, session, few):
    world.run(("items", items(20)))
    with session() as live:
        for day in range(4):
            assert live.takes("items", items(day * 5 + 5, " edited", first=day * 5)) is None
            world.xero.advance(DAY_S)
    assert named(world, " edited") == 20


def test_a_share_is_of_what_there_was_before_things_were_withdrawn(world, session, make, few):
    deals = [make.invoice(n, contact_key="C1") for n in range(19)]
    world.run(("contacts", [make.contact(1)]), ("invoices", deals))
    with session() as live:
        for deal in deals[:10]:
            assert live.takes("invoices", [{**deal, "withdrawn": True}]) is None
        assert "11 of 20 documents in Xero (55 %)" in live.takes(
            "invoices", [{**deals[10], "Reference": "new"}]
        )
    assert len(world.xero.live("Invoices")) == 9


def test_what_was_found_in_xero_is_told_as_known(world, session, few, empty_ledger):
    world.run(("items", items(20)))
    shutil.copy(empty_ledger, world.path)
    with session() as live:
        assert "8 of 8 documents in Xero (100 %)" in live.takes("items", items(8, " ours"))
    with session(max_changed_percent=100) as live:
        assert live.takes("items", items(20, " ours")) is None
    with session() as live:
        assert live.takes("items", items(10, " edited")) is None
        assert "11 of 20 documents in Xero (55 %)" in live.takes("items", items(11, " wrong"))
    assert (named(world, " edited"), named(world, " ours")) == (10, 10)


def test_a_share_is_of_what_there_was_a_day_ago_not_of_what_there_was_at_first(world, session, make, few):
    deals = [make.invoice(n, contact_key="C1") for n in range(19)]
    world.run(("contacts", [make.contact(1)]), ("invoices", deals))
    with session() as live:
        assert live.takes("invoices", [{**deal, "withdrawn": True} for deal in deals[:9]]) is None
        world.xero.advance(7_200)
        assert live.takes("invoices", [{**deals[18], "Reference": "new"}]) is None
        world.xero.advance(DAY_S)
        wrong = [{**deal, "Reference": "wrong"} for deal in deals[9:15]]
        assert "6 of 11 documents in Xero (55 %)" in live.takes("invoices", wrong)


def test_what_is_withdrawn_and_made_again_is_changed(world, session, make, few):
    deals = [make.invoice(n, contact_key="C1") for n in range(19)]
    world.run(("contacts", [make.contact(1)]), ("invoices", deals))
    with session() as live:
        for deal in deals[:10]:
            assert live.takes("invoices", [{**deal, "withdrawn": True}]) is None
            assert live.takes("invoices", [{**deal, "Reference": "again"}]) is None
        assert "11 of 20 documents in Xero (55 %)" in live.takes(
            "invoices", [{**deals[10], "Reference": "new"}]
        )


@pytest.mark.parametrize("before", [0, 20])
def test_at_a_hundred_per_cent_all_may_be_changed(world, session, few, before):
    world.run(("items", items(before)))
    with session(max_changed_percent=100) as live:
        assert live.takes("items", items(20)) is None
        assert live.takes("items", items(20, " new")) is None
    assert named(world, " new") == 20


# -- documents and amounts -------------------------------------------------------------------------------------------------


def test_at_most_so_many_documents_is_a_day_at_a_time_and_each_once(world, session):
    with session(max_documents=4) as live:
        for day in range(3):
            mine = items(day * 4 + 4, first=day * 4)
            assert live.takes("items", mine) is None
            edited = [{**row, "Name": f"{row['Name']} new"} for row in mine]
            assert live.takes("items", edited) is None
            world.xero.advance(DAY_S)
        stopped = live.takes("items", items(17, first=12))
    assert "within 24 hours this run would write 5 documents, and max_documents is 4" in stopped
    assert len(world.xero.live("Items")) == 12


def test_an_amount_is_summed_once_a_document_with_what_it_comes_to_now(world, session, make):
    world.run(("contacts", [make.contact(1), make.contact(2)]))
    with session(max_amount={"GBP": 100}) as live:
        for price in ("10.00", "20.00", "30.00", "10.00"):
            assert live.takes("invoices", [make.invoice(1, price)]) is None
        assert live.takes("invoices", [make.invoice(2, "23.33")]) is None  # 30.00 and 69.99
        assert "100.02 GBP, and max_amount is 100 GBP" in live.takes("invoices", [make.invoice(1, "10.01")])
    assert sorted(row["SubTotal"] for row in world.xero.live("Invoices")) == [
        Decimal("30.00"),
        Decimal("69.99"),
    ]


def test_the_amounts_of_another_day_are_not_in_the_sum(world, session, make):
    world.run(("contacts", [make.contact(n) for n in range(4)]))
    with session(max_amount={"GBP": 50}) as live:
        for n in range(3):
            assert live.takes("invoices", [make.invoice(n)]) is None
            world.xero.advance(DAY_S)
        assert live.takes("invoices", [make.invoice(3)]) is None
        assert "60.00 GBP, and max_amount is 50 GBP" in live.takes(
            "invoices", [make.invoice(0, "10.00", Reference="n")]
        )


# -- what is stopped -------------------------------------------------------------------------------------------------------


def test_what_was_stopped_waits_also_when_the_run_ends_there(world, session, few, fuse, crashed):
    world.run(("items", items(20)))
    with session() as live:
        assert live.takes("items", items(4, " new")) is None
        assert "12 of 20" in live.takes("items", items(12, " wrong"))
    # no summary was written: the process is gone
    with session() as again:
        assert "12 of 20" in again.takes("items", [])
        assert named(world, " wrong") == 0
    with session(max_changed_percent=60) as through:
        fuse.passed.clear()
        fuse.at = ("C3", 1)
        with pytest.raises(crashed):
            through.takes("items", [])
    fuse.at = None
    world.xero.advance(1_000)
    with session(max_changed_percent=60) as after:
        assert after.takes("items", []) is None
    assert named(world, " wrong") == 12


def test_a_run_begins_with_its_own_count(world, session, few):
    world.run(("items", items(20)))
    for part in (items(8, " new"), items(16, " new", first=8)):
        with session() as one:
            assert one.takes("items", part) is None


def test_a_rehearsal_tells_of_the_same_limit_and_shows_all(world, session, few):
    told = []
    world.run(("items", items(20)))
    with session(tell_limit=told.append) as rehearsal:
        assert rehearsal.takes("items", items(10, " new")) is None
        assert told == []
        world.xero.advance(DAY_S)
        assert rehearsal.takes("items", items(11, " wrong")) is None
        assert rehearsal.takes("items", items(11, " more")) is None
    assert named(world, " more") == 11
    assert all("11 of 20 documents in Xero (55 %)" in sentence for sentence in told)
    assert told[0].startswith("within 24 hours it would change")


def test_between_two_looks_a_day_is_a_day_of_xeros_clock(world, session, few):
    world.run(("items", items(20)))
    with session() as live:
        assert live.takes("items", items(10, " new")) is None
        world.xero.now += timedelta(seconds=DAY_S - 300)
        assert "11 of 20 documents" in live.takes("items", items(11, " new", first=10))
