"""The executable: a command where the first word is one (options of the tap may go before it), else the Singer tap."""

from __future__ import annotations

import gc
import sys

from tap_salesforce_ikaroa.commands import COMMANDS, group

MELTANOS = ("--config", "--catalog", "--state")
"""What `meltano invoke tap-salesforce-ikaroa COMMAND` puts before the command, each with a file."""


def command_line(words: list[str]) -> list[str] | None:
    """A command with its arguments, `--config` included, or nothing where no command is called.

    Meltano looks for the catalog before `tap-salesforce-ikaroa:COMMAND`, which fails where access is just what is missing;
    before `tap-salesforce-ikaroa COMMAND` it does not.
    """
    at = 0
    while at + 1 < len(words) and words[at] in MELTANOS:
        at += 2
    if at == len(words) or words[at] not in COMMANDS:
        return None
    pairs = zip(words[:at:2], words[1:at:2], strict=True)
    configs = [word for name, file in pairs if name == "--config" for word in (name, file)]
    return [words[at], *configs, *words[at + 1 :]]


def main() -> None:
    """`tap-salesforce-ikaroa [COMMAND] …`."""
    command = command_line(sys.argv[1:])
    if command:
        group(command, prog_name="tap-salesforce-ikaroa")
    else:
        gc.disable()  # modules are no garbage: looking for some while they are made takes a fifth of the start
        from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa  # noqa: PLC0415  the SDK takes a while to import

        gc.freeze()
        gc.enable()
        TapSalesforceIkaroa.cli()
