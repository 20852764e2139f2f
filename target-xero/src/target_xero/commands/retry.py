"""`target-xero retry`: what was refused or parked goes again, now, in a run of its own."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import click
from rich.console import Group
from rich.text import Text

from target_xero import report
from target_xero.commands import COMMANDS, options
from target_xero.commands.ledgers import organisations, reading
from target_xero.commands.rejects import Found, chosen
from target_xero.commands.shared import Desk, desk
from target_xero.engine import Engine
from target_xero.errors import ConfigurationError
from target_xero.found import Word
from target_xero.interrupt import Interrupt
from target_xero.ledger import State
from target_xero.routing.opening import open_run
from target_xero.routing.organisations import Organisations
from target_xero.terminal import printable

_Done = tuple[str, dict[str, Any]]
"""What was done, for people and for programs."""


@click.command(
    help=COMMANDS["retry"]
    + ".\n\nTo be used once the cause is gone in Xero or in the settings; a document that changes at its source goes again by "
    "itself. One that breaks a rule by itself stays refused until the source or the mapping gives it otherwise. What `undo` took "
    "back is written again when it is named with --key; so is what waits because Xero has something just like it.\n\nA parked document is "
    "looked up in Xero before anything is sent for it again. Whoever has found it there says so: --key KEY --found ID, by its id in "
    "Xero; it is read there, settled as that, and nothing is sent for it.\n\nIt is a run like any other, without input: what waits goes "
    "too. Ends with 1 while something is refused or parked."
)
@options.documents
@click.option("--all", "everything", is_flag=True, help="All refused and parked documents.")
@click.option("--found", "found", metavar="ID", help="The parked document of --key is this one in Xero.")
@click.option("--by", help="Who says so; default: the setting run_by.")
@click.option("--comment", default="", help="Why; kept with it.")
@options.organisation
@desk
def command(  # noqa: D103
    desk: Desk,
    *,
    kinds: tuple[str, ...],
    keys: tuple[str, ...],
    rules: tuple[str, ...],
    everything: bool,
    found: str | None,
    organisation: str | None,
    **word: Any,
) -> int:
    if found is not None and (len(keys) != 1 or rules or everything):
        raise click.UsageError("--found goes with one --key: the parked document that was found in Xero")
    if found is None and (word["by"] or word["comment"]):
        raise click.UsageError(
            "--by and --comment go with --found: what goes again is no decision to be kept"
        )
    if everything == bool(kinds or keys or rules):
        raise click.UsageError("say which documents: --kind, --key, --rule, or --all")
    with reading(desk.settings) as inspection:
        tenants = organisations(inspection, organisation, desk.settings)
        listed = chosen(inspection, tenants, kinds, keys, rules)
        unknown = [key for key in keys if not any(inspection.find(tenant, key) for tenant in tenants)]
        taken_back = [
            one for tenant in tenants for one in inspection.undone(tenant) if one.source_key in keys
        ]
    if tenants and (lost := [key for key in unknown if key not in {one.kept.source_key for one in listed}]):
        raise ConfigurationError(f"the ledger knows no document {lost[0]!r}; nothing was tried again")
    if found is not None:
        named = _the_parked(listed, keys[0])
        return _run(
            desk, partial(_settled, named, found, Word(word["by"] or desk.settings.run_by, word["comment"]))
        )
    wanted = [
        (one.kept.kind, one.kept.source_key)
        for one in listed
        if one.is_for_a_person or (one.state == "dismissed" and keys)
    ]
    wanted += [(one.kind, one.source_key) for one in taken_back if not kinds or one.kind in kinds]
    if not wanted:
        desk.answer(Text("Nothing of that is refused or parked."), {"released": 0})
        return 0
    return _run(desk, partial(_released, wanted, by_key=bool(keys)))


def _the_parked(listed: Sequence[Found], key: str) -> Found:
    """The one parked document that is meant."""
    parked = [one for one in listed if one.kept.state is State.PARKED]
    if len(parked) != 1:
        which = ", ".join(f"{one.kept.kind} in {one.tenant.name}" for one in parked)
        raise ConfigurationError(
            f"more than one document {key!r} is parked ({which}): say which with --kind or --organisation; nothing was changed"
            if parked
            else f"{key!r} is not parked; nothing was changed. `target-xero rejects` shows what is"
        )
    return parked[0]


def _settled(named: Found, remote_id: str, word: Word, engine: Engine | Organisations) -> _Done:
    """The word of a person that it is there."""
    told = engine.on(named.tenant).found(named.kept.kind, named.kept.source_key, remote_id, word)
    return told, {"chosen": 1, "released": 0, "found": told}


def _released(wanted: list[tuple[str, str]], engine: Engine | Organisations, *, by_key: bool) -> _Done:
    """What goes again."""
    released = 0
    for kind in dict.fromkeys(kind for kind, _ in wanted):
        mine = [key for of, key in wanted if of == kind]
        if by_key:  # somebody has looked at these
            engine.ledger.clear(kind, mine)
        released += engine.retry([kind], mine)
    rest = "; the others break a rule by themselves: change them at their source"
    head = f"{released:,} of {len(wanted):,} go again{'' if released == len(wanted) else rest}"
    return head, {"chosen": len(wanted), "released": released}


def _run(desk: Desk, begin: Callable[[Engine | Organisations], _Done]) -> int:
    with interruptible() as interrupt:
        engine = open_run(desk.settings, stop=interrupt, adapter=desk.world.adapter, timing=desk.world.timing)
        try:
            head, data = begin(engine)
            engine.settle()
            outcome = engine.close()
        except BaseException:
            engine.abandon()
            raise
    desk.answer(
        Group(Text(printable(head)), report.render(outcome), Text(report.sentence(outcome))),
        data
        | {
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
