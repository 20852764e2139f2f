"""What people do in Xero's own screens, and what befalls an organisation: `edit({"action": …})`.

Acts on records belong to their resources (`Resource.edits`); here are those on the organisation and its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.xero import chart, errors, reading, scopes, settings, wire
from ikaroa_sandbox.xero.resource import Context
from ikaroa_sandbox.xero.tenant import Tenant

if TYPE_CHECKING:
    from ikaroa_sandbox.xero.backend import XeroBackend

Command = dict[str, Any]


def carry_out(backend: XeroBackend, command: Command) -> dict[str, Any]:
    """Does what `command["action"]` says, in the organisation `tenant_id` names or the first one.

    Raises:
        ValueError: it cannot be done, and why; nothing is changed then.
    """
    tenant = _tenant(backend, command)
    act = _act(backend, tenant, str(command.get("action")))
    details = {name: value for name, value in command.items() if name not in {"action", "tenant_id"}}
    store = tenant.store
    store.begin()
    start = store.mark()
    try:
        return act(details)
    except (errors.ElementInvalid, errors.WireError, ValueError) as refusal:
        store.rollback(start)
        raise ValueError(f"{command['action']}: {refusal}") from None


def _act(backend: XeroBackend, tenant: Tenant, action: str) -> Callable[[Command], dict[str, Any]]:
    """What does the action, the organisation's own acts before those of its resources."""
    if action in _ACTIONS:
        return lambda details: _ACTIONS[action](backend, tenant, details)
    on_records = {
        name: act for resource in tenant.api.resources.values() for name, act in resource.edits.items()
    }
    if action not in on_records:
        known = ", ".join(sorted({*_ACTIONS, *on_records}))
        raise ValueError(f"Xero knows no action {action!r}; there are: {known}")
    return lambda details: on_records[action](Context(tenant.store, app=""), details)


def _tenant(backend: XeroBackend, command: Command) -> Tenant:
    named = command.get("tenant_id")
    if named is None:
        return backend.tenant
    tenant = backend.tenants.get(str(named).lower())
    if tenant is None:
        raise ValueError(f"there is no organisation {named!r}; there are: {', '.join(backend.tenants)}")
    return tenant


