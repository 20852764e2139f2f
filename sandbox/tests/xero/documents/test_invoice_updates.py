"""Changing invoices: which status follows which, lines by LineItemID, and what payments forbid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal
WRONG_STATUS = "Invoice not of valid status for modification"
PAID_DOCUMENT = "This document cannot be edited as it has a payment or credit note allocated to it."


def change(org: Any, invoice: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = org.post(f"Invoices/{invoice['InvoiceID']}", fields)
    assert answer.status == 200, answer.content
    return answer.content["Invoices"][0]


def refused(org: Any, invoice: dict[str, Any], **fields: Any) -> list[str]:
    answer = org.post(f"Invoices/{invoice['InvoiceID']}", fields)
    assert answer.status == 400, answer.content
    return answer.messages


def in_status(org: Any, status: str) -> dict[str, Any]:
    if status in ("DRAFT", "SUBMITTED", "AUTHORISED"):
        return org.invoice(Status=status)
    if status == "DELETED":
        return change(org, org.invoice(Status="DRAFT"), Status="DELETED")
    if status == "VOIDED":
        return change(org, org.invoice(), Status="VOIDED")
    invoice = org.invoice()
    org.pay(invoice, "120.00")
    return invoice


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DRAFT", "SUBMITTED"),
        ("DRAFT", "AUTHORISED"),
        ("DRAFT", "DELETED"),
        ("SUBMITTED", "AUTHORISED"),
        ("SUBMITTED", "DRAFT"),
        ("SUBMITTED", "DELETED"),
        ("AUTHORISED", "VOIDED"),
        ("AUTHORISED", "AUTHORISED"),
    ],
)
def test_these_steps_are_allowed(org: Any, before: str, after: str) -> None:
    invoice = in_status(org, before)
    assert change(org, invoice, Status=after)["Status"] == after
    assert org.get("Invoices", invoice["InvoiceID"])["Status"] == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DRAFT", "VOIDED"),
        ("DRAFT", "PAID"),
        ("SUBMITTED", "VOIDED"),
        ("AUTHORISED", "DELETED"),
        ("AUTHORISED", "DRAFT"),
        ("AUTHORISED", "PAID"),
        ("VOIDED", "AUTHORISED"),
        ("DELETED", "DRAFT"),
    ],
)
def test_these_steps_are_refused_and_change_nothing(org: Any, before: str, after: str) -> None:
    invoice = in_status(org, before)
    assert refused(org, invoice, Status=after) == [WRONG_STATUS]
    assert org.get("Invoices", invoice["InvoiceID"])["Status"] == before


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_withdrawn_invoice_cannot_be_edited(org: Any, status: str) -> None:
    assert refused(org, in_status(org, status), Reference="x") == [WRONG_STATUS]


def test_the_error_element_of_a_refused_deletion_shows_the_status_asked_for(org: Any) -> None:
    invoice = org.invoice()
    asked = {"InvoiceID": invoice["InvoiceID"], "Status": "DELETED"}
    answer = org.call("POST", "Invoices", {"Invoices": [asked]}, "summarizeErrors=False")
    element = answer.content["Invoices"][0]
    assert (answer.status, element["StatusAttributeString"]) == (200, "ERROR")
    assert (element["Status"], element["InvoiceID"]) == ("DELETED", invoice["InvoiceID"])
    assert (element["Total"], element["DueDateString"]) == (D("120.00"), "2026-12-02T00:00:00")
    assert len(element["LineItems"]) == 1
    assert not {"InvoiceNumber", "AmountDue", "AmountPaid", "UpdatedDateUTC"} & element.keys()
    assert org.get("Invoices", invoice["InvoiceID"])["Status"] == "AUTHORISED"


def test_a_voided_invoice_still_shows_its_total_as_due(org: Any) -> None:
    voided = change(org, org.invoice(), Status="VOIDED")
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", D("120.00"))


def test_what_is_not_sent_stays(org: Any) -> None:
    invoice = org.invoice(Reference="keep me", Url="https://crm.example/1")
    after = change(org, invoice, DueDate="2026-12-24")
    assert (after["Reference"], after["Url"]) == ("keep me", "https://crm.example/1")
    assert (after["DueDateString"], after["Total"]) == ("2026-12-24T00:00:00", D("120.00"))
    assert after["LineItems"][0]["LineItemID"] == invoice["LineItems"][0]["LineItemID"]


def test_an_unpaid_approved_invoice_can_be_edited_whole(org: Any) -> None:
    line = {"Description": "Other", "Quantity": 1, "UnitAmount": 10, "AccountCode": "260"}
    after = change(
        org, org.invoice(), LineItems=[line], Contact=org.contact("Walk-in Customer"), Date="2026-11-01"
    )
    assert (after["Total"], after["AmountDue"]) == (D("12.00"), D("12.00"))
    assert after["Contact"]["Name"] == "Walk-in Customer"


def test_lines_are_updated_by_id_added_without_and_removed_when_not_sent(org: Any) -> None:
    lines = [
        {"Description": name, "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
        for name in ("one", "two", "three")
    ]
    one, two, _ = org.invoice(LineItems=lines)["LineItems"]
    invoice = org.call("GET", "Invoices", query="page=1&order=UpdatedDateUTC DESC").content["Invoices"][0]
    sent = [
        {"LineItemID": two["LineItemID"], "Quantity": 5},
        {"LineItemID": one["LineItemID"]},
        {"Description": "four", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"},
    ]
    after = change(org, invoice, LineItems=sent)["LineItems"]
    assert [entry["Description"] for entry in after] == ["two", "one", "four"]
    assert [entry["LineAmount"] for entry in after] == [D("50.00"), D("10.00"), D("1.00")]
    assert after[0]["LineItemID"] == two["LineItemID"]
    assert after[2]["LineItemID"] not in {entry["LineItemID"] for entry in (one, two)}


def test_a_kept_line_keeps_its_tax_amount(org: Any) -> None:
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200", "TaxAmount": "19.99"}
    invoice = org.invoice(LineItems=[line])
    kept = {"LineItemID": invoice["LineItems"][0]["LineItemID"]}
    assert change(org, invoice, LineItems=[kept])["TotalTax"] == D("19.99")
    assert change(org, invoice, LineItems=[{**kept, "Quantity": 2}])["TotalTax"] == D("40.00")


def test_another_tax_mode_taxes_the_kept_lines_anew(org: Any) -> None:
    after = change(org, org.invoice(Status="DRAFT"), LineAmountTypes="Inclusive")
    assert (after["SubTotal"], after["TotalTax"], after["Total"]) == (D("83.33"), D("16.67"), D("100.00"))


def test_an_unknown_line_id_is_refused_or_new_by_variant(org: Any) -> None:
    invoice = org.invoice()
    line = {**org.invoice_body()["LineItems"][0], "LineItemID": "11111111-2222-4333-8444-555555555555"}
    assert len(refused(org, invoice, LineItems=[line])) == 1
    org.choose("xero.lines.unknown_line_id", "new_line")
    assert len(change(org, invoice, LineItems=[line])["LineItems"]) == 1


def test_a_post_by_number_edits_that_invoice_or_is_refused_by_variant(org: Any) -> None:
    invoice = org.invoice(InvoiceNumber="SF-1")
    body = org.invoice_body(InvoiceNumber="SF-1", Reference="by number")
    answer = org.call("POST", "Invoices", {"Invoices": [body]})
    assert answer.content["Invoices"][0]["InvoiceID"] == invoice["InvoiceID"]
    org.choose("xero.documents.post_by_number", "refused")
    assert org.call("POST", "Invoices", {"Invoices": [body]}).messages == ["Invoice # must be unique."]


def test_a_post_without_id_and_number_creates(org: Any) -> None:
    answer = org.call("POST", "Invoices", {"Invoices": [org.invoice_body()]})
    assert answer.content["Invoices"][0]["InvoiceNumber"] == "INV-0009"


def test_an_invoice_can_be_named_by_its_number_in_the_path(org: Any) -> None:
    invoice = org.invoice(InvoiceNumber="SF-1")
    answer = org.post("Invoices/SF-1", {"Reference": "x"})
    assert answer.content["Invoices"][0]["InvoiceID"] == invoice["InvoiceID"]
    assert org.call("GET", "Invoices/NO-SUCH").status == 404


def test_an_unknown_id_in_a_body_is_refused_by_itself(org: Any) -> None:
    body = org.invoice_body(InvoiceID="11111111-2222-4333-8444-555555555555")
    answer = org.call("POST", "Invoices", {"Invoices": [body]})
    assert answer.messages == ["An existing Invoice with the specified InvoiceID could not be found"]


def test_a_credit_notes_id_is_not_an_invoices(org: Any) -> None:
    body = org.invoice_body(InvoiceID=org.credit_note()["CreditNoteID"])
    answer = org.call("POST", "Invoices", {"Invoices": [body]})
    assert answer.messages == ["The document with the supplied id was not found for this endpoint."]


# -- with payments on it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["50.00", "120.00"])
def test_a_paid_sales_invoice_still_takes_these_changes(org: Any, amount: str) -> None:
    invoice = org.invoice()
    org.pay(invoice, amount)
    line = invoice["LineItems"][0]
    edited = {"LineItemID": line["LineItemID"], "Description": "Renamed", "AccountCode": "260"}
    after = change(
        org,
        invoice,
        Reference="new",
        DueDate="2027-01-01",
        InvoiceNumber="SF-77",
        Url="https://crm.example/2",
        Contact=org.contact("Walk-in Customer"),
        LineItems=[edited],
    )
    assert (after["Reference"], after["InvoiceNumber"]) == ("new", "SF-77")
    assert (after["LineItems"][0]["Description"], after["LineItems"][0]["AccountCode"]) == ("Renamed", "260")
    assert after["Total"] == D("120.00")


@pytest.mark.parametrize(
    "fields", [{"Date": "2026-11-01"}, {"CurrencyCode": "EUR"}, {"LineAmountTypes": "NoTax"}]
)
def test_a_part_paid_invoice_refuses_other_changes(org: Any, fields: dict[str, Any]) -> None:
    invoice = org.invoice()
    org.pay(invoice, "50.00")
    assert PAID_DOCUMENT in refused(org, invoice, **fields)


def test_the_amounts_of_a_paid_invoices_lines_are_fixed(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "50.00")
    line = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "UnitAmount": "60.00"}
    assert refused(org, invoice, LineItems=[line]) == [PAID_DOCUMENT]


def test_a_paid_invoices_lines_need_their_ids(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "50.00")
    assert refused(org, invoice, LineItems=org.invoice_body()["LineItems"]) == [
        "To update fields on a paid invoice line item, you must supply a LineItemID"
    ]


def test_a_paid_bill_cannot_be_edited_at_all(org: Any) -> None:
    bill = org.invoice(Type="ACCPAY", Contact=org.contact("Tamar Valley Telecom"))
    org.pay(bill, "50.00")
    assert refused(org, bill, DueDate="2027-01-01") == [PAID_DOCUMENT]


def test_a_credited_invoice_keeps_its_contact(org: Any) -> None:
    invoice, note = org.invoice(), org.credit_note()
    sent = {"Allocations": [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 10}]}
    assert org.call("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", sent).status == 200
    assert refused(org, invoice, Contact=org.contact("Walk-in Customer")) == [PAID_DOCUMENT]


@pytest.mark.parametrize("status", ["VOIDED", "SUBMITTED", "DRAFT"])
@pytest.mark.parametrize("amount", ["50.00", "120.00"])
def test_a_paid_invoice_keeps_its_status(org: Any, status: str, amount: str) -> None:
    invoice = org.invoice()
    org.pay(invoice, amount)
    assert refused(org, invoice, Status=status) == [
        f"The status {status} cannot be applied to the invoice because it has payments or credit notes allocated to it."
    ]


def test_saying_what_is_so_already_is_no_change_of_a_paid_invoice(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "120.00")
    assert change(org, invoice, Status="PAID", Date="2026-11-02", CurrencyCode="GBP")["Status"] == "PAID"


def test_a_due_date_before_the_date_is_accepted_or_not_by_variant(org: Any) -> None:
    assert org.invoice(DueDate="2026-10-01")["InvoiceID"]
    org.choose("xero.invoices.due_before_date", "refused")
    assert org.put("Invoices", org.invoice_body(DueDate="2026-10-01")).status == 400


def test_a_submitted_invoice_must_be_complete_or_not_by_variant(org: Any) -> None:
    body = org.invoice_body(Status="SUBMITTED", DueDate=None)
    assert org.put("Invoices", body).status == 400
    org.choose("xero.documents.submitted_is_complete", "lenient")
    assert org.put("Invoices", body).status == 200


def test_contact_fields_are_left_alone_under_that_variant(org: Any) -> None:
    org.choose("xero.documents.contact_fields", "ignored")
    before = org.get("Contacts", org.contact()["ContactID"])
    org.invoice(Contact={**org.contact(), "EmailAddress": "else@example.com"})
    assert org.get("Contacts", org.contact()["ContactID"])["EmailAddress"] == before["EmailAddress"]
