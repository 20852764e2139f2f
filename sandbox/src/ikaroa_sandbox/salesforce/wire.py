"""JSON as Salesforce writes it: exact decimals, `+0000` times; and the one place that builds responses.

Rows of a query are rendered straight to JSON text (`JsonText`), so a page costs no second pass.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from ikaroa_sandbox.core import Response

JSON_TYPE = "application/json;charset=UTF-8"
SCIENTIFIC_FROM = Decimal(10) ** 7
SCIENTIFIC_BELOW = Decimal("0.001")


def quote(text: str) -> str:
    """A text as a JSON string, letters of all languages as they are."""
    return encode_basestring(text)


class JsonText(str):
    """Text that is JSON already."""

    __slots__ = ()


def plain_number(value: Decimal) -> str:
    """A decimal with at least one place and no more than it needs: `1200.0`, `12.5`."""
    text = f"{value:f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def double_number(value: Decimal) -> str:
    """The same, but as a double prints: from ten million on (and below a thousandth) `1.2E7`."""
    size = abs(value)
    if not size or SCIENTIFIC_BELOW <= size < SCIENTIFIC_FROM:
        return plain_number(value)
    sign, digits, exponent = value.as_tuple()
    shown = "".join(map(str, digits)).lstrip("0")
    power = len(shown) - 1 + int(exponent)
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:].rstrip('0') or '0'}E{power}"


def dumps(value: Any) -> str:
    """JSON text of a value that may hold `JsonText` and `Decimal`."""
    if isinstance(value, JsonText):
        return value
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    if isinstance(value, Decimal):
        return plain_number(value)
    return json.dumps(value)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    body = dumps(value).encode("utf-8", "replace")  # half a character, echoed from a request, is no UTF-8
    return Response(status, {"Content-Type": JSON_TYPE, **(headers or {})}, body)


def empty_response(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status)


def stored_time(moment: datetime) -> str:
    """A moment as a column keeps it: UTC to the millisecond, without a zone, so that text sorts as time."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")[:-6]


def parse_stored(text: str) -> datetime:
    """The moment that a column keeps."""
    return datetime.strptime(text + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z")


def wire_time(text: str) -> str:
    """A stored moment as the API shows it: `2026-11-22T10:00:00.000+0000`."""
    return f"{text}+0000"
