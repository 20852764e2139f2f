"""One run of the tap in a history, as its process would go: records out, STATE out, and an end that may come anywhere.

The tap is the real one, made and shown the org's describes once a process; a run gives it settings, a STATE and a wire. What
the SDK does around it (settings checked, messages written) is left out: whole runs prove that elsewhere.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from unittest.mock import patch

from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa.bulk import pages
from tap_salesforce_ikaroa.bulk.ahead import JobsAhead
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.settings import client_of
from tap_salesforce_ikaroa.shapes import Shape
from tap_salesforce_ikaroa.streams import SalesforceStream
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa
from tap_salesforce_ikaroa.transport import RetryPolicy

from tests.histories.org import ADDRESS, FORMULA, ROOTS, Org
from tests.histories.wire import Died, Wire

State = dict[str, Any]
LOGIN = {
    "login_url": ADDRESS,
    "client_id": credentials.SALESFORCE_CLIENT_ID,
    "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
    "streams_to_discover": list(ROOTS),
}
COLUMNS = {"Id", "IsDeleted", "Description", "SystemModstamp", FORMULA, "AccountId", "OpportunityId"}


class _AtOnce:
    """Fetches result pages when asked to, in this thread: a seed must repeat."""

    def __init__(self, **_: Any) -> None:
        pass

    def submit(self, act: Callable[..., Any], *given: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(act(*given))
        except Exception as error:  # noqa: BLE001  it belongs to whoever waits for the result
            future.set_exception(error)
        return future

    def shutdown(self, **_: Any) -> None:
        pass


class _Stream(SalesforceStream):
    """Reads few columns: the fewer, the more histories."""

    @cached_property
    def selected_shape(self) -> Shape:  # type: ignore[override]
        known = {name for child in self.shape.children for name in (child.relationship,)}
        return self.shape.narrowed(lambda path: path[-1] in COLUMNS | known, self._always_read())


@dataclass
class Ending:
    """How a run ends before its time; both None: it does not."""

    at_batch: int | None = None
    """Stopped by a signal after so many batches: what was written is whole, STATE is written."""
    at_call: int | None = None
    """Killed at this request."""


@dataclass
class Run:
    """What came out: records in their order, each STATE with how many records stood before it, and the error."""

    records: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    states: list[tuple[int, State]] = field(default_factory=list)
    error: BaseException | None = None
    calls: int = 0


class Reading:
    """The tap of one process."""

    def __init__(self, org: Org) -> None:
        self.org = org

        class Tap(TapSalesforceIkaroa):
            http_adapter = SandboxAdapter(org.sandbox, spend_time=False)

        self.tap = Tap(config=LOGIN)
        self._streams = list(self.tap.selected)
        for stream in self._streams:
            stream.__class__ = _Stream

    def run(
        self,
        settings: dict[str, Any],
        state: State | None,
        wire: Wire,
        chance: random.Random,
        ending: Ending | None = None,
    ) -> Run:
        """One run, from a STATE to its end."""
        ending = ending or Ending()
        self._prepare(settings, state, wire)
        wire.dies_at = ending.at_call
        run = Run()
        with patch.object(pages, "ThreadPoolExecutor", _AtOnce):
            self._sync(run, wire, chance, ending)
        run.calls = wire.calls
        return run

    def _prepare(self, settings: dict[str, Any], state: State | None, wire: Wire) -> None:
        tap, config = self.tap, {**LOGIN, **settings}
        for owner in (tap, *self._streams):
            owner._config = config  # type: ignore[attr-defined]
        for made in ("client", "_survey", "ids"):
            tap.__dict__.pop(made, None)
        tap.jobs_ahead = JobsAhead()
        tap.__dict__["client"] = client_of(
            config, None, RetryPolicy(int(settings.get("max_retries", 0)), lambda _: None)
        )
        wire.attach(tap.client.transport)
        tap.state.clear()
        tap.load_state(copy.deepcopy(state or {}))

    def _sync(self, run: Run, wire: Wire, chance: random.Random, ending: Ending) -> None:
        batches = 0
        try:
            self.tap.client.tokens.session()  # as discovery does, which is left out
            for stream in self._streams:
                for batch in (source := stream.batches()):
                    batches += 1
                    if ending.at_batch == batches:
                        self._stopped(run, source, chance)
                        return
                    run.records += [(stream.name, record) for record in batch.records]
                    stream._remember(batch)
                    if not len(batch) or chance.random() < 0.3:  # at once, or as some seconds have passed
                        self._write_state(run)
                self._write_state(run)
        except TapError as error:
            run.error = error
            self._failed(run)
        except Died as error:
            run.error = error

    def _failed(self, run: Run) -> None:
        with suppress(Died):
            self.tap.jobs_ahead.discard()
            self._write_state(run)

    def _stopped(self, run: Run, source: Iterator[Any], chance: random.Random) -> None:
        """A signal, before the batch at hand is written: generators are closed before STATE is written or after it."""
        self.tap.jobs_ahead.discard()
        first = chance.random() < 0.5
        if first:
            source.close()  # type: ignore[attr-defined]
        self._write_state(run)
        if not first:
            source.close()  # type: ignore[attr-defined]

    def _write_state(self, run: Run) -> None:
        run.states.append((len(run.records), copy.deepcopy(self.tap.state)))


@contextmanager
def quiet() -> Iterator[None]:
    """Without the tap's log, which tells of every fault."""
    import logging  # noqa: PLC0415

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
