"""`target-xero rejects`: what waits for a person, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_xero import limits
from target_xero.commands import COMMANDS, options
from target_xero.commands.dismissal import Decision, decide
from target_xero.commands.ledgers import organisations, reading
from target_xero.commands.shared import Desk, desk, money
from target_xero.ledger import State, Tenant
from target_xero.ledger.inspection import Inspection, Kept, one_of
from target_xero.report import NAMES
from target_xero.terminal import as_typed, printable, typed

STATES = {State.REJECTED: "refused", State.PARKED: "parked"}
"""What waits for a person; everything else that is open waits for its time."""
COLUMNS = (
    "organisation", "state", "kind", "key", "label", "rule", "field", "value", "cure", "since_run", "since",
    "currency", "amount", "url", "id", "dismissed_by",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One document with its organisation."""

    tenant: Tenant
    kept: Kept

    @property
    def state(self) -> str:
        """`refused`, `dismissed`, `parked` or `waiting`."""
        return "dismissed" if self.kept.dismissed_by else STATES.get(self.kept.state, "waiting")

    @property
    def is_for_a_person(self) -> bool:
        """Somebody must do something about it."""
        return self.state in STATES.values()


@click.command(
    help=COMMANDS["rejects"]
    + ".\n\nRefused: Xero or a check said no, and why. Parked: nobody but a person can tell what happened. Waiting: it goes by "
    "itself once what it waits for is there, such as an approval. Ends with 1 while something is refused or parked.\n\nWhat is to stay as it is is dismissed by its number "
    "(#17): it is no longer told, counted or tried again, until the document changes at its source or its reason does. Who did so is "
    "in the audit chain."
)
@options.documents
@click.option(
    "--limit", default=limits.REFUSALS_LISTED, show_default=True, help="Documents to show; 0 for all."
)
@click.option("--dismiss", "dismiss", multiple=True, type=int, metavar="ID",
              help="Leave the refused or parked document with this number as it is. May be given several times.")  # fmt: skip
@click.option("--restore", "restore", multiple=True, type=int, metavar="ID", help="Take a dismissal back.")
@click.option("--by", help="Who decides it; default: the setting run_by.")
@click.option("--comment", default="", help="Why; kept with it.")
@click.option("--dismissed", "with_dismissed", is_flag=True, help="List the dismissed ones, too.")
@options.organisation
@options.as_csv
@desk
def command(  # noqa: D103
    desk: Desk,
    *,
    kinds: tuple[str, ...],
    keys: tuple[str, ...],
    rules: tuple[str, ...],
    limit: int,
    organisation: str | None,
    as_csv: bool,
    with_dismissed: bool,
    **decisions: Any,
) -> int:
    with reading(desk.settings) as inspection:
        tenants = organisations(inspection, organisation, desk.settings)
        by = decisions["by"] or desk.settings.run_by
        decision = Decision(by, decisions["comment"], desk.world.wall())
        changed = decide(inspection, tenants, decisions["dismiss"], decisions["restore"], decision)
        everything = chosen(inspection, tenants, kinds, keys, rules)
    found = [one for one in everything if with_dismissed or one.state != "dismissed"]
    dismissed = sum(one.state == "dismissed" for one in everything)
    if as_csv:
        options.write_csv(COLUMNS, (row for one in found for row in _rows(one)))
    else:
        shown = _table(found, limit, hidden=len(everything) - len(found))
        desk.answer(
            Group(*(Text(printable(line)) for line in changed), shown),
            {
                "changed": changed,
                "documents": [_data(one) for one in found],
                "counts": _counts(found),
                "dismissed": dismissed,
            },
        )
    return int(any(one.is_for_a_person for one in found))


def chosen(
    inspection: Inspection,
    tenants: Iterable[Tenant],
    kinds: Sequence[str] = (),
    keys: Sequence[str] = (),
    rules: Sequence[str] = (),
) -> list[Found]:
    """The open documents of these kinds, keys and rules (nothing asked: all), what waits for a person first."""
    found = [
        Found(tenant, kept)
        for tenant in tenants
        for kept in inspection.kept(tenant)
        if one_of([kept.kind], kinds)
        and one_of([kept.source_key, kept.marker], keys)
        and one_of(kept.rules, rules)
    ]
    return sorted(found, key=lambda one: not one.is_for_a_person)


