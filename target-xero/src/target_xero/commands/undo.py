"""`target-xero undo RUN`: the plan that takes a run back, and with --apply its doing."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Group
from rich.text import Text

from target_xero import report
from target_xero.commands import COMMANDS
from target_xero.commands.retry import interruptible
from target_xero.commands.shared import Desk, desk
from target_xero.engine import Engine, Outcome
from target_xero.errors import ConfigurationError
from target_xero.preview import tables
from target_xero.preview.bench import each_engine
from target_xero.preview.document import WRITES, Plan
from target_xero.preview.files import save
from target_xero.preview.undo import undo
from target_xero.terminal import typed


@click.command(
    help=COMMANDS["undo"]
    + ".\n\nRUN is the run's number, as its report showed. Drafts are deleted, approved documents without payment voided, our "
    "payments deleted, contacts archived and items deleted where nothing uses them, updates set back to the revision before. "
    "Paid documents get a proposal what to credit; what people changed since, and closed periods, are left alone. Shows the "
    "plan; writes only with --apply, which may be interrupted and run again. Ends with 1 where something is left alone."
)
@click.argument("run", type=click.IntRange(min=1))
@click.option("--apply", "carry_out", is_flag=True, help="Carry the plan out.")
@desk
def command(desk: Desk, *, run: int, carry_out: bool) -> int:  # noqa: D103
    with interruptible() as interrupt:
        plans: dict[str, Plan] = {}
        names: list[str] = []
        with each_engine(desk, "plan", interrupt) as engines:
            for engine in engines:
                names.append(engine.tenant.name)
                if (
                    engine.ledger.has_run(run) and run < engine.ledger.epoch
                ):  # else another organisation's run
                    plans[engine.tenant.id] = _plan(engine, run, desk.settings.run_by)
        if not plans:
            raise ConfigurationError(
                f"the ledger knows no run {run} on {', '.join(names)} that could be undone"
            )
        done = []
        if carry_out:
            with each_engine(desk, "apply", interrupt) as engines:
                done = [
                    _carry_out(engine, run, plans[engine.tenant.id], desk.settings.run_by)
                    for engine in engines
                    if engine.tenant.id in plans
                ]
    _answer(desk, list(plans.values()), done)
    left = any(plan.stopped or any(plan.of("left", "refuse", "park")) for plan in plans.values())
    short = any(_short(plan, outcome) for plan, outcome in zip(plans.values(), done, strict=False))
    return int(left or short or any(outcome.stopped for outcome in done))


def _short(plan: Plan, outcome: Outcome) -> int:
    """How many documents of the plan were not taken back after all: Xero had something else than the plan showed."""
    return max(0, sum(1 for _ in plan.of(*WRITES)) - _settled(outcome))


def _settled(outcome: Outcome) -> int:
    return sum(counts.deleted + counts.updated for counts in outcome.summary.streams.values())


def _sentence(plan: Plan, outcome: Outcome) -> str:
    """How it ended; never that all is settled while something stayed."""
    left = (
        [f"{count:,} left alone for the reasons above"] if (count := sum(1 for _ in plan.of("left"))) else []
    )
    if short := _short(plan, outcome):
        left.append(
            f"{short:,} of the plan stayed, for Xero has something else than it showed (`target-xero why KEY` tells more; undo again)"
        )
    left += report.left_over(outcome)
    left += [f"stopped early: {outcome.stopped}"] if outcome.stopped else []
    done = _settled(outcome)
    documents = "1 document" if done == 1 else f"{done:,} documents"
    return (
        f"Not all taken back: {documents} {'is' if done == 1 else 'are'}; {'; '.join(left)}."
        if left
        else f"All taken back: {documents}."
    )


def _plan(engine: Engine, run: int, by: str) -> Plan:
    left = undo(engine, run, by)
    plan = engine.plan_so_far("undo", undoes=run)
    undone = {(d.kind, d.source_key) for d in left}
    own = [d for d in plan.documents if d.is_write or d.action == "left"]
    plan.documents = [*own, *(d for d in left if (d.kind, d.source_key) in undone)]
    plan.unchanged = {}
    return plan


def _carry_out(engine: Engine, run: int, plan: Plan, by: str) -> Outcome:
    bound = {(d.kind, d.source_key): d.before_hash for d in plan.documents if d.is_write}
    undo(engine, run, by, bound)
    return engine.close()


def _answer(desk: Desk, plans: list[Plan], done: list[Outcome]) -> None:
    parts: list[Any] = []
    data: list[dict[str, Any]] = []
    for plan in plans:
        saved = save(plan, desk.settings.plan_path)
        parts += [tables.render(plan, saved)]
        parts += [] if done else [Text(tables.sentence(plan))]
        parts += (
            [Text(f"To carry it out: {typed(f'undo {plan.undoes} --apply')}")]
            if not done and any(plan.of(*WRITES))
            else []
        )
        data.append({**plan.as_dict(), "saved": {kind: str(path) for kind, path in saved.items()}})
    for plan, outcome, entry in zip(plans, done, data, strict=False):
        parts += [report.render(outcome), Text(_sentence(plan, outcome))]
        entry["applied"] = {
            "not_done": _short(plan, outcome),
            "summary": outcome.summary.as_dict(),
            "stopped": outcome.stopped,
            "kept": outcome.problems,
        }
    desk.answer(Group(*parts), data)
