"""One run on one organisation: documents go in, intents are planned in the ledger, carried out in Xero, and summed up.

    engine = Engine(settings)
    engine.accept("contacts", documents)     taken into memory, then into the ledger, batch by batch
    engine.settle()                          plans, sends, receives, until nothing more can be done now
    engine.close()                           what the run did; gives the ledger back

Everything happens in the caller's thread but the HTTP calls themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from requests.adapters import BaseAdapter

from target_xero import limits
from target_xero.access import Access
from target_xero.execute import Executor, ExecutorSettings
from target_xero.ledger import Ledger, RunSummary
from target_xero.plan import Planner, PlannerSettings
from target_xero.settings import Settings
from target_xero.xero.driver import Driver
from target_xero.xero.pacing import Timing


@dataclass
class Outcome:
    """What a run came to: the ledger's own count, and what it cost."""

    summary: RunSummary
    organisation: str
    problems: list[dict[str, Any]]
    """Documents that wait for a person, from this run and earlier ones, oldest first."""
    calls: dict[str, int] = field(default_factory=dict)
    """Requests that went out, by purpose, tokens included."""
    day_left: int | None = None
    """Calls that Xero still grants today, as it last said."""
    stopped: str | None = None
    """Why the run ended before everything was done."""


class Engine:
    """Opens the ledger and takes its lock, gets access, and pins the organisation.

    Args:
        settings: the target's settings.
        stop: says whether the run is asked to end; what is in flight is waited for.
        adapter: carries the requests (default: the network).
        timing: where time comes from (default: the machine).

    Raises:
        TargetXeroError: there is no usable ledger, no access, no Xero, or another organisation than the ledger's.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: Callable[[], bool] = lambda: False,
        adapter: BaseAdapter | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._pending: dict[str, list[Mapping[str, Any]]] = {}
        self._held = 0
        self.stopped: str | None = None
        self._ledger = Ledger(settings.ledger_path)
        try:
            self._access = Access(settings, stop=stop, adapter=adapter, timing=timing)
        except BaseException:
            self._ledger.close()
            raise
        try:
            self._start()
        except BaseException:
            self.abandon()
            raise

    def _start(self) -> None:
        settings, access = self._settings, self._access
        self._ledger.begin_run(access.organisation.tenant, access.clock.now())
        self._planner = Planner(
            self._ledger,
            lambda: access.organisation,
            PlannerSettings(allow_statuses=settings.allow_statuses),
        )
        if settings.retry_refused:
            self._planner.retry()
        self._executor = Executor(
            self._ledger,
            access.organisation,
            access.clock.now,
            ExecutorSettings(
                quiet_period_s=settings.quiet_period_s, batch_documents=settings.batch_documents
            ),
        )
        self._driver = Driver(access.client, self._stop)

    def accept(self, stream: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Takes documents of one stream. They are in the ledger at the latest when `settle` returns."""
        held = self._pending.setdefault(stream, [])
        before = len(held)
        held.extend(documents)
        self._held += len(held) - before
        if self._held >= limits.ACCEPT_DOCUMENTS:
            self._plan()

    def _plan(self) -> None:
        while self._pending:
            stream = next(iter(self._pending))
            self._planner.accept(stream, self._pending[stream])
            del self._pending[stream]
        self._held = 0

    def retry(self, kinds: Sequence[str] = (), keys: Sequence[str] = ()) -> int:
        """Refused and parked documents (empty: of all kinds, with all keys) go again with the next `settle`; how many."""
        return self._planner.retry(kinds, keys)

    def settle(self) -> bool:
        """Plans what was accepted and carries out all that can be done now.

        Returns:
            Whether it was: everything accepted is done, refused, parked, or waits in the ledger for its time. False when
            the run must end first (`stopped` says why).

        Raises:
            TargetXeroError: no access any more, or the ledger cannot be written. What the ledger has, it has.
        """
        self._plan()
        self.stopped = self._driver.run(self._executor)
        return self.stopped is None

    def outcome(self, summarise: Callable[[], RunSummary] | None = None) -> Outcome:
        """What the run has come to so far."""
        return Outcome(
            summary=(summarise or self._ledger.summary)(),
            organisation=self._access.organisation.name,
            problems=self._ledger.problems(),
            calls=self._access.calls,
            day_left=self._access.client.pacer.day_left,
            stopped=self.stopped,
        )

    def close(self) -> Outcome:
        """Writes the run's summary into the ledger and gives the ledger back."""
        try:
            return self.outcome(partial(self._ledger.finish_run, self._access.clock.now()))
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Gives the ledger back without a word; for a run that ends on a failure."""
        self._access.close()
        self._ledger.close()
