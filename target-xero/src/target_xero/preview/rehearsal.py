"""A run that leaves no trace: the real planner and executor on the real books, inside a ledger transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from target_xero.access import Access
from target_xero.execute import Executor, ExecutorSettings
from target_xero.execute.drift import TO_BE_READ
from target_xero.ledger import Ledger
from target_xero.preview.client import RehearsalClient
from target_xero.preview.compose import contact_keys, documents_of, parties
from target_xero.preview.document import Plan, PlannedDocument
from target_xero.preview.files import save
from target_xero.settings import Settings
from target_xero.xero.driver import Driver

_TOLD = (
    "mapping", "mapping_options", "allow_statuses", "on_total_difference", "books_closed_until", "max_documents",
    "max_changed_percent", "max_amount", "second_approver", "batch_documents", "day_limit_reserve", "history_notes",
)  # fmt: skip
"""Settings that decide what is written; none of them is secret."""


@dataclass
class Shown:
    """A plan, and where it was saved."""

    plan: Plan
    saved: dict[str, Path] = field(default_factory=dict)


class Rehearsal:
    """From its making to its end the ledger stands in one transaction, which `end` (or the death of the process) undoes."""

    def __init__(self, ledger: Ledger, access: Access, settings: Settings) -> None:
        self._ledger = ledger
        self._access = access
        self._settings = settings
        self._undo = ExitStack()
        self._undo.enter_context(ledger.rehearsal())
        self.client = RehearsalClient(access.client, access.organisation)
        """To be driven in the place of the real one."""
        self._would_stop = ""

    def note_limit(self, sentence: str) -> None:
        """A run would be stopped here; the rehearsal goes on, for its plan is what people look at before they let it through."""
        self._would_stop = sentence

    def plan(self, purpose: str, stopped: str | None = None, undoes: int = 0) -> Plan:
        """What the rehearsal has come to so far."""
        organisation, settings = self._access.organisation, self._settings
        counts = self._ledger.summary().streams
        calls = self.client.calls
        return Plan(
            purpose=purpose,
            organisation=organisation.name,
            organisation_id=organisation.id,
            base_currency=organisation.base_currency,
            is_demo=organisation.is_demo,
            run_by=settings.run_by,
            made_at=self._access.clock.now(),
            settings={name: _plain(getattr(settings, name)) for name in _TOLD if getattr(settings, name)},
            documents=self._documents(),
            unchanged={kind: n for kind, count in counts.items() if (n := count.unchanged + count.undone)},
            calls={**calls, "connect": 1 + calls["connect"]},
            day_left=self.client.pacer.day_left,
            stopped=stopped or "",
            would_stop=self._would_stop,
            undoes=undoes,
        )

    def _documents(self) -> list[PlannedDocument]:
        ledger, rows, ids = self._ledger, self._ledger.of_plan(), parties(self.client)
        names = {**ledger.names(ids), **ledger.contact_names(ids)}
        return documents_of(rows, self.client, names, ledger.contacts_as_agreed(contact_keys(rows)))

    def show(self, purpose: str, stopped: str | None = None) -> Shown:
        """The plan, saved."""
        plan = self.plan(purpose, stopped)
        return Shown(plan, save(plan, self._settings.plan_path))

    def end(self) -> None:
        """Undoes everything since the rehearsal began. May be called twice."""
        self._undo.close()


def rehearse_proposals(
    ledger: Ledger,
    access: Access,
    settings: Settings,
    executor_settings: ExecutorSettings,
    stop: Callable[[], bool] = lambda: False,
) -> Plan:
    """What it would come to if all that waits for approval were released now."""
    rehearsal = Rehearsal(ledger, access, settings)
    try:
        ledger.suppose_approved(TO_BE_READ)
        told = replace(executor_settings, tell_limit=rehearsal.note_limit)
        executor = Executor(ledger, access.organisation, access.clock.now, told)
        stopped = Driver(rehearsal.client, stop).run(executor)
        return rehearsal.plan("proposals", stopped)
    finally:
        rehearsal.end()


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (bool, int, str, type(None))):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return str(value)
