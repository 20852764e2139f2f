"""One field's value in its four forms.

    wire    what a JSON body holds           12.5, "2026-11-22", true
    value   what the rules work with         Decimal("12.5"), "2026-11-22", True
    stored  what a SQLite column holds       125 (scale 1), "2026-11-22", 1
    text    what an answer shows             12.5, "2026-11-22", true

Numbers with decimals are stored as whole numbers of their last place, so SQL adds and compares them exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from ikaroa_sandbox.salesforce import ids, wire
from ikaroa_sandbox.salesforce.errors import RecordError
from ikaroa_sandbox.salesforce.schema.model import NUMBER_TYPES, TEXT_TYPES, Field

Value = str | int | bool | Decimal | None
Stored = str | int | None

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}\Z")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""What no text keeps: control characters, and halves of characters."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def round_half_up(value: Decimal, scale: int) -> Decimal:
    """To `scale` decimals, halves away from zero, as Salesforce rounds."""
    return value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


def to_stored(field: Field, value: Value) -> Stored:
    """What the column holds for a value."""
    if value is None:
        return None
    if field.type in NUMBER_TYPES:
        return int(round_half_up(Decimal(value), field.scale).scaleb(field.scale))
    if field.type in {"boolean", "int"}:
        return int(value)
    return str(value)


def to_value(field: Field, stored: Any) -> Value:
    """The value that a column holds."""
    if stored is None:
        return None
    if field.type in NUMBER_TYPES:
        return Decimal(stored).scaleb(-field.scale)
    if field.type == "boolean":
        return bool(stored)
    result: Value = stored
    return result


def _scaled_text(scale: int, number: Callable[[Decimal], str]) -> Callable[[Any], str]:
    limit = 10**scale * 10**7
    small = 10**scale // 1000

    def render(stored: int) -> str:
        size = abs(stored)
        if size >= limit or size <= small:
            return number(Decimal(stored).scaleb(-scale)) if stored else "0.0"
        digits = str(size).rjust(scale + 1, "0")
        whole, places = (digits[:-scale], digits[-scale:].rstrip("0")) if scale else (digits, "")
        return f"{'-' if stored < 0 else ''}{whole}.{places or '0'}"

    return render


def renderer(field: Field, *, scientific: bool) -> Callable[[Any], str]:
    """A function from a stored value (not None) to the JSON text of an answer."""
    if field.type in NUMBER_TYPES:
        return _scaled_text(field.scale, wire.double_number if scientific else wire.plain_number)
    if field.type == "boolean":
        return lambda stored: "true" if stored else "false"
    if field.type == "int":
        return str
    if field.type == "datetime":
        return lambda stored: f'"{stored}+0000"'
    return wire.quote


def parse(field: Field, raw: Any) -> Value:
    """The value of a JSON body's entry. Raises RecordError as Salesforce would refuse it."""
    if raw is None or raw == "":
        return False if field.type == "boolean" else None
    if field.type == "boolean":
        return _boolean(raw)
    if field.type in NUMBER_TYPES or field.type == "int":
        return _number(field, raw)
    if not isinstance(raw, str):
        raise _cannot(raw, "date" if field.type in {"date", "datetime"} else "string")
    return _from_text(field, raw)


def _from_text(field: Field, raw: str) -> Value:
    if field.type == "date":
        return _date(raw)
    if field.type == "datetime":
        return parse_time(raw)
    if field.type in {"id", "reference"}:
        return _reference(field, raw)
    return _text(field, raw)


def _cannot(raw: Any, kind: str) -> RecordError:
    token = {str: "STRING", int: "NUMBER_INT", Decimal: "NUMBER_FLOAT", dict: "OBJECT", list: "ARRAY"}
    name = {True: "TRUE", False: "FALSE"}[raw] if isinstance(raw, bool) else token.get(type(raw), "OBJECT")
    return RecordError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from VALUE_{name} value {raw} or request may be missing a required field",
    )


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in {"true", "false", "1", "0"}:
        return raw.lower() in {"true", "1"}
    raise _cannot(raw, "boolean")


def _number(field: Field, raw: Any) -> Value:
    kind = "int" if field.type == "int" else "double"
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise _cannot(raw, kind)
    try:
        number = Decimal(raw.strip() if isinstance(raw, str) else raw)
    except InvalidOperation:
        raise _cannot(raw, kind) from None
    whole = field.digits or field.precision - field.scale if kind == "int" else field.precision - field.scale
    if not number.is_finite() or abs(number) >= Decimal(10) ** (whole or 9):
        text = f"{field.label}: value outside of valid range on numeric field: {raw}"
        raise RecordError("NUMBER_OUTSIDE_VALID_RANGE", text, [field.name])
    if kind == "int":
        if number != number.to_integral_value():
            raise _cannot(raw, kind)
        return int(number)
    return round_half_up(number, field.scale)


def _date(raw: str) -> str:
    text = raw[:10] if _TIME.match(raw) else raw
    try:
        if _DAY.match(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _cannot(raw, "date")


def parse_time(raw: str) -> str:
    """A datetime of a body (a zone is optional, UTC is meant) as stored text."""
    found = _TIME.match(raw if "T" in raw else f"{raw}T00:00:00")
    if not found:
        raise _cannot(raw, "datetime")
    day, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{((fraction or '.') + '000000')[1:7]}+00:00")
    except ValueError:
        raise _cannot(raw, "datetime") from None
    if zone and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        moment -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return wire.stored_time(moment.astimezone(timezone.utc))


def _reference(field: Field, raw: str) -> str:
    found = ids.normalise(raw)
    if found is None:
        message = f"{field.label}: id value of incorrect type: {raw}"
        raise RecordError("MALFORMED_ID", message, [field.name])
    return found


def _text(field: Field, raw: str) -> str | None:
    text = _CONTROL.sub("", raw).strip() if field.type != "textarea" else _CONTROL.sub("", raw).rstrip()
    if field.length and len(text) > field.length and field.type in TEXT_TYPES:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise RecordError("STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and text and not _EMAIL.match(text):
        message = f"{field.label}: invalid email address: {text}"
        raise RecordError("INVALID_EMAIL_ADDRESS", message, [field.name])
    if field.restricted and text:
        return _picklist(field, text)
    return text or None


def _picklist(field: Field, text: str) -> str:
    found = next((value for value in field.values if value.lower() == text.lower()), None)
    if found is None:
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise RecordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return found
