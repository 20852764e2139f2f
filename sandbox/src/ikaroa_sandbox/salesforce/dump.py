"""The whole org as plain values, for checkers that read the store and trust no client."""

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.salesforce import wire
from ikaroa_sandbox.salesforce.schema.model import NUMBER_TYPES, ObjectType
from ikaroa_sandbox.salesforce.state import State


def dump_state(state: State) -> dict[str, Any]:
    """`objects`: every row by object, in order of id, numbers as exact text; and what else tells the org's state."""
    objects = {item.name: _table(state, item) for item in state.org.full}
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


def _table(state: State, item: ObjectType) -> list[dict[str, Any]]:
    moments = [field.name for field in item.fields.values() if field.type == "datetime"]
    numbers = [field.name for field in item.fields.values() if field.type in NUMBER_TYPES and field.stored]
    rows: list[dict[str, Any]] = [*state.db.select(item, order='ORDER BY "Id"')]
    for row in rows:
        for name in numbers:
            if row[name] is not None:
                row[name] = wire.plain_number(row[name])
        for name in moments:
            if row[name] is not None:
                row[name] = wire.wire_time(row[name])
    return rows
