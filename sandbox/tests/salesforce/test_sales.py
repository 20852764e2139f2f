"""Deals, lines, price books, orders: what Salesforce works out by itself. Salesforce object reference."""

from __future__ import annotations

from decimal import Decimal

import pytest


def code(org, kind: str, **fields) -> str:
    return org.error(org.send("POST", f"sobjects/{kind}", fields))["errorCode"]


def test_a_stage_sets_what_it_means(shop) -> None:
    deal = shop.deal(Amount="200")
    fields = (
        "IsClosed",
        "IsWon",
        "Probability",
        "ForecastCategory",
        "ForecastCategoryName",
        "ExpectedRevenue",
    )
    assert list(shop.org.one("Opportunity", deal, *fields).values()) == [
        False, False, 10, "Pipeline", "Pipeline", Decimal("20.0"),
    ]  # fmt: skip
    shop.org.change("Opportunity", deal, StageName="Closed Won")
    assert list(shop.org.one("Opportunity", deal, *fields).values()) == [
        True, True, 100, "Closed", "Closed", Decimal("200.0"),
    ]  # fmt: skip


def test_a_probability_given_with_the_stage_stands(shop) -> None:
    deal = shop.deal(Probability=42)
    assert shop.org.one("Opportunity", deal, "Probability") == 42


def test_an_unknown_stage_is_refused(shop) -> None:
    found = code(shop.org, "Opportunity", Name="D", CloseDate="2026-12-01", StageName="Dreaming")
    assert found == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_the_close_date_sets_the_fiscal_period(shop) -> None:
    deal = shop.deal(CloseDate="2026-08-31")
    assert shop.org.one("Opportunity", deal, "FiscalYear", "FiscalQuarter", "Fiscal") == {
        "FiscalYear": 2026, "FiscalQuarter": 3, "Fiscal": "2026 3",
    }  # fmt: skip


def history(shop) -> list[dict[str, object]]:
    fields = "StageName, Amount, CloseDate, Probability, CreatedDate"
    return shop.org.records(f"SELECT {fields} FROM OpportunityHistory ORDER BY CreatedDate")


@pytest.mark.parametrize(
    ("field", "value"),
    [("StageName", "Closed Won"), ("Amount", 12.5), ("CloseDate", "2026-12-24"), ("Probability", 35)],
)
def test_history_has_a_row_for_each_change_that_counts(shop, field: str, value: object) -> None:
    deal = shop.deal(Amount="10")
    shop.org.pass_time(60)
    shop.org.change("Opportunity", deal, **{field: value})
    first, then = history(shop)
    assert [row["CreatedDate"][11:16] for row in (first, then)] == ["09:00", "09:01"]
    assert (first["StageName"], first["Amount"], first["CloseDate"]) == ("Prospecting", 10, "2026-12-01")
    assert then[field] == value


def test_history_has_no_row_for_any_other_change(shop) -> None:
    deal = shop.deal(Amount="10")
    shop.org.pass_time(60)
    shop.org.change("Opportunity", deal, NextStep="call")
    assert len(history(shop)) == 1


def test_lines_make_the_amount(shop) -> None:
    deal = shop.deal(Amount="5")
    shop.line(deal, Quantity=2)
    shop.line(deal, UnitPrice="0.50")
    fields = (
        "Amount",
        "HasOpportunityLineItem",
        "Pricebook2Id",
        "TotalOpportunityQuantity",
        "ExpectedRevenue",
    )
    assert list(shop.org.one("Opportunity", deal, *fields).values()) == [
        Decimal("200.5"), True, shop.book, 3, Decimal("20.05"),
    ]  # fmt: skip


def test_a_line_shows_its_product_and_its_list_price(shop) -> None:
    line = shop.line(shop.deal(), UnitPrice="90")
    fields = ("Name", "ProductCode", "Product2Id", "ListPrice", "CurrencyIsoCode", "Subtotal")
    assert list(shop.org.one("OpportunityLineItem", line, *fields).values()) == [
        "Deal Widget", "W-1", shop.product, 100, "GBP", 90,
    ]  # fmt: skip


def test_a_line_may_name_the_product_instead_of_the_entry(shop) -> None:
    deal = shop.deal(Pricebook2Id=shop.book)
    line = shop.line(deal, PricebookEntryId=None, Product2Id=shop.product)
    assert shop.org.one("OpportunityLineItem", line, "PricebookEntryId") == shop.entry


def test_a_total_instead_of_a_price_sets_the_price(shop) -> None:
    line = shop.line(shop.deal(), Quantity=4, TotalPrice="50")
    assert shop.org.one("OpportunityLineItem", line, "UnitPrice") == Decimal("12.5")


def test_while_there_are_lines_the_amount_is_ignored_in_silence(shop) -> None:
    deal = shop.deal()
    shop.line(deal)
    assert shop.org.send("PATCH", f"sobjects/Opportunity/{deal}", {"Amount": 1}).status == 204
    assert shop.org.one("Opportunity", deal, "Amount") == 100


