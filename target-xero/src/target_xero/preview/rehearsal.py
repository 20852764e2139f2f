"""A run that leaves no trace: the real planner and executor on the real books, inside a ledger transaction that is rolled back."""

from __future__ import annotations

from typing import Any

from target_xero.access import Access
from target_xero.ledger import Ledger
from target_xero.preview.client import RehearsalClient
from target_xero.preview.compose import documents_of
from target_xero.preview.document import Plan
from target_xero.settings import Settings

_TOLD = (
    "mapping", "mapping_options", "allow_statuses", "on_total_difference", "books_closed_until", "max_documents",
    "max_changed_percent", "max_amount", "second_approver", "batch_documents", "day_limit_reserve", "history_notes",
)  # fmt: skip
"""Settings that decide what is written; none of them is secret."""


def plan_of(
    purpose: str,
    settings: Settings,
    access: Access,
    ledger: Ledger,
    client: RehearsalClient,
    stopped: str | None = None,
) -> Plan:
    """The plan a rehearsal came to; to be made before its transaction is rolled back."""
    organisation = access.organisation
    summary = ledger.summary()
    return Plan(
        purpose=purpose,
        organisation=organisation.name,
        organisation_id=organisation.id,
        base_currency=organisation.base_currency,
        is_demo=organisation.is_demo,
        run_by=settings.run_by,
        made_at=access.clock.now(),
        settings={name: _plain(getattr(settings, name)) for name in _TOLD if hasattr(settings, name)},
        documents=documents_of(ledger.of_plan(), client),
        unchanged={kind: counts.unchanged for kind, counts in summary.streams.items() if counts.unchanged},
        calls={
            "connect": 1 + client.calls["connect"],
            **{k: n for k, n in sorted(client.calls.items()) if k != "connect"},
        },
        day_left=client.pacer.day_left,
        stopped=stopped or "",
    )


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (bool, int, str, type(None))):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return str(value)
