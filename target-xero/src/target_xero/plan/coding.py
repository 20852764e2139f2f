"""How a document is coded: accounts, tax types, tracking. Each must exist, be in use, and fit what it is used for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from target_xero.plan.organisation import Account, Organisation
from target_xero.refusal import Refusal

_NO_LINES = frozenset(
    {"DEBTORS", "CREDITORS", "GST", "BANKCURRENCYGAIN", "REALISEDCURRENCYGAIN", "UNREALISEDCURRENCYGAIN",
     "RETAINEDEARNINGS", "TRACKINGTRANSFERS", "GSTONIMPORTS", "HISTORICAL", "UNPAIDEXPCLM", "WAGEPAYABLES",
     "CISASSETS", "CISASSET", "CISLABOUR", "CISLABOUREXPENSE", "CISLABOURINCOME", "CISLIABILITY", "CISMATERIALS"}
)  # fmt: skip
"""Control accounts that Xero books to itself (Xero OpenAPI 16.1.0, `SystemAccount`, all but ROUNDING)."""

_SALES_CLASSES = frozenset({"REVENUE", ""})
_DEFERRED = frozenset({"CURRLIAB", "LIABILITY", "TERMLIAB"})
"""Where money for what is delivered later is booked: deferred income, deposits."""

_LOOK_ALIKE = str.maketrans("OoIl", "0011")
"""What people type for one another in a code."""


def accounts_of(stream: str, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every account a document names, as (field, code)."""
    found = []
    if stream == "payments":
        found.append(("AccountCode", document.get("AccountCode")))
    found.append(("SalesDetails.AccountCode", (document.get("SalesDetails") or {}).get("AccountCode")))
    found += [
        (f"LineItems[{n}].AccountCode", line.get("AccountCode"))
        for n, line in enumerate(document.get("LineItems") or ())
    ]
    return [(field, code) for field, code in found if code]


