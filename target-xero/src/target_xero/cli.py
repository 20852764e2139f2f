"""The executable: a command where the first word is one, else the Singer target."""

from __future__ import annotations

import gc
import sys

from target_xero.commands import group
from target_xero.streams import open_missing


def main() -> None:
    """`target-xero [COMMAND] …`."""
    open_missing()
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):  # a mistyped one is told by the commands, too
        group(prog_name="target-xero")
    else:
        gc.disable()  # modules are no garbage: looking for some while they are made takes a fifth of the start
        from target_xero.target import TargetXero  # noqa: PLC0415  the SDK takes a while to import

        gc.freeze()
        gc.enable()
        TargetXero.cli()
