"""When each stream is polled besides its events.

- `safety_s` after the last poll, for what events may have missed.
- Sooner after a subscription began at "now", and while the object may not be selected for change events, which looks like
  no change: the interval starts at `fast_s` and doubles with each poll.
- Every `fast_s` while events do not come.
- When an event said that events do not tell all: at once, but not more often than every `fast_s`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass
class Entry:
    """One stream's polls, in seconds of a monotonic clock. `asked`: as soon as may be."""

    last: float
    fast: float
    interval: float
    asked: bool = False

    def next_at(self, *, without_events: bool) -> float:
        """When it is to be polled next."""
        return self.last + (self.fast if self.asked or without_events else self.interval)


@dataclass
class Agenda:
    """The polls of all streams."""

    fast_s: float
    safety_s: float
    _entries: dict[str, Entry] = field(default_factory=dict)

    def begin(self, name: str, now: float, *, often: bool = True) -> None:
        """A stream was read just now. Not `often`: a poll reads the whole table."""
        fast = self.fast_s if often else self.safety_s
        self._entries[name] = Entry(now, fast, fast)

    def soon(self, name: str) -> None:
        """Events do not tell all."""
        self._entries[name].asked = True

    def from_now(self, name: str, *, lost: bool) -> None:
        """A subscription began at "now". `lost`: there were events before it that are not known."""
        entry = self._entries[name]
        entry.interval = entry.fast
        entry.asked = entry.asked or lost

    def due(self, now: float, without_events: Collection[str]) -> list[str]:
        """The streams to poll now."""
        return [
            name
            for name, entry in self._entries.items()
            if entry.next_at(without_events=name in without_events) <= now
        ]

    def next_at(self, without_events: Collection[str]) -> float:
        """When the next poll is due."""
        moments = (
            entry.next_at(without_events=name in without_events) for name, entry in self._entries.items()
        )
        return min(moments, default=float("inf"))

    def polled(self, name: str, now: float) -> None:
        """A stream was polled."""
        entry = self._entries[name]
        entry.last, entry.asked = now, False
        entry.interval = min(entry.interval * 2, self.safety_s)
