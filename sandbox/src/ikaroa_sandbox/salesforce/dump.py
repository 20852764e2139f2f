"""The whole org as plain values, for checkers that read the store and trust no client."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ikaroa_sandbox.salesforce import wire
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store.database import Row


def dump_state(state: State) -> dict[str, Any]:
    """`objects`: every row by object, in order of id, numbers as exact text; and what else tells the org's state."""
    objects = {
        item.name: [_plain(item, row) for row in state.db.select(item, order='ORDER BY "Id"')]
        for item in state.org.full
    }
    log = state.db.query("SELECT object, id, deleted_at, gone, undeleted FROM _deletions ORDER BY seq")
    return {
        "objects": objects,
        "deletions": [
            {
                "object": name,
                "id": record,
                "deletedDate": wire.wire_time(at),
                "gone": bool(gone),
                "undeleted": bool(back),
            }
            for name, record, at, gone, back in log
        ],
        "features": dict(state.org.features),
        "api_usage": {"used": state.usage.total, "daily": state.usage.daily},
        "open_transactions": {name: wire.wire_time(one.started) for name, one in state.transactions.items()},
    }


def _plain(item: ObjectType, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Decimal):
            found[name] = wire.plain_number(value)
        elif item.fields[name.lower()].type == "datetime" and value is not None:
            found[name] = wire.wire_time(str(value))
        else:
            found[name] = value
    return found
