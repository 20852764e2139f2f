"""How commands get at the ledger: to read it beside a run, organisation by organisation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from target_xero.access import Access
from target_xero.commands.shared import Desk
from target_xero.errors import ConfigurationError
from target_xero.ledger import Ledger, Tenant
from target_xero.ledger.inspection import Inspection
from target_xero.ledger.presence import must_be_there
from target_xero.settings import Settings


@contextmanager
def reading(settings: Settings) -> Iterator[Inspection]:
    """The ledger's answers, without its run lock.

    Raises:
        LedgerMissingError: there is no ledger yet; a command that only looks makes none.
    """
    must_be_there(settings.ledger_path, settings.ledger_url)
    ledger = Ledger.open(settings.ledger_path, settings.ledger_url, lock=False)
    try:
        yield Inspection(ledger)
    finally:
        ledger.close()


def organisations(inspection: Inspection, wanted: str | None, settings: Settings) -> list[Tenant]:
    """The ledger's organisations, or the one asked for by name, by id, or by its name in the setting `organisations`.

    Raises:
        ConfigurationError: there is none of that name; the message lists them.
    """
    known = inspection.tenants()
    if not wanted:
        return known
    of_setting = {branch.settings.tenant_id for branch in settings.organisations if branch.name == wanted}
    found = [tenant for tenant in known if wanted in (tenant.id, tenant.name) or tenant.id in of_setting]
    if not found:
        names = ", ".join(f"{tenant.name} ({tenant.id})" for tenant in known) or "none yet"
        raise ConfigurationError(f"the ledger has no organisation {wanted!r}; it has {names}")
    return found


def each_access(desk: Desk, inspection: Inspection, wanted: str | None) -> Iterator[Access]:
    """Access to the organisations that the settings lead to, one after the other; only the one asked for, if one is.

    Raises:
        TargetXeroError: no access, or none of that name.
    """
    asked = {tenant.id for tenant in organisations(inspection, wanted, desk.settings)} if wanted else None
    for settings in desk.settings.each:
        with Access(settings, adapter=desk.world.adapter, timing=desk.world.timing) as access:
            if asked is None or access.organisation.id in asked:
                yield access
