"""A data import: many records of one object at once, all with one time stamp."""

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store import accept, records
from ikaroa_sandbox.salesforce.store.database import Row

CHUNK = 5_000


def load(state: State, item: ObjectType, count: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Inserts `count` records made of one template; `{n}` in a text becomes the record's number, from 1.

    The template is checked once, with n = 1; side effects (history, roll-ups, person accounts) do not happen.
    """
    if item.name not in records.IMPORTABLE:
        raise ValueError(f"{item.name} cannot be loaded in bulk; {', '.join(sorted(records.IMPORTABLE))} can")
    context = state.context
    first = last = ""
    made: list[Row] = []
    for number in range(1, count + 1):
        body = {
            key: value.replace("{n}", str(number)) if isinstance(value, str) else value
            for key, value in fields.items()
        }
        values = accept.accept(context, state.org.full, item, body, accept.INSERT)
        row = records.prepared(context, item, values)
        if number == 1:
            accept.check_row(context, item, row, values)
        first, last = first or str(row["Id"]), str(row["Id"])
        made.append(row)
        if len(made) == CHUNK:
            state.db.insert(item, made)
            made = []
    state.db.insert(item, made)
    return {"count": count, "first": first, "last": last}
