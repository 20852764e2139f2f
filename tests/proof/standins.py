"""What stands in for the machine while a schedule is carried out: clock, threads, connection, and points where it all ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.core import Clock

from tests.proof.schedule import Death, Freeze, RunPlan

if TYPE_CHECKING:
    from tests.proof.house import House

CALLS_MAX = 200
"""More calls than that in one run: it does not come to an end."""


class Died(BaseException):
    """The process ends here. No handler of the target may stop it."""


class Landing:
    """A call's answer, in the one thread there is: what the driver needs of a `Future`."""

    answer: Any = None

    def exception(self) -> None:
        """What a call raises is raised where it is sent."""

    def result(self) -> Any:
        """The answer."""
        return self.answer


class Seconds:
    """The sandbox's clock as a run sees it: seconds since some moment, worked out once for each time that it shows."""

    def __init__(self, clock: Clock, start: float) -> None:
        self._clock = clock
        self._shown = clock.now()
        self._zero = self._shown.timestamp() - start
        self._seconds = self._shown.timestamp() - self._zero

    def __call__(self) -> float:
        """Now."""
        now = self._clock.now()
        if now is not self._shown:
            self._shown, self._seconds = now, now.timestamp() - self._zero
        return self._seconds


class SeededThreads:
    """Stands in for the driver's thread pool: calls are sent, and their answers come home, in an order drawn from the seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._waiting: list[tuple[Landing, Callable[[], Any]]] = []
        self._sent: list[Landing] = []

    def __enter__(self) -> SeededThreads:
        return self

    def __exit__(self, *exc: object) -> None:
        """No thread to end."""

    def submit(self, function: Callable[..., Any], *args: Any) -> Landing:
        """See `ThreadPoolExecutor.submit`; nothing is sent yet."""
        future = Landing()
        self._waiting.append((future, partial(function, *args)))
        return future

    def wait(self, flying: Iterable[Landing], **_: Any) -> tuple[set[Landing], set[Landing]]:
        """See `concurrent.futures.wait`: sends one call, or brings one answer home."""
        rest = set(flying)
        if self._waiting and (not self._sent or self._chance.random() < 0.6):
            future, send = self._waiting.pop(self._chance.randrange(len(self._waiting)))
            future.answer = send()
            self._sent.append(future)
            return set(), rest
        landed = self._sent.pop(self._chance.randrange(len(self._sent)))
        return {landed}, rest - {landed}


class Line(SandboxAdapter):
    """The connection of one run: counts its requests, and knows what happens at which."""

    def __init__(self, house: House, plan: RunPlan, death: Death | None, chance: random.Random) -> None:
        super().__init__(house.sandbox)
        self._house, self._plan, self._chance = house, plan, chance
        self._death = death if death and "bytes" in death.where else None
        self._count = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """One request."""
        self._count += 1
        if self._count > CALLS_MAX:
            raise Died("the run does not come to an end")
        self.sandbox.clock.advance(self._chance.uniform(0.02, 0.9))
        for act in self._plan.acts:
            if act.n == self._count:
                self._house.people.act(act.what, act.chance)
        if self._plan.overlap == self._count:
            self._house.try_second_run()
        death = self._death if self._death and self._death.n == self._count else None
        if death and death.where == "before bytes":
            raise Died(death.where)
        if death and death.where == "bytes on their way":
            self.sandbox.faults.rules.clear()
            self.sandbox.faults.add({"do": "late_commit", "system": "xero", "seconds": death.seconds})
        response = (
            super().send(request, *args, **options) if not death else self._last(request, args, options)
        )
        if death:
            raise Died(death.where)
        return response

    def _last(self, request: requests.PreparedRequest, args: Any, options: Any) -> requests.Response | None:
        try:
            return super().send(request, *args, **options)
        except requests.RequestException:
            return None


class Fuse:
    """Stops the machine for a while, or ends the process, at the n-th passing of a named point."""

    def __init__(
        self, death: Death | None, freezes: Sequence[Freeze], stand_still: Callable[[float], object]
    ) -> None:
        self._death = death
        self._freezes = freezes
        self._stand_still = stand_still
        self._passed: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        """See `target_xero.crash`."""
        self._passed[name] += 1
        for freeze in self._freezes:
            if (name, self._passed[name]) == (freeze.where, freeze.n):
                self._stand_still(freeze.seconds)
        if self._death and (name, self._passed[name]) == (self._death.where, self._death.n):
            raise Died(name)
