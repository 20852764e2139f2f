"""How Xero does sums: Decimal throughout, two decimals half-up, tax rounded per line and then added.

Source: Xero developer docs (Invoices, "Rounding in Xero"). Nothing here knows a document, a store or HTTP; `lines.py`
reads what a client sent and calls these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)

EXCLUSIVE, INCLUSIVE, NO_TAX = "Exclusive", "Inclusive", "NoTax"
LINE_AMOUNT_TYPES = (EXCLUSIVE, INCLUSIVE, NO_TAX)

_STEPS = {2: CENT, 4: Decimal("0.0001"), 6: Decimal("0.000001")}

_WIDE = Context(prec=64)
"""Room for any product of two numbers that can be sent: what is too large is refused in words, not by an overflow."""


@dataclass(frozen=True)
class Totals:
    """A document's sums. `total` is always `sub_total + total_tax`."""

    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    """`amount` to so many decimals, halves away from zero."""
    return amount.quantize(_STEPS[places], ROUND_HALF_UP, _WIDE)


def line_amount(
    quantity: Decimal,
    unit_amount: Decimal,
    discount_rate: Decimal | None = None,
    discount_amount: Decimal | None = None,
) -> Decimal:
    """What one line comes to, in the document's own tax mode: quantity times price, less the discount."""
    gross = quantity * unit_amount
    if discount_rate:
        gross = gross * (HUNDRED - discount_rate) / HUNDRED
    elif discount_amount:
        gross -= discount_amount
    return rounded(gross)


def line_tax(amount: Decimal, rate: Decimal, line_amount_types: str) -> Decimal:
    """The tax of one line, rounded by itself. `rate` in percent; an Inclusive amount holds the tax already."""
    if line_amount_types == NO_TAX or not rate:
        return ZERO
    if line_amount_types == INCLUSIVE:
        return rounded(amount * rate / (HUNDRED + rate))
    return rounded(amount * rate / HUNDRED)


def totals(lines: Iterable[tuple[Decimal, Decimal]], line_amount_types: str) -> Totals:
    """The document's sums from (line amount, tax) pairs. SubTotal is always without tax, whatever the mode."""
    amounts = tax = ZERO
    for amount, its_tax in lines:
        amounts += amount
        tax += its_tax
    sub_total = amounts - tax if line_amount_types == INCLUSIVE else amounts
    return Totals(sub_total=sub_total, total_tax=tax, total=sub_total + tax)


def base_amount(amount: Decimal, currency_rate: Decimal) -> Decimal:
    """An amount in the organisation's base currency. `currency_rate` is units of the document's currency per base unit."""
    return rounded(amount / currency_rate) if currency_rate else amount
