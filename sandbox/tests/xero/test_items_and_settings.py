"""Items, accounts, taxes, tracking, currencies, themes, the organisation: Xero OpenAPI, Xero developer docs, recordings."""

from __future__ import annotations

import pytest


def test_a_post_of_an_item_updates_by_code(xero):
    made = xero.post(
        "Items",
        {"Items": [{"Code": "A1", "Name": "One", "SalesDetails": {"UnitPrice": 9.99, "AccountCode": "200"}}]},
    )
    changed = xero.post("Items", {"Code": "a1", "Name": "Uno"}).json["Items"][0]
    assert changed["ItemID"] == made.json["Items"][0]["ItemID"]
    assert (changed["Name"], changed["SalesDetails"]) == ("Uno", {"UnitPrice": 9.99, "AccountCode": "200"})


def test_a_put_of_a_taken_code_is_refused_in_xeros_words(xero):
    xero.put("Items", {"Code": "abc"})
    assert xero.put("Items", {"Code": "abc"}).messages == ["Price List Item with Code 'abc' already exists"]


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"Code": "x" * 30}, True),
        ({"Code": "x" * 31}, False),
        ({"Name": "x" * 50}, True),
        ({"Name": "x" * 51}, False),
        ({"Description": "x" * 4000}, True),
        ({"Description": "x" * 4001}, False),
        ({"SalesDetails": {"AccountCode": "9999"}}, False),
        ({"SalesDetails": {"AccountCode": "299"}}, False),
        ({"SalesDetails": {"TaxType": "NOTHING"}}, False),
        ({"Code": ""}, False),
    ],
)
def test_what_an_item_may_be(xero, fields, fits):
    assert (xero.put("Items", {"Code": "A", **fields}).status == 200) is fits


@pytest.mark.parametrize(("params", "price"), [({}, b"10.00"), ({"unitdp": "4"}, b"9.9999")])
def test_unit_prices_have_two_decimals_or_four_when_asked(xero, params, price):
    answer = xero.put("Items", {"Code": "A", "SalesDetails": {"UnitPrice": "9.99989"}}, **params)
    assert b'"UnitPrice":' + price in answer.body


def test_not_sold_and_not_purchased_clear_their_details(xero):
    details = {"UnitPrice": 1, "AccountCode": "400"}
    xero.put("Items", {"Code": "A", "SalesDetails": details, "PurchaseDetails": details})
    changed = xero.post("Items", {"Code": "A", "IsPurchased": False}).json["Items"][0]
    assert (changed["PurchaseDetails"], changed["SalesDetails"]["UnitPrice"]) == ({}, 1.0)


def test_items_are_not_paged_and_page_is_ignored(xero):
    for start in range(0, 150, 50):
        xero.put("Items", {"Items": [{"Code": f"I{number}"} for number in range(start, start + 50)]})
    answer = xero.get("Items", page=2)
    assert len(answer.json["Items"]) == 150
    assert "pagination" not in answer.json


def test_an_items_stamp_has_an_offset_in_lists_and_none_in_answers_to_writes(xero):
    assert "+0000" not in xero.put("Items", {"Code": "A"}).json["Items"][0]["UpdatedDateUTC"]
    assert "+0000" in xero.get("Items").json["Items"][0]["UpdatedDateUTC"]


def test_a_deleted_item_is_gone(xero):
    made = xero.put("Items", {"Code": "A"}).json["Items"][0]
    deleted = xero.call("DELETE", f"Items/{made['ItemID']}")
    assert (deleted.status, deleted.body, deleted.effects[0]["action"]) == (204, b"", "delete")
    assert xero.get("Items/A").status == 404


def test_an_item_is_found_by_its_code(xero):
    xero.put("Items", {"Code": "A 1"})
    assert xero.get("Items/a%201").json["Items"][0]["Code"] == "A 1"


def test_the_organisation_shows_lock_dates_only_where_they_are_set(xero):
    (before,) = xero.get("Organisation").json["Organisations"]
    assert not {"PeriodLockDate", "EndOfYearLockDate"} & before.keys()
    xero.edit("set_lock_dates", period="2026-09-30")
    (after,) = xero.get("Organisation").json["Organisations"]
    assert after["PeriodLockDate"] == "/Date(1790726400000+0000)/"
    assert "+" not in after["CreatedDateUTC"]
    xero.edit("set_lock_dates", period=None)
    assert "PeriodLockDate" not in xero.get("Organisation").json["Organisations"][0]


