"""What people and system jobs do in the org outside the API: `edit({"action": …})`.

| action | keys | what it does |
|---|---|---|
| insert | object, fields | makes a record (CreatedDate and LastModifiedDate may be given); answers `id` |
| update | object, id, fields | changes one |
| delete, undelete, hard_delete | object, id | to the bin, out of it, gone |
| empty_bin | | everything in the bin is gone |
| merge | object, master, losers | Account, Contact, Lead: children move, losers get MasterRecordId |
| convert_lead | id, [account], [contact], [opportunity], [opportunity_name] | `opportunity: false` makes none |
| touch | object, [ids] | a system job: SystemModstamp moves, LastModifiedDate does not |
| bulk_load | object, count, [fields], [apart_seconds] | many records with one stamp, or so far apart; `{n}` in a text becomes the number, a list is gone through in turn; Account, Contact, Lead and Opportunity have fields of their own |
| open_transaction, commit_transaction, rollback_transaction | transaction | a long transaction by name |
| hide_field, show_field | object, field | field-level security |
| hide_object, show_object | object | object permission |
| add_field | object, field, [type, length, scale, formula, to, as, children, external, …] | a custom field |
| remove_field | object, field | deletes a custom field |
| feature | feature, on | multi_currency, products, orders, person_accounts |
| rotation | on | refresh token rotation |
| app | [callbacks], [require_pkce], [require_secret] | how the external client app is set up: callback addresses, proof key, secret |
| session | seconds | how long new access tokens live |
| limits | [daily], [used], [app_daily] | the day's API requests: the org's, those spent, the client's own app's |
| expire_locators | | query locators end, of bulk results too |
| bulk_jobs | [seconds], [polls], [page_rows], [hard_delete], [refuses] | how bulk jobs to come run: time (null: by rows), looks that find one unfinished on a frozen clock, rows of a page, permission, objects refused |
| purge_deletion_log | [object] | /deleted no longer reaches back before now |
| change_data_capture | objects | selects the objects whose changes become events, five at most |
| change_event | object, type, [ids] | an event that says no more than its type: GAP_CREATE … GAP_OVERFLOW |
| purge_events | | the org has moved: every event and every replay id given out before is gone |
| event_limits | [daily], [used], [keepalive_seconds] | the day's deliveries; how long a quiet stream stays silent |

The record actions, from insert to convert_lead without empty_bin, may name a `transaction`: they happen when it commits,
under the time stamp of now. Until then the records they change are locked for everyone else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.core import exact
from ikaroa_sandbox.salesforce import limits, transactions, wire
from ikaroa_sandbox.salesforce.bulk.jobs import QueryJob
from ikaroa_sandbox.salesforce.errors import SalesforceError
from ikaroa_sandbox.salesforce.events import capture
from ikaroa_sandbox.salesforce.events.avro import CHANGE_TYPES
from ikaroa_sandbox.salesforce.org import FEATURES
from ikaroa_sandbox.salesforce.record_edits import RECORD_ACTIONS, Command, need, need_object
from ikaroa_sandbox.salesforce.seeding import bulk
from ikaroa_sandbox.salesforce.state import State

Action = Callable[[State, Command], dict[str, Any]]


def apply(state: State, command: Command) -> dict[str, Any]:
    """Does what `command["action"]` says.

    Raises:
        ValueError: it cannot be done, and why; nothing is changed then.
    """
    name = command.get("action")
    if name not in _KEYS and name not in _OPEN_ENDED:
        known = ", ".join(sorted({*_KEYS, *_OPEN_ENDED}))
        raise ValueError(f"Salesforce knows no action {name!r}; there are: {known}")
    details: Command = {
        key: exact(value) for key, value in command.items() if key not in {"action", "transaction"}
    }
    unknown = set(details) - _KEYS[str(name)] if name not in _OPEN_ENDED else set()
    if unknown:
        wanted = ", ".join(sorted(_KEYS[str(name)])) or "none"
        raise ValueError(f"{name}: unknown key {', '.join(sorted(unknown))}; it takes {wanted}")
    try:
        if name in _TRANSACTION_ACTIONS:
            return _TRANSACTION_ACTIONS[name](state, str(need(command, "transaction")))
        if "transaction" in command:
            return transactions.stage(state, str(command["transaction"]), str(name), details)
        with state.context.atomic():
            return {**RECORD_ACTIONS, **_ACTIONS}[str(name)](state, details)
    except SalesforceError as error:
        raise ValueError(f"{name}: {error.code}: {error.message}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    finally:
        state.context.take_effects()


def _changed(state: State) -> dict[str, Any]:
    state.org.rebuild(state.world.clock.now())
    return {}


def _show_or_hide_field(state: State, command: Command, *, hide: bool) -> dict[str, Any]:
    found = state.org.field(str(need(command, "object")), str(need(command, "field")))
    if found.type == "id" or (found.required and hide):
        raise ValueError(f"{found.name} is always there and cannot be hidden")
    key = (str(command["object"]).lower(), found.name.lower())
    (state.org.hidden_fields.add if hide else state.org.hidden_fields.discard)(key)
    return _changed(state)


def _show_or_hide_object(state: State, command: Command, *, hide: bool) -> dict[str, Any]:
    key = need_object(state, command).name.lower()
    (state.org.hidden_objects.add if hide else state.org.hidden_objects.discard)(key)
    return _changed(state)


def _add_field(state: State, command: Command) -> dict[str, Any]:
    item, name = need_object(state, command), str(need(command, "field"))
    facts = {key: value for key, value in command.items() if key not in {"object", "field"}}
    target = facts.get("to")
    if facts.get("type") == "reference" and state.org.full.get(str(target)) is None:
        raise ValueError(f"a reference needs `to`, the name of an object; {target!r} is none")
    if facts.get("required"):
        raise ValueError("a field cannot be required when records without it exist")
    made = state.org.add_field(item.name, name, facts)
    for found in made:
        if found.stored:
            state.db.add_column(state.org.full[item.name], found)
    return _changed(state)


def _remove_field(state: State, command: Command) -> dict[str, Any]:
    item = need_object(state, command)
    found = state.org.remove_field(item.name, str(need(command, "field")))
    state.org.hidden_fields.discard((item.name.lower(), found.name.lower()))
    if found.stored:
        state.db.drop_column(item, found)
        _touch_all(state, item.name)
    return _changed(state)


def _touch_all(state: State, name: str) -> None:
    """Deleting a custom field for good moves every row's SystemModstamp."""
    item = state.org.full[name]
    if item.stamp == "SystemModstamp":
        state.db.restamp(item, state.context.now())


