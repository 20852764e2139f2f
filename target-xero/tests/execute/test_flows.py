"""What arrives in Xero, flow by flow, without faults."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from target_xero.plan import Planner


def approved(make, n, **fields):
    return make.invoice(n, Status="AUTHORISED", **fields)


def test_contact_item_invoice_and_payment_arrive_once_in_one_run(world, make):
    item = {
        "source_key": "P1",
        "Code": "W-1",
        "Name": "Widget",
        "SalesDetails": {"UnitPrice": "9.99", "AccountCode": "200"},
    }
    line = {
        "line_key": "L1",
        "item_key": "P1",
        "Description": "Widgets",
        "Quantity": "3",
        "UnitAmount": "10",
        "AccountCode": "200",
    }
    summary = world.run(
        ("payments", [make.payment(1)]),
        ("invoices", [approved(make, 1, LineItems=[line])]),
        ("items", [item]),
        ("contacts", [make.contact(1)]),
    )
    (invoice,) = world.xero.live("Invoices")
    (payment,) = world.xero.live("Payments")
    assert invoice["Reference"] == "Deal 1 · SF-O1"
    assert invoice["LineItems"][0]["ItemCode"] == "W-1"
    assert invoice["Status"] == "PAID"
    assert payment["Amount"] == Decimal("36.00")
    assert {name: stream.created for name, stream in summary.streams.items()} == {
        "contacts": 1, "items": 1, "invoices": 1, "payments": 1,
    }  # fmt: skip
    assert summary.clean
    money = summary.money["invoices"]["GBP"]
    assert (money.documents, money.xero, money.xero_total) == (3000, 3000, 3600)
    assert summary.money["payments"]["GBP"].xero == 3600


def test_unchanged_documents_cost_no_call_at_all(world, make):
    batches = [
        ("contacts", [make.contact(n) for n in range(60)]),
        ("invoices", [make.invoice(n) for n in range(60)]),
    ]
    world.run(*batches)
    before = len(world.xero.calls)
    summary = world.run(*batches)
    assert len(world.xero.calls) == before
    assert summary.streams["contacts"].unchanged == 60


@pytest.mark.slow
def test_a_thousand_contacts_take_twenty_writes_and_one_look_up(world, make):
    world.run(("contacts", [make.contact(n) for n in range(1000)]))
    assert len(world.xero.writes()) == 20
    assert len(world.xero.calls) == 21
    assert len(world.xero.live("Contacts")) == 1000


def test_a_changed_contact_is_one_update_by_id(world, make):
    contacts = [make.contact(n) for n in range(5)]
    world.run(("contacts", contacts))
    contacts[3] = make.contact(3, AccountNumber="A-3")
    before = len(world.xero.calls)
    summary = world.run(("contacts", contacts))
    read, call = world.xero.calls[before:]
    assert (read.method, read.params["IDs"].count(",")) == ("GET", 0)
    assert (call.method, call.path) == ("POST", "/Contacts")
    assert call.params["summarizeErrors"] == "false"
    assert call.body["Contacts"][0]["ContactID"] in world.xero.store["Contacts"]
    assert summary.streams["contacts"].updated == 1


def test_a_draft_is_updated_with_the_line_ids_of_its_kept_lines(world, make):
    two = [
        {
            "line_key": "L1",
            "Description": "Widgets",
            "Quantity": "3",
            "UnitAmount": "10",
            "AccountCode": "200",
        },
        {
            "line_key": "L2",
            "Description": "Freight",
            "Quantity": "1",
            "UnitAmount": "5",
            "AccountCode": "260",
        },
    ]
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, LineItems=two)]))
    ids = {line["Description"]: line["LineItemID"] for line in world.xero.live("Invoices")[0]["LineItems"]}
    changed = [{**two[1], "UnitAmount": "6"}, {"line_key": "L3", "Description": "New", "UnitAmount": "1"}]
    world.run(("invoices", [make.invoice(1, LineItems=changed)]))
    (invoice,) = world.xero.live("Invoices")
    assert [line["Description"] for line in invoice["LineItems"]] == ["Freight", "New"]
    assert invoice["LineItems"][0]["LineItemID"] == ids["Freight"]
    assert invoice["LineItems"][1]["LineItemID"] not in ids.values()
    assert invoice["SubTotal"] == Decimal("7.00")


def test_an_approved_invoice_is_never_overwritten_and_the_change_is_told(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    (invoice,) = world.xero.live("Invoices")
    invoice["Status"] = "AUTHORISED"
    writes = len(world.xero.writes())
    summary = world.run(("invoices", [make.invoice(1, price="11.00")]))
    assert len(world.xero.writes()) == writes
    assert summary.streams["invoices"].refused == 1
    (problem,) = world.problems
    assert "AUTHORISED" in problem["note"]
    assert "UnitAmount: 10 -> 11" in problem["note"]


def test_a_payment_waits_for_its_draft_and_goes_once_it_is_approved(world, make):
    batches = [
        ("contacts", [make.contact(1)]),
        ("invoices", [make.invoice(1)]),
        ("payments", [make.payment(1)]),
    ]
    summary = world.run(*batches)
    assert summary.streams["payments"].waiting == 1
    assert not summary.open_refusals
    assert "approved" in summary.waiting_for[0]
    assert not world.xero.live("Payments")
    world.xero.live("Invoices")[0]["Status"] = "AUTHORISED"
    summary = world.run(*batches)
    assert len(world.xero.live("Payments")) == 1
    assert summary.streams["payments"].created == 1


def test_many_waiting_payments_are_rechecked_with_one_call(world, make):
    numbers = range(90)
    batches = [
        ("contacts", [make.contact(n) for n in numbers]),
        ("invoices", [make.invoice(n) for n in numbers]),
        ("payments", [make.payment(n) for n in numbers]),
    ]
    world.run(*batches)
    before = len(world.xero.calls)
    world.run(*batches)
    assert [call.path for call in world.xero.calls[before:]] == ["/Accounts", "/Invoices"]


def test_a_refused_contact_holds_back_its_invoice_and_releases_it_once_cured(world, make):
    bad = make.contact(1, EmailAddress="kein@ümlaut.de")
    summary = world.run(
        ("contacts", [bad, make.contact(2)]), ("invoices", [make.invoice(1), make.invoice(2)])
    )
    assert len(world.xero.live("Invoices")) == 1
    assert summary.open_refusals == 2
    note = next(p["note"] for p in world.problems if p["kind"] == "invoices")
    assert 'Account "Customer 1"' in note
    summary = world.run(("contacts", [make.contact(1)]))
    assert len(world.xero.live("Invoices")) == 2
    assert summary.clean


def test_an_invoice_whose_contact_was_never_delivered_is_refused_by_name(world, make):
    world.run(("invoices", [make.invoice(7)]))
    assert "C7 was never delivered" in world.problems[0]["note"]
    world.run(("contacts", [make.contact(7)]))
    assert len(world.xero.live("Invoices")) == 1


def test_a_withdrawn_draft_is_deleted_and_comes_back_as_a_new_one(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    withdrawn = {"source_key": "O1", "withdrawn": True}
    summary = world.run(("invoices", [withdrawn]))
    assert summary.streams["invoices"].deleted == 1
    assert not world.xero.live("Invoices")
    before = len(world.xero.calls)
    assert world.run(("invoices", [withdrawn])).clean
    assert len(world.xero.calls) == before
    world.run(("invoices", [make.invoice(1)]))
    assert len(world.xero.live("Invoices")) == 1


def test_a_withdrawn_document_that_was_never_made_is_no_news(world):
    summary = world.run(("invoices", [{"source_key": "O9", "withdrawn": True}]))
    assert not world.xero.calls
    assert summary.clean


def test_a_withdrawn_approved_invoice_is_left_alone_and_reported(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.live("Invoices")[0]["Status"] = "AUTHORISED"
    world.run(("invoices", [{"source_key": "O1", "withdrawn": True}]))
    assert len(world.xero.live("Invoices")) == 1
    assert "left alone" in world.problems[0]["note"]


def test_a_withdrawn_contact_and_a_withdrawn_payment_stay_and_are_reported(world, make):
    world.run(
        ("contacts", [make.contact(1)]), ("invoices", [approved(make, 1)]), ("payments", [make.payment(1)])
    )
    world.run(
        ("contacts", [{"source_key": "C1", "withdrawn": True}]),
        ("payments", [{"source_key": "O1#payment", "withdrawn": True}]),
    )
    assert len(world.xero.live("Contacts")) == len(world.xero.live("Payments")) == 1
    assert {p["refusals"][0]["rule"] for p in world.problems} == {"withdrawn"}


def test_a_changed_payment_is_refused_for_xero_lets_nobody_change_one(world, make):
    world.run(
        ("contacts", [make.contact(1)]),
        ("invoices", [approved(make, 1)]),
        ("payments", [make.payment(1, "30.00")]),
    )
    world.run(("payments", [make.payment(1, "35.00")]))
    assert world.problems[0]["refusals"][0]["rule"] == "not_changeable"
    assert len(world.xero.live("Payments")) == 1


def test_a_payment_on_an_invoice_that_somebody_paid_is_refused(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.live("Invoices")[0]["Status"] = "PAID"
    world.run(("payments", [make.payment(1)]))
    assert world.problems[0]["refusals"][0]["rule"] == "not_payable"


def test_a_quote_keeps_its_number_and_terms_when_it_is_updated(world, make):
    quote = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {
        "Terms": "Net 30",
        "LineAmountTypes": "Exclusive",
    }
    world.run(("contacts", [make.contact(1)]), ("quotes", [quote]))
    (made,) = world.xero.live("Quotes")
    made["Terms"] = "Net 45, agreed by phone"
    number = made["QuoteNumber"]
    quote.pop("Terms")
    world.run(("quotes", [quote | {"Title": "Better"}]))
    (sent,) = world.xero.writes()[-1].body["Quotes"]
    assert sent["QuoteNumber"] == number
    assert sent["Terms"] == "Net 45, agreed by phone"
    assert sent["LineAmountTypes"] == "EXCLUSIVE"
    assert world.xero.live("Quotes")[0]["Title"] == "Better"


def credit_note(make, **fields):
    base = {k: v for k, v in make.invoice(1).items() if k != "DueDate"}
    return base | {"source_key": "N1", "marker": "SF-N1", "Status": "AUTHORISED"} | fields


def test_a_credit_note_is_allocated_to_its_invoice_in_a_call_of_its_own(world, make):
    note = credit_note(make, allocations=[{"invoice_key": "O1", "Amount": "12.00", "Date": "2026-11-02"}])
    batches = [("contacts", [make.contact(1)]), ("invoices", [approved(make, 1)]), ("credit_notes", [note])]
    summary = world.run(*batches)
    (made,) = world.xero.live("CreditNotes")
    assert [a["Amount"] for a in made["Allocations"]] == [Decimal("12.00")]
    assert summary.clean
    before = len(world.xero.calls)
    world.run(*batches)
    assert len(world.xero.calls) == before


def test_an_allocation_that_a_person_made_already_is_not_made_twice(world, make):
    world.run(
        ("contacts", [make.contact(1)]),
        ("invoices", [approved(make, 1)]),
        ("credit_notes", [credit_note(make)]),
    )
    (note,), (invoice,) = world.xero.live("CreditNotes"), world.xero.live("Invoices")
    note["Allocations"] = [{"Amount": Decimal("12.00"), "Invoice": {"InvoiceID": invoice["InvoiceID"]}}]
    wanted = [{"invoice_key": "O1", "Amount": "12.00", "Date": "2026-11-02"}]
    note["Status"] = "AUTHORISED"
    summary = world.run(("credit_notes", [credit_note(make, allocations=wanted)]))
    assert len(note["Allocations"]) == 1
    assert summary.streams["allocations"].adopted == 1


def test_part_payments_of_one_invoice_are_never_under_way_together(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [approved(make, 1)]))
    world.executor_fields = {"batch_documents": 1}
    parts = [
        {**make.payment(1, amount), "source_key": amount, "marker": amount} for amount in ("20.00", "16.00")
    ]
    with world.ledger() as ledger:
        executor, flying = world.begin(ledger, [("payments", parts)]), []
        while flying := flying + executor.next_calls(4 - len(flying)):
            assert len([call for call in flying if call.path in ("/Payments", "/Invoices")]) <= 1
            executor.receive(world.answer(flying.pop(0)))
        assert ledger.finish_run(world.xero.now).clean
    assert [p["Amount"] for p in world.xero.live("Payments")] == [20, 16]


def test_a_lead_becomes_the_account_with_one_contact_in_xero(world, make):
    lead = {"source_key": "L1", "Name": "Eve", "EmailAddress": "eve@example.com"}
    world.run(("contacts", [lead]), ("invoices", [make.invoice(1, contact_key="L1")]))
    rekey = {"source_key": "A1", "previous_source_key": "L1"}
    account = {"source_key": "A1", "Name": "Eve Ltd"}
    world.run(("contacts", [account, rekey, lead]))
    (contact,) = world.xero.live("Contacts")
    assert (contact["Name"], contact["ContactNumber"]) == ("Eve Ltd", "A1")
    world.run(("invoices", [make.invoice(1, contact_key="L1", Reference="Changed")]))
    assert len(world.xero.live("Invoices")) == 1
    assert not world.problems


def test_what_people_edited_stays_also_after_the_lead_became_an_account(world, make):
    lead = {"source_key": "L1", "Name": "Eve"}
    ours = make.invoice(1, contact_key="L1", Reference="Deal")
    world.run(("contacts", [lead]), ("invoices", [ours, {**ours, "source_key": "O2", "marker": "SF-O2"}]))
    world.run(
        (
            "contacts",
            [{"source_key": "A1", "Name": "Eve Ltd"}, {"source_key": "A1", "previous_source_key": "L1"}],
        )
    )
    for row in world.xero.live("Invoices"):
        world.xero._save("Invoices", {**row, "DueDate": "2027-06-30"})
    world.xero.advance(61)
    summary = world.run(
        (
            "invoices",
            [make.invoice(1, contact_key="A1", Reference="PO 7"), {"source_key": "O2", "withdrawn": True}],
        )
    )
    assert summary.streams["invoices"].updated == 1
    assert [(row["DueDate"], row["Status"]) for row in world.xero.live("Invoices")] == [
        ("2027-06-30", "DRAFT")
    ] * 2
    assert "people changed it in Xero: DueDate" in world.problems[0]["note"]


def test_a_document_that_a_lock_date_covers_is_refused_by_us(world, make):
    world.organisation_fields = {"period_lock_date": date(2026, 11, 30)}
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    assert not world.xero.live("Invoices")
    assert world.problems[0]["refusals"][0]["rule"] == "period_locked"


def test_prices_that_include_tax_are_compared_with_the_total(world, make):
    document = make.invoice(1, LineAmountTypes="INCLUSIVE", expected_total="30.00")
    assert world.run(("contacts", [make.contact(1)]), ("invoices", [document])).clean
    (invoice,) = world.xero.live("Invoices")
    assert (invoice["LineAmountTypes"], invoice["Total"], invoice["SubTotal"]) == (
        "Inclusive",
        Decimal(30),
        Decimal(25),
    )


def test_new_documents_wake_an_executor_that_was_idle(world, make):
    with world.ledger() as ledger:
        executor = world.begin(ledger, [])
        world.pump(executor, [])
        assert executor.idle
        organisation = world.organisation()
        Planner(ledger, lambda: organisation).accept("contacts", [make.contact(1)])
        assert not executor.idle
        world.pump(executor, [])
    assert len(world.xero.live("Contacts")) == 1
