"""Quotes (recorded): upper case, no offset, no charset, no partial update."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal


def body(org: Any, **fields: Any) -> dict[str, Any]:
    line = {
        "Description": "Work",
        "Quantity": 2,
        "UnitAmount": "50.00",
        "AccountCode": "200",
        "TaxType": "OUTPUT2",
    }
    found = {"Contact": org.contact(), "Date": "2026-11-02", "LineItems": [line], **fields}
    return {name: value for name, value in found.items() if value is not None}


def quote(org: Any, **fields: Any) -> dict[str, Any]:
    answer = org.put("Quotes", body(org, **fields))
    assert answer.status == 200, answer.content
    return answer.content["Quotes"][0]


def change(org: Any, found: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = org.call("POST", "Quotes", {"Quotes": [{"QuoteID": found["QuoteID"], **fields}]})
    assert answer.status == 200, answer.content
    return answer.content["Quotes"][0]


def test_a_new_quote_is_a_draft_with_a_minted_number(org: Any) -> None:
    found = quote(org)
    assert (found["Status"], found["QuoteNumber"], found["Terms"]) == ("DRAFT", "QU-0001", "")
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (D("100.00"), D("20.00"), D("120.00"))


def test_the_wire_has_no_charset_no_offsets_and_the_flag_in_its_envelope(org: Any) -> None:
    answer = org.put("Quotes", body(org, ExpiryDate="2026-12-01"))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content["SummarizeErrors"] is True
    found = answer.content["Quotes"][0]
    assert found["Date"] == "/Date(1793577600000)/"
    assert found["ExpiryDate"].endswith(")/")
    assert "+" not in found["ExpiryDate"] + found["UpdatedDateUTC"]
    relaxed = org.put("Quotes", body(org), query="summarizeErrors=false").content
    assert (relaxed["SummarizeErrors"], relaxed["Quotes"][0]["StatusAttributeString"]) == (False, "OK")


@pytest.mark.parametrize(
    ("sent", "shown"), [("Exclusive", "EXCLUSIVE"), ("INCLUSIVE", "INCLUSIVE"), ("NoTax", "NOTAX")]
)
def test_tax_modes_are_taken_in_either_case_and_given_in_upper_case(org: Any, sent: str, shown: str) -> None:
    assert quote(org, LineAmountTypes=sent)["LineAmountTypes"] == shown


def test_a_status_is_taken_in_either_case(org: Any) -> None:
    assert quote(org, Status="sent")["Status"] == "SENT"
    assert org.put("Quotes", body(org, Status="PAID")).status == 400


def test_a_line_without_tax_type_is_not_taxed(org: Any) -> None:
    found = quote(
        org, LineItems=[{"Description": "Work", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}]
    )
    assert (found["TotalTax"], found["LineItems"][0]["TaxAmount"]) == (D("0.00"), D("0.00"))
    assert "TaxType" not in found["LineItems"][0]


def test_a_write_without_number_mints_a_new_one(org: Any) -> None:
    found = quote(org)
    assert change(org, found, Title="New")["QuoteNumber"] == "QU-0002"
    assert change(org, found, QuoteNumber="QU-0002", Title="Kept")["QuoteNumber"] == "QU-0002"


def test_a_write_without_terms_clears_them(org: Any) -> None:
    found = quote(org, Terms="30 days", Title="Stays")
    after = change(org, found, QuoteNumber=found["QuoteNumber"])
    assert (after["Terms"], after["Title"]) == ("", "Stays")


def test_lines_stay_when_left_out_and_are_replaced_when_sent_without_ids(org: Any) -> None:
    found = quote(org)
    kept = change(org, found, QuoteNumber="Q")["LineItems"]
    assert kept == found["LineItems"]
    line = {"Description": "Other", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    after = change(org, found, QuoteNumber="Q", LineItems=[line])
    assert [entry["Description"] for entry in after["LineItems"]] == ["Other"]
    assert after["LineItems"][0]["LineItemID"] != kept[0]["LineItemID"]


def test_an_accepted_quote_can_be_deleted_and_a_deleted_one_not_changed(org: Any) -> None:
    found = quote(org, Status="ACCEPTED")
    assert change(org, found, Status="DELETED", QuoteNumber="Q")["Status"] == "DELETED"
    answer = org.post(f"Quotes/{found['QuoteID']}", {"Title": "x", "QuoteNumber": "Q"})
    assert answer.status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"Date": None},
        {"Contact": None},
        {"LineItems": None},
        {"Title": "t" * 101},
        {"Summary": "s" * 3001},
        {"Terms": "t" * 4001},
        {"CurrencyCode": "USD"},
        {"ExpiryDate": "2026-10-01"},
    ],
)
def test_what_is_missing_or_over_a_limit_is_refused(org: Any, fields: dict[str, Any]) -> None:
    answer = org.put("Quotes", body(org, **fields))
    assert len(answer.messages) == 1


def test_a_number_is_unique(org: Any) -> None:
    quote(org, QuoteNumber="Q-1")
    assert org.put("Quotes", body(org, QuoteNumber="q-1")).status == 400


def test_a_page_has_a_hundred_and_no_pagination_block(org: Any) -> None:
    for _ in range(3):
        org.put("Quotes", *[body(org) for _ in range(40)])
    first = org.call("GET", "Quotes", query="page=1").content
    second = org.call("GET", "Quotes", query="page=2").content
    assert (len(first["Quotes"]), len(second["Quotes"])) == (100, 20)
    assert "pagination" not in first


def test_lists_filter_by_date_status_and_number(org: Any) -> None:
    old, new = quote(org, Date="2026-10-01"), quote(org, Date="2026-11-01", Status="SENT")
    for query, found in (
        ("DateFrom=2026-10-15", new),
        ("DateTo=2026-10-15", old),
        ("Status=SENT", new),
        (f"QuoteNumber={old['QuoteNumber']}", old),
    ):
        listed = org.call("GET", "Quotes", query=query).content["Quotes"]
        assert [row["QuoteID"] for row in listed] == [found["QuoteID"]], query


def test_unit_amounts_round_to_two_or_four_decimals_by_variant(org: Any) -> None:
    line = {"Description": "Work", "Quantity": 100, "UnitAmount": "0.1234", "AccountCode": "200"}
    assert quote(org, LineItems=[line])["Total"] == D("12.00")
    org.choose("xero.quotes.unit_places", "4")
    assert quote(org, LineItems=[line])["Total"] == D("12.34")