def _data(found: Found) -> dict[str, Any]:
    kept = found.kept
    return {
        "organisation": {"id": found.tenant.id, "name": found.tenant.name},
        "id": kept.id,
        "state": found.state,
        "dismissed_by": kept.dismissed_by,
        "dismissed": kept.dismissed.isoformat() if kept.dismissed else None,
        "kind": kept.kind,
        "key": kept.source_key,
        "marker": kept.marker,
        "label": kept.label,
        "url": kept.url,
        "withdraws": kept.op == "withdraw",
        "reasons": [refusal.as_dict() for refusal in kept.refusals],
        "note": kept.note,
        "since_run": kept.since_run,
        "since": kept.since.isoformat() if kept.since else None,
        "currency": kept.currency,
        "amount": money(kept.amount_minor),
    }


def _counts(found: Iterable[Found]) -> list[dict[str, Any]]:
    counted = Counter(
        (one.state, one.kept.kind, rule) for one in found for rule in dict.fromkeys(one.kept.rules)
    )
    return [
        {"state": state, "kind": kind, "rule": rule, "documents": count}
        for (state, kind, rule), count in sorted(
            counted.items(), key=lambda item: (item[0][0] not in STATES.values(), -item[1])
        )
    ]


def _rows(found: Found) -> list[list[Any]]:
    kept = found.kept
    head = [found.tenant.name, found.state, kept.kind, kept.source_key, kept.label]
    tail = [
        kept.since_run,
        kept.since.date().isoformat() if kept.since else "",
        kept.currency,
        money(kept.amount_minor),
        kept.url,
        kept.id,
        kept.dismissed_by,
    ]
    reasons = [[r.rule, r.field, r.value, as_typed(r.cure)] for r in kept.refusals]
    reasons = reasons or [["", "", "", as_typed(kept.note)]]
    return [[*head, *reason, *tail] for reason in reasons]


def _table(found: list[Found], limit: int, *, hidden: int) -> RenderableType:
    dismissed = f"{hidden:,} dismissed: --dismissed shows them" if hidden else ""
    if not found:
        return Text(f"Nothing is refused, parked or waiting.{f' {dismissed}.' if hidden else ''}")
    counts = Table(header_style="bold")
    for heading in ("", "documents", "rule"):
        counts.add_column(heading)
    counts.add_column("count", justify="right")
    for row in _counts(found):
        counts.add_row(
            row["state"], NAMES.get(row["kind"], row["kind"]), row["rule"], f"{row['documents']:,}"
        )
    shown = found[:limit] if limit else found
    parts: list[RenderableType] = [counts]
    several = len({one.tenant.id for one in found}) > 1
    for one in shown:
        parts += _lines(one, several=several)
    if len(shown) < len(found):
        parts.append(Text(f"and {len(found) - len(shown):,} more: --limit 0, --json or --csv shows them"))
    if dismissed:
        parts.append(Text(dismissed))
    if any(one.is_for_a_person for one in found):
        parts.append(Text(f"Once a cause is gone: {typed('retry')} --kind, --key, --rule or --all"))
        parts.append(Text(f"What is to stay as it is: {typed('rejects --dismiss NUMBER')}"))
    if any(one.state == "parked" for one in found):
        parts.append(Text(f"A parked one that is in Xero: {typed('retry --key KEY --found ID')}"))
        parts.append(
            Text(f"One that is not: {typed('retry --key KEY')} looks it up once more, then sends it")
        )
    return Group(*parts)


def _lines(found: Found, *, several: bool) -> list[RenderableType]:
    kept = found.kept
    where = f" in {found.tenant.name}" if several else ""
    since = f", since run {kept.since_run}" + (f" of {kept.since:%Y-%m-%d}" if kept.since else "")
    kind = NAMES.get(kept.kind, kept.kind)
    number = f" #{kept.id}" if kept.may_be_left else ""
    left = f" by {kept.dismissed_by}" if kept.dismissed_by else ""
    head = f"{found.state}{number}{left}: {kind}: {kept.label} [{kept.source_key}]{where}{since}"
    told = [refusal.sentence() for refusal in kept.refusals] or [kept.note or "goes with the next run"]
    lines = [*told, *([kept.url] if kept.url else [])]
    return [Text(printable(head)), *(Padding(Text(printable(line)), (0, 0, 0, 4)) for line in lines)]
