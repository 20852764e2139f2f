"""One mark, one document: a second one with the same mark is refused when it is planned, in whatever run it comes."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from target_xero.ledger import Ledger, State
from target_xero.ledger.base import milliseconds
from target_xero.ledger.database import read_url
from target_xero.ledger.execution import Effect
from target_xero.plan import Organisation, Planner
from target_xero.refusal import Refusal

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
ORGANISATION = Organisation("t-1", "Sandbox Trading Ltd", "GBP")
LINE = {"Description": "a", "Quantity": "1", "UnitAmount": "10", "AccountCode": "200"}


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path):
    place = tmp_path / "ledger.sqlite3"
    if request.param == "postgres":
        place = read_url(request.getfixturevalue("postgres").address)
    with Ledger(place, durable=False) as found:
        found.begin_run(ORGANISATION.tenant, NOW)
        yield found


@pytest.fixture
def planner(ledger):
    return Planner(ledger, lambda: ORGANISATION)


def invoice(key, marker="SF-1", **fields):
    return {
        "source_key": key,
        "marker": marker,
        "contact_key": "C1",
        "Date": "2026-11-02",
        "LineItems": [LINE],
        **fields,
    }


def contact_in_xero(planner, ledger):
    planner.accept("contacts", [{"source_key": "C1", "Name": "Acme"}])
    settle(ledger, "contacts")


def settle(ledger, kind="invoices", status="DRAFT"):
    for one in ledger.ready(kind, 100):
        ledger.mark_sent({one.id: "create"}, milliseconds(NOW))
        ledger.done([Effect(one, f"guid-{one.source_key}", status=status)])


def refused(ledger):
    return {one.source_key: [refusal.rule for refusal in why] for one, why in ledger.rejected()}


def going(ledger, kind="invoices"):
    return sorted(one.source_key for one in ledger.ready(kind, 100))


@pytest.fixture
def first_in_xero(planner, ledger):
    contact_in_xero(planner, ledger)
    planner.accept("invoices", [invoice("O1")])
    settle(ledger)


@pytest.mark.parametrize("together", [True, False])
def test_the_second_of_two_new_documents_is_refused_with_the_first_and_the_cure_named(
    planner, ledger, together
):
    contact_in_xero(planner, ledger)
    both = [invoice("O1"), invoice("O2")]
    for batch in [both] if together else [both[:1], both[1:]]:
        planner.accept("invoices", batch)
    assert going(ledger) == ["O1"]
    ((one, (refusal,)),) = ledger.rejected()
    assert (one.source_key, refusal.rule, refusal.field, refusal.value) == (
        "O2",
        "marker_taken",
        "marker",
        "SF-1",
    )
    assert "O1 of the source has it" in refusal.cure
    assert "a marker of its own" in refusal.cure


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN, State.PARKED, State.PROPOSED])
def test_a_mark_is_held_by_whatever_may_yet_be_or_already_is_in_xero(planner, ledger, state):
    contact_in_xero(planner, ledger)
    ledger.proposing = "ann" if state is State.PROPOSED else None
    planner.accept("invoices", [invoice("O1")])
    if state is not State.PROPOSED:
        (one,) = ledger.ready("invoices", 10)
        ledger.mark_sent({one.id: "create"}, milliseconds(NOW))
        if state is State.UNKNOWN:
            ledger.unknown([one.id], "no answer")
        if state is State.PARKED:
            ledger.park([one.id], "look at it")
    planner.accept("invoices", [invoice("O2")])
    assert refused(ledger) == {"O2": ["marker_taken"]}


def test_a_mark_in_xero_is_held_across_runs_and_against_changed_documents(first_in_xero, planner, ledger):
    ledger.begin_run(ORGANISATION.tenant, NOW)
    planner.accept("invoices", [invoice("O2"), invoice("O3", "SF-3")])
    settle(ledger)
    planner.accept("invoices", [invoice("O3", "SF-1")])
    assert refused(ledger) == {"O2": ["marker_taken"], "O3": ["marker_taken"]}
    assert going(ledger) == []


def test_a_document_keeps_its_own_mark_through_every_change(first_in_xero, planner, ledger):
    assert planner.accept("invoices", [invoice("O1", Reference="PO 7")]).planned == 1
    settle(ledger)
    assert planner.accept("invoices", [invoice("O1", Reference="PO 7")]).unchanged == 1
    assert refused(ledger) == {}


def test_two_that_an_earlier_release_made_with_one_mark_may_still_change(first_in_xero, planner, ledger):
    """Both are in Xero: to refuse their changes would undo nothing."""
    planner.accept("invoices", [invoice("O2", "SF-2")])
    settle(ledger)
    with ledger.atomic() as connection:
        connection.exec_driver_sql("UPDATE link SET marker = 'SF-1' WHERE source_key = 'O2'")
        connection.exec_driver_sql("UPDATE intent SET marker = 'SF-1' WHERE source_key = 'O2'")
    assert (
        planner.accept("invoices", [invoice("O2", Reference="x"), invoice("O1", Reference="x")]).planned == 2
    )


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_the_mark_of_what_people_ended_in_xero_is_free(first_in_xero, planner, ledger, status):
    ledger.note_status("invoices", {"guid-O1": status})
    planner.accept("invoices", [invoice("O2")])
    assert going(ledger) == ["O2"]


def test_the_mark_of_what_was_withdrawn_is_free_once_that_is_done(first_in_xero, planner, ledger):
    planner.accept("invoices", [{"source_key": "O1", "marker": "SF-1", "withdrawn": True}])
    planner.accept("invoices", [invoice("O2")])
    assert refused(ledger) == {"O2": ["marker_taken"]}
    (one,) = ledger.ready("invoices", 10)
    ledger.mark_sent({one.id: "delete"}, milliseconds(NOW))
    ledger.done([Effect(one, "guid-O1", status="DELETED")])
    assert planner.retry(keys=["O2"]) == 1
    assert going(ledger) == ["O2"]


def test_what_was_taken_back_does_not_come_back_beside_its_successor(first_in_xero, planner, ledger):
    hash_ = ledger.links("invoices", ["O1"])["O1"].content_hash
    ledger.unlink("invoices", "O1")
    ledger.note_undone("invoices", "O1", hash_, "guid-O1", "ann")
    planner.accept("invoices", [invoice("O2")])
    assert going(ledger) == ["O2"]
    assert planner.retry(keys=["O1"]) == 0
    assert refused(ledger) == {"O1": ["marker_taken"]}


def test_a_refused_document_holds_no_mark_and_gets_none_that_was_given_away_since(planner, ledger):
    contact_in_xero(planner, ledger)
    planner.accept("invoices", [invoice("O1")])
    (one,) = ledger.ready("invoices", 10)
    ledger.reject([one.id], [Refusal("account_unknown", "AccountCode", "2O0", "Make it.")])
    planner.accept("invoices", [invoice("O2")])
    assert going(ledger) == ["O2"]
    assert planner.retry() == 0, "both would be made"
    ledger.reject(
        [ledger.ready("invoices", 10)[0].id], [Refusal("account_unknown", "AccountCode", "2O0", "Make it.")]
    )
    assert planner.retry() == 1, "the first that goes again has it, the other one not"


def test_what_goes_by_itself_once_its_customer_is_there_holds_its_mark(planner, ledger):
    contact_in_xero(planner, ledger)
    planner.accept("invoices", [invoice("O1")])
    ledger.reject(
        [ledger.ready("invoices", 10)[0].id], [Refusal("waits", "contact_key", "C1", "")], waits=True
    )
    planner.accept("invoices", [invoice("O2")])
    assert refused(ledger)["O2"] == ["marker_taken"]


def test_a_mark_that_its_document_gives_up_in_the_same_batch_is_free(planner, ledger):
    contact_in_xero(planner, ledger)
    planner.accept("invoices", [invoice("O1")])
    planner.accept("invoices", [invoice("O1", "SF-9"), invoice("O2", "SF-1")])
    assert going(ledger) == ["O1", "O2"]


def test_a_mapping_that_is_put_right_needs_no_retry(planner, ledger):
    contact_in_xero(planner, ledger)
    planner.accept("invoices", [invoice("O1"), invoice("O2")])
    planner.accept("invoices", [invoice("O1"), invoice("O2", "SF-2")])
    assert going(ledger) == ["O1", "O2"]
    assert refused(ledger) == {}


def test_instalments_kinds_and_keys_as_marks_are_told_apart(planner, ledger):
    contact_in_xero(planner, ledger)
    parts = [invoice("O1"), invoice("O1#2", "SF2-1"), invoice("O1#3", "SF3-1")]
    assert planner.accept("invoices", parts).planned == 3
    assert planner.accept("quotes", [invoice("Q1")]).planned == 1, "another list of Xero's"
    without = {**invoice("O4"), "marker": None}
    assert planner.accept("invoices", [without, invoice("O5", "O4")]).planned == 1, "a key is a mark, too"
    assert refused(ledger) == {"O5": ["marker_taken"]}


def test_a_refused_credit_note_sets_nothing_against_an_invoice(planner, ledger):
    contact_in_xero(planner, ledger)
    against = {"allocations": [{"invoice_key": "O1", "Amount": "1", "Date": "2026-11-02"}]}
    planner.accept("credit_notes", [invoice("N1"), invoice("N2", **against)])
    assert refused(ledger) == {"N2": ["marker_taken"]}
    assert ledger.known("allocations", ["N2#O1"]) == {}


def test_documents_that_say_nothing_new_are_not_asked_about(first_in_xero, planner, ledger, monkeypatch):
    monkeypatch.setattr(ledger, "holders_of_marks", None)
    assert planner.accept("invoices", [invoice("O1")]).unchanged == 1


def test_contacts_are_known_by_their_numbers_not_by_marks(planner, ledger):
    both = [
        {"source_key": "C1", "Name": "A", "marker": "M"},
        {"source_key": "C2", "Name": "B", "marker": "M"},
    ]
    assert planner.accept("contacts", both).planned == 2
