"""`tap-salesforce-ikaroa check`: can a run read what is needed?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.answers import safe_text
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.commands import COMMANDS
from tap_salesforce_ikaroa.commands.shared import Desk, desk
from tap_salesforce_ikaroa.errors import SettingsError, UnavailableError
from tap_salesforce_ikaroa.health import Finding, Level, look
from tap_salesforce_ikaroa.settings import client_of

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@click.command(
    help=COMMANDS["check"]
    + ".\n\nAsks Salesforce a few questions and writes nothing. Names the objects and fields that the user cannot see, the "
    "calls left, and for which objects change events are on. Ends with 1 when something needed is missing."
)
@click.option(
    "--needs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON list of what must not be missing, such as Opportunity.Amount, besides the setting needed_fields.",
)
@desk
def command(desk: Desk, *, needs: Path | None) -> int:  # noqa: D103
    config, world = desk.config, desk.world
    wanted = [*(config.get("needed_fields") or ()), *(_listed(needs) if needs else ())]
    found = list(
        look(
            config,
            lambda: client_of(config, world.adapter, world.policy),
            wanted,
            lambda client, names: _topics(
                str(config.get("pubsub_endpoint") or limits.PUBSUB_ENDPOINT), client, names
            ),
        )
    )
    failed = any(finding.level is Level.FAIL for finding in found)
    desk.answer(_table(found), {"ok": not failed, "checks": [finding.as_dict() for finding in found]})
    return int(failed)


def _listed(path: Path) -> list[str]:
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(need, str) for need in listed):
        raise SettingsError(
            f'{path} is not a JSON list of names such as ["Account.Name", "Opportunity.Amount"]'
        )
    return listed


def _topics(endpoint: str, client: Client, names: Sequence[str]) -> dict[str, bool]:
    from tap_salesforce_ikaroa.live.channel import Channel, PubSubError, Trouble, checked_endpoint  # noqa: PLC0415  loads gRPC
    from tap_salesforce_ikaroa.live.roots import topic_of  # noqa: PLC0415

    def is_on(topic: str) -> bool:
        try:
            return channel.can_subscribe(topic, limits.TOPIC_ANSWER_S)
        except PubSubError as error:
            if error.trouble is Trouble.NEVER:
                return False
            raise

    channel = Channel(checked_endpoint(endpoint, client.transport.hosts), client.tokens)
    try:
        return {name: is_on(topic_of(name)) for name in names}
    except PubSubError as error:
        raise UnavailableError(f"the Pub/Sub API at {endpoint} did not answer ({error.code})") from None
    finally:
        channel.close()


def _table(found: list[Finding]) -> RenderableType:
    table = Table(header_style="bold")
    for heading in ("", "check", "found"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        told = Text(safe_text(finding.found))
        if finding.cure:
            told.append(f"\n{safe_text(finding.cure)}", style="italic")
        table.add_row(
            Text(finding.level.value, style=_STYLES[finding.level]), Text(safe_text(finding.what)), told
        )
    failed = sum(finding.level is Level.FAIL for finding in found)
    warned = sum(finding.level is Level.WARN for finding in found)
    verdict = f"{failed} to put right before a run" if failed else "Ready to run"
    return Group(table, Text(verdict + (f", {warned} to know of." if warned else ".")))
