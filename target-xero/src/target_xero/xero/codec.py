"""JSON without a float: money is read as `Decimal` and written digit for digit, never in exponent notation."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import simplejson

_decode = json.JSONDecoder(parse_float=Decimal).decode


def _plain(value: Any) -> simplejson.RawJSON:
    if isinstance(value, Decimal) and value.is_finite():
        return simplejson.RawJSON(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not written to Xero")


def encode(body: Any) -> bytes:
    """A request's body. Raises TypeError for what JSON or money has no place for (NaN, dates, objects)."""
    text = simplejson.dumps(
        body, use_decimal=False, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode("utf-8")


def decode(content: bytes) -> Any:
    """An answer's body; None when it is empty or is no JSON."""
    try:
        return _decode(content.decode("utf-8").removeprefix("\ufeff"))
    except ValueError:
        return None
