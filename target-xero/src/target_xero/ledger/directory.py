"""What Xero's own lists showed, kept so that the next look-up reads only what changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, exists, insert, select

from target_xero.ledger.base import LedgerBase, chunks, dump
from target_xero.ledger.schema import intent, link, listing, seen


@dataclass(frozen=True)
class Seen:
    """One element of one of Xero's lists."""

    remote_id: str
    handle: str = ""
    """What we would know it by: contact number, item code, marker in the reference."""
    name_key: str = ""
    """What else could clash or be taken for it: folded contact name, document number, the document a payment is for."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What is compared: status, amounts, dates, name."""


class DirectoryLedger(LedgerBase):
    """A mirror of keys, not of content. Never the reason to believe that something is missing unless just refreshed."""

    def listing_asked_ms(self, kind: str) -> int | None:
        """When the list of this kind was last read to its end; None: never by this ledger."""
        with self.atomic() as connection:
            value: int | None = connection.execute(
                select(listing.c.asked_ms).where(listing.c.tenant == self.tenant.id, listing.c.kind == kind)
            ).scalar()
            return value

    def listing_read(self, kind: str, asked_ms: int) -> None:
        """The list, asked for at that time, has been read to its end."""
        with self.atomic() as connection:
            connection.execute(
                delete(listing).where(listing.c.tenant == self.tenant.id, listing.c.kind == kind)
            )
            connection.execute(insert(listing).values(tenant=self.tenant.id, kind=kind, asked_ms=asked_ms))

    def note_seen(self, kind: str, rows: Sequence[Seen]) -> None:
        """Takes in a page of a list; a row seen before is replaced."""
        with self.atomic() as connection:
            for chunk in chunks({row.remote_id: row for row in rows}.values()):
                connection.execute(
                    delete(seen).where(
                        seen.c.tenant == self.tenant.id,
                        seen.c.kind == kind,
                        seen.c.remote_id.in_([row.remote_id for row in chunk]),
                    )
                )
                connection.execute(
                    insert(seen),
                    [
                        {
                            "tenant": self.tenant.id,
                            "kind": kind,
                            "remote_id": row.remote_id,
                            "handle": row.handle,
                            "name_key": row.name_key,
                            "facts": dump(row.facts),
                        }
                        for row in chunk
                    ],
                )

    def hits(self, kind: str, handles: Iterable[str]) -> dict[str, list[Seen]]:
        """What the lists show under these handles and no document of ours accounts for."""
        return self._find(kind, seen.c.handle, handles)

    def namesakes(self, kind: str, name_keys: Iterable[str]) -> dict[str, list[Seen]]:
        """The same by name key."""
        return self._find(kind, seen.c.name_key, name_keys)

    def facts(self, kind: str, remote_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the lists last showed of these elements, by Xero's id."""
        found: dict[str, dict[str, Any]] = {}
        with self.atomic() as connection:
            for chunk in chunks(remote_ids):
                statement = select(seen.c.remote_id, seen.c.facts).where(
                    seen.c.tenant == self.tenant.id, seen.c.kind == kind, seen.c.remote_id.in_(chunk)
                )
                found.update((id_, json.loads(facts)) for id_, facts in connection.execute(statement))
        return found

    def owners(self, kind: str, remote_ids: Iterable[str]) -> dict[str, str]:
        """Which documents of ours these elements of Xero's belong to, by Xero's id."""
        found: dict[str, str] = {}
        with self.atomic() as connection:
            for chunk in chunks(remote_ids):
                statement = select(link.c.remote_id, link.c.source_key).where(
                    link.c.tenant == self.tenant.id, link.c.kind == kind, link.c.remote_id.in_(chunk)
                )
                found.update((remote_id, key) for remote_id, key in connection.execute(statement))
        return found

    def _find(self, kind: str, column: Any, values: Iterable[str]) -> dict[str, list[Seen]]:
        linked = exists().where(
            link.c.tenant == seen.c.tenant, link.c.kind == seen.c.kind, link.c.remote_id == seen.c.remote_id
        )
        ours = exists().where(
            intent.c.tenant == seen.c.tenant,
            intent.c.kind == seen.c.kind,
            intent.c.remote_id == seen.c.remote_id,
        )
        found: dict[str, list[Seen]] = {}
        with self.atomic() as connection:
            for chunk in chunks(value for value in values if value):
                statement = select(
                    column, seen.c.remote_id, seen.c.handle, seen.c.name_key, seen.c.facts
                ).where(
                    seen.c.tenant == self.tenant.id,
                    seen.c.kind == kind,
                    column.in_(chunk),
                    ~linked,
                    ~ours,
                )
                for value, remote_id, handle, name_key, facts in connection.execute(statement):
                    found.setdefault(value, []).append(Seen(remote_id, handle, name_key, json.loads(facts)))
        return found
