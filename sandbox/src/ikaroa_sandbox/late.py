"""Requests that take effect after their client has given up: a queue of events, each with a time of its own."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ikaroa_sandbox.core import Backend, Request
from ikaroa_sandbox.errors import CommandError
from ikaroa_sandbox.limits import PENDING_LATE_COMMITS_MAX
from ikaroa_sandbox.times import iso


@dataclass(order=True, frozen=True)
class LateCommit:
    """One request still to be carried out; `seq` is its exchange's number in the journal."""

    due: datetime
    seq: int
    backend: Backend = field(compare=False)
    request: Request = field(compare=False)


class LateCommits:
    """The late commits to come, soonest first; among equals, the older request first."""

    def __init__(self) -> None:
        self._heap: list[LateCommit] = []

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, late: LateCommit) -> None:
        """Queues one. Raises CommandError beyond the limit."""
        if len(self._heap) >= PENDING_LATE_COMMITS_MAX:
            raise CommandError(f"{PENDING_LATE_COMMITS_MAX} late commits are pending; advance the clock")
        heapq.heappush(self._heap, late)

    def take_due(self, now: datetime) -> LateCommit | None:
        """Takes the next one whose time has come."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].due <= now else None

    def clear(self) -> None:
        """Forgets them all."""
        self._heap.clear()

    def save(self) -> object:
        """Those to come, for `restore`."""
        return tuple(self._heap)

    def restore(self, saved: Any) -> None:
        """Puts those from `save` back."""
        self._heap = list(saved)

    def as_json(self) -> list[dict[str, Any]]:
        """When each is due, and which exchange's it is."""
        return [{"due": iso(late.due), "of": late.seq} for late in sorted(self._heap)]
