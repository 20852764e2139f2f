"""What the guards ask the ledger: what was last agreed, what a run is about to do, what was paid, which notes are due."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ScalarSelect, bindparam, case, delete, func, insert, literal, select, update

from target_xero.ledger.base import LedgerBase, storable
from target_xero.ledger.model import State
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import intent, link, meta, need, note

_STREAM = "stream:"
"""Begins the keys under which the ledger keeps what the source's streams gave."""
_KEYS: Any = bindparam("keys", expanding=True)
_BASES = Prepared(
    select(link.c.source_key, intent.c.document)
    .join(intent, intent.c.id == link.c.intent_id)
    .where(
        link.c.tenant == bindparam("tenant"),
        link.c.kind == bindparam("kind"),
        link.c.source_key.in_(_KEYS),
        link.c.content_hash != "",
    )
)
_BOOKED = Prepared(
    select(
        link.c.source_key,
        intent.c.currency,
        intent.c.xero_total_minor,
        intent.c.settled_epoch,
        intent.c.sent_op,
    )
    .join(intent, intent.c.id == link.c.intent_id)
    .where(
        link.c.tenant == bindparam("tenant"), link.c.kind == bindparam("kind"), link.c.source_key.in_(_KEYS)
    )
)
_FORGET = Prepared(delete(meta).where(meta.c.key.in_(_KEYS)))
_KEEP = Prepared(insert(meta), ["key", "value"])
_NOTES_DUE = Prepared(
    select(note.c.intent_id, intent.c.kind, intent.c.remote_id, note.c.text, note.c.tries)
    .join(intent, intent.c.id == note.c.intent_id)
    .where(note.c.tenant == bindparam("tenant"), note.c.tried_ms <= bindparam("quiet_since"))
    .order_by(note.c.intent_id)
    .limit(bindparam("most"))
)
_paying = intent.alias("paying")
_standing = link.alias("standing")
_settled = _standing.c.intent_id.is_not(None)
"""Done, and still linked: what was taken back since has no link any more."""
_PAID = Prepared(
    select(
        need.c.source_key,
        func.coalesce(func.sum(case((_settled, _paying.c.amount_minor), else_=0)), 0),
        func.max(case((_paying.c.state == State.SENT.value, 1), else_=0)),
        func.max(case((_paying.c.state == State.UNKNOWN.value, 1), else_=0)),
        func.max(_paying.c.last_sent_ms),
    )
    .join(_paying, _paying.c.id == need.c.intent_id)
    .outerjoin(
        _standing,
        (_standing.c.tenant == _paying.c.tenant)  # with its key, for links have no index of intents
        & (_standing.c.kind == _paying.c.kind)
        & (_standing.c.source_key == _paying.c.source_key)
        & (_standing.c.intent_id == _paying.c.id),
    )
    .where(
        need.c.kind == bindparam("kind"),
        need.c.source_key.in_(_KEYS),
        _paying.c.tenant == bindparam("tenant"),
        _paying.c.kind == "payments",
    )
    .group_by(need.c.source_key)
)


def _currency_of_needs() -> ScalarSelect[str]:
    """The currency of the newest revision among what an intent needs.

    Need by need, so that SQLite has no choice but to look each one up by its key: joined, it reads the tenant's every intent.
    """
    revision, newest = intent.alias("revision"), intent.alias("newest")
    of_need = (
        select(func.max(revision.c.id))
        .where(
            revision.c.tenant == intent.c.tenant,
            revision.c.kind == need.c.kind,
            revision.c.source_key == need.c.source_key,
            revision.c.currency != "",
        )
        .correlate(intent, need)
        .scalar_subquery()
    )
    of_all = (
        select(func.max(of_need)).where(need.c.intent_id == intent.c.id).correlate(intent).scalar_subquery()
    )
    return select(newest.c.currency).where(newest.c.id == of_all).correlate(intent).scalar_subquery()


def _to_be_weighed() -> Prepared:
    on = (
        (link.c.tenant == intent.c.tenant)
        & (link.c.kind == intent.c.kind)
        & (link.c.source_key == intent.c.source_key)
    )
    currency = func.coalesce(func.nullif(intent.c.currency, ""), _currency_of_needs(), literal(""))
    return Prepared(
        select(
            intent.c.kind,
            intent.c.source_key,
            currency.label("currency"),
            (func.coalesce(link.c.content_hash, "") != "").label("linked"),
            func.coalesce(intent.c.amount_minor, 0).label("amount_minor"),
        )
        .outerjoin(link, on)
        .where(
            intent.c.tenant == bindparam("tenant"),
            intent.c.state == State.PLANNED.value,
            intent.c.held_epoch == 0,
            intent.c.op != "undo",
        )
        .order_by(intent.c.id)
    )


_TO_BE_WEIGHED = _to_be_weighed()
_LINK_COUNT = Prepared(select(func.count()).select_from(link).where(link.c.tenant == bindparam("tenant")))


@dataclass(frozen=True)
class Booked:
    """A document that payments are entered for, as the ledger knows it."""

    currency: str
    total_minor: int | None
    """With tax, as Xero last answered to a write of ours."""
    paid_minor: int
    """The ledger's own sum of payments that are done."""
    created_epoch: int | None
    """The run that created it, if it has not been written since."""
    in_flight: bool = False
    """A payment of it is on its way."""
    in_doubt: bool = False
    """The outcome of a payment of it is not known."""
    touched_ms: int = 0
    """When a payment of it was last sent, on Xero's clock."""


