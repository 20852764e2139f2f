"""What people ask the ledger beside the runs: what waits for them, what is linked with how much, how a document came about.

Read only; it needs no run lock, so it may be asked while a run goes on, and answers as of the last commit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from target_xero.ledger import schema
from target_xero.ledger.base import LedgerBase
from target_xero.ledger.model import State, Tenant
from target_xero.ledger.schema import (
    OPEN,
    TAKEN_BACK,
    alias,
    approval,
    approved,
    dismissed,
    intent,
    leaves,
    link,
    run,
    undone,
)
from target_xero.ledger.waiting import notes
from target_xero.refusal import Refusal

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_AGREED = (
    select(
        link, intent.c.label, intent.c.url, intent.c.currency, intent.c.amount_minor,
        intent.c.xero_amount_minor, intent.c.xero_total_minor, intent.c.document,
    )
    .outerjoin(intent, intent.c.id == link.c.intent_id)
    .where(link.c.tenant == bindparam("tenant"))
    .order_by(link.c.kind, link.c.source_key)
)  # fmt: skip


def moment(ms: int | None) -> datetime | None:
    """The ledger's milliseconds as a point in time."""
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)


@dataclass(frozen=True)
class Kept:
    """A document that is not settled, and why."""

    kind: str
    source_key: str
    label: str
    url: str
    state: State
    op: str
    note: str
    refusals: tuple[Refusal, ...]
    since_run: int
    """The run it has been like this since (refused or parked: when that was found; else: when it was planned)."""
    since: datetime | None
    marker: str
    currency: str
    amount_minor: int | None
    document: dict[str, Any]
    id: int = 0
    """Of the revision."""
    dismissed_by: str = ""
    """Who decided to leave it so; empty: nobody."""
    dismissed: datetime | None = None

    @property
    def may_be_left(self) -> bool:
        """Refused or parked: nothing moves it but its source or a person, who may decide that nothing shall."""
        return self.state in (State.REJECTED, State.PARKED)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules it breaks; of a document without refusals, its state."""
        return tuple(refusal.rule for refusal in self.refusals) or (self.state.value,)


@dataclass(frozen=True)
class Undone:
    """A revision that `undo` took back, and that the source still says."""

    kind: str
    source_key: str
    label: str
    url: str
    marker: str
    currency: str
    amount_minor: int | None
    document: dict[str, Any]
    by: str
    run: int
    """That took it back."""


@dataclass(frozen=True)
class Agreed:
    """A link with the revision that was last agreed with Xero (`document` is empty where there is none)."""

    kind: str
    source_key: str
    remote_id: str
    number: str
    marker: str
    status: str
    label: str
    url: str
    currency: str
    source_minor: int | None
    """The source's own sum of that revision, before tax (prices with tax: with it; payments: the amount)."""
    agreed_minor: int | None
    """The same, as Xero answered."""
    total_minor: int | None
    """With tax, as Xero answered."""
    adopted: bool = False
    """It was in Xero before this ledger wrote it."""
    document: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Revision:
    """One revision of a document, in the order in which they came."""

    id: int
    kind: str
    source_key: str
    revision: int
    op: str
    state: State
    document: dict[str, Any]
    label: str
    url: str
    marker: str
    note: str
    refusals: tuple[Refusal, ...]
    attempt: int
    correlation: str
    """Xero's own id of the exchange in which it was last sent; empty: none came back."""
    sent_op: str | None
    sent_at: datetime | None
    remote_id: str | None
    amount_minor: int | None
    agreed_minor: int | None
    total_minor: int | None
    currency: str
    planned_run: int
    planned_at: datetime | None
    settled_run: int | None
    settled_at: datetime | None


