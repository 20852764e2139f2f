"""Sends what the executor hands out, up to four calls at once, and brings it the answers: threads here, decisions there.

The executor, and with it the ledger, is only ever touched by the thread that calls `run`. A slot is taken from the pacer
*before* the executor is asked for calls, so that an intent is marked `sent` a moment before its bytes go, not a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from target_xero import limits
from target_xero.exchange import Answer, Call, Failure
from target_xero.xero.client import XeroClient


class Work(Protocol):
    """What the driver needs of the executor."""

    def next_calls(self, capacity: int) -> list[Call]:
        """Up to `capacity` calls that may go now."""

    def receive(self, answer: Answer) -> None:
        """Takes what came of a call."""

    @property
    def idle(self) -> bool:
        """Nothing is in flight and nothing may go now."""

    @property
    def stopped(self) -> str | None:
        """Why the run must end early, else None."""


class Driver:
    """Runs an executor's calls until there are none, or until the run must or shall end."""

    def __init__(
        self, client: XeroClient, stop: Callable[[], bool] = lambda: False, flights: int = limits.FLIGHTS_MAX
    ) -> None:
        self._client = client
        self._stop = stop
        self._flights = flights

    def run(self, work: Work) -> str | None:
        """Returns why it ended early, or None when the executor is idle. What is in flight is always waited for.

        Raises:
            TargetXeroError: there is no way to an access token. The ledger has every answer that came.
        """
        flying: dict[Future[Answer], Call] = {}
        bug: BaseException | None = None
        with ThreadPoolExecutor(self._flights, thread_name_prefix="xero") as threads:
            while True:
                if bug is None and self._may_start(work):
                    for call in self._next(work, self._flights - len(flying), patient=not flying):
                        flying[threads.submit(self._client.send, call)] = call
                if not flying:
                    break
                landed, _ = wait(flying, timeout=limits.POLL_S, return_when=FIRST_COMPLETED)
                for future in landed:
                    call = flying.pop(future)
                    broken = future.exception()
                    if broken is not None:
                        bug = bug or broken
                        work.receive(
                            Answer(call, failure=Failure.AMBIGUOUS, failure_detail=type(broken).__name__)
                        )
                    else:
                        work.receive(future.result())
        if bug is not None:
            raise bug
        if self._client.failed is not None:
            raise self._client.failed
        return self._why(work)

    def _may_start(self, work: Work) -> bool:
        return not (self._stop() or work.stopped or self._client.failed or self._client.pacer.day_is_over)

    def _next(self, work: Work, capacity: int, *, patient: bool) -> list[Call]:
        """Calls for the slots that are free; waits for a slot only when nothing is in flight."""
        if capacity <= 0 or work.idle:
            return []
        pacer = self._client.pacer
        slots = pacer.take(capacity, patient=patient)
        calls = work.next_calls(slots) if slots else []
        pacer.give_back(slots - len(calls))
        return calls

    def _why(self, work: Work) -> str | None:
        if work.stopped:
            return work.stopped
        if self._stop():
            return "interrupted"
        if self._client.pacer.day_is_over and not work.idle:
            left = self._client.pacer.day_left
            return f"today's limit of calls to Xero is used up but for the reserve ({left} left); the rest goes with the next run"
        return None
