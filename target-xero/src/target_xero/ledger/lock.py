"""One run at a time on a ledger: a lock that lives and dies with the process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import datetime, timezone
from pathlib import Path

from target_xero.errors import LedgerInUseError

IN_USE = (
    "Another run is using the ledger {name}: {holder}. Two runs at once could write a document twice; wait until that one has "
    "ended, then run again."
)


def holder_now() -> dict[str, str | int]:
    """This process, as the holder of a lock is told to others."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": started}


def holder_said(text: str | bytes) -> str:
    """What a holder has written down, for a sentence."""
    try:
        held = json.loads(text)
        return f"process {held['pid']} on {held['host']}, since {held['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"


class RunLock:
    """`flock` on `<ledger>.lock`. The kernel releases it when the process ends, however it ends; no time-out, no stale file.

    Raises:
        LedgerInUseError: another process holds it; the message says which, where and since when.
    """

    def __init__(self, ledger_path: Path) -> None:
        self.path = ledger_path.with_name(ledger_path.name + ".lock")
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = holder_said(os.pread(self._fd, 4096, 0))
            os.close(self._fd)
            raise LedgerInUseError(IN_USE.format(name=ledger_path, holder=holder)) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(holder_now()).encode(), 0)

    def sign(self) -> None:
        """Who holds it was written down when it was taken: that needs no tables."""

    def check(self) -> None:
        """A `flock` cannot be lost while its process lives."""

    def release(self) -> None:
        """Gives the lock back; the file stays, so that nobody locks an unlinked one."""
        os.close(self._fd)
