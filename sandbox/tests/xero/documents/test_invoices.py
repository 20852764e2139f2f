"""Creating invoices: what must be there, numbers, contacts, dates, currencies. Texts: recorded or from issue threads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal
ZERO_GUID = "00000000-0000-0000-0000-000000000000"


def refused(org: Any, **fields: Any) -> list[str]:
    answer = org.put("Invoices", org.invoice_body(**fields))
    assert answer.status == 400, answer.content
    return answer.messages


def test_defaults_are_draft_exclusive_today_and_the_base_currency(org: Any) -> None:
    found = org.put("Invoices", org.invoice_body(Date=None, DueDate=None)).content["Invoices"][0]
    assert (found["Status"], found["LineAmountTypes"], found["CurrencyCode"]) == ("DRAFT", "Exclusive", "GBP")
    assert found["DateString"] == "2026-11-02T00:00:00"
    assert found["Date"] == "/Date(1793577600000+0000)/"
    assert "DueDate" not in found


def test_everything_that_is_missing_is_named_at_once(org: Any) -> None:
    answer = org.put("Invoices", {"Type": "ACCREC", "Status": "PAID"})
    assert answer.messages[:3] == [
        "One or more line items must be specified",
        "Invoice not of valid status for creation",
        "A Contact must be specified for this type of transaction",
    ]


@pytest.mark.parametrize("status", ["PAID", "VOIDED", "DELETED"])
def test_these_statuses_cannot_be_created(org: Any, status: str) -> None:
    assert refused(org, Status=status) == ["Invoice not of valid status for creation"]


def test_an_approved_invoice_needs_a_due_date(org: Any) -> None:
    assert refused(org, Status="AUTHORISED", DueDate=None) == [
        "The document DueDate field must be specified."
    ]


def test_an_unknown_type_is_refused(org: Any) -> None:
    assert len(refused(org, Type="INVOICE")) == 1
    assert "''" in refused(org, Type=None)[0]


def test_a_refused_element_has_the_zero_guid_and_no_number(org: Any) -> None:
    element = org.put_each("Invoices", org.invoice_body(Status="AUTHORISED", DueDate=None))[0]
    assert (element["StatusAttributeString"], element["InvoiceID"]) == ("ERROR", ZERO_GUID)
    assert element["HasErrors"] is True
    assert element["Status"] == "AUTHORISED"
    assert element["Total"] == D("120.00")
    assert not {"InvoiceNumber", "AmountDue", "UpdatedDateUTC"} & element.keys()


def test_neighbours_of_a_refused_element_are_saved(org: Any) -> None:
    good, bad = org.invoice_body(Reference="good"), org.invoice_body(CurrencyCode="USD")
    statuses = [
        element["StatusAttributeString"] for element in org.put_each("Invoices", bad, good, bad, good)
    ]
    assert statuses == ["ERROR", "OK", "ERROR", "OK"]
    listed = org.call("GET", "Invoices", query='where=Reference=="good"&page=1').content["Invoices"]
    assert len(listed) == 2


# -- numbers ---------------------------------------------------------------------------------------------------------------


def test_numbers_go_on_from_the_organisations_series(org: Any) -> None:
    first, second = org.invoice(), org.invoice()
    assert (first["InvoiceNumber"], second["InvoiceNumber"]) == ("INV-0009", "INV-0010")


def test_a_refused_invoice_uses_up_no_number(org: Any) -> None:
    org.put_each("Invoices", org.invoice_body(CurrencyCode="USD"))
    assert org.invoice()["InvoiceNumber"] == "INV-0009"


def test_the_series_steps_over_numbers_that_are_taken(org: Any) -> None:
    org.invoice(InvoiceNumber="INV-0009")
    assert org.invoice()["InvoiceNumber"] == "INV-0010"


def test_a_sales_invoice_number_is_unique_whatever_its_case(org: Any) -> None:
    org.invoice(InvoiceNumber="SF-1")
    assert refused(org, InvoiceNumber="SF-1") == ["Invoice # must be unique."]
    assert refused(org, InvoiceNumber="sf-1") == ["Invoice # must be unique."]


def test_a_number_is_unique_within_one_request_too(org: Any) -> None:
    twice = org.invoice_body(InvoiceNumber="SF-1")
    elements = org.put_each("Invoices", twice, twice)
    assert [element["StatusAttributeString"] for element in elements] == ["OK", "ERROR"]
    assert elements[1]["ValidationErrors"][0]["Message"] == "Invoice # must be unique."


def test_bills_may_share_a_number_and_have_none(org: Any) -> None:
    bill = {"Type": "ACCPAY", "Contact": org.contact("Tamar Valley Telecom")}
    numbers = [org.invoice(InvoiceNumber=number, **bill)["InvoiceNumber"] for number in ("T-1", "T-1", None)]
    assert numbers == ["T-1", "T-1", ""]


def test_a_voided_number_stays_taken_or_is_free_by_variant(org: Any) -> None:
    invoice = org.invoice(InvoiceNumber="SF-1")
    org.post(f"Invoices/{invoice['InvoiceID']}", {"Status": "VOIDED"})
    assert refused(org, InvoiceNumber="SF-1") == ["Invoice # must be unique."]
    org.choose("xero.documents.number_reuse", "free")
    assert org.invoice(InvoiceNumber="SF-1")["InvoiceID"] != invoice["InvoiceID"]


def test_a_number_over_255_characters_is_refused(org: Any) -> None:
    assert len(refused(org, InvoiceNumber="9" * 256)) == 1
    assert org.invoice(InvoiceNumber="9" * 255)["InvoiceNumber"] == "9" * 255


def test_put_never_updates(org: Any) -> None:
    invoice = org.invoice(InvoiceNumber="SF-1", Status="DRAFT")
    assert refused(org, InvoiceID=invoice["InvoiceID"])
    assert refused(org, InvoiceNumber="SF-1")
    assert org.get("Invoices", "SF-1")["UpdatedDateUTC"] == invoice["UpdatedDateUTC"]


# -- contacts --------------------------------------------------------------------------------------------------------------


def test_an_unknown_contact_id_ends_the_whole_request_with_404(org: Any) -> None:
    stranger = org.invoice_body(Contact={"ContactID": "11111111-2222-4333-8444-555555555555"})
    answer = org.put(
        "Invoices", org.invoice_body(Reference="neighbour"), stranger, query="summarizeErrors=false"
    )
    assert answer.status == 404
    listed = org.call("GET", "Invoices", query='where=Reference=="neighbour"&page=1').content["Invoices"]
    assert listed == []


def test_an_archived_contact_gets_no_new_invoice(org: Any) -> None:
    assert refused(org, Contact=org.contact("Lizard Point Boatyard")) == [
        (
            "The contact with the specified contact details has been archived. "
            "The contact must be un-archived before creating new invoices or credit notes."
        )
    ]


def test_a_contact_is_found_by_name_whatever_its_case(org: Any) -> None:
    found = org.invoice(Contact={"Name": "OLD MILL BAKERY"})
    assert found["Contact"]["ContactID"] == org.contact()["ContactID"]


def test_a_contact_is_found_by_number(org: Any) -> None:
    made = org.put("Contacts", {"Name": "New Ltd", "ContactNumber": "0011"}).content["Contacts"][0]
    assert org.invoice(Contact={"ContactNumber": "0011"})["Contact"]["ContactID"] == made["ContactID"]


def test_an_unknown_name_makes_a_contact(org: Any) -> None:
    made = org.invoice(Contact={"Name": "Brand New Ltd", "EmailAddress": "a@brandnew.example"})["Contact"]
    assert org.get("Contacts", made["ContactID"])["Name"] == "Brand New Ltd"


def test_a_refused_invoice_leaves_no_contact_behind(org: Any) -> None:
    refused(org, Contact={"Name": "Brand New Ltd"}, CurrencyCode="USD")
    assert org.call("GET", "Contacts", query='where=Name=="Brand New Ltd"').content["Contacts"] == []


def test_contact_fields_beside_an_id_change_the_contact_and_drop_people_not_sent(org: Any) -> None:
    people = [{"FirstName": "Ann", "LastName": "Lee", "EmailAddress": "ann@new.example"}]
    made = org.put("Contacts", {"Name": "New Ltd", "EmailAddress": "x@new.example", "ContactPersons": people})
    contact_id = made.content["Contacts"][0]["ContactID"]
    org.invoice(Contact={"ContactID": contact_id, "EmailAddress": "other@new.example"})
    after = org.get("Contacts", contact_id)
    assert (after["EmailAddress"], after["ContactPersons"]) == ("other@new.example", [])


def test_a_contact_id_alone_changes_nothing_of_the_contact(org: Any) -> None:
    before = org.get("Contacts", org.contact()["ContactID"])
    org.invoice()
    after = org.get("Contacts", org.contact()["ContactID"])
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]


def test_the_first_invoice_makes_a_customer_within_its_own_answer(org: Any) -> None:
    made = org.put("Contacts", {"Name": "New Ltd"}).content["Contacts"][0]
    assert made["IsCustomer"] is False
    assert org.invoice(Contact={"ContactID": made["ContactID"]})["Contact"]["IsCustomer"] is True


# -- money, dates, the rest ------------------------------------------------------------------------------------------------


def test_a_currency_that_is_not_enabled_is_refused(org: Any) -> None:
    assert refused(org, CurrencyCode="USD") == ["Organisation is not subscribed to currency USD"]


def test_an_enabled_currency_gets_the_day_rate_or_the_rate_sent(org: Any) -> None:
    assert org.invoice(CurrencyCode="EUR")["CurrencyRate"] != 1
    assert org.invoice(CurrencyCode="EUR", CurrencyRate="1.2345")["CurrencyRate"] == D("1.2345")
    assert org.invoice(CurrencyRate="1.5")["CurrencyRate"] == 1


def test_a_contacts_own_currency_is_the_default(org: Any) -> None:
    assert org.invoice(Contact=org.contact("Café Müller am Hafen"))["CurrencyCode"] == "EUR"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Total", "119.99", "The invoice total does not equal the sum of the lines."),
        ("SubTotal", "99.99", "The document sub total does not equal the sub total of the lines."),
    ],
)
def test_sent_sums_that_are_wrong_are_refused(org: Any, name: str, value: str, message: str) -> None:
    assert refused(org, **{name: value}) == [message]


def test_sent_sums_that_are_right_are_taken(org: Any) -> None:
    assert org.invoice(SubTotal="100", TotalTax=20, Total="120.00")["Total"] == D("120.00")


def test_a_date_with_a_space_is_no_date(org: Any) -> None:
    answer = org.put("Invoices", org.invoice_body(Date="2017-12-14 00:00:00"))
    assert (answer.status, answer.content["ErrorNumber"]) == (400, 14)
    assert answer.content["Message"] == "The string '2017-12-14 00:00:00' is not a valid AllXsd value."


@pytest.mark.parametrize(
    "spelled", ["2026-11-20", "2026-11-20T00:00:00", "/Date(1795132800000)/", "/Date(1795132800000+0000)/"]
)
def test_a_date_may_be_spelled_three_ways(org: Any, spelled: str) -> None:
    assert org.invoice(DueDate=spelled)["DueDateString"] == "2026-11-20T00:00:00"


def test_the_end_of_year_lock_date_binds_dates_on_and_before_it(org: Any) -> None:
    org.edit("set_lock_dates", end_of_year="2026-07-31")
    text = "The document date cannot be before the end of year lock date, currently set at 31-Jul-2026"
    assert refused(org, Date="2026-07-31") == [text]
    assert org.invoice(Date="2026-08-01")["DateString"].startswith("2026-08-01")


def test_the_period_lock_date_binds_unless_an_adviser_speaks(org: Any) -> None:
    org.edit("set_lock_dates", period="2026-09-30")
    assert "period lock date, currently set at 30-Sep-2026" in refused(org, Date="2026-09-30")[0]
    org.choose("xero.locks.period", "adviser_passes")
    assert org.invoice(Date="2026-09-30")["InvoiceID"]


def test_a_document_in_a_locked_period_cannot_be_changed_or_voided(org: Any) -> None:
    invoice = org.invoice(Date="2026-07-01")
    org.edit("set_lock_dates", end_of_year="2026-07-31")
    for change in ({"Reference": "x"}, {"Status": "VOIDED"}, {"Date": "2026-11-01"}):
        answer = org.post(f"Invoices/{invoice['InvoiceID']}", change)
        assert answer.messages == [
            "The document cannot be edited as it is currently dated before the end of year lock date"
        ]


def test_a_document_cannot_be_moved_into_a_locked_period(org: Any) -> None:
    invoice = org.invoice()
    org.edit("set_lock_dates", end_of_year="2026-07-31")
    answer = org.post(f"Invoices/{invoice['InvoiceID']}", {"Date": "2026-07-15"})
    assert "31-Jul-2026" in answer.messages[0]


def test_a_reference_of_256_characters_is_refused_and_a_bill_has_none(org: Any) -> None:
    assert len(refused(org, Reference="r" * 256)) == 1
    assert org.invoice(Reference="r" * 255)["Reference"] == "r" * 255
    bill = org.invoice(Type="ACCPAY", Reference="r", Contact=org.contact("Tamar Valley Telecom"))
    assert "Reference" not in bill


def test_a_branding_theme_must_exist(org: Any) -> None:
    assert len(refused(org, BrandingThemeID="11111111-2222-4333-8444-555555555555")) == 1
    themes = org.call("GET", "BrandingThemes").content["BrandingThemes"]
    assert (
        org.invoice(BrandingThemeID=themes[1]["BrandingThemeID"])["BrandingThemeID"]
        == themes[1]["BrandingThemeID"]
    )
    assert org.invoice()["BrandingThemeID"] == themes[0]["BrandingThemeID"]


def test_sent_to_contact_is_kept_on_approved_invoices_alone(org: Any) -> None:
    assert org.invoice(SentToContact=True)["SentToContact"] is True
    assert org.invoice(SentToContact=True, Status="DRAFT")["SentToContact"] is False


def test_an_approved_invoice_over_nothing_is_paid_at_once_or_not_by_variant(org: Any) -> None:
    nothing = [{"Description": "Free", "Quantity": 1, "UnitAmount": 0, "AccountCode": "200"}]
    assert org.invoice(LineItems=nothing)["Status"] == "PAID"
    org.choose("xero.invoices.zero_total", "authorised")
    assert org.invoice(LineItems=nothing)["Status"] == "AUTHORISED"


def test_a_negative_total_is_refused_or_not_by_variant(org: Any) -> None:
    less = [{"Description": "Less", "Quantity": 1, "UnitAmount": "-5", "AccountCode": "200"}]
    assert len(refused(org, LineItems=less)) == 1
    org.choose("xero.documents.negative_total", "accepted")
    assert org.invoice(LineItems=less)["Total"] == D("-6.00")


def test_a_negative_line_in_a_positive_invoice_is_taken(org: Any) -> None:
    lines = [
        {"Description": "More", "Quantity": 1, "UnitAmount": "15", "AccountCode": "200"},
        {"Description": "Less", "Quantity": 1, "UnitAmount": "-5", "AccountCode": "200"},
    ]
    assert org.invoice(LineItems=lines)["SubTotal"] == D("10.00")


def test_the_journal_tells_what_was_created(org: Any) -> None:
    answer = org.put(
        "Invoices", org.invoice_body(InvoiceNumber="SF-9", Reference="SF-ref", Status="AUTHORISED")
    )
    created = [effect for effect in answer.effects if effect["action"] == "create"]
    assert [
        (effect["object"], effect["InvoiceNumber"], effect["Reference"], effect["Total"])
        for effect in created
    ] == [("Invoices", "SF-9", "SF-ref", "120.00")]


def test_lists_tell_the_apps_own_invoices_from_others(org: Any) -> None:
    mine = org.invoice()
    listed = org.call("GET", "Invoices", query="createdByMyApp=true&page=1").content["Invoices"]
    assert [invoice["InvoiceID"] for invoice in listed] == [mine["InvoiceID"]]
