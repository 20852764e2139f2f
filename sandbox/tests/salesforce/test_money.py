"""Money is exact: on the way in, in sums and comparisons, on the way out."""

from __future__ import annotations

import json
import random
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ikaroa_sandbox.core import Clock, Variants, World
from ikaroa_sandbox.salesforce import RULES, wire
from ikaroa_sandbox.salesforce.schema.model import Field
from ikaroa_sandbox.salesforce.soql.compile import Settings, compile_query
from ikaroa_sandbox.salesforce.soql.parser import parse as parse_soql
from ikaroa_sandbox.salesforce.soql.run import run
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store.derive import line_total
from ikaroa_sandbox.salesforce.values import parse, renderer, to_stored, to_value

NOW = datetime(2026, 11, 2, tzinfo=timezone.utc)
CENTS = st.decimals(min_value=-(10**15), max_value=10**15, places=2)


@given(CENTS, st.booleans())
def test_an_amount_comes_out_as_it_went_in(amount: Decimal, scientific: bool) -> None:
    field = Field(name="Amount", type="currency", precision=18, scale=2)
    stored = to_stored(field, parse(field, amount))
    assert isinstance(stored, int)
    assert to_value(field, stored) == amount
    assert json.loads(renderer(field, scientific=scientific)(stored), parse_float=Decimal) == amount


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1200", "1200.0"),
        ("0", "0.0"),
        ("12.50", "12.5"),
        ("-0.01", "-0.01"),
        ("9999999.99", "9999999.99"),
        ("10000000", "1.0E7"),
        ("115056052", "1.15056052E8"),
        ("-99213206.25", "-9.921320625E7"),
    ],
)
def test_numbers_are_written_as_a_double_prints(text: str, shown: str) -> None:
    assert wire.double_number(Decimal(text)) == shown
    field = Field(name="Amount", type="currency", precision=18, scale=2)
    assert renderer(field, scientific=True)(to_stored(field, Decimal(text))) == shown


def test_a_small_price_below_a_thousandth_has_an_exponent(shop) -> None:
    line = shop.line(shop.deal(), UnitPrice="0.00012")
    body = shop.org.send("GET", f"sobjects/OpportunityLineItem/{line}").body
    assert b'"UnitPrice":1.2E-4' in body


def test_in_the_other_reading_numbers_are_written_out(org) -> None:
    org.make("Account", Name="A", AnnualRevenue=350_000_000)
    assert (
        b'"AnnualRevenue":3.5E8' in org.send("GET", "query", query="q=SELECT+AnnualRevenue+FROM+Account").body
    )
    org.choose("wire.number_text", "plain")
    assert (
        b'"AnnualRevenue":350000000.0'
        in org.send("GET", "query", query="q=SELECT+AnnualRevenue+FROM+Account").body
    )


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=2), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    state = State.new(World(Clock(NOW), Variants(RULES), random.Random(1)))
    item = state.org.full["Opportunity"]
    state.db.insert(
        item, [{"Id": f"006{number:015d}", "Amount": amount} for number, amount in enumerate(amounts)]
    )
    text = "SELECT SUM(Amount), MIN(Amount), MAX(Amount) FROM Opportunity"
    plan = compile_query(text, parse_soql(text), Settings(state.org.visible, NOW.date(), deleted_too=True))
    ((total, least, most),) = run(state.db, plan).rows
    assert Decimal(total).scaleb(-2) == sum(amounts)
    assert (Decimal(least).scaleb(-2), Decimal(most).scaleb(-2)) == (min(amounts), max(amounts))


def test_tenths_add_up_where_binary_floats_do_not(shop) -> None:
    deal = shop.deal()
    for _ in range(3):
        shop.line(deal, UnitPrice="0.1")
    assert str(shop.org.one("Opportunity", deal, "Amount")) == "0.3"
    assert shop.org.column("SELECT Name FROM Opportunity WHERE Amount = 0.3") == ["Deal"]
    assert shop.org.column("SELECT Name FROM Opportunity WHERE Amount = 0.30000000000000004") == []


@given(
    st.decimals(min_value=0, max_value=10**6, places=5),
    st.decimals(min_value=0, max_value=1000, places=4),
    st.decimals(min_value=0, max_value=100, places=2),
)
def test_a_line_is_rounded_once_from_the_exact_product(
    price: Decimal, quantity: Decimal, discount: Decimal
) -> None:
    _, total = line_total(price, quantity, discount)
    exact = price * quantity * (100 - discount) / 100
    assert abs(total - exact) <= Decimal("0.005")
    assert total == exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("price", "quantity", "discount", "total"),
    [
        ("19.99", "3", None, "59.97"),
        ("0.33333", "3", None, "1.0"),
        ("0.125", "1", None, "0.13"),
        ("100", "1.5", "12.5", "131.25"),
        ("-75.50", "1", None, "-75.5"),
        ("10", "1", "33.33", "6.67"),
    ],
)
def test_total_price_is_price_times_quantity_less_discount(shop, price, quantity, discount, total) -> None:
    line = shop.line(shop.deal(), UnitPrice=price, Quantity=quantity, Discount=discount)
    assert str(shop.org.one("OpportunityLineItem", line, "TotalPrice")) == total


def test_in_several_currencies_a_sum_is_in_the_corporate_one(org) -> None:
    for currency, amount in (("GBP", "100"), ("EUR", "117"), ("EUR", "1.17")):
        org.make(
            "Opportunity",
            Name="D",
            StageName="Prospecting",
            CloseDate="2026-12-01",
            Amount=amount,
            CurrencyIsoCode=currency,
        )
    soql = "SELECT CurrencyIsoCode, SUM(Amount) s FROM Opportunity GROUP BY CurrencyIsoCode ORDER BY CurrencyIsoCode"
    assert [(one["CurrencyIsoCode"], str(one["s"])) for one in org.records(soql)] == [
        ("EUR", "101.0"),
        ("GBP", "100.0"),
    ]
    converted = org.records("SELECT Amount, convertCurrency(Amount) home FROM Opportunity WHERE Amount = 117")
    assert [(str(one["Amount"]), str(one["home"])) for one in converted] == [("117.0", "100.0")]
    org.edit("feature", feature="multi_currency", on=False)
    assert [str(one["s"]) for one in org.records("SELECT SUM(Amount) s FROM Opportunity")] == ["218.17"]


def test_an_average_keeps_more_decimals_than_its_field(org) -> None:
    for amount in ("1", "1", "0"):
        org.make("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01", Amount=amount)
    assert str(org.records("SELECT AVG(Amount) a FROM Opportunity")[0]["a"]) == "0.666667"


def test_a_binary_float_of_a_caller_in_python_is_the_decimal_it_prints_as(org) -> None:
    deal = org.make("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01", Amount=1.1)
    assert str(org.one("Opportunity", deal, "Amount")) == "1.1"
