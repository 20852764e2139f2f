"""Values as they go onto Xero's wire: JSON with exact decimals, `/Date(ms)/`, GUIDs. The way back is `reading.py`.

Rows in the store hold Python objects (Decimal, date, datetime in UTC, bool, str); these functions are the only place
where they become wire values. Shapes: recorded traffic.
"""

from __future__ import annotations

import json
import random
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

JSON_UTF8 = "application/json; charset=utf-8"
JSON_BARE = "application/json"
ZERO_GUID = "00000000-0000-0000-0000-000000000000"

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_GUID = re.compile(
    r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?", re.IGNORECASE
)
_MARK = "\x01"
"""Stands around a number while the C encoder takes it for a string; JSON text from outside cannot hold it (`reading.json_body`)."""


def _number(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}{_MARK}"
    raise TypeError(f"{type(value).__name__} is no wire value: {value!r}")


_encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_number)


def dumps(content: Any) -> bytes:
    """JSON bytes; a Decimal becomes a number with exactly its digits (`1800.00`), never by way of a float."""
    text = _encoder.encode(content)
    if "\\u0001" in text:
        text = text.replace('"\\u0001', "").replace('\\u0001"', "")
    return text.encode("utf-8")


def new_guid(chance: random.Random) -> str:
    """A version 4 GUID in lower case, drawn from `chance`."""
    text = f"{chance.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"


def guid(value: Any) -> str | None:
    """The GUID in `value` in Xero's spelling (lower case, hyphens), or None when it is none."""
    match = _GUID.fullmatch(value) if isinstance(value, str) else None
    return "-".join(match.groups()).lower() if match else None


# -- dates out ---------------------------------------------------------------------------------------------------------


def ms(moment: datetime | date) -> str:
    """`/Date(1789344000000+0000)/`: date fields and most stamps."""
    return f"/Date({_milliseconds(moment)}+0000)/"


def ms_bare(moment: datetime | date) -> str:
    """`/Date(1789344000000)/`: envelopes, quotes, `CreatedDateUTC`, stamps in answers to Items writes."""
    return f"/Date({_milliseconds(moment)})/"


def day_string(day: date) -> str:
    """`2026-09-14T00:00:00`: the `…String` beside a date field."""
    return f"{day.isoformat()[:10]}T00:00:00"


def stamp_string(moment: datetime) -> str:
    """`2026-09-14T09:29:59Z`: `UpdatedDateUTCString`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(moment: datetime | date) -> int:
    if isinstance(moment, datetime):
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    return (moment.toordinal() - _EPOCH_DAY) * 86_400_000