def _on(command: Command) -> bool:
    value = need(command, "on")
    if not isinstance(value, bool):
        raise ValueError(f"`on` is true or false, not {value!r}")  # noqa: TRY004  the one kind an edit raises
    return value


def _feature(state: State, command: Command) -> dict[str, Any]:
    name = need(command, "feature")
    if name not in FEATURES:
        raise ValueError(f"no feature {name!r}; there are {', '.join(FEATURES)}")
    state.org.features[str(name)] = _on(command)
    return _changed(state)


def _rotation(state: State, command: Command) -> dict[str, Any]:
    state.tokens.rotation = _on(command)
    return {}


def _app(state: State, command: Command) -> dict[str, Any]:
    app = state.tokens.app
    if "callbacks" in command:
        given = command["callbacks"]
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise ValueError(f"`callbacks` is a list of addresses, not {given!r}")
        app.callbacks = tuple(given)
    app.require_pkce = bool(command.get("require_pkce", app.require_pkce))
    app.require_secret = bool(command.get("require_secret", app.require_secret))
    return {
        "callbacks": list(app.callbacks),
        "require_pkce": app.require_pkce,
        "require_secret": app.require_secret,
    }


def _whole(command: Command, key: str) -> int:
    value = command[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"`{key}` is a whole number from 0, not {value!r}")
    return value


def _session(state: State, command: Command) -> dict[str, Any]:
    need(command, "seconds")
    state.tokens.session_seconds = _whole(command, "seconds")
    return {}


def _limits(state: State, command: Command) -> dict[str, Any]:
    if "daily" in command:
        state.usage.daily = _whole(command, "daily")
    if "app_daily" in command:
        state.usage.app_daily = _whole(command, "app_daily")
    if "used" in command:
        state.usage.clear()
        state.usage.add(state.world.clock.now(), _whole(command, "used"))
    return {"daily": state.usage.daily, "used": state.usage.total}


def _expire_locators(state: State, _command: Command) -> dict[str, Any]:
    ended = len(state.locators.open)
    state.locators.open.clear()
    for job in state.jobs.by_id.values():
        if isinstance(job, QueryJob):
            ended += len(job.locators)
            job.locators.clear()
    return {"ended": ended}


def _bulk_jobs(state: State, command: Command) -> dict[str, Any]:
    pace = state.jobs.pace
    if "seconds" in command:
        seconds = command["seconds"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | Decimal | None) or (seconds or 0) < 0:
            raise ValueError(f"`seconds` is a number from 0, or null, not {seconds!r}")
        pace.seconds = None if seconds is None else float(seconds)
    if "polls" in command:
        pace.polls = _whole(command, "polls")
    if "page_rows" in command:
        pace.page_rows = _whole(command, "page_rows") or 1
    if "hard_delete" in command:
        pace.hard_delete = command["hard_delete"] is True
    if "refuses" in command:
        pace.refuses = tuple(state.org.object(str(name)).name for name in command["refuses"])
    return asdict(pace)


def _purge_log(state: State, command: Command) -> dict[str, Any]:
    names = (
        [need_object(state, command).name] if "object" in command else [item.name for item in state.org.full]
    )
    now = wire.stored_time(state.world.clock.now())
    state.log_begins.update(dict.fromkeys(names, now))
    return {}


