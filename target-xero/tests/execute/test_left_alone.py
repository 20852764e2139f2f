"""What an undo leaves alone, and what waits because Xero could not be asked: said, never guessed, and put right by a later run."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from target_xero.preview.undo import undo


def undo_run(world, run, bound=None):
    """Takes a run back; returns what is left alone, by source key."""
    with world.ledger() as ledger:
        executor = world.begin(ledger, [])

        def settle():
            world.pump(executor, [])
            return executor.stopped is None

        undo(SimpleNamespace(ledger=ledger, settle=settle), run, "somebody", bound)
        rows = ledger.of_plan()
        ledger.finish_run(world.xero.now)
        return {row["source_key"]: row["note"] for row in rows if row["op"] == "undo" and row["note"]}


def meanwhile(world, matches, status, body=None):
    """From now on Xero answers calls like these otherwise; nothing is carried out."""

    def before(call):
        if matches(call):
            world.answers[len(world.xero.calls) - 1] = (status, body)

    world.before_call = before


def quote(make, **fields):
    plain = {k: v for k, v in make.invoice(1).items() if k != "DueDate"}
    return plain | {"source_key": "Q1", "marker": "SF-Q1", **fields}


def test_an_accepted_quote_stays_and_so_does_its_contact(world, make):
    world.run(("contacts", [make.contact(1)]), ("quotes", [quote(make)]))
    world.xero.advance(3_600)
    (row,) = world.xero.live("Quotes")
    world.xero._save("Quotes", {**row, "Status": "ACCEPTED"})
    world.xero.advance(3_600)
    left = undo_run(world, 1)
    assert "is ACCEPTED and stays" in left["Q1"]
    assert "is used by" in left["C1"]
    assert [row["Status"] for row in world.xero.live("Quotes")] == ["ACCEPTED"]
    assert [row["ContactStatus"] for row in world.xero.live("Contacts")] == ["ACTIVE"]


def credited(world, make):
    """An approved invoice, and in run 2 a credit note that is allocated to it."""
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, Status="AUTHORISED")]))
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"}
    used = [{"invoice_key": "O1", "Amount": "5.00", "Date": "2026-11-02"}]
    world.run(
        (
            "credit_notes",
            [note | {"source_key": "N1", "marker": "SF-N1", "Status": "AUTHORISED", "allocations": used}],
        )
    )
    world.xero.advance(3_600)
    (row,) = world.xero.live("CreditNotes")
    return row


def test_a_credit_note_that_people_used_stays_and_says_how_to_free_it(world, make):
    note = credited(world, make)
    by_people = {**note["Allocations"][0], "AllocationID": "by people", "Amount": "2.00"}
    world.xero._save("CreditNotes", {**note, "Allocations": [*note["Allocations"], by_people]})
    world.xero.advance(3_600)
    left = undo_run(world, 2)
    assert "Remove the allocation in Xero, then undo again" in left["N1"]
    (note,) = world.xero.live("CreditNotes")
    assert note["Allocations"] == [by_people]


def test_an_allocation_without_an_id_stays_and_says_where_it_is(world, make):
    note = credited(world, make)
    (entry,) = note["Allocations"]
    with world.ledger() as ledger, ledger.atomic() as connection:
        nameless = f"{note['CreditNoteID']}/{entry['Invoice']['InvoiceID']}"
        connection.exec_driver_sql("UPDATE link SET remote_id = ? WHERE kind = 'allocations'", (nameless,))
        connection.exec_driver_sql("UPDATE intent SET remote_id = ? WHERE kind = 'allocations'", (nameless,))
    world.xero._save("CreditNotes", {**note, "Allocations": [{**entry, "AllocationID": None}]})
    world.xero.advance(3_600)
    left = undo_run(world, 2)
    assert "has no id in Xero and stays" in left["N1#O1"]
    assert "Allocation of 5.00 against invoice" in left["N1#O1"]


def test_an_allocation_of_a_note_that_is_gone_is_gone(world, make):
    note = credited(world, make)
    del world.xero.store["CreditNotes"][note["CreditNoteID"]]
    with world.ledger() as ledger:
        ledger.unlink("credit_notes", "N1")
    assert undo_run(world, 2) == {}
    with world.ledger() as ledger:
        assert ledger.links("allocations", ["N1#O1"]) == {}


def test_an_allocation_waits_while_credit_notes_cannot_be_read(world, make):
    note = credited(world, make)
    meanwhile(world, lambda call: call.path.endswith(note["CreditNoteID"]), 500)
    undo_run(world, 2)
    world.before_call = None
    assert len(world.xero.live("CreditNotes")[0]["Allocations"]) == 1
    world.xero.advance(3_600)
    world.run()
    assert world.xero.live("CreditNotes")[0]["Allocations"] == []


def test_what_people_edited_stays_also_after_the_lead_became_an_account(world, make):
    lead = {"source_key": "L1", "Name": "Eve"}
    world.run(("contacts", [lead]), ("invoices", [make.invoice(1, contact_key="L1")]))
    account = {"source_key": "A1", "Name": "Eve Ltd"}
    world.run(("contacts", [account, {"source_key": "A1", "previous_source_key": "L1"}]))
    (row,) = world.xero.live("Invoices")
    world.xero._save("Invoices", {**row, "DueDate": "2027-06-30"})
    world.xero.advance(3_600)
    assert "was changed by people since (DueDate '2027-06-30') and stays" in undo_run(world, 1)["O1"]
    assert [row["Status"] for row in world.xero.live("Invoices")] == ["DRAFT"]


def test_an_invoice_that_people_moved_to_another_contact_stays_also_after_the_lead_became_an_account(
    world, make
):
    lead = {"source_key": "L1", "Name": "Eve"}
    world.run(("contacts", [lead]), ("invoices", [make.invoice(1, contact_key="L1")]))
    world.run(("contacts", [{"source_key": "A1", "previous_source_key": "L1"}]))
    other = world.xero.put("Contacts", Name="Other")
    (row,) = world.xero.live("Invoices")
    world.xero._save("Invoices", {**row, "Contact": {"ContactID": other["ContactID"]}})
    world.xero.advance(3_600)
    assert "was changed by people since (Contact.ContactID" in undo_run(world, 1)["O1"]


def test_what_people_edited_stays_also_when_its_contact_is_ours_no_more(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    with world.ledger() as ledger:
        ledger.unlink("contacts", "C1")
    (row,) = world.xero.live("Invoices")
    world.xero._save("Invoices", {**row, "DueDate": "2027-06-30"})
    world.xero.advance(3_600)
    left = undo_run(world, 1)
    assert "was changed by people since (DueDate '2027-06-30') and stays" in left["O1"]


def test_what_stands_in_closed_books_is_not_taken_back(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.organisation_fields = {"period_lock_date": date(2026, 11, 30)}
    world.xero.advance(3_600)
    left = undo_run(world, 1)
    assert "closed up to 2026-11-30" in left["O1"]
    assert [row["Status"] for row in world.xero.live("Invoices")] == ["DRAFT"]
    assert [row["ContactStatus"] for row in world.xero.live("Contacts")] == ["ACTIVE"]


@pytest.mark.parametrize("path", ["/Invoices", "/Quotes", "/CreditNotes"])
@pytest.mark.parametrize(("status", "body"), [(404, None), (200, {"nonsense": True})])
def test_a_contact_stays_while_it_cannot_be_read_who_uses_it(world, make, path, status, body):
    world.run(("contacts", [make.contact(1)]))
    world.xero.advance(3_600)
    meanwhile(world, lambda call: call.path == path and "IDs" not in call.params, status, body)
    undo_run(world, 1)
    assert [row["ContactStatus"] for row in world.xero.live("Contacts")] == ["ACTIVE"]
    world.before_call = None
    world.run()
    assert [row["ContactStatus"] for row in world.xero.store["Contacts"].values()] == ["ARCHIVED"]


def test_a_contact_with_few_invoices_is_not_overlooked_beside_one_with_many(world, make, monkeypatch):
    monkeypatch.setattr("target_xero.limits.PAGE_SIZE", 2)
    world.run(("contacts", [make.contact(n) for n in (1, 2, 3)]))
    by_number = {row["ContactNumber"]: {"ContactID": row["ContactID"]} for row in world.xero.live("Contacts")}
    for key in ("C1", "C1", "C2"):
        world.xero.advance(1)
        world.xero.put("Invoices", Contact=by_number[key], InvoiceNumber=f"{key} by hand")
    world.xero.advance(3_600)
    left = undo_run(world, 1)
    assert "is used by C1 by hand" in left["C1"]
    assert "is used by C2 by hand" in left["C2"]
    assert "C3" not in left
    assert [row["ContactStatus"] for row in world.xero.store["Contacts"].values()] == [
        "ACTIVE",
        "ACTIVE",
        "ARCHIVED",
    ]


def test_a_reconciled_payment_stays(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, Status="AUTHORISED")]))
    world.run(("payments", [make.payment(1, "10.00")]))
    (row,) = world.xero.live("Payments")
    world.xero._save("Payments", {**row, "IsReconciled": True})
    world.xero.advance(3_600)
    assert "reconciled with the bank and stays" in undo_run(world, 2)["O1#payment"]
    assert len(world.xero.live("Payments")) == 1


def test_what_changed_since_the_plan_was_shown_is_not_undone(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.advance(3_600)
    left = undo_run(world, 1, {("invoices", "O1"): "0" * 64})
    assert "not what the plan showed (000000000000)" in left["O1"]
    assert [row["Status"] for row in world.xero.live("Invoices")] == ["DRAFT"]


def test_a_document_of_an_undone_contact_says_who_undid_it_and_goes_once_it_is_back(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.advance(3_600)
    assert undo_run(world, 1) == {}
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    (problem,) = world.problems
    assert "C1 was undone by somebody in run 2" in problem["note"]
    assert "target-xero retry --kind contacts --key C1" in problem["note"]
    assert world.xero.live("Invoices") == []


@pytest.mark.parametrize("status", [500, 404])
def test_a_note_that_cannot_be_looked_for_waits_for_the_next_run(world, make, status):
    world.executor_fields = {"history_notes": True}
    meanwhile(world, lambda call: call.method == "PUT" and call.path.endswith("/History"), 503)
    world.run(("contacts", [make.contact(1)]))
    meanwhile(world, lambda call: call.method == "GET" and call.path.endswith("/History"), status)
    world.xero.advance(900)
    world.run()
    assert world.xero.notes == {}
    world.before_call = None
    world.run()
    assert [len(notes) for notes in world.xero.notes.values()] == [1]


def test_a_note_that_xero_refuses_is_given_up_with_a_word(world, make):
    world.executor_fields = {"history_notes": True}
    meanwhile(world, lambda call: call.path.endswith("/History"), 400)
    with world.ledger() as ledger:
        executor = world.begin(ledger, [("contacts", [make.contact(1)])])
        world.pump(executor, [])
        assert any("takes no note in the History" in notice for notice in executor.notices)
        assert ledger.finish_run(world.xero.now).clean
    calls = len(world.xero.calls)
    world.run()
    assert len(world.xero.calls) == calls


def test_documents_wait_while_xero_cannot_be_asked_about_their_contacts(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.advance(3_600)
    meanwhile(world, lambda call: call.path == "/Contacts", 200, {"nonsense": True})
    summary = world.run(("invoices", [make.invoice(1)]))
    assert "could not be asked about its contacts" in summary.waiting_for[0]
    assert world.xero.live("Invoices") == []
    world.before_call = None
    assert world.run(("invoices", [make.invoice(1)])).clean
    assert len(world.xero.live("Invoices")) == 1


def test_what_an_earlier_create_may_still_make_anew_is_taken_back_later(world, make):
    """Xero may give the number of a deleted draft again."""
    world.run(("contacts", [make.contact(1)]))
    faults = ["late"]

    def lose_one(call):
        if faults and call.method == "PUT" and call.path == "/Invoices":
            world.faults[len(world.xero.calls) - 1] = faults.pop()

    world.before_call = lose_one
    assert world.run(("invoices", [make.invoice(1, InvoiceNumber="SF-0001")])).clean
    assert "An earlier write of it may still arrive in Xero" in undo_run(world, 2)["O1"]
    assert len(world.xero.live("Invoices")) == 1
    world.xero.advance(331)
    assert world.run().clean
    assert world.xero.live("Invoices") == []
