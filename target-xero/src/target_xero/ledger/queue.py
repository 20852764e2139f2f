"""What the executor asks the ledger: which documents may go, which are in doubt, what they are linked to."""

from __future__ import annotations

import functools
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, exists, func, literal, select, text

from target_xero.ledger.base import LedgerBase
from target_xero.ledger.model import Intent, Link, State
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import OPEN, intent, link, need
from target_xero.ledger.waiting import notes

_TENANT = intent.c.tenant == bindparam("tenant")
_KIND = intent.c.kind == bindparam("kind")
_PLANNED = text("intent.state = 'planned'")
_UNKNOWN = (text("intent.state IN ('sent','unknown')"), intent.c.state == State.UNKNOWN.value)
_FREE = intent.c.held_epoch < bindparam("epoch")
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)

_older = intent.alias("older")
OLDER_OPEN = exists().where(
    _older.c.tenant == intent.c.tenant,
    _older.c.kind == intent.c.kind,
    _older.c.source_key == intent.c.source_key,
    _older.c.id < intent.c.id,
    text("older.state NOT IN ('done','superseded')"),
)
_LINK_OF_NEED = exists().where(
    link.c.tenant == bindparam("tenant"), link.c.kind == need.c.kind, link.c.source_key == need.c.source_key
)
_NEED_MISSING = exists().where(need.c.intent_id == intent.c.id, ~_LINK_OF_NEED)


_INTENT = [
    intent.c[name]
    for name in (
        "id", "kind", "source_key", "revision", "op", "document", "content_hash", "uniq", "marker", "state", "attempt", "sent_op",
        "last_sent_ms", "looked_ms", "conflict", "batch_max", "note", "label", "url", "amount_minor", "currency", "before_hash",
        "cleared",
    )
]  # fmt: skip
"""The columns that an `Intent` is made of."""


def _oldest(*conditions: Any) -> Prepared:
    return Prepared(
        select(*_INTENT).where(_TENANT, _KIND, *conditions).order_by(intent.c.id).limit(bindparam("most"))
    )


_READY = _oldest(_PLANNED, _FREE, ~_NEED_MISSING, ~OLDER_OPEN)
_BLOCKED = _oldest(_PLANNED, _FREE, _NEED_MISSING)
_RIPE = intent.c.last_sent_ms + bindparam("quiet")
_IN_DOUBT = _oldest(
    *_UNKNOWN,
    _FREE,
    intent.c.looked_ms.is_(None) | ((bindparam("now") >= _RIPE) & (intent.c.looked_ms < _RIPE)),
)
_NEXT_RIPE = Prepared(select(func.min(_RIPE)).where(_TENANT, *_UNKNOWN, _FREE, intent.c.looked_ms < _RIPE))
_MISSING = Prepared(
    select(need.c.intent_id, need.c.kind, need.c.source_key)
    .join(intent, intent.c.id == need.c.intent_id)
    .where(need.c.intent_id.in_(_KEYS), ~_LINK_OF_NEED)
)
_ALL_OPEN = Prepared(
    select(*_INTENT).where(_TENANT, _KIND, intent.c.source_key.in_(_KEYS), OPEN).order_by(intent.c.id)
)
_LINKS = Prepared(
    select(link).where(
        link.c.tenant == bindparam("tenant"), link.c.kind == bindparam("kind"), link.c.source_key.in_(_KEYS)
    )
)
_LAST_SENT = Prepared(
    select(func.max(intent.c.last_sent_ms)).where(
        _TENANT, _KIND, intent.c.source_key == bindparam("key"), intent.c.id != bindparam("id_")
    )
)
_NEEDS = Prepared(select(need).where(need.c.intent_id.in_(_KEYS)))


@dataclass(frozen=True)
class Work:
    """The kinds that have something to do; among `planned` there may be one whose last document has just been sent."""

    planned: frozenset[str]
    unknown: frozenset[str]


