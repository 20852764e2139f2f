"""What a delivered document makes in the ledger: nothing, a revision, a refusal; and what re-delivery makes of it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from target_xero.ledger import Ledger, State
from target_xero.ledger.base import milliseconds
from target_xero.ledger.execution import Effect
from target_xero.plan import Organisation, Planner, PlannerSettings
from target_xero.refusal import Refusal

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
ORGANISATION = Organisation("t-1", "Sandbox Trading Ltd", "GBP")


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite3", durable=False, lock=False) as found:
        found.begin_run(ORGANISATION.tenant, NOW)
        yield found


@pytest.fixture
def planner(ledger):
    return Planner(ledger, lambda: ORGANISATION)


def contact(key="C1", name="Acme", **fields):
    return {"source_key": key, "Name": name, **fields}


def settle(ledger, kind="contacts", remote="guid"):
    for n, intent in enumerate(ledger.ready(kind, 100)):
        ledger.mark_sent({intent.id: "create"}, milliseconds(NOW))
        ledger.done([Effect(intent, f"{remote}-{intent.source_key}-{n}")])


def names(ledger, kind="contacts"):
    return [intent.document.get("Name") for intent in ledger.ready(kind, 100)]


def test_equal_content_is_planned_once_whatever_its_spelling(ledger, planner):
    first = {
        "source_key": "O1",
        "contact_key": "C1",
        "LineItems": [{"Description": "a", "Quantity": "2.0", "UnitAmount": 1}],
    }
    other = {"LineItems": [{"UnitAmount": "1.00", "Quantity": 2, "Description": "a", "TaxType": None}], "contact_key": "C1",
             "source_key": "O1", "source_modified_at": "2026-11-01", "source_label": "x", "Reference": ""}  # fmt: skip
    assert planner.accept("invoices", [first]).planned == 1
    assert planner.accept("invoices", [other]).unchanged == 1


def test_the_newest_of_a_batch_counts(ledger, planner):
    planner.accept("contacts", [contact(name="Old"), contact("C2"), contact(name="New")])
    assert sorted(names(ledger)) == ["Acme", "New"]


def test_a_planned_revision_is_replaced_by_a_newer_one(ledger, planner):
    planner.accept("contacts", [contact()])
    planner.accept("contacts", [contact(name="New")])
    assert names(ledger) == ["New"]


def test_a_change_that_is_taken_back_before_it_went_leaves_nothing_to_do(ledger, planner):
    planner.accept("contacts", [contact()])
    settle(ledger)
    planner.accept("contacts", [contact(name="New")])
    assert planner.accept("contacts", [contact()]).unchanged == 1
    assert names(ledger) == []


def test_what_the_tap_saw_deleted_at_the_source_is_called_for_no_more(ledger, planner):
    """A tap that tells deletions says so beside the record, which may be whole."""
    deleted = contact(_sdc_deleted_at="2026-11-02T09:00:00Z")
    assert planner.accept("contacts", [deleted]).planned == 0
    assert names(ledger) == []
    planner.accept("contacts", [contact(_sdc_deleted_at=None)])
    settle(ledger)
    assert planner.accept("contacts", [deleted]).planned == 1
    assert [intent.op for intent in ledger.ready("contacts", 10)] == ["withdraw"]


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN, State.PARKED])
def test_what_is_under_way_is_never_touched_and_a_newer_revision_waits(ledger, planner, state):
    planner.accept("contacts", [contact()])
    (intent,) = ledger.ready("contacts", 10)
    ledger.mark_sent({intent.id: "create"}, 1)
    if state is State.UNKNOWN:
        ledger.unknown([intent.id], "no answer")
    if state is State.PARKED:
        ledger.park([intent.id], "look")
    assert planner.accept("contacts", [contact()]).unchanged == 1
    assert planner.accept("contacts", [contact(name="New")]).planned == 1
    assert planner.accept("contacts", [contact(name="Newer")]).planned == 1
    assert names(ledger) == []
    assert [(s, len(k.open)) for s, k in ledger.known("contacts", ["C1"]).items()] == [("C1", 2)]
    assert planner.accept("contacts", [contact()]).unchanged == 1
    assert len(ledger.known("contacts", ["C1"])["C1"].open) == 1


def test_a_refused_document_stays_refused_without_a_call_until_its_content_changes(ledger, planner):
    bad = contact(EmailAddress="nobody")
    assert planner.accept("contacts", [bad]).refused == 1
    assert planner.accept("contacts", [bad]).unchanged == 1
    assert len(ledger.problems()) == 1
    planner.accept("contacts", [contact(EmailAddress="a@example.com")])
    assert not ledger.problems()
    assert names(ledger) == ["Acme"]


def test_one_bad_document_does_not_stop_its_neighbours(ledger, planner):
    accepted = planner.accept(
        "contacts", [contact("C1", ""), contact("C2"), {"Name": "no key"}, contact("C3")]
    )
    assert (accepted.planned, accepted.refused) == (2, 2)
    keyless = next(p for p in ledger.problems() if p["source_key"].startswith("(no key)"))
    assert keyless["refusals"][0]["field"] == "source_key"
    assert planner.accept("contacts", [{"Name": "no key"}]).unchanged == 1


def test_what_the_mapping_refuses_is_kept_and_never_sent(ledger, planner):
    stated = {"rule": "no_account", "field": "AccountId", "value": None, "cure": "Give the deal an account."}
    planner.accept("invoices", [{"source_key": "O1", "refusals": [stated]}])
    (problem,) = ledger.problems()
    assert problem["refusals"] == [{**stated, "value": ""}]
    assert planner.retry() == 0


def test_letters_that_no_database_holds_are_refused_and_shown(ledger, planner):
    accepted = planner.accept(
        "contacts", [contact("C\ud800", "half \ud800"), contact("C2", "zero \x00"), contact("C3", "Grüße 🎉")]
    )
    assert (accepted.planned, accepted.refused) == (1, 2)
    assert {r["rule"] for p in ledger.problems() for r in p["refusals"]} == {"control_character"}
    assert names(ledger) == ["Grüße 🎉"]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"Name": 7}, "not_text"),
        ({"Nmae": "x"}, "field_unknown"),
        ({"Addresses": "here"}, "not_a_list"),
        ({"PaymentTerms": ["x"]}, "not_an_object"),
        ({"ContactPersons": [{"IncludeInEmails": "yes"}]}, "not_true_or_false"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(ledger, planner, fields, rule):
    planner.accept("contacts", [contact() | fields])
    assert ledger.problems()[0]["refusals"][0]["rule"] == rule
    assert planner.retry() == 0


@pytest.mark.parametrize("price", ["1e25", "1e1000000", "9999999999", "-Infinity"])
def test_an_absurd_amount_is_refused_and_stops_nothing(ledger, planner, price):
    line = [{"Description": "a", "Quantity": "9999999999", "UnitAmount": price}]
    accepted = planner.accept("invoices", [{"source_key": "O1", "contact_key": "C1", "LineItems": line}])
    assert accepted.refused == 1


def test_a_key_that_no_ledger_should_hold_is_refused(ledger, planner):
    accepted = planner.accept("contacts", [contact("x" * 101), contact(7), contact("C1")])
    assert (accepted.planned, accepted.refused) == (1, 2)


def test_an_unknown_field_is_named_with_its_nearest(ledger, planner):
    planner.accept("contacts", [contact(EmailAdress="a@example.com")])
    assert ledger.problems()[0]["refusals"][0]["cure"] == "Did you mean EmailAddress?"


def test_what_the_singer_side_adds_is_no_content(ledger, planner):
    planner.accept("contacts", [contact(_sdc_received_at="now")])
    assert planner.accept("contacts", [contact()]).unchanged == 1


def test_a_withdrawal_replaces_what_was_only_planned(ledger, planner):
    planner.accept(
        "invoices", [{"source_key": "O1", "contact_key": "C1", "LineItems": [{"Description": "a"}]}]
    )
    accepted = planner.accept("invoices", [{"source_key": "O1", "withdrawn": True}])
    assert (accepted.planned, accepted.unchanged) == (0, 1)
    assert not ledger.known("invoices", ["O1"])


def test_a_withdrawal_of_what_is_in_flight_is_planned_behind_it(ledger, planner):
    planner.accept("contacts", [contact()])
    (intent,) = ledger.ready("contacts", 10)
    ledger.mark_sent({intent.id: "create"}, 1)
    assert planner.accept("contacts", [{"source_key": "C1", "withdrawn": True}]).planned == 1
    assert planner.accept("contacts", [{"source_key": "C1", "withdrawn": True}]).unchanged == 1


def test_statuses_beyond_draft_need_a_setting(ledger, planner):
    line = [{"Description": "a"}]
    document = {
        "source_key": "O1",
        "contact_key": "C1",
        "LineItems": line,
        "Status": "AUTHORISED",
        "DueDate": "2026-12-01",
    }
    planner.accept("invoices", [document])
    assert ledger.problems()[0]["refusals"][0]["rule"] == "status_not_allowed"
    free = Planner(ledger, lambda: ORGANISATION, PlannerSettings(frozenset({"DRAFT", "AUTHORISED"})))
    assert free.retry() == 1
    assert not ledger.problems()


def test_retry_takes_chosen_documents_only(ledger, planner):
    planner.accept("contacts", [contact("C1"), contact("C2")])
    for intent in ledger.ready("contacts", 10):
        ledger.reject([intent.id], [Refusal("xero_refused", "", "", "no")])
    assert planner.retry(kinds=["contacts"], keys=["C2"]) == 1
    assert [i.source_key for i in ledger.ready("contacts", 10)] == ["C2"]


class TestRekey:
    def test_a_lead_that_was_never_made_leaves_nothing(self, ledger, planner):
        assert planner.accept("contacts", [{"source_key": "A1", "previous_source_key": "L1"}]).unchanged == 1
        assert not ledger.aliases("contacts", ["L1"])

    def test_with_a_name_it_moves_and_updates(self, ledger, planner):
        planner.accept("contacts", [contact("L1", "Eve")])
        settle(ledger)
        planner.accept("contacts", [contact("A1", "Eve Ltd", previous_source_key="L1")])
        assert ledger.links("contacts", ["A1"])["A1"].remote_id == "guid-L1-0"
        assert names(ledger) == ["Eve Ltd"]
        assert planner.accept("contacts", [contact("A1", "Eve Ltd", previous_source_key="L1")]).unchanged == 1

    def test_a_lead_that_is_only_planned_becomes_the_account(self, ledger, planner):
        planner.accept("contacts", [contact("L1", "Eve")])
        planner.accept("contacts", [contact("A1", "Eve Ltd", previous_source_key="L1")])
        assert names(ledger) == ["Eve Ltd"]

    def test_an_unanswered_lead_keeps_its_doubt_under_the_new_key(self, ledger, planner):
        planner.accept("contacts", [contact("L1", "Eve")])
        ledger.mark_sent({ledger.ready("contacts", 1)[0].id: "create"}, 1)
        planner.accept("contacts", [contact("A1", "Eve Ltd", previous_source_key="L1")])
        assert [state for _, state, _ in ledger.known("contacts", ["A1"])["A1"].open] == [
            State.SENT,
            State.PLANNED,
        ]

    def test_two_contacts_in_xero_are_refused_once_and_the_new_one_goes_on(self, ledger, planner):
        planner.accept("contacts", [contact("L1", "Eve"), contact("A1", "Eve Ltd")])
        settle(ledger)
        document = contact("A1", "Eve & Co", previous_source_key="L1")
        planner.accept("contacts", [document])
        planner.accept("contacts", [document])
        (problem,) = ledger.problems()
        assert problem["refusals"][0]["rule"] == "merge_needed"
        assert names(ledger) == ["Eve & Co"]

    def test_after_a_merge_in_xero_retry_lets_the_old_contact_go(self, ledger, planner):
        planner.accept("contacts", [contact("L1", "Eve"), contact("A1", "Eve Ltd")])
        settle(ledger)
        planner.accept("contacts", [{"source_key": "A1", "previous_source_key": "L1"}])
        assert planner.retry() == 1
        assert not ledger.problems()
        assert ledger.aliases("contacts", ["L1"]) == {"L1": "A1"}
        assert ledger.links("contacts", ["A1"])["A1"].remote_id == "guid-A1-1"

    def test_a_new_key_in_flight_is_left_alone(self, ledger, planner):
        planner.accept("contacts", [contact("L1", "Eve")])
        planner.accept("contacts", [contact("A1", "Eve Ltd")])
        ledger.mark_sent({i.id: "create" for i in ledger.ready("contacts", 10)}, 1)
        planner.accept("contacts", [{"source_key": "A1", "previous_source_key": "L1"}])
        assert not ledger.aliases("contacts", ["L1"])

    def test_a_key_that_is_its_own_previous_is_an_ordinary_document(self, ledger, planner):
        planner.accept("contacts", [contact("A1", "Eve", previous_source_key="A1")])
        assert names(ledger) == ["Eve"]


def test_an_allocation_is_planned_beside_its_note_and_replanned_by_itself(ledger, planner):
    line = [{"Description": "a", "UnitAmount": 5}]
    note = {"source_key": "N1", "contact_key": "C1", "LineItems": line,
            "allocations": [{"invoice_key": "O1", "Amount": 5, "Date": "2026-11-02"}]}  # fmt: skip
    assert planner.accept("credit_notes", [note]).planned == 2
    assert planner.accept("credit_notes", [note]).unchanged == 1
    changed = {**note, "allocations": [{"invoice_key": "O1", "Amount": 4, "Date": "2026-11-02"}]}
    planner.accept("credit_notes", [changed])
    ((_, known),) = ledger.known("allocations", ["N1#O1"]).items()
    assert len(known.open) == 1
    assert planner.accept("credit_notes", [{**changed, "Reference": "x"}]).planned == 1


def test_the_ledger_keeps_what_a_document_comes_to(ledger, planner):
    planner.accept("invoices", [{"source_key": "O1", "contact_key": "C1", "CurrencyCode": "EUR",
                                 "LineItems": [{"Description": "a", "Quantity": 3, "UnitAmount": "3.335"}]}])  # fmt: skip
    planner.accept(
        "payments",
        [{"source_key": "P1", "invoice_key": "O1", "AccountCode": "090", "Date": "2026-11-02", "Amount": 7}],
    )
    ((invoice, _),) = ledger.blocked("invoices", 10)
    ((payment, _),) = ledger.blocked("payments", 10)
    assert (invoice.amount_minor, invoice.currency, invoice.unique) == (1001, "EUR", False)
    assert (payment.amount_minor, payment.currency) == (700, "")
