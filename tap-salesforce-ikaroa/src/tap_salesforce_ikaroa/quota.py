"""API calls: how many were made and for what, how many the org has left, and when to stop."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.errors import QuotaReachedError

_ORG = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")
_APP = re.compile(r"(?:^|[;,\s])per-app-api-usage=(\d+)/(\d+)")


class Purpose(str, Enum):
    """What a call was made for; the words of the summary line."""

    LOGIN = "login"
    DESCRIBE = "describe"
    CHANGES = "changes"  # ceilings, deletions and changed children, in one composite call
    QUERY = "query"
    COUNT = "count"  # how many rows, to choose between REST and Bulk
    BULK = "bulk"  # Bulk jobs: create, poll, fetch, delete
    REREAD = "reread"  # rows read again by their id
    RECHECK = "recheck"  # all roots of an aggregate read again


@dataclass(frozen=True)
class Usage:
    """Calls used of the calls allowed in 24 hours."""

    used: int
    allowed: int

    @property
    def percent(self) -> float:
        """The share that is used up."""
        return 100 * self.used / self.allowed if self.allowed else 0.0


def parse_limit_info(header: str | None) -> tuple[Usage | None, Usage | None]:
    """Both parts of `Sforce-Limit-Info`: the org's usage and, where given, this app's own."""
    org, app = _ORG.search(header or ""), _APP.search(header or "")
    return (
        Usage(int(org[1]), int(org[2])) if org else None,
        Usage(int(app[1]), int(app[2])) if app else None,
    )


@dataclass
class Quota:
    """Counts calls and stops the run at its budget.

    `percent_total`: stop when this share of the org's daily calls is used, by whomever.
    `percent_per_run`: stop when this run alone has used this share.
    """

    percent_total: int = limits.QUOTA_PERCENT_TOTAL
    percent_per_run: int = limits.QUOTA_PERCENT_PER_RUN
    stops: bool = True
    """False: calls are counted and never refused. For a look at why runs stop."""
    calls: Counter[Purpose] = field(default_factory=Counter)
    org: Usage | None = None
    app: Usage | None = None
    _earlier: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def counted(self) -> int:
        """The calls of this run, of its last day, that count against the org's allowance (logins do not)."""
        return self._all_counted() - self._earlier

    def new_day(self) -> None:
        """A run that lasts for days has its share of each day."""
        self._earlier = self._all_counted()

    def _all_counted(self) -> int:
        return sum(count for purpose, count in self.calls.items() if purpose is not Purpose.LOGIN)

    def learn(self, header: str | None) -> None:
        """Takes an answer's `Sforce-Limit-Info` header."""
        org, app = parse_limit_info(header)
        self.org, self.app = org or self.org, app or self.app

    def spend(self, purpose: Purpose) -> None:
        """Counts a call that is about to be made.

        Raises:
            QuotaReachedError: the budget is used up; the call must not be made.
        """
        with self._lock:  # result pages are fetched by several threads
            if self.stops and purpose is not Purpose.LOGIN:
                self._check()
            self.calls[purpose] += 1

    def _check(self) -> None:
        for usage, whose in ((self.org, "the org's"), (self.app, "this app's")):
            if usage and usage.allowed and usage.percent >= self.percent_total:
                raise QuotaReachedError(
                    f"stopped before the next API call: {usage.used} of {whose} {usage.allowed} daily calls are used, "
                    f"and `quota_percent_total` is {self.percent_total}. What was read so far is in STATE; the next "
                    "run goes on from there"
                )
        if self.org and self.org.allowed and 100 * self.counted >= self.percent_per_run * self.org.allowed:
            raise QuotaReachedError(
                f"stopped before the next API call: this run has made {self.counted} of the org's {self.org.allowed} "
                f"daily calls, and `quota_percent_per_run` is {self.percent_per_run}. What was read so far is in STATE; "
                "the next run goes on from there"
            )

    def summary(self) -> str:
        """One line for the end of a run: calls by purpose, and the org's usage."""
        parts = ", ".join(
            f"{purpose.value} {self.calls[purpose]}" for purpose in Purpose if self.calls[purpose]
        )
        line = f"API calls: {sum(self.calls.values())}" + (f" ({parts})" if parts else "")
        if self.org:
            line += f"; the org has used {self.org.used} of {self.org.allowed} today"
        return line
