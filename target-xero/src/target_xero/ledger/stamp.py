"""A small file beside the ledger's that remembers how far the ledger was: it tells a restored backup, and a lost ledger, from a new one.

It is written after a run begins and after it ends. A ledger that is not as far as its stamp, or went another way, is an older copy.
What it cannot tell: a folder that was restored with the stamp in it, or a ledger that was moved to another machine without. There
the look-up before every create stands alone.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, bindparam, select

from target_xero.ledger.audit import read_head
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import audit

RESTORED = (
    "The ledger {name} is an older copy: a run that it knows nothing of was made with it since (it is at entry {seq} of its audit "
    "chain, and was at {was}). What was to be sent is looked up in Xero first, and sent after the quiet period only where it is not "
    "there. Read the source anew from its beginning once (under Meltano: meltano run --full-refresh …), because the bookmark is "
    "ahead of this ledger."
)
REPLACED = (
    "There was another ledger at {name}, and this one is new. What is in Xero already is found by number and marker before "
    "anything is created, and is not doubled. If the old one can be restored, restore it. Else read the source anew from its "
    "beginning once (under Meltano: meltano run --full-refresh …)."
)


_HASH = Prepared(select(audit.c.hash).where(audit.c.seq == bindparam("seq")))


class Stamp:
    """`<ledger>.stamp`: `{"identity": …, "seq": …, "hash": …}`."""

    def __init__(self, ledger_path: Path) -> None:
        self._path = ledger_path.with_name(ledger_path.name + ".stamp")
        self._name = str(ledger_path)

    @property
    def exists(self) -> bool:
        """Whether a ledger has been here."""
        return self._path.exists()

    def compare(self, connection: Connection, identity: str) -> tuple[bool, str]:
        """Whether the ledger is an older copy, and the sentence for it, or for a new ledger in the place of another."""
        try:
            kept = json.loads(self._path.read_text())
            of, seq, hash_ = kept["identity"], int(kept["seq"]), kept["hash"]
        except (OSError, ValueError, KeyError, TypeError):
            return False, ""
        if of != identity:
            return False, REPLACED.format(name=self._name)
        found = _HASH.scalar(connection, {"seq": seq})
        if found == hash_:
            return False, ""
        return True, RESTORED.format(name=self._name, seq=read_head(connection)[0], was=seq)

    def write(self, identity: str, head: tuple[int, str]) -> None:
        """Replaces the stamp; a disk that does not take it is no reason to end a run."""
        text = json.dumps({"identity": identity, "seq": head[0], "hash": head[1]})
        temporary = f"{self._path}.{os.getpid()}"
        with suppress(OSError):
            with open(temporary, "wb", opener=_for_its_owner) as file:
                file.write(text.encode())
            os.replace(temporary, self._path)  # noqa: PTH105


def _for_its_owner(path: str, flags: int) -> int:
    """Opens a file that nobody else may read."""
    return os.open(path, flags, 0o600)
