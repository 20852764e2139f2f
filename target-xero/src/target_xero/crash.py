"""Named points at which a test may end the process. Outside tests they do nothing.

C0   before a plan is committed            C6   answer read, before it is committed
C1   after a plan is committed             C8   after an answer is committed
C2   before `sent` is committed            C9   between the elements of one answer
C3   after `sent`, before the first byte   C10  during a look-up
C22  while an older ledger is upgraded     C11  before an adoption is committed
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = ("C0", "C1", "C2", "C3", "C6", "C8", "C9", "C10", "C11")

armed: Callable[[str], None] | None = None
"""Set by a test to a function that may raise; None in every real run."""


def fault_point(name: str) -> None:
    """Passes through, unless a test has armed this point."""
    if armed is not None:
        armed(name)
