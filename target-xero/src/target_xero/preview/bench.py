"""How the commands plan, approve, apply and undo get at each organisation, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from target_xero.commands.shared import Desk
from target_xero.engine import Engine
from target_xero.execute.drift import TO_BE_READ
from target_xero.interrupt import Interrupt
from target_xero.ledger import Ledger
from target_xero.preview.document import Plan
from target_xero.settings import Settings


@contextmanager
def each_engine(desk: Desk, mode: str, interrupt: Interrupt) -> Iterator[Iterator[Engine]]:
    """An engine on every organisation of the settings, in this mode; each is given back before the next is opened.

    Raises:
        TargetXeroError: no ledger, no access.
    """
    with ExitStack() as held:
        lock: Ledger | None = None
        if desk.settings.organisations:
            lock = Ledger.open(desk.settings.ledger_path, desk.settings.ledger_url)
            held.callback(lock.close)
        yield _engines(desk, mode, interrupt, lock)


def _engines(desk: Desk, mode: str, interrupt: Interrupt, beside: Ledger | None) -> Iterator[Engine]:
    places: list[tuple[Settings, str]] = [(b.settings, b.name) for b in desk.settings.organisations]
    for settings, name in places or [(desk.settings, "")]:
        engine = Engine(
            replace(settings, mode=mode, retry_refused=False),
            stop=interrupt,
            adapter=desk.world.adapter,
            timing=desk.world.timing,
            organisation=name,
            beside=beside,
        )
        try:
            yield engine
        finally:
            engine.abandon()


def proposals(engine: Engine) -> Plan:
    """What waits for approval, as a plan. The engine is in mode `plan`: nothing of it stays."""
    engine.ledger.suppose_approved(TO_BE_READ)
    engine.settle()
    return engine.plan_so_far("proposals")
