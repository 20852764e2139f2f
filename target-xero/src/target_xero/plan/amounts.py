"""What Xero will make of a document's lines, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from target_xero.ledger.model import ROUNDING_KEY
from target_xero.limits import LINE_AMOUNT_MAX, ROUNDING_MAX
from target_xero.plan.wire import cents, minor, money, parse_decimal, plain
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


SYSTEM_ROUNDING = "ROUNDING"


def rounding_line(difference: Decimal) -> dict[str, Any]:
    """A line that makes up the difference, on the account that Xero itself rounds on, without tax."""
    return {
        "line_key": ROUNDING_KEY,
        "system_account": SYSTEM_ROUNDING,
        "Description": "Rounding",
        "Quantity": "1",
        "UnitAmount": plain(difference),
        "TaxType": "NONE",
    }


def with_rounding(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with a rounding line where a small difference to the source's own total before tax calls for one.

    Not where the source states a total with tax: the difference is known only once the tax is.
    """
    expected = parse_decimal(document.get("expected_total"))
    if expected is None or document.get("expected_total_with_tax") is not None:
        return document
    difference = expected - lines_total(document)
    if not difference or abs(difference) > Decimal(ROUNDING_MAX) or difference != cents(difference):
        return document
    return {**document, "LineItems": [*document.get("LineItems", ()), rounding_line(difference)]}


def check_amounts(document: Mapping[str, Any], policy: str = "fail") -> list[Refusal]:
    """Compares what the source says with what Xero will compute, to the cent.

    Args:
        document: its canonical content, with its rounding line where it has one.
        policy: `fail`, `rounding_line` (a line's own difference may be made up by the document's), `accept`.
    """
    found = []
    for n, line in enumerate(document.get("LineItems") or ()):
        if abs(line_amount(line)) > Decimal(LINE_AMOUNT_MAX):
            cure = f"Xero takes lines up to {LINE_AMOUNT_MAX}."
            found.append(Refusal("too_large", f"LineItems[{n}]", money(line_amount(line)), cure))
            continue
        found += _of_itself(f"LineItems[{n}].LineAmount", line)
        expected = parse_decimal(line.get("expected_amount"))
        if policy == "fail" and expected is not None and expected != line_amount(line):
            found.append(_differs(f"LineItems[{n}]", "line", expected, line_amount(line), policy))
    expected = parse_decimal(document.get("expected_total"))
    total = lines_total(document)
    made_up_later = policy == "rounding_line" and document.get("expected_total_with_tax") is not None
    if policy != "accept" and not made_up_later and expected is not None and expected != total:
        found.append(_differs("expected_total", "document", expected, total, policy))
    return found


def _of_itself(field: str, line: Mapping[str, Any]) -> list[Refusal]:
    """A line's amount is its quantity times its price less the discount: Xero refuses any other."""
    if "LineAmount" not in line or "UnitAmount" not in line:
        return []
    made = line_amount({name: value for name, value in line.items() if name != "LineAmount"})
    if made == line_amount(line):
        return []
    cure = f"Quantity times UnitAmount less the discount is {money(made)}. Correct one of them, or leave LineAmount out."
    return [Refusal("line_amount_differs", field, str(line["LineAmount"]), cure)]


def _differs(field: str, what: str, expected: Decimal, computed: Decimal, policy: str) -> Refusal:
    exact = format(expected, "f")
    why = f" A rounding line is for differences up to {ROUNDING_MAX}." if policy == "rounding_line" else ""
    return Refusal(
        "total_differs",
        field,
        exact,
        f"The source says {exact}, Xero would make {money(computed)} of this {what}, a difference of "
        f"{format(expected - computed, 'f')}. Correct the lines, the discount or the total in the source.{why}",
    )
