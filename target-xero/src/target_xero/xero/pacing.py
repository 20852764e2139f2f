"""Xero's limits, kept ahead of time: 60 calls a minute, 5 at once, so many a day, all per organisation.

Xero counts the minute in a fixed window that starts at a time of its own. Whoever never has more than 60 calls in *any*
60 seconds never has more than 60 in that window either, wherever it starts:

    own calls        |....60....|                                  a slot is taken when the call may go, and is free again
    slot's life      take ---> answer ------ 60 s ------> free     60 s after the *answer*: Xero counted it somewhere between
    Xero's window       |<---------- 60 s ---------->|

Other users of the same allowance (a run that ended a moment ago, a colleague's script) show in `X-MinLimit-Remaining`: when
more is used up than our own calls explain, what is left by that header holds until the window it spoke of must be over. What
Xero says in a 429 goes over everything: `Retry-After` is waited out in full, by all threads.

`Pacer` never sends and knows no HTTP library. Clock and sleep are given, so that tests run it on a virtual clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from target_xero import limits


def steady_seconds() -> float:
    """A clock that nobody sets and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True)
class Timing:
    """Where time comes from. `seconds` only ever grows; both may be virtual."""

    seconds: Callable[[], float] = steady_seconds
    sleep: Callable[[float], None] = time.sleep


def whole_number(headers: Mapping[str, str], name: str) -> int | None:
    """A header's value as a number of zero or more; None when it is not there or not a number."""
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


class Pacer:
    """Gives out slots for calls to one organisation. One slot, one call."""

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        day_reserve: int = 0,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._timing = timing or Timing()
        self._day_reserve = day_reserve
        self._stop = stop
        self._lock = threading.Lock()
        self._free_at: deque[float] = deque()  # of answered calls, in the order of their answers
        self._open = 0  # slots given out whose call has no answer yet
        self._blocked_until = -math.inf
        self._shared_left: int | None = None  # calls left in Xero's window, while others use it too
        self._shared_until = -math.inf
        self._concurrent_429s = 0
        self.day_left: int | None = None
        """What Xero said last about today's calls."""
        self.waited = 0.0
        """Seconds spent waiting, for the run's report."""

    @property
    def day_is_over(self) -> bool:
        """Whether the day's calls are used up to the reserve."""
        with self._lock:
            return self._day_room() <= 0

    @property
    def free_in(self) -> float:
        """Seconds until a slot may be free, as far as time alone can free one; 0 when one is."""
        with self._lock:
            now = self._timing.seconds()
            return 0.0 if self._room(now) > 0 else self._pause(now)

    def take(self, wanted: int, *, patient: bool = True) -> int:
        """Takes up to `wanted` slots, waiting for the first; fewer come when fewer are free at once.

        Returns 0 when the day's calls are used up, the run is asked to stop, or none is free and we are not `patient`.
        """
        began = self._timing.seconds()
        while True:
            with self._lock:
                if self._stop() or self._day_room() <= 0:
                    granted = 0
                    break
                granted = min(wanted, self._room(self._timing.seconds()))
                if granted > 0:
                    self._open += granted
                    break
                if not patient:
                    granted = 0
                    break
                pause = self._pause(self._timing.seconds())
            self._timing.sleep(min(pause, limits.SLEEP_SLICE_S))
        self.waited += self._timing.seconds() - began
        return granted

    def give_back(self, slots: int) -> None:
        """Returns slots that no call was made with."""
        with self._lock:
            self._open -= slots

    def answered(self, headers: Mapping[str, str]) -> None:
        """A call ended, with these headers (names in lower case; none for a failure). Its slot stays taken for a minute."""
        with self._lock:
            now = self._timing.seconds()
            self._open -= 1
            self._free_at.append(now + limits.MINUTE_WINDOW_S)
            day_left = whole_number(headers, "x-daylimit-remaining")
            if day_left is not None:
                self.day_left = day_left
            minute_left = whole_number(headers, "x-minlimit-remaining")
            if minute_left is not None:
                self._note_minute(minute_left, now)

    def refused(self, headers: Mapping[str, str]) -> bool:
        """A call was answered with 429. Sets the wait it asks for; False when it is none that a run sits out.

        To be called after `answered`, and followed by `take(1)` where it returns True.
        """
        problem = headers.get("x-rate-limit-problem", "").strip().lower()
        asked = whole_number(headers, "retry-after")
        if problem == "day" or (asked is not None and asked > limits.RETRY_AFTER_MAX_S):
            return False
        with self._lock:
            now = self._timing.seconds()
            if asked is not None:
                wait: float = asked
            elif problem == "concurrent":
                self._concurrent_429s += 1
                wait = min(
                    limits.CONCURRENT_PAUSE_S * 2 ** (self._concurrent_429s - 1),
                    limits.CONCURRENT_PAUSE_MAX_S,
                )
            else:
                wait = limits.UNTOLD_PAUSE_S
            self._blocked_until = max(self._blocked_until, now + wait)
            self._shared_left = None  # the wait is the answer; an old figure must not lengthen it
        return True

    def _note_minute(self, left: int, now: float) -> None:
        self._forget_old(now)
        if left > 0:
            self._concurrent_429s = 0
        ours = self._open + len(self._free_at)  # all that Xero's window can hold of ours, at the most
        if limits.CALLS_PER_MINUTE - left <= ours:
            self._shared_left = None
            return
        if self._shared_left is None:
            self._shared_until = now + limits.MINUTE_WINDOW_S
        self._shared_left = left

    def _forget_old(self, now: float) -> None:
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        if now >= self._shared_until:
            self._shared_left = None

    def _room(self, now: float) -> int:
        """How many calls may go now."""
        self._forget_old(now)
        if now < self._blocked_until:
            return 0
        room = limits.CALLS_PER_MINUTE - self._open - len(self._free_at)
        if self._shared_left is not None:
            room = min(room, self._shared_left - self._open)
        return min(room, limits.FLIGHTS_MAX - self._open, self._day_room())

    def _day_room(self) -> int:
        if self.day_left is None:
            return limits.FLIGHTS_MAX
        return self.day_left - self._day_reserve - self._open

    def _pause(self, now: float) -> float:
        """How long until `_room` may have grown, as far as time alone can do it."""
        until = now + limits.SLEEP_SLICE_S
        if now < self._blocked_until:
            until = self._blocked_until
        elif self._shared_left is not None and self._shared_left - self._open <= 0:
            until = self._shared_until
        elif self._free_at and limits.CALLS_PER_MINUTE - self._open - len(self._free_at) <= 0:
            until = self._free_at[0]
        return max(until - now, limits.SLEEP_SHORTEST_S)
