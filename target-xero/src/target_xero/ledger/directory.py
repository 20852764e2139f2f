"""What Xero's own lists showed, kept so that the next look-up reads only what changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, exists, insert, select

from target_xero.ledger.base import LedgerBase, chunks, dump
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import intent, link, listing, seen

_KEYS: Any = bindparam("keys", expanding=True)
_OF_LISTING = (listing.c.tenant == bindparam("tenant"), listing.c.kind == bindparam("kind"))
_ASKED = Prepared(select(listing.c.asked_ms).where(*_OF_LISTING))
_FORGET = Prepared(delete(listing).where(*_OF_LISTING))
_READ = Prepared(insert(listing), ["tenant", "kind", "asked_ms"])
_OF_SEEN = (seen.c.tenant == bindparam("tenant"), seen.c.kind == bindparam("kind"))
_UNSEE = Prepared(delete(seen).where(*_OF_SEEN, seen.c.remote_id.in_(_KEYS)))
_SEE = Prepared(insert(seen), ["tenant", "kind", "remote_id", "handle", "name_key", "facts"])
_FACTS = Prepared(select(seen.c.remote_id, seen.c.facts).where(*_OF_SEEN, seen.c.remote_id.in_(_KEYS)))
_OWNERS = Prepared(
    select(link.c.remote_id, link.c.source_key).where(
        link.c.tenant == bindparam("tenant"), link.c.kind == bindparam("kind"), link.c.remote_id.in_(_KEYS)
    )
)


def _shown(column: Any, *conditions: Any) -> Prepared:
    """What the lists show under some values of this column."""
    return Prepared(
        select(column.label("value"), seen.c.remote_id, seen.c.handle, seen.c.name_key, seen.c.facts).where(
            *_OF_SEEN, column.in_(_KEYS), *conditions
        )
    )


def _strangers(column: Any) -> Prepared:
    """Of that, what no document of ours accounts for."""
    linked = exists().where(
        link.c.tenant == seen.c.tenant, link.c.kind == seen.c.kind, link.c.remote_id == seen.c.remote_id
    )
    ours = exists().where(
        intent.c.tenant == seen.c.tenant,
        intent.c.kind == seen.c.kind,
        intent.c.remote_id == seen.c.remote_id,
    )
    return _shown(column, ~linked, ~ours)


_HOLDERS = _shown(seen.c.handle)
_HITS = _strangers(seen.c.handle)
_NAMESAKES = _strangers(seen.c.name_key)


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
        with self.reading() as connection:
            value: int | None = _ASKED.scalar(connection, {"tenant": self.tenant.id, "kind": kind})
            return value

    def listing_read(self, kind: str, asked_ms: int) -> None:
        """The list, asked for at that time, has been read to its end."""
        with self.atomic() as connection:
            row = {"tenant": self.tenant.id, "kind": kind}
            _FORGET.change(connection, row)
            _READ.change(connection, {**row, "asked_ms": asked_ms})

    def note_seen(self, kind: str, rows: Sequence[Seen]) -> None:
        """Takes in a page of a list; a row seen before is replaced."""
        with self.atomic() as connection:
            for chunk in chunks({row.remote_id: row for row in rows}.values()):
                of = {"tenant": self.tenant.id, "kind": kind}
                _UNSEE.change(connection, {**of, "keys": [row.remote_id for row in chunk]})
                _SEE.change(
                    connection,
                    *(
                        {
                            **of,
                            "remote_id": row.remote_id,
                            "handle": row.handle,
                            "name_key": row.name_key,
                            "facts": dump(row.facts),
                        }
                        for row in chunk
                    ),
                )

    def hits(self, kind: str, handles: Iterable[str]) -> dict[str, list[Seen]]:
        """What the lists show under these handles and no document of ours accounts for."""
        return self._find(kind, _HITS, handles)

    def shown(self, kind: str, handles: Iterable[str]) -> dict[str, list[Seen]]:
        """What the lists show under these handles, our own documents included."""
        return self._find(kind, _HOLDERS, handles)

    def namesakes(self, kind: str, name_keys: Iterable[str]) -> dict[str, list[Seen]]:
        """The same by name key."""
        return self._find(kind, _NAMESAKES, name_keys)

    def facts(self, kind: str, remote_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the lists last showed of these elements, by Xero's id."""
        with self.reading() as connection:
            rows = self.rows(connection, _FACTS, list(remote_ids), kind=kind)
            return {id_: json.loads(facts) for id_, facts in rows}

    def owners(self, kind: str, remote_ids: Iterable[str]) -> dict[str, str]:
        """Which documents of ours these elements of Xero's belong to, by Xero's id."""
        with self.reading() as connection:
            return dict(self.rows(connection, _OWNERS, list(remote_ids), kind=kind))

    def _find(self, kind: str, statement: Prepared, values: Iterable[str]) -> dict[str, list[Seen]]:
        found: dict[str, list[Seen]] = {}
        with self.reading() as connection:
            rows = self.rows(connection, statement, [value for value in values if value], kind=kind)
            for value, remote_id, handle, name_key, facts in rows:
                found.setdefault(value, []).append(Seen(remote_id, handle, name_key, json.loads(facts)))
        return found

    def contacts_as_agreed(self, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
        """What contacts were called, and their id in Xero, when they were last agreed with Xero; by source key."""
        found: dict[str, tuple[str, str]] = {}
        with self.atomic() as connection:
            for some in chunks(sorted(set(keys))):
                statement = (
                    select(link.c.source_key, intent.c.document, intent.c.label, intent.c.remote_id)
                    .join(intent, intent.c.id == link.c.intent_id)
                    .where(
                        link.c.tenant == self.tenant.id,
                        link.c.kind == "contacts",
                        link.c.source_key.in_(some),
                    )
                )
                for key, document, label, remote_id in connection.execute(statement):
                    found[key] = (json.loads(document).get("Name") or label, remote_id or "")
        return found

    def contact_names(self, remote_ids: Iterable[str]) -> dict[str, str]:
        """What Xero's list called these contacts when it was last read, by id."""
        found: dict[str, str] = {}
        with self.atomic() as connection:
            for some in chunks(sorted(set(remote_ids))):
                mine = (
                    seen.c.tenant == self.tenant.id,
                    seen.c.kind == "contacts",
                    seen.c.remote_id.in_(some),
                )
                for remote_id, facts in connection.execute(
                    select(seen.c.remote_id, seen.c.facts).where(*mine)
                ):
                    found[remote_id] = str(json.loads(facts).get("name") or "")
        return {remote_id: name for remote_id, name in found.items() if name}
