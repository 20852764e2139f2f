"""Credit notes: as invoices, with what is left of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal


def change(org: Any, note: dict[str, Any], **fields: Any) -> Any:
    return org.post(f"CreditNotes/{note['CreditNoteID']}", fields)


def test_a_credit_note_has_its_id_twice_a_number_and_all_of_its_credit(org: Any) -> None:
    note = org.credit_note()
    assert note["ID"] == note["CreditNoteID"]
    assert note["CreditNoteNumber"] == "CN-0002"
    assert (note["Total"], note["RemainingCredit"], note["Allocations"]) == (D("60.00"), D("60.00"), [])
    assert "DueDate" not in note


def test_a_customer_credit_notes_number_is_unique(org: Any) -> None:
    org.credit_note(CreditNoteNumber="CR-1")
    body = {"Type": "ACCRECCREDIT", "Contact": org.contact(), "CreditNoteNumber": "CR-1"}
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    answer = org.put("CreditNotes", {**body, "LineItems": [line]})
    assert len(answer.messages) == 1
    assert "unique" in answer.messages[0]


def test_a_supplier_credit_notes_number_is_not(org: Any) -> None:
    supplier = {
        "Type": "ACCPAYCREDIT",
        "Contact": org.contact("Tamar Valley Telecom"),
        "CreditNoteNumber": "C",
    }
    assert org.credit_note(**supplier)["CreditNoteID"] != org.credit_note(**supplier)["CreditNoteID"]


def test_invoices_and_credit_notes_do_not_share_numbers(org: Any) -> None:
    org.invoice(InvoiceNumber="X-1")
    assert org.credit_note(CreditNoteNumber="X-1")["CreditNoteNumber"] == "X-1"


def test_an_unknown_id_is_refused_with_its_text(org: Any) -> None:
    body = {"CreditNoteID": "11111111-2222-4333-8444-555555555555", "Status": "VOIDED"}
    answer = org.call("POST", "CreditNotes", {"CreditNotes": [body]})
    assert answer.messages == ["An existing Credit Note with the specified CreditNoteID could not be found"]


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [("DRAFT", "AUTHORISED", 200), ("AUTHORISED", "VOIDED", 200), ("AUTHORISED", "DELETED", 400)],
)
def test_statuses_follow_those_of_invoices(org: Any, before: str, after: str, status: int) -> None:
    assert change(org, org.credit_note(Status=before), Status=after).status == status


def test_it_is_read_by_id_and_number_and_listed_with_lines_on_a_page(org: Any) -> None:
    note = org.credit_note(CreditNoteNumber="CR-1")
    assert org.get("CreditNotes", "CR-1")["CreditNoteID"] == note["CreditNoteID"]
    query = 'page=1&where=CreditNoteNumber=="CR-1"'
    listed = org.call("GET", "CreditNotes", query=query).content
    assert len(listed["CreditNotes"][0]["LineItems"]) == 1
    assert listed["pagination"]["itemCount"] == 1


def test_an_allocated_credit_note_keeps_its_amounts(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    sent = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 10}
    org.call("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", sent)
    line = {"Description": "Other", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    assert change(org, note, LineItems=[line]).status == 400
    assert change(org, note, Reference="noted").status == 200
