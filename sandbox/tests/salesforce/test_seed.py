"""The seeded org: as many of each kind as promised, believable, and nothing in it that contradicts itself."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from decimal import Decimal

import pytest
from ikaroa_sandbox.salesforce import SalesforceBackend
from ikaroa_sandbox.salesforce.schema.load import base_schema

each_profile = pytest.mark.parametrize("profile", ["default", pytest.param("messy", marks=pytest.mark.slow)])
"""Seeding a second org takes a second."""


@pytest.fixture
def default(dumps) -> dict[str, list[dict]]:
    return dumps("default")


def rows(objects: dict[str, list[dict]], kind: str, *, deleted: bool = False) -> list[dict]:
    return [row for row in objects[kind] if deleted or not row.get("IsDeleted")]


def plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def test_the_default_org_has_the_promised_size(default) -> None:
    counts = {
        kind: len(rows(default, kind))
        for kind in ("Account", "Contact", "Lead", "Opportunity", "Product2", "Order")
    }
    assert counts == {
        "Account": 400,
        "Contact": 900,
        "Lead": 250,
        "Opportunity": 600,
        "Product2": 60,
        "Order": 40,
    }
    won = [row for row in rows(default, "Opportunity") if row["IsWon"]]
    assert len(won) == 240
    assert sum(not row["HasOpportunityLineItem"] for row in won) == 20
    assert all(row["Amount"] for row in won)
    assert len(rows(default, "Pricebook2")) == 2


@pytest.mark.slow
def test_same_seed_and_clock_same_rows_and_another_seed_others(seeded, default) -> None:
    again = SalesforceBackend(seeded.world)
    again.seed(1, "default")
    assert again.dump()["objects"] == default
    again.seed(2, "default")
    assert again.dump()["objects"]["Account"] != default["Account"]


def test_no_two_accounts_have_the_same_name_even_without_case_and_accents(default) -> None:
    names = Counter(plain(row["Name"]) for row in rows(default, "Account"))
    assert names.most_common(1)[0][1] == 1
    assert all(len(name) <= 255 for name in names)


def test_there_are_near_duplicates_and_names_beyond_ascii(default) -> None:
    names = [row["Name"] for row in rows(default, "Account")]
    alike = Counter(re.sub(r"\W|and|limited|ltd", "", plain(name)) for name in names)
    assert alike.most_common(1)[0][1] >= 2
    assert sum(not name.isascii() for name in names) > 50


def test_there_are_people_who_are_accounts_and_an_account_without_address(default) -> None:
    accounts = rows(default, "Account")
    assert any(row["IsPersonAccount"] and row["PersonEmail"] for row in accounts)
    parts = ("BillingStreet", "BillingCity", "BillingPostalCode", "BillingCountry")
    assert sum(not any(row[part] for part in parts) for row in accounts) == 1


def test_addresses_of_people_are_valid_and_some_are_shared_with_leads(default) -> None:
    contacts = {row["Email"] for row in rows(default, "Contact") if row["Email"]}
    leads = {row["Email"] for row in rows(default, "Lead") if row["Email"]}
    shape = re.compile(r"[a-z0-9.-]+@[a-z0-9-]+\.example\Z")
    assert all(shape.match(email) for email in contacts | leads)
    assert len(contacts & leads) >= 20


def test_only_currencies_that_are_enabled_occur_in_the_default_org(default) -> None:
    for kind in ("Account", "Opportunity", "OpportunityLineItem", "PricebookEntry", "Order", "Lead"):
        assert {row["CurrencyIsoCode"] for row in rows(default, kind)} <= {"GBP", "EUR"}
    assert {row["CurrencyIsoCode"] for row in rows(default, "Opportunity")} == {"GBP", "EUR"}


@pytest.mark.slow
@each_profile
def test_a_deals_amount_is_the_sum_of_its_lines(dumps, profile: str) -> None:
    org = dumps(profile)
    sums: dict[str, Decimal] = {}
    for line in rows(org, "OpportunityLineItem"):
        price, quantity = Decimal(line["UnitPrice"]), Decimal(line["Quantity"])
        exact = price * quantity * (100 - Decimal(line["Discount"] or 0)) / 100
        assert abs(Decimal(line["TotalPrice"]) - exact) <= Decimal("0.005")
        sums[line["OpportunityId"]] = sums.get(line["OpportunityId"], Decimal(0)) + Decimal(
            line["TotalPrice"]
        )
    for deal in rows(org, "Opportunity"):
        assert deal["HasOpportunityLineItem"] is (deal["Id"] in sums)
        if deal["Id"] in sums:
            assert Decimal(deal["Amount"]) == sums[deal["Id"]]


@each_profile
def test_every_reference_points_to_a_row(dumps, profile: str) -> None:
    objects = dumps(profile)
    known = {name: {row["Id"] for row in found} for name, found in objects.items()}
    for item in base_schema():
        for field in item.fields.values():
            if field.refers_to:
                used = {row[field.name] for row in objects[item.name]} - {None}
                assert used <= known[field.refers_to], (item.name, field.name)


@each_profile
def test_lines_belong_to_their_deals_price_book_and_currency(dumps, profile: str) -> None:
    org = dumps(profile)
    deals = {row["Id"]: row for row in rows(org, "Opportunity", deleted=True)}
    entries = {row["Id"]: row for row in rows(org, "PricebookEntry")}
    for line in rows(org, "OpportunityLineItem"):
        deal, entry = deals[line["OpportunityId"]], entries[line["PricebookEntryId"]]
        assert entry["Pricebook2Id"] == deal["Pricebook2Id"]
        assert entry["CurrencyIsoCode"] == line["CurrencyIsoCode"] == deal["CurrencyIsoCode"]


def test_time_goes_forward_and_ends_now(default) -> None:
    for kind, found in default.items():
        for row in found:
            stamps = [row.get(name) for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")]
            present = [stamp for stamp in stamps if stamp]
            assert present == sorted(present), (kind, row["Id"])
            assert all(stamp <= "2026-11-02T09:00:00.000+0000" for stamp in present)


def test_many_accounts_share_one_stamp_of_an_import(default) -> None:
    stamps = Counter(row["SystemModstamp"] for row in rows(default, "Account"))
    assert stamps.most_common(1)[0][1] >= 70


def test_accounts_have_no_more_people_than_an_invoice_takes(default) -> None:
    people = Counter(row["AccountId"] for row in rows(default, "Contact"))
    assert max(people.values()) <= 5


def test_payments_are_never_more_than_the_deal_and_never_in_the_future(default) -> None:
    paid = [row for row in rows(default, "Opportunity") if row["Payment_Received__c"]]
    assert paid
    for row in paid:
        assert Decimal(row["Payment_Amount__c"]) <= Decimal(row["Amount"])
        assert row["CloseDate"] <= row["Payment_Date__c"] <= "2026-11-02"
        assert row["IsWon"]


def test_product_codes_are_unique_and_short(default) -> None:
    codes = [row["ProductCode"] for row in rows(default, "Product2")]
    assert len(set(codes)) == len(codes)
    assert all(len(code) <= 30 for code in codes)


def test_the_bin_is_not_empty_and_the_log_tells_of_it(seeded, default) -> None:
    assert len(rows(default, "Account", deleted=True)) > 400
    answer = seeded.get("sobjects/Account/deleted/", start="2026-10-20T00:00:00Z", end="2026-11-02T09:00:00Z")
    assert len(answer["deletedRecords"]) == 4


def test_some_leads_are_converted_into_deals_that_are_there(default) -> None:
    converted = [row for row in rows(default, "Lead") if row["IsConverted"]]
    assert len(converted) == 30
    assert all(row["ConvertedAccountId"] and row["ConvertedOpportunityId"] for row in converted)


def test_names_that_are_numbered_go_on_after_the_seed(seeded, default) -> None:
    account = rows(default, "Account")[0]["Id"]
    order = seeded.make("Order", AccountId=account, EffectiveDate="2026-11-02", Status="Draft")
    assert seeded.one("Order", order, "OrderNumber") == "00000041"


@pytest.mark.slow
def test_the_messy_org_holds_every_trouble_once(dumps) -> None:
    names = Counter(row["Name"] for row in rows(dumps("messy"), "Account"))
    assert names.most_common(1)[0][1] == 2
    assert any("🚀" in name for name in names)
    assert any(len(name) > 200 for name in names)
    assert any(not (row["Email"] or "x").isascii() for row in rows(dumps("messy"), "Contact"))
    deals = rows(dumps("messy"), "Opportunity")
    assert any(row["CurrencyIsoCode"] == "USD" and row["IsWon"] for row in deals)
    assert any(row["AccountId"] is None and row["IsWon"] for row in deals)
    assert any(row["Amount"] == "0.0" for row in deals)
    lines = rows(dumps("messy"), "OpportunityLineItem")
    assert any(Decimal(row["UnitPrice"]).as_tuple().exponent == -5 for row in lines)
    assert any(Decimal(row["TotalPrice"]) < 0 for row in lines)


def test_the_empty_profile_is_an_org_after_signing_up(org) -> None:
    counts = org.backend.seed(1, "empty")
    assert counts["Account"] == counts["Product2"] == 0
    assert counts["Organization"] == 1
