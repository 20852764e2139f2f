"""`target-xero apply`: what was approved goes to Xero, through the ordinary executor."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Group
from rich.text import Text

from target_xero import report
from target_xero.commands import COMMANDS
from target_xero.commands.retry import interruptible
from target_xero.commands.shared import Desk, desk
from target_xero.engine import Engine
from target_xero.plan.kinds import KINDS
from target_xero.preview import approval
from target_xero.preview.bench import each_engine
from target_xero.terminal import printable


@click.command(
    help=COMMANDS["apply"]
    + ".\n\nEvery approved document is compared once more, right before it is written: where the source or Xero has changed "
    "since the approval, nothing is written and it waits for approval anew. It may be interrupted and run again. Ends with 1 "
    "where something approved was not carried out, or is refused or parked."
)
@desk
def command(desk: Desk) -> int:  # noqa: D103
    parts: list[Any] = []
    data: list[dict[str, Any]] = []
    with interruptible() as interrupt, each_engine(desk, "apply", interrupt) as engines:
        for engine in engines:
            part, told = _apply(engine, holds=desk.settings.mode == "approve")
            parts += part
            data.append(told)
    desk.answer(Group(*parts), data)
    if interrupt():
        return interrupt.exit_code
    return int(not all(told["clean"] for told in data))


def _apply(engine: Engine, *, holds: bool) -> tuple[list[Any], dict[str, Any]]:
    ledger = engine.ledger
    if holds:  # what an earlier run planned and nobody approved is not carried out on the way
        engine.hold_unapproved()
    released = approval.release(ledger)
    engine.settle()
    changed = [*released.changed, *approval.drifted(ledger, released)]
    approval.finish(ledger, released, engine.now())
    outcome = engine.close()
    head = (
        f"{outcome.organisation}: {len(released.started) + released.under_way:,} approved documents to carry out"
        if released.started or released.under_way
        else f"{outcome.organisation}: nothing that is approved waits to be carried out"
    )
    parts: list[Any] = [Text(printable(head)), report.render(outcome)]
    if changed:
        parts.append(Text("Changed since the approval, and not carried out:"))
        parts += [
            Text(
                f"  {KINDS[one.kind].one}: {printable(one.label)} [{printable(one.source_key)}]: {printable(one.reason)}"
            )
            for one in changed
        ]
    parts.append(Text(report.sentence(outcome)))
    parked = any(counts.parked for counts in outcome.summary.streams.values())
    clean = not (changed or outcome.stopped or parked or outcome.summary.open_refusals)
    return parts, {
        "organisation": outcome.organisation,
        "released": len(released.started),
        "under_way": released.under_way,
        "changed": [one.as_dict() for one in changed],
        "stopped": outcome.stopped,
        "summary": outcome.summary.as_dict(),
        "kept": outcome.problems,
        "clean": clean,
    }
