"""Numbers, exact: Decimal and int only. A binary float never comes in unnoticed and never goes out."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from crm_to_xero import limits
from crm_to_xero.functions.registry import function

_WIDE = Context(prec=60)
"""Wide enough that no product of two amounts is ever rounded on the way."""


def number(value: Any) -> Decimal:
    """A finite Decimal of a number or of text that holds one.

    Raises:
        ValueError: It is none; the text says why.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError(f"a number is expected, not {'nothing' if value is None else 'true or false'}")
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, str):
        value = value.strip()
    if not isinstance(value, (int, str, Decimal)):
        raise ValueError("a number is expected, not a list or record")  # noqa: TRY004 - one error for "no number"
    try:
        result = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if not result.is_finite():
        raise ValueError(f"{value} is no amount")
    return result


@function("Numbers")
def decimal(value: Any, default: Any = None) -> Decimal | None:
    """The exact number of a number or of text holding one; the default if empty. Digits are kept: `1200.10` stays so.

    Example: decimal('1200.10') -> Decimal('1200.10')
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None if default is None else number(default)
    return number(value)


@function("Numbers")
def round_to(value: Any, places: int = 2) -> Decimal | None:
    """Rounded to so many decimal places, halves away from zero, as people and invoices do.

    Example: round_to('2.345', 2) -> Decimal('2.35')
    """
    if value is None:
        return None
    return _rounded(number(value), int(places))


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_WIDE)


@function("Numbers")
def round2(value: Any) -> Decimal | None:
    """Rounded to the cent, halves away from zero.

    Example: round2('-0.005') -> Decimal('-0.01')
    """
    return round_to(value, 2)


@function("Numbers")
def decimals(value: Any) -> int:
    """How many decimal places a number needs; trailing zeros do not count.

    Example: decimals('1.2500') -> 2
    """
    exponent = number(value).normalize(_WIDE).as_tuple().exponent
    return max(0, -int(exponent))


@function("Numbers", "sum")
def total(values: Iterable[Any] | None) -> Decimal:
    """The exact sum of a list; nothing counts as zero.

    Example: sum(['0.10', 2, None]) -> Decimal('2.10')
    """
    result = Decimal(0)
    for value in values or ():
        if value is not None:
            result = _WIDE.add(result, number(value))
    return result


@function("Numbers", "abs")
def absolute(value: Any) -> Decimal | None:
    """The amount without its sign.

    Example: abs(-3) -> Decimal('3')
    """
    return None if value is None else abs(number(value))


@function("Numbers")
def share(amount: Any, part: int, parts: int) -> Decimal | None:
    """What falls on part `part` of `parts` equal parts, in cents; the parts together give the amount exactly.

    Example: [share(100, n, 3) for n in (1, 2, 3)] -> [Decimal('33.33'), Decimal('33.33'), Decimal('33.34')]
    """
    if amount is None:
        return None
    whole = number(amount)
    part, parts = int(part), int(parts)
    if not 1 <= part <= parts:
        raise ValueError(f"part {part} of {parts} is no part")
    if decimals(whole) > 2:
        raise ValueError("an amount to be shared has at most two decimal places")
    cents = int(whole * 100)
    return (Decimal(_down(cents * part, parts) - _down(cents * (part - 1), parts)) / 100).quantize(
        Decimal("0.01")
    )


def _down(cents: int, parts: int) -> int:
    """Integer division that treats a credit like the invoice it mirrors."""
    return cents // parts if cents >= 0 else -(-cents // parts)


@function("Numbers")
def numbers(most: Any, start: int = 1) -> list[int]:
    """Whole numbers from `start` to `most`, for `split` and `each`.

    Example: numbers(3) -> [1, 2, 3]
    """
    last = int(number(most).to_integral_value(rounding=ROUND_FLOOR))
    if last - int(start) > limits.LIST_ELEMENTS:
        raise ValueError(f"more than {limits.LIST_ELEMENTS} numbers")
    return list(range(int(start), last + 1))


@function("Lines")
def line_price(
    quantity: Any,
    unit_price: Any,
    discount: Any = None,
    amount: Any = None,
    *,
    credit: bool = False,
    places: int = 2,
) -> dict[str, Any]:
    """Quantity, UnitAmount and DiscountRate that give `amount` to the cent, else one piece at that amount with `note` saying why.

    The source's line total is the truth. Quantity times price less discount is kept where Xero can hold the figures (four
    decimal places, two for the rate) and every way of rounding gives that total. With `credit` the sign is turned, and a
    discount is always worked into the price, because Xero takes no discounts on credit notes.

    Example: line_price(3, '0.33333', None, '1.00')['unit_amount'] -> Decimal('1.00')
    """
    count, price, rate = decimal(quantity), decimal(unit_price), decimal(discount) or Decimal(0)
    truth = decimal(amount)
    if truth is None:
        if count is None or price is None:
            raise ValueError("a line needs its total, or quantity and price")
        truth = _rounded(_gross(count, price, rate), places)
    if credit:
        truth = -truth
        if count is not None and count < 0:
            count = -count
        elif price is not None:
            price = -price
    if (
        count is not None
        and price is not None
        and _faithful(count, price, rate, truth, places)
        and not (credit and rate)
    ):
        return {
            "quantity": count,
            "unit_amount": price,
            "discount": rate or None,
            "amount": truth,
            "note": None,
        }
    return {
        "quantity": Decimal(1),
        "unit_amount": truth,
        "discount": None,
        "amount": truth,
        "note": _note(count, price, rate),
    }


def _gross(count: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    return _WIDE.multiply(
        _WIDE.multiply(count, price), _WIDE.subtract(Decimal(1), _WIDE.divide(rate, Decimal(100)))
    )


def _faithful(count: Decimal, price: Decimal, rate: Decimal, truth: Decimal, places: int) -> bool:
    """Whether Xero, given these figures, can only arrive at `truth`."""
    if (
        max(decimals(count), decimals(price)) > limits.UNIT_DECIMALS
        or decimals(rate) > limits.DISCOUNT_DECIMALS
    ):
        return False
    gross = _gross(count, price, rate)
    if gross == truth:
        return True
    if rate and decimals(_WIDE.multiply(count, price)) > places:
        return False  # rounding before or after the discount could differ
    distance = abs(_WIDE.subtract(gross, truth))
    half_a_cent = Decimal(5).scaleb(-places - 1)
    return decimals(truth) <= places and distance < half_a_cent


def _note(count: Decimal | None, price: Decimal | None, rate: Decimal) -> str | None:
    if count is None or price is None:
        return None
    less = f", less {_short(rate)} %" if rate else ""
    return f"{_short(count)} \u00d7 {_short(price)}{less}"


def _short(value: Decimal) -> str:
    return plain(value.normalize(_WIDE))


def plain(value: Decimal) -> str:
    """Digits without exponent."""
    return format(value, "f")


@function("Lines")
def tracking(rules: Any, *records: Any) -> list[dict[str, str]]:
    """Tracking of a line by rules `{name, from, map, default}`: `from` is a dotted path looked for in each record in turn.

    Example: tracking([{'name': 'Region', 'from': 'Area'}], {'Area': 'North'}) -> [{'Name': 'Region', 'Option': 'North'}]
    """
    found = []
    for rule in rules or ():
        if not isinstance(rule, dict) or not rule.get("name"):
            raise ValueError("a tracking rule needs `name` and `from`")
        value = next(
            (seen for record in records if (seen := _path(record, str(rule.get("from") or ""))) is not None),
            None,
        )
        table = rule.get("map")
        chosen = table.get(value, rule.get("default")) if isinstance(table, dict) else value
        if chosen is None:
            chosen = rule.get("default")
        if chosen is not None and str(chosen).strip():
            found.append({"Name": str(rule["name"]), "Option": str(chosen).strip()})
    if len(found) > limits.TRACKING_CATEGORIES:
        raise ValueError(
            f"Xero allows {limits.TRACKING_CATEGORIES} tracking categories on a line, these rules give {len(found)}"
        )
    return found


def _path(record: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        record = record.get(name) if isinstance(record, dict) else None
    return None if record is None or isinstance(record, (dict, list)) else record
