"""The settings every sandbox organisation starts with: a UK company's chart of accounts, VAT rates, tracking and themes.

Shapes and codes follow Xero's own UK demo company; names are the sandbox's.
"""

from __future__ import annotations

from decimal import Decimal

ACCOUNTS: tuple[tuple[str, str, str, str, str, str], ...] = (
    # code, name, type, class, tax type, system account
    ("200", "Sales", "REVENUE", "REVENUE", "OUTPUT2", ""),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "OUTPUT2", ""),
    ("270", "Interest Income", "REVENUE", "REVENUE", "NONE", ""),
    ("299", "Sales of the Old Shop", "REVENUE", "REVENUE", "OUTPUT2", ""),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE", "INPUT2", ""),
    ("400", "Advertising & Marketing", "OVERHEADS", "EXPENSE", "INPUT2", ""),
    ("404", "Bank Fees", "OVERHEADS", "EXPENSE", "NONE", ""),
    ("429", "General Expenses", "OVERHEADS", "EXPENSE", "INPUT2", ""),
    ("461", "Printing & Stationery", "OVERHEADS", "EXPENSE", "INPUT2", ""),
    ("497", "Bank Revaluations", "EXPENSE", "EXPENSE", "NONE", "BANKCURRENCYGAIN"),
    ("498", "Unrealised Currency Gains", "EXPENSE", "EXPENSE", "NONE", "UNREALISEDCURRENCYGAIN"),
    ("499", "Realised Currency Gains", "EXPENSE", "EXPENSE", "NONE", "REALISEDCURRENCYGAIN"),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "NONE", "DEBTORS"),
    ("620", "Prepayments", "CURRENT", "ASSET", "NONE", ""),
    ("630", "Inventory", "CURRENT", "ASSET", "NONE", ""),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "NONE", "CREDITORS"),
    ("805", "Accruals", "CURRLIAB", "LIABILITY", "NONE", ""),
    ("820", "VAT", "CURRLIAB", "LIABILITY", "NONE", "GST"),
    ("855", "Clearing Account", "CURRLIAB", "LIABILITY", "NONE", ""),
    ("860", "Rounding", "CURRLIAB", "LIABILITY", "NONE", "ROUNDING"),
    ("877", "Tracking Transfers", "CURRLIAB", "LIABILITY", "NONE", "TRACKINGTRANSFERS"),
    ("960", "Retained Earnings", "EQUITY", "EQUITY", "NONE", "RETAINEDEARNINGS"),
)
ARCHIVED_ACCOUNTS = frozenset({"299"})
PAYMENT_ACCOUNTS = frozenset({"855"})
"""Accounts beside banks that take payments (`EnablePaymentsToAccount`)."""

BANK_ACCOUNTS: tuple[tuple[str, str, str, str], ...] = (
    # code, name, currency, number
    ("090", "Business Bank Account", "GBP", "20000011112222"),
    ("091", "Euro Account", "EUR", "20000033334444"),
)

TAX_RATES: tuple[tuple[str, str, Decimal, str], ...] = (
    # tax type, name, percent, report tax type
    ("OUTPUT2", "20% (VAT on Income)", Decimal("20.0000"), "OUTPUT"),
    ("INPUT2", "20% (VAT on Expenses)", Decimal("20.0000"), "INPUT"),
    ("CAPEXINPUT2", "20% (VAT on Capital Purchases)", Decimal("20.0000"), "CAPITALEXPENSESINPUT"),
    ("RROUTPUT", "5% (VAT on Income)", Decimal("5.0000"), "OUTPUT"),
    ("RRINPUT", "5% (VAT on Expenses)", Decimal("5.0000"), "INPUT"),
    ("ZERORATEDOUTPUT", "Zero Rated Income", Decimal("0.0000"), "ZERORATEDOUTPUT"),
    ("ZERORATEDINPUT", "Zero Rated Expenses", Decimal("0.0000"), "ZERORATEDINPUT"),
    ("EXEMPTOUTPUT", "Exempt Income", Decimal("0.0000"), "EXEMPTOUTPUT"),
    ("EXEMPTINPUT", "Exempt Expenses", Decimal("0.0000"), "EXEMPTINPUT"),
    ("ECZROUTPUT", "Zero Rated EC Goods Income", Decimal("0.0000"), "ECOUTPUT"),
    ("ECZROUTPUTSERVICES", "Zero Rated EC Services", Decimal("0.0000"), "ECOUTPUTSERVICES"),
    ("NONE", "No VAT", Decimal("0.0000"), "NONE"),
)

TRACKING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Region", ("North", "South", "East", "West")),
    ("Sales Team", ("Direct", "Partner", "Renewals")),
)

CURRENCIES: tuple[tuple[str, str], ...] = (("GBP", "British Pound"), ("EUR", "Euro"))
CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "CHF": "Swiss Franc",
    "DKK": "Danish Krone",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "NOK": "Norwegian Krone",
    "NZD": "New Zealand Dollar",
    "PLN": "Polish Zloty",
    "SEK": "Swedish Krona",
    "USD": "United States Dollar",
}

BRANDING_THEMES = ("Standard", "Very orange invoice!")

PAYMENT_TERMS = {
    "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
    "Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"},
}
