"""The codes that the mapping's options and constants name, against what the organisation has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from crm_to_xero.explain import Explanation, FieldRule

from target_xero.health.finding import Finding, fail, ok
from target_xero.plan import Organisation


def look_at_codes(found: Explanation, organisation: Organisation) -> Iterator[Finding]:
    """Accounts, tax types, tracking, branding themes and currencies, as far as they can be known without a record.

    The organisation's accounts, tax rates, tracking categories, branding themes and currencies are loaded.
    """
    yield from _accounts(found, organisation)
    known = {account.tax_type for account in (organisation.accounts or {}).values()} | set(
        organisation.tax_types or ()
    )
    yield from _named("tax types", found.codes("TaxType"), known, found.file)
    yield from _named(
        "branding themes", found.codes("BrandingTheme"), organisation.branding or (), found.file, fold=True
    )
    currencies = (organisation.currencies or frozenset()) | {organisation.base_currency}
    yield from _named("currencies", found.codes("CurrencyCode"), currencies, found.file)
    yield from _tracking(found, organisation.tracking or {})


def _accounts(found: Explanation, organisation: Organisation) -> Iterator[Finding]:
    accounts = organisation.accounts or {}
    named = found.codes("AccountCode")
    wrong = list(_named("accounts", named, accounts, found.file, only_wrong=True))
    for code, rules in named.items():
        account = accounts.get(code)
        if account is None:
            continue
        where = _where(rules, found.file)
        name = f"account {code} {account.name}"
        pays = any(rule.document == "payments" for rule in rules)
        if account.status != "ACTIVE":
            wrong.append(
                fail(
                    name,
                    f"{account.status.lower()} in Xero; {where}",
                    "Restore it in Xero, or name another account.",
                )
            )
        elif pays and account.type != "BANK" and not account.payments_enabled:
            cure = "Name a bank account, or enable payments to it in Xero."
            wrong.append(fail(name, f"takes no payments; {where}", cure))
        elif not pays and (account.type == "BANK" or account.system in ("DEBTORS", "CREDITORS")):
            wrong.append(
                fail(name, f"is a {account.type} account; {where}", "A sale is booked to a revenue account.")
            )
    yield from wrong
    if named and not wrong:
        yield ok("accounts", ", ".join(f"{code} {accounts[code].name}" for code in sorted(named)))


def _named(
    what: str,
    named: Mapping[str, list[FieldRule]],
    known: Iterable[str],
    file: str,
    *,
    fold: bool = False,
    only_wrong: bool = False,
) -> Iterator[Finding]:
    there = {name.casefold() if fold else name: name for name in known if name}
    wrong = [value for value in named if (value.casefold() if fold else value) not in there]
    for value in wrong:
        near = difflib.get_close_matches(value.casefold(), {name.casefold(): name for name in there}, 3, 0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        yield fail(
            f"{what}: {value}",
            f"Xero has none of that name; {_where(named[value], file)}",
            f"Correct the mapping's option, or add it in Xero (names are exact).{hint}",
        )
    if named and not wrong and not only_wrong:
        yield ok(what, ", ".join(sorted(named)))


def _tracking(found: Explanation, categories: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    rules = found.tracking()
    wrong = []
    for rule in rules:
        name = str(rule.get("name") or "")
        options = [str(o) for o in [*(rule.get("map") or {}).values(), rule.get("default")] if o]
        if name not in categories:
            has = ", ".join(sorted(categories)) or "none"
            wrong.append(
                fail(f"tracking: {name}", f"no active category of that name; there are: {has}", _TRACKING)
            )
            continue
        for option in sorted(set(options) - categories[name]):
            has = ", ".join(sorted(categories[name])) or "none"
            wrong.append(
                fail(
                    f"tracking: {name}: {option}",
                    f"no active option of that name; there are: {has}",
                    _TRACKING,
                )
            )
    yield from wrong
    if rules and not wrong:
        yield ok("tracking", ", ".join(str(rule.get("name")) for rule in rules))


_TRACKING = "Correct the option tracking, or add it in Xero."


def _where(rules: list[FieldRule], file: str) -> str:
    shown = ", ".join(dict.fromkeys(f"{rule.rule or rule.document} (line {rule.line})" for rule in rules))
    return f"named by {file}: {shown}"
