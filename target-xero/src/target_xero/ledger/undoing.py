"""What a run wrote and can be taken back, what was taken back, and what still uses a document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, insert, select

from target_xero.ledger.model import State
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.queue import QueueLedger, only_of
from target_xero.ledger.schema import TAKEN_BACK, intent, link, need, run, undone

_UNDONE = Prepared(
    select(undone).where(
        undone.c.tenant == bindparam("tenant"),
        undone.c.kind == bindparam("kind"),
        undone.c.source_key.in_(bindparam("keys", expanding=True)),
    )
)
_SETTLED = intent.c.state.in_([State.DONE.value, State.SUPERSEDED.value])


@dataclass(frozen=True)
class Written:
    """A revision that a run wrote, and where the document stands now."""

    id: int
    kind: str
    source_key: str
    label: str
    url: str
    marker: str
    unique: bool
    op: str
    """Why it was written: `save`, `withdraw` or `undo`."""
    sent_op: str
    content_hash: str
    remote_id: str
    currency: str
    number: str
    link_remote_id: str | None
    """What the document is in Xero now; None: nothing of ours."""
    link_hash: str | None
    """Of the document as last agreed with Xero."""
    changed_in: int | None
    """The run that last agreed it with Xero."""
    busy: bool
    """Another revision of it is not settled."""
    newer: bool
    """One of these is what the source says by now."""


class UndoLedger(QueueLedger):
    """For `undo`, and for those who must not do again what it took back."""

    def has_run(self, epoch: int) -> bool:
        """Whether this organisation's ledger knows the run."""
        statement = select(run.c.epoch).where(run.c.tenant == self.tenant.id, run.c.epoch == epoch)
        with self.atomic() as connection:
            return connection.execute(statement).first() is not None

    def written_in(self, epoch: int, kind: str) -> list[Written]:
        """What a run created, updated or deleted, oldest first; of a document written twice, the last."""
        agreed = intent.alias("agreed")
        other = intent.alias("other")
        busy = exists().where(
            other.c.tenant == intent.c.tenant,
            other.c.kind == intent.c.kind,
            other.c.source_key == intent.c.source_key,
            other.c.state.not_in([State.DONE.value, State.SUPERSEDED.value, State.REJECTED.value]),
        )
        statement = (
            select(
                intent,
                link.c.remote_id.label("link_remote_id"),
                link.c.content_hash.label("link_hash"),
                link.c.number.label("number"),
                agreed.c.settled_epoch.label("changed_in"),
                busy.label("busy"),
                busy.where(other.c.op == "save").label("newer"),
            )
            .outerjoin(
                link,
                and_(
                    link.c.tenant == intent.c.tenant,
                    link.c.kind == intent.c.kind,
                    link.c.source_key == intent.c.source_key,
                ),
            )
            .outerjoin(agreed, agreed.c.id == link.c.intent_id)
            .where(
                intent.c.tenant == self.tenant.id,
                intent.c.kind == kind,
                intent.c.settled_epoch == epoch,
                intent.c.state == State.DONE.value,
                intent.c.sent_op.in_(["create", "update", "delete"]),
            )
            .order_by(intent.c.id)
        )
        with self.atomic() as connection:
            rows = connection.execute(statement).all()
        created = {row.source_key for row in rows if row.sent_op == "create"}
        last = {row.source_key: row for row in rows}
        return [
            _written(row, "create" if row.source_key in created else row.sent_op) for row in last.values()
        ]

    def revision_before(self, one: Written) -> dict[str, Any] | None:
        """The revision that was agreed with Xero before this one; None: the ledger has none."""
        statement = (
            select(intent)
            .where(
                intent.c.tenant == self.tenant.id,
                intent.c.kind == one.kind,
                intent.c.source_key == one.source_key,
                intent.c.id < one.id,
                intent.c.state == State.DONE.value,
                intent.c.op == "save",
                intent.c.content_hash != one.content_hash,
            )
            .order_by(intent.c.id.desc())
        )
        with self.atomic() as connection:
            row = connection.execute(statement).first()
        return None if row is None else {**row._mapping, "document": json.loads(row.document)}  # noqa: SLF001

    def note_undone(self, kind: str, source_key: str, content_hash: str, remote_id: str, by: str) -> None:
        """While the source says this, it is not written again. To be called in the transaction that plans the undoing."""
        with self.atomic() as connection:
            self.forget_undone(kind, [source_key])
            connection.execute(
                insert(undone).values(
                    tenant=self.tenant.id,
                    kind=kind,
                    source_key=source_key,
                    content_hash=content_hash,
                    remote_id=remote_id,
                    status="undone",
                    undone_by=by,
                    epoch=self.epoch,
                )
            )
            self.record("undone", kind=kind, key=source_key, content=content_hash, by=by)

    def forget_undone(self, kind: str, keys: Sequence[str]) -> None:
        """The source says something else by now, or somebody wants it back."""
        with self.atomic() as connection:
            connection.execute(
                delete(undone).where(
                    undone.c.tenant == self.tenant.id,
                    undone.c.kind == kind,
                    undone.c.source_key.in_(list(keys)),
                )
            )

    def undone(self, kind: str, keys: Iterable[str]) -> dict[str, Row[Any]]:
        """What was taken back, by source key."""
        with self.reading() as connection:
            rows = self.rows(connection, _UNDONE, list(keys), kind=kind)
            return {row.source_key: row for row in rows}

    def users_of(self, kind: str, source_key: str) -> list[str]:
        """Documents in Xero that need this one, named by number or key."""
        statement = (
            select(link.c.kind, link.c.number, link.c.source_key)
            .join(need, need.c.intent_id == link.c.intent_id)
            .where(link.c.tenant == self.tenant.id, need.c.kind == kind, need.c.source_key == source_key)
            .order_by(link.c.kind, link.c.source_key)
            .limit(3)
        )
        with self.atomic() as connection:
            return [number or key for _, number, key in connection.execute(statement)]

    def to_bring_back(self, kinds: Sequence[str], keys: Sequence[str]) -> list[Mapping[str, Any]]:
        """The revisions that were taken back, of these documents (empty: of all kinds, with all keys)."""
        statement = (
            select(intent)
            .join(undone, TAKEN_BACK)
            .where(intent.c.tenant == self.tenant.id, _SETTLED)
            .order_by(intent.c.id)
        )
        with self.atomic() as connection:
            rows = connection.execute(only_of(statement, kinds, keys)).mappings().all()
        newest: dict[tuple[str, str], Mapping[str, Any]] = {
            (row["kind"], row["source_key"]): dict(row) for row in rows
        }
        return list(newest.values())


def _written(row: Row[Any], sent_op: str) -> Written:
    return Written(
        id=row.id,
        kind=row.kind,
        source_key=row.source_key,
        label=row.label or row.source_key,
        url=row.url,
        marker=row.marker,
        unique=bool(row.uniq),
        op=row.op,
        sent_op=sent_op,
        content_hash=row.content_hash,
        remote_id=row.remote_id or "",
        currency=row.currency,
        number=row.number or "",
        link_remote_id=row.link_remote_id,
        link_hash=row.link_hash,
        changed_in=row.changed_in,
        busy=bool(row.busy),
        newer=bool(row.newer),
    )
