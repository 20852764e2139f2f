"""Every change of an intent's state. Each method is one transaction, unless it stands inside `atomic()`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, insert, or_, select, update

from target_xero.errors import LedgerTakenOverError
from target_xero.ledger.base import chunks, dump, moving
from target_xero.ledger.model import Intent, State
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.queue import only_of
from target_xero.ledger.schema import DISMISSED, OPEN, approval, dismissed, intent, link, need
from target_xero.ledger.undoing import UndoLedger
from target_xero.refusal import Refusal

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
    note: str = ""
    """Xero's warnings."""


_USED_UP = intent.c.approval.in_(select(approval.c.id).where(approval.c.applied_ms.is_not(None)))
_FREE = case(
    (intent.c.proposed_by.is_not(None) & (intent.c.approval.is_(None) | _USED_UP), State.PROPOSED.value),
    else_=State.PLANNED.value,
)
"""What may go, unless it was proposed and nobody has approved it, or what was approved was carried out to its end without it."""
_UNSETTLED = (State.PLANNED, State.SENT, State.UNKNOWN)
_SETTLE = Prepared(
    update(intent)
    .where(intent.c.id == bindparam("id_"), or_(*(intent.c.state == state.value for state in _UNSETTLED)))
    .values(
        {
            column: bindparam(column.name)
            for column in (
                intent.c.state,
                intent.c.remote_id,
                intent.c.xero_amount_minor,
                intent.c.xero_total_minor,
                intent.c.currency,
                intent.c.settled_epoch,
                intent.c.note,
            )
        }
        | {intent.c.refusals: "[]"}
    )
)
_THE_LINK = and_(
    link.c.tenant == bindparam("tenant_"),
    link.c.kind == bindparam("kind_"),
    link.c.source_key == bindparam("key_"),
)
_KEYS: Any = bindparam("keys", expanding=True)
_AGREED = ("content_hash", "intent_id")
_LINKED = ("remote_id", "marker", "number", "status", "status_epoch", "lines", "quiet_until_ms")
_HELD = Prepared(
    select(link.c.source_key).where(
        link.c.tenant == bindparam("tenant"), link.c.kind == bindparam("kind"), link.c.source_key.in_(_KEYS)
    )
)
_LINK = Prepared(insert(link), ["tenant", "kind", "source_key", *_LINKED, *_AGREED, "adopted"])
_RELINK = {
    agreed: Prepared(update(link).where(_THE_LINK).values({name: bindparam(name) for name in names}))
    for agreed, names in ((False, _LINKED), (True, _LINKED + _AGREED))
}
"""By whether Xero has what the document says now."""
_UNLINK = Prepared(delete(link).where(_THE_LINK))
_ATTEMPTS = Prepared(select(intent.c.id, intent.c.attempt).where(intent.c.id.in_(_KEYS)))
_newer = intent.alias("newer")
_OUTDATED = moving(
    update(intent)
    .where(
        intent.c.id.in_(_KEYS),
        intent.c.state == State.REJECTED.value,
        exists().where(
            _newer.c.tenant == intent.c.tenant,
            _newer.c.kind == intent.c.kind,
            _newer.c.source_key == intent.c.source_key,
            _newer.c.id > intent.c.id,
            _newer.c.state.in_([State.PLANNED.value, State.PROPOSED.value]),
        ),
    )
    .values(state=State.SUPERSEDED.value)
)
_FREED = moving(
    update(intent)
    .where(
        intent.c.id.in_(
            select(need.c.intent_id).where(need.c.kind == bindparam("of"), need.c.source_key.in_(_KEYS))
        ),
        intent.c.tenant == bindparam("tenant_"),
        (intent.c.state == State.PLANNED.value)
        | ((intent.c.state == State.REJECTED.value) & (intent.c.waits == 1)),
    )
    .values(state=_FREE, held_epoch=0, waits=0, note="", settled_epoch=None)
)
_HOLD = Prepared(
    update(intent)
    .where(intent.c.id.in_(_KEYS))
    .values(held_epoch=bindparam("epoch_"), note=bindparam("note_"))
)
_LOOKED = Prepared(
    update(intent)
    .where(intent.c.id.in_(_KEYS), intent.c.state == State.UNKNOWN.value)
    .values(looked_ms=bindparam("asked_ms"))
)
_CORRELATE = Prepared(
    update(intent).where(intent.c.id.in_(_KEYS)).values(correlation=bindparam("correlation_"))
)
_STATUS = Prepared(
    update(link)
    .where(
        link.c.tenant == bindparam("tenant_"),
        link.c.kind == bindparam("kind_"),
        link.c.remote_id == bindparam("id_"),
    )
    .values(status=bindparam("status_"), status_epoch=bindparam("epoch_"))
)


