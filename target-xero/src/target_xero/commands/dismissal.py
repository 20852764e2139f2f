"""What people decide of refused and parked documents: to leave them so, or to count them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from target_xero.errors import ConfigurationError
from target_xero.ledger import Tenant
from target_xero.ledger.dismissing import Dismissals
from target_xero.ledger.inspection import Inspection, Kept


@dataclass(frozen=True)
class Decision:
    """Who decides, why and when."""

    by: str
    comment: str
    at: datetime


def decide(
    inspection: Inspection,
    tenants: Sequence[Tenant],
    dismiss: Sequence[int],
    restore: Sequence[int],
    decision: Decision,
) -> list[str]:
    """Dismisses and restores refused and parked documents by their numbers; a wrong number among them, and nothing is changed.

    Returns:
        A sentence for each.

    Raises:
        ConfigurationError: a number is not that of a refused or parked (or a dismissed) document.
        LedgerError: a run has moved one of them just now.
    """
    if not dismiss and not restore:
        return []
    known = {kept.id: (tenant, kept) for tenant in tenants for kept in inspection.kept(tenant)}
    for number in dismiss:
        kept = known[number][1] if number in known else None
        if kept is None or not kept.may_be_left:
            raise ConfigurationError(_no_such(number, kept))
    for number in restore:
        if number not in known or not known[number][1].dismissed_by:
            raise ConfigurationError(
                f"no document with the number {number} is dismissed; nothing was changed"
            )
    told = []
    for tenant in tenants:
        leave, take_back = (
            [number for number in dict.fromkeys(numbers) if known[number][0] == tenant]
            for numbers in (dismiss, restore)
        )
        decided = Dismissals(inspection.ledger, tenant, decision.by, decision.at)
        decided.dismiss(leave, decision.comment)
        decided.restore(take_back)
        told += [_said(known[number][1], f"is left as it is, decided by {decision.by}") for number in leave]
        told += [_said(known[number][1], "is counted and tried again") for number in take_back]
    return told


def _said(kept: Kept, what: str) -> str:
    return f"#{kept.id} {kept.kind}: {kept.label} [{kept.source_key}] {what}."


def _no_such(number: int, kept: Kept | None) -> str:
    if kept is None:
        return f"no refused or parked document has the number {number} (`target-xero rejects` shows them); nothing was changed"
    return (
        f"#{number} is {kept.state.value}, neither refused nor parked: it goes, or is looked up, by itself, so it cannot be left as it "
        f"is. Look at it with `target-xero why {kept.source_key}`; nothing was changed"
    )
