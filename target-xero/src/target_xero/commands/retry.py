"""`target-xero retry`: what was refused or parked goes again, now, in a run of its own."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import click
from rich.console import Group
from rich.text import Text

from target_xero import report
from target_xero.commands import COMMANDS, options
from target_xero.commands.ledgers import organisations, reading
from target_xero.commands.rejects import chosen
from target_xero.commands.shared import Desk, desk
from target_xero.errors import ConfigurationError
from target_xero.interrupt import Interrupt
from target_xero.routing.organisations import open_run


@click.command(
    help=COMMANDS["retry"]
    + ".\n\nTo be used once the cause is gone in Xero or in the settings; a document that changes at its source goes again by "
    "itself. One that breaks a rule by itself stays refused until the source or the mapping gives it otherwise. What `undo` took "
    "back is written again when it is named with --key; so is what waits because Xero has something just like it. It is a run like any other, without input: what waits goes too. Ends "
    "with 1 while something is refused or parked."
)
@options.documents
@click.option("--all", "everything", is_flag=True, help="All refused and parked documents.")
@options.organisation
@desk
def command(  # noqa: D103
    desk: Desk,
    *,
    kinds: tuple[str, ...],
    keys: tuple[str, ...],
    rules: tuple[str, ...],
    everything: bool,
    organisation: str | None,
) -> int:
    if everything == bool(kinds or keys or rules):
        raise click.UsageError("say which documents: --kind, --key, --rule, or --all")
    with reading(desk.settings) as inspection:
        tenants = organisations(inspection, organisation, desk.settings)
        found = chosen(inspection, tenants, kinds, keys, rules)
        unknown = [key for key in keys if not any(inspection.find(tenant, key) for tenant in tenants)]
        taken_back = [
            one for tenant in tenants for one in inspection.undone(tenant) if one.source_key in keys
        ]
    if tenants and (lost := [key for key in unknown if key not in {one.kept.source_key for one in found}]):
        raise ConfigurationError(f"the ledger knows no document {lost[0]!r}; nothing was tried again")
    wanted = [
        (one.kept.kind, one.kept.source_key)
        for one in found
        if one.is_for_a_person or (one.state == "dismissed" and keys)
    ]
    wanted += [(one.kind, one.source_key) for one in taken_back if not kinds or one.kind in kinds]
    if not wanted:
        desk.answer(Text("Nothing of that is refused or parked."), {"released": 0})
        return 0
    with interruptible() as interrupt:
        return _run(desk, wanted, set(keys), interrupt)


def _run(desk: Desk, wanted: list[tuple[str, str]], named: set[str], interrupt: Interrupt) -> int:
    engine = open_run(desk.settings, stop=interrupt, adapter=desk.world.adapter, timing=desk.world.timing)
    try:
        released = 0
        for kind in dict.fromkeys(kind for kind, _ in wanted):
            mine = [key for of, key in wanted if of == kind]
            engine.ledger.clear(kind, [key for key in mine if key in named])
            released += engine.retry([kind], mine)
        engine.settle()
        outcome = engine.close()
    except BaseException:
        engine.abandon()
        raise
    head = f"{released:,} of {len(wanted):,} go again" + (
        ""
        if released == len(wanted)
        else "; the others break a rule by themselves: change them at their source"
    )
    desk.answer(
        Group(Text(head), report.render(outcome), Text(report.sentence(outcome))),
        {
            "chosen": len(wanted),
            "released": released,
            "stopped": outcome.stopped,
            "calls": outcome.calls,
            "summary": outcome.summary.as_dict(),
            "kept": outcome.problems,
        },
    )
    if interrupt():
        return interrupt.exit_code
    parked = any(counts.parked for counts in outcome.summary.streams.values())
    return int(bool(outcome.stopped or parked or outcome.summary.open_refusals))


@contextlib.contextmanager
def interruptible() -> Iterator[Interrupt]:
    """SIGINT and SIGTERM end what runs inside in good order."""
    interrupt = Interrupt()
    before = {number: signal.signal(number, interrupt.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
