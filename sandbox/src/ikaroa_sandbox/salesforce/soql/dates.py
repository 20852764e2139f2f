"""What `TODAY`, `LAST_N_DAYS:30` and their kin mean: a half-open range of days. The week begins on Sunday."""

from __future__ import annotations

import re
from datetime import date, timedelta

_COUNTED = re.compile(
    r"(?P<side>last|next)?_?n_(?:fiscal_)?(?P<unit>day|week|month|quarter|year)s(?P<ago>_ago)?\Z"
)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _start(unit: str, day: date) -> date:
    if unit == "week":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    if unit == "day":
        return day
    months = _MONTHS[unit]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _shift(unit: str, start: date, count: int) -> date:
    if unit in {"day", "week"}:
        return start + timedelta(days=count * (7 if unit == "week" else 1))
    month = start.year * 12 + start.month - 1 + count * _MONTHS[unit]
    return date(month // 12, month % 12 + 1, 1)


def period(word: str, count: int | None, today: date) -> tuple[date, date]:
    """First day and the day after the last of a date literal. The fiscal year is the calendar year."""
    one_day = timedelta(days=1)
    if word in {"yesterday", "today", "tomorrow"}:
        day = today + one_day * {"yesterday": -1, "today": 0, "tomorrow": 1}[word]
        return day, day + one_day
    if word in {"last_90_days", "next_90_days"}:
        return period(f"{word[:4]}_n_days", 90, today)
    counted = _COUNTED.match(word)
    if counted is None:
        side, unit = word.replace("_fiscal", "").split("_")
        start = _shift(unit, _start(unit, today), {"last": -1, "this": 0, "next": 1}[side])
        return start, _shift(unit, start, 1)
    unit, number = counted["unit"], count or 0
    here = _start(unit, today)
    if counted["ago"]:
        start = _shift(unit, here, -number)
        return start, _shift(unit, start, 1)
    if counted["side"] == "last":
        # Of days the present one is part of the range, of longer units it is not.
        return _shift(unit, here, -number), here + one_day if unit == "day" else here
    return _shift(unit, here, 1), _shift(unit, here, number + 1)