def test_the_organisation_is_a_uk_company_in_pounds(xero):
    (found,) = xero.get("Organisation").json["Organisations"]
    assert (found["Name"], found["BaseCurrency"], found["CountryCode"], found["Version"]) == (
        "Sandbox Trading Ltd",
        "GBP",
        "GB",
        "UK",
    )
    assert found["IsDemoCompany"] is False


def test_accounts_have_the_ones_a_sync_needs(xero):
    accounts = {row["Code"]: row for row in xero.get("Accounts").json["Accounts"]}
    assert (accounts["200"]["Type"], accounts["200"]["TaxType"]) == ("REVENUE", "OUTPUT2")
    assert (accounts["090"]["Type"], accounts["090"]["CurrencyCode"]) == ("BANK", "GBP")
    assert accounts["091"]["CurrencyCode"] == "EUR"
    assert (accounts["610"]["SystemAccount"], accounts["860"]["SystemAccount"]) == ("DEBTORS", "ROUNDING")
    assert accounts["299"]["Status"] == "ARCHIVED"
    assert list(accounts) == sorted(accounts)


def test_accounts_are_filtered_by_where(xero):
    banks = xero.get("Accounts", where='Type=="BANK" AND Status=="ACTIVE"').json["Accounts"]
    assert [row["Code"] for row in banks] == ["090", "091"]


def test_of_many_accounts_in_a_body_only_the_first_is_looked_at(xero):
    body = {
        "Accounts": [
            {"Code": "201", "Name": "One", "Type": "REVENUE"},
            {"Code": "202", "Name": "Two", "Type": "REVENUE"},
        ]
    }
    assert [row["Code"] for row in xero.put("Accounts", body).json["Accounts"]] == ["201"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Code": "12345678901"}, "Account Code is too long. Maximum of 10 characters allowed"),
        ({"Code": "200"}, "Please enter a unique Code."),
        ({"Name": "Sales"}, "Please enter a unique Name."),
        ({"Type": "SHOE"}, "A valid Account type must be specified."),
    ],
)
def test_an_account_is_refused_in_words(xero, fields, message):
    assert xero.put("Accounts", {"Code": "201", "Name": "New", "Type": "REVENUE", **fields}).messages == [
        message
    ]


def test_tax_rates_are_the_uks(xero):
    rates = {row["TaxType"]: row for row in xero.get("TaxRates").json["TaxRates"]}
    assert rates["OUTPUT2"]["EffectiveRate"] == 20
    assert rates["OUTPUT2"]["CanApplyToRevenue"] is True
    assert rates["INPUT2"]["CanApplyToRevenue"] is False
    assert {"RROUTPUT", "ZERORATEDOUTPUT", "EXEMPTOUTPUT", "ECZROUTPUT", "NONE"} <= rates.keys()


def test_tracking_has_region_and_sales_team(xero):
    found = {
        row["Name"]: [option["Name"] for option in row["Options"]]
        for row in xero.get("TrackingCategories").json["TrackingCategories"]
    }
    assert found["Region"] == ["North", "South", "East", "West"]
    assert "Sales Team" in found


def test_tracking_options_are_added_once(xero):
    category = next(
        row for row in xero.get("TrackingCategories").json["TrackingCategories"] if row["Name"] == "Region"
    )
    path = f"TrackingCategories/{category['TrackingCategoryID']}/Options"
    assert xero.put(path, {"Options": [{"Name": "Centre"}, {"Name": "Coast"}]}).status == 200
    assert xero.put(path, {"Options": [{"Name": "centre"}]}).messages == ["Please enter a unique Name."]
    shown = xero.get(f"TrackingCategories/{category['TrackingCategoryID']}").json["TrackingCategories"][0]
    assert [option["Name"] for option in shown["Options"]][-2:] == ["Centre", "Coast"]


def test_a_third_active_tracking_category_is_refused(xero):
    assert xero.put("TrackingCategories", {"Name": "Third"}).status == 400


def test_currencies_are_pounds_and_euros_and_one_more_by_put_or_by_hand(xero):
    codes = lambda: {row["Code"] for row in xero.get("Currencies").json["Currencies"]}  # noqa: E731
    assert codes() == {"GBP", "EUR"}
    assert xero.put("Currencies", {"Code": "USD"}).status == 200
    xero.edit("enable_currency", code="NZD")
    assert codes() == {"GBP", "EUR", "USD", "NZD"}


def test_branding_themes_come_in_the_organisations_order(xero):
    assert [row["Name"] for row in xero.get("BrandingThemes").json["BrandingThemes"]] == [
        "Standard",
        "Very orange invoice!",
    ]
