"""What a run tells the person who started it: a table, what was refused and how to cure it, and one sentence at the end.

All of it goes to stderr: stdout belongs to STATE.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from crm_to_xero.documents import DOCUMENTS
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_xero import limits
from target_xero.engine import Outcome
from target_xero.ledger import RunSummary, State
from target_xero.preview import tables
from target_xero.preview.document import WRITES
from target_xero.terminal import as_typed, console, printable, typed, whole

COLUMNS = (
    "created",
    "updated",
    "adopted",
    "unchanged",
    "undone",
    "deleted",
    "refused",
    "waiting",
    "parked",
    "proposed",
)
NAMES = {name: name.replace("_", " ") for name in (*DOCUMENTS, "allocations")}
ALWAYS = ("created", "updated", "unchanged", "refused")
CLEAN = ("created", "updated", "adopted", "unchanged", "deleted")


def amount(minor: int) -> str:
    """Hundredths as people write them."""
    return f"{Decimal(minor).scaleb(-2):,.2f}"


def _documents(summary: RunSummary) -> Table:
    streams = [name for name in NAMES if name in summary.streams and summary.streams[name].total]
    shown = [
        column
        for column in COLUMNS
        if column in ALWAYS or any(getattr(summary.streams[name], column) for name in streams)
    ]
    table = Table(header_style="bold")
    table.add_column("documents")
    for column in shown:
        table.add_column(column, justify="right")
    for name in streams:
        counts = (getattr(summary.streams[name], column) for column in shown)
        table.add_row(NAMES[name], *(f"{count:,}" if count else "-" for count in counts))
    return whole(table)


def _money(summary: RunSummary) -> Table | None:
    found = [
        (NAMES[stream], currency, sums)
        for stream in NAMES
        for currency, sums in sorted(summary.money.get(stream, {}).items())
    ]
    rounded = any(sums.rounding for _, _, sums in found)  # else a cent would look like a difference
    rows = []
    for name, currency, sums in found:
        figures = [sums.documents, *([sums.rounding] if rounded else []), sums.xero, sums.xero_total]
        rows.append((name, currency, *map(amount, figures)))
    if not rows:
        return None
    table = Table(header_style="bold")
    table.add_column("written")
    table.add_column("currency")
    for heading in ("documents say", *(("rounding lines",) if rounded else ()), "Xero says", "with tax"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    table.caption = f"{tables.AS_THE_SOURCE}."
    table.caption_justify = "left"
    return whole(table)


def _calls(outcome: Outcome) -> str:
    parts = [f"{count} {purpose}" for purpose, count in sorted(outcome.calls.items()) if count]
    left = f"; {outcome.day_left:,} left today" if outcome.day_left is not None else ""
    return f"Xero calls: {sum(outcome.calls.values())} ({', '.join(parts)}){left}"


def state_of(problem: dict[str, Any]) -> str:
    """`refused` or `parked`, as the commands say."""
    state = problem["state"]
    return "refused" if state == State.REJECTED.value else str(state)


def _line(text: str, indent: int) -> RenderableType:
    return Padding(Text(printable(text)), (0, 0, 0, indent), expand=False)


def _problem(problem: dict[str, Any]) -> Iterator[RenderableType]:
    label = problem["label"] or problem["source_key"]
    kind = NAMES.get(problem["kind"], problem["kind"])
    yield _line(f"{state_of(problem)}: {kind}: {label} [{problem['source_key']}]", 2)
    refusals = problem.get("refusals") or []
    told = []
    for refusal in refusals:
        value = f' "{refusal["value"]}"' if refusal.get("value") else ""
        told.append(
            f"{refusal.get('field') or 'document'}{value} breaks {refusal.get('rule')}: {refusal.get('cure')}"
        )
    if not refusals and problem["note"]:
        told.append(problem["note"])
    if problem.get("correlation"):
        told.append(f"Xero's correlation id, for its support: {problem['correlation']}")
    if problem["url"]:
        told.append(problem["url"])
    yield from (_line(text, 6) for text in told)


def _problems(problems: list[dict[str, Any]]) -> Iterator[RenderableType]:
    yield Text("Kept for a person:")
    for problem in problems[: limits.REFUSALS_SHOWN]:
        yield from _problem(problem)
    more = len(problems) - limits.REFUSALS_SHOWN
    if more > 0:
        yield Text(f"  and {more:,} more: {typed('rejects --limit 0')}")
    yield Text(
        f"Once a cause is gone in Xero or in the settings: {typed('retry')} --kind, --key, --rule or --all"
    )


def render(outcome: Outcome) -> RenderableType:
    """The whole report but its last sentence: an organisation at a time, and the sum of several."""
    if not outcome.parts:
        return Group(*_organisation(outcome))
    shown = [part for organisation in outcome.parts for part in (*_organisation(organisation), Text(""))]
    total = [Text(f"All {len(outcome.parts)} organisations:"), *_figures(outcome.summary)]
    return Group(*shown, *total, Text(_calls(outcome)))


def _organisation(outcome: Outcome) -> Iterator[RenderableType]:
    summary = outcome.summary
    before = f", called {outcome.former_name} when the ledger began" if outcome.former_name else ""
    run = f" (run {summary.epoch}{before})" if summary.epoch else ""
    yield _line(f"Xero organisation: {outcome.organisation}{run}", 0)
    if not summary.epoch:
        yield _line(f"Out of reach: {outcome.stopped}", 2)
        return
    if outcome.shown and outcome.shown.plan.purpose == "run":
        yield tables.render(outcome.shown.plan, outcome.shown.saved)
        yield Text(_calls(outcome))
        return
    yield from _figures(summary)
    if outcome.shown:
        yield tables.render(outcome.shown.plan, outcome.shown.saved)
    if outcome.problems:
        yield from _problems(outcome.problems)
    if outcome.notices:
        yield from (
            Text("To be known:"),
            *(_line(told, 2) for told in outcome.notices[: limits.REFUSALS_LISTED]),
        )
        more = len(outcome.notices) - limits.REFUSALS_LISTED
        if more > 0:
            yield Text(f"  and {more:,} more such; {typed('reconcile')} compares all of them with Xero")
    if summary.waiting_for:
        yield from (Text("Waiting:"), *(_line(told, 2) for told in summary.waiting_for))
    yield Text(_calls(outcome))


def _figures(summary: RunSummary) -> Iterator[RenderableType]:
    if any(counts.total for counts in summary.streams.values()):
        yield _documents(summary)
    money = _money(summary)
    if money is not None:
        yield money


def sentence(outcome: Outcome, input_problems: int = 0) -> str:
    """How the run ended, in a sentence; where something waits for approval, how to release it."""
    if outcome.shown and outcome.shown.plan.purpose == "run":
        held = f" {input_problems:,} lines or records of input were not usable." if input_problems else ""
        return tables.sentence(outcome.shown.plan) + held
    summary = outcome.summary
    settled = sum(getattr(counts, name) for counts in summary.streams.values() for name in CLEAN)
    documents = "1 document" if settled == 1 else f"{settled:,} documents"
    left = left_over(outcome)
    if outcome.stopped:
        left.append(f"stopped early: {outcome.stopped.rstrip('.')}")
    if input_problems:
        lines = "line or record" if input_problems == 1 else "lines or records"
        left.append(f"{input_problems:,} {lines} of input not usable, the bookmark is held back")
    undone = sum(counts.undone for counts in summary.streams.values())
    if not left:
        stay = f" {undone:,} stay undone: {typed('retry --key KEY')} brings one back." if undone else ""
        return f"All settled: {documents}.{stay}"
    release = (
        f" To release what waits: {typed(f'approve {outcome.shown.plan.short_hash}')}, then {typed('apply')}."
        if outcome.shown and any(outcome.shown.plan.of(*WRITES, "link"))
        else ""
    )
    return as_typed(
        f"Not all settled: {documents} {'is' if settled == 1 else 'are'}, {'; '.join(left)}.{release}"
    )


def left_over(outcome: Outcome) -> list[str]:
    """What is refused, parked and waiting, counted; empty when nothing is."""
    summary = outcome.summary
    counts = (
        (summary.open_refusals, "refused"),
        (sum(stream.parked for stream in summary.streams.values()), "parked"),
        (sum(stream.waiting for stream in summary.streams.values()), "waiting"),
        (sum(stream.proposed for stream in summary.streams.values()), "waiting for approval"),
    )
    return [f"{count:,} {word}" for count, word in counts if count]


def show(outcome: Outcome, input_problems: int = 0) -> None:
    """Prints the report and its last sentence."""
    out = console(sys.stderr)
    out.print(render(outcome), crop=False)
    out.print(Text(sentence(outcome, input_problems)), soft_wrap=True)
