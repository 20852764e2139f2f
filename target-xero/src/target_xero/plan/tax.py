"""The tax Xero will make, line by line, and the total it comes to, to the cent.

Xero rounds the tax of each line to two decimals, halves away from zero, and adds the lines up (Xero: Rounding in Xero). An
`Inclusive` amount holds its tax already: tax = amount x rate / (100 + rate). A line takes the tax type it names, else its
account's; `NoTax` has none; a line's own `TaxAmount` goes before all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_xero.ledger.model import ROUNDING_KEY
from target_xero.limits import ROUNDING_MAX
from target_xero.plan.amounts import line_amount, rounding_line
from target_xero.plan.organisation import Organisation
from target_xero.plan.wire import cents, money, parse_decimal, plain
from target_xero.refusal import Refusal

_HUNDRED = Decimal(100)
_SHOWN = 10


@dataclass(frozen=True)
class TaxedLine:
    """One line: its amount as the document's prices go, and its tax."""

    amount: Decimal
    tax_type: str
    percent: Decimal | None
    """None: its tax was given, not worked out."""
    tax: Decimal

    def __str__(self) -> str:
        rate = f" at {plain(self.percent)} % ({self.tax_type})" if self.percent is not None else " as given"
        return f"{money(self.amount)}{rate} = {money(self.tax)}"


@dataclass(frozen=True)
class Prediction:
    """What Xero will make of a document's lines."""

    lines: tuple[TaxedLine, ...]
    subtotal: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """Tax included."""
        return self.subtotal + self.tax


def is_expected(document: Mapping[str, Any]) -> bool:
    """Whether the source states a total with tax, so that rates must be known before the document goes."""
    return document.get("expected_total_with_tax") is not None


def predict(stream: str, document: Mapping[str, Any], organisation: Organisation) -> Prediction | None:
    """The prediction; None where it takes what is not known here: an item's own coding, rates that were not read."""
    mode = str(document.get("LineAmountTypes", "Exclusive")).casefold()
    lines = []
    for line in document.get("LineItems") or ():
        taxed = _line(stream, line, mode, organisation)
        if taxed is None:
            return None
        lines.append(taxed)
    amounts = sum((line.amount for line in lines), Decimal(0))
    tax = sum((line.tax for line in lines), Decimal(0))
    return Prediction(tuple(lines), amounts - tax if mode == "inclusive" else amounts, tax)


def _line(stream: str, line: Mapping[str, Any], mode: str, organisation: Organisation) -> TaxedLine | None:
    amount = line_amount(line)
    if mode == "notax" or not amount:
        return TaxedLine(amount, "NONE", Decimal(0), Decimal(0))
    given = parse_decimal(line.get("TaxAmount"))
    if given is not None:
        return TaxedLine(amount, str(line.get("TaxType", "")), None, cents(given))
    tax_type = line.get("TaxType")
    if (
        tax_type is None and stream == "quotes"
    ):  # recorded traffic: a quote's line takes no tax from its account
        return TaxedLine(amount, "NONE", Decimal(0), Decimal(0))
    if tax_type is None and not line.get("item_key") and not line.get("ItemCode"):
        account = (organisation.accounts or {}).get(str(line.get("AccountCode")))
        tax_type = account.tax_type if account else None
    rate = (organisation.tax_types or {}).get(str(tax_type))
    if rate is None or rate.percent is None:
        return None
    whole = _HUNDRED + rate.percent if mode == "inclusive" else _HUNDRED
    return TaxedLine(amount, rate.tax_type, rate.percent, cents(amount * rate.percent / whole))


def check_total(
    stream: str, document: Mapping[str, Any], organisation: Organisation, policy: str
) -> tuple[dict[str, Any] | None, Refusal | None]:
    """Compares the total Xero will make, tax included, with the source's own.

    Args:
        stream: which kind of document.
        document: its canonical content.
        organisation: with accounts and tax rates.
        policy: `fail`, `rounding_line` or `accept`.

    Returns:
        The document with a rounding line where the policy asks for one (else None), and what is wrong with it (or None).
    """
    expected = parse_decimal(document.get("expected_total_with_tax"))
    if expected is None or policy == "accept":
        return None, None
    prediction = predict(stream, document, organisation)
    if prediction is None:
        cure = (
            "The tax of a line cannot be told beforehand, so the total cannot be compared. Give each line its AccountCode and "
            "TaxType, or set on_total_difference to accept."
        )
        return None, Refusal("total_unpredictable", "expected_total_with_tax", plain(expected), cure)
    difference = expected - prediction.total
    if not difference:
        return None, None
    lines = document.get("LineItems") or []
    rounded = any(line.get("line_key") == ROUNDING_KEY for line in lines)
    if policy == "rounding_line" and not rounded and abs(difference) <= Decimal(ROUNDING_MAX):
        return {**document, "LineItems": [*lines, rounding_line(difference)]}, None
    return None, _differs(expected, prediction, difference, policy)


def _differs(expected: Decimal, prediction: Prediction, difference: Decimal, policy: str) -> Refusal:
    taxes = "; ".join(f"line {n}: {line}" for n, line in enumerate(prediction.lines[:_SHOWN], 1))
    more = f"; and {len(prediction.lines) - _SHOWN} more" if len(prediction.lines) > _SHOWN else ""
    why = (
        f" A rounding line is for differences up to {ROUNDING_MAX}." if policy == "rounding_line" else
        " Or set on_total_difference to rounding_line or accept."
    )  # fmt: skip
    return Refusal(
        "total_differs", "expected_total_with_tax", plain(expected),
        f"The source says {plain(expected)} with tax, Xero would make {money(prediction.total)} of it "
        f"({money(prediction.subtotal)} and {money(prediction.tax)} tax), a difference of {plain(difference)}. "
        f"Tax by line: {taxes}{more}. Correct the lines, their tax or the total in the source; where a tax rate or "
        f"an account was wrong in Xero, put that right there and run `target-xero retry`.{why}",
    )  # fmt: skip
