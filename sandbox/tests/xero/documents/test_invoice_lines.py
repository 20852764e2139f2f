"""Lines of invoices over the API: amounts, defaults, and what is refused. Texts: Xero's own, where published."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

D = Decimal


def line(**fields: Any) -> dict[str, Any]:
    merged = {
        "Description": "Widgets",
        "Quantity": "1",
        "UnitAmount": "10.00",
        "AccountCode": "200",
        **fields,
    }
    return {name: value for name, value in merged.items() if value is not None}


def saved(org: Any, *lines: dict[str, Any], query: str = "", **fields: Any) -> dict[str, Any]:
    return org.invoice(query, LineItems=list(lines), **fields)


def refused(org: Any, *lines: dict[str, Any], **fields: Any) -> list[str]:
    body = org.invoice_body(LineItems=list(lines), **{"Status": "AUTHORISED", **fields})
    answer = org.put("Invoices", body)
    assert answer.status == 400
    return answer.messages


def test_tax_type_and_tax_come_from_the_account(org: Any) -> None:
    found = saved(org, line(Quantity="3", UnitAmount="10.01"))["LineItems"][0]
    assert (found["TaxType"], found["TaxAmount"], found["LineAmount"]) == ("OUTPUT2", D("6.01"), D("30.03"))


def test_unit_amount_is_rounded_to_two_decimals_without_unitdp(org: Any) -> None:
    found = saved(org, line(Quantity="1000", UnitAmount="0.0051"))
    assert found["LineItems"][0]["UnitAmount"] == D("0.01")
    assert found["SubTotal"] == D("10.00")


def test_unit_amount_keeps_four_decimals_with_unitdp_4(org: Any) -> None:
    found = saved(org, line(Quantity="1000", UnitAmount="0.0051"), query="unitdp=4")
    assert found["LineItems"][0]["UnitAmount"] == D("0.0051")
    assert found["SubTotal"] == D("5.10")


def test_a_later_write_without_unitdp_does_not_round_lines_it_does_not_send(org: Any) -> None:
    found = saved(org, line(Quantity="1000", UnitAmount="0.0051"), query="unitdp=4", Status="DRAFT")
    kept = {"LineItemID": found["LineItems"][0]["LineItemID"], "Description": "Renamed"}
    org.post(f"Invoices/{found['InvoiceID']}", {"LineItems": [kept]})
    after = org.get("Invoices", found["InvoiceID"], "unitdp=4")
    assert (after["LineItems"][0]["UnitAmount"], after["SubTotal"]) == (D("0.0051"), D("5.10"))
    assert after["LineItems"][0]["Description"] == "Renamed"


def test_an_explicit_tax_amount_overrides_the_sum(org: Any) -> None:
    found = saved(org, line(UnitAmount="100.00", TaxAmount="19.99"))
    assert (found["TotalTax"], found["Total"]) == (D("19.99"), D("119.99"))


def test_no_tax_lines_have_none(org: Any) -> None:
    found = saved(org, line(UnitAmount="100.00"), LineAmountTypes="NoTax")
    assert (found["TotalTax"], found["Total"], found["LineItems"][0]["TaxType"]) == (
        D("0.00"),
        D("100.00"),
        "NONE",
    )


def test_a_line_amount_without_unit_amount_gives_the_unit_amount(org: Any) -> None:
    found = saved(org, line(UnitAmount=None, Quantity="4", LineAmount="10.00"))["LineItems"][0]
    assert (found["UnitAmount"], found["LineAmount"]) == (D("2.50"), D("10.00"))


def test_a_line_amount_that_the_factors_do_not_make_is_refused(org: Any) -> None:
    assert refused(org, line(Quantity="2", UnitAmount="5.00", LineAmount="9.99")) == [
        "The line total 9.99 does not match the expected line total 10.00"
    ]


def test_an_item_fills_in_description_price_account_and_tax(org: Any) -> None:
    found = saved(org, {"ItemCode": "HIRE-DAY", "Quantity": "2"})["LineItems"][0]
    assert found["Description"] == "Hire of equipment, one day"
    assert (found["UnitAmount"], found["AccountCode"], found["TaxType"]) == (D("85.00"), "200", "OUTPUT2")
    assert found["Item"]["Code"] == "HIRE-DAY"


def test_what_the_line_says_wins_over_the_item(org: Any) -> None:
    sent = {
        "ItemCode": "HIRE-DAY",
        "Description": "A day",
        "UnitAmount": "70",
        "AccountCode": "260",
        "TaxType": "NONE",
    }
    found = saved(org, {**sent, "Quantity": 1})["LineItems"][0]
    assert (found["Description"], found["UnitAmount"]) == ("A day", D("70.00"))
    assert (found["AccountCode"], found["TaxType"], found["TaxAmount"]) == ("260", "NONE", D("0.00"))


def test_an_unknown_item_code_is_refused(org: Any) -> None:
    assert refused(org, line(ItemCode="NOPE")) == ["Item code 'NOPE' is not valid"]


def test_a_draft_drops_an_unknown_account_with_a_warning(org: Any) -> None:
    element = org.put_each("Invoices", org.invoice_body(LineItems=[line(AccountCode="476")]))[0]
    assert element["StatusAttributeString"] == "WARNING"
    assert [warning["Message"] for warning in element["Warnings"]] == [
        "Account code '476' has been removed as it does not match a recognised account."
    ]
    assert "AccountCode" not in element["LineItems"][0]
    assert element["TotalTax"] == D("0.00")


def test_an_approved_invoice_with_an_unknown_account_is_refused(org: Any) -> None:
    assert refused(org, line(AccountCode="476")) == [
        "Account code '476' is not a valid code for this document."
    ]


def test_an_approved_invoice_with_an_archived_account_is_refused(org: Any) -> None:
    assert refused(org, line(AccountCode="299")) == [
        "Account code '299' has been archived, or has been deleted. Each line item must reference a valid account."
    ]


@pytest.mark.parametrize("code", ["090", "610", "820"])
def test_bank_and_control_accounts_take_no_lines(org: Any, code: str) -> None:
    assert refused(org, line(AccountCode=code)) == [
        f"Account code '{code}' is not a valid code for this document."
    ]


def test_the_rounding_account_takes_lines(org: Any) -> None:
    assert saved(org, line(AccountCode="860"))["LineItems"][0]["AccountCode"] == "860"


def test_an_approved_line_needs_account_and_tax_type(org: Any) -> None:
    assert refused(org, line(AccountCode=None)) == [
        "Account code or ID must be specified",
        "The TaxType field is mandatory",
    ]


def test_approving_a_draft_checks_its_stored_lines(org: Any) -> None:
    draft = saved(org, line(AccountCode=None), Status="DRAFT")
    answer = org.post(f"Invoices/{draft['InvoiceID']}", {"Status": "AUTHORISED"})
    assert answer.status == 400
    assert "Account code or ID must be specified" in answer.messages
    assert org.get("Invoices", draft["InvoiceID"])["Status"] == "DRAFT"


def test_a_tax_type_that_does_not_exist_is_refused_twice_over(org: Any) -> None:
    assert refused(org, line(TaxType="GST on Income")) == [
        "The TaxType code GST on Income does not exist or cannot be used for this type of transaction.",
        "The TaxType code 'GST on Income' cannot be used with account code '200'.",
    ]


def test_input_tax_cannot_stand_on_a_revenue_account(org: Any) -> None:
    assert refused(org, line(TaxType="INPUT2")) == [
        "The TaxType code 'INPUT2' cannot be used with account code '200'."
    ]


def test_a_discount_comes_off_a_sales_invoice(org: Any) -> None:
    found = saved(org, line(Quantity="2", UnitAmount="50.00", DiscountRate="10"))
    assert (found["SubTotal"], found["TotalDiscount"], found["IsDiscounted"]) == (
        D("90.00"),
        D("10.00"),
        True,
    )


def test_a_bill_takes_no_discount(org: Any) -> None:
    contact = org.contact("Harbour Lane Stationers")
    messages = refused(org, line(DiscountRate="10", AccountCode="429"), Type="ACCPAY", Contact=contact)
    assert len(messages) == 1


def test_a_zero_discount_is_none(org: Any) -> None:
    contact = org.contact("Harbour Lane Stationers")
    bill = saved(org, line(DiscountRate=0, AccountCode="429"), Type="ACCPAY", Contact=contact)
    assert bill["IsDiscounted"] is False


def test_tracking_takes_names_or_ids_and_answers_with_both(org: Any) -> None:
    found = saved(org, line(Tracking=[{"Name": "Region", "Option": "North"}]))["LineItems"][0]["Tracking"][0]
    assert (found["Name"], found["Option"]) == ("Region", "North")
    ids = {name: found[name] for name in ("TrackingCategoryID", "TrackingOptionID")}
    assert saved(org, line(Tracking=[ids]))["LineItems"][0]["Tracking"] == [found]


def test_more_than_two_tracking_categories_are_refused(org: Any) -> None:
    entries = [{"Name": "Region", "Option": option} for option in ("North", "South", "East")]
    assert len(refused(org, line(Tracking=entries))) == 1


def test_an_unknown_tracking_option_is_refused_or_left_out(org: Any) -> None:
    unknown = line(Tracking=[{"Name": "Region", "Option": "Moon"}])
    assert "Moon" in refused(org, unknown)[0]
    org.choose("xero.lines.unknown_tracking", "ignored")
    assert saved(org, unknown)["LineItems"][0]["Tracking"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Description": "x" * 4001},
        {"Quantity": "1234567890.1234", "UnitAmount": "0.01"},
        {"Quantity": "9999999", "UnitAmount": "99999"},
        {"DiscountRate": "101"},
        {"Description": None},
    ],
)
def test_what_is_over_a_limit_is_refused(org: Any, fields: dict[str, Any]) -> None:
    assert len(refused(org, line(**fields))) == 1


def test_the_longest_description_is_taken(org: Any) -> None:
    assert len(saved(org, line(Description="x" * 4000))["LineItems"][0]["Description"]) == 4000


def test_a_line_may_be_only_a_description(org: Any) -> None:
    found = saved(org, line(), {"Description": "As agreed on the phone"})
    assert found["Total"] == D("12.00")
    assert "Quantity" not in found["LineItems"][1]


def test_a_draft_line_without_description_follows_the_rules_variant(org: Any) -> None:
    body = org.invoice_body(LineItems=[line(Description=None)])
    assert org.put("Invoices", body).status == 400
    org.choose("xero.lines.description", "optional")
    assert org.put("Invoices", body).status == 200


def test_a_number_that_is_none_refuses_the_whole_request(org: Any) -> None:
    answer = org.put("Invoices", org.invoice_body(LineItems=[line(UnitAmount="ten")]))
    assert (answer.status, answer.content["Type"]) == (400, "PostDataInvalidException")


def test_numbers_as_text_and_accounts_as_numbers_are_taken(org: Any) -> None:
    found = saved(org, line(Quantity="2.0000", UnitAmount=12.5, AccountCode=200))
    assert (found["SubTotal"], found["LineItems"][0]["AccountCode"]) == (D("25.00"), "200")


LINES = st.lists(
    st.fixed_dictionaries(
        {
            "Quantity": st.decimals("0", "999", places=4).map(str),
            "UnitAmount": st.decimals("0", "9999", places=4).map(str),
            "TaxType": st.sampled_from(["OUTPUT2", "RROUTPUT", "ZERORATEDOUTPUT", "NONE"]),
        },
        optional={"DiscountRate": st.integers(0, 100)},
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(LINES, st.sampled_from(["Exclusive", "Inclusive", "NoTax"]))
def test_every_invoice_adds_up(org: Any, lines: list[dict[str, Any]], mode: str) -> None:
    found = saved(org, *[line(**fields) for fields in lines], LineAmountTypes=mode, query="unitdp=4")
    assert found["Total"] == found["SubTotal"] + found["TotalTax"]
    amounts = sum(entry["LineAmount"] for entry in found["LineItems"])
    assert amounts == (found["Total"] if mode == "Inclusive" else found["SubTotal"])
    assert sum(entry["TaxAmount"] for entry in found["LineItems"]) == found["TotalTax"]
    assert found["AmountDue"] == found["Total"]