class Inspection:
    """Reads of one ledger."""

    def __init__(self, ledger: LedgerBase) -> None:
        self._ledger = ledger

    @property
    def ledger(self) -> LedgerBase:
        """The ledger itself."""
        return self._ledger

    def tenants(self) -> list[Tenant]:
        """The organisations that runs on this ledger have been pinned to."""
        with self._ledger.atomic() as connection:
            rows = connection.execute(select(schema.tenant).order_by(schema.tenant.c.pinned_ms)).all()
        return [Tenant(row.id, row.name, row.base_currency, bool(row.is_demo)) for row in rows]

    def kept(self, tenant: Tenant) -> list[Kept]:
        """All documents that are not settled, oldest first."""
        statement = (
            select(intent, dismissed.c.dismissed_by, dismissed.c.dismissed_ms)
            .select_from(intent)
            .outerjoin(dismissed, leaves(dismissed))
            .where(intent.c.tenant == tenant.id, OPEN)
            .order_by(intent.c.id)
        )
        with self._ledger.atomic() as connection:
            runs = self._runs(connection)
            rows = connection.execute(statement).all()
        told = notes(rows)
        return [_kept(row, runs, told[row.id]) for row in rows]

    def agreed(self, tenant: Tenant) -> list[Agreed]:
        """Every link, in the order of kinds and keys."""
        with self._ledger.atomic() as connection:
            return [_agreed(row) for row in connection.execute(_AGREED, {"tenant": tenant.id})]

    def link(self, tenant: Tenant, kind: str, source_key: str) -> Agreed | None:
        """The link of one document."""
        statement = _AGREED.where(link.c.kind == kind, link.c.source_key == source_key)
        with self._ledger.atomic() as connection:
            row = connection.execute(statement, {"tenant": tenant.id}).first()
            return None if row is None else _agreed(row)

    def approval(self, intent_id: int) -> tuple[str, datetime] | None:
        """Who approved a revision last, and when."""
        statement = (
            select(approval.c.approved_by, approval.c.approved_ms)
            .join(approved, approved.c.approval == approval.c.id)
            .where(approved.c.intent_id == intent_id)
            .order_by(approval.c.id.desc())
        )
        with self._ledger.atomic() as connection:
            row = connection.execute(statement).first()
            return (
                None if row is None else (row.approved_by, _EPOCH + timedelta(milliseconds=row.approved_ms))
            )

    def dismissal(self, intent_id: int) -> tuple[str, datetime, str] | None:
        """Who decided to leave a revision as it is, when and why, as long as that holds."""
        statement = select(dismissed).where(leaves(dismissed), intent.c.id == intent_id)
        with self._ledger.atomic() as connection:
            row = connection.execute(statement).first()
            if row is None:
                return None
            return row.dismissed_by, _EPOCH + timedelta(milliseconds=row.dismissed_ms), row.comment

    def find(self, tenant: Tenant, name: str) -> list[tuple[str, str]]:
        """The documents that somebody may mean by a name, as (kind, source key).

        A source key (an older one, too), a marker, Xero's number or Xero's id; upper and lower case are one for the id.
        """
        mine = and_(intent.c.tenant == tenant.id)
        by_intent = select(intent.c.kind, intent.c.source_key).where(
            mine,
            (intent.c.source_key == name) | (intent.c.marker == name) | (intent.c.remote_id == name.lower()),
        )
        by_link = select(link.c.kind, link.c.source_key).where(
            link.c.tenant == tenant.id,
            (link.c.source_key == name)
            | (link.c.marker == name)
            | (link.c.number == name)
            | (link.c.remote_id == name.lower()),
        )
        by_alias = select(alias.c.kind, alias.c.source_key).where(
            alias.c.tenant == tenant.id, alias.c.old_key == name
        )
        found: dict[tuple[str, str], None] = {}
        with self._ledger.atomic() as connection:
            for statement in (by_intent, by_link, by_alias):
                found |= dict.fromkeys((row.kind, row.source_key) for row in connection.execute(statement))
        return list(found)

    def history(self, tenant: Tenant, kind: str, source_key: str) -> list[Revision]:
        """Every revision of a document, oldest first."""
        statement = (
            select(intent)
            .where(intent.c.tenant == tenant.id, intent.c.kind == kind, intent.c.source_key == source_key)
            .order_by(intent.c.revision)
        )
        with self._ledger.atomic() as connection:
            runs = self._runs(connection)
            rows = connection.execute(statement).all()
        told = notes(rows)
        return [_revision(row, runs, told[row.id]) for row in rows]

    def undone(self, tenant: Tenant) -> list[Undone]:
        """What `undo` took back and nobody has called for again, in the order it was written."""
        statement = (
            select(intent, undone.c.undone_by, undone.c.epoch)
            .join(undone, TAKEN_BACK)
            .where(undone.c.tenant == tenant.id)
            .order_by(intent.c.id)
        )
        with self._ledger.atomic() as connection:
            rows = connection.execute(statement).all()
        newest = {(row.kind, row.source_key): row for row in rows}
        return [_undone(row) for row in newest.values()]

    def older_keys(self, tenant: Tenant, kind: str, source_key: str) -> list[str]:
        """The keys the document had before."""
        statement = select(alias.c.old_key).where(
            alias.c.tenant == tenant.id, alias.c.kind == kind, alias.c.source_key == source_key
        )
        with self._ledger.atomic() as connection:
            return sorted(connection.execute(statement).scalars())

    def markers(self, tenant: Tenant) -> dict[tuple[str, str], str]:
        """Every marker ever used, by (kind, marker), with its source key."""
        statement = select(intent.c.kind, intent.c.marker, intent.c.source_key).where(
            intent.c.tenant == tenant.id
        )
        with self._ledger.atomic() as connection:
            return {(kind, marker): key for kind, marker, key in connection.execute(statement.distinct())}

    def _runs(self, connection: Any) -> dict[int, datetime | None]:
        return {epoch: moment(ms) for epoch, ms in connection.execute(select(run.c.epoch, run.c.started_ms))}


