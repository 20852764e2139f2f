"""Invoices that people edit, approve or pay after we wrote them."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow


def lines(house, *prices, key=f"006{1:015d}"):
    return [
        {
            "line_key": f"{key}-{n}",
            "Description": f"Widget {n}",
            "Quantity": "2",
            "UnitAmount": price,
            "AccountCode": "200",
        }
        for n, price in enumerate(prices)
    ]


@pytest.fixture
def drafted(house, office):
    house.load(
        ("contacts", house.contact(1)),
        ("invoices", house.invoice(1, 1, Reference="PO 1", LineItems=lines(house, "10", "20"))),
    )
    return office


def edit(office, **fields):
    office.does("edit_invoice", invoice=office.invoice["InvoiceID"], fields=fields)


def source(house, **fields):
    fields = {"Reference": "PO 1", "LineItems": lines(house, "10", "20"), **fields}
    return house.load(("invoices", house.invoice(1, 1, **fields)))


def test_a_draft_keeps_what_only_people_changed(house, drafted):
    edit(drafted, DueDate="2027-02-01")
    ran = source(house, Reference="PO 2")
    assert ran.exit_code == 0
    assert drafted.invoice["DueDate"] == "2027-02-01"
    assert drafted.invoice["Reference"].startswith("PO 2")
    assert "Left as people have it in Xero" in " ".join(ran.err.split())


def test_lines_that_people_edited_stay_when_the_source_changes_something_else(house, drafted):
    kept = drafted.invoice["LineItems"]
    edit(drafted, LineItems=[{"LineItemID": kept[0]["LineItemID"], "UnitAmount": "11"}, {"LineItemID": kept[1]["LineItemID"]},
                             {"Description": "Freight", "Quantity": 1, "UnitAmount": "5", "AccountCode": "260"}])  # fmt: skip
    ran = source(house, Reference="PO 2")
    assert ran.exit_code == 0
    assert [line["Description"] for line in drafted.invoice["LineItems"]] == [
        "Widget 0",
        "Widget 1",
        "Freight",
    ]
    assert float(drafted.invoice["LineItems"][0]["UnitAmount"]) == 11
    assert drafted.invoice["Reference"].startswith("PO 2")


def test_lines_are_merged_one_by_one_when_both_changed_some(house, drafted):
    kept = drafted.invoice["LineItems"]
    edit(drafted, LineItems=[{"LineItemID": kept[0]["LineItemID"], "UnitAmount": "11"}, {"LineItemID": kept[1]["LineItemID"]},
                             {"Description": "Freight", "Quantity": 1, "UnitAmount": "5", "AccountCode": "260"}])  # fmt: skip
    assert source(house, LineItems=lines(house, "10", "25", "30")).exit_code == 0
    found = {line["Description"]: float(line["UnitAmount"]) for line in drafted.invoice["LineItems"]}
    assert found == {"Widget 0": 11, "Widget 1": 25, "Widget 2": 30, "Freight": 5}


def test_a_price_that_both_changed_is_refused_with_both(house, drafted):
    kept = drafted.invoice["LineItems"]
    edit(
        drafted,
        LineItems=[
            {"LineItemID": kept[0]["LineItemID"], "UnitAmount": "11"},
            {"LineItemID": kept[1]["LineItemID"]},
        ],
    )
    house.forget_exchanges()
    ran = source(house, LineItems=lines(house, "12", "20"))
    told = " ".join(ran.err.split())
    assert ran.exit_code == 1
    assert "LineItems[0].UnitAmount: was 10, now 11 in Xero and 12 in the source" in told
    assert house.writes == 0


def test_a_line_that_people_deleted_and_the_source_changed_is_a_conflict(house, drafted):
    kept = drafted.invoice["LineItems"]
    edit(drafted, LineItems=[{"LineItemID": kept[0]["LineItemID"]}])
    assert source(house, LineItems=lines(house, "10", "22")).exit_code == 1
    assert source(house, LineItems=lines(house, "12", "20")).exit_code == 0
    assert [line["Description"] for line in drafted.invoice["LineItems"]] == ["Widget 0"]


def test_a_withdrawn_draft_that_people_changed_is_left_alone(house, drafted):
    edit(drafted, Reference="Keep me")
    ran = house.load(
        ("invoices", {"source_key": f"006{1:015d}", "marker": f"SF-006{1:015d}", "withdrawn": True})
    )
    assert ran.exit_code == 1
    assert "edited_in_xero" in ran.err
    (found,) = [row for row in house.books("Invoices") if row["Reference"] == "Keep me"]
    assert found["Status"] == "DRAFT"


@pytest.mark.parametrize("paid", [False, True])
def test_an_approved_invoice_is_never_changed_and_a_credit_and_rebill_is_proposed(house, drafted, paid):
    drafted.does("approve_invoice", invoice=drafted.invoice["InvoiceID"])
    if paid:
        drafted.does("pay_invoice", invoice=drafted.invoice["InvoiceID"])
    before = drafted.invoice
    house.forget_exchanges()
    ran = house.load(
        ("invoices", house.invoice(1, 1, Reference="PO 1", LineItems=lines(house, "10", "21"))),
        books_closed_until="2026-10-31",
    )
    assert ran.exit_code == 1
    assert (house.writes, drafted.invoice) == (0, before)
    told = " ".join(ran.err.split())
    assert "LineItems[1].UnitAmount: 20 -> 21" in told
    assert "Proposed (not sent): a credit note over 72.00 GBP dated 2026-11-02" in told
    (problem,) = ran.target.outcome.problems
    proposal = problem["refusals"][0]["proposal"]
    note, invoice = proposal["credit_note"], proposal["invoice"]
    assert json.loads(json.dumps(proposal)) == proposal
    assert (note["Type"], note["Status"], note["Total"]) == ("ACCRECCREDIT", "DRAFT", "72.00")
    assert [(line["UnitAmount"], line["TaxAmount"]) for line in note["LineItems"]] == [
        ("20", "4"),
        ("40", "8"),
    ]
    assert [line["UnitAmount"] for line in invoice["LineItems"]] == ["10", "21"]
    assert not {"InvoiceID", "InvoiceNumber"} & invoice.keys()
    assert not any("LineItemID" in line for line in invoice["LineItems"])
    assert proposal["of"]["InvoiceNumber"] == before["InvoiceNumber"]
    assert proposal["changes"] == [{"field": "LineItems[1].UnitAmount", "xero": "20", "source": "21"}]


def test_an_approved_invoice_that_both_sides_changed_tells_both_and_proposes_the_source(house, drafted):
    drafted.does("approve_invoice", invoice=drafted.invoice["InvoiceID"])
    kept = drafted.invoice["LineItems"]
    edit(drafted, LineItems=[{"LineItemID": kept[0]["LineItemID"], "UnitAmount": "11"}, {"LineItemID": kept[1]["LineItemID"]}])  # fmt: skip
    before = drafted.invoice
    drafted.house.sandbox.clock.advance(120)
    ran = source(house, LineItems=lines(house, "12", "20"))
    assert (ran.exit_code, drafted.invoice) == (1, before)
    assert "LineItems[0].UnitAmount: was 10, now 11 in Xero and 12 in the source" in " ".join(ran.err.split())
    (problem,) = ran.target.outcome.problems
    proposal = problem["refusals"][0]["proposal"]
    assert [line["UnitAmount"] for line in proposal["credit_note"]["LineItems"]] == ["22", "40"]
    assert [line["UnitAmount"] for line in proposal["invoice"]["LineItems"]] == ["12", "20"]
    assert proposal["changes"] == [{"field": "LineItems[0].UnitAmount", "xero": "11", "source": "12"}]


def test_a_proposal_is_dated_in_the_open_period(house, drafted):
    drafted.does("approve_invoice", invoice=drafted.invoice["InvoiceID"])
    ran = house.load(
        (
            "invoices",
            house.invoice(1, 1, LineItems=lines(house, "9"), Date="2026-12-05", DueDate="2026-12-05"),
        ),
        books_closed_until="2026-11-30",
    )
    (problem,) = ran.target.outcome.problems
    proposal = problem["refusals"][0]["proposal"]
    assert (proposal["date"], proposal["credit_note"]["Date"]) == ("2026-12-01", "2026-12-01")
    assert (proposal["invoice"]["Date"], proposal["invoice"]["DueDate"]) == ("2026-12-05", "2026-12-05")


def test_a_proposal_keeps_the_tracking_and_is_never_due_before_its_day(house, office):
    tracked = [{**line, "Tracking": [{"Name": "Region", "Option": "North"}]} for line in lines(house, "10")]
    invoice = house.invoice(1, 1, LineItems=tracked)
    house.load(("contacts", house.contact(1)), ("invoices", invoice))
    office.does("approve_invoice", invoice=office.invoice["InvoiceID"])
    house.sandbox.clock.advance(60 * 86_400)
    ran = house.load(("invoices", {**invoice, "LineItems": [{**tracked[0], "UnitAmount": "9"}]}))
    (problem,) = ran.target.outcome.problems
    proposal = problem["refusals"][0]["proposal"]
    (reversed_,), (anew,) = proposal["credit_note"]["LineItems"], proposal["invoice"]["LineItems"]
    assert reversed_["Tracking"] == anew["Tracking"] == [{"Name": "Region", "Option": "North"}]
    assert (invoice["Date"], invoice["DueDate"]) == ("2026-11-02", "2026-12-02")
    assert (proposal["invoice"]["Date"], proposal["invoice"]["DueDate"]) == ("2027-01-01", "2027-01-01")


def test_an_approved_invoice_that_is_called_for_no_more_is_proposed_to_be_credited(house, drafted):
    drafted.does("approve_invoice", invoice=drafted.invoice["InvoiceID"])
    ran = house.load(("invoices", {"source_key": f"006{1:015d}", "withdrawn": True}))
    (problem,) = ran.target.outcome.problems
    proposal = problem["refusals"][0]["proposal"]
    assert proposal["action"] == "credit"
    assert "invoice" not in proposal


@pytest.mark.parametrize("action", ["void_invoice", "delete_invoice"])
def test_a_dead_invoice_is_not_touched(house, drafted, action):
    if action == "void_invoice":
        drafted.does("approve_invoice", invoice=drafted.invoice["InvoiceID"])
    drafted.does(action, invoice=drafted.invoice["InvoiceID"])
    house.forget_exchanges()
    assert source(house, Reference="PO 2").exit_code == 1
    assert house.writes == 0


@pytest.mark.parametrize("ended", ["DELETED", "VOIDED"])
def test_a_change_of_what_people_have_ended_is_no_reason_to_credit_or_to_edit_it(house, drafted, ended):
    if ended == "VOIDED":
        drafted.does("approve_invoice", invoice=drafted.invoice["InvoiceID"])
    action = {"DELETED": "delete_invoice", "VOIDED": "void_invoice"}[ended]
    drafted.does(action, invoice=drafted.invoice["InvoiceID"])
    ran = source(house, LineItems=lines(house, "11", "20"))
    (problem,) = ran.target.outcome.problems
    (refusal,) = problem["refusals"]
    assert (refusal["rule"], refusal["value"]) == ("not_a_draft", ended)
    assert "for good" in refusal["cure"]
    assert "UnitAmount: 10 -> 11" in refusal["cure"]
    assert "credit" not in refusal["cure"]
    assert "end it in the source" in refusal["cure"]


def test_a_reference_that_is_too_long_is_refused_with_both_lengths_and_never_cut(house):
    long, fits = "x" * 232, "y" * 231
    ran = house.load(
        ("contacts", house.contact(1)),
        ("invoices", house.invoice(1, 1, Reference=long)),
        ("invoices", house.invoice(2, 1, Reference=fits)),
    )
    assert ran.exit_code == 1
    assert "breaks too_long: It has 232 characters; with its mark" in " ".join(ran.told.split())
    ours = [i["Reference"] for i in house.books("Invoices") if "SF-" in str(i.get("Reference"))]
    assert ours == [f"{fits} · SF-006{2:015d}"]


def test_of_two_invoices_with_one_mark_the_second_is_refused_and_a_lost_answer_parks_nothing(
    house,
):
    house.fault("timeout_after", method="PUT", path="/Invoices", times=1)
    same = [("invoices", house.invoice(n, 1, marker="SF-1")) for n in (1, 2)]
    ran = house.load(("contacts", house.contact(1)), *same)
    assert ran.exit_code == 1
    assert f"006{1:015d} of the source has it already" in " ".join(ran.told.split())
    house.sandbox.clock.advance(900)
    again = house.load(*same)
    assert "parked" not in again.told
    assert [i["Reference"] for i in house.books("Invoices")].count("SF-1") == 1
