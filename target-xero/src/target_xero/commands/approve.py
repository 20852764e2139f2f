"""`target-xero approve [PLAN_HASH]`: releases what waits, for exactly the plan that was looked at."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Group
from rich.text import Text

from target_xero.commands import COMMANDS
from target_xero.commands.retry import interruptible
from target_xero.commands.shared import Desk, desk
from target_xero.engine import Engine
from target_xero.plan.kinds import KINDS
from target_xero.preview import approval, tables
from target_xero.preview.bench import each_engine, proposals
from target_xero.preview.document import Plan
from target_xero.preview.files import is_hash
from target_xero.terminal import typed


@click.command(
    help=COMMANDS["approve"]
    + ".\n\nPLAN_HASH is what `target-xero plan` showed (its first twelve digits do). The plan is made again and compared: what "
    "changed since, at the source or in Xero, makes another hash, and nothing is approved. Without PLAN_HASH the plan is "
    "shown and approved as it is now. Nothing is written to Xero; `target-xero apply` does that."
)
@click.argument("plan_hash", required=False)
@click.option("--by", metavar="NAME", help="The approver; the setting run_by without it.")
@click.option("--comment", default="", help="Kept with the approval.")
@click.option(
    "--only", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only documents of this kind."
)
@click.option(
    "--key", "keys", multiple=True, metavar="KEY", help="Only the document with this key of the source."
)
@desk
def command(  # noqa: D103
    desk: Desk,
    *,
    plan_hash: str | None,
    by: str | None,
    comment: str,
    kinds: tuple[str, ...],
    keys: tuple[str, ...],
) -> int:
    if plan_hash and not is_hash(plan_hash.casefold()):
        raise click.UsageError(
            f"{plan_hash!r} is no plan hash: at least eight hex digits, as `plan` shows them"
        )
    found: list[dict[str, Any]] = []
    parts: list[Any] = []
    missed: list[approval.ApprovalRefusedError] = []
    with interruptible() as interrupt, each_engine(desk, "plan", interrupt) as engines:
        for engine in engines:
            plan = proposals(engine)
            if plan_hash:
                try:
                    approval.check_hash(plan, plan_hash)
                except approval.ApprovalRefusedError as refused:
                    missed.append(refused)
                    continue
            parts.append(tables.render(plan))
            found.append(_approve(desk, engine, plan, by or desk.settings.run_by, comment, kinds, keys))
            parts.append(Text(_told(found[-1])))
    if not found and missed:
        raise missed[0]
    desk.answer(Group(*parts), found)
    return int(not any(one["approved"] for one in found))


def _approve(
    desk: Desk,
    engine: Engine,
    plan: Plan,
    by: str,
    comment: str,
    kinds: tuple[str, ...],
    keys: tuple[str, ...],
) -> dict[str, Any]:
    if plan.stopped:
        raise approval.ApprovalRefusedError(
            f"The plan for {plan.organisation} is not whole: {plan.stopped.rstrip('.')}. Nothing was approved."
        )
    documents = approval.chosen(plan, kinds, keys)
    if documents:
        approval.check_approver(by, documents, second=desk.settings.second_approver)
    now = engine.leave_rehearsal()
    number = approval.approve(engine.ledger, plan, documents, by, comment, now) if documents else 0
    waiting = sum(1 for d in plan.documents if d.proposed_by) - len(documents)
    return {
        "organisation": plan.organisation,
        "plan_hash": plan.hash,
        "approval": number or None,
        "approved_by": by if documents else None,
        "approved": len(documents),
        "still_waiting": waiting,
        "left_out": [
            {name: getattr(d, name) for name in ("action", "kind", "source_key", "label", "reason")}
            for d in plan.of("wait", "refuse", "park")
        ],
    }


def _told(one: dict[str, Any]) -> str:
    if not one["approved"]:
        waits = one["still_waiting"]
        return f"{one['organisation']}: nothing was approved; {waits:,} {'document waits' if waits == 1 else 'documents wait'}."
    rest = (
        f" {one['still_waiting']:,} still {'waits' if one['still_waiting'] == 1 else 'wait'}."
        if one["still_waiting"]
        else ""
    )
    return (
        f"{one['organisation']}: {one['approved_by']} approved {one['approved']:,} documents of plan {one['plan_hash'][:12]} "
        f"(approval {one['approval']}).{rest} To carry them out: {typed('apply')}."
    )
