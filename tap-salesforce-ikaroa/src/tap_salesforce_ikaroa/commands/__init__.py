"""`tap-salesforce-ikaroa COMMAND`, under Meltano `meltano invoke tap-salesforce-ikaroa:COMMAND`: what people do beside the runs.

One module a command, each with a click command named `command`; they are imported when they are asked for.
"""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "login": "Connect to Salesforce in the browser and keep the access in the token store",
    "check": "Look whether a run can read what is needed: access, objects, fields, limits, change events",
}
"""Every command with what it is for; the plugin's definition lists the same."""


class _Commands(click.Group):
    """Finds a command's module when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The module's `command`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tap_salesforce_ikaroa.commands.{cmd_name}")
        found: click.Command = module.command
        return found


group = _Commands("tap-salesforce-ikaroa", help="Commands of tap-salesforce-ikaroa.")
