"""Sends what executors hand out, up to four calls at once an organisation, and brings them the answers.

Threads here, decisions there. An executor, and with it the ledger, is only ever touched by the thread that calls `drive`. A
slot is taken from the pacer *before* the executor is asked for calls, so that an intent is marked `sent` a moment before its
bytes go, not a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from target_xero import limits
from target_xero.errors import TargetXeroError
from target_xero.exchange import Answer, Call, Failure
from target_xero.xero.pacing import Pacer


class Sender(Protocol):
    """What carries the calls: the client, or what stands in its place while a plan is made."""

    @property
    def pacer(self) -> Pacer:
        """Gives out slots, one a call."""

    @property
    def failed(self) -> TargetXeroError | None:
        """Why no call can go any more."""

    def send(self, call: Call) -> Answer:
        """Carries a call in a slot taken from the pacer. Always answers; gives the slot back."""


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


class Lane:
    """The calls of one organisation: started as slots come free, brought home as answers come."""

    def __init__(
        self,
        client: Sender,
        work: Work,
        stop: Callable[[], bool] = lambda: False,
        flights: int | None = None,
    ) -> None:
        self.flights = limits.FLIGHTS_MAX if flights is None else flights
        self.flying: dict[Future[Answer], Call] = {}
        self._client = client
        self._work = work
        self._stop = stop
        self._bug: BaseException | None = None

    @property
    def may_start(self) -> bool:
        """Whether there is something to send and nothing but a slot to wait for."""
        barred = (
            self._bug
            or self._stop()
            or self._work.stopped
            or self._client.failed
            or self._client.pacer.day_is_over
        )
        return not barred and not self._work.idle

    @property
    def free_in(self) -> float:
        """Seconds until a slot may be free, as far as time alone can free one."""
        return self._client.pacer.free_in

    def start(self, threads: ThreadPoolExecutor, *, patient: bool = False) -> bool:
        """Sends what may go now; waits for the first slot only when `patient`. Says whether anything went."""
        capacity = self.flights - len(self.flying)
        if capacity <= 0 or not self.may_start:
            return False
        pacer = self._client.pacer
        slots = pacer.take(capacity, patient=patient)
        calls = self._work.next_calls(slots) if slots else []
        pacer.give_back(slots - len(calls))
        for call in calls:
            self.flying[threads.submit(self._client.send, call)] = call
        return bool(calls)

    def land(self, future: Future[Answer]) -> None:
        """Hands an answer to the executor. A defect of ours counts as a call that may have been carried out."""
        call = self.flying.pop(future)
        broken = future.exception()
        if broken is None:
            self._work.receive(future.result())
            return
        self._bug = self._bug or broken
        self._work.receive(Answer(call, failure=Failure.AMBIGUOUS, failure_detail=type(broken).__name__))

    def end(self) -> str | None:
        """Why it ended early, or None when the executor is idle.

        Raises:
            TargetXeroError: there is no way to an access token. The ledger has every answer that came.
        """
        if self._bug is not None:
            raise self._bug
        if self._client.failed is not None:
            raise self._client.failed
        if self._work.stopped:
            return self._work.stopped
        if self._stop():
            return "interrupted"
        if self._client.pacer.day_is_over and not self._work.idle:
            left = self._client.pacer.day_left
            return f"today's limit of calls to Xero is used up but for the reserve ({left} left); the rest goes with the next run"
        return None


def drive(lanes: Sequence[Lane]) -> None:
    """Runs all lanes' calls until there are none, or until the run must or shall end. What is in flight is waited for.

    Organisations do not wait for each other: a lane without a free slot is passed over while another has one.
    """
    open_lanes = list(lanes)
    with ThreadPoolExecutor(sum(lane.flights for lane in lanes) or 1, thread_name_prefix="xero") as threads:
        while True:
            for lane in open_lanes:
                lane.start(threads)
            flying = {future: lane for lane in lanes for future in lane.flying}
            if flying:
                landed, _ = wait(flying, timeout=limits.POLL_S, return_when=FIRST_COMPLETED)
                for future in landed:
                    flying[future].land(future)
                continue
            open_lanes = [lane for lane in open_lanes if lane.may_start]
            if not open_lanes:
                return
            soonest = min(open_lanes, key=lambda lane: lane.free_in)
            if not soonest.start(threads, patient=True):
                open_lanes.remove(soonest)  # the day is over, a stop, or there was nothing after all


class Driver:
    """Runs the executor of one organisation."""

    def __init__(
        self, client: Sender, stop: Callable[[], bool] = lambda: False, flights: int | None = None
    ) -> None:
        self._client = client
        self._stop = stop
        self._flights = flights

    def lane(self, work: Work) -> Lane:
        """The executor's calls, for `drive`."""
        return Lane(self._client, work, self._stop, self._flights)

    def run(self, work: Work) -> str | None:
        """Returns why it ended early, or None when the executor is idle. Raises as `Lane.end` does."""
        lane = self.lane(work)
        drive([lane])
        return lane.end()
