"""A run on several Xero organisations: one ledger, one source; each organisation with its own access, limits and rows.

An organisation that cannot be reached, or that does not let us in, does not hold up the others: theirs goes on, its own
documents come again with the next run, because STATE is held back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from crm_to_xero import Mapping as CrmMapping
from crm_to_xero import load_mapping
from crm_to_xero.documents import DOCUMENTS
from requests.adapters import BaseAdapter

from target_xero import limits
from target_xero.engine import Engine, Outcome
from target_xero.errors import ConfigurationError, LedgerError, TargetXeroError
from target_xero.ledger import Ledger, Tenant
from target_xero.ledger.model import Fingerprint
from target_xero.routing.dispatch import Dispatch
from target_xero.routing.router import Arrival
from target_xero.settings import Settings
from target_xero.terminal import as_typed
from target_xero.xero.driver import drive
from target_xero.xero.pacing import Timing

logger = logging.getLogger("target-xero")


class Organisations:
    """Behaves like one `Engine`. Raises as `Engine` does where no organisation is left at all.

    Args:
        settings: with `organisations`.
        stop: says whether the run is asked to end.
        adapter: carries the requests (default: the network).
        timing: where time comes from (default: the machine).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: Callable[[], bool] = lambda: False,
        adapter: BaseAdapter | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._branches = settings.organisations
        self._arrivals: list[Arrival] = []
        self._engines: list[Engine | None] = [None] * len(self._branches)
        self._failures: dict[int, TargetXeroError] = {}
        self._closed: dict[int, Outcome] = {}
        self.stopped: str | None = None
        self._mappings, variants = _mappings(settings)
        self._lock = Ledger.open(settings.ledger_path, settings.ledger_url)
        if self._lock.warning:
            logger.warning("%s", as_typed(self._lock.warning))
        try:
            for number, branch in enumerate(self._branches):
                self._open(number, branch.settings, branch.name, stop, adapter, timing)
            self._check()
            self._dispatch = Dispatch(self._branches, variants, self._engines, ask=settings.retry_refused)
            self._dispatch.look_again()
        except BaseException:
            self.abandon()
            raise

    def _open(
        self,
        number: int,
        settings: Settings,
        name: str,
        stop: Callable[[], bool],
        adapter: BaseAdapter | None,
        timing: Timing | None,
    ) -> None:
        try:
            self._engines[number] = Engine(
                settings, stop=stop, adapter=adapter, timing=timing, organisation=name, beside=self._lock
            )
        except LedgerError:
            raise
        except TargetXeroError as failure:
            self._fail(number, failure)

    def _check(self) -> None:
        """One must be there, and two entries that lead to one organisation would write everything twice."""
        if not any(self._engines):
            raise next(iter(self._failures.values()))
        seen: dict[str, str] = {}
        for branch, engine in zip(self._branches, self._engines, strict=True):
            if engine is None:
                continue
            other = seen.setdefault(engine.tenant.id, branch.name)
            if other != branch.name:
                raise ConfigurationError(
                    f"setting organisations: {other} and {branch.name} both lead to the Xero organisation "
                    f"{engine.tenant.name!r}. Check their tenant_id and credentials; nothing was written"
                )

    def _fail(self, number: int, failure: TargetXeroError) -> None:
        name = self._branches[number].name
        logger.error(
            "%s: %s. The other organisations go on; STATE is held back", name, as_typed(str(failure))
        )
        self._failures[number] = failure

    # -- documents in ------------------------------------------------------------------------------------------------------

    @property
    def ledger(self) -> Ledger:
        """The ledger they share, no organisation's run begun on this view of it."""
        return self._lock

    fingerprints = None
    """Where a record goes is not told by its own bytes alone: all are read."""

    def accept(
        self,
        stream: str,
        documents: Iterable[Mapping[str, Any]],
        of: Fingerprint | None = None,  # noqa: ARG002
    ) -> None:
        """Takes documents of one stream."""
        for document in documents:
            self._arrive(Arrival(stream, dict.fromkeys(self._mappings, document), document))

    def accept_record(self, source: str, record: dict[str, Any], of: Fingerprint | None = None) -> int:  # noqa: ARG002
        """Takes a record of the mapping's source as the documents it gives, in each organisation's shape; how many.

        Raises:
            RecordError: the record is no JSON object.
        """
        found: dict[tuple[str, str, int], dict[int, Mapping[str, Any]]] = {}
        for variant, mapping in self._mappings.items():
            if mapping is None:
                continue
            seen: dict[tuple[str, str], int] = {}
            for document in mapping.documents(source, record):
                name = document.stream, str(document.body["source_key"])
                seen[name] = seen.get(name, 0) + 1
                found.setdefault((*name, seen[name]), {})[variant] = document.body
        for (stream, _, _), bodies in found.items():
            self._arrive(Arrival(stream, bodies, record, source))
        return len(found)

    def _arrive(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        if len(self._arrivals) >= limits.ACCEPT_DOCUMENTS:
            self._plan()

    def _plan(self) -> None:
        arrivals, self._arrivals = self._arrivals, []
        order = list(DOCUMENTS)  # a payment goes where its invoice goes
        self._dispatch.dispatch(sorted(arrivals, key=lambda arrival: order.index(arrival.stream)))

    # -- as one engine -----------------------------------------------------------------------------------------------------

    def retry(self, kinds: Sequence[str] = (), keys: Sequence[str] = ()) -> int:
        """See `Engine.retry`; documents that belong to no organisation are looked at again, too."""
        moved = self._dispatch.look_again(ask=True)
        return moved + sum(engine.retry(kinds, keys) for engine in self._living().values())

    def on(self, tenant: Tenant) -> Engine:
        """The engine of one of them.

        Raises:
            TargetXeroError: it is out of reach.
        """
        for number, engine in enumerate(self._engines):
            if engine is not None and engine.tenant.id == tenant.id and number not in self._failures:
                return engine
        raise next(
            iter(self._failures.values()),
            ConfigurationError(f"no entry of organisations leads to {tenant.name}"),
        )

    def settle(self) -> bool:
        """See `Engine.settle`. False, too, where an organisation is out of reach."""
        self._plan()
        self._dispatch.look_again_if_held()
        lanes = {}
        for number, engine in self._living().items():
            engine.plan()
            lanes[number] = engine.lane()
        drive(list(lanes.values()))
        for number, lane in lanes.items():
            engine = self._living()[number]
            try:
                engine.stopped = lane.end()
            except LedgerError:
                raise
            except TargetXeroError as failure:
                engine.stopped = str(failure)
                self._fail(number, failure)
        reasons = [
            f"{self._branches[number].name}: {engine.stopped}"
            for number, engine in enumerate(self._engines)
            if engine is not None and engine.stopped
        ]
        reasons += [
            f"{self._branches[n].name}: {failure}"
            for n, failure in self._failures.items()
            if self._engines[n] is None
        ]
        self.stopped = "; ".join(reasons) or None
        return self.stopped is None

    def _living(self) -> dict[int, Engine]:
        return {
            number: engine
            for number, engine in enumerate(self._engines)
            if engine is not None and number not in self._failures
        }

    def close(self) -> Outcome:
        """See `Engine.close`: the sum, with every organisation's own outcome as `parts`."""
        try:
            parts = []
            for number, engine in reversed(
                list(enumerate(self._engines))
            ):  # a rehearsal ends with the first one
                name = self._branches[number].name
                if engine is None:
                    parts.append(Outcome.none(name, str(self._failures[number])))
                else:
                    parts.append(engine.close())
            parts.reverse()
            return Outcome.total(parts, self.stopped)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """See `Engine.abandon`."""
        for engine in self._engines:
            if engine is not None:
                engine.abandon()
        self._lock.close()


def _mappings(settings: Settings) -> tuple[dict[int, CrmMapping | None], list[int]]:
    """Every mapping that differs, by number, and which of them each organisation has."""
    distinct: list[dict[str, Any]] = []
    variants = []
    for branch in settings.organisations:
        options = branch.settings.mapping_options
        if options not in distinct:
            distinct.append(options)
        variants.append(distinct.index(options))
    if settings.mapping is None:
        return {0: None}, [0] * len(variants)
    return {n: load_mapping(settings.mapping, options) for n, options in enumerate(distinct)}, variants
