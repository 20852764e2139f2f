"""What documents look up in the organisation's settings: accounts, taxes, items, tracking, currencies, branding themes.

Read-only over the frame's tables. One `Books` serves one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.xero import wire
from ikaroa_sandbox.xero.folding import fold, lookup_key
from ikaroa_sandbox.xero.settings import applies_to
from ikaroa_sandbox.xero.store import Row, Store

DAY_RATES = {
    "AUD": "1.9800000000",
    "CAD": "1.8100000000",
    "CHF": "1.0900000000",
    "EUR": "1.1500000000",
    "JPY": "198.5000000000",
    "NZD": "2.1900000000",
    "USD": "1.3200000000",
}
"""Units of a currency for one pound, standing in for the day rate that Xero takes from XE.com."""

ONE = Decimal("1.0000000000")

_CLASSES = {
    "ASSET": "Assets",
    "EQUITY": "Equity",
    "EXPENSE": "Expenses",
    "LIABILITY": "Liabilities",
    "REVENUE": "Revenue",
}


class Books:
    """The settings of one organisation as documents need them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def base_currency(self) -> str:
        """The organisation's own currency."""
        return str(self.store.organisation.get("BaseCurrency", "GBP"))

    def account(self, code: str | None, account_id: str | None = None) -> Row | None:
        """The account of this code or id, archived ones too."""
        table = self.store.table("Accounts")
        if account_id is not None:
            return table.get(account_id)
        found = table.by("code", lookup_key(code))
        return found[0] if found else None

    def tax_rate(self, tax_type: str) -> Row | None:
        """The tax rate of this TaxType, or None where there is none in use."""
        found = self.store.table("TaxRates").by("tax_type", lookup_key(tax_type))
        return found[0] if found and found[0].get("Status", "ACTIVE") == "ACTIVE" else None

    def taxable(self, account: Row, rate: Row) -> bool:
        """Whether this tax rate can be used with an account of this class."""
        return applies_to(str(rate["TaxType"])).get(_CLASSES.get(str(account.get("Class")), ""), True)

    def item(self, code: str) -> Row | None:
        """The item of this code."""
        found = self.store.table("Items").by("code", lookup_key(code))
        return found[0] if found else None

    def tracking(self, sent: Mapping[str, Any]) -> Row | None:
        """The active category and option that a line's tracking entry names, by names or ids."""
        category_id, option_id = (
            wire.guid(sent.get("TrackingCategoryID")),
            wire.guid(sent.get("TrackingOptionID")),
        )
        name, value = fold(str(sent.get("Name") or "")), fold(str(sent.get("Option") or ""))
        for category in self.store.table("TrackingCategories").rows():
            if category_id != category["TrackingCategoryID"] and (
                category_id or name != fold(category["Name"])
            ):
                continue
            for option in category["Options"]:
                if option.get("Status", "ACTIVE") != "ACTIVE":
                    continue
                if option_id == option["TrackingOptionID"] or (
                    not option_id and value == fold(option["Name"])
                ):
                    return {
                        "Name": category["Name"],
                        "Option": option["Name"],
                        "TrackingCategoryID": category["TrackingCategoryID"],
                        "TrackingOptionID": option["TrackingOptionID"],
                    }
        return None

    def has_currency(self, code: str) -> bool:
        """Whether documents may be in this currency."""
        return code == self.base_currency or self.store.table("Currencies").get(code) is not None

    def day_rate(self, code: str) -> Decimal:
        """Units of `code` for one unit of the base currency."""
        if code == self.base_currency:
            return ONE
        base = Decimal(DAY_RATES.get(self.base_currency, "1"))
        return (Decimal(DAY_RATES.get(code, "1")) / base).quantize(ONE)

    def branding_theme(self, theme_id: str) -> Row | None:
        """The branding theme with this id."""
        return self.store.table("BrandingThemes").get(theme_id)

    def default_branding_theme(self) -> str | None:
        """The id of the theme a sales document gets by itself: the first in the organisation's order."""
        themes = sorted(self.store.table("BrandingThemes").rows(), key=lambda row: row.get("SortOrder", 0))
        return str(themes[0]["BrandingThemeID"]) if themes else None
