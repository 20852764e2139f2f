"""Values as clients send them, turned into the Python objects that rows hold. The way out is `wire.py`.

Lenient where Xero is (numbers and booleans as text, three spellings of a date), strict where Xero is.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from ikaroa_sandbox.core import Request
from ikaroa_sandbox.xero import errors, xml_bodies

_TOO_LARGE = Decimal(10) ** 15
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MS_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?")


def json_body(body: bytes) -> Any:
    """A request body as Python values, decimals exact.

    Raises:
        PostDataInvalid: it is not JSON in UTF-8.
    """
    try:
        text = body.decode("utf-8-sig")
        if "\\u000" in text:
            text = text.replace("\\u0001", "")  # no XML 1.0 character: cannot stand in a Xero document
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError) as error:
        raise errors.PostDataInvalid(f"JSON request body could not be read, Error: {error}") from None


def body_of(request: Request) -> Any:
    """A request's body as Python values; None where there is none.

    Raises:
        NotSimulated: neither JSON nor XML, by its Content-Type.
        PostDataInvalid: not what its Content-Type says.
    """
    if not request.body.strip():
        return None
    kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if not kind or kind in {"application/json", "text/json"} or kind.endswith("+json"):
        return json_body(request.body)
    if kind in {"application/xml", "text/xml"} or kind.endswith("+xml"):
        return xml_bodies.read(request.body)
    raise errors.NotSimulated(f"bodies of type {kind}; send application/json or application/xml")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def read_text(value: Any) -> str | None:
    """Text as sent; numbers and booleans become their text (clients send both); None stays None.

    Raises:
        PostDataInvalid: an object or a list stands where text belongs.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    raise errors.PostDataInvalid("A text value was expected, an object or a list was sent")


def read_decimal(value: Any) -> Decimal | None:
    """A number, sent as a JSON number or as text; None and empty text give None.

    Raises:
        PostDataInvalid: it is no number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _in_range(Decimal(value), value)
    if isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return _in_range(number, value)
    raise errors.PostDataInvalid(f"The string '{value}' is not a valid Decimal value.")


def _in_range(number: Decimal, sent: Any) -> Decimal:
    if abs(number) >= _TOO_LARGE:
        raise errors.PostDataInvalid(
            f"Value was either too large or too small for a Decimal: {str(sent)[:40]}"
        )
    return number


def read_object(value: Any, name: str) -> dict[str, Any]:
    """An object of a body; None gives an empty one.

    Raises:
        PostDataInvalid: something else stands there.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.PostDataInvalid(f"JSON request body could not be read, Error: {name} must be an object")
    return value


def read_objects(value: Any, name: str) -> list[dict[str, Any]]:
    """A list of objects in a body; None gives an empty one.

    Raises:
        PostDataInvalid: something else stands there.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise errors.PostDataInvalid(
            f"JSON request body could not be read, Error: {name} must be a list of objects"
        )
    return value


def child_elements(
    request: Request, name: str, type_name: str, *, one_bare: bool = False
) -> list[dict[str, Any]]:
    """The objects sent to an end point below a record: `{"HistoryRecords": […]}`, or a bare list.

    `one_bare`: whether one object by itself is taken, too.

    Raises:
        NoDataProcessed: there is none, or something else.
    """
    content = body_of(request)
    found = content.get(name, content if one_bare else None) if isinstance(content, dict) else content
    if one_bare and isinstance(found, dict) and found:
        found = [found]
    if not isinstance(found, list) or not found or not all(isinstance(entry, dict) for entry in found):
        raise errors.NoDataProcessed(type_name)
    return found


def read_bool(value: Any) -> bool | None:
    """A boolean, sent as such or as `true`/`false` in any case; None and empty text give None.

    Raises:
        PostDataInvalid: it is neither.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in {"true", "1"}:
        return True
    if text in {"false", "0"}:
        return False
    raise errors.PostDataInvalid(f"The string '{value}' is not a valid Boolean value.")


def read_day(value: Any) -> date | None:
    """A business date: `YYYY-MM-DD`, ISO date and time (`T`, its day counts), or `/Date(ms±hhmm)/`; None and '' give None.

    Raises:
        PostDataInvalid: another spelling, a space instead of `T` included (recorded by clients).
    """
    if value is None or value == "":
        return None
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found:
        value = "-".join(found.groups()[:3])  # the day as written, whatever the offset
    return read_moment(value).date()


def read_moment(value: Any) -> datetime:
    """A moment in UTC, from the spellings of `read_day`; without offset it is taken as UTC.

    Raises:
        PostDataInvalid: another spelling.
    """
    text = value if isinstance(value, str) else str(value)
    found = _MS_DATE.fullmatch(text)
    try:
        if found:
            return _EPOCH + timedelta(milliseconds=int(found[1]))
        found = _ISO.fullmatch(text)
        if found:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
            micros = int((found[7] or "0").ljust(6, "0")[:6])
            return datetime(year, month, day, hour, minute, second, micros, tzinfo=timezone.utc) - _offset(
                found[8]
            )
    except (ValueError, OverflowError):
        pass
    raise errors.PostDataInvalid(f"The string '{text}' is not a valid AllXsd value.")


def _offset(text: str | None) -> timedelta:
    if not text or text == "Z":
        return timedelta(0)
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return size if text[0] == "+" else -size
