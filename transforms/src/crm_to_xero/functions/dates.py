"""Business dates: `YYYY-MM-DD`, no time zone, no "today"."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import zoneinfo
from functools import lru_cache
from typing import Any

from crm_to_xero import limits
from crm_to_xero.functions.registry import function
from crm_to_xero.functions.text import flatten

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_STAMP = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_TERMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "now",
        re.compile(
            r"^(?:due )?(?:(?:up)?on|at) receipt$|^immediate(?:ly)?$|^cod$|^cash(?: on delivery)?$|^prepaid$"
        ),
    ),
    (
        "month_end",
        re.compile(r"^(?:eom|end of month)(?: ?\+? ?(?P<n>\d+))?(?: days?)?$|^(?P<m>\d+)(?: days?)? eom$"),
    ),
    (
        "following",
        re.compile(
            r"^(?P<n>\d+)(?:st|nd|rd|th)?(?: day)? of (?:the )?(?:following|next) month$|^(?:mfi|prox) ?(?P<m>\d+)$"
        ),
    ),
    ("current", re.compile(r"^(?P<n>\d+)(?:st|nd|rd|th)?(?: day)? of (?:the )?(?:current |this )?month$")),
    ("net", re.compile(r"^(?:\d+(?:\.\d+)? ?%? ?/ ?\d+,? ?)?(?:net|n)? ?(?P<n>\d+)(?: ?days?)?(?: net)?$")),
)
"""Spellings of payment terms, tried in this order on lower-case text with `-`, `_` and double spaces made single spaces."""

_XERO_TYPES = {
    "now": "DAYSAFTERBILLDATE",
    "net": "DAYSAFTERBILLDATE",
    "month_end": "DAYSAFTERBILLMONTH",
    "following": "OFFOLLOWINGMONTH",
    "current": "OFCURRENTMONTH",
}


def parse_date(value: Any) -> dt.date:
    """The date of text `YYYY-MM-DD`.

    Raises:
        ValueError: It is no such text, or no such day.
    """
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError(f"{value!r} is no date YYYY-MM-DD; date(…) makes one of a time stamp")
    return dt.date.fromisoformat(value)


@function("Dates")
def date(value: Any, zone: str = "UTC") -> str | None:
    """The business date of a date or time stamp: `YYYY-MM-DD`, a time stamp read in the time zone given (default UTC).

    Example: date('2026-11-30T23:30:00.000+0000', 'Europe/Paris') -> '2026-12-01'
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, dt.datetime):
        moment = value
    elif isinstance(value, dt.date):
        return value.isoformat()
    else:
        stamp = str(value).strip()
        if _DATE.match(stamp):
            return parse_date(stamp).isoformat()
        moment = _moment(stamp)
    if moment.tzinfo is None:
        return moment.date().isoformat()
    try:
        return moment.astimezone(zoneinfo.ZoneInfo(zone)).date().isoformat()
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as exc:
        raise ValueError(f"{zone!r} is no time zone") from exc


