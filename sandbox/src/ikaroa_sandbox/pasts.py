"""States of the near past, kept only while a fault may ask for a stale read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from ikaroa_sandbox.core import Backend
from ikaroa_sandbox.limits import STALE_STATES_MAX


@dataclass(frozen=True)
class _Past:
    until: datetime
    """This state held until the write at this time."""
    state: object


class Pasts:
    """For each system the states just before its latest writes, oldest first."""

    def __init__(self) -> None:
        self._of: dict[str, deque[_Past]] = {}

    def keep(self, backend: Backend, now: datetime, window_seconds: float) -> None:
        """Remembers the state just before a write, and forgets what no stale read within the window can reach."""
        pasts = self._of.setdefault(backend.name, deque(maxlen=STALE_STATES_MAX))
        horizon = now - timedelta(seconds=window_seconds)
        while pasts and pasts[0].until <= horizon:
            pasts.popleft()
        pasts.append(_Past(now, backend.save()))

    def at(self, system: str, moment: datetime) -> object | None:
        """The state that held at the moment; None when nothing has been written since, as far as is known."""
        return next((past.state for past in self._of.get(system, ()) if past.until > moment), None)

    def clear(self) -> None:
        """Forgets them all."""
        self._of.clear()
