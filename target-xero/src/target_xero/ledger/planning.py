"""The planner's side of the ledger: what is known of a document, and the next revision of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from target_xero.ledger.audit import planned_entry
from target_xero.ledger.base import dump, moving, storable
from target_xero.ledger.model import NewIntent, State
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import OPEN, alias, intent, link, need, undone
from target_xero.ledger.undoing import UndoLedger
from target_xero.limits import BATCH_ELEMENTS_MAX


@dataclass(slots=True)
class Known:
    """What the ledger knows of one document when it is planned again."""

    linked_hash: str | None = None
    """None: not in Xero by this ledger. Empty: in Xero, never written by us."""
    undone_hash: str | None = None
    """What it said when somebody took it back: while it says so, nothing is written."""
    open: list[tuple[int, State, str]] = field(default_factory=list)
    """(intent id, state, content hash) of the revisions that are not settled, oldest first."""
    doubtful: dict[int, str] = field(default_factory=dict)
    """Those of them that are planned again after a write that may still take effect: create, update or delete."""


class Holder(NamedTuple):
    """A document that has a mark, or will have it."""

    source_key: str
    intent_id: int = 0
    """Its revision that is not settled; 0: it is in Xero with that mark."""
    status: str = ""
    """In Xero, as last told."""


def _of_these(table: Table) -> ColumnElement[bool]:
    """The rows of some documents of one kind."""
    columns = table.c
    return and_(
        columns.tenant == bindparam("tenant"),
        columns.kind == bindparam("kind"),
        columns.source_key.in_(bindparam("keys", expanding=True)),
    )


_LINKED, _UNDONE = "linked", "undone"
"""Beside the states of open revisions: what else is known of a document."""
_KNOWN = Prepared(
    union_all(
        select(
            link.c.source_key,
            literal(_LINKED).label("what"),
            link.c.content_hash,
            literal(0).label("id"),
            literal("").label("doubtful"),
        ).where(_of_these(link)),
        select(undone.c.source_key, literal(_UNDONE), undone.c.content_hash, literal(0), literal("")).where(
            _of_these(undone)
        ),
        select(
            intent.c.source_key,
            intent.c.state,
            intent.c.content_hash,
            intent.c.id,
            case(
                ((intent.c.state == State.PLANNED.value) & (intent.c.attempt > 0), intent.c.sent_op), else_=""
            ),
        ).where(_of_these(intent), OPEN),
    ).order_by("id")
)
_REVISIONS = Prepared(
    select(intent.c.source_key, func.max(intent.c.revision))
    .where(_of_these(intent))
    .group_by(intent.c.source_key)
)
_MARKS: Any = bindparam("keys", expanding=True)
_HOLDERS = Prepared(
    union_all(
        select(link.c.marker, link.c.source_key, literal(0).label("id"), link.c.status).where(
            link.c.tenant == bindparam("tenant"), link.c.kind == bindparam("kind"), link.c.marker.in_(_MARKS)
        ),
        select(intent.c.marker, intent.c.source_key, intent.c.id, literal("")).where(
            intent.c.tenant == bindparam("tenant"),
            intent.c.kind == bindparam("kind"),
            intent.c.marker.in_(_MARKS),
            OPEN,
            (intent.c.state != State.REJECTED.value) | (intent.c.waits == 1),
        ),
    ).order_by("id")
)
"""A refused revision has no mark, unless it goes by itself once what it waits for is there."""

_ALIASES = Prepared(
    select(alias.c.old_key, alias.c.source_key).where(
        alias.c.tenant == bindparam("tenant"),
        alias.c.kind == bindparam("kind"),
        alias.c.old_key.in_(bindparam("keys", expanding=True)),
    )
)

_SUPERSEDE = moving(
    update(intent)
    .where(
        intent.c.id.in_(bindparam("keys", expanding=True)),
        intent.c.state.in_([State.PROPOSED.value, State.PLANNED.value, State.REJECTED.value]),
    )
    .values(state=State.SUPERSEDED.value, settled_epoch=bindparam("epoch_"))
)
_INSERT = Prepared(
    insert(intent).returning(intent.c.id, sort_by_parameter_order=True),
    ["tenant", "kind", "source_key", "revision", "op", "uniq", "marker", "document", "content_hash", "label", "url",
     "currency", "amount_minor", "state", "note", "refusals", "batch_max", "planned_epoch", "settled_epoch", "proposed_by",
     "before_hash"],
)  # fmt: skip
_INSERT_NEED = Prepared(insert(need), ["intent_id", "kind", "source_key"])


class PlanningLedger(UndoLedger):
    """Reads by chunks of keys, writes one transaction an accepted batch."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._unchanged: Counter[str] = Counter()
        self._undone: Counter[str] = Counter()

    def known(self, kind: str, keys: Sequence[str]) -> dict[str, Known]:
        """What is known of each of these documents; a key that is not in the answer is new."""
        found: dict[str, Known] = {}
        with self.reading() as connection:
            rows = self.rows(connection, _KNOWN, keys, kind=kind)
        for key, what, content_hash, id_, doubtful in rows:
            known = found.setdefault(key, Known())
            if what == _LINKED:
                known.linked_hash = content_hash
            elif what == _UNDONE:
                known.undone_hash = content_hash
            else:
                known.open.append((id_, State(what), content_hash))
                if doubtful:
                    known.doubtful[id_] = doubtful
        return found

    def holders_of_marks(self, kind: str, marks: Iterable[str]) -> dict[str, list[Holder]]:
        """Which documents of this kind have these marks in Xero, or will once they are there."""
        found: dict[str, list[Holder]] = {}
        with self.reading() as connection:
            for mark, key, id_, status in self.rows(connection, _HOLDERS, list(marks), kind=kind):
                found.setdefault(mark, []).append(Holder(key, id_, status))
        return found

    def add(self, intents: Sequence[NewIntent], superseded: Sequence[int] = ()) -> None:
        """Takes new revisions in; those with refusals are rejected from the start. Planned ones they replace go."""
        if not intents and not superseded:
            return
        with self.atomic() as connection:
            self.fence(connection)
            self.supersede(superseded)
            by_kind: dict[str, list[str]] = {}
            for new in intents:
                by_kind.setdefault(new.kind, []).append(new.source_key)
            last: dict[tuple[str, str], int] = {}
            for kind, keys in by_kind.items():
                for key, revision in self.rows(connection, _REVISIONS, keys, kind=kind):
                    last[kind, key] = revision
            rows = []
            renamed = self._renamed({need for new in intents for need in new.needs})
            for new in intents:
                revision = last[new.kind, new.source_key] = last.get((new.kind, new.source_key), 0) + 1
                rows.append(self._row(new, revision))
            if rows:
                ids = _INSERT.ids(connection, rows)
                for id_, row, new in zip(ids, rows, intents, strict=True):
                    entry = planned_entry(row, id_)
                    if new.refusals:
                        entry["rules"] = [refusal.rule for refusal in new.refusals]
                    self.record(**entry)
                needs = [
                    {"intent_id": id_, "kind": kind, "source_key": key}
                    for id_, new in zip(ids, intents, strict=True)
                    for kind, key in dict.fromkeys(
                        (kind, renamed.get((kind, key), key)) for kind, key in new.needs
                    )
                ]
                if needs:
                    _INSERT_NEED.change(connection, *needs)
            self.version += 1
            self.additions += 1

    def allocations_of(self, note_key: str) -> list[str]:
        """The keys of all allocations that a credit note was ever to have."""
        of = (need.c.intent_id == intent.c.id) & (need.c.kind == "credit_notes")
        statement = (
            select(intent.c.source_key)
            .distinct()
            .join(need, of)
            .where(
                intent.c.tenant == self.tenant.id,
                intent.c.kind == "allocations",
                need.c.source_key == note_key,
            )
            .order_by(intent.c.source_key)
        )
        with self.atomic() as connection:
            return list(connection.execute(statement).scalars())

    def aliases(self, kind: str, keys: Iterable[str]) -> dict[str, str]:
        """Those of the keys that a re-key has replaced, with what they are called now."""
        with self.reading() as connection:
            return dict(self.rows(connection, _ALIASES, sorted(keys), kind=kind))

    def _renamed(self, needs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        by_kind: dict[str, set[str]] = {}
        for kind, key in needs:
            by_kind.setdefault(kind, set()).add(key)
        return {
            (kind, old): new
            for kind, keys in by_kind.items()
            for old, new in self.aliases(kind, keys).items()
        }

    def supersede(self, ids: Sequence[int]) -> None:
        """Planned or rejected revisions that a newer one replaces; they have had no effect and never will."""
        if ids:
            with self.atomic() as connection:
                self.shift(connection, _SUPERSEDE, {"keys": ids, "epoch_": self.epoch})
                self.version += 1

    def _row(self, new: NewIntent, revision: int) -> dict[str, Any]:
        refused = bool(new.refusals)
        free = State.PLANNED if self.proposing is None else State.PROPOSED
        note = new.note or " ".join(refusal.sentence() for refusal in new.refusals)
        return {
            "tenant": self.tenant.id,
            "kind": new.kind,
            "source_key": new.source_key,
            "revision": revision,
            "op": new.op,
            "uniq": int(new.unique),
            "marker": new.marker,
            "document": storable(dump(new.document)),
            "content_hash": new.content_hash,
            "label": new.label,
            "url": new.url,
            "currency": new.currency,
            "amount_minor": new.amount_minor,
            "state": (new.state or (State.REJECTED if refused else free)).value,
            "note": storable(note),
            "refusals": storable(dump([refusal.as_dict() for refusal in new.refusals])),
            "batch_max": BATCH_ELEMENTS_MAX,
            "planned_epoch": self.epoch,
            "settled_epoch": self.epoch if refused else None,
            "proposed_by": self.proposing,
            "before_hash": new.before_hash,
        }

    def count_unchanged(self, kind: str, count: int) -> None:
        """Documents that cost nothing; kept in memory, for the run's summary."""
        self._unchanged[kind] += count

    def count_undone(self, kind: str, count: int) -> None:
        """Documents that came again as they were when `undo` took them back; kept in memory, too."""
        self._undone[kind] += count

    def rekey(self, kind: str, old: str, new: str) -> None:
        """The document `old` is called `new` from now on: its link, its history and whoever needs it follow.

        The caller has made sure that `new` is in Xero under no other id and has nothing in flight.
        """
        with self.atomic() as connection:
            self.fence(connection)
            mine = (intent.c.tenant == self.tenant.id, intent.c.kind == kind)
            offset = connection.execute(
                select(func.max(intent.c.revision)).where(*mine, intent.c.source_key == new)
            ).scalar()
            moved = connection.execute(
                update(intent)
                .where(*mine, intent.c.source_key == old)
                .values(source_key=new, revision=intent.c.revision + (offset or 0))
                .returning(intent.c.id)
            )
            ids = list(moved.scalars())
            self.record("rekeyed", kind=kind, key=old, to=new, offset=offset or 0, intents=ids)
            connection.execute(
                update(link)
                .where(link.c.tenant == self.tenant.id, link.c.kind == kind, link.c.source_key == old)
                .values(source_key=new)
            )
            of_tenant = select(intent.c.id).where(intent.c.tenant == self.tenant.id)
            both = select(need.c.intent_id).where(need.c.kind == kind, need.c.source_key == new)
            connection.execute(
                update(need)
                .where(
                    need.c.kind == kind,
                    need.c.source_key == old,
                    need.c.intent_id.in_(of_tenant),
                    need.c.intent_id.not_in(both),
                )
                .values(source_key=new)
            )
            connection.execute(
                update(alias)
                .where(alias.c.tenant == self.tenant.id, alias.c.kind == kind, alias.c.source_key == old)
                .values(source_key=new)
            )
            connection.execute(
                insert(alias).values(tenant=self.tenant.id, kind=kind, old_key=old, source_key=new)
            )
            self.version += 1
