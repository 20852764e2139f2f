"""OAuth scopes: which exist, broad and granular, and which an end point family asks for.

Sources: Xero developer docs (scopes, granular scopes since March 2026), Xero OpenAPI 16.1.0.
"""

from __future__ import annotations

CONTACTS = ("accounting.contacts",)
INVOICES = ("accounting.invoices", "accounting.transactions")
PAYMENTS = ("accounting.payments", "accounting.transactions")
SETTINGS = ("accounting.settings",)
ATTACHMENTS = ("accounting.attachments",)


def reading(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The `.read` form of each."""
    return tuple(f"{scope}.read" for scope in scopes)


_OPEN_ID = ("openid", "profile", "email")
OFFLINE = "offline_access"

GRANULAR = frozenset(
    name
    for scope in (
        "accounting.invoices",
        "accounting.payments",
        "accounting.banktransactions",
        "accounting.manualjournals",
        "accounting.classicexpenses",
    )
    for name in (scope, f"{scope}.read")
)
BROAD = frozenset({"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"})
_BOTH = frozenset(
    name
    for scope in (
        "accounting.contacts",
        "accounting.settings",
        "accounting.attachments",
        "accounting.budgets",
    )
    for name in (scope, f"{scope}.read")
) | {"accounting.journals.read", "files", "files.read", "assets", "assets.read", "projects", "projects.read"}
_REPORTS = frozenset(
    f"accounting.reports.{report}.read"
    for report in (
        "aged",
        "balancesheet",
        "banksummary",
        "budgetsummary",
        "executivesummary",
        "profitandloss",
        "trialbalance",
        "taxreports",
        "tenninetynine",
    )
)

KINDS = ("mixed", "granular", "broad")
"""What an app may ask for: both (made before March 2026), granular alone (made since), broad alone."""


def known(kind: str) -> frozenset[str]:
    """Every scope an app of this kind may ask for."""
    accounting = {"mixed": GRANULAR | BROAD | _REPORTS, "granular": GRANULAR | _REPORTS, "broad": BROAD}[kind]
    return accounting | _BOTH | {*_OPEN_ID, OFFLINE}


def everything(kind: str) -> tuple[str, ...]:
    """What a custom connection of this kind was given when it was authorised: all that is needed for accounting."""
    documents = INVOICES[1:] if kind == "broad" else ("accounting.invoices", "accounting.payments")
    return ("accounting.contacts", *documents, "accounting.settings", "accounting.attachments")
