"""What records came to when they were last read: see `target_xero.fingerprint`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from operator import itemgetter

from sqlalchemy import and_, bindparam, case, delete, exists, insert, select

from target_xero.ledger.base import LedgerBase, chunks
from target_xero.ledger.model import Essence, Fingerprint, Recalled
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import OPEN, intent, link, remembered, undone

_OF_LINK = and_(
    link.c.tenant == bindparam("tenant"),
    link.c.kind == remembered.c.kind,
    link.c.source_key == remembered.c.source_key,
)
_STANDS = and_(
    link.c.content_hash == remembered.c.content_hash,
    ~exists().where(
        intent.c.tenant == link.c.tenant,
        intent.c.kind == link.c.kind,
        intent.c.source_key == link.c.source_key,
        OPEN,
    ),
    ~exists().where(
        undone.c.tenant == link.c.tenant,
        undone.c.kind == link.c.kind,
        undone.c.source_key == link.c.source_key,
    ),
)
_RECALL = Prepared(
    select(
        remembered.c.digest,
        remembered.c.rest,
        remembered.c.kind,
        remembered.c.source_key,
        remembered.c.content_hash,
        case((_STANDS, 1), else_=0).label("stands"),
    )
    .select_from(remembered.outerjoin(link, _OF_LINK))
    .where(remembered.c.digest.in_(bindparam("digests", expanding=True)))
)
_FORGET = Prepared(
    delete(remembered).where(
        remembered.c.anchor.in_(bindparam("anchors", expanding=True))
        | remembered.c.digest.in_(bindparam("digests", expanding=True))
    )
)
_REMEMBER = Prepared(
    insert(remembered),
    ["digest", "position", "rest", "anchor", "kind", "source_key", "content_hash"],
)


class RecallLedger(LedgerBase):
    """A table beside the ledger's own: nothing in it is ever the reason for a write, and without it a run is only slower."""

    def recall(self, fingerprints: Iterable[Fingerprint]) -> dict[Fingerprint, list[Recalled]]:
        """What the records with these fingerprints came to, and what the ledger says of that now.

        One that is not in the answer must be read.
        """
        found: dict[Fingerprint, list[Recalled]] = {}
        with self.reading() as connection:
            for chunk in chunks(fingerprints):
                digests = [digest for digest, _ in chunk]
                for row in _RECALL.tuples(connection, {"tenant": self.tenant.id, "digests": digests}):
                    found.setdefault(row[:2], []).append(row[2:])
        return found

    def remember(self, records: Iterable[tuple[Fingerprint, Sequence[Essence]]]) -> None:
        """Keeps what these records came to: (fingerprint, its documents, at least one)."""
        newest = {self._anchor(one[1][0]): one for one in records}
        rows = [
            {"digest": digest, "position": position, "rest": rest, "anchor": anchor, **document._asdict()}
            for anchor, ((digest, rest), documents) in newest.items()
            for position, document in enumerate(documents)
        ]
        if not rows:
            return
        rows.sort(key=itemgetter("digest"))  # neighbours in the table are written at once
        with self.atomic() as connection:
            self.fence(connection)
            for chunk in chunks(rows):
                gone = {
                    name: [row[of] for row in chunk]
                    for name, of in (("anchors", "anchor"), ("digests", "digest"))
                }
                _FORGET.change(connection, gone)
            for chunk in chunks(rows):
                _REMEMBER.change(connection, *chunk)

    def _anchor(self, first: Essence) -> int:
        """Two records that share one by chance take turns in the table, no more."""
        name = json.dumps([self.tenant.id, first.kind, first.source_key]).encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big", signed=True)
