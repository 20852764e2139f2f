"""Which keys an invoice shows in which call (recorded)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal


def page(org: Any, query: str) -> list[dict[str, Any]]:
    answer = org.call("GET", "Invoices", query=query)
    assert answer.status == 200
    return answer.content["Invoices"]


def test_a_write_answer_has_no_settlements_and_whole_lines_and_contact(org: Any) -> None:
    found = org.invoice()
    assert not {"Payments", "CreditNotes", "AmountCredited", "HasAttachments", "Attachments"} & found.keys()
    assert {"Prepayments", "Overpayments", "InvoicePaymentServices", "UpdatedDateUTCString"} <= found.keys()
    assert found["LineItems"][0]["ValidationErrors"] == []
    assert "SalesTrackingCategories" in found["Contact"]
    assert "HasAttachments" not in found["Contact"]


def test_a_single_read_shows_payments_only_where_there_are_some(org: Any) -> None:
    invoice = org.invoice()
    before = org.get("Invoices", invoice["InvoiceID"])
    assert "Payments" not in before
    assert {"CreditNotes", "AmountCredited", "HasAttachments", "Attachments"} <= before.keys()
    payment = org.pay(invoice, "20.00", Reference="BACS 7")
    after = org.get("Invoices", invoice["InvoiceID"])
    shown = after["Payments"][0]
    assert (shown["PaymentID"], shown["Amount"], shown["Reference"]) == (
        payment["PaymentID"],
        D("20.00"),
        "BACS 7",
    )


def test_a_page_shows_everything_with_a_short_contact(org: Any) -> None:
    invoice = org.invoice()
    found = next(row for row in page(org, "page=1") if row["InvoiceID"] == invoice["InvoiceID"])
    assert {"Payments", "CreditNotes", "AmountCredited", "HasAttachments", "InvoiceAddresses"} <= found.keys()
    assert "Attachments" not in found
    assert set(found["Contact"]) == {
        "ContactID", "Name", "Addresses", "Phones", "ContactGroups", "ContactPersons", "HasValidationErrors",
    }  # fmt: skip
    assert len(found["LineItems"]) == 1
    assert "ValidationErrors" not in found["LineItems"][0]


def test_an_unpaged_list_has_no_lines(org: Any) -> None:
    assert {len(row["LineItems"]) for row in page(org, "")} == {0}
    assert 0 not in {len(row["LineItems"]) for row in page(org, "page=1")}


def test_a_summary_drops_what_is_heavy(org: Any) -> None:
    found = page(org, "summaryOnly=true")
    assert len(found) == 11
    assert all(not {"Payments", "HasAttachments", "LineItems"} & row.keys() for row in found)
    assert all("Total" in row for row in found)


def test_bills_show_no_sent_to_contact_and_no_theme(org: Any) -> None:
    bill = org.invoice(Type="ACCPAY", Contact=org.contact("Tamar Valley Telecom"))
    assert not {"SentToContact", "BrandingThemeID", "Reference"} & bill.keys()
    read = org.get("Invoices", bill["InvoiceID"])
    assert not {"SentToContact", "BrandingThemeID"} & read.keys()


def test_read_without_unitdp_rounds_unit_amounts_shown_not_kept(org: Any) -> None:
    line = {"Description": "x", "Quantity": 100, "UnitAmount": "0.1234", "AccountCode": "200"}
    invoice = org.invoice("unitdp=4", LineItems=[line])
    assert org.get("Invoices", invoice["InvoiceID"])["LineItems"][0]["UnitAmount"] == D("0.12")
    assert org.get("Invoices", invoice["InvoiceID"], "unitdp=4")["LineItems"][0]["UnitAmount"] == D("0.1234")


def test_money_is_a_json_number_with_two_decimals(org: Any) -> None:
    invoice = org.invoice()
    assert isinstance(invoice["Total"], Decimal)
    assert str(invoice["Total"]) == "120.00"


def test_lists_filter_by_ids_numbers_contacts_and_statuses(org: Any) -> None:
    one, two = org.invoice(InvoiceNumber="SF-1"), org.invoice(InvoiceNumber="SF-2", Status="DRAFT")
    ids = f"{one['InvoiceID']},{two['InvoiceID']}"
    assert {row["InvoiceNumber"] for row in page(org, f"IDs={ids}")} == {"SF-1", "SF-2"}
    assert {row["InvoiceNumber"] for row in page(org, "InvoiceNumbers=SF-1,SF-2&page=1")} == {"SF-1", "SF-2"}
    assert {row["InvoiceNumber"] for row in page(org, f"IDs={ids}&Statuses=DRAFT")} == {"SF-2"}
    contact = org.contact("Walk-in Customer")["ContactID"]
    assert {row["InvoiceNumber"] for row in page(org, f"ContactIDs={contact}")} == {"INV-0006"}


def test_withdrawn_invoices_are_listed_too(org: Any) -> None:
    assert "VOIDED" in {row["Status"] for row in page(org, "page=1")}


def test_a_condition_on_an_optimised_field_finds_the_invoice_and_not_the_others(org: Any) -> None:
    invoice = org.invoice(Reference="SF-006ABC", InvoiceNumber="SF-1")
    old = org.invoice(Date="2026-09-01", DueDate="2026-09-30")
    contact = org.contact()["ContactID"]
    for where in (
        'Reference=="SF-006ABC"',
        'InvoiceNumber=="SF-1"',
        'Reference!=null AND Reference.Contains("006ABC")',
        f'Contact.ContactID==guid("{contact}") AND Status=="AUTHORISED" AND AmountDue>=120 AND Reference=="SF-006ABC"',
        "Date>=DateTime(2026, 11, 02) AND Date<DateTime(2026, 11, 03)",
        'Type=="ACCREC" AND AmountPaid==0 AND Reference=="SF-006ABC"',
        'Contact.Name=="old mill bakery" AND InvoiceNumber=="SF-1"',
    ):
        found = {row["InvoiceID"] for row in page(org, f"page=1&where={where}")}
        assert invoice["InvoiceID"] in found, where
        assert old["InvoiceID"] not in found, where


def test_an_email_goes_out_for_an_approved_sales_invoice(org: Any) -> None:
    invoice = org.invoice()
    assert org.call("POST", f"Invoices/{invoice['InvoiceID']}/Email", {}).status == 204
    assert org.get("Invoices", invoice["InvoiceID"])["SentToContact"] is True


def test_no_email_for_a_draft_a_bill_or_a_demo_company(org: Any) -> None:
    draft = org.invoice(Status="DRAFT")
    bill = org.invoice(Type="ACCPAY", Contact=org.contact("Harbour Lane Stationers"))
    for invoice in (draft, bill):
        assert org.call("POST", f"Invoices/{invoice['InvoiceID']}/Email", {}).status == 400
    org.edit("set_organisation", demo=True)
    assert org.call("POST", f"Invoices/{org.invoice()['InvoiceID']}/Email", {}).status == 400


def test_an_online_invoice_exists_once_it_is_no_draft(org: Any) -> None:
    draft = org.invoice(Status="DRAFT")
    assert org.call("GET", f"Invoices/{draft['InvoiceID']}/OnlineInvoice").status == 404
    answer = org.call("GET", f"Invoices/{org.invoice()['InvoiceID']}/OnlineInvoice")
    assert answer.content["OnlineInvoices"][0]["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
