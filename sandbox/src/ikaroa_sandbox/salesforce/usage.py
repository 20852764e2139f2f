"""How many API requests the org has used in the last 24 hours, and how many it may."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import LimitError


@dataclass
class Usage:
    """A rolling window in minutes. `daily` is the org's allocation."""

    daily: int = limits.DAILY_API_REQUESTS
    buckets: deque[tuple[int, int]] = field(default_factory=deque)
    total: int = 0
    app_daily: int | None = None
    """Allocation of the client's own app, for orgs that tell of it in a second part of the header."""

    def spend(self, now: datetime, count: int = 1) -> None:
        """Counts requests. Raises LimitError when they are used up."""
        self._forget(now)
        if self.total + count > self.daily:
            raise LimitError
        self.add(now, count)

    def add(self, now: datetime, count: int) -> None:
        """Counts requests, whether they are there or not."""
        minute = int(now.timestamp()) // limits.LIMIT_BUCKET_SECONDS
        self.total += count
        if self.buckets and self.buckets[-1][0] == minute:
            count += self.buckets.pop()[1]
        self.buckets.append((minute, count))

    def clear(self) -> None:
        """Forgets every request."""
        self.buckets.clear()
        self.total = 0

    def _forget(self, now: datetime) -> None:
        oldest = int(now.timestamp() - limits.LIMIT_WINDOW_SECONDS) // limits.LIMIT_BUCKET_SECONDS
        while self.buckets and self.buckets[0][0] <= oldest:
            self.total -= self.buckets.popleft()[1]

    @property
    def header(self) -> str:
        """`Sforce-Limit-Info` of an answer."""
        used = f"api-usage={self.total}/{self.daily}"
        if self.app_daily is None:
            return used
        return f"{used}; per-app-api-usage={self.total}/{self.app_daily}(appName={limits.APP_NAME})"
