"""What Xero has already is adopted, refused with both sides named, or left to a person; never doubled, never overwritten."""

from __future__ import annotations

from decimal import Decimal

import pytest


def rules(world):
    return [refusal["rule"] for problem in world.problems for refusal in problem["refusals"]]


def test_a_contact_with_our_number_is_adopted_and_updated_by_its_id(world, make):
    theirs = world.xero.put("Contacts", Name="Customer 1 (old)", ContactNumber="C1")
    world.run(("contacts", [make.contact(1)]))
    (contact,) = world.xero.live("Contacts")
    assert contact["ContactID"] == theirs["ContactID"]
    assert contact["Name"] == "Customer 1"
    assert [call.method for call in world.xero.writes()] == ["POST"]


def test_a_contact_with_our_name_is_refused_with_both_sides_named(world, make):
    theirs = world.xero.put("Contacts", Name="CUSTOMER 1", ContactNumber="OTHER")
    world.run(("contacts", [make.contact(1)]))
    assert not world.xero.writes()
    (problem,) = world.problems
    assert rules(world) == ["name_taken"]
    assert all(
        part in problem["note"]
        for part in ('Account "Customer 1"', "CUSTOMER 1", "OTHER", theirs["ContactID"])
    )


def test_an_accent_makes_no_other_name(world, make):
    world.xero.put("Contacts", Name="Müller")
    world.run(("contacts", [make.contact(1, Name="Muller")]))
    assert rules(world) == ["name_taken"]


def test_a_name_that_only_an_archived_contact_has_is_free(world, make):
    world.xero.put("Contacts", Name="Customer 1", ContactStatus="ARCHIVED")
    world.run(("contacts", [make.contact(1)]))
    assert len(world.xero.store["Contacts"]) == 2


def test_an_archived_contact_with_our_number_is_refused_with_a_cure(world, make):
    world.xero.put("Contacts", Name="Customer 1", ContactNumber="C1", ContactStatus="ARCHIVED")
    world.run(("contacts", [make.contact(1)]))
    assert rules(world) == ["contact_archived"]
    assert "Restore it in Xero" in world.problems[0]["note"]


def test_two_contacts_with_our_number_are_left_to_a_person(world, make):
    for name in ("One", "Two"):
        world.xero.put("Contacts", Name=name, ContactNumber="C1")
    summary = world.run(("contacts", [make.contact(1)]))
    assert summary.streams["contacts"].parked == 1
    assert "2 times" in world.problems[0]["note"]


def test_two_of_our_own_with_one_name_make_one_contact_and_one_refusal(world, make):
    world.run(("contacts", [make.contact(1), make.contact(2, Name="customer 1")]))
    assert len(world.xero.live("Contacts")) == 1
    assert rules(world) == ["name_taken"]
    note = world.problems[0]["note"]
    assert "C1 of the source has it" in note
    assert "give that contact the number" not in note  # it is C1's own


def test_a_number_that_two_documents_share_is_refused_for_the_second(world, make):
    world.run(("contacts", [make.contact(1), make.contact(2, ContactNumber="C1")]))
    assert len(world.xero.live("Contacts")) == 1
    assert rules(world) == ["number_taken"]


def test_a_contact_that_somebody_makes_after_our_look_is_found_by_its_number(world, make):
    def sneak(call):
        if call.method == "PUT" and call.path == "/Contacts" and not world.xero.store["Contacts"]:
            world.xero.put("Contacts", Name="Elsewhere", ContactNumber="C1")

    world.before_call = sneak
    world.run(("contacts", [make.contact(1)]))
    (contact,) = world.xero.live("Contacts")
    assert contact["Name"] == "Customer 1"
    assert [call.params["where"] for call in world.xero.calls if "where" in call.params] == [
        'ContactNumber=="C1"'
    ]


def test_a_quote_in_a_name_is_doubled_in_the_look_up(world, make):
    name = 'The "Best" Ltd'

    def sneak(call):
        if call.method == "PUT" and call.path == "/Contacts" and not world.xero.store["Contacts"]:
            world.xero.put("Contacts", Name=name, ContactNumber="X")

    world.before_call = sneak
    world.run(("contacts", [make.contact(1, Name=name)]))
    assert world.xero.calls[-1].params["where"] == 'Name=="The ""Best"" Ltd"'
    assert rules(world) == ["name_taken"]


