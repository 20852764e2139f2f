"""`target-xero COMMAND`, under Meltano `meltano invoke target-xero:COMMAND`: what people do beside the runs.

One module a command, each with a click command named `command`; they are imported when they are asked for.
"""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "login": "Connect to Xero in the browser and keep the access in the token store",
    "check": "Look whether everything a run needs is there: access, scopes, organisation, accounts, limits",
    "plan": "Show what a run would write to Xero, document by document, and save it",
    "approve": "Approve a plan",
    "apply": "Carry out what was approved",
    "rejects": "List the documents that wait for a person, with reason and cure",
    "retry": "Try refused and parked documents again",
    "reconcile": "Compare every link and every cent: source, ledger, Xero",
    "why": "Tell the history of a document, or of one of its fields",
    "undo": "Take back what a run wrote, as far as Xero lets one",
    "ledger": "The ledger: status, rebuild, verify, export",
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
        module = importlib.import_module(f"target_xero.commands.{cmd_name}")
        found: click.Command = module.command
        return found


group = _Commands("target-xero", help="Commands of target-xero.")