def check_accounts(stream: str, document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    """Revenue for a sale, a bank or an account with payments enabled for a payment, and none that is archived."""
    accounts = organisation.accounts or {}
    for field, code in accounts_of(stream, document):
        account = accounts.get(code)
        if account is None:
            yield nearest("account_unknown", field, code, _near_accounts(code, accounts.values(), stream))
        elif account.status != "ACTIVE":
            near = [
                name for name in _near_accounts(code, accounts.values(), stream) if not name.startswith(code)
            ]
            hint = f" Nearest in use: {', '.join(near)}." if near else ""
            yield Refusal(
                "account_archived", field, code,
                f"{account.name} is {account.status.lower()} in Xero; name another account.{hint}",
            )  # fmt: skip
        elif not fits(stream, account):
            yield _misfit(stream, field, account, accounts.values())


def fits(stream: str, account: Account) -> bool:
    """Whether documents of this kind may be booked to the account."""
    if stream == "payments":
        return account.type == "BANK" or account.payments_enabled
    if account.type == "BANK" or account.system in _NO_LINES:
        return False
    return account.account_class in _SALES_CLASSES or account.type in _DEFERRED


def _misfit(stream: str, field: str, account: Account, accounts: Iterable[Account]) -> Refusal:
    near = [
        f"{a.code} {a.name}" for a in accounts if a.status == "ACTIVE" and fits(stream, a) and not a.system
    ]
    hint = f" There are: {', '.join(near[:3])}." if near else ""
    if stream == "payments":
        cure = f"{account.name} is neither a bank account nor has payments enabled in Xero.{hint}"
        return Refusal("account_takes_no_payments", field, account.code, cure)
    kind = f"{account.type} account" if account.type else "account"
    cure = (
        f"{account.name} is Xero's own {account.system} account"
        if account.system
        else f"{account.name} is a {kind}"
    )
    return Refusal(
        "account_wrong_class", field, account.code, f"{cure}; a sale is booked to a revenue account.{hint}"
    )


def _near_accounts(code: str, accounts: Iterable[Account], stream: str) -> list[str]:
    names = {a.code: f"{a.code} {a.name}" for a in accounts if a.status == "ACTIVE" and fits(stream, a)}
    by_name = {a.name.casefold(): a.code for a in accounts if a.code in names}
    read = {code.translate(_LOOK_ALIKE): code for code in names}
    near = [read[n] for n in difflib.get_close_matches(code.translate(_LOOK_ALIKE), read, 3, 0.5)]
    near += [by_name[name] for name in difflib.get_close_matches(code.casefold(), by_name, 3, 0.6)]
    return [names[code] for code in dict.fromkeys(near)][:3]


def rounds(document: Mapping[str, Any]) -> bool:
    """Whether the document has a rounding line."""
    return any(line.get("system_account") for line in document.get("LineItems") or ())


def check_rounding(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    """A rounding line goes on Xero's own rounding account, and on no other."""
    if rounds(document) and organisation.rounding_account is None:
        cure = (
            f"{organisation.name} has no rounding account in use, so the difference to the source's total cannot be booked. Correct "
            "the total in the source, or set on_total_difference to accept."
        )
        yield Refusal("rounding_account_missing", "LineItems", "", cure)


def tax_types_of(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Every tax type a document names, as (field, tax type, account code beside it)."""
    sales = document.get("SalesDetails") or {}
    found = [("SalesDetails.TaxType", sales.get("TaxType"), sales.get("AccountCode"))]
    found += [
        (f"LineItems[{n}].TaxType", line.get("TaxType"), line.get("AccountCode"))
        for n, line in enumerate(document.get("LineItems") or ())
        if not line.get("system_account")
    ]
    return [(field, tax_type, code or "") for field, tax_type, code in found if tax_type]


def of_own_account(tax_type: str, code: str, organisation: Organisation) -> bool:
    """Whether its account has the tax type anyway (without an account: any has), so that it exists and fits."""
    accounts = organisation.accounts or {}
    if code:
        return code in accounts and accounts[code].tax_type == tax_type
    return any(account.tax_type == tax_type for account in accounts.values())


def check_taxes(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    """In use, and for the class of the line's account."""
    rates = organisation.tax_types or {}
    for field, tax_type, code in tax_types_of(document):
        if of_own_account(tax_type, code, organisation):
            continue
        rate = rates.get(tax_type)
        if rate is None:
            names = {r.name.casefold(): r.tax_type for r in rates.values()}
            by_name = [names[n] for n in difflib.get_close_matches(tax_type.casefold(), names, 2, 0.6)]
            known = {*rates, *(a.tax_type for a in (organisation.accounts or {}).values() if a.tax_type)}
            yield unknown("tax_type_unknown", field, tax_type, sorted(known), also=by_name)
            continue
        account = (organisation.accounts or {}).get(code)
        if account is not None and account.account_class in rate.not_for:
            fitting = sorted(r.tax_type for r in rates.values() if account.account_class not in r.not_for)
            near = difflib.get_close_matches(tax_type, fitting, 3, 0.3) or fitting[:3]
            yield Refusal(
                "tax_type_unfit", field, tax_type,
                f"{rate.name} cannot be used with {account.code} {account.name}, a {account.account_class.lower()} account. "
                f"There are: {', '.join(near)}.",
            )  # fmt: skip


def tracking_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every tracking option a document names, as (field, category, option)."""
    for n, line in enumerate(document.get("LineItems") or ()):
        for option in line.get("Tracking") or ():
            yield f"LineItems[{n}].Tracking", option.get("Name", ""), option.get("Option", "")


def check_tracking(document: Mapping[str, Any], organisation: Organisation) -> Iterator[Refusal]:
    """Active options of active categories, by their exact names."""
    categories = organisation.tracking or {}
    for field, name, option in tracking_of(document):
        if name not in categories:
            yield unknown("tracking_category_unknown", field, name, categories)
        elif option not in categories[name]:
            yield unknown(
                "tracking_option_unknown", field, f"{name}: {option}", categories[name], wanted=option
            )


def unknown(
    rule: str, field: str, value: str, known: Iterable[str], *, wanted: str = "", also: Iterable[str] = ()
) -> Refusal:
    """A name the organisation does not have, with the nearest it has."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches((wanted or value).casefold(), names, 3, 0.4)
    return nearest(rule, field, value, list(dict.fromkeys([*(names[name] for name in near), *also])))


def nearest(rule: str, field: str, value: str, near: list[str]) -> Refusal:
    """The same, the nearest ones being known."""
    hint = f" Nearest: {', '.join(near)}." if near else ""
    return Refusal(
        rule,
        field,
        value,
        f"The organisation has no such one in use (names are exact).{hint} Correct it or add it in Xero.",
    )
