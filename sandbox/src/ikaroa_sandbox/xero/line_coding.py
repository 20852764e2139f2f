"""How a line is coded: its account, its tax, its tracking options.

Sources: Xero developer docs, Xero OpenAPI 16.1.0 (the warning text), public issue threads (the refusals' texts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ikaroa_sandbox.xero import limits, money, reading, wire
from ikaroa_sandbox.xero.line_rules import LineRules
from ikaroa_sandbox.xero.store import Row


def read_account(
    raw: Mapping[str, Any], line: Row, details: Mapping[str, Any], rules: LineRules
) -> Row | None:
    """The account the line goes to, or None: refused on an approved document, dropped with a warning from a draft."""
    code = reading.read_text(raw.get("AccountCode")) or None
    account_id = wire.guid(raw.get("AccountID"))
    if code is None and account_id is None:
        code = details.get("AccountCode") or details.get("COGSAccountCode")
    if code is None and account_id is None:
        if rules.complete and line.get("UnitAmount") is not None:
            rules.messages.append("Account code or ID must be specified")
        return None
    account = rules.books.account(code, account_id)
    name = code or account_id
    if account is not None and account["Status"] == "ACTIVE" and takes_lines(account):
        line["AccountCode"], line["AccountID"] = account.get("Code"), account["AccountID"]
        return account
    if not rules.complete:
        rules.warnings.append(
            f"Account code '{name}' has been removed as it does not match a recognised account."
        )
    elif account is not None and account["Status"] != "ACTIVE":
        rules.messages.append(
            f"Account code '{name}' has been archived, or has been deleted. Each line item must reference a valid account."
        )
    else:
        rules.messages.append(f"Account code '{name}' is not a valid code for this document.")
    return None


def takes_lines(account: Row) -> bool:
    """Whether a document line may be coded to this account: no bank account, no control account of Xero's own."""
    return account["Type"] != "BANK" and (account.get("SystemAccount") or "ROUNDING") == "ROUNDING"


def read_tax(
    raw: Mapping[str, Any], line: Row, account: Row | None, details: Mapping[str, Any], rules: LineRules
) -> None:
    """TaxType (sent, the item's, the account's) and TaxAmount (sent, or worked out)."""
    line["TaxAmount"] = money.ZERO
    if line.get("UnitAmount") is None:
        return
    if rules.line_amount_types == money.NO_TAX:
        if rules.tax_from_account:
            line["TaxType"] = "NONE"
        return
    tax_type = reading.read_text(raw.get("TaxType")) or None
    if tax_type is None and rules.tax_from_account:
        tax_type = details.get("TaxType") or (account.get("TaxType") if account else None)
        named = raw.get("AccountCode") or raw.get("AccountID")
        if tax_type is None and rules.complete and not named:  # a wrong account has been refused as such
            rules.messages.append("The TaxType field is mandatory")
    if tax_type is None:
        return
    rate = _tax_rate(tax_type, account, rules)
    if rate is None:
        return
    line["TaxType"] = rate["TaxType"]
    override = reading.read_decimal(raw.get("TaxAmount"))
    if override is not None:
        line["TaxAmount"] = money.rounded(override)
    else:
        line["TaxAmount"] = money.line_tax(line["LineAmount"], rate["EffectiveRate"], rules.line_amount_types)


def _tax_rate(tax_type: str, account: Row | None, rules: LineRules) -> Row | None:
    rate = rules.books.tax_rate(tax_type)
    if rate is None:
        rules.messages.append(
            f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction."
        )
    if account is not None and (rate is None or not rules.books.taxable(account, rate)):
        rules.messages.append(
            f"The TaxType code '{tax_type}' cannot be used with account code '{account.get('Code')}'."
        )
    return rate


def read_tracking(raw: Mapping[str, Any], line: Row, rules: LineRules) -> None:
    """The tracking options, with names and ids."""
    sent = reading.read_objects(raw.get("Tracking"), "Tracking")
    if len(sent) > limits.TRACKING_CATEGORIES:
        rules.messages.append(
            f"A line item has {len(sent)} tracking categories; it must not have more than {limits.TRACKING_CATEGORIES}"
        )
    found: list[Row] = []
    for entry in sent[: limits.TRACKING_CATEGORIES]:
        option = rules.books.tracking(entry)
        if option is not None:
            found.append(option)
        elif rules.unknown_tracking == "refused":
            name = entry.get("Name") or entry.get("TrackingCategoryID")
            value = entry.get("Option") or entry.get("TrackingOptionID")
            rules.messages.append(
                f"The tracking option '{value}' of category '{name}' does not exist or is archived"
            )
    line["Tracking"] = found
