"""A request to stop: a signal sets a flag, and everything that waits looks at it. Nothing is done inside the handler."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupt:
    """Remembers the first signal. A second one ends the process at once; the ledger is made for that, too."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Whether the run is asked to stop."""
        return self.signal is not None

    def handle(self, number: int, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """A signal handler."""
        self.signal = number
        signal.signal(number, signal.SIG_DFL)

    @property
    def exit_code(self) -> int:
        """What a shell makes of a process that this signal ended."""
        return 128 + (self.signal or 0)
