"""What the organisation would refuse: checked before the first send, with the reference data that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from target_xero.plan import coding, tax
from target_xero.plan.locks import check_dates
from target_xero.plan.organisation import Organisation
from target_xero.refusal import Refusal


def resources_needed(stream: str, document: Mapping[str, Any], organisation: Organisation) -> set[str]:
    """Which reference data must be read before `check_in_organisation` can tell."""
    needed = set()
    if coding.accounts_of(stream, document) or coding.rounds(document):
        needed.add("accounts")
    if _currency(document) not in (None, organisation.base_currency):
        needed.add("currencies")
    if any(True for _ in coding.tracking_of(document)):
        needed.add("tracking")
    if document.get("BrandingTheme"):
        needed.add("branding")
    tax_types = coding.tax_types_of(document)
    if tax_types:
        needed.add("accounts")  # an account's own tax type exists and fits; only others take a second call
        if organisation.accounts is not None and not all(
            coding.of_own_account(tax_type, code, organisation) for _, tax_type, code in tax_types
        ):
            needed.add("tax_types")
    if tax.is_expected(document):
        needed |= {"accounts", "tax_types"}
    return {resource for resource in needed if not organisation.loaded(resource)}


def check_in_organisation(
    stream: str, document: Mapping[str, Any], organisation: Organisation, today: date | None = None
) -> list[Refusal]:
    """Every rule the document breaks in this organisation; its resources are loaded.

    `today` is the earliest day that Xero may give a new document that names none.
    """
    found = list(check_dates(stream, document, organisation, today))
    found += _currencies(document, organisation)
    found += coding.check_accounts(stream, document, organisation)
    found += coding.check_rounding(document, organisation)
    found += coding.check_taxes(document, organisation)
    found += coding.check_tracking(document, organisation)
    theme = document.get("BrandingTheme")
    if theme and organisation.theme_id(theme) is None:
        found.append(
            coding.unknown("branding_theme_unknown", "BrandingTheme", theme, organisation.branding or ())
        )
    return found


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
