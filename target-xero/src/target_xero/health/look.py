"""The checks, in the order in which they build on each other: settings, access, organisation, ledger, codes, limits, clock."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from crm_to_xero.errors import CrmToXeroError
from crm_to_xero.explain import Explanation
from sqlalchemy.exc import SQLAlchemyError

from target_xero import limits, switched_on
from target_xero.access import Access
from target_xero.errors import LedgerMissingError, TargetXeroError
from target_xero.exchange import Answer, Call, Purpose
from target_xero.health.codes import look_at_codes
from target_xero.health.finding import Finding, fail, ok, warn
from target_xero.ledger import State
from target_xero.ledger.inspection import Inspection
from target_xero.plan.organisation import RESOURCES
from target_xero.plan.wire import text_of
from target_xero.reconcile.books import ask
from target_xero.settings import Settings
from target_xero.terminal import typed
from target_xero.xero import scopes
from target_xero.xero.pacing import whole_number

_KINDS = "contacts, items, quotes, invoices, credit notes, payments"


def look(
    settings: Settings,
    open_access: Callable[[], AbstractContextManager[Access]],
    open_ledger: Callable[[], AbstractContextManager[Inspection]],
    wall: Callable[[], datetime],
    *,
    several: bool = False,
) -> Iterator[Finding]:
    """Looks at everything one organisation's runs need; what builds on a failed line is left out.

    Args:
        settings: of this organisation.
        open_access: gets into Xero; raises TargetXeroError when there is no way.
        open_ledger: opens the ledger for reading.
        wall: this machine's clock, in UTC.
        several: the ledger is for several organisations, of which this is one.
    """
    try:
        mapping = switched_on.explanation(settings)
        needed = scopes.needed(switched_on.documents(settings))
    except CrmToXeroError as failure:
        yield fail("mapping", str(failure), "Correct the mapping or its options: crm-to-xero-check.")
        return
    if mapping is None:
        yield ok("mapping", f"none; documents come as they are: {_KINDS}")
    else:
        written = ", ".join(name.replace("_", " ") for name in mapping.documents)
        yield ok("mapping", f"{mapping.file}; it can give {written}")
    try:
        with open_access() as access:
            yield from _look_inside(settings, access, mapping, needed, open_ledger, wall, several=several)
    except TargetXeroError as failure:
        yield fail("access", str(failure), _ACCESS)


_ACCESS = "See docs/access-to-xero.md; `target-xero login` for a web or PKCE app."


def _look_inside(
    settings: Settings,
    access: Access,
    mapping: Explanation | None,
    needed: tuple[str, ...],
    open_ledger: Callable[[], AbstractContextManager[Inspection]],
    wall: Callable[[], datetime],
    *,
    several: bool = False,
) -> Iterator[Finding]:
    offset = (access.clock.now() - wall()).total_seconds()
    how = (
        "custom connection (client credentials)"
        if access.is_custom_connection
        else "refresh token from the token store"
    )
    yield ok("access", f"{how}; a token was given")
    yield from _scopes(access, needed)
    answer = ask(access, Call(Purpose.CONNECT, "GET", "/Organisation"))
    yield from _organisation(access, answer)
    yield from _ledger(settings, access, open_ledger, several=several)
    if mapping is not None:
        yield from _codes(access, mapping)
    yield _limits(settings, access, answer)
    yield _clock(offset)


def _scopes(access: Access, needed: tuple[str, ...]) -> Iterator[Finding]:
    granted = access.scopes
    if not granted:
        yield warn(
            "scopes",
            f"Xero does not say which were granted; needed are {' '.join(needed)}",
            "Look at the app's scopes.",
        )
        return
    missing, extra = scopes.missing(needed, granted), scopes.unneeded(needed, granted)
    switch = "Switch them on for the app, authorise it again" + (
        " and list them in the setting scopes." if access.is_custom_connection else f": {typed('login')}."
    )
    if missing:
        yield fail("scopes", f"missing: {' '.join(missing)}", switch)
    if extra:
        yield warn(
            "scopes",
            f"more than needed: {' '.join(extra)}",
            f"The least for what is switched on: {' '.join(needed)}.",
        )
    if not missing and not extra:
        yield ok("scopes", " ".join(needed))


def _organisation(access: Access, answer: Answer) -> Iterator[Finding]:
    organisation = access.organisation
    found: dict[str, Any] = next(iter((answer.body or {}).get("Organisations") or ()), {})
    country = text_of(found, "CountryCode")
    facts = [
        organisation.name,
        f"id {organisation.id}",
        f"base currency {organisation.base_currency}",
        country,
    ]
    told = ", ".join(fact for fact in facts if fact)
    if organisation.is_demo:
        yield warn("organisation", f"{told}, Demo Company", "Xero resets it about every month, with new ids.")
    else:
        yield ok("organisation", told)
    lock = organisation.lock
    yield ok(
        "lock date", f"{lock.until.isoformat()}, {lock.whose}" if lock else "none: every date can be booked"
    )


def _ledger(
    settings: Settings,
    access: Access,
    open_ledger: Callable[[], AbstractContextManager[Inspection]],
    *,
    several: bool,
) -> Iterator[Finding]:
    organisation = access.organisation
    try:
        with open_ledger() as inspection:
            pinned = inspection.tenants()
            mine = next((tenant for tenant in pinned if tenant.id == organisation.id), None)
            warning = inspection.ledger.warning
            open_ = inspection.kept(mine) if mine else []
            states = Counter(kept.state for kept in open_ if not kept.dismissed_by)
    except LedgerMissingError as missing:
        yield _no_ledger(settings, missing)
        return
    except (TargetXeroError, SQLAlchemyError) as failure:
        reason = getattr(failure, "orig", None) or failure
        yield fail("ledger", str(reason), "A run sends nothing without its ledger.")
        return
    if mine is None and pinned and not several:
        others = ", ".join(f"{tenant.name} ({tenant.id})" for tenant in pinned)
        yield fail(
            "ledger",
            f"belongs to {others}",
            "Use that organisation's access, or a ledger of its own (ledger_path).",
        )
        return
    waits = states[State.REJECTED], states[State.PARKED]
    told = ", ".join(
        f"{count} {word}" for count, word in zip(waits, ("refused", "parked"), strict=True) if count
    )
    if warning:
        yield warn("ledger", warning, typed("ledger status"))
    if told:
        yield warn("ledger", f"readable, of this organisation; {told}", typed("rejects"))
    elif not warning:
        yield ok("ledger", "readable, of this organisation" if mine else "readable, pinned to none yet")


_RECOGNISED = (
    "by number and marker it finds what is in Xero already, before it creates anything, and doubles nothing"
)


def _no_ledger(settings: Settings, missing: LedgerMissingError) -> Finding:
    """A ledger that is missing is not an empty one: what a run would do without it is told."""
    folder = next(parent for parent in settings.ledger_path.absolute().parents if parent.exists())
    if settings.ledger_url is None and not (folder.is_dir() and os.access(folder, os.W_OK)):
        cure = f"{folder} is no folder that this user may write to. Check ledger_path."
        return fail("ledger", f"cannot be made at {settings.ledger_path}", cure)
    if missing.was_there:
        return warn(
            "ledger",
            f"missing: there was one at {missing.place}",
            f"Put it back, or restore its newest backup. Without it the next run begins a new one: {_RECOGNISED}. Then read the source "
            "anew from its beginning once (under Meltano: meltano run --full-refresh …).",
        )
    return ok(
        "ledger",
        f"none yet; expected at {missing.place}. The next run makes it and pins the organisation. If there has been one, it was moved "
        f"or deleted: put it back. Without it the run begins anew: {_RECOGNISED}",
    )


def _codes(access: Access, mapping: Explanation) -> Iterator[Finding]:
    organisation = access.organisation
    for resource, path in RESOURCES.items():
        answer = ask(access, Call(Purpose.CONNECT, "GET", path))
        if not organisation.load(resource, answer.body):
            yield fail(
                path[1:], f"cannot be read (HTTP {answer.status})", "Documents cannot be checked without it."
            )
            return
    yield from look_at_codes(mapping, organisation)


def _limits(settings: Settings, access: Access, answer: Answer) -> Finding:
    day = access.client.pacer.day_left
    minute = whole_number(answer.headers, "x-minlimit-remaining")
    told = f"{'?' if day is None else f'{day:,}'} calls left today, {'?' if minute is None else minute} this minute"
    if day is not None and day <= settings.day_limit_reserve:
        return warn(
            "limits",
            told,
            f"Runs leave {settings.day_limit_reserve} (day_limit_reserve): the next one goes tomorrow.",
        )
    return ok("limits", told)


def _clock(offset: float) -> Finding:
    told = (
        f"{abs(offset):.0f} s {'behind' if offset > 0 else 'before'} Xero's" if round(offset) else "as Xero's"
    )
    if abs(offset) > limits.CLOCK_WARN_S:
        return warn("clock", told, "Set this machine's clock (NTP). Runs go by Xero's clock all the same.")
    return ok("clock", told)
