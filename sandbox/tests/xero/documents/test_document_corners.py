"""Rarer ways to write a document, and rarer reasons to refuse one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal
STRANGER = "11111111-2222-4333-8444-555555555555"


def test_an_inline_contact_must_be_a_good_contact(org: Any) -> None:
    sent = {"Name": "New Ltd", "EmailAddress": "no address"}
    assert org.put("Invoices", org.invoice_body(Contact=sent)).messages == ["Email address must be valid."]


def test_contact_fields_beside_an_id_must_be_good_too(org: Any) -> None:
    sent = {**org.contact(), "EmailAddress": "no address"}
    assert org.put("Invoices", org.invoice_body(Contact=sent)).messages == ["Email address must be valid."]


def test_a_line_amount_alone_reprices_a_kept_line(org: Any) -> None:
    invoice = org.invoice(Status="DRAFT")
    line = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "LineAmount": "30.00"}
    after = org.post(f"Invoices/{invoice['InvoiceID']}", {"LineItems": [line]}).content["Invoices"][0]
    assert after["LineItems"][0]["UnitAmount"] == D("15.00")
    assert (after["SubTotal"], after["TotalTax"]) == (D("30.00"), D("6.00"))


def test_a_line_amount_with_a_discount_gives_the_price_before_it(org: Any) -> None:
    line = {
        "Description": "x",
        "Quantity": 1,
        "LineAmount": "90.00",
        "DiscountRate": 10,
        "AccountCode": "200",
    }
    found = org.invoice(LineItems=[line])
    assert (found["LineItems"][0]["UnitAmount"], found["TotalDiscount"]) == (D("100.00"), D("10.00"))


def test_a_discount_amount_is_taken_off_the_line(org: Any) -> None:
    line = {
        "Description": "x",
        "Quantity": 2,
        "UnitAmount": 50,
        "DiscountAmount": "7.50",
        "AccountCode": "200",
    }
    found = org.invoice(LineItems=[line])
    assert (found["SubTotal"], found["TotalDiscount"]) == (D("92.50"), D("7.50"))


def test_an_unknown_tax_mode_is_refused(org: Any) -> None:
    assert len(org.put("Invoices", org.invoice_body(LineAmountTypes="Net")).messages) == 1
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    quote = {"Contact": org.contact(), "Date": "2026-11-02", "LineItems": [line], "LineAmountTypes": "Net"}
    assert len(org.put("Quotes", quote).messages) == 1


def test_an_unknown_quote_id_is_refused_by_itself(org: Any) -> None:
    answer = org.call("POST", "Quotes", {"Quotes": [{"QuoteID": STRANGER, "Title": "x"}]})
    assert answer.messages == ["An existing Quote with the specified QuoteID could not be found"]


def test_put_of_an_existing_quote_or_payment_is_refused(org: Any) -> None:
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    body = {"Contact": org.contact(), "Date": "2026-11-02", "LineItems": [line]}
    quote = org.put("Quotes", body).content["Quotes"][0]
    assert org.put("Quotes", {**body, "QuoteID": quote["QuoteID"]}).status == 400
    payment = org.pay(org.invoice(), "10")
    assert org.put("Payments", {"PaymentID": payment["PaymentID"], "Status": "DELETED"}).status == 400


def test_a_payment_can_be_taken_back_on_the_collection(org: Any) -> None:
    payment = org.pay(org.invoice(), "10")
    body = {"PaymentID": payment["PaymentID"], "Status": "DELETED"}
    assert org.call("POST", "Payments", {"Payments": [body]}).content["Payments"][0]["Status"] == "DELETED"
    unknown = {"PaymentID": STRANGER, "Status": "DELETED"}
    assert org.call("POST", "Payments", {"Payments": [unknown]}).messages == ["Payment could not be found"]


def test_a_payment_without_a_document_is_refused(org: Any) -> None:
    answer = org.put("Payments", {"Account": {"Code": "090"}, "Amount": 5})
    assert answer.messages == ["Invoice could not be found"]


def test_a_post_with_the_number_of_a_voided_invoice_follows_the_variant(org: Any) -> None:
    invoice = org.invoice(InvoiceNumber="SF-1")
    org.post(f"Invoices/{invoice['InvoiceID']}", {"Status": "VOIDED"})
    body = {"Invoices": [org.invoice_body(InvoiceNumber="SF-1")]}
    assert org.call("POST", "Invoices", body).messages == ["Invoice not of valid status for modification"]
    org.choose("xero.documents.number_reuse", "free")
    assert org.call("POST", "Invoices", body).content["Invoices"][0]["InvoiceID"] != invoice["InvoiceID"]


def test_a_bills_number_may_be_another_documents_when_it_is_changed(org: Any) -> None:
    bill = org.invoice(Type="ACCPAY", Contact=org.contact("Tamar Valley Telecom"), InvoiceNumber="T-1")
    assert org.post(f"Invoices/{bill['InvoiceID']}", {"InvoiceNumber": "TV 55120"}).status == 200


def test_a_sales_number_may_not_when_it_is_changed(org: Any) -> None:
    invoice = org.invoice()
    answer = org.post(f"Invoices/{invoice['InvoiceID']}", {"InvoiceNumber": "INV-0001"})
    assert answer.messages == ["Invoice # must be unique."]
    assert org.post(f"Invoices/{invoice['InvoiceID']}", {"InvoiceNumber": "SF-2"}).status == 200


def test_an_unpaid_invoice_without_lines_is_refused(org: Any) -> None:
    answer = org.post(f"Invoices/{org.invoice()['InvoiceID']}", {"LineItems": []})
    assert answer.messages == ["One or more line items must be specified"]


def test_a_paid_invoice_keeps_all_of_its_lines(org: Any) -> None:
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    invoice = org.invoice(LineItems=[line, line])
    org.pay(invoice, "5")
    kept = {"LineItemID": invoice["LineItems"][0]["LineItemID"]}
    assert org.post(f"Invoices/{invoice['InvoiceID']}", {"LineItems": [kept]}).status == 400


def test_an_allocation_may_be_bare_and_name_the_invoices_number(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice(InvoiceNumber="SF-1")
    path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
    assert org.call("PUT", path, {"Invoice": {"InvoiceNumber": "SF-1"}, "Amount": 10}).status == 200
    assert org.get("Invoices", invoice["InvoiceID"])["AmountCredited"] == D("10.00")
    assert org.call("PUT", path, {"Allocations": []}).content["Type"] == "NoDataProcessedException"
    assert org.call("POST", path, {}).status == 501


def test_an_allocation_obeys_the_lock_dates(org: Any) -> None:
    note, invoice = org.credit_note(), org.invoice()
    org.edit("set_lock_dates", end_of_year="2026-09-30")
    sent = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 10, "Date": "2026-09-30"}
    answer = org.call("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", sent)
    assert "30-Sep-2026" in answer.messages[0]


def test_a_customer_without_email_gets_none(org: Any) -> None:
    invoice = org.invoice(Contact=org.contact("Walk-in Customer"))
    assert org.call("POST", f"Invoices/{invoice['InvoiceID']}/Email", {}).status == 400


@pytest.mark.parametrize("path", ["History/x", "Nonsense", "Attachments/a/b"])
def test_what_is_not_simulated_says_so_by_name(org: Any, path: str) -> None:
    answer = org.call("GET", f"Invoices/{org.invoice()['InvoiceID']}/{path}")
    assert answer.status == 501
    assert path.partition("/")[0] in answer.content["Message"]


def test_a_history_body_without_records_is_refused(org: Any) -> None:
    answer = org.call("PUT", f"Invoices/{org.invoice()['InvoiceID']}/History", {})
    assert answer.content["Type"] == "NoDataProcessedException"


def test_a_tracking_option_belongs_to_its_category_and_names_have_no_case(org: Any) -> None:
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    tracked = {**line, "Tracking": [{"Name": "Sales Team", "Option": "north"}]}
    assert org.put("Invoices", org.invoice_body(LineItems=[tracked])).status == 400
    tracked["Tracking"] = [{"Name": "region", "Option": "NORTH"}]
    shown = org.invoice(LineItems=[tracked])["LineItems"][0]["Tracking"][0]
    assert (shown["Name"], shown["Option"]) == ("Region", "North")


@pytest.mark.parametrize("lines", [{"Description": "x"}, "x", [["x"]], ["x"], 5])
def test_lines_that_are_no_list_of_objects_refuse_the_whole_request(org: Any, lines: Any) -> None:
    answer = org.put("Invoices", org.invoice_body(LineItems=lines), query="summarizeErrors=false")
    assert (answer.status, answer.content["Type"]) == (400, "PostDataInvalidException")
