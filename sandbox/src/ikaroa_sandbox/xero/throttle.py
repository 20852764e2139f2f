"""How often an organisation and an app may be called: fixed windows, and what is left of them.

"Requests are counted against a fixed window which will reset at different times for each tenant" (Xero developer docs).
The sandbox takes each tenant's windows to begin at a moment of its own.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime

from ikaroa_sandbox.xero import errors, limits


@dataclass
class Window:
    """One fixed window: so many calls in so many seconds, counted from `offset` seconds after each full span."""

    calls: int
    seconds: int
    offset: int = 0
    _used: dict[int, int] = field(default_factory=dict)
    """Calls by window; the latest few only. A dict, because late commits and clock jumps visit older windows."""

    def left(self, at: float) -> int:
        """Calls that may still come in the window of this moment (a POSIX time, as in all of these)."""
        return max(0, self.calls - self._used.get(self._index(at), 0))

    def take(self, at: float) -> None:
        """Counts one call."""
        index = self._index(at)
        self._used[index] = self._used.get(index, 0) + 1
        if len(self._used) > limits.WINDOWS_KEPT:
            del self._used[min(self._used)]

    def resets_in(self, at: float) -> int:
        """Whole seconds, at least one, until the next window begins."""
        into = (at - self.offset) % self.seconds
        return max(1, self.seconds - int(into))

    def copy(self) -> Window:
        """A copy for `save`."""
        return replace(self, _used=dict(self._used))

    def _index(self, at: float) -> int:
        return int((at - self.offset) // self.seconds)


@dataclass
class Throttle:
    """The limits of one tenant."""

    minute: Window
    day: Window
    concurrent: int = limits.CONCURRENT_CALLS
    high_volume: int = limits.HIGH_VOLUME_ROWS

    @classmethod
    def of(cls, tenant_id: str) -> Throttle:
        """Fresh windows; when they turn over is a matter of the tenant's id."""
        spread = zlib.crc32(tenant_id.encode())
        return cls(
            Window(limits.MINUTE_CALLS, limits.MINUTE_SECONDS, spread % limits.MINUTE_SECONDS),
            Window(limits.DAY_CALLS, limits.DAY_SECONDS, spread % limits.DAY_SECONDS),
        )

    def copy(self) -> Throttle:
        """A copy for `save`."""
        return replace(self, minute=self.minute.copy(), day=self.day.copy())


@dataclass
class Gate:
    """Lets calls through or refuses them; `app` is the window over all tenants of the app."""

    app: Window = field(default_factory=lambda: Window(limits.APP_MINUTE_CALLS, limits.MINUTE_SECONDS))

    def admit(self, tenant: Throttle, in_flight: int, now: datetime, *, count_refused: bool) -> None:
        """Counts this call, or refuses it.

        Args:
            tenant: the limits of the tenant that is called.
            in_flight: requests being served for this tenant at this moment, this one included.
            now: this moment.
            count_refused: whether a refused call uses up a call of the day.

        Raises:
            RateLimited: a limit is reached; the first of concurrent, day, minute, appminute is named.
        """
        at = now.timestamp()
        refusal = self._refusal(tenant, in_flight, at)
        if refusal is not None:
            if count_refused:
                tenant.day.take(at)
            raise refusal
        for window in (tenant.minute, tenant.day, self.app):
            window.take(at)

    def _refusal(self, tenant: Throttle, in_flight: int, at: float) -> errors.RateLimited | None:
        if in_flight > tenant.concurrent:
            return errors.RateLimited("concurrent", None)
        for problem, window in (("day", tenant.day), ("minute", tenant.minute), ("appminute", self.app)):
            if window.left(at) == 0:
                return errors.RateLimited(problem, window.resets_in(at))
        return None

    def headers(self, tenant: Throttle, now: datetime) -> dict[str, str]:
        """What every answer of a tenant says about its limits."""
        at = now.timestamp()
        return {
            "X-DayLimit-Remaining": str(tenant.day.left(at)),
            "X-MinLimit-Remaining": str(tenant.minute.left(at)),
            "X-AppMinLimit-Remaining": str(self.app.left(at)),
        }
