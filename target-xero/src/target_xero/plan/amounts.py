"""What Xero will make of a document's lines, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from target_xero.limits import LINE_AMOUNT_MAX
from target_xero.plan.wire import cents, minor, money, parse_decimal
from target_xero.refusal import Refusal


def line_amount(line: Mapping[str, Any]) -> Decimal:
    """The amount of one line: as given, or quantity x price less discount, rounded to the cent (half away from zero).

    A line without price is a text line and comes to nothing; without quantity it counts once.
    """
    given = parse_decimal(line.get("LineAmount"))
    if given is not None:
        return given
    price = parse_decimal(line.get("UnitAmount"))
    if price is None:
        return Decimal(0)
    quantity = parse_decimal(line.get("Quantity", "1")) or Decimal(0)
    discount = parse_decimal(line.get("DiscountRate", "0")) or Decimal(0)
    return cents(quantity * price * (100 - discount) / 100)


def lines_total(document: Mapping[str, Any]) -> Decimal:
    """The sum of the lines; the document's total before tax, unless its prices include tax."""
    return sum((line_amount(line) for line in document.get("LineItems") or ()), Decimal(0))


def document_minor(stream: str, document: Mapping[str, Any]) -> int | None:
    """A document's own amount in hundredths: the sum of its lines, or the payment's amount."""
    if stream == "payments":
        return minor(document.get("Amount"))
    if "LineItems" not in document:
        return None
    return minor(lines_total(document))


def check_amounts(document: Mapping[str, Any]) -> list[Refusal]:
    """Compares what the source says with what Xero will compute, to the cent."""
    found = []
    for n, line in enumerate(document.get("LineItems") or ()):
        if abs(line_amount(line)) > Decimal(LINE_AMOUNT_MAX):
            cure = f"Xero takes lines up to {LINE_AMOUNT_MAX}."
            found.append(Refusal("too_large", f"LineItems[{n}]", money(line_amount(line)), cure))
            continue
        expected = parse_decimal(line.get("expected_amount"))
        if expected is not None and expected != line_amount(line):
            found.append(_differs(f"LineItems[{n}]", "line", expected, line_amount(line)))
    expected = parse_decimal(document.get("expected_total"))
    total = lines_total(document)
    if expected is not None and expected != total:
        found.append(_differs("expected_total", "document", expected, total))
    return found


def _differs(field: str, what: str, expected: Decimal, computed: Decimal) -> Refusal:
    exact = format(expected, "f")
    return Refusal(
        "total_differs",
        field,
        exact,
        f"The source says {exact}, Xero would make {money(computed)} of this {what}, a difference of "
        f"{format(expected - computed, 'f')}. Correct the lines, the discount or the total in the source.",
    )