def _moment(stamp: str) -> dt.datetime:
    """A time stamp in ISO 8601, or in milliseconds since 1970."""
    if stamp.isdecimal() and len(stamp) in {12, 13}:
        return dt.datetime.fromtimestamp(int(stamp) // 1000, tz=dt.timezone.utc)
    if not _STAMP.match(stamp):
        raise ValueError(f"{stamp!r} is neither a date nor a time stamp")
    import pendulum  # noqa: PLC0415  slow to import, and many runs have dates only

    try:
        return pendulum.parse(stamp, exact=False, tz=None)  # type: ignore[return-value]
    except ValueError:
        raise ValueError(f"{stamp!r} is neither a date nor a time stamp") from None


@function("Dates")
def add_days(value: Any, days: int) -> str | None:
    """The date so many days later (earlier, if negative).

    Example: add_days('2026-02-27', 2) -> '2026-03-01'
    """
    return None if value is None else (parse_date(value) + dt.timedelta(days=int(days))).isoformat()


@function("Dates")
def add_months(value: Any, months: int) -> str | None:
    """The same day so many months later, the month's last day where it is shorter.

    Example: add_months('2026-01-31', 1) -> '2026-02-28'
    """
    return (
        None
        if value is None
        else _month_day(parse_date(value), int(months), parse_date(value).day).isoformat()
    )


@function("Dates")
def later(*values: Any) -> str | None:
    """The latest of some dates; nothings are left out.

    Example: later('2026-11-02', None, '2026-11-30') -> '2026-11-30'
    """
    return max((parse_date(value).isoformat() for value in values if value is not None), default=None)


@function("Dates")
def latest(*values: Any) -> str | None:
    """The latest of some time stamps written alike, lists of them included; nothings are left out.

    Example: latest('2026-11-02T09:00:00Z', ['2026-11-03T09:00:00Z', None]) -> '2026-11-03T09:00:00Z'
    """
    last: str | None = None
    for value in values:
        if value is None or value == []:
            continue
        for stamp in (value,) if type(value) is str else map(str, flatten((value,))):
            if last is None or stamp > last:
                last = stamp
    return last


@function("Dates")
def terms(value: Any) -> dict[str, Any] | None:
    """Payment terms as Xero's `{Day, Type}`; nothing if the text is not understood. Understood: see `due_date`.

    Example: terms('EOM+20') -> {'Day': 20, 'Type': 'DAYSAFTERBILLMONTH'}
    """
    found = _parse_terms(value)
    if found is None or (found[0] in {"following", "current"} and not 1 <= found[1] <= 31):
        return None
    return {"Day": found[1], "Type": _XERO_TYPES[found[0]]}


@function("Dates")
def due_date(value: Any, payment_terms: Any = None, default_days: int | None = None) -> str | None:
    """The due date of an invoice date: by its terms, or so many days on where there are none.

    Terms: `NET30`, `Net 30`, `30 days`, `2/10 net 30`, `Due on receipt`, `COD`, `EOM`, `EOM+20` (20 days after the end of the
    invoice's month), `20th of following month`, `15 of month` (this month's, else next month's). Text that is none of these
    is an error, not a guess.

    Example: due_date('2026-11-02', 'EOM+20') -> '2026-12-20'
    """
    if value is None:
        return None
    start = parse_date(value)
    if payment_terms is None or (isinstance(payment_terms, str) and not payment_terms.strip()):
        return None if default_days is None else add_days(value, int(default_days))
    found = _parse_terms(payment_terms)
    if found is None:
        raise ValueError(
            f"the payment terms {payment_terms!r} are not understood; write NET30, EOM+20 or the like"
        )
    kind, days = found
    if kind in {"now", "net"}:
        return (start + dt.timedelta(days=days)).isoformat()
    if kind == "month_end":
        return (_month_day(start, 0, 31) + dt.timedelta(days=days)).isoformat()
    if kind == "following":
        return _month_day(start, 1, days).isoformat()
    this_month = _month_day(start, 0, days)
    return (this_month if this_month >= start else _month_day(start, 1, days)).isoformat()


def _parse_terms(value: Any) -> tuple[str, int] | None:
    return None if value is None or isinstance(value, bool) else _parse_terms_text(str(value))


@lru_cache(maxsize=1_024)
def _parse_terms_text(value: str) -> tuple[str, int] | None:
    said = re.sub(r"[\s_-]+", " ", value.strip().lower())
    for kind, pattern in _TERMS:
        match = pattern.match(said)
        if match is None:
            continue
        days = int(next((part for part in match.groupdict().values() if part), 0))
        return (kind, days) if days <= limits.PAYMENT_DAYS else None
    return None


def _month_day(start: dt.date, months: int, day: int) -> dt.date:
    """That day of the month so many months on, the month's last day where it is shorter."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, max(1, min(day, calendar.monthrange(year, month + 1)[1])))