def _capture(state: State, command: Command) -> dict[str, Any]:
    wanted = need(command, "objects")
    if not isinstance(wanted, list) or len(wanted) > limits.CAPTURED_OBJECTS_MAX:
        raise ValueError(
            f"`objects` is a list of at most {limits.CAPTURED_OBJECTS_MAX} objects, not {wanted!r}"
        )
    state.capture(tuple(state.org.object(str(name)).name for name in wanted))
    return {"objects": list(state.events.settings.entities)}


def _change_event(state: State, command: Command) -> dict[str, Any]:
    item, kind = need_object(state, command), str(need(command, "type"))
    if kind not in CHANGE_TYPES or not kind.startswith("GAP_"):
        raise ValueError(
            f"`type` is one of {', '.join(t for t in CHANGE_TYPES if t.startswith('GAP_'))}, not {kind!r}"
        )
    ids = [capture.NO_RECORD] if kind == "GAP_OVERFLOW" else [str(one) for one in need(command, "ids")]
    capture.publish(state, [(kind, item.name, ids, {})])
    return {}


def _purge_events(state: State, _command: Command) -> dict[str, Any]:
    state.events.forget()
    return {}


def _event_limits(state: State, command: Command) -> dict[str, Any]:
    settings = state.events.settings
    if "daily" in command:
        settings.deliveries.daily = _whole(command, "daily")
    if "used" in command:
        settings.deliveries.clear()
        settings.deliveries.add(state.world.clock.now(), _whole(command, "used"))
    if "keepalive_seconds" in command:
        settings.keepalive_seconds = min(_whole(command, "keepalive_seconds"), limits.KEEPALIVE_SECONDS)
    return {"daily": settings.deliveries.daily, "used": settings.deliveries.total}


def _bulk_load(state: State, command: Command) -> dict[str, Any]:
    need(command, "count")
    apart = _whole(command, "apart_seconds") if "apart_seconds" in command else 0
    item, fields = need_object(state, command), command.get("fields")
    if not isinstance(fields, dict | None):
        raise ValueError(f"`fields` is an object of field names and values, not {fields!r}")  # noqa: TRY004  the one kind an edit raises
    return bulk.load(state, item, _whole(command, "count"), fields, apart)


_ACTIONS: dict[str, Action] = {
    "hide_field": lambda state, command: _show_or_hide_field(state, command, hide=True),
    "show_field": lambda state, command: _show_or_hide_field(state, command, hide=False),
    "hide_object": lambda state, command: _show_or_hide_object(state, command, hide=True),
    "show_object": lambda state, command: _show_or_hide_object(state, command, hide=False),
    "add_field": _add_field,
    "remove_field": _remove_field,
    "feature": _feature,
    "rotation": _rotation,
    "app": _app,
    "session": _session,
    "limits": _limits,
    "expire_locators": _expire_locators,
    "purge_deletion_log": _purge_log,
    "bulk_load": _bulk_load,
    "bulk_jobs": _bulk_jobs,
    "change_data_capture": _capture,
    "change_event": _change_event,
    "purge_events": _purge_events,
    "event_limits": _event_limits,
}
_TRANSACTION_ACTIONS: dict[str, Callable[[State, str], dict[str, Any]]] = {
    "open_transaction": transactions.begin,
    "commit_transaction": transactions.commit,
    "rollback_transaction": transactions.rollback,
}
_OPEN_ENDED = frozenset({"add_field"})
"""Its further keys are a field's, checked there."""
_KEYS: dict[str, frozenset[str]] = {
    "insert": frozenset({"object", "fields"}),
    "update": frozenset({"object", "id", "fields"}),
    "delete": frozenset({"object", "id"}),
    "undelete": frozenset({"object", "id"}),
    "hard_delete": frozenset({"object", "id"}),
    "empty_bin": frozenset(),
    "merge": frozenset({"object", "master", "losers"}),
    "convert_lead": frozenset({"id", "account", "contact", "opportunity", "opportunity_name"}),
    "touch": frozenset({"object", "ids"}),
    "bulk_load": frozenset({"object", "count", "fields", "apart_seconds"}),
    "bulk_jobs": frozenset({"seconds", "polls", "page_rows", "hard_delete", "refuses"}),
    "hide_field": frozenset({"object", "field"}),
    "show_field": frozenset({"object", "field"}),
    "hide_object": frozenset({"object"}),
    "show_object": frozenset({"object"}),
    "remove_field": frozenset({"object", "field"}),
    "feature": frozenset({"feature", "on"}),
    "rotation": frozenset({"on"}),
    "app": frozenset({"callbacks", "require_pkce", "require_secret"}),
    "session": frozenset({"seconds"}),
    "limits": frozenset({"daily", "used", "app_daily"}),
    "expire_locators": frozenset(),
    "purge_deletion_log": frozenset({"object"}),
    "change_data_capture": frozenset({"objects"}),
    "change_event": frozenset({"object", "type", "ids"}),
    "purge_events": frozenset(),
    "event_limits": frozenset({"daily", "used", "keepalive_seconds"}),
    "open_transaction": frozenset(),
    "commit_transaction": frozenset(),
    "rollback_transaction": frozenset(),
}
