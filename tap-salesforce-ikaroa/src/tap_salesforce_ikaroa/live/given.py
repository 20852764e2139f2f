"""What was written last of each record, as a digest: a record that is read again unchanged is not written again."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.lines import Batch


class Given:
    """The digests of one stream's records that were written last."""

    def __init__(self, most: int = limits.HELD_DIGESTS) -> None:
        self._digests: dict[str, bytes] = {}
        self._most = most

    def fresh(self, batch: Batch) -> Batch:
        """What of a batch is new. It counts as written from now on."""
        if not len(batch):
            return batch
        lines = batch.lines.split(b"\n")[:-1]
        kept = [n for n, line in enumerate(lines) if self._is_new(batch.ids[n], line)]
        if len(kept) == len(lines):
            return batch
        block = b"".join(lines[n] + b"\n" for n in kept)
        return replace(batch, given=block, ids=[batch.ids[n] for n in kept])

    def _is_new(self, row_id: str, line: bytes) -> bool:
        digest = hashlib.blake2b(line, digest_size=16).digest()
        if self._digests.pop(row_id, None) == digest:
            self._digests[row_id] = digest
            return False
        self._digests[row_id] = digest
        if len(self._digests) > self._most:
            del self._digests[next(iter(self._digests))]
        return True