class Planned(Protocol):
    """A document that is planned, as it is weighed."""

    kind: str
    source_key: str
    currency: str
    """Of a payment: of what it pays. Empty: not known."""
    linked: bool
    """Whether it was agreed with Xero before. What was only found there is a change once it is seen to differ."""
    amount_minor: int


class GuardLedger(LedgerBase):
    """Reads, and the notes' own little queue."""

    def agreed(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents as last agreed with Xero, by source key; one that we never wrote is not there."""
        with self.reading() as connection:
            return {
                key: json.loads(document)
                for key, document in self.rows(connection, _BASES, list(keys), kind=kind)
            }

    def booked(self, kind: str, keys: Sequence[str]) -> dict[str, Booked]:
        """Linked invoices or credit notes, with what the ledger has paid on them."""
        with self.reading() as connection:
            paid = {row[0]: row[1:] for row in self.rows(connection, _PAID, list(keys), kind=kind)}
            found = {}
            for key, currency, total, epoch, op in self.rows(connection, _BOOKED, list(keys), kind=kind):
                sum_, flying, doubtful, touched = paid.get(key, (0, 0, 0, None))
                found[key] = Booked(
                    currency=currency,
                    total_minor=total,
                    paid_minor=int(sum_),
                    created_epoch=epoch if op == "create" else None,
                    in_flight=bool(flying),
                    in_doubt=bool(doubtful),
                    touched_ms=touched or 0,
                )
            return found

    def linked_count(self) -> int:
        """How many documents are linked."""
        with self.reading() as connection:
            return int(_LINK_COUNT.scalar(connection, {"tenant": self.tenant.id}))

    def to_be_weighed(self) -> list[Planned]:
        """What is planned and was not put off by an earlier run, oldest first; without what `undo` takes back."""
        with self.reading() as connection:
            return _TO_BE_WEIGHED.rows(connection, {"tenant": self.tenant.id})

    def follow(self, source_key: str, remote_id: str, status: str) -> None:
        """A contact was merged into another one in Xero, which nobody else of ours is: its link moves there."""
        with self.atomic() as connection:
            self.fence(connection)
            row = (
                link.c.tenant == self.tenant.id,
                link.c.kind == "contacts",
                link.c.source_key == source_key,
            )
            of = connection.execute(select(link.c.intent_id).where(*row)).scalar()
            connection.execute(
                update(link).where(*row).values(remote_id=remote_id, status=status, status_epoch=self.epoch)
            )
            self.record("linked", kind="contacts", key=source_key, remote=remote_id, intent=of)
            self.version += 1

    # --- what the source gave --------------------------------------------------------------------------------------

    def source_counts(self) -> dict[str, int]:
        """By stream: how many records it gave when it was last read whole and gave any. Of all organisations together."""
        with self.atomic() as connection:
            rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.like(f"{_STREAM}%")))
            return {key[len(_STREAM) :]: int(value) for key, value in rows}

    def note_sources(self, counts: Mapping[str, int]) -> None:
        """Keeps these counts."""
        rows = {f"{_STREAM}{storable(stream)}": str(count) for stream, count in counts.items()}
        with self.atomic() as connection:
            _FORGET.change(connection, {"keys": list(rows)})
            _KEEP.change(connection, *({"key": key, "value": value} for key, value in rows.items()))

    def has_links(self, kind: str = "") -> bool:
        """Whether documents of this kind (empty: any) are in Xero, in any organisation of the ledger."""
        statement = select(link.c.kind).limit(1)
        with self.atomic() as connection:
            found = statement.where(link.c.kind == kind) if kind else statement
            return connection.execute(found).first() is not None

    # --- notes in the History of documents --------------------------------------------------------------------------

    def notes_due(self, ids: Iterable[int], text: Mapping[int, str]) -> None:
        """These intents' documents are to get a note; part of the transaction that settles them."""
        rows = [{"intent_id": id_, "tenant": self.tenant.id, "text": text[id_], "tries": 0} for id_ in ids]
        if rows:
            with self.atomic() as connection:
                connection.execute(insert(note), rows)
                self.version += 1

    def next_notes(self, limit: int, quiet_since_ms: int) -> list[tuple[int, str, str, str, int]]:
        """The oldest notes due: (intent, kind, id in Xero, text, tries so far).

        One that was tried waits until nothing of it can arrive any more: it was last tried before `quiet_since_ms`.
        """
        asked = {"tenant": self.tenant.id, "quiet_since": quiet_since_ms, "most": limit}
        with self.reading() as connection:
            return [tuple(row) for row in _NOTES_DUE.rows(connection, asked)]

    def note_tried(self, intent_id: int, now_ms: int) -> None:
        """A note is about to be sent: whoever sends it again looks for it first."""
        with self.atomic() as connection:
            self.fence(connection)
            connection.execute(
                update(note)
                .where(note.c.intent_id == intent_id)
                .values(tries=note.c.tries + 1, tried_ms=now_ms)
            )

    def note_written(self, intent_id: int) -> None:
        """A note is in Xero, or will never be."""
        with self.atomic() as connection:
            connection.execute(delete(note).where(note.c.intent_id == intent_id))
            self.version += 1
