"""`target-xero ledger`: how it stands, whether anybody touched it, what is in it, and how a lost one is rebuilt."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, cast

import click
import simplejson
from rich.console import Group
from rich.table import Table
from rich.text import Text

from target_xero.access import Access
from target_xero.commands import COMMANDS, options
from target_xero.commands.ledgers import reading
from target_xero.commands.shared import Desk, desk, money
from target_xero.errors import ConfigurationError
from target_xero.execute.relist import Relist
from target_xero.ledger import Ledger
from target_xero.ledger.contents import EXPORTED, Contents, Recognised
from target_xero.report import NAMES
from target_xero.terminal import printable
from target_xero.xero.driver import Driver

COLUMNS = ("what", "organisation", "kind", "key", "state", "revision", "xero_id", "number", "marker", "currency", "amount",
           "xero_amount", "xero_total", "run", "at", "actor", "hash")  # fmt: skip


@click.group(help=COMMANDS["ledger"] + ".")
def command() -> None:  # noqa: D103
    pass


@command.command(
    help="Show where the ledger is, what is in it, and its newest hash (write it down to check against later)."
)
@desk
def status(desk: Desk) -> int:  # noqa: D103
    with reading(desk.settings) as inspection:
        data = Contents(inspection.ledger).status()
    table = Table(show_header=False, box=None)
    for name in (
        "ledger",
        "version",
        "identity",
        "organisations",
        "runs",
        "last_run",
        "linked",
        "open",
        "entries",
        "head",
    ):
        value = data[name]
        shown = (
            ", ".join(f"{key}: {count}" for key, count in value.items()) if isinstance(value, dict) else value
        )
        table.add_row(name.replace("_", " "), Text(str(shown if shown not in ("", None) else "none")))
    warning = [Text(printable(data["warning"]))] if data["warning"] else []
    desk.answer(Group(table, *warning), data)
    return int(bool(data["warning"]))


@command.command(
    help="Recompute the audit chain and compare every document and link with it. Ends with 1 when they differ."
)
@click.option("--expect", default="", metavar="HASH", help="A newest hash that was written down earlier.")
@desk
def verify(desk: Desk, *, expect: str) -> int:  # noqa: D103
    with reading(desk.settings) as inspection:
        verdict = cast("Ledger", inspection.ledger).verify(expect)
    lines = [Text(printable(sentence)) for sentence in verdict.differences]
    if verdict.more:
        lines.append(Text(f"And {verdict.more} more."))
    counted = f"{verdict.rows} entries of the audit chain, {verdict.intents} documents, {verdict.links} links"
    said = (
        "nothing was touched" if verdict.holds else f"{len(verdict.differences) + verdict.more} differences"
    )
    desk.answer(
        Group(*lines, Text(f"{counted}: {said}. Newest hash: {verdict.head}")),
        {"holds": verdict.holds, "entries": verdict.rows, "documents": verdict.intents, "links": verdict.links,
         "head": verdict.head, "differences": verdict.differences, "more": verdict.more},
    )  # fmt: skip
    return int(not verdict.holds)


@command.command(help="Write out links, documents, runs and the audit chain: JSON, one line each, or CSV.")
@click.option("--only", type=click.Choice(list(EXPORTED)), help="Only these rows.")
@options.as_csv
@desk
def export(desk: Desk, *, only: str | None, as_csv: bool) -> int:  # noqa: D103
    with reading(desk.settings) as inspection:
        rows = Contents(inspection.ledger).rows([only] if only else list(EXPORTED))
        if as_csv:
            options.write_csv(COLUMNS, (_flat(row) for row in rows))
        elif desk.as_json:
            _write_list(rows)
        else:
            for row in rows:
                sys.stdout.write(f"{_line(row)}\n")
    return 0


def _write_list(rows: Iterable[dict[str, Any]]) -> None:
    """One JSON document, written as the rows come: a ledger may have millions."""
    before = "["
    for row in rows:
        sys.stdout.write(f"{before}\n{_line(row)}")
        before = ","
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")


def _line(row: dict[str, Any]) -> str:
    return str(simplejson.dumps(row, ensure_ascii=False))


def _flat(row: dict[str, Any]) -> list[Any]:
    cells = {**row, **{name: money(row.get(name)) for name in ("amount", "xero_amount", "xero_total")}}
    return [cells.get(name) for name in COLUMNS]


@command.command(
    help="Read Xero's lists into a new ledger and tell what is recognised; nothing is written to Xero. The next runs link each "
    "document to what carries its number or marker, and create nothing that is there already."
)
@desk
def rebuild(desk: Desk) -> int:  # noqa: D103
    found: list[dict[str, Any]] = []
    with Ledger.open(desk.settings.ledger_path, desk.settings.ledger_url) as ledger:
        contents = Contents(ledger)
        if contents.is_used() and not ledger.is_older_copy:
            raise ConfigurationError(
                f"the ledger {ledger.name} is in use and needs no rebuilding: it knows documents already. A rebuild begins with a new "
                "ledger (move this one away), or with one that was restored from a backup"
            )
        ledger.actor = desk.settings.run_by
        branches = [(branch.name, branch.settings) for branch in desk.settings.organisations]
        for name, settings in branches or [("", desk.settings)]:
            with Access(settings, adapter=desk.world.adapter, timing=desk.world.timing) as access:
                ledger.clock = access.clock.now
                ledger.begin_run(access.organisation.tenant, access.clock.now(), name)
                stopped = Driver(access.client).run(Relist(ledger, access.organisation, access.clock.now))
                ledger.finish_run(access.clock.now())
                if stopped:
                    raise ConfigurationError(stopped)
                found.append(
                    {"organisation": access.organisation.name, "kinds": contents.recognised(ledger.tenant)}
                )
    desk.answer(Group(*_tables(found)), {"organisations": [_plain(entry) for entry in found]})
    return int(any(kind.doubled for entry in found for kind in entry["kinds"]))


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "kinds": {kind.kind: kind.as_dict() for kind in entry["kinds"]}}


def _tables(found: list[dict[str, Any]]) -> Iterator[Any]:
    for entry in found:
        table = Table(title=entry["organisation"], title_justify="left")
        for column in ("in Xero", "all", "with number or marker", "in use no more", "doubled"):
            table.add_column(column)
        for kind in entry["kinds"]:
            counts = (kind.seen, kind.marked, kind.dead, len(kind.doubled))
            table.add_row(NAMES.get(kind.kind, kind.kind), *(str(count) for count in counts))
        yield table
        for kind in entry["kinds"]:
            yield from (
                Text(f"{handle} is in Xero {count} times: {_one(kind)}.")
                for handle, count in kind.doubled.items()
            )
    yield Text(
        "Nothing was written to Xero. Now read the source anew from its beginning once (under Meltano: meltano run "
        "--full-refresh …); each document is linked to what carries its number or marker."
    )


def _one(kind: Recognised) -> str:
    return f"look at these {kind.kind.replace('_', ' ')}, the target leaves them to a person"
