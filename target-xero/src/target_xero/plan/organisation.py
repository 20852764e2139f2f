"""What the Xero organisation allows: read once a run, and only what some document needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from target_xero.ledger.model import Tenant
from target_xero.plan.wire import parse_date, parse_decimal, text_of, texts_of

RESOURCES = {
    "accounts": "/Accounts",
    "tax_types": "/TaxRates",
    "currencies": "/Currencies",
    "tracking": "/TrackingCategories",
    "branding": "/BrandingThemes",
}
"""Reference data by our name, with the path that gives it."""


class Account(NamedTuple):
    """One account of the chart."""

    code: str
    name: str
    type: str
    account_class: str
    status: str
    tax_type: str
    currency: str
    payments_enabled: bool
    system: str


@dataclass(frozen=True)
class TaxRate:
    """One tax rate that is in use."""

    tax_type: str
    name: str
    percent: Decimal | None
    """The effective rate; None: Xero did not tell."""
    not_for: frozenset[str] = frozenset()
    """Classes of accounts it cannot be used with, e.g. `EXPENSE`."""


class Lock(NamedTuple):
    """Nothing may be dated on or before `until`."""

    until: date
    whose: str
    """Whose date that is, for sentences."""


@dataclass
class Organisation:
    """Facts of GET /Organisation, and the reference data once it is loaded (None: not read yet)."""

    id: str
    name: str
    base_currency: str
    is_demo: bool = False
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None
    books_closed_until: date | None = None
    """Our own soft close (setting), earlier or later than Xero's lock dates."""
    accounts: dict[str, Account] | None = None
    tax_types: dict[str, TaxRate] | None = None
    """Active tax rates by tax type."""
    currencies: frozenset[str] | None = None
    tracking: dict[str, frozenset[str]] | None = None
    """Active options by active category."""
    branding: dict[str, str] | None = None
    """Theme ids by name."""

    @classmethod
    def from_xero(cls, body: Any) -> Organisation:
        """From the answer to GET /Organisation.

        Raises:
            ValueError: the answer names no organisation.
        """
        elements = body.get("Organisations") if isinstance(body, dict) else None
        if not elements or not text_of(elements[0], "OrganisationID"):
            raise ValueError("Xero's answer to GET /Organisation names no organisation.")
        found = elements[0]
        return cls(
            id=text_of(found, "OrganisationID"),
            name=text_of(found, "Name"),
            base_currency=text_of(found, "BaseCurrency"),
            is_demo=found.get("IsDemoCompany") is True,
            period_lock_date=parse_date(found.get("PeriodLockDate")),
            end_of_year_lock_date=parse_date(found.get("EndOfYearLockDate")),
        )

    @property
    def tenant(self) -> Tenant:
        """What the ledger pins."""
        return Tenant(self.id, self.name, self.base_currency, self.is_demo)

    @property
    def lock(self) -> Lock | None:
        """The latest of all lock dates, Xero's and ours. Kept by us even where the user behind the token may pass Xero's."""
        locks = [
            Lock(day, whose)
            for day, whose in (
                (self.period_lock_date, "Xero's period lock date"),
                (self.end_of_year_lock_date, "Xero's end of year lock date"),
                (self.books_closed_until, "the setting books_closed_until"),
            )
            if day
        ]
        return max(locks, key=lambda lock: lock.until) if locks else None

    @property
    def rounding_account(self) -> Account | None:
        """The account Xero itself rounds on, where it is in use; the accounts are loaded."""
        found = (a for a in (self.accounts or {}).values() if a.system == "ROUNDING" and a.status == "ACTIVE")
        return next(found, None)

    def theme_id(self, name: str) -> str | None:
        """The branding theme of this name, however it is spelt in capitals; the themes are loaded."""
        themes = self.branding or {}
        return next((id_ for known, id_ in themes.items() if known.casefold() == name.casefold()), None)

    def loaded(self, resource: str) -> bool:
        """Whether this reference data has been read in this run."""
        return getattr(self, resource) is not None

    def load(self, resource: str, body: Any) -> bool:
        """Takes in the answer to the resource's GET; False when it is not what it should be."""
        container = RESOURCES[resource][1:]
        elements = body.get(container) if isinstance(body, dict) else None
        if not isinstance(elements, list):
            return False
        setattr(self, resource, _READERS[resource]([e for e in elements if isinstance(e, dict)]))
        return True


_ACCOUNT = ("Code", "Name", "Type", "Class", "Status", "TaxType", "CurrencyCode", "SystemAccount")
"""What Xero calls the texts of an `Account`."""


def _accounts(elements: list[dict[str, Any]]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for e in elements:
        code, name, type_, class_, status, tax_type, currency, system = texts_of(e, _ACCOUNT)
        if code:
            takes_payments = e.get("EnablePaymentsToAccount") is True
            found[code] = Account(
                code, name, type_, class_, status, tax_type, currency, takes_payments, system
            )
    return found


_CLASSES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


def _tax_types(elements: list[dict[str, Any]]) -> dict[str, TaxRate]:
    return {
        text_of(e, "TaxType"): TaxRate(
            tax_type=text_of(e, "TaxType"),
            name=text_of(e, "Name"),
            percent=parse_decimal(e.get("EffectiveRate")),
            not_for=frozenset(name for name, flag in _CLASSES.items() if e.get(flag) is False),
        )
        for e in elements
        if text_of(e, "Status") in ("ACTIVE", "") and text_of(e, "TaxType")
    }


def _currencies(elements: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(text_of(e, "Code") for e in elements)


def _tracking(elements: list[dict[str, Any]]) -> dict[str, frozenset[str]]:
    return {
        text_of(e, "Name"): frozenset(
            text_of(option, "Name")
            for option in e.get("Options") or ()
            if text_of(option, "Status") in ("ACTIVE", "")
        )
        for e in elements
        if text_of(e, "Status") in ("ACTIVE", "")
    }


def _branding(elements: list[dict[str, Any]]) -> dict[str, str]:
    return {text_of(e, "Name"): text_of(e, "BrandingThemeID") for e in elements}


_READERS: dict[str, Any] = {
    "accounts": _accounts,
    "tax_types": _tax_types,
    "currencies": _currencies,
    "tracking": _tracking,
    "branding": _branding,
}
