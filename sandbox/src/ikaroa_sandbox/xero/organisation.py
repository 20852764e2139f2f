"""The organisation itself: its settings row, how a new one is set up, and `/Organisation`."""

# ruff: noqa: ARG002 - one signature for every family

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import ClassVar

from ikaroa_sandbox.xero import chart, scopes, wire
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store

TENANT_ID = "5a9d2b1e-7c34-4f0a-9b6d-31c2e8f47a10"
"""The first organisation's id: the same in every sandbox, so that a configuration may name it."""
NAME = "Sandbox Trading Ltd"

_OLD = timedelta(days=800)


def set_up(store: Store, tenant_id: str, name: str) -> None:
    """Gives a new organisation its settings: as after signing up, no records."""
    founded = store.clock.now() - _OLD
    founded = founded.replace(microsecond=0)
    store.organisation = {
        "OrganisationID": tenant_id,
        "Name": name,
        "LegalName": name,
        "PaysTax": True,
        "Version": "UK",
        "OrganisationType": "COMPANY",
        "BaseCurrency": "GBP",
        "CountryCode": "GB",
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "RegistrationNumber": "01234567",
        "TaxNumber": "GB123456789",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "PeriodLockDate": None,
        "EndOfYearLockDate": None,
        "CreatedDateUTC": founded,
        "Timezone": "GMTSTANDARDTIME",
        "Zone": "Europe/London",
        "OrganisationEntityType": "COMPANY",
        "ShortCode": "!" + store.guid()[:5],
        "Class": "PREMIUM",
        "Edition": "BUSINESS",
        "LineOfBusiness": "Wholesale and services",
        "PaymentTerms": chart.PAYMENT_TERMS,
        "UpdatedDateUTC": founded,
    }
    _accounts(store, founded)
    _taxes_and_currencies(store, founded)
    for title, options in chart.TRACKING:
        rows = [{"TrackingOptionID": store.guid(), "Name": option, "Status": "ACTIVE"} for option in options]
        row: Row = {"TrackingCategoryID": None, "Name": title, "Status": "ACTIVE", "Options": rows}
        store.table("TrackingCategories").put({**row, "UpdatedDateUTC": founded}, stamp=False)
    for order, title in enumerate(chart.BRANDING_THEMES):
        row = {"BrandingThemeID": None, "Name": title, "SortOrder": order, "CreatedDateUTC": founded}
        store.table("BrandingThemes").put({**row, "UpdatedDateUTC": founded}, stamp=False)


def _accounts(store: Store, founded: datetime) -> None:
    table = store.table("Accounts")
    for code, name, kind, account_class, tax_type, system in chart.ACCOUNTS:
        table.put(
            {
                "AccountID": None,
                "Code": code,
                "Name": name,
                "Status": "ARCHIVED" if code in chart.ARCHIVED_ACCOUNTS else "ACTIVE",
                "Type": kind,
                "Class": account_class,
                "TaxType": tax_type,
                "SystemAccount": system,
                "EnablePaymentsToAccount": code in chart.PAYMENT_ACCOUNTS,
                "UpdatedDateUTC": founded,
            },
            stamp=False,
        )
    for code, name, currency, number in chart.BANK_ACCOUNTS:
        table.put(
            {
                "AccountID": None,
                "Code": code,
                "Name": name,
                "Status": "ACTIVE",
                "Type": "BANK",
                "Class": "ASSET",
                "TaxType": "NONE",
                "SystemAccount": "",
                "EnablePaymentsToAccount": False,
                "BankAccountNumber": number,
                "BankAccountType": "BANK",
                "CurrencyCode": currency,
                "UpdatedDateUTC": founded,
            },
            stamp=False,
        )


def _taxes_and_currencies(store: Store, founded: datetime) -> None:
    for tax_type, name, rate, report_type in chart.TAX_RATES:
        row = {
            "TaxType": tax_type,
            "Name": name,
            "EffectiveRate": rate,
            "ReportTaxType": report_type,
            "Status": "ACTIVE",
            "UpdatedDateUTC": founded,
        }
        store.table("TaxRates").put(row, stamp=False)
    for code, description in chart.CURRENCIES:
        row = {"Code": code, "Description": description, "UpdatedDateUTC": founded}
        store.table("Currencies").put(row, stamp=False)


class Organisations(Resource):
    """`/Organisation`."""

    name, id_field, type_name = "Organisations", "OrganisationID", "Organisation"
    read_scopes, write_scopes = scopes.reading(scopes.SETTINGS), scopes.SETTINGS
    verbs: ClassVar[frozenset[str]] = frozenset({"GET"})
    one_verbs: ClassVar[frozenset[str]] = frozenset()
    paging = "none"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.fields = {"Name": stored("Name")}

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Settings are changed by people, not by the API."""
        raise NotImplementedError

    def listed(self, ctx: Context) -> Iterable[Row]:
        """The one organisation."""
        return [ctx.store.organisation]

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The settings; lock dates only where they are set (recorded)."""
        shown: Element = {}
        for name, value in row.items():
            if name in {"Zone", "UpdatedDateUTC"} or value is None:
                continue
            if isinstance(value, datetime):
                shown[name] = wire.ms_bare(value)
            else:
                shown[name] = wire.ms(value) if isinstance(value, date) else value
        return {**shown, "Addresses": [], "Phones": [], "ExternalLinks": []}