def _refusals(row: Row[Any]) -> tuple[Refusal, ...]:
    return tuple(Refusal.from_dict(refusal) for refusal in json.loads(row.refusals))


def _kept(row: Row[Any], runs: dict[int, datetime | None], note: str) -> Kept:
    since = row.settled_epoch or row.planned_epoch
    return Kept(
        kind=row.kind,
        source_key=row.source_key,
        label=row.label or row.source_key,
        url=row.url,
        state=State(row.state),
        op=row.op,
        note=note,
        refusals=_refusals(row),
        since_run=since,
        since=runs.get(since),
        marker=row.marker,
        currency=row.currency,
        amount_minor=row.amount_minor,
        document=json.loads(row.document),
        id=row.id,
        dismissed_by=row.dismissed_by or "",
        dismissed=moment(row.dismissed_ms),
    )


def _undone(row: Row[Any]) -> Undone:
    return Undone(
        kind=row.kind,
        source_key=row.source_key,
        label=row.label or row.source_key,
        url=row.url,
        marker=row.marker,
        currency=row.currency,
        amount_minor=row.amount_minor,
        document=json.loads(row.document),
        by=row.undone_by,
        run=row.epoch,
    )


def _agreed(row: Row[Any]) -> Agreed:
    return Agreed(
        kind=row.kind,
        source_key=row.source_key,
        remote_id=row.remote_id,
        number=row.number,
        marker=row.marker,
        status=row.status,
        label=row.label or row.source_key,
        url=row.url or "",
        currency=row.currency or "",
        source_minor=row.amount_minor,
        agreed_minor=row.xero_amount_minor,
        total_minor=row.xero_total_minor,
        adopted=bool(row.adopted),
        document=json.loads(row.document) if row.document else {},
    )


def _revision(row: Row[Any], runs: dict[int, datetime | None], note: str) -> Revision:
    return Revision(
        id=row.id,
        kind=row.kind,
        source_key=row.source_key,
        revision=row.revision,
        op=row.op,
        state=State(row.state),
        document=json.loads(row.document),
        label=row.label,
        url=row.url,
        marker=row.marker,
        note=note,
        refusals=_refusals(row),
        attempt=row.attempt,
        correlation=row.correlation,
        sent_op=row.sent_op,
        sent_at=moment(row.last_sent_ms),
        remote_id=row.remote_id,
        amount_minor=row.amount_minor,
        agreed_minor=row.xero_amount_minor,
        total_minor=row.xero_total_minor,
        currency=row.currency,
        planned_run=row.planned_epoch,
        planned_at=runs.get(row.planned_epoch),
        settled_run=row.settled_epoch,
        settled_at=runs.get(row.settled_epoch) if row.settled_epoch else None,
    )


def one_of(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether one of these names is asked for (nothing asked: all are)."""
    return not wanted or any(name in wanted for name in names)
