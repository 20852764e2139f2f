"""Reads Xero's lists into the ledger's directory, and nothing else: what a lost ledger is rebuilt from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from target_xero.exchange import Answer, Call
from target_xero.execute.context import ExecutorSettings, RunContext
from target_xero.execute.lookups import ListingFlight
from target_xero.ledger import Ledger
from target_xero.plan.organisation import Organisation

LISTED = ("items", "contacts", "quotes", "invoices", "credit_notes", "payments")
"""The kinds that have a list; allocations are read with their credit notes."""


class Relist:
    """Like the executor, for a driver; one list at a time, so that a page is never read twice."""

    def __init__(self, ledger: Ledger, organisation: Organisation, now: Callable[[], datetime]) -> None:
        self._context = RunContext(ledger, organisation, now, ExecutorSettings())
        self._flying: list[ListingFlight] = []

    @property
    def stopped(self) -> str | None:
        """Why it ended early."""
        blind = [kind for kind in LISTED if self._context.sight(kind).blind]
        if blind:
            return f"Xero's list of {blind[0].replace('_', ' ')} could not be read. Run it again."
        return self._context.stopped

    @property
    def idle(self) -> bool:
        """Every list has been read to its end."""
        return not self._flying and self._next() is None

    def _next(self) -> str | None:
        return next((kind for kind in LISTED if self._context.sight(kind).asked_ms is None), None)

    def next_calls(self, capacity: int) -> list[Call]:
        """The next page, unless one is on its way."""
        kind = self._next()
        if self._flying or capacity < 1 or kind is None or self.stopped:
            return []
        self._flying.append(ListingFlight(self._context, kind))
        return [self._flying[0].call]

    def receive(self, answer: Answer) -> None:
        """Takes the page in."""
        self._flying.pop().settle(answer)
        self._context.heard(answer)
