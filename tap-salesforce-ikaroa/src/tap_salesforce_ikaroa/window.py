"""Moments and windows: what a pass reads, how far its bookmark may go.

    ──┬───────────────┬──────────────────┬────────────┬──► Salesforce's time
      │   lookback    │                  │            │
    start          bookmark          ceiling         end
      └── the window: start <= key < end, a fixed set ──┘

Everything committed before `ceiling` can be seen, so the bookmark never passes it; rows between it and `end` are read
already now, and again next time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, datetime, timedelta, timezone

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.soql import Condition

_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")
"""Salesforce writes +0000."""
EPOCH = datetime(limits.ORGS_BEGAN, 1, 1, tzinfo=timezone.utc)


def parse_stamp(text: str) -> datetime:
    """A date or date-time as Salesforce, STATE or a setting writes it; without an offset it is UTC.

    Raises:
        ValueError: it is neither.
    """
    value = text.strip()
    if not value[:4].isdecimal():  # pendulum reads times of today and durations, too
        raise ValueError(f"{text!r} is no date or date-time")
    try:
        moment = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", value.replace("Z", "+00:00")))
    except ValueError:
        import pendulum  # noqa: PLC0415  slow to import, and only for a form that a person wrote

        moment = pendulum.parse(value, tz=timezone.utc, exact=False)  # type: ignore[assignment]
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    if moment.year in {MINYEAR, MAXYEAR}:
        try:
            return moment.astimezone(timezone.utc)
        except OverflowError:
            raise ValueError(f"{text!r} lies outside of the calendar") from None
    return moment


def setting_stamp(text: str, setting: str) -> datetime:
    """A moment given in a setting.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return max(parse_stamp(text), EPOCH)
    except ValueError:
        raise SettingsError(
            f"`{setting}` is not a date: {text[:40]!r}. Write it as 2026-01-31 or 2026-01-31T00:00:00Z"
        ) from None


def unstamped(key: str) -> Window:
    """The rows whose key is empty, which no window of time holds."""
    return Window(None, only=soql.compare(key, "=", None))


def end_of_reading(now: datetime) -> datetime:
    """The upper, exclusive bound of a pass that begins now: rows stamped in this very second are still in."""
    return now.replace(microsecond=0) + timedelta(seconds=1)


@dataclass(frozen=True)
class Position:
    """The last row that was read: its key's value (None in a full-table pass) and its id."""

    stamp: datetime | None
    row_id: str


@dataclass(frozen=True)
class Window:
    """The rows one pass reads: by key from `start` to before `end`, and after `after`. No key means the whole table, or `only` a part."""

    key: str | None
    start: datetime | None = None
    end: datetime | None = None
    after: Position | None = None
    narrowed: bool = False
    """Whether it ends before the pass does."""
    only: Condition | None = None
    """What else holds of its rows."""

    @property
    def order_by(self) -> tuple[str, ...]:
        """The order in which rows come; unique, so that a position means one place."""
        return (self.key, "Id") if self.key else ("Id",)

    @property
    def condition(self) -> Condition | None:
        """The window as a WHERE condition."""
        bounds = [self.only, self._from()]
        if self.key and self.end:
            bounds.append(soql.compare(self.key, "<", self.end))
        return soql.all_of(*bounds)

    def _from(self) -> Condition | None:
        if self.after:
            return self._beyond(self.after, ">")
        return soql.compare(self.key, ">=", self.start) if self.key and self.start else None

    def _beyond(self, position: Position, operator: str) -> Condition:
        of_id = soql.compare("Id", operator, position.row_id)
        if not self.key:
            return of_id
        ties = soql.all_of(soql.compare(self.key, "=", position.stamp), of_id)
        return soql.any_of(soql.compare(self.key, operator[0], position.stamp), ties or of_id)

    def between(self, first: Position, last: Position) -> Condition | None:
        """The rows from one position to another, both included."""
        return soql.all_of(self.only, self._beyond(first, ">="), self._beyond(last, "<="))

    def resumed(self, after: Position | None) -> Window:
        """What is left after a position."""
        return replace(self, after=after or self.after)

    def halves(self) -> tuple[Window, Window] | None:
        """Two windows that together are this one; None when it is too short to be split."""
        if not self.key or not self.end:
            return None
        begin = (self.after.stamp if self.after else None) or self.start or EPOCH
        middle = begin + (self.end - begin) / 2
        middle = middle.replace(microsecond=0)
        if middle - begin < limits.WINDOW_MIN or self.end - middle < limits.WINDOW_MIN:
            return None
        return replace(self, end=middle, narrowed=True), Window(
            self.key, middle, self.end, narrowed=self.narrowed
        )
