"""Long transactions: work that gets its time stamps now and is seen by others only when it commits.

What is staged is tried at once and undone, so that a mistake shows early; on commit it is done again under the time
stamps of then. `/updated` and `/deleted` say meanwhile that nothing since the oldest open one's start is certain.
"""

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.salesforce.record_edits import RECORD_ACTIONS, TRANSACTIONAL, Command, insert
from ikaroa_sandbox.salesforce.state import OpenTransaction, State


def begin(state: State, name: str) -> dict[str, Any]:
    """Opens a transaction."""
    if name in state.transactions:
        raise ValueError(f"a transaction {name!r} is open already")
    state.transactions[name] = OpenTransaction(started=state.context.now())
    return {}


def _open(state: State, name: str) -> OpenTransaction:
    found = state.transactions.get(name)
    if found is None:
        raise ValueError(
            f"no transaction {name!r} is open; open are: {', '.join(state.transactions) or 'none'}"
        )
    return found


def stage(state: State, name: str, action: str, details: Command) -> dict[str, Any]:
    """Adds an action to an open transaction; answers the id it will have or has."""
    found = _open(state, name)
    if action not in TRANSACTIONAL:
        raise ValueError(f"cannot be part of a transaction; {', '.join(sorted(TRANSACTIONAL))} can")
    context = state.context
    at = context.now()
    counters = dict(context.counters)
    with context.atomic() as trial:
        trial.undo = True
        # Earlier actions of the same transaction first: this one may build on them.
        _replay(state, name, found)
        mark = len(context.effects)
        result = _run(state, name, at, action, details)
        touched = [one["id"] for one in context.effects[mark:] if one["action"] != "create"]
    if action == "insert":
        details = {**details, "_id": result["id"]}
        counter = state.org.object(str(details["object"])).name
        counters[counter] = max(counters.get(counter, 0), context.counters[counter])
    context.counters = counters
    created = {command.get("_id") for _, command in found.commands}
    context.locks.update({record: name for record in touched if record not in created})
    found.commands.append((at, {**details, "_action": action}))
    return {"id": result["id"]} if "id" in result else {}


def commit(state: State, name: str) -> dict[str, Any]:
    """Does everything that was staged, under the time stamps of then. Raises ValueError and stays open if it cannot."""
    found = _open(state, name)
    with state.context.atomic():
        done = _replay(state, name, found)
    _close(state, name)
    return {"done": done}


def rollback(state: State, name: str) -> dict[str, Any]:
    """Forgets everything that was staged."""
    found = _open(state, name)
    _close(state, name)
    return {"undone": len(found.commands)}


def _close(state: State, name: str) -> None:
    del state.transactions[name]
    state.context.locks = {record: holder for record, holder in state.context.locks.items() if holder != name}


def _replay(state: State, name: str, found: OpenTransaction) -> list[dict[str, Any]]:
    done = []
    for at, command in found.commands:
        details = {key: value for key, value in command.items() if key != "_action"}
        done.append(_run(state, name, at, command["_action"], details))
    return done


def _run(state: State, name: str, at: str, action: str, details: Command) -> dict[str, Any]:
    context = state.context
    context.at, context.transaction = at, name
    try:
        if action == "insert":
            return insert(state, details, str(details.get("_id", "")))
        return RECORD_ACTIONS[action](state, details)
    finally:
        context.at, context.transaction = None, None
