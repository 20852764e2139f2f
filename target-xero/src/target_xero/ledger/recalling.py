"""What records came to when they were last read: see `target_xero.fingerprint`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, select, text

from target_xero.ledger.base import LedgerBase, chunks
from target_xero.ledger.model import Essence
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import fingerprint

_RECALL = Prepared(
    select(fingerprint.c.digest, fingerprint.c.documents).where(
        fingerprint.c.digest.in_(bindparam("keys", expanding=True))
    )
)
_REMEMBER = Prepared(
    text(
        "INSERT INTO fingerprint (anchor, digest, documents) VALUES (:anchor, :digest, :documents) "
        "ON CONFLICT (anchor) DO UPDATE SET digest = excluded.digest, documents = excluded.documents"
    )
)
_ESSENCES = msgspec.json.Decoder(list[Essence])


class RecallLedger(LedgerBase):
    """A table beside the ledger's own: nothing in it is ever the reason for a write, and without it a run is only slower."""

    def recall(self, digests: Iterable[str]) -> dict[str, list[Essence]]:
        """What the records with these fingerprints came to; one that is not in the answer must be read."""
        found: dict[str, list[Essence]] = {}
        with self.reading() as connection:
            for chunk in chunks(digests):
                for digest, documents in _RECALL.tuples(connection, {"keys": chunk}):
                    found[digest] = _ESSENCES.decode(documents)
        return found

    def remember(self, records: Iterable[tuple[str, Sequence[Essence]]]) -> None:
        """Keeps what these records came to: (fingerprint, its documents, at least one)."""
        rows = [
            {"anchor": self._anchor(documents[0]), "digest": digest, "documents": json.dumps(documents)}
            for digest, documents in records
        ]
        if rows:
            with self.atomic() as connection:
                self.fence(connection)
                _REMEMBER.change(connection, *rows)

    def _anchor(self, first: Essence) -> int:
        """Two records that share one by chance take turns in the table, no more."""
        name = json.dumps([self.tenant.id, first.kind, first.source_key]).encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big", signed=True)