def _set_lock_dates(_backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """`period` and `end_of_year`: `YYYY-MM-DD`, or null to lift; what is not named stays."""
    names = {"period": "PeriodLockDate", "end_of_year": "EndOfYearLockDate"}
    changed: dict[str, date | None] = {}
    for name, value in _only(details, names).items():
        changed[names[name]] = reading.read_day(value)
    tenant.store.organisation = {
        **tenant.store.organisation,
        **changed,
        "UpdatedDateUTC": tenant.store.stamp(),
    }
    return {name: str(day) if day else None for name, day in changed.items()}


def _set_organisation(_backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """`name`, `demo`, `base_currency`, `payment_terms`."""
    names = {
        "name": "Name",
        "demo": "IsDemoCompany",
        "base_currency": "BaseCurrency",
        "payment_terms": "PaymentTerms",
    }
    changed = {names[name]: value for name, value in _only(details, names).items()}
    tenant.store.organisation = {
        **tenant.store.organisation,
        **changed,
        "UpdatedDateUTC": tenant.store.stamp(),
    }
    return changed


def _enable_currency(_backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """`code`."""
    code = str(_only(details, {"code"}).get("code", "")).upper()
    if code not in chart.CURRENCY_NAMES:
        raise ValueError(
            f"{code!r} is no currency the sandbox knows; it knows {', '.join(chart.CURRENCY_NAMES)}"
        )
    if tenant.store.table("Currencies").get(code) is None:
        settings.add_currency(tenant.store, code)
    return {"Code": code}


def _set_account_status(_backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """`code`, `status` (ACTIVE or ARCHIVED)."""
    sent = _only(details, {"code", "status"})
    table = tenant.store.table("Accounts")
    found = table.by("code", str(sent.get("code", "")).lower())
    if not found or sent.get("status") not in {"ACTIVE", "ARCHIVED"}:
        raise ValueError(
            "set_account_status: give the `code` of an account and a `status` of ACTIVE or ARCHIVED"
        )
    row = table.put({**found[0], "Status": sent["status"]})
    return {"AccountID": row["AccountID"], "Status": row["Status"]}


def _disconnect(_backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """The organisation takes the app's access away: 403 from here on."""
    _only(details, ())
    tenant.connected = False
    return {"connected": False}


def _connect(backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """The organisation agrees again."""
    _only(details, ())
    tenant.connect(tenant.auth_event_id, backend.world.clock.now())
    return {"connected": True}


def _set_limits(backend: XeroBackend, tenant: Tenant, details: Command) -> dict[str, Any]:
    """`minute`, `day`, `concurrent`, `app_minute`, `high_volume`: whole numbers from 0."""
    sent = _only(details, {"minute", "day", "concurrent", "app_minute", "high_volume"})
    for name, value in sent.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} is a whole number from 0, not {value!r}")
    throttle = tenant.throttle
    throttle.minute.calls = sent.get("minute", throttle.minute.calls)
    throttle.day.calls = sent.get("day", throttle.day.calls)
    throttle.concurrent = sent.get("concurrent", throttle.concurrent)
    throttle.high_volume = sent.get("high_volume", throttle.high_volume)
    backend.gateway.gate.app.calls = sent.get("app_minute", backend.gateway.gate.app.calls)
    return dict(sent)


def _set_app(backend: XeroBackend, _tenant: Tenant, details: Command) -> dict[str, Any]:
    """`scopes`: which ones the app may ask for: `mixed`, `granular` or `broad`."""
    kind = _only(details, {"scopes"}).get("scopes")
    if kind not in scopes.KINDS:
        raise ValueError(f"`scopes` is one of {', '.join(scopes.KINDS)}, not {kind!r}")
    backend.identity.scope_kind = kind
    return {"scopes": kind}


def _revoke_refresh_tokens(backend: XeroBackend, _tenant: Tenant, details: Command) -> dict[str, Any]:
    """Every refresh token given out is worthless: the next refresh answers invalid_grant."""
    _only(details, ())
    count = len(backend.identity.tokens.refresh)
    backend.identity.tokens.refresh = {}
    return {"revoked": count}


def _expire_tokens(backend: XeroBackend, _tenant: Tenant, details: Command) -> dict[str, Any]:
    """Every access token given out is worthless."""
    _only(details, ())
    backend.expire_tokens()
    return {"expired": len(backend.identity.tokens.access)}


def _add_organisation(backend: XeroBackend, _tenant: Tenant, details: Command) -> dict[str, Any]:
    """`name`, and `id` where it is to be a given GUID: one more organisation, connected, with settings and no records."""
    sent = _only(details, {"name", "id"})
    tenant_id = wire.guid(sent.get("id")) or backend.tenant.store.guid()
    if not sent.get("name") or tenant_id in backend.tenants:
        raise ValueError("give a `name`, and an `id` that is not in use or none")
    backend.add_organisation(tenant_id, str(sent["name"]))
    return {"tenant_id": tenant_id}


def _only(details: Command, known: Any) -> Command:
    strange = sorted(set(details) - set(known))
    if strange:
        raise ValueError(f"unknown: {', '.join(strange)}; known here: {', '.join(known) or 'nothing'}")
    return details


_ACTIONS: dict[str, Callable[[XeroBackend, Tenant, Command], dict[str, Any]]] = {
    "set_lock_dates": _set_lock_dates,
    "set_organisation": _set_organisation,
    "enable_currency": _enable_currency,
    "set_account_status": _set_account_status,
    "disconnect_tenant": _disconnect,
    "connect_tenant": _connect,
    "set_limits": _set_limits,
    "set_app": _set_app,
    "revoke_refresh_tokens": _revoke_refresh_tokens,
    "expire_tokens": _expire_tokens,
    "add_organisation": _add_organisation,
}