def test_what_xero_calls_taken_and_nobody_has_is_refused_once_reads_must_show_it(world, make):
    words = "Another contact has this contact number. Please enter a different contact number."
    world.answers = {1: (200, {"Contacts": [{"ContactID": "00000000-0000-0000-0000-000000000000",
                                             "StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": words}]}]})}  # fmt: skip
    world.run(("contacts", [make.contact(1)]))
    assert world.problems == []
    world.xero.advance(901)
    world.run()
    assert rules(world) == ["xero_refused"]
    assert words in world.problems[0]["note"]


def test_a_number_of_our_own_that_a_lagging_read_does_not_show_yet_is_adopted_later(world, make):
    """The answer to the create is lost, the repeat is told that the number is taken, and reads are a minute behind."""
    contact, invoice = make.contact(1), make.invoice(1, InvoiceNumber="SF-1")
    world.run(("contacts", [contact]))
    before = len(world.xero.calls)
    lagging = (200, {"Invoices": []})
    reads = dict.fromkeys(range(before, before + 8), lagging)

    def answer_reads_from_the_past(call):
        if call.method != "GET":
            world.answers.pop(len(world.xero.calls) - 1, None)

    world.answers, world.before_call = reads, answer_reads_from_the_past
    world.faults = {before + 2: "lost"}
    assert world.run(("invoices", [invoice])).stream("invoices").waiting == 1
    world.answers = {}
    world.xero.advance(60)
    assert world.run(("invoices", [invoice])).clean
    assert len(world.xero.live("Invoices")) == 1


def test_an_item_with_our_code_is_adopted_and_updated(world):
    theirs = world.xero.put("Items", Code="w-1", Name="Old")
    world.run(("items", [{"source_key": "P1", "Code": "W-1", "Name": "New"}]))
    (item,) = world.xero.live("Items")
    assert (item["ItemID"], item["Name"]) == (theirs["ItemID"], "New")


def test_an_item_made_behind_our_back_is_looked_up_in_the_list(world):
    def sneak(call):
        if call.method == "PUT" and not world.xero.store["Items"]:
            world.xero.put("Items", Code="W-1", Name="Old")

    world.before_call = sneak
    world.run(("items", [{"source_key": "P1", "Code": "W-1", "Name": "New"}]))
    assert [item["Name"] for item in world.xero.live("Items")] == ["New"]


@pytest.fixture
def without_ledger(new_world, make):
    """A world whose ledger was lost after a first run; Xero kept everything."""

    def build(*batches):
        first = new_world()
        first.run(("contacts", [make.contact(1)]), *batches)
        second = new_world()
        second.xero = first.xero
        second.xero.calls.clear()
        return second

    return build


def test_without_a_ledger_our_invoice_is_found_by_its_marker_and_not_doubled(without_ledger, make):
    world = without_ledger(("invoices", [make.invoice(1)]))
    summary = world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    assert len(world.xero.live("Invoices")) == 1
    assert summary.streams["invoices"].adopted == 1
    assert not [call for call in world.xero.writes() if call.path == "/Invoices"]


def test_a_found_draft_that_the_source_has_changed_since_is_brought_up_to_date(without_ledger, make):
    world = without_ledger(("invoices", [make.invoice(1)]))
    line_id = world.xero.live("Invoices")[0]["LineItems"][0]["LineItemID"]
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, price="12.00")]))
    (invoice,) = world.xero.live("Invoices")
    assert invoice["SubTotal"] == Decimal("36.00")
    assert invoice["LineItems"][0]["LineItemID"] == line_id


def test_a_found_invoice_that_is_approved_and_differs_is_refused(without_ledger, make):
    world = without_ledger(("invoices", [make.invoice(1)]))
    world.xero.live("Invoices")[0]["Status"] = "AUTHORISED"
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, price="12.00")]))
    assert rules(world) == ["not_a_draft"]


def look_again(world, key):
    """A person has looked at a parked invoice and says that it goes: `retry --key`."""
    with world.ledger() as ledger:
        executor = world.begin(ledger, [])
        ledger.clear("invoices", [key])
        ledger.unpark(["invoices"], [key])
        world.pump(executor, [])
        world.problems = ledger.problems()


def test_an_invoice_that_was_deleted_is_made_anew_once_a_person_says_so(without_ledger, make):
    world = without_ledger(("invoices", [make.invoice(1)]))
    world.xero.live("Invoices")[0]["Status"] = "DELETED"
    wanted = make.invoice(1)
    summary = world.run(("contacts", [make.contact(1)]), ("invoices", [wanted]))
    assert summary.streams["invoices"].parked == 1
    assert not world.xero.live("Invoices")
    look_again(world, wanted["source_key"])
    assert len(world.xero.live("Invoices")) == 1


