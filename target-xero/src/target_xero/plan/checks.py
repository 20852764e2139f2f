"""What the organisation would refuse: checked before the first send, with the reference data that it takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from target_xero.plan.organisation import Organisation
from target_xero.refusal import Refusal


def resources_needed(stream: str, document: Mapping[str, Any], organisation: Organisation) -> set[str]:
    """Which reference data must be read before `check_in_organisation` can tell."""
    needed = set()
    if _accounts_of(stream, document):
        needed.add("accounts")
    if _currency(document) not in (None, organisation.base_currency):
        needed.add("currencies")
    if any(True for _ in _tracking_of(document)):
        needed.add("tracking")
    if document.get("BrandingTheme"):
        needed.add("branding")
    tax_types = {tax_type for _, tax_type in _tax_types_of(document)}
    if tax_types:
        needed.add("accounts")  # an account's own tax type exists; only others take a second call
        known = {account.tax_type for account in (organisation.accounts or {}).values()}
        if organisation.accounts is not None and not tax_types <= known:
            needed.add("tax_types")
    return {resource for resource in needed if not organisation.loaded(resource)}


def check_in_organisation(
    stream: str, document: Mapping[str, Any], organisation: Organisation
) -> list[Refusal]:
    """Every rule the document breaks in this organisation; its resources are loaded."""
    found = list(_lock_dates(document, organisation))
    found += _currencies(document, organisation)
    found += _accounts(stream, document, organisation)
    found += _taxes(document, organisation)
    found += _tracking(document, organisation)
    theme = document.get("BrandingTheme")
    if theme and theme.casefold() not in (organisation.branding or {}):
        found.append(_unknown("branding_theme_unknown", "BrandingTheme", theme, organisation.branding or ()))
    return found


def _lock_dates(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    lock = organisation.lock_date
    if lock is None:
        return
    dates = [("Date", document.get("Date"))]
    dates += [
        (f"allocations[{n}].Date", a.get("Date")) for n, a in enumerate(document.get("allocations") or ())
    ]
    for field, value in dates:
        if value and date.fromisoformat(value) <= lock:
            yield Refusal(
                "period_locked", field, value,
                f"The books of {organisation.name} are closed up to {lock.isoformat()}. Date it later, or let finance "
                "reopen the period.",
            )  # fmt: skip


def _currency(document: Mapping[str, Any]) -> str | None:
    value: str | None = document.get("CurrencyCode") or document.get("DefaultCurrency")
    return value


def _currencies(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    currency = _currency(document)
    if currency in (None, organisation.base_currency):
        return
    enabled = organisation.currencies or frozenset()
    if currency not in enabled:
        field = "CurrencyCode" if "CurrencyCode" in document else "DefaultCurrency"
        yield Refusal(
            "currency_not_enabled", field, currency or "",
            f"{organisation.name} has {', '.join(sorted(enabled | {organisation.base_currency}))}. Add the currency in "
            "Xero, or change it in the source.",
        )  # fmt: skip


def _accounts_of(stream: str, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if stream == "payments":
        found.append(("AccountCode", document.get("AccountCode")))
    found.append(("SalesDetails.AccountCode", (document.get("SalesDetails") or {}).get("AccountCode")))
    found += [
        (f"LineItems[{n}].AccountCode", line.get("AccountCode"))
        for n, line in enumerate(document.get("LineItems") or ())
    ]
    return [(field, code) for field, code in found if code]


def _accounts(stream: str, document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    accounts = organisation.accounts or {}
    for field, code in _accounts_of(stream, document):
        account = accounts.get(code)
        if account is None:
            names = {a.code: f"{a.code} {a.name}" for a in accounts.values() if a.status == "ACTIVE"}
            near = difflib.get_close_matches(code, names, 3, 0.5)
            yield _nearest("account_unknown", field, code, [names[c] for c in near])
        elif account.status != "ACTIVE":
            yield Refusal(
                "account_archived",
                field,
                code,
                f"{account.name} is {account.status.lower()} in Xero; name another account.",
            )
        elif stream == "payments" and account.type != "BANK" and not account.payments_enabled:
            yield Refusal(
                "account_takes_no_payments", field, code,
                f"{account.name} is neither a bank account nor has payments enabled in Xero.",
            )  # fmt: skip
        elif stream != "payments" and (account.type == "BANK" or account.system in ("DEBTORS", "CREDITORS")):
            yield Refusal(
                "account_wrong_class", field, code,
                f"{account.name} is a {account.type} account; a sale is booked to a revenue account.",
            )  # fmt: skip


def _tax_types_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [("SalesDetails.TaxType", (document.get("SalesDetails") or {}).get("TaxType"))]
    found += [
        (f"LineItems[{n}].TaxType", line.get("TaxType"))
        for n, line in enumerate(document.get("LineItems") or ())
    ]
    return [(field, tax_type) for field, tax_type in found if tax_type]


def _taxes(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    known = {account.tax_type for account in (organisation.accounts or {}).values()}
    known |= set(organisation.tax_types or ())
    for field, tax_type in _tax_types_of(document):
        if tax_type not in known:
            yield _unknown("tax_type_unknown", field, tax_type, known)


def _tracking_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for n, line in enumerate(document.get("LineItems") or ()):
        for option in line.get("Tracking") or ():
            yield f"LineItems[{n}].Tracking", option.get("Name", ""), option.get("Option", "")


def _tracking(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    categories = organisation.tracking or {}
    for field, name, option in _tracking_of(document):
        if name not in categories:
            yield _unknown("tracking_category_unknown", field, name, categories)
        elif option not in categories[name]:
            yield _unknown(
                "tracking_option_unknown", field, f"{name}: {option}", categories[name], wanted=option
            )


def _unknown(rule: str, field: str, value: str, known: Iterable[str], *, wanted: str = "") -> Refusal:
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches((wanted or value).casefold(), names, 3, 0.4)
    return _nearest(rule, field, value, [names[name] for name in near])


def _nearest(rule: str, field: str, value: str, near: list[str]) -> Refusal:
    hint = f" Nearest: {', '.join(near)}." if near else ""
    return Refusal(
        rule,
        field,
        value,
        f"The organisation has no such one (names are exact).{hint} Correct it or add it in Xero.",
    )
