"""Allocations: credit goes to invoices of the same contact, and comes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal


def allocate(org: Any, note: dict[str, Any], *pairs: tuple[dict[str, Any], Any]) -> Any:
    entries = [
        {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": amount} for invoice, amount in pairs
    ]
    return org.call("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", {"Allocations": entries})


def amounts(org: Any, invoice: dict[str, Any]) -> tuple[str, Decimal, Decimal]:
    found = org.get("Invoices", invoice["InvoiceID"])
    return found["Status"], found["AmountCredited"], found["AmountDue"]


def left(org: Any, note: dict[str, Any]) -> tuple[str, Decimal]:
    found = org.get("CreditNotes", note["CreditNoteID"])
    return found["Status"], found["RemainingCredit"]


def test_credit_lowers_what_is_due_and_what_is_left(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    answer = allocate(org, note, (invoice, "40.00"))
    assert answer.status == 200
    assert answer.content["Allocations"][0]["Amount"] == D("40.00")
    assert amounts(org, invoice) == ("AUTHORISED", D("40.00"), D("80.00"))
    assert left(org, note) == ("AUTHORISED", D("20.00"))
    shown = org.get("Invoices", invoice["InvoiceID"])["CreditNotes"][0]
    assert (shown["CreditNoteID"], shown["AppliedAmount"]) == (note["CreditNoteID"], D("40.00"))


def test_credit_that_is_used_up_is_paid_and_so_is_an_invoice_with_nothing_due(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    org.pay(invoice, "60.00")
    assert allocate(org, note, (invoice, "60.00")).status == 200
    assert amounts(org, invoice)[0] == "PAID"
    assert left(org, note) == ("PAID", D("0.00"))


def test_taking_it_back_opens_both_again(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    made = allocate(org, note, (invoice, "60.00")).content["Allocations"][0]
    answer = org.call("DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{made['AllocationID']}")
    assert (answer.status, answer.content["IsDeleted"]) == (200, True)
    assert answer.content["AllocationID"] == made["AllocationID"]
    assert answer.content["Invoice"]["InvoiceID"] == invoice["InvoiceID"]
    assert amounts(org, invoice) == ("AUTHORISED", D("0.00"), D("120.00"))
    assert left(org, note) == ("AUTHORISED", D("60.00"))
    again = org.call("DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{made['AllocationID']}")
    assert again.status == 404


@pytest.mark.parametrize("amount", ["60.01", "0", "-1", None])
def test_wrong_amounts_are_refused(org: Any, amount: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    assert len(allocate(org, note, (invoice, amount)).messages) == 1
    assert left(org, note) == ("AUTHORISED", D("60.00"))


def test_no_more_than_is_due(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    org.pay(invoice, "100.00")
    assert len(allocate(org, note, (invoice, "20.01")).messages) == 1


def test_one_wrong_entry_keeps_the_others_out(org: Any) -> None:
    note, one, two = org.credit_note(), org.invoice(), org.invoice()
    assert allocate(org, note, (one, "30.00"), (two, "30.01")).status == 400
    assert amounts(org, one)[1] == D("0.00")
    assert left(org, note)[1] == D("60.00")


def test_only_approved_documents_of_the_same_contact_kind_and_currency(org: Any) -> None:
    note = org.credit_note()
    others = (
        org.invoice(Status="DRAFT"),
        org.invoice(Contact=org.contact("Walk-in Customer")),
        org.invoice(CurrencyCode="EUR"),
        org.invoice(Type="ACCPAY"),
    )
    for invoice in others:
        assert allocate(org, note, (invoice, "10")).status == 400
    assert allocate(org, org.credit_note(Status="DRAFT"), (org.invoice(), "10")).status == 400
    assert allocate(org, note, ({"InvoiceID": "11111111-2222-4333-8444-555555555555"}, "10")).messages == [
        "Invoice could not be found"
    ]


def test_allocations_are_listed(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    allocate(org, note, (invoice, "10"))
    answer = org.call("GET", f"CreditNotes/{note['CreditNoteID']}/Allocations")
    assert [entry["Invoice"]["InvoiceID"] for entry in answer.content["Allocations"]] == [
        invoice["InvoiceID"]
    ]