@pytest.mark.parametrize("changes", [{"CurrencyIsoCode": "EUR"}, {"Pricebook2Id": None}])
def test_while_there_are_lines_currency_and_price_book_stay(shop, changes) -> None:
    deal = shop.deal()
    shop.line(deal)
    found = shop.org.error(shop.org.send("PATCH", f"sobjects/Opportunity/{deal}", changes))
    assert found["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_entry_in_another_currency_does_not_fit(shop) -> None:
    deal = shop.deal(CurrencyIsoCode="EUR")
    found = code(shop.org, "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=shop.entry, Quantity=1)
    assert found == "FIELD_INTEGRITY_EXCEPTION"


def test_an_entry_of_another_price_book_does_not_fit(shop) -> None:
    other = shop.org.make("Pricebook2", Name="Partner", IsActive=True)
    deal = shop.deal(Pricebook2Id=other)
    found = code(shop.org, "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=shop.entry, Quantity=1)
    assert found == "FIELD_INTEGRITY_EXCEPTION"


def test_a_line_needs_deal_entry_and_quantity(shop) -> None:
    deal = shop.deal()
    assert (
        code(shop.org, "OpportunityLineItem", PricebookEntryId=shop.entry, Quantity=1)
        == "REQUIRED_FIELD_MISSING"
    )
    assert code(shop.org, "OpportunityLineItem", OpportunityId=deal, Quantity=1) == "REQUIRED_FIELD_MISSING"
    assert (
        code(shop.org, "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=shop.entry)
        == "REQUIRED_FIELD_MISSING"
    )


def stamps(shop, deal: str, act) -> tuple[str, str]:
    before = shop.org.one("Opportunity", deal, "SystemModstamp")
    shop.org.pass_time(60)
    act()
    return before, shop.org.one("Opportunity", deal, "SystemModstamp")


def test_a_line_that_changes_the_amount_moves_the_deals_stamp(shop) -> None:
    deal = shop.deal()
    line = shop.line(deal)
    before, after = stamps(shop, deal, lambda: shop.org.change("OpportunityLineItem", line, Quantity=2))
    assert after > before
    before, after = stamps(shop, deal, lambda: shop.org.edit("delete", object="OpportunityLineItem", id=line))
    assert after > before


def test_a_line_edit_that_leaves_the_amount_does_not_move_it_by_default(shop) -> None:
    deal = shop.deal()
    line = shop.line(deal)
    before, after = stamps(
        shop, deal, lambda: shop.org.change("OpportunityLineItem", line, Description="new")
    )
    assert after == before
    shop.org.choose("deals.line_edit_stamps", "stamped")
    before, after = stamps(
        shop, deal, lambda: shop.org.change("OpportunityLineItem", line, Description="newer")
    )
    assert after > before


@pytest.mark.parametrize(("variant", "amount"), [("amount_kept", 100), ("amount_zero", 0)])
def test_what_is_left_when_the_last_line_goes(shop, variant: str, amount: int) -> None:
    shop.org.choose("deals.last_line_removed", variant)
    deal = shop.deal()
    line = shop.line(deal)
    shop.org.edit("delete", object="OpportunityLineItem", id=line)
    assert shop.org.one("Opportunity", deal, "Amount", "HasOpportunityLineItem") == {
        "Amount": amount, "HasOpportunityLineItem": False,
    }  # fmt: skip


def test_the_contact_of_a_new_deal_becomes_its_primary_role(shop) -> None:
    first, second = (shop.org.make("Contact", LastName=name, AccountId=shop.account) for name in "AB")
    deal = shop.deal(ContactId=first)
    soql = "SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY CreatedDate, Id"
    assert shop.org.records(soql) == [{"ContactId": first, "IsPrimary": True}]
    shop.org.make("OpportunityContactRole", OpportunityId=deal, ContactId=second, IsPrimary=True)
    assert sorted(row["IsPrimary"] for row in shop.org.records(soql)) == [False, True]
    assert shop.org.one("Opportunity", deal, "ContactId") == second
    answer = shop.org.send("PATCH", f"sobjects/Opportunity/{deal}", {"ContactId": first})
    assert shop.org.error(answer)["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_one_entry_a_product_price_book_and_currency(shop) -> None:
    fields = {"Product2Id": shop.product, "Pricebook2Id": shop.book, "UnitPrice": 1}
    assert code(shop.org, "PricebookEntry", **fields) == "DUPLICATE_VALUE"
    assert shop.org.make("PricebookEntry", **fields, CurrencyIsoCode="EUR")


def test_a_renamed_product_shows_on_its_entries(shop) -> None:
    shop.org.change("Product2", shop.product, Name="Gadget", ProductCode="G-1")
    assert shop.org.one("PricebookEntry", shop.entry, "Name", "ProductCode") == {
        "Name": "Gadget",
        "ProductCode": "G-1",
    }


def test_an_order_is_numbered_and_adds_up_its_lines(shop) -> None:
    order = shop.org.make("Order", AccountId=shop.account, EffectiveDate="2026-11-02", Status="Draft")
    line = shop.org.make(
        "OrderItem", OrderId=order, PricebookEntryId=shop.entry, Quantity=2, UnitPrice="9.99"
    )
    found = shop.org.one("Order", order, "OrderNumber", "StatusCode", "TotalAmount", "Pricebook2Id")
    assert list(found.values()) == ["00000001", "D", Decimal("19.98"), shop.book]
    shop.org.edit("delete", object="OrderItem", id=line)
    assert shop.org.one("Order", order, "TotalAmount") == 0
    shop.org.change("Order", order, Status="Activated")
    assert shop.org.one("Order", order, "StatusCode") == "A"
    assert shop.org.send("DELETE", f"sobjects/Order/{order}").status == 400
