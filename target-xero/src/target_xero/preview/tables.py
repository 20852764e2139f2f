"""A plan in the terminal: what matters first, every document in a line or a few, the money, the calls, where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_xero import limits
from target_xero.plan.kinds import KINDS
from target_xero.preview.document import TITLES, WRITES, Plan, PlannedDocument, Sum
from target_xero.preview.words import ACTIONS
from target_xero.terminal import printable, whole

PURPOSES = {
    "run": "What a run would do now",
    "proposals": "What waits for approval",
    "undo": "What it takes to undo run",
}


AS_THE_SOURCE = "As the source means its amounts: before tax, or with it where its prices include it"


def money(minor: int | None) -> str:
    """Hundredths as people write them; unknown ones as a dash."""
    return "-" if minor is None else f"{Decimal(minor).scaleb(-2):,.2f}"


def name_of(kind: str, count: int = 1) -> str:
    """A kind in words."""
    return KINDS[kind].one if count == 1 else f"{KINDS[kind].one}s"


def render(plan: Plan, saved: dict[str, Path] | None = None) -> RenderableType:
    """The whole plan, long lists cut: all of it is in the files."""
    parts: list[RenderableType] = [
        _text(
            f"{PURPOSES[plan.purpose]}{f' {plan.undoes}' if plan.undoes else ''}: {plan.organisation}", "bold"
        ),
        _text(
            f"Plan {plan.short_hash}, by {plan.run_by}, {plan.made_at:%Y-%m-%d %H:%M} UTC on Xero's clock."
        ),
    ]
    if plan.stopped:
        parts.append(_text(f"This plan is not whole: {plan.stopped}", "bold"))
    if plan.would_stop:
        parts.append(_text(f"A run would stop before it writes this: {plan.would_stop}", "bold"))
    if plan.documents or plan.unchanged:
        parts.append(_counts(plan))
    if plan.sums:
        parts.append(_sums(plan.sums))
        parts += [_text(told)] if (told := explained(plan.sums)) else []
    for action in TITLES:
        parts += _section(action, list(plan.of(action)))
    parts.append(_text(calls(plan)))
    if saved:
        parts.append(
            _text(f"Saved: {saved['html']} (to read) and {saved['json'].name} beside it (for programs)")
        )
    return Group(*parts)


def columns(sums: Sequence[Sum]) -> dict[str, Sequence[int | None]]:
    """The sums by heading; what the documents say only where a document of the source says it (to undo, none does)."""
    said = [found.source_minor for found in sums]
    return {
        **({"documents say": said} if any(one is not None for one in said) else {}),
        "before tax": [found.before_tax_minor for found in sums],
        "tax": [found.tax_minor for found in sums],
        "with tax": [found.total_minor for found in sums],
    }


def explained(sums: Sequence[Sum]) -> str:
    """What the first sum is, and what a dash in the place of another one means; empty where there is nothing to explain."""
    parts = []
    if "documents say" in columns(sums):
        parts.append(
            f"Documents say: {AS_THE_SOURCE[0].lower()}{AS_THE_SOURCE[1:]}; reports and reconcile say the same sums."
        )
    if count := sum(found.untold for found in sums):
        documents = "1 document has" if count == 1 else f"{count:,} documents have"
        parts.append(
            f"No tax (-) is told where {documents} a line whose tax rate Xero takes from its item; name its tax type in the "
            "source or in the mapping, and it is told."
        )
    return " ".join(parts)


def calls(plan: Plan) -> str:
    """What it will cost, in a sentence."""
    left = f"; {plan.day_left:,} calls are left today" if plan.day_left is not None else ""
    enough = ""
    if plan.day_left is not None and plan.calls_total > plan.day_left:
        enough = ", which is not enough: the rest would go with later runs"
    minutes = "1 minute" if plan.minutes == 1 else f"{plan.minutes} minutes"
    count = "1 call" if plan.calls_total == 1 else f"{plan.calls_total:,} calls"
    return f"It takes about {count} to Xero, {minutes} at {limits.CALLS_PER_MINUTE} a minute{left}{enough}."


def sentence(plan: Plan) -> str:
    """The plan in one sentence."""
    writes = sum(1 for _ in plan.of(*WRITES))
    parts = [f"{writes:,} to write"]
    parts += [
        f"{count:,} {word}"
        for action, word in (("link", "to link"), ("left", "left alone"), ("wait", "waiting"), ("refuse", "refused"), ("park", "parked"))
        if (count := sum(1 for _ in plan.of(action)))
    ]  # fmt: skip
    unchanged = sum(plan.unchanged.values())
    if unchanged:
        parts.append(f"{unchanged:,} unchanged")
    if plan.stopped:
        parts.append("not whole")
    if plan.would_stop:
        parts.append("more than a limit allows")
    return f"Plan {plan.short_hash}: {', '.join(parts)}. Nothing was written to Xero."


def _counts(plan: Plan) -> Table:
    actions = [action for action in TITLES if any(plan.of(action))]
    table = Table(header_style="bold")
    table.add_column("documents")
    for action in actions:
        table.add_column(action, justify="right")
    table.add_column("unchanged", justify="right")
    for kind in KINDS:
        row = [sum(d.kind == kind for d in plan.of(action)) for action in actions]
        unchanged = plan.unchanged.get(kind, 0)
        if any(row) or unchanged:
            table.add_row(name_of(kind, 2), *(f"{n:,}" if n else "-" for n in (*row, unchanged)))
    return whole(table)


def _sums(sums: Sequence[Sum]) -> Table:
    table = Table(header_style="bold")
    for heading in ("money", ""):
        table.add_column(heading)
    figures = columns(sums)
    for heading in figures:
        table.add_column(heading, justify="right")
    for number, found in enumerate(sums):
        table.add_row(
            f"{found.documents:,} {name_of(found.kind, found.documents)} {ACTIONS[found.action]}",
            printable(found.currency),
            *(money(column[number]) for column in figures.values()),
        )
    return whole(table)


def _section(action: str, documents: Sequence[PlannedDocument]) -> Iterator[RenderableType]:
    if not documents:
        return
    yield _text(f"{TITLES[action]} ({len(documents):,}):", "bold")
    for document in documents[: limits.PLAN_SHOWN]:
        yield _indented(_headline(document), 2)
        yield from (_indented(told, 6) for told in _details(document))
    more = len(documents) - limits.PLAN_SHOWN
    if more > 0:
        yield _indented(f"and {more:,} more: see the saved plan", 2)


def _headline(document: PlannedDocument) -> str:
    number = "" if document.number in document.label else document.number
    parts = [f"{name_of(document.kind)} {number}".strip(), document.label]
    if document.party:
        parts.append(f"for {document.party}")
    if document.date:
        parts.append(document.date)
    if document.status and document.is_write:
        parts.append(document.status)
    if document.total_minor is not None:
        parts.append(f"{document.currency} {money(document.total_minor)}".strip())
    elif document.before_tax_minor is not None:
        parts.append(f"{document.currency} {money(document.before_tax_minor)} before tax")
    return f"{', '.join(part for part in parts if part)} [{document.source_key}]"


def _details(document: PlannedDocument) -> Iterator[str]:
    if document.action == "update":
        for change in document.changes[: limits.PLAN_CHANGES_SHOWN]:
            yield f"{change.field}: {change.before or '(nothing)'} -> {change.after or '(nothing)'}"
        more = len(document.changes) - limits.PLAN_CHANGES_SHOWN
        if more > 0:
            yield f"and {more:,} more changes"
        if not document.changes:
            yield "Xero has it like this already; it is sent to make sure."
    elif document.action in ("wait", "refuse", "park", "left"):
        yield document.reason


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)


def _indented(text: str, by: int) -> RenderableType:
    return Padding(_text(text), (0, 0, 0, by), expand=False)
