"""From the changes of one committed transaction to its change events.

Several changes of one record within a transaction are one event. The same update of several records is one event with
several ids. What is too big becomes a gap event, a transaction with too many changes an overflow event an object.
(Salesforce change data capture guide: change event header fields, merged, gap and overflow events.)
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.core import Request
from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.events import avro
from ikaroa_sandbox.salesforce.events.log import epoch_ms

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.schema.model import ObjectType
    from ikaroa_sandbox.salesforce.state import State

CREATE, UPDATE, DELETE, UNDELETE = "CREATE", "UPDATE", "DELETE", "UNDELETE"
NO_RECORD = "000000000000000AAA"


@dataclass
class _Change:
    verb: str
    object: str
    id: str
    fields: dict[str, str | None] = field(default_factory=dict)
    """What an update set; for long text its old value."""


_Event = tuple[str, str, list[str], dict[str, Any]]
"""changeType, object, record ids, and of the body: values, changed, nulled and diff field names."""


def origin_of(request: Request, version: int) -> str:
    """The `changeOrigin` of a client's write: the API, its version, and the name the client gave itself."""
    options = request.headers.get("Sforce-Call-Options", "")
    clients = [part.strip() for part in options.split(",") if part.strip().startswith("client=")]
    return ";".join([f"com/salesforce/api/rest/{version}.0", *clients])


def drain(state: State, origin: str = "") -> int:
    """Makes events of what was changed since the last call; returns how many. To be called after each transaction.

    `origin`: the changeOrigin of an API client; empty for people and system jobs.
    """
    if not state.db.changed:
        return 0
    state.db.changed = False
    rows = state.db.query("SELECT verb, object, id, fields FROM _changes ORDER BY seq")
    state.db.execute("DELETE FROM _changes")
    if not rows:
        return 0
    changes = [_Change(verb, name, record, json.loads(fields)) for verb, name, record, fields in rows]
    return publish(state, _events(state, changes), origin)


def publish(state: State, events: Iterable[_Event], origin: str = "") -> int:
    """Puts the events of one transaction on the bus; returns how many."""
    number = state.events.next_commit()
    header = {
        "changeOrigin": origin,
        "transactionKey": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{state.org_id}/{number}")),
        "commitTimestamp": epoch_ms(state.world.clock.now()) // 1_000 * 1_000,
        "commitNumber": number,
        "commitUser": state.context.user_id,
    }
    found = list(events)
    for sequence, (change_type, name, ids, parts) in enumerate(found, 1):
        own = {"entityName": name, "recordIds": ids, "changeType": change_type, "sequenceNumber": sequence}
        state.events.append(name, {**own, **header}, parts)
    return len(found)


def _events(state: State, changes: list[_Change]) -> Iterable[_Event]:
    weight = sum(max(1, len(change.fields)) for change in changes)
    if weight > limits.CHANGES_A_TRANSACTION_MAX or any(change.verb == "OVERFLOW" for change in changes):
        for name in dict.fromkeys(change.object for change in changes):
            yield "GAP_OVERFLOW", name, [NO_RECORD], {}
        return
    merged: dict[str, _Event] = {}
    for change in _collapsed(changes):
        event = _event(state, change)
        if change.verb == UPDATE:
            key = json.dumps([event[0], event[1], event[3]], sort_keys=True, default=str)
            if key in merged:
                merged[key][2].append(change.id)
                continue
            merged[key] = event
        yield event


def _collapsed(changes: list[_Change]) -> list[_Change]:
    """One change a record: what the transaction did to it in all."""
    of: dict[tuple[str, str], _Change] = {}
    for change in changes:
        key = (change.object, change.id)
        before = of.get(key)
        if before is None:
            of[key] = change
        elif change.verb == UPDATE:
            before.fields = {**change.fields, **before.fields}
        elif before.verb == CREATE:
            del of[key]  # made and deleted in one transaction: nobody ever saw it
        else:
            of[key] = _Change(UPDATE if {before.verb, change.verb} == {DELETE, UNDELETE} else change.verb,
                              change.object, change.id)  # fmt: skip
    return list(of.values())


def _event(state: State, change: _Change) -> _Event:
    item = state.org.full[change.object]
    parts = {} if change.verb == DELETE else _body(state, item, change)
    size = sum(len(str(value)) for value in parts.get("values", {}).values())
    if size > limits.CHANGE_EVENT_BYTES_MAX:
        return f"GAP_{change.verb}", item.name, [change.id], {}
    return change.verb, item.name, [change.id], parts


def _body(state: State, item: ObjectType, change: _Change) -> dict[str, Any]:
    row = state.db.get(item, change.id) or {}
    names = [name for name in avro.body_fields(item) if change.verb != UPDATE or name in change.fields]
    values = {name: row.get(name) for name in names}
    if change.verb != UPDATE:
        return {"values": {name: value for name, value in values.items() if value is not None}}
    diffs = []
    for name in names:
        old, new = change.fields[name], values[name]
        if isinstance(old, str) and isinstance(new, str):
            values[name] = avro.unified_diff(old, new)
            diffs.append(name)
    nulled = [name for name, value in values.items() if value is None]
    return {"values": {k: v for k, v in values.items() if v is not None}, "changed": names, "nulled": nulled,
            "diff": diffs}  # fmt: skip
