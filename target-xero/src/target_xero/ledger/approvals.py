"""Proposals and their approval: what waits for a person's word, who gave it, and for what exactly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, insert, select, update

from target_xero.ledger.base import chunks
from target_xero.ledger.model import State
from target_xero.ledger.queue import QueueLedger
from target_xero.ledger.schema import DISMISSED, OPEN, approval, approved, intent, link
from target_xero.ledger.waiting import notes


@dataclass(frozen=True)
class Proposal:
    """A revision that waits for approval, or for `apply` after it."""

    id: int
    kind: str
    source_key: str
    label: str
    revision: int
    op: str
    content_hash: str
    proposed_by: str
    approval: int | None
    before_hash: str | None


@dataclass(frozen=True)
class Approved:
    """One revision as somebody approved it, and what has become of it since."""

    approval: int
    plan_hash: str
    approved_by: str
    intent_id: int
    kind: str
    source_key: str
    label: str
    content_hash: str
    before_hash: str
    state: State
    current: bool
    """This approval is the revision's last one."""


class ApprovalLedger(QueueLedger):
    """Between the planner, which proposes, and the executor, which only ever sees what is planned."""

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Everything inside is undone at the end: one transaction that is always rolled back, also when the process dies."""
        epoch = self.epoch
        # Another organisation's rehearsal on the same connection undoes this one, too.
        transaction = None if self._connection.in_transaction() else self._connection.begin()
        try:
            yield
        finally:
            if transaction is not None:
                transaction.rollback()
            self.epoch = epoch
            self.version += 1
            self._work = None

    def propose_open(self) -> None:
        """What an earlier run planned and nobody approved waits for approval, too; so does what is refused, once it goes again."""
        with self.atomic() as connection:
            mine = and_(intent.c.tenant == self.tenant.id, OPEN, intent.c.approval.is_(None))
            states = [State.PLANNED.value, State.REJECTED.value, State.PARKED.value]
            connection.execute(
                update(intent)
                .where(mine, intent.c.proposed_by.is_(None), intent.c.state.in_(states))
                .values(proposed_by=self.proposing)
            )
            self.shift(
                connection,
                update(intent)
                .where(mine, intent.c.state == State.PLANNED.value)
                .values(state=State.PROPOSED.value, note="", held_epoch=0),
            )
            self.version += 1

    def proposals(self) -> list[Proposal]:
        """All that wait, oldest first."""
        columns = [getattr(intent.c, name) for name in Proposal.__dataclass_fields__]
        statement = (
            select(*columns)
            .where(intent.c.tenant == self.tenant.id, OPEN, intent.c.state == State.PROPOSED.value)
            .order_by(intent.c.id)
        )
        with self.atomic() as connection:
            return [
                Proposal(**{**row._mapping, "proposed_by": row.proposed_by or ""})  # noqa: SLF001 (SQLAlchemy's public name)
                for row in connection.execute(statement)
            ]

    def suppose_approved(self, before_hash: str) -> None:
        """For a rehearsal: whatever waits may go, and so may what it releases."""
        with self.atomic() as connection:
            mine = and_(intent.c.tenant == self.tenant.id, OPEN)
            connection.execute(
                update(intent)
                .where(mine, intent.c.proposed_by.is_not(None))
                .values(approval=func.coalesce(intent.c.approval, 0), before_hash=before_hash)
            )
            connection.execute(
                update(intent)
                .where(mine, intent.c.state == State.PROPOSED.value)
                .values(state=State.PLANNED.value, note="", held_epoch=0, before_hash=before_hash)
            )
            self.version += 1

    def approve(
        self, plan_hash: str, by: str, comment: str, documents: Mapping[int, tuple[str, str]], now_ms: int
    ) -> int:
        """Keeps who approved which revisions.

        Args:
            plan_hash: of the plan that was shown.
            by: the approver.
            comment: what the approver wants kept with it.
            documents: (content hash, hash of what Xero has) by intent.
            now_ms: Xero's clock.

        Returns:
            The approval's number.
        """
        with self.atomic() as connection:
            row = {"tenant": self.tenant.id, "plan_hash": plan_hash, "approved_by": by}
            key = connection.execute(
                insert(approval).values(**row, approved_ms=now_ms, comment=comment)
            ).inserted_primary_key
            number = int(key[0]) if key else 0
            for chunk in chunks(documents.items()):
                connection.execute(
                    insert(approved),
                    [
                        {"approval": number, "intent_id": id_, "content_hash": content, "before_hash": before}
                        for id_, (content, before) in chunk
                    ],
                )
            for id_, (_, before) in documents.items():
                connection.execute(
                    update(intent)
                    .where(intent.c.id == id_, intent.c.state == State.PROPOSED.value)
                    .values(approval=number, before_hash=before)
                )
            self.record("approved", approval=number, plan=plan_hash, by=by, intents=sorted(documents))
            return number

    def approvals_to_apply(self) -> list[Approved]:
        """Every revision of every approval that has not been dealt with to its end."""
        statement = (
            select(
                approved,
                approval.c.plan_hash,
                approval.c.approved_by,
                intent.c.kind,
                intent.c.source_key,
                intent.c.label,
                intent.c.state,
                intent.c.approval.label("last"),
            )
            .join(approval, approval.c.id == approved.c.approval)
            .join(intent, intent.c.id == approved.c.intent_id)
            .where(approval.c.tenant == self.tenant.id, approval.c.applied_ms.is_(None))
            .order_by(approval.c.id, approved.c.intent_id)
        )
        with self.atomic() as connection:
            return [
                Approved(
                    approval=row.approval,
                    plan_hash=row.plan_hash,
                    approved_by=row.approved_by,
                    intent_id=row.intent_id,
                    kind=row.kind,
                    source_key=row.source_key,
                    label=row.label,
                    content_hash=row.content_hash,
                    before_hash=row.before_hash,
                    state=State(row.state),
                    current=row.approval == row.last,
                )
                for row in connection.execute(statement)
            ]

    def start_approved(self, ids: Sequence[int]) -> None:
        """Proposed -> planned, for what is approved: the executor may have it."""
        with self.atomic() as connection:
            self.fence(connection)
            for chunk in chunks(ids):
                self.shift(
                    connection,
                    update(intent)
                    .where(
                        intent.c.id.in_(chunk),
                        intent.c.state == State.PROPOSED.value,
                        intent.c.approval.is_not(None),
                    )
                    .values(state=State.PLANNED.value, note="", held_epoch=0),
                )
            self.version += 1

    def propose_again(self, ids: Sequence[int], note: str) -> None:
        """Planned or proposed -> proposed without approval: what was approved is not what there is now."""
        with self.atomic() as connection:
            self.fence(connection)
            self.shift(
                connection,
                update(intent)
                .where(intent.c.id.in_(ids), intent.c.state.in_([State.PLANNED.value, State.PROPOSED.value]))
                .values(
                    state=State.PROPOSED.value,
                    proposed_by=func.coalesce(intent.c.proposed_by, ""),
                    approval=None,
                    before_hash=None,
                    note=note,
                ),
            )
            self.version += 1

    def approvals_applied(self, numbers: Sequence[int], now_ms: int) -> None:
        """These have been dealt with to their end."""
        with self.atomic() as connection:
            connection.execute(update(approval).where(approval.c.id.in_(numbers)).values(applied_ms=now_ms))

    def newer_revision(self, kind: str, source_key: str) -> str:
        """The content hash of a document's newest revision."""
        statement = (
            select(intent.c.content_hash)
            .where(
                intent.c.tenant == self.tenant.id, intent.c.kind == kind, intent.c.source_key == source_key
            )
            .order_by(intent.c.id.desc())
        )
        with self.atomic() as connection:
            return str(connection.execute(statement).scalar() or "")

    def of_plan(self) -> list[dict[str, Any]]:
        """For a plan: every revision that this run settled, and every one that is open, oldest first."""
        left = and_(intent.c.op == "undo", intent.c.state == State.SUPERSEDED.value)
        settled = and_(intent.c.settled_epoch == self.epoch, (intent.c.state == State.DONE.value) | left)
        statement = (
            select(intent)
            .where(intent.c.tenant == self.tenant.id, settled | (OPEN & ~DISMISSED))
            .order_by(intent.c.id)
        )
        with self.atomic() as connection:
            rows = connection.execute(statement).all()
        told = notes(rows)
        return [{**row._mapping, "note": told[row.id]} for row in rows]  # noqa: SLF001

    def names(self, remote_ids: Iterable[str]) -> dict[str, str]:
        """What people call linked contacts and documents, by Xero's id: a contact's name, else the number, else the source's label."""
        found: dict[str, str] = {}
        with self.atomic() as connection:
            for some in chunks(sorted(set(remote_ids))):
                statement = (
                    select(link.c.remote_id, link.c.number, intent.c.document, intent.c.label)
                    .join(intent, intent.c.id == link.c.intent_id)
                    .where(link.c.tenant == self.tenant.id, link.c.remote_id.in_(some))
                )
                for remote_id, number, document, label in connection.execute(statement):
                    found[remote_id] = json.loads(document).get("Name") or number or label
        return {remote_id: name for remote_id, name in found.items() if name}
