"""The executable: a command where the first word is one, else the Singer tap."""

from __future__ import annotations

import gc
import sys

from tap_salesforce_ikaroa.commands import COMMANDS, group


def main() -> None:
    """`tap-salesforce-ikaroa [COMMAND] …`."""
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        group(prog_name="tap-salesforce-ikaroa")
    else:
        gc.disable()  # modules are no garbage: looking for some while they are made takes a fifth of the start
        from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa  # noqa: PLC0415  the SDK takes a while to import

        gc.freeze()
        gc.enable()
        TapSalesforceIkaroa.cli()
