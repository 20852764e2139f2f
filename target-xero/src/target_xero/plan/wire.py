"""Values as Xero writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

_MS_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_CENT = Decimal("0.01")


def parse_instant(value: object) -> datetime | None:
    """`/Date(1789344000000+0000)/` or ISO 8601 as a point in time (UTC); None when it is neither."""
    if not isinstance(value, str):
        return None
    match = _MS_DATE.fullmatch(value)
    if match:
        return _EPOCH + timedelta(milliseconds=int(match[1]))
    try:
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def parse_date(value: object) -> date | None:
    """A business date: Xero writes midnight UTC of the day."""
    instant = parse_instant(value)
    return instant.date() if instant else None


def parse_decimal(value: object) -> Decimal | None:
    """A number as JSON gives it (or as text), exact and finite; None when it is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None  # Python's own liberties: 1_000 and other scripts' digits are no JSON numbers
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def plain(number: Decimal) -> str:
    """The one spelling of a number: no exponent, no trailing zeros, no minus zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def cents(number: Decimal) -> Decimal:
    """Rounded to two decimals as Xero rounds: half away from zero."""
    return number.quantize(_CENT, rounding=ROUND_HALF_UP)


def minor(value: object) -> int | None:
    """An amount in hundredths, for the ledger; None when it is no amount."""
    number = parse_decimal(value)
    return None if number is None else int(cents(number) * 100)


def money(number: Decimal) -> str:
    """An amount as people read it: `1234.50`."""
    return format(cents(number), "f")


def show_minor(value: int) -> str:
    """Hundredths as people read them."""
    return money(Decimal(value) / 100)


def xero_timestamp(instant: datetime) -> str:
    """For If-Modified-Since: UTC, no zone, whole seconds."""
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def text_of(element: dict[str, Any], *path: str) -> str:
    """A nested text value of an answer, or an empty text."""
    value: Any = element
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def texts_of(element: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Several text values of an answer, an empty text for each that is none."""
    return [value if isinstance(value, str) else "" for value in map(element.get, names)]