class QueueLedger(LedgerBase):
    """Reads only. Statements are built once; an answer is as of the last commit."""

    _work: tuple[int, Work] | None = None
    _ready: tuple[int, dict[tuple[str, int], list[Intent]]] = (-1, {})
    """As of which version, and what was ready, by kind and limit."""

    def work(self, kinds: Sequence[str]) -> Work:
        """Which of these kinds have planned or unknown documents that this run has not put aside."""
        if self._work is None or self._work[0] != self.version:
            conditions, statement = _probes(tuple(kinds))
            with self.reading() as connection:
                row = statement.rows(connection, self._parameters())[0]
            found = [condition for condition, there in zip(conditions, row, strict=True) if there]
            self._work = (
                self.version,
                Work(
                    frozenset(kind for kind, state in found if state == "planned"),
                    frozenset(kind for kind, state in found if state == "unknown"),
                ),
            )
        return self._work[1]

    def ready(self, kind: str, limit: int) -> list[Intent]:
        """Planned intents of one kind that need nothing more from the ledger, oldest first."""
        version, known = self._ready
        if version != self.version:
            version, known = self._ready = (self.version, {})
        if (kind, limit) not in known:
            known[kind, limit] = self._intents(_READY, kind=kind, most=limit)
        return list(known[kind, limit])

    def _only_sent(self, ids: Container[int], since: int) -> None:
        """Nothing but this happened since that version: these were sent. All else that was ready still is.

        A list that was cut at its limit is read anew.
        """
        if self._work is not None and self._work[0] == since:
            self._work = (self.version, self._work[1])
        version, known = self._ready
        if version == since:
            rest = {
                (kind, limit): [one for one in ready if one.id not in ids]
                for (kind, limit), ready in known.items()
                if len(ready) < limit
            }
            self._ready = (self.version, rest)

    def blocked(self, kind: str, limit: int) -> list[tuple[Intent, list[tuple[str, str]]]]:
        """Planned intents of one kind, with those of their needs that are not in Xero."""
        with self.reading() as connection:
            found = self._intents(_BLOCKED, kind=kind, most=limit)
            lacks: dict[int, list[tuple[str, str]]] = {}
            for id_, need_kind, key in self.rows(connection, _MISSING, [i.id for i in found]):
                lacks.setdefault(id_, []).append((need_kind, key))
        return [(i, lacks[i.id]) for i in found]

    def newest_open(self, kind: str, keys: Sequence[str]) -> dict[str, Intent]:
        """The newest revision that is not settled, of each of these documents that has one, with what it waits for as its note."""
        rows = self._open(kind, keys)
        told = notes(rows)
        return {row.source_key: replace(_intent(row, ()), note=told[row.id]) for row in rows}

    def parked(self, kind: str, source_key: str) -> Intent | None:
        """The revision of a document that waits for a person; there is one at most, for later ones wait for it."""
        with self.reading() as connection:
            rows = [row for row in self._open(kind, [source_key]) if row.state == State.PARKED.value]
            return next(iter(self._as_intents(connection, rows)), None)

    def open_notes(self, kind: str, keys: Sequence[str]) -> dict[int, str]:
        """What each revision of these documents that is not settled waits for, by its id."""
        return notes(self._open(kind, keys))

    def _open(self, kind: str, keys: Sequence[str]) -> list[Row[Any]]:
        with self.reading() as connection:
            return list(self.rows(connection, _ALL_OPEN, keys, kind=kind))

    def in_doubt(self, kind: str, now_ms: int, quiet_ms: int, limit: int) -> list[Intent]:
        """Unknown intents that it is worth asking Xero about now: never asked yet, or the quiet period is over since."""
        return self._intents(_IN_DOUBT, kind=kind, most=limit, quiet=quiet_ms, now=now_ms)

    def next_ripe_ms(self, quiet_ms: int) -> int | None:
        """When the next unknown intent will be worth asking about again; None: none waits for time."""
        with self.reading() as connection:
            value: int | None = _NEXT_RIPE.scalar(connection, self._parameters(quiet=quiet_ms))
            return value

    def links(self, kind: str, keys: Iterable[str]) -> dict[str, Link]:
        """The links of these documents, by source key."""
        with self.reading() as connection:
            rows = self.rows(connection, _LINKS, list(keys), kind=kind)
            return {row.source_key: _link(row) for row in rows}

    def last_sent_ms(self, intent_: Intent) -> int | None:
        """When an earlier revision of the same document was last sent; None: never."""
        with self.reading() as connection:
            sent = self._parameters(kind=intent_.kind, key=intent_.source_key, id_=intent_.id)
            value: int | None = _LAST_SENT.scalar(connection, sent)
            return value

    def _parameters(self, **more: Any) -> dict[str, Any]:
        return {"tenant": self.tenant.id, "epoch": self.epoch, **more}

    def _intents(self, statement: Prepared, **parameters: Any) -> list[Intent]:
        with self.reading() as connection:
            return self._as_intents(connection, statement.rows(connection, self._parameters(**parameters)))

    def _as_intents(self, connection: Connection, rows: Sequence[Any]) -> list[Intent]:
        """Rows of the table `intent`, with what they need."""
        needs = self._needs(connection, [row.id for row in rows])
        return [_intent(row, tuple(needs.get(row.id, ()))) for row in rows]

    def _needs(self, connection: Connection, ids: Sequence[int]) -> Mapping[int, list[tuple[str, str]]]:
        needs: dict[int, list[tuple[str, str]]] = {}
        for id_, kind, key in self.rows(connection, _NEEDS, ids):
            needs.setdefault(id_, []).append((kind, key))
        return needs


def only_of(statement: Any, kinds: Sequence[str], keys: Sequence[str]) -> Any:
    """Of a statement about intents, those of these kinds and with these keys (empty: all)."""
    if kinds:
        statement = statement.where(intent.c.kind.in_(kinds))
    return statement.where(intent.c.source_key.in_(keys)) if keys else statement


@functools.cache
def _probes(kinds: tuple[str, ...]) -> tuple[list[tuple[str, str]], Prepared]:
    conditions = [(kind, state) for kind in kinds for state in ("planned", "unknown")]
    states = {"planned": (_PLANNED,), "unknown": _UNKNOWN}
    probes = [
        exists()
        .where(_TENANT, intent.c.kind == literal(kind), _FREE, *states[state])
        .label(f"{kind}_{state}")
        for kind, state in conditions
    ]
    return conditions, Prepared(select(*probes))


def _link(row: Row[Any]) -> Link:
    return Link(
        kind=row.kind,
        source_key=row.source_key,
        remote_id=row.remote_id,
        content_hash=row.content_hash,
        number=row.number,
        status=row.status,
        status_epoch=row.status_epoch,
        lines=json.loads(row.lines),
        adopted=bool(row.adopted),
        quiet_until_ms=row.quiet_until_ms,
    )


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
        before_hash=row.before_hash,
        cleared=bool(row.cleared),
    )
