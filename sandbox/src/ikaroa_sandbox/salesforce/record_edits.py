"""The edits that make, change and delete records: a person at the screen, who sees every field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.salesforce import ids
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.store import accept, deletion, merging, records
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.values import parse_time

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

Command = dict[str, Any]
BACKDATED = ("CreatedDate", "LastModifiedDate")
"""What the permission to set audit fields upon creation covers."""


def need(command: Command, key: str) -> Any:
    """A key's value. Raises ValueError when it is missing."""
    if command.get(key) is None:
        raise ValueError(f"`{key}` is missing")
    return command[key]


def need_object(state: State, command: Command) -> ObjectType:
    """The object a command names."""
    return state.org.object(str(need(command, "object")))


def _id(item: ObjectType, raw: Any, key: str) -> str:
    found = ids.normalise(str(raw))
    if found is None or found[:3] != item.prefix:
        raise ValueError(f"`{key}` is no id of a record of {item.name}: {raw!r}")
    return found


def _fields(command: Command) -> dict[str, Any]:
    fields = need(command, "fields")
    if not isinstance(fields, dict):
        raise ValueError(f"`fields` is an object of field names and values, not {fields!r}")  # noqa: TRY004  the one kind an edit raises
    return fields


def insert(state: State, command: Command, record_id: str = "") -> dict[str, Any]:
    """Makes a record; `record_id` is given where a transaction promised it."""
    item, fields = need_object(state, command), _fields(command)
    if not item.writable:
        raise ValueError(f"{item.name} rows are not made by people")
    audit: Row = {key: parse_time(str(fields[key])) for key in BACKDATED if key in fields}
    body = {key: value for key, value in fields.items() if key not in BACKDATED}
    values = accept.accept(state.context, state.org.full, item, body, accept.INSERT)
    return {"id": records.insert(state.context, item, values, record_id, audit)}


def _update(state: State, command: Command) -> dict[str, Any]:
    item = need_object(state, command)
    record = _id(item, need(command, "id"), "id")
    records.update(state.context, state.org.full, item, record, _fields(command))
    return {"id": record}


def _with_id(act: Callable[..., None]) -> Callable[[State, Command], dict[str, Any]]:
    def run(state: State, command: Command) -> dict[str, Any]:
        item = need_object(state, command)
        record = _id(item, need(command, "id"), "id")
        act(state.context, item, record)
        return {"id": record}

    return run


def _merge(state: State, command: Command) -> dict[str, Any]:
    item, losers = need_object(state, command), need(command, "losers")
    if not isinstance(losers, list):
        raise ValueError(f"`losers` is a list of ids, not {losers!r}")  # noqa: TRY004  the one kind an edit raises
    master = _id(item, need(command, "master"), "master")
    merging.merge(state.context, item, master, [_id(item, one, "losers") for one in losers])
    return {"id": master}


def _convert(state: State, command: Command) -> dict[str, Any]:
    full = state.org.full
    choice = merging.Conversion(
        account_id=_id(full["Account"], command["account"], "account") if command.get("account") else None,
        contact_id=_id(full["Contact"], command["contact"], "contact") if command.get("contact") else None,
        opportunity_name=command.get("opportunity_name"),
        make_opportunity=command.get("opportunity") is not False,
    )
    return dict(merging.convert(state.context, _id(full["Lead"], need(command, "id"), "id"), choice))


def _touch(state: State, command: Command) -> dict[str, Any]:
    item = need_object(state, command)
    if item.stamp != "SystemModstamp":
        raise ValueError(f"{item.name} has no SystemModstamp")
    wanted = command.get("ids")
    if wanted is None:
        return {"touched": state.db.restamp(item, state.context.now())}
    records = [_id(item, raw, "ids") for raw in wanted]
    return {"touched": sum(state.db.restamp(item, state.context.now(), record) for record in records)}


def _empty_bin(state: State, _command: Command) -> dict[str, Any]:
    held = state.db.query("SELECT object, id FROM _deletions WHERE gone = 0 AND undeleted = 0")
    for name, record in held:
        state.db.remove(state.org.full[name], record)
    state.db.execute("UPDATE _deletions SET gone = 1 WHERE undeleted = 0")
    return {"removed": len(held)}


RECORD_ACTIONS: dict[str, Callable[[State, Command], dict[str, Any]]] = {
    "insert": insert,
    "update": _update,
    "delete": _with_id(deletion.delete),
    "undelete": _with_id(deletion.undelete),
    "hard_delete": _with_id(deletion.hard_delete),
    "merge": _merge,
    "convert_lead": _convert,
    "touch": _touch,
    "empty_bin": _empty_bin,
}
TRANSACTIONAL = frozenset({"insert", "update", "delete", "undelete", "hard_delete", "merge", "convert_lead"})
