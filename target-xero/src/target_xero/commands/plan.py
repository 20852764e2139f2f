"""`target-xero plan`: what waits for approval, or what a Singer file would do, document by document. Nothing is written."""

from __future__ import annotations

import click
from rich.console import Group
from rich.text import Text

from target_xero.commands import COMMANDS
from target_xero.commands.retry import interruptible
from target_xero.commands.shared import Desk, desk, read_target
from target_xero.errors import InputError
from target_xero.preview import tables
from target_xero.preview.bench import each_engine, proposals
from target_xero.preview.document import WRITES
from target_xero.preview.files import save
from target_xero.preview.rehearsal import Shown
from target_xero.run import run
from target_xero.terminal import typed


@click.command(
    help=COMMANDS["plan"]
    + ".\n\nWithout --input: what waits for approval (mode approve), over what Xero has now. With --input: what a run over a "
    "file of Singer messages would do. Nothing is written to Xero, nothing changes in the ledger. The plan is saved as JSON "
    "and as an HTML page under plan_path. Ends with 1 where something in it is refused or parked."
)
@click.option(
    "--input",
    "file",
    type=click.Path(exists=True, dir_okay=False),
    help="A file of Singer messages to plan, instead of what waits.",
)
@desk
def command(desk: Desk, *, file: str | None) -> int:  # noqa: D103
    shown = _of_file(desk, file) if file else _of_proposals(desk)
    desk.answer(
        Group(
            *(tables.render(one.plan, one.saved) for one in shown),
            *(Text(tables.sentence(one.plan)) for one in shown),
            *(
                Text(f"To release it: {typed(f'approve {one.plan.short_hash}')}, then {typed('apply')}")
                for one in shown
                if one.plan.purpose == "proposals" and any(one.plan.of(*WRITES, "link"))
            ),
        ),
        [
            {**one.plan.as_dict(), "saved": {kind: str(path) for kind, path in one.saved.items()}}
            for one in shown
        ],
    )
    return int(not all(one.plan.is_clean for one in shown))


def _of_proposals(desk: Desk) -> list[Shown]:
    shown = []
    with interruptible() as interrupt, each_engine(desk, "plan", interrupt) as engines:
        for engine in engines:
            plan = proposals(engine)
            shown.append(Shown(plan, save(plan, desk.settings.plan_path)))
    return shown


def _of_file(desk: Desk, file: str) -> list[Shown]:
    from target_xero.target import TargetXero  # noqa: PLC0415  the SDK takes a while to import

    config = {**read_target(click.get_current_context().params["config"]).config, "mode": "plan"}
    target = TargetXero(config=config, adapter=desk.world.adapter, timing=desk.world.timing)
    with open(file, encoding="utf-8") as messages:  # noqa: PTH123
        code = run(lambda: target, messages)
    outcome = target.outcome
    parts = (outcome.parts or (outcome,)) if outcome else ()
    shown = [part.shown for part in parts if part.shown is not None]
    if code and (not shown or target.problems or (outcome and outcome.stopped)):
        raise InputError(f"{file} could not be planned to its end; see above")
    return shown
