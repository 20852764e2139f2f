"""Exactness of everything that touches an amount."""

from __future__ import annotations

import ast
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import crm_to_xero
import pytest
from crm_to_xero.functions.money import (
    decimal,
    decimals,
    line_price,
    number,
    round2,
    round_to,
    share,
    total,
    tracking,
)
from hypothesis import given
from hypothesis import strategies as st

CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100)


@given(CENTS, st.integers(1, 36))
def test_shares_are_cents_and_give_the_amount_exactly(amount: Decimal, parts: int) -> None:
    shares = [share(amount, part, parts) for part in range(1, parts + 1)]
    assert sum(shares) == amount
    assert all(decimals(item) <= 2 for item in shares)
    assert max(shares) - min(shares) <= Decimal("0.01")


@given(CENTS, st.integers(1, 36))
def test_a_credit_is_shared_like_the_invoice_it_mirrors(amount: Decimal, parts: int) -> None:
    for part in range(1, parts + 1):
        assert share(-amount, part, parts) == -share(amount, part, parts)


@given(st.lists(CENTS))
def test_a_sum_is_exact_and_does_not_depend_on_the_order(amounts: list[Decimal]) -> None:
    cents = sum(int(amount * 100) for amount in amounts)
    assert total(amounts) == total(reversed(amounts)) == Decimal(cents) / 100


FIGURES = {
    "quantity": st.decimals("0.0001", "9999", places=4),
    "price": st.decimals("-9999", "9999", places=5),
    "rate": st.decimals(0, 100, places=2),
}


@given(**FIGURES)
def test_every_way_of_rounding_a_line_gives_its_total(
    quantity: Decimal, price: Decimal, rate: Decimal
) -> None:
    truth = (quantity * price * (1 - rate / 100)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    line = line_price(quantity, price, rate, truth)
    gross = line["quantity"] * line["unit_amount"]
    discount = (line["discount"] or Decimal(0)) / 100
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        late = (gross * (1 - discount)).quantize(Decimal("0.01"), rounding)
        early = gross.quantize(Decimal("0.01"), rounding) - (gross * discount).quantize(
            Decimal("0.01"), rounding
        )
        assert late == truth
        assert not discount or early == truth or abs(early - truth) <= Decimal("0.01")
    assert decimals(line["unit_amount"]) <= 4
    assert decimals(line["quantity"]) <= 4
    assert line["amount"] == truth


@given(**FIGURES)
def test_a_credit_line_turns_the_sign_and_keeps_the_quantity_positive(
    quantity: Decimal, price: Decimal, rate: Decimal
) -> None:
    truth = (-quantity * price * (1 - rate / 100)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    line = line_price(-quantity, price, rate, truth, credit=True)
    assert line["quantity"] > 0
    assert line["discount"] is None
    assert (line["quantity"] * line["unit_amount"]).quantize(Decimal("0.01"), ROUND_HALF_UP) == -truth


def test_the_sources_total_wins_over_quantity_times_price() -> None:
    line = line_price(2, 10, None, Decimal("25.00"))
    assert (line["quantity"], line["unit_amount"], line["note"]) == (1, Decimal("25.00"), "2 \u00d7 10")


def test_a_total_that_could_round_either_way_becomes_one_piece() -> None:
    assert (
        line_price(Decimal("0.5"), Decimal("0.05"), None, Decimal("0.03"))["quantity"] == 1
    )  # 0.025 is a tie


def test_figures_that_fit_are_kept_digit_by_digit() -> None:
    line = line_price(Decimal("3.00"), Decimal("19.9900"), Decimal(10), Decimal("53.97"))
    assert [str(line[key]) for key in ("quantity", "unit_amount", "discount")] == ["3.00", "19.9900", "10"]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("2.345", "2.35"), ("-2.345", "-2.35"), ("0.005", "0.01"), ("1E+3", "1000.00"), (7, "7.00")],
)
def test_halves_are_rounded_away_from_zero(value: str, rounded: str) -> None:
    assert str(round2(value)) == rounded


@given(st.decimals(-(10**20), 10**20, places=6), st.integers(0, 5))
def test_rounding_moves_at_most_half_a_unit(value: Decimal, places: int) -> None:
    assert abs(round_to(value, places) - value) <= Decimal(5).scaleb(-places - 1)


@pytest.mark.parametrize("value", ["1200.10", "0.0001", "1E-7", " 12 ", 5, Decimal("3.0")])
def test_a_number_keeps_its_digits(value: object) -> None:
    assert str(decimal(value)) == str(value).strip()


def test_a_binary_float_is_taken_at_its_printed_value() -> None:
    assert number(0.1) == Decimal("0.1")


@pytest.mark.parametrize("value", ["", "12,50", "NaN", "Infinity", True, [], {}, float("nan")])
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"number|amount"):
        number(value)


def test_more_than_two_tracking_categories_are_an_error() -> None:
    rules = [{"name": name, "from": "A"} for name in ("One", "Two", "Three")]
    with pytest.raises(ValueError, match="2 tracking categories"):
        tracking(rules, {"A": "x"})


def test_a_tracking_value_that_the_map_does_not_know_takes_the_default_or_is_left_out() -> None:
    rules = [
        {"name": "Region", "from": "Area", "map": {"N": "North"}, "default": "Other"},
        {"name": "Team", "from": "T", "map": {}},
    ]
    assert tracking(rules, {"Area": "X", "T": "Y"}) == [{"Name": "Region", "Option": "Other"}]


def test_no_module_of_the_package_makes_a_float() -> None:
    for path in Path(crm_to_xero.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            ), path
            assert (
                not (isinstance(node, ast.Constant) and isinstance(node.value, float))
                or "limits" in path.name
            ), path
