"""The executor's side of the ledger: what may go next, and every change of state. Each method is one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, and_, case, delete, exists, func, insert, select, text, update

from target_xero.errors import LedgerTakenOverError
from target_xero.ledger.base import LedgerBase, chunks, dump
from target_xero.ledger.model import Intent, Link, State
from target_xero.ledger.schema import OPEN, intent, link, need
from target_xero.refusal import Refusal

_PLANNED = text("intent.state = 'planned'")
_older = intent.alias("older")
_OLDER_OPEN = exists().where(
    _older.c.tenant == intent.c.tenant,
    _older.c.kind == intent.c.kind,
    _older.c.source_key == intent.c.source_key,
    _older.c.id < intent.c.id,
    text("older.state NOT IN ('done','superseded')"),
)
_LINK_OF_NEED = exists().where(
    link.c.tenant == intent.c.tenant, link.c.kind == need.c.kind, link.c.source_key == need.c.source_key
)
_NEED_MISSING = exists().where(need.c.intent_id == intent.c.id, ~_LINK_OF_NEED)

_AFRESH: dict[str, Any] = {
    "attempt": 0,
    "looked_ms": None,
    "held_epoch": 0,
    "waits": 0,
    "settled_epoch": None,
    "note": "",
}


@dataclass(frozen=True)
class Effect:
    """What Xero holds now because of an intent, or was found to hold."""

    intent: Intent
    remote_id: str
    number: str = ""
    status: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)
    amount_minor: int | None = None
    """Before tax; payments: the amount."""
    total_minor: int | None = None
    currency: str = ""
    """As Xero answered; fills in for a document that names none."""
    adopted: bool = False
    """Found in Xero, not written by this ledger."""
    quiet_until_ms: int = 0


class ExecutionLedger(LedgerBase):
    """Reads in batches; a change of state names the state it starts from, so that no row moves twice."""

    def ready(self, kind: str, limit: int) -> list[Intent]:
        """Planned intents of one kind that need nothing more from the ledger, oldest first."""
        statement = (
            select(intent)
            .where(
                intent.c.tenant == self.tenant.id,
                intent.c.kind == kind,
                _PLANNED,
                intent.c.held_epoch < self.epoch,
                ~_NEED_MISSING,
                ~_OLDER_OPEN,
            )
            .order_by(intent.c.id)
            .limit(limit)
        )
        with self.atomic() as connection:
            return self._intents(connection, statement)

    def blocked(self, kind: str, limit: int) -> list[tuple[Intent, list[tuple[str, str]]]]:
        """Planned intents of one kind, with those of their needs that are not in Xero."""
        statement = (
            select(intent)
            .where(
                intent.c.tenant == self.tenant.id,
                intent.c.kind == kind,
                _PLANNED,
                intent.c.held_epoch < self.epoch,
                _NEED_MISSING,
            )
            .order_by(intent.c.id)
            .limit(limit)
        )
        with self.atomic() as connection:
            found = self._intents(connection, statement)
            missing = (
                select(need.c.intent_id, need.c.kind, need.c.source_key)
                .join(intent, intent.c.id == need.c.intent_id)
                .where(need.c.intent_id.in_([i.id for i in found]), ~_LINK_OF_NEED)
            )
            lacks: dict[int, list[tuple[str, str]]] = {}
            for id_, need_kind, key in connection.execute(missing):
                lacks.setdefault(id_, []).append((need_kind, key))
        return [(i, lacks[i.id]) for i in found]

    def newest_open(self, kind: str, keys: Sequence[str]) -> dict[str, Intent]:
        """The newest revision that is not settled, of each of these documents that has one."""
        found: dict[str, Intent] = {}
        with self.atomic() as connection:
            for chunk in chunks(keys):
                statement = (
                    select(intent)
                    .where(
                        intent.c.tenant == self.tenant.id,
                        intent.c.kind == kind,
                        intent.c.source_key.in_(chunk),
                        OPEN,
                    )
                    .order_by(intent.c.id)
                )
                found.update((i.source_key, i) for i in self._intents(connection, statement))
        return found

    def in_doubt(self, kind: str, now_ms: int, quiet_ms: int, limit: int) -> list[Intent]:
        """Unknown intents that it is worth asking Xero about now: never asked yet, or the quiet period is over since."""
        ripe = intent.c.last_sent_ms + quiet_ms
        statement = (
            select(intent)
            .where(
                intent.c.tenant == self.tenant.id,
                intent.c.kind == kind,
                text("intent.state IN ('sent','unknown')"),
                intent.c.state == State.UNKNOWN.value,
                intent.c.held_epoch < self.epoch,
                (intent.c.looked_ms.is_(None)) | ((ripe <= now_ms) & (intent.c.looked_ms < ripe)),
            )
            .order_by(intent.c.id)
            .limit(limit)
        )
        with self.atomic() as connection:
            return self._intents(connection, statement)

    def next_ripe_ms(self, quiet_ms: int) -> int | None:
        """When the next unknown intent will be worth asking about again; None: none waits for time."""
        statement = select(func.min(intent.c.last_sent_ms) + quiet_ms).where(
            intent.c.tenant == self.tenant.id,
            text("intent.state IN ('sent','unknown')"),
            intent.c.state == State.UNKNOWN.value,
            intent.c.held_epoch < self.epoch,
            intent.c.looked_ms < intent.c.last_sent_ms + quiet_ms,
        )
        with self.atomic() as connection:
            value: int | None = connection.execute(statement).scalar()
            return value

    def links(self, kind: str, keys: Iterable[str], *, base: bool = False) -> dict[str, Link]:
        """The links of these documents, by source key; with `base`, the document as last agreed with Xero."""
        found: dict[str, Link] = {}
        with self.atomic() as connection:
            for chunk in chunks(keys):
                columns = [link, intent.c.document] if base else [link]
                statement = select(*columns).where(
                    link.c.tenant == self.tenant.id, link.c.kind == kind, link.c.source_key.in_(chunk)
                )
                if base:
                    statement = statement.outerjoin(intent, intent.c.id == link.c.intent_id)
                for row in connection.execute(statement):
                    found[row.source_key] = Link(
                        kind=kind,
                        source_key=row.source_key,
                        remote_id=row.remote_id,
                        content_hash=row.content_hash,
                        number=row.number,
                        status=row.status,
                        status_epoch=row.status_epoch,
                        lines=json.loads(row.lines),
                        adopted=bool(row.adopted),
                        quiet_until_ms=row.quiet_until_ms,
                        base=json.loads(row.document) if base and row.document else None,
                    )
        return found

    # --- changes of state -------------------------------------------------------------------------------------------

    def mark_sent(self, operations: Mapping[int, str], now_ms: int) -> dict[int, int]:
        """Planned -> sent, before the first byte leaves. Returns each intent's attempt number.

        Raises:
            LedgerTakenOverError: a later run has begun, or a row is no longer planned; nothing may be sent.
        """
        ids = list(operations)
        with self.atomic() as connection:
            self.fence(connection)
            moved = connection.execute(
                update(intent)
                .where(intent.c.id.in_(ids), intent.c.state == State.PLANNED.value)
                .values(
                    state=State.SENT.value,
                    attempt=intent.c.attempt + 1,
                    sent_op=case(operations, value=intent.c.id),
                    last_sent_ms=now_ms,
                    looked_ms=None,
                    conflict=0,
                    note="",
                )
            )
            if moved.rowcount != len(ids):
                raise LedgerTakenOverError(
                    f"{len(ids) - moved.rowcount} of {len(ids)} documents were changed in the ledger {self.path} while "
                    "they were about to be sent. Nothing was sent; run again."
                )
            attempts = select(intent.c.id, intent.c.attempt).where(intent.c.id.in_(ids))
            return dict(connection.execute(attempts).tuples().all())

    def back_to_planned(self, ids: Sequence[int], note: str = "", *, unsent: bool = False) -> None:
        """Sent or unknown -> planned: provably nothing happened. `unsent`: not even the attempt counts."""
        attempt = intent.c.attempt - 1 if unsent else intent.c.attempt
        self._move(ids, (State.SENT, State.UNKNOWN), State.PLANNED, note=note, attempt=attempt, conflict=0)

    def split(self, ids: Sequence[int], batch_max: int) -> None:
        """These travel in smaller company from now on."""
        with self.atomic() as connection:
            connection.execute(update(intent).where(intent.c.id.in_(ids)).values(batch_max=batch_max))

    def unknown(self, ids: Sequence[int], note: str, *, conflict: bool = False) -> None:
        """Sent -> unknown: it may have happened. `conflict`: its number or name is taken, by whom is to be looked up."""
        self._move(ids, (State.SENT,), State.UNKNOWN, note=note, conflict=int(conflict), looked_ms=None)

    def looked(self, ids: Sequence[int], asked_ms: int) -> None:
        """Xero was asked about these at that time and showed nothing; they stay unknown."""
        with self.atomic() as connection:
            connection.execute(
                update(intent)
                .where(intent.c.id.in_(ids), intent.c.state == State.UNKNOWN.value)
                .values(looked_ms=asked_ms)
            )

    def reject(
        self, ids: Sequence[int], refusals: Sequence[Refusal], note: str = "", *, waits: bool = False
    ) -> None:
        """Planned, sent or unknown -> rejected, with the reason. `waits`: it goes again once what it needs is in Xero."""
        self._move(
            ids,
            (State.PLANNED, State.SENT, State.UNKNOWN),
            State.REJECTED,
            note=note or " ".join(refusal.sentence() for refusal in refusals),
            refusals=dump([refusal.as_dict() for refusal in refusals]),
            settled_epoch=self.epoch,
            waits=int(waits),
        )

    def park(self, ids: Sequence[int], note: str) -> None:
        """Planned, sent or unknown -> parked: only a person can tell."""
        states = (State.PLANNED, State.SENT, State.UNKNOWN)
        self._move(ids, states, State.PARKED, note=note, settled_epoch=self.epoch)

    def hold(self, ids: Sequence[int], note: str) -> None:
        """Not in this run: the next one asks again. The state stays."""
        with self.atomic() as connection:
            connection.execute(
                update(intent).where(intent.c.id.in_(ids)).values(held_epoch=self.epoch, note=note)
            )
            self.version += 1

    def done(self, effects: Sequence[Effect], note: str = "") -> None:
        """Sent, unknown or planned -> done, with the link and the release of who waited for it: one transaction."""
        with self.atomic() as connection:
            self.fence(connection)
            for effect in effects:
                self._settle_effect(effect, State.DONE, note)
                if effect.intent.op == "withdraw":
                    self.unlink(effect.intent.kind, effect.intent.source_key)
                else:
                    self._link(connection, effect, agreed=True)

    def park_linked(self, effect: Effect, note: str) -> None:
        """Sent -> parked, with the link: it is in Xero, but not as it should be."""
        with self.atomic() as connection:
            self._settle_effect(effect, State.PARKED, note)
            self._link(connection, effect, agreed=False)

    def nothing_to_do(self, ids: Sequence[int]) -> None:
        """Planned -> superseded: what was to be withdrawn is not in Xero."""
        self._move(ids, (State.PLANNED,), State.SUPERSEDED, settled_epoch=self.epoch)

    def unlink(self, kind: str, source_key: str) -> None:
        """The document is in Xero no more; if the source calls for it again, it is made anew."""
        with self.atomic() as connection:
            connection.execute(
                delete(link).where(
                    link.c.tenant == self.tenant.id, link.c.kind == kind, link.c.source_key == source_key
                )
            )

    def adopt(self, effect: Effect) -> None:
        """Links a document to what was found in Xero; the intent stays planned and goes as an update of it."""
        with self.atomic() as connection:
            self.fence(connection)
            if effect.intent.state is State.UNKNOWN:
                self.back_to_planned([effect.intent.id])
            self._link(connection, effect, agreed=False)

    def note_status(self, kind: str, statuses: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        """Fresh statuses, by Xero's id: (status, LineItemIDs where they were shown)."""
        with self.atomic() as connection:
            for remote_id, (status, lines) in statuses.items():
                values: dict[str, Any] = {"status": status, "status_epoch": self.epoch}
                if lines:
                    values["lines"] = dump(lines)
                connection.execute(
                    update(link)
                    .where(
                        link.c.tenant == self.tenant.id, link.c.kind == kind, link.c.remote_id == remote_id
                    )
                    .values(**values)
                )

    def rejected(
        self, kinds: Sequence[str] = (), keys: Sequence[str] = ()
    ) -> list[tuple[Intent, list[Refusal]]]:
        """The rejected intents (empty: of all kinds, with all keys), and why each was rejected."""
        statement = select(intent).where(
            intent.c.tenant == self.tenant.id, OPEN, intent.c.state == State.REJECTED.value
        )
        statement = _only(statement, kinds, keys).order_by(intent.c.id)
        with self.atomic() as connection:
            intents = self._intents(connection, statement)
            reasons = dict(
                connection.execute(
                    select(intent.c.id, intent.c.refusals).where(OPEN, intent.c.state == State.REJECTED.value)
                )
                .tuples()
                .all()
            )
        return [(i, [Refusal.from_dict(r) for r in json.loads(reasons[i.id])]) for i in intents]

    def release(self, ids: Sequence[int]) -> None:
        """Rejected -> planned: a person says that the cause is gone."""
        self._move(ids, (State.REJECTED,), State.PLANNED, **_AFRESH)

    def unpark(self, kinds: Sequence[str] = (), keys: Sequence[str] = ()) -> int:
        """Parked documents are looked up again (those never sent: planned again). Returns how many."""
        moved = 0
        with self.atomic() as connection:
            for sent, state in ((True, State.UNKNOWN), (False, State.PLANNED)):
                when = intent.c.last_sent_ms.is_not(None) if sent else intent.c.last_sent_ms.is_(None)
                statement = update(intent).where(
                    intent.c.tenant == self.tenant.id, OPEN, intent.c.state == State.PARKED.value, when
                )
                moved += connection.execute(
                    _only(statement, kinds, keys).values(state=state.value, **_AFRESH)
                ).rowcount
            self.version += 1
        return moved

    def _settle_effect(self, effect: Effect, state: State, note: str) -> None:
        self._move(
            [effect.intent.id],
            (State.PLANNED, State.SENT, State.UNKNOWN),
            state,
            remote_id=effect.remote_id,
            xero_amount_minor=effect.amount_minor,
            xero_total_minor=effect.total_minor,
            currency=effect.intent.currency or effect.currency,
            settled_epoch=self.epoch,
            note=note,
            refusals="[]",
        )

    # --- inside -----------------------------------------------------------------------------------------------------

    def _move(self, ids: Sequence[int], origin: tuple[State, ...], state: State, **values: Any) -> None:
        with self.atomic() as connection:
            self.fence(connection)
            moved = connection.execute(
                update(intent)
                .where(intent.c.id.in_(ids), intent.c.state.in_([s.value for s in origin]))
                .values(state=state.value, **values)
            )
            if moved.rowcount != len(ids):
                raise LedgerTakenOverError(
                    f"Documents in the ledger {self.path} were changed by someone else while this run was settling them. "
                    "This run ends here; the next one looks up what has happened."
                )
            self.version += 1

    def _link(self, connection: Connection, effect: Effect, *, agreed: bool) -> None:
        source = effect.intent
        key = {"tenant": self.tenant.id, "kind": source.kind, "source_key": source.source_key}
        values: dict[str, Any] = {
            "remote_id": effect.remote_id,
            "marker": source.marker,
            "number": effect.number,
            "status": effect.status,
            "status_epoch": self.epoch,
            "lines": dump(dict(effect.lines)),
            "quiet_until_ms": effect.quiet_until_ms,
        }
        if agreed:
            values |= {"content_hash": source.content_hash, "intent_id": source.id}
        where = and_(*(link.c[name] == value for name, value in key.items()))
        if not connection.execute(update(link).where(where).values(**values)).rowcount:
            new = {"content_hash": "", **key, **values, "adopted": int(effect.adopted)}
            connection.execute(insert(link).values(**new))
        waiting = select(need.c.intent_id).where(
            need.c.kind == source.kind, need.c.source_key == source.source_key
        )
        connection.execute(
            update(intent)
            .where(
                intent.c.id.in_(waiting),
                intent.c.tenant == self.tenant.id,
                (intent.c.state == State.PLANNED.value)
                | ((intent.c.state == State.REJECTED.value) & (intent.c.waits == 1)),
            )
            .values(state=State.PLANNED.value, held_epoch=0, waits=0, note="", settled_epoch=None)
        )
        self.version += 1

    def _intents(self, connection: Connection, statement: Any) -> list[Intent]:
        rows = connection.execute(statement).all()
        needs: dict[int, list[tuple[str, str]]] = {}
        for chunk in chunks([row.id for row in rows]):
            wanted = select(need).where(need.c.intent_id.in_(chunk))
            for id_, kind, key in connection.execute(wanted):
                needs.setdefault(id_, []).append((kind, key))
        return [_intent(row, tuple(needs.get(row.id, ()))) for row in rows]


def _only(statement: Any, kinds: Sequence[str], keys: Sequence[str]) -> Any:
    if kinds:
        statement = statement.where(intent.c.kind.in_(kinds))
    return statement.where(intent.c.source_key.in_(keys)) if keys else statement


def _intent(row: Row[Any], needs: tuple[tuple[str, str], ...]) -> Intent:
    return Intent(
        id=row.id,
        kind=row.kind,
        source_key=row.source_key,
        revision=row.revision,
        op=row.op,
        document=json.loads(row.document),
        content_hash=row.content_hash,
        unique=bool(row.uniq),
        marker=row.marker,
        state=State(row.state),
        attempt=row.attempt,
        sent_op=row.sent_op,
        last_sent_ms=row.last_sent_ms,
        looked_ms=row.looked_ms,
        conflict=bool(row.conflict),
        batch_max=row.batch_max,
        note=row.note,
        label=row.label,
        url=row.url,
        amount_minor=row.amount_minor,
        currency=row.currency,
        needs=needs,
    )
