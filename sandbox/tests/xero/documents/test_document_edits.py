"""Human hands and the documents an organisation had before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest


def test_a_person_approves_pays_takes_back_and_voids(org: Any) -> None:
    draft = org.invoice(Status="DRAFT", DueDate=None)
    number = draft["InvoiceNumber"]
    assert org.edit("approve_invoice", invoice=number)["Status"] == "AUTHORISED"
    assert org.edit("pay_invoice", invoice=number, amount=20.5)["Amount"] == "20.50"
    org.edit("pay_invoice", invoice=number)
    assert org.get("Invoices", number)["Status"] == "PAID"
    org.edit("delete_payment", invoice=number)
    org.edit("delete_payment", invoice=number)
    assert org.edit("void_invoice", invoice=number)["Status"] == "VOIDED"


@pytest.mark.parametrize("kind", ["Overpayment", "Prepayment"])
def test_credit_beside_credit_notes_settles_an_invoice_until_it_is_removed(org: Any, kind: str) -> None:
    bill = org.invoice(Status="AUTHORISED")
    number = bill["InvoiceNumber"]
    org.edit("allocate_credit", invoice=number, kind=kind, amount="5.50")
    shown = org.get("Invoices", number)
    assert [entry["AppliedAmount"] for entry in shown[f"{kind}s"]] == [Decimal("5.50")]
    assert shown["AmountCredited"] == Decimal("5.50")
    assert shown["AmountDue"] == shown["Total"] - Decimal("5.50")
    with pytest.raises(ValueError, match="has payments or credit notes allocated"):
        org.edit("void_invoice", invoice=number)
    org.edit("remove_credit", invoice=number)
    assert org.edit("void_invoice", invoice=number)["Status"] == "VOIDED"


def test_a_person_takes_a_number(org: Any) -> None:
    org.edit("create_invoice", contact="Old Mill Bakery", amount=10, number="SF-1")
    answer = org.put("Invoices", org.invoice_body(InvoiceNumber="SF-1"))
    assert answer.messages == ["Invoice # must be unique."]
    org.edit("create_invoice", contact="Old Mill Bakery", amount="10")
    assert org.invoice()["InvoiceNumber"] == "INV-0010"


def test_what_people_make_is_not_the_apps(org: Any) -> None:
    made = org.edit("create_invoice", contact="Old Mill Bakery", amount=10)
    listed = org.call("GET", "Invoices", query="createdByMyApp=true&page=1").content["Invoices"]
    assert made["InvoiceID"] not in {row["InvoiceID"] for row in listed}


def test_a_person_edits_and_deletes_a_draft(org: Any) -> None:
    draft = org.invoice(Status="DRAFT")
    line = {
        "Description": "By hand",
        "Quantity": 1,
        "UnitAmount": 0.125,
        "AccountCode": "200",
        "TaxType": "NONE",
    }
    org.edit("edit_invoice", invoice=draft["InvoiceID"], fields={"Reference": "mine", "LineItems": [line]})
    after = org.get("Invoices", draft["InvoiceID"])
    assert (after["Reference"], str(after["Total"])) == ("mine", "0.13")
    assert after["UpdatedDateUTC"] > draft["UpdatedDateUTC"]
    assert org.edit("delete_invoice", invoice=draft["InvoiceID"])["Status"] == "DELETED"


def test_a_person_credits_an_invoice(org: Any) -> None:
    invoice = org.invoice()
    note = org.edit("create_credit_note", contact="Old Mill Bakery", amount=30)
    made = org.edit(
        "allocate_credit_note", credit_note=note["CreditNoteNumber"], invoice=invoice["InvoiceNumber"]
    )
    assert made["Amount"] == "30.00"
    assert str(org.get("Invoices", invoice["InvoiceID"])["AmountDue"]) == "90.00"
    org.edit("delete_allocation", allocation=made["AllocationID"])
    assert str(org.get("Invoices", invoice["InvoiceID"])["AmountDue"]) == "120.00"


def test_a_person_moves_a_quote_on(org: Any) -> None:
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    sent = {"Contact": org.contact(), "Date": "2026-11-02", "Terms": "30 days", "LineItems": [line]}
    quote = org.put("Quotes", sent).content["Quotes"][0]
    assert org.edit("set_quote_status", quote=quote["QuoteNumber"], status="ACCEPTED")["Status"] == "ACCEPTED"
    after = org.get("Quotes", quote["QuoteID"])
    assert (after["QuoteNumber"], after["Terms"]) == (quote["QuoteNumber"], "30 days")


@pytest.mark.parametrize(
    ("action", "details"),
    [
        ("void_invoice", {"invoice": "INV-0001"}),
        ("approve_invoice", {"invoice": "NO-SUCH"}),
        ("edit_invoice", {"invoice": "INV-0008"}),
        ("pay_invoice", {"invoice": "INV-0001", "amount": 5}),
        ("delete_payment", {"invoice": "INV-0003"}),
        ("create_invoice", {"contact": "Nobody", "amount": 5}),
        ("delete_allocation", {"allocation": "x"}),
        ("set_quote_status", {"quote": "x"}),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    org: Any, action: str, details: dict[str, Any]
) -> None:
    before = org.backend.dump()
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        org.edit(action, **details)
    assert org.backend.dump() == before


def test_the_organisation_begins_with_documents_of_every_kind_of_fate(org: Any) -> None:
    dump = org.backend.dump()
    sales = {row["InvoiceNumber"]: row for row in dump["Invoices"] if row["Type"] == "ACCREC"}
    assert list(sales) == [f"INV-{number:04d}" for number in range(1, 9)]
    assert {row["Status"] for row in sales.values()} == {"PAID", "AUTHORISED", "VOIDED", "SUBMITTED", "DRAFT"}
    assert any(row["AmountPaid"] not in ("0.00", row["Total"]) for row in sales.values())
    assert len(dump["CreditNotes"]) == 1
    assert all(
        row["CreatedByApp"] is None for name in ("Invoices", "CreditNotes", "Payments") for row in dump[name]
    )
    assert all(row["UpdatedDateUTC"] < "2026-11" for row in dump["Invoices"])


def test_the_same_seed_gives_the_same_documents(org: Any) -> None:
    first = org.backend.dump()
    org.backend.seed(7, "default")
    assert org.backend.dump()["Invoices"] == first["Invoices"]


def test_merging_contacts_moves_their_documents(org: Any) -> None:
    invoice = org.invoice(Contact=org.contact("Walk-in Customer"))
    org.edit("merge_contacts", contact="Walk-in Customer", into="Old Mill Bakery")
    assert org.get("Invoices", invoice["InvoiceID"])["Contact"]["Name"] == "Old Mill Bakery"
