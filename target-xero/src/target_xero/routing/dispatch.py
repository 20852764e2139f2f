"""Brings documents to their organisations, with the ledger's word on where they are already.

withdrawn documents, and those that only move a link    go to who has the document; where nobody has it there is nothing to do
payments                                                go to who has what they pay
everything else                                         by the conditions; never to a second organisation
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from target_xero.engine import Engine
from target_xero.plan.item import is_withdrawn, key_of, only_moves
from target_xero.plan.kinds import KINDS
from target_xero.refusal import Refusal
from target_xero.routing.branches import Branch
from target_xero.routing.held import held, hold
from target_xero.routing.router import ELSEWHERE, Arrival, Route, Router

Needed = tuple[str, str]
"""Kind and source key of what a payment pays."""
Holders = Mapping[str, Mapping[str, bool]]
"""By source key, the tenants that know the document, each with whether it may be in Xero there."""


class Dispatch:
    """Routes documents of one run.

    Args:
        branches: the organisations.
        variants: which variant of a document each takes.
        engines: their runs; None for one that is out of reach, whose documents are left out (STATE is held back).
        ask: whether to ask Xero if a document that changed its organisation is gone from the one before.
    """

    def __init__(
        self,
        branches: Sequence[Branch],
        variants: Sequence[int],
        engines: Sequence[Engine | None],
        *,
        ask: bool,
    ) -> None:
        self._branches = branches
        self._variants = variants
        self._engines = engines
        self._ask = ask
        self._router = Router(branches, variants)
        self._tenants = {
            engine.tenant.id if engine is not None else str(branch.settings.tenant_id): number
            for number, (branch, engine) in enumerate(zip(branches, engines, strict=True))
        }
        self._shared = frozenset().union(*(branch.takes_all for branch in branches))
        self._home = next(engine for engine in engines if engine is not None)
        """Keeps what belongs to no organisation, and is asked about all of them."""
        self._sent: dict[tuple[str, str], int] = {}
        self._held = 0

    def dispatch(self, arrivals: Sequence[Arrival]) -> None:
        """Each document to its organisation, or into the ledger as refused. When it returns, the ledger owns them all."""
        self._sent.clear()
        by_stream: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            by_stream.setdefault(arrival.stream, []).append(arrival)
        for stream, batch in by_stream.items():
            keys = [key_of(arrival.document) for arrival in batch]
            before = [str(arrival.document.get("previous_source_key") or "") for arrival in batch]
            holders = self._home.ledger.holders(stream, {*keys, *before} - {""})
            paid = self._paid(batch) if stream == "payments" else {}
            for arrival, key, old in zip(batch, keys, before, strict=True):
                self._dispatch(arrival, key, old, holders, paid)
        for engine in self._engines:
            if engine is not None:
                engine.plan()

    def _dispatch(
        self, arrival: Arrival, key: str, old: str, holders: Holders, paid: Mapping[Needed, int]
    ) -> None:
        document = arrival.document
        if is_withdrawn(document) or only_moves(document):
            for tenant in {*holders.get(key, ()), *holders.get(old, ())}:
                self._give(self._tenants.get(tenant), arrival)
            return
        followed = [paid[needed] for needed in _needed(arrival) if needed in paid]
        route = Route(followed[:1]) if followed else self._router.route(arrival)
        if route.refusal is not None:
            self._hold(self._where(key, holders), arrival, key, route.refusal)
            return
        if arrival.stream not in self._shared and self._engines[route.branches[0]] is not None:
            refusal = self._already_elsewhere(arrival.stream, key, route.branches[0], holders.get(key, {}))
            if refusal is not None:
                self._hold(self._engines[route.branches[0]], arrival, key, refusal)
                return
        for number in route.branches:
            self._sent[arrival.stream, key] = number
            self._give(number, arrival)

    def _give(self, number: int | None, arrival: Arrival) -> None:
        engine = None if number is None else self._engines[number]
        if engine is not None and number is not None:
            body = arrival.bodies.get(self._variants[number])
            engine.accept(arrival.stream, [body if body is not None else arrival.document])

    def _hold(self, engine: Engine | None, arrival: Arrival, key: str, refusal: Refusal) -> None:
        if engine is not None:
            engine.plan()  # what came before it for the same key goes before it
            hold(engine, arrival, key, refusal)
            self._held += 1

    def _where(self, key: str, holders: Holders) -> Engine:
        """Who keeps a document that belongs nowhere now: whoever has it, else the first organisation."""
        numbers = [self._tenants[tenant] for tenant in holders.get(key, ()) if tenant in self._tenants]
        engine = self._engines[numbers[0]] if len(numbers) == 1 else None
        return engine or self._home

    # -- where a document is already -----------------------------------------------------------------------------------------

    def _paid(self, payments: Sequence[Arrival]) -> dict[Needed, int]:
        """The organisations of what these payments pay, as far as each is in exactly one."""
        wanted: dict[str, set[str]] = {}
        for kind, key in (needed for payment in payments for needed in _needed(payment)):
            wanted.setdefault(kind, set()).add(key)
        found: dict[Needed, int] = {}
        for kind, keys in wanted.items():
            for key, tenants in self._home.ledger.holders(kind, keys).items():
                numbers = [self._tenants[tenant] for tenant in tenants if tenant in self._tenants]
                if len(numbers) == 1:
                    found[kind, key] = numbers[0]
        return {**found, **self._sent}

    def _already_elsewhere(
        self, stream: str, key: str, number: int, holders: Mapping[str, bool]
    ) -> Refusal | None:
        """A document is never in two organisations: what had no effect elsewhere is dropped there, anything else bars it."""
        target = self._engines[number]
        for tenant, may_be_there in holders.items():
            if target is not None and tenant == target.tenant.id:
                continue
            other = self._tenants.get(tenant)
            engine = None if other is None else self._engines[other]
            if engine is not None and not may_be_there:
                known = engine.ledger.known(stream, [key]).get(key)
                engine.ledger.supersede([id_ for id_, _, _ in known.open] if known else [])
                continue
            if engine is not None and self._ask and engine.is_gone(stream, key):
                engine.ledger.unlink(stream, key)
                continue
            was = self._branches[other].name if other is not None else tenant
            now = self._branches[number].name
            one = KINDS[stream].one
            cure = (
                f"It is in {was} already and is for {now} now; target-xero never has one {one} in two organisations. Take it back "
                f"in {was} (delete, void or archive it in Xero), then run `target-xero retry`; or route it to {was} again."
            )
            return Refusal(ELSEWHERE, "organisation", was, cure)
        return None

    # -- what belongs nowhere yet --------------------------------------------------------------------------------------------

    def look_again_if_held(self) -> None:
        """What was held a moment ago may have found its way: a payment whose invoice came after it."""
        if self._held:
            self.look_again()

    def look_again(self, *, ask: bool | None = None) -> int:
        """Routes everything anew that waits for an organisation: conditions and documents may have changed. How many went."""
        self._held = 0
        if ask is not None:
            self._ask = ask
        waiting = [found for engine in self._engines if engine is not None for found in held(engine)]
        before = {intent.id for intent, _ in waiting}
        if waiting:
            self.dispatch([self._as_now(arrival) for _, arrival in waiting])
        self._held = 0
        after = {intent.id for engine in self._engines if engine is not None for intent, _ in held(engine)}
        return len(before - after)

    def _as_now(self, arrival: Arrival) -> Arrival:
        """Kept by an earlier run, when there may have been other variants."""
        missing = set(self._variants) - arrival.bodies.keys()
        return replace(arrival, bodies={**dict.fromkeys(missing, arrival.document), **arrival.bodies})


def _needed(arrival: Arrival) -> list[Needed]:
    if arrival.stream != "payments":
        return []
    named = (
        ("invoices", arrival.document.get("invoice_key")),
        ("credit_notes", arrival.document.get("credit_note_key")),
    )
    return [(kind, key) for kind, key in named if isinstance(key, str) and key]
