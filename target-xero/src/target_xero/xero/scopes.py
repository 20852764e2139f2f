"""The least scopes that let a run do its work (Xero developer docs, scopes and granular scopes since March 2026)."""

from __future__ import annotations

from collections.abc import Iterable

OFFLINE = "offline_access"
_SETTINGS = "accounting.settings"
_OF = {
    "contacts": "accounting.contacts",
    "items": _SETTINGS,
    "quotes": "accounting.invoices",
    "invoices": "accounting.invoices",
    "credit_notes": "accounting.invoices",
    "allocations": "accounting.invoices",
    "payments": "accounting.payments",
}
_PATHS = {
    "Contacts": "accounting.contacts",
    "Items": _SETTINGS,
    "Quotes": "accounting.invoices",
    "Invoices": "accounting.invoices",
    "CreditNotes": "accounting.invoices",
    "Payments": "accounting.payments",
    "Organisation": _SETTINGS,
    "Accounts": _SETTINGS,
    "TaxRates": _SETTINGS,
    "Currencies": _SETTINGS,
    "TrackingCategories": _SETTINGS,
    "BrandingThemes": _SETTINGS,
}
"""By the first part of a call's path; History and Allocations go with their document."""
_BROAD = {
    "accounting.invoices": "accounting.transactions",
    "accounting.payments": "accounting.transactions",
}
"""What older apps have in the place of a granular scope."""


def needed(documents: Iterable[str]) -> tuple[str, ...]:
    """The scopes for writing these kinds of document, and for reading what they are checked against.

    Accounts, tax rates, currencies, tracking and the organisation itself are read with `accounting.settings.read`; writing
    items takes `accounting.settings`.
    """
    found = {_OF[document] for document in documents}
    if _SETTINGS not in found:
        found.add(f"{_SETTINGS}.read")
    return tuple(sorted(found))


def of_call(method: str, path: str) -> tuple[str, ...]:
    """The scope that a call to the Accounting API takes; empty: it is none that we make with a scope."""
    scope = _PATHS.get(path.lstrip("/").split("/", 1)[0])
    if scope is None:
        return ()
    return (f"{scope}.read" if method == "GET" else scope,)


def missing(needed: Iterable[str], granted: Iterable[str]) -> list[str]:
    """Those of the needed scopes that nothing granted covers: a broad scope covers its granular ones, writing covers reading."""
    has = set(granted)
    return [scope for scope in needed if not has.intersection(_covering(scope))]


def unneeded(needed: Iterable[str], granted: Iterable[str]) -> list[str]:
    """Those of the granted scopes that have nothing to do with any needed one."""
    used = {scope for one in needed for scope in _covering(f"{one.removesuffix('.read')}.read")} | {OFFLINE}
    return [scope for scope in granted if scope not in used]


def _covering(scope: str) -> set[str]:
    base = scope.removesuffix(".read")
    broad = _BROAD.get(base, base)
    writing = {base, broad}
    return writing if base == scope else writing | {f"{base}.read", f"{broad}.read"}
