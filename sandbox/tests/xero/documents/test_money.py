"""Sums: against an independent computation in fractions, and Xero's own worked example."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ikaroa_sandbox.xero import money

D = Decimal
RATES = st.sampled_from([D(0), D(5), D("12.5"), D(15), D(20)])
LINES = st.lists(
    st.tuples(
        st.decimals("-999", "9999", places=4),
        st.decimals("-9999", "99999", places=4),
        st.one_of(st.none(), st.decimals("0", "100", places=2)),
        RATES,
    ),
    min_size=1,
    max_size=12,
)


def cents(amount: Fraction) -> int:
    """Whole cents, halves away from zero: school arithmetic, no Decimal contexts."""
    whole = abs(amount) * 100
    rounded = int(whole + Fraction(1, 2))
    return rounded if amount >= 0 else -rounded


def test_halves_are_rounded_away_from_zero() -> None:
    assert money.rounded(D("2.675")) == D("2.68")
    assert money.rounded(D("-2.675")) == D("-2.68")
    assert money.rounded(D("0.12345"), 4) == D("0.1235")


def test_tax_is_rounded_line_by_line_as_in_xeros_rounding_guide() -> None:
    amounts = [D("25.06"), D("25.61"), D("25.63")]
    taxes = [money.line_tax(amount, D(15), money.EXCLUSIVE) for amount in amounts]
    assert taxes == [D("3.76"), D("3.84"), D("3.84")]
    sums = money.totals(zip(amounts, taxes, strict=True), money.EXCLUSIVE)
    assert (sums.sub_total, sums.total_tax, sums.total) == (D("76.30"), D("11.44"), D("87.74"))


def test_an_inclusive_amount_holds_its_tax() -> None:
    tax = money.line_tax(D("120.00"), D(20), money.INCLUSIVE)
    sums = money.totals([(D("120.00"), tax)], money.INCLUSIVE)
    assert (sums.sub_total, sums.total_tax, sums.total) == (D("100.00"), D("20.00"), D("120.00"))


def test_a_discount_rate_comes_off_before_rounding() -> None:
    assert money.line_amount(D(1), D("5.50"), D("99.9")) == D("0.01")
    assert money.line_amount(D(3), D("9.99"), D("33.33")) == D("19.98")


def test_a_discount_amount_comes_off_the_line() -> None:
    assert money.line_amount(D(2), D("10.00"), None, D("3.50")) == D("16.50")


@pytest.mark.slow
@given(LINES, st.sampled_from(money.LINE_AMOUNT_TYPES))
def test_sums_equal_an_independent_computation_to_the_cent(
    lines: list[tuple[Decimal, Decimal, Decimal | None, Decimal]], mode: str
) -> None:
    pairs = []
    net = tax = 0
    for quantity, price, discount, rate in lines:
        amount = money.line_amount(quantity, price, discount)
        pairs.append((amount, money.line_tax(amount, rate, mode)))
        exact = Fraction(quantity) * Fraction(price) * (100 - Fraction(discount or 0)) / 100
        own = cents(exact)
        share = {
            money.EXCLUSIVE: Fraction(rate) / 100,
            money.INCLUSIVE: Fraction(rate) / (100 + Fraction(rate)),
        }
        own_tax = cents(Fraction(own, 100) * share.get(mode, Fraction(0)))
        tax += own_tax
        net += own - own_tax if mode == money.INCLUSIVE else own
    sums = money.totals(pairs, mode)
    assert sums.total == sums.sub_total + sums.total_tax
    assert (sums.sub_total * 100, sums.total_tax * 100, sums.total * 100) == (net, tax, net + tax)


@pytest.mark.parametrize(("rate", "base"), [(D("1.15"), D("869.57")), (D("1"), D("1000.00"))])
def test_a_currency_rate_is_units_of_the_currency_for_one_of_the_base(rate: Decimal, base: Decimal) -> None:
    assert money.base_amount(D("1000.00"), rate) == base