class ExecutionLedger(UndoLedger):
    """A change of state names the states it starts from, so that no row moves twice."""

    def mark_sent(self, operations: Mapping[int, str], now_ms: int) -> dict[int, int]:
        """Planned -> sent, before the first byte leaves. Returns each intent's attempt number.

        Raises:
            LedgerTakenOverError: a later run has begun, or a row is no longer planned; nothing may be sent.
        """
        ids, since = list(operations), self.version
        with self.atomic() as connection:
            self.fence(connection)
            if self._lock:
                self._lock.check()
            for op in sorted(set(operations.values())):
                mine = [id_ for id_ in ids if operations[id_] == op]
                self._move(
                    mine,
                    (State.PLANNED,),
                    State.SENT,
                    attempts=1,
                    sent_op=op,
                    last_sent_ms=now_ms,
                    looked_ms=None,
                    conflict=0,
                    note="",
                )
            attempts = dict(self.rows(connection, _ATTEMPTS, ids))
        self._only_sent(operations, since)
        return attempts

    def back_to_planned(self, ids: Sequence[int], note: str = "", *, unsent: bool = False) -> None:
        """Sent or unknown -> planned: provably nothing happened. `unsent`: not even the attempt counts."""
        attempts = -1 if unsent else 0
        self._move(ids, (State.SENT, State.UNKNOWN), State.PLANNED, attempts=attempts, note=note, conflict=0)

    def split(self, ids: Sequence[int], batch_max: int) -> None:
        """These travel in smaller company from now on."""
        with self.atomic() as connection:
            connection.execute(update(intent).where(intent.c.id.in_(ids)).values(batch_max=batch_max))

    def note_correlation(self, ids: Sequence[int], correlation: str) -> None:
        """Xero's own id of the exchange in which these were last sent; what its support asks for."""
        with self.atomic() as connection:
            _CORRELATE.change(connection, {"keys": ids, "correlation_": correlation})

    def clear(self, kind: str, keys: Sequence[str]) -> None:
        """A person has looked at what Xero has that looks like these, and says that it is something else."""
        with self.atomic() as connection:
            statement = update(intent).where(OPEN, intent.c.kind == kind, intent.c.source_key.in_(keys))
            connection.execute(statement.values(cleared=1))

    def unknown(self, ids: Sequence[int], note: str, *, conflict: bool = False) -> None:
        """Sent -> unknown: it may have happened. `conflict`: its number or name is taken, by whom is to be looked up."""
        self._move(ids, (State.SENT,), State.UNKNOWN, note=note, conflict=int(conflict), looked_ms=None)

    def looked(self, ids: Sequence[int], asked_ms: int) -> None:
        """Xero was asked about these at that time and showed nothing; they stay unknown."""
        with self.atomic() as connection:
            _LOOKED.change(connection, {"keys": ids, "asked_ms": asked_ms})

    def reject(
        self, ids: Sequence[int], refusals: Sequence[Refusal], note: str = "", *, waits: bool = False
    ) -> None:
        """Planned, sent or unknown -> rejected, with the reason. `waits`: it goes again once what it needs is in Xero.

        One whose document has changed since is superseded: what is wrong with it may be right in the revision that waits for it.
        """
        with self.atomic() as connection:
            self._move(
                ids,
                (State.PLANNED, State.SENT, State.UNKNOWN),
                State.REJECTED,
                rules=[refusal.rule for refusal in refusals],
                note=note or " ".join(refusal.sentence() for refusal in refusals),
                refusals=dump([refusal.as_dict() for refusal in refusals]),
                settled_epoch=self.epoch,
                waits=int(waits),
            )
            for chunk in chunks(ids):
                self.shift(connection, _OUTDATED, {"keys": chunk})

    def park(self, ids: Sequence[int], note: str) -> None:
        """Planned, sent or unknown -> parked: only a person can tell."""
        states = (State.PLANNED, State.SENT, State.UNKNOWN)
        self._move(ids, states, State.PARKED, note=note, settled_epoch=self.epoch)

    def hold(self, ids: Sequence[int], note: str) -> None:
        """Not in this run: the next one asks again. The state stays."""
        with self.atomic() as connection:
            _HOLD.change(connection, {"keys": ids, "epoch_": self.epoch, "note_": note})
            self.version += 1

    def done(self, effects: Sequence[Effect]) -> None:
        """Sent, unknown or planned -> done, with the links and the release of who waited for them: one transaction."""
        if not effects:  # a call may bring nothing but refusals
            return
        with self.atomic() as connection:
            self._settle(connection, effects, State.DONE)
            gone = [e for e in effects if e.intent.op in ("withdraw", "undo")]
            for effect in gone:
                self.unlink(effect.intent.kind, effect.intent.source_key)
            self._link(connection, [e for e in effects if e not in gone], agreed=True)

    def found(self, effect: Effect, by: str) -> None:
        """Parked -> done, with the link: a person has found it in Xero, and says so."""
        source = effect.intent
        parked = update(intent).where(intent.c.id == source.id, intent.c.state == State.PARKED.value)
        with self.atomic() as connection:
            self.fence(connection)
            self.record(
                "found",
                intent=source.id,
                kind=source.kind,
                key=source.source_key,
                remote=effect.remote_id,
                by=by,
            )
            connection.execute(delete(dismissed).where(dismissed.c.intent_id == source.id))
            freed = parked.values(state=State.PLANNED.value, **_AFRESH)
            self._expect(1, self.shift(connection, freed))
            self.done([effect])

    def park_linked(self, effect: Effect) -> None:
        """Sent -> parked, with the link: it is in Xero, but not as it should be (the effect's note says how)."""
        with self.atomic() as connection:
            self._settle(connection, [effect], State.PARKED)
            self._link(connection, [effect], agreed=False)

    def nothing_to_do(self, ids: Sequence[int]) -> None:
        """Planned -> superseded: what was to be withdrawn is not in Xero."""
        self._move(ids, (State.PLANNED,), State.SUPERSEDED, settled_epoch=self.epoch)

    def leave(self, ids: Sequence[int], note: str) -> None:
        """Planned -> superseded: what was to be undone stays, and why."""
        self._move(ids, (State.PLANNED,), State.SUPERSEDED, settled_epoch=self.epoch, note=note)
        with self.atomic() as connection:
            for kind, key in connection.execute(
                select(intent.c.kind, intent.c.source_key).where(intent.c.id.in_(ids))
            ).all():
                self.forget_undone(kind, [key])

    def unlink(self, kind: str, source_key: str) -> None:
        """The document is in Xero no more; if the source calls for it again, it is made anew."""
        with self.atomic() as connection:
            key = {"tenant_": self.tenant.id, "kind_": kind, "key_": source_key}
            if _UNLINK.change(connection, key):
                self.record("unlinked", kind=kind, key=source_key)

    def adopt(self, effect: Effect) -> None:
        """Links a document to what was found in Xero; the intent stays planned and goes as an update of it."""
        with self.atomic() as connection:
            self.fence(connection)
            if effect.intent.state is State.UNKNOWN:
                self.back_to_planned([effect.intent.id])
            self._link(connection, [effect], agreed=False)

    def note_status(self, kind: str, statuses: Mapping[str, str]) -> None:
        """Statuses as Xero just told them, by Xero's id; ids that are not linked are passed over."""
        rows = [
            {"tenant_": self.tenant.id, "kind_": kind, "id_": id_, "status_": status, "epoch_": self.epoch}
            for id_, status in statuses.items()
        ]
        if rows:
            with self.atomic() as connection:
                _STATUS.change(connection, *rows)

    def rejected(
        self, kinds: Sequence[str] = (), keys: Sequence[str] = ()
    ) -> list[tuple[Intent, list[Refusal]]]:
        """The rejected intents (empty: of all kinds, with all keys), and why each was rejected.

        What people decided to leave is among them only where it is named by its key.
        """
        asked = {"tenant": self.tenant.id, "kinds": kinds, "keys": keys}
        with self.atomic() as connection:
            rows = _rejected(bool(kinds), bool(keys)).rows(connection, asked)
            intents = self._as_intents(connection, rows)
        return [
            (one, [Refusal.from_dict(reason) for reason in json.loads(row.refusals)])
            for one, row in zip(intents, rows, strict=True)
        ]

    def release(self, ids: Sequence[int]) -> None:
        """Rejected -> planned: a person says that the cause is gone."""
        with self.atomic() as connection:
            self.fence(connection)
            connection.execute(delete(dismissed).where(dismissed.c.intent_id.in_(ids)))
            statement = update(intent).where(intent.c.id.in_(ids), intent.c.state == State.REJECTED.value)
            self._expect(len(ids), self.shift(connection, statement.values(state=_FREE, **_AFRESH)))

    def unpark(self, kinds: Sequence[str] = (), keys: Sequence[str] = ()) -> int:
        """Parked documents are looked up again (those never sent: planned again). Returns how many.

        What people decided to leave is among them only where it is named by its key, and is left no more.
        """
        moved = 0
        mine = and_(intent.c.tenant == self.tenant.id, OPEN, intent.c.state == State.PARKED.value)
        mine = mine if keys else and_(mine, ~DISMISSED)
        with self.atomic() as connection:
            these = only_of(select(intent.c.id).where(mine), kinds, keys)
            connection.execute(delete(dismissed).where(dismissed.c.intent_id.in_(these)))
            for sent, state in ((True, State.UNKNOWN.value), (False, _FREE)):
                when = intent.c.last_sent_ms.is_not(None) if sent else intent.c.last_sent_ms.is_(None)
                statement = update(intent).where(mine, when)
                moved += self.shift(
                    connection, only_of(statement, kinds, keys).values(state=state, **_AFRESH)
                )
            self.version += 1
        return moved

    def _move(
        self,
        ids: Sequence[int],
        origin: tuple[State, ...],
        state: State,
        *,
        attempts: int = 0,
        rules: Sequence[str] = (),
        **values: Any,
    ) -> None:
        with self.atomic() as connection:
            self.fence(connection)
            facts: dict[str, Any] = {"rules": list(rules)} if rules else {}
            if values.get("sent_op"):
                facts["op"] = values["sent_op"]
            values |= {"state": state.value}
            moved = 0
            for chunk in chunks(ids):
                given = {
                    "keys": chunk,
                    "attempts_": attempts,
                    **{f"{name}_": value for name, value in values.items()},
                }
                moved += self.shift(connection, _moved(origin, tuple(values)), given, **facts)
            self._expect(len(ids), moved)

    def _expect(self, expected: int, found: int) -> None:
        if found != expected:
            raise LedgerTakenOverError(
                f"{expected - found} of {expected} documents in the ledger {self.name} were changed by someone else while this "
                "run was about to change them. This run ends here; the next one looks up what has happened."
            )
        self.version += 1

    def _settle(self, connection: Connection, effects: Sequence[Effect], state: State) -> None:
        self.fence(connection)
        rows = [
            {
                "id_": effect.intent.id,
                "state": state.value,
                "remote_id": effect.remote_id,
                "xero_amount_minor": effect.amount_minor,
                "xero_total_minor": effect.total_minor,
                "currency": effect.intent.currency or effect.currency,
                "settled_epoch": self.epoch,
                "note": effect.note,
            }
            for effect in effects
        ]
        self._expect(len(rows), _SETTLE.change(connection, *rows))
        for effect in effects:
            self._tell(effect, state)

    def _tell(self, effect: Effect, state: State) -> None:
        source = effect.intent
        self.record(
            "settled",
            state=state.value,
            intent=source.id,
            remote=effect.remote_id,
            xero=effect.amount_minor,
            total=effect.total_minor,
            currency=source.currency or effect.currency,
        )

    def _link(self, connection: Connection, effects: Sequence[Effect], *, agreed: bool) -> None:
        if not effects:
            return
        kind = effects[0].intent.kind
        keys = [effect.intent.source_key for effect in effects]
        held = {key for (key,) in self.rows(connection, _HELD, keys, kind=kind)}
        new, changed = [], []
        for effect in effects:
            source = effect.intent
            values = {
                "remote_id": effect.remote_id,
                "marker": source.marker,
                "number": effect.number,
                "status": effect.status,
                "status_epoch": self.epoch,
                "lines": dump(dict(effect.lines)),
                "quiet_until_ms": effect.quiet_until_ms,
                "content_hash": source.content_hash if agreed else "",
                "intent_id": source.id if agreed else None,
            }
            if source.source_key in held:
                changed.append(
                    {"tenant_": self.tenant.id, "kind_": kind, "key_": source.source_key, **values}
                )
            else:
                owned = {"tenant": self.tenant.id, "kind": kind, "source_key": source.source_key}
                new.append({**owned, **values, "adopted": int(effect.adopted)})
            self.record("linked", kind=kind, key=source.source_key, remote=effect.remote_id, intent=source.id)
        if new:
            _LINK.change(connection, *new)
        if changed:
            _RELINK[agreed].change(connection, *changed)
        self._release(connection, kind, keys)

    def _release(self, connection: Connection, kind: str, keys: Sequence[str]) -> None:
        """Whoever waited for one of these may go."""
        self.shift(connection, _FREED, {"of": kind, "keys": keys, "tenant_": self.tenant.id})
        self.version += 1


@functools.cache
def _rejected(of_kinds: bool, of_keys: bool) -> Prepared:  # noqa: FBT001
    """Those of some kinds only, or with some keys."""
    statement = select(intent).where(
        intent.c.tenant == bindparam("tenant"), OPEN, intent.c.state == State.REJECTED.value
    )
    if of_kinds:
        statement = statement.where(intent.c.kind.in_(bindparam("kinds", expanding=True)))
    statement = statement.where(intent.c.source_key.in_(_KEYS) if of_keys else ~DISMISSED)
    return Prepared(statement.order_by(intent.c.id))


@functools.cache
def _moved(origin: tuple[State, ...], columns: tuple[str, ...]) -> Prepared:
    """From one of these states to another, with new values in these columns."""
    return moving(
        update(intent)
        .where(intent.c.id.in_(_KEYS), intent.c.state.in_([state.value for state in origin]))
        .values(
            {name: bindparam(f"{name}_") for name in columns}
            | {"attempt": intent.c.attempt + bindparam("attempts_")}
        )
    )
