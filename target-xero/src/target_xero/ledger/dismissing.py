"""What people decided to leave refused or parked: no longer counted, told or tried again, until the document or its reason changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from target_xero.errors import LedgerError
from target_xero.ledger.base import LedgerBase, milliseconds, storable
from target_xero.ledger.model import State, Tenant
from target_xero.ledger.schema import OPEN, dismissed, intent


class Dismissals:
    """One person's decisions on one organisation's documents.

    They need no run lock: a run that goes on moves a refused or parked document only when its source or a person says something
    new, and then it is another revision or another reason.
    """

    def __init__(self, ledger: LedgerBase, tenant: Tenant, by: str, at: datetime) -> None:
        self._ledger = ledger
        self._by = storable(by)
        self._at = at
        ledger.tenant, ledger.actor = tenant, by
        ledger.clock = lambda: at

    def dismiss(self, ids: Sequence[int], comment: str) -> None:
        """Leaves these refused or parked revisions as they are.

        Raises:
            LedgerError: one of them is neither any more; nothing was changed.
        """
        with self._ledger.atomic() as connection:
            for row in self._kept(connection, ids):
                connection.execute(delete(dismissed).where(dismissed.c.intent_id == row.id))
                connection.execute(
                    insert(dismissed).values(
                        intent_id=row.id,
                        refusals=row.refusals,
                        note=row.note,
                        dismissed_by=self._by,
                        dismissed_ms=milliseconds(self._at),
                        comment=storable(comment),
                    )
                )
                self._tell("dismissed", row)

    def restore(self, ids: Sequence[int]) -> None:
        """They are told, counted and tried again. Raises as `dismiss` does."""
        with self._ledger.atomic() as connection:
            for row in self._kept(connection, ids):
                connection.execute(delete(dismissed).where(dismissed.c.intent_id == row.id))
                self._tell("restored", row)

    def _kept(self, connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
        statement = select(intent).where(
            intent.c.tenant == self._ledger.tenant.id,
            OPEN,
            intent.c.id.in_(list(ids)),
            intent.c.state.in_([State.REJECTED.value, State.PARKED.value]),
        )
        rows = list(connection.execute(statement))
        if len(rows) != len(ids):
            raise LedgerError(
                "a run has just moved one of these documents; nothing was changed: look at `target-xero rejects` again"
            )
        return rows

    def _tell(self, do: str, row: Row[Any]) -> None:
        self._ledger.record(
            do, intent=row.id, kind=row.kind, key=row.source_key, content=row.content_hash, by=self._by
        )