def test_one_that_a_person_let_go_is_told_from_the_deleted_one_when_its_answer_is_lost(without_ledger, make):
    world = without_ledger(("invoices", [make.invoice(1)]))
    world.xero.live("Invoices")[0]["Status"] = "DELETED"
    wanted = make.invoice(1)
    world.run(("contacts", [make.contact(1)]), ("invoices", [wanted]))

    def lose(call):
        if call.method == "PUT":
            world.faults[len(world.xero.calls) - 1] = "lost"

    world.before_call = lose
    look_again(world, wanted["source_key"])
    assert world.problems == []
    assert world.run(("invoices", [wanted])).clean
    assert len(world.xero.live("Invoices")) == 1


def test_two_invoices_with_one_marker_are_left_to_a_person(without_ledger, make):
    world = without_ledger(("invoices", [make.invoice(1)]))
    copy = dict(world.xero.live("Invoices")[0])
    copy.pop("InvoiceID")
    world.xero.put("Invoices", **copy)
    summary = world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    assert summary.streams["invoices"].parked == 1
    assert len(world.xero.live("Invoices")) == 2


def test_without_a_ledger_a_payment_is_found_and_not_paid_twice(without_ledger, make):
    batches = [("invoices", [make.invoice(1, Status="AUTHORISED")]), ("payments", [make.payment(1, "20.00")])]
    world = without_ledger(*batches)
    world.run(("contacts", [make.contact(1)]), *batches)
    assert [p["Amount"] for p in world.xero.live("Payments")] == [Decimal("20.00")]


def test_a_found_payment_of_another_amount_is_left_to_a_person(without_ledger, make):
    batches = [("invoices", [make.invoice(1, Status="AUTHORISED")]), ("payments", [make.payment(1, "20.00")])]
    world = without_ledger(*batches)
    summary = world.run(("contacts", [make.contact(1)]), batches[0], ("payments", [make.payment(1, "16.00")]))
    assert summary.streams["payments"].parked == 1
    assert len(world.xero.live("Payments")) == 1


def test_a_number_of_our_own_that_a_person_took_is_refused_and_named(world, make):
    world.run(("contacts", [make.contact(1)]))
    theirs = world.xero.put(
        "Invoices", InvoiceNumber="SF-0001", Reference="by hand", Contact={"ContactID": "x"}
    )
    world.run(("invoices", [make.invoice(1, InvoiceNumber="SF-0001")]))
    assert rules(world) == ["number_taken"]
    assert theirs["InvoiceID"] in world.problems[0]["note"]
    assert world.xero.calls[-1].params["InvoiceNumbers"] == "SF-0001"


def test_a_number_that_our_own_deleted_invoice_keeps_is_told_as_that(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.put(
        "Invoices", InvoiceNumber="SF-0001", Reference="SF-O1", Status="DELETED", Contact={"ContactID": "x"}
    )
    numbered = make.invoice(1, InvoiceNumber="SF-0001")
    assert world.run(("invoices", [numbered])).streams["invoices"].parked == 1
    look_again(world, numbered["source_key"])
    assert rules(world) == ["number_taken"]
    note = world.problems[0]["note"]
    assert "DELETED" in note
    assert "was made from" in note
    assert "put that right" not in note


def test_an_invoice_with_our_number_and_marker_from_elsewhere_is_adopted(world, make):
    world.run(("contacts", [make.contact(1)]))
    contact_id = world.xero.live("Contacts")[0]["ContactID"]
    world.xero.put(
        "Invoices",
        InvoiceNumber="SF-0001",
        Reference="Deal 1 · SF-O1",
        Contact={"ContactID": contact_id},
        LineItems=[],
    )
    world.run(("invoices", [make.invoice(1, InvoiceNumber="SF-0001")]))
    (invoice,) = world.xero.live("Invoices")
    assert invoice["LineItems"][0]["UnitAmount"] == Decimal(10)


def test_a_credit_note_number_that_is_taken_is_refused(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.put("CreditNotes", CreditNoteNumber="CN-1", Reference="by hand")
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {"CreditNoteNumber": "CN-1"}
    world.run(("credit_notes", [note]))
    assert rules(world) == ["number_taken"]
