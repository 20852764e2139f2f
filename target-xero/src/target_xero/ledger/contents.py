"""What is in a ledger, counted and written out: for people who look at it, and for whoever takes it elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import exists, func, select

from target_xero.ledger import schema
from target_xero.ledger.audit import read_head
from target_xero.ledger.base import LedgerBase
from target_xero.ledger.model import Tenant
from target_xero.ledger.schema import OPEN, audit, intent, link, run, seen

EXPORTED = ("links", "documents", "runs", "audit")
_DEAD = ('"VOIDED"', '"DELETED"', '"ARCHIVED"', '"GDPRREQUEST"')
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Recognised:
    """What one of Xero's lists showed."""

    kind: str
    seen: int
    marked: int
    """With a number or reference by which a document of ours may be known again."""
    dead: int
    """Voided, deleted, archived."""
    doubled: dict[str, int] = field(default_factory=dict)
    """Numbers and markers that several elements in use share, and how many."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def _when(ms: int | None) -> str | None:
    return None if ms is None else (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="seconds")


class Contents:
    """Reads of one ledger, over all its organisations."""

    def __init__(self, ledger: LedgerBase) -> None:
        self._ledger = ledger

    def is_used(self) -> bool:
        """Whether it knows a document."""
        with self._ledger.atomic() as connection:
            return bool(
                connection.execute(
                    select(exists(select(intent.c.id)) | exists(select(link.c.marker)))
                ).scalar()
            )

    def status(self) -> dict[str, Any]:
        """Counts, and the newest hash."""
        with self._ledger.atomic() as connection:
            seq, head = read_head(connection)
            meta = dict(connection.execute(select(schema.meta.c.key, schema.meta.c.value)).tuples().all())
            last = connection.execute(select(run).order_by(run.c.epoch.desc()).limit(1)).first()
            linked = connection.execute(
                select(link.c.kind, func.count()).group_by(link.c.kind).order_by(link.c.kind)
            )
            opened = connection.execute(
                select(intent.c.state, func.count())
                .where(OPEN)
                .group_by(intent.c.state)
                .order_by(intent.c.state)
            )
            return {
                "ledger": self._ledger.name,
                "version": int(meta["version"]),
                "identity": meta["identity"],
                "organisations": dict(
                    connection.execute(select(schema.tenant.c.name, schema.tenant.c.id)).tuples().all()
                ),
                "runs": connection.execute(select(func.count()).select_from(run)).scalar_one(),
                "last_run": _when(last.started_ms) if last else None,
                "last_run_ended": bool(last and last.ended_ms is not None),
                "linked": dict(linked.tuples().all()),
                "open": dict(opened.tuples().all()),
                "entries": seq,
                "head": head,
                "warning": self._ledger.warning,
            }

    def recognised(self, tenant: Tenant) -> list[Recognised]:
        """What Xero's lists showed, by kind."""
        counts: dict[str, Counter[str]] = {}
        handles: dict[str, Counter[str]] = {}
        statement = select(seen.c.kind, seen.c.handle, seen.c.facts).where(seen.c.tenant == tenant.id)
        with self._ledger.atomic() as connection:
            for kind, handle, facts in connection.execute(statement):
                count = counts.setdefault(kind, Counter())
                dead = any(f'"status":{word}' in facts for word in _DEAD)
                count.update(seen=1, marked=bool(handle), dead=dead)
                if handle and not dead:
                    handles.setdefault(kind, Counter())[handle] += 1
        return [
            Recognised(
                kind,
                count["seen"],
                count["marked"],
                count["dead"],
                {handle: times for handle, times in handles.get(kind, Counter()).items() if times > 1},
            )
            for kind, count in sorted(counts.items())
        ]

    def rows(self, what: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Every row of these: keys, states, amounts, ids and hashes; no document's text, no secret."""
        with self._ledger.atomic() as connection:
            if "links" in what:
                for row in connection.execute(
                    select(link).order_by(link.c.tenant, link.c.kind, link.c.source_key)
                ):
                    yield {
                        "what": "link", "organisation": row.tenant, "kind": row.kind, "key": row.source_key,
                        "xero_id": row.remote_id, "number": row.number, "marker": row.marker, "state": row.status,
                        "content": row.content_hash,
                    }  # fmt: skip
            if "documents" in what:
                for row in connection.execute(select(intent).order_by(intent.c.id)):
                    yield {
                        "what": "document", "organisation": row.tenant, "kind": row.kind, "key": row.source_key,
                        "revision": row.revision, "state": row.state, "xero_id": row.remote_id, "marker": row.marker,
                        "currency": row.currency, "amount": row.amount_minor, "xero_amount": row.xero_amount_minor,
                        "xero_total": row.xero_total_minor, "run": row.planned_epoch, "settled_run": row.settled_epoch,
                        "content": row.content_hash,
                    }  # fmt: skip
            if "runs" in what:
                for row in connection.execute(select(run).order_by(run.c.epoch)):
                    yield {
                        "what": "run", "organisation": row.tenant, "run": row.epoch, "at": _when(row.started_ms),
                        "ended": _when(row.ended_ms), "hash": row.head,
                    }  # fmt: skip
            if "audit" in what:
                for row in connection.execute(select(audit).order_by(audit.c.seq)):
                    yield {
                        "what": "audit", "organisation": row.tenant, "run": row.epoch, "at": _when(row.at_ms),
                        "actor": row.actor, "state": row.event, "seq": row.seq, "entries": row.entries,
                        "previous_hash": row.previous_hash, "hash": row.hash,
                    }  # fmt: skip
