"""`target-xero check`: is everything there that a run needs?"""

from __future__ import annotations

from dataclasses import replace

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from target_xero.access import Access
from target_xero.commands import COMMANDS
from target_xero.commands.ledgers import reading
from target_xero.commands.shared import Desk, desk
from target_xero.health import Finding, Level, look
from target_xero.health.bells import look_at_alerts
from target_xero.settings import Settings
from target_xero.terminal import printable

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@click.command(
    help=COMMANDS["check"]
    + ".\n\nAsks Xero a few questions and writes nothing. Names the least scopes for what is switched on, and tells of accounts, "
    "tax types, tracking and branding themes that the mapping names and Xero does not have. Ends with 1 when something would "
    "keep a run from its work, or when a test message does not go through."
)
@click.option("--alerts", "ring", is_flag=True, help="Send a test message to each address of alert_urls.")
@desk
def command(desk: Desk, *, ring: bool) -> int:  # noqa: D103
    names = [branch.name for branch in desk.settings.organisations] or [""]
    found = [
        replace(finding, organisation=name)
        for name, settings in zip(names, desk.settings.each, strict=True)
        for finding in _look(desk, settings)
    ]
    found += look_at_alerts(desk.settings, ring=ring)
    failed = any(finding.level is Level.FAIL for finding in found)
    desk.answer(_table(found), {"ok": not failed, "checks": [finding.as_dict() for finding in found]})
    return int(failed)


def _look(desk: Desk, settings: Settings) -> list[Finding]:
    world = desk.world
    to_the_last = replace(
        settings, day_limit_reserve=0
    )  # a person may look when runs leave the rest of the day to others
    return list(
        look(
            settings,
            lambda: Access(to_the_last, adapter=world.adapter, timing=world.timing),
            lambda: reading(desk.settings),
            world.wall,
            several=bool(desk.settings.organisations),
        )
    )


def _table(found: list[Finding]) -> RenderableType:
    table = Table(header_style="bold")
    several = any(finding.organisation for finding in found)
    for heading in (*(("for",) if several else ()), "", "check", "found"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        told = Text(printable(finding.found))
        if finding.cure:
            told.append(f"\n{printable(finding.cure)}", style="italic")
        level = Text(finding.level.value, style=_STYLES[finding.level])
        table.add_row(
            *((finding.organisation,) if several else ()), level, Text(printable(finding.what)), told
        )
    failed = sum(finding.level is Level.FAIL for finding in found)
    warned = sum(finding.level is Level.WARN for finding in found)
    verdict = f"{failed} to put right before a run" if failed else "Ready to run"
    return Group(table, Text(verdict + (f", {warned} to know of." if warned else ".")))
