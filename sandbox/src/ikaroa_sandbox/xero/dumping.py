"""The whole state as plain JSON values: what independent checkers read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.xero.tenant import Tenant


def dumped(tenant: Tenant) -> dict[str, Any]:
    """`{"Organisation": {…}, "Contacts": […], …}`: rows as they are kept, money as exact text, dates as ISO text."""
    store = tenant.store
    content: dict[str, Any] = {
        "Organisation": plain(store.organisation),
        "Connection": {**tenant.connection(), "connected": tenant.connected},
    }
    for name, table in store.tables.items():
        if name != "Organisations":
            content[name] = [plain(row) for row in table.rows()]
    return content


def plain(value: Any) -> Any:
    """A row's value as JSON has it."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):  # datetimes too
        return value.isoformat()
    return value
