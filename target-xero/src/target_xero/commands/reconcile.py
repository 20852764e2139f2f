"""`target-xero reconcile`: the proof that both sides say the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_xero.access import Access
from target_xero.commands import COMMANDS, options
from target_xero.commands.ledgers import each_access, reading
from target_xero.commands.shared import Desk, desk, money
from target_xero.errors import ConfigurationError
from target_xero.ledger.inspection import Inspection
from target_xero.reconcile import Difference, Result, compare, read_books
from target_xero.reconcile.compare import MONEY, wanted_ids
from target_xero.reconcile.model import FINDINGS
from target_xero.report import NAMES, amount
from target_xero.terminal import printable, whole

COLUMNS = (
    "organisation", "finding", "kind", "key", "label", "marker", "number", "xero_id", "currency", "source", "ledger", "xero",
    "told", "url",
)  # fmt: skip


def _month(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", value):
        raise click.BadParameter("a month is written YYYY-MM, such as 2026-11")
    return value


@click.command(
    help=COMMANDS["reconcile"]
    + ".\n\nReads Xero's lists, 1,000 documents a call, and writes nothing. Tolerance zero. Ends with 0 only when every document "
    "the source calls for is in Xero to the cent and nothing is refused, parked or waiting.\n\n\b\nFindings:\n"
    + "\n".join(f"  {name:15}{text}" for name, text in FINDINGS.items())
)
@click.option("--month", callback=_month, metavar="YYYY-MM", help="Only documents dated in this month.")
@options.organisation
@options.as_csv
@desk
def command(desk: Desk, *, month: str | None, organisation: str | None, as_csv: bool) -> int:  # noqa: D103
    with reading(desk.settings) as inspection:
        results = [
            reconcile(inspection, access, month) for access in each_access(desk, inspection, organisation)
        ]
    if as_csv:
        options.write_csv(COLUMNS, (row for result in results for row in _rows(result)))
    else:
        desk.answer(
            Group(*(_table(result) for result in results)),
            {"reconciled": all(r.clean for r in results), "organisations": [_data(r) for r in results]},
        )
    return int(not all(result.clean for result in results))


def reconcile(inspection: Inspection, access: Access, month: str | None = None) -> Result:
    """Reads Xero and the ledger, and compares.

    Raises:
        TargetXeroError: Xero cannot be read, or the ledger does not know the organisation.
    """
    tenant = next((t for t in inspection.tenants() if t.id == access.organisation.id), None)
    if tenant is None:
        raise ConfigurationError(
            f"the ledger knows nothing of {access.organisation.name} ({access.organisation.id}): no run has been made with it"
        )
    links, kept = inspection.agreed(tenant), inspection.kept(tenant)
    books = read_books(access, wanted_ids(links, kept))
    return compare(tenant, links, kept, books, inspection.markers(tenant), month, inspection.undone(tenant))


def _data(result: Result) -> dict[str, Any]:
    return {
        "organisation": {"id": result.tenant.id, "name": result.tenant.name},
        "month": result.month,
        "reconciled": result.clean,
        "compared": result.compared,
        "calls": result.calls,
        "totals": [
            {
                "kind": kind,
                "currency": currency,
                "documents": total.documents,
                "source": money(total.source_minor),
                "ledger": money(total.ledger_minor),
                "xero": money(total.xero_minor),
                "difference": money(total.difference_minor),
            }
            for (kind, currency), total in sorted(result.totals.items())
        ],
        "differences": [dict(zip(COLUMNS, _row(result, one), strict=True)) for one in result.differences],
        "counts": dict(Counter(one.finding for one in result.differences)),
    }


def _rows(result: Result) -> Iterator[list[Any]]:
    """Every difference, then a total of each kind and currency: a month without a difference is evidence, too."""
    for one in result.differences:
        yield _row(result, one)
    for kind in NAMES:
        for (of, currency), total in sorted(result.totals.items()):
            if of == kind:
                sums = (total.source_minor, total.ledger_minor, total.xero_minor)
                shown = [money(value) for value in sums] if kind in MONEY else [""] * len(sums)
                row = dict.fromkeys(COLUMNS, "") | {
                    "organisation": result.tenant.name, "finding": "total", "kind": kind, "currency": currency,
                    **dict(zip(("source", "ledger", "xero"), shown, strict=True)), "told": f"{total.documents} document{'' if total.documents == 1 else 's'}",
                }  # fmt: skip
                yield list(row.values())


def _row(result: Result, one: Difference) -> list[Any]:
    return [
        result.tenant.name, one.finding, one.kind, one.source_key, one.label, one.marker, one.number, one.remote_id,
        one.currency, money(one.source_minor), money(one.ledger_minor), money(one.xero_minor), one.told, one.url,
    ]  # fmt: skip


def _table(result: Result) -> RenderableType:
    of_month = f", documents of {result.month}" if result.month else ""
    parts: list[RenderableType] = [
        Text(f"{result.tenant.name}{of_month}: {result.compared:,} links compared in {result.calls} calls"),
        _totals(result),
    ]
    for one in result.differences:
        kind = NAMES.get(one.kind, one.kind)
        parts.append(
            Text(printable(f"{one.finding}: {kind}: {one.label} [{one.source_key or one.remote_id}]"))
        )
        parts += [Padding(Text(printable(line)), (0, 0, 0, 4)) for line in (one.told, one.url) if line]
    parts.append(Text(_verdict(result)))
    return Group(*parts)


def _totals(result: Result) -> Table:
    table = Table(header_style="bold")
    table.add_column("documents")
    table.add_column("")
    for heading in ("source", "ledger", "Xero", "difference"):
        table.add_column(heading, justify="right")
    for kind in NAMES:
        for (of, currency), total in sorted(result.totals.items()):
            if of != kind:
                continue
            sums = (total.source_minor, total.ledger_minor, total.xero_minor, total.difference_minor)
            shown = [amount(value) for value in sums] if kind in MONEY else ["-"] * len(sums)
            one_or_more = NAMES[kind].removesuffix("s") if total.documents == 1 else NAMES[kind]
            table.add_row(f"{total.documents:,} {one_or_more}", currency, *shown)
    return whole(table)


def _verdict(result: Result) -> str:
    if result.clean:
        return "Reconciled: source, ledger and Xero say the same, to the cent."
    counts = Counter(one.finding for one in result.differences)
    return (
        "Not reconciled: "
        + ", ".join(f"{count:,} {finding}" for finding, count in counts.most_common())
        + "."
    )
