"""What documents refer to beside accounts: `/TaxRates`, `/Currencies`, `/BrandingThemes`."""

# ruff: noqa: ARG002 - one signature for every family

from __future__ import annotations

from typing import Any, ClassVar

from ikaroa_sandbox.xero import chart, errors, reading, scopes, wire
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store

_READ_ONLY = frozenset({"GET"})


class _Settings(Resource):
    """Settings: unpaged, under `accounting.settings`."""

    read_scopes, write_scopes = scopes.reading(scopes.SETTINGS), scopes.SETTINGS
    paging = "none"
    verbs: ClassVar[frozenset[str]] = _READ_ONLY
    one_verbs: ClassVar[frozenset[str]] = _READ_ONLY

    def sort_key(self, row: Row) -> Any:
        """By name, themes in the organisation's own order."""
        return row.get("SortOrder", 0), row.get("Name") or row[self.id_field]

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Not by the API."""
        raise errors.NotSimulated(f"{verb} {self.name}")


class TaxRates(_Settings):
    """`/TaxRates`: read only here; a rate has no GUID, its `TaxType` names it."""

    name, id_field, type_name = "TaxRates", "TaxType", "TaxRate"
    key_index = "tax_type"
    query_params = frozenset({"taxtype"})
    list_params: ClassVar[dict[str, str]] = {"taxtype": "TaxTypeCode"}

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.table.index("tax_type", lambda row: lookup_key(row["TaxType"]))
        self.fields = {
            "TaxType": stored("TaxType"),
            "TaxTypeCode": stored("TaxType"),
            "Name": stored("Name"),
            "Status": stored("Status"),
            "EffectiveRate": stored("EffectiveRate", "number"),
            "DisplayTaxRate": stored("EffectiveRate", "number"),
        }

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The rate, its one component, and what it applies to."""
        return {
            "Name": row["Name"],
            "TaxType": row["TaxType"],
            "ReportTaxType": row["ReportTaxType"],
            **{f"CanApplyTo{kind}": holds for kind, holds in applies_to(row["TaxType"]).items()},
            "DisplayTaxRate": row["EffectiveRate"],
            "EffectiveRate": row["EffectiveRate"],
            "Status": row["Status"],
            "TaxComponents": [
                {"Name": "VAT", "Rate": row["EffectiveRate"], "IsCompound": False, "IsNonRecoverable": False}
            ],
        }


def applies_to(tax_type: str) -> dict[str, bool]:
    """Which classes of account a tax type can be used with: output tax not on expenses, input tax not on revenue."""
    sales, none = tax_type.endswith(("OUTPUT", "OUTPUT2", "SERVICES")), tax_type == "NONE"
    return {
        "Assets": True,
        "Equity": True,
        "Expenses": none or not sales,
        "Liabilities": True,
        "Revenue": none or sales,
    }


class Currencies(_Settings):
    """`/Currencies`: those the organisation is subscribed to. PUT subscribes to one more; there is no update."""

    name, id_field, type_name = "Currencies", "Code", "Currency"
    verbs: ClassVar[frozenset[str]] = frozenset({"GET", "PUT"})
    batch = False

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.fields = {name: stored(name) for name in ("Code", "Description")}

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Subscribes to a currency."""
        code = (reading.read_text(element.get("Code")) or "").upper()
        if code not in chart.CURRENCY_NAMES:
            raise errors.ElementInvalid(f"The currency code '{code}' is not valid.", dict(element))
        return self.present(self.table.get(code) or add_currency(ctx.store, code), "write", ctx)

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """Code and name."""
        return {"Code": row["Code"], "Description": row["Description"]}


def add_currency(store: Store, code: str) -> Row:
    """Subscribes the organisation to a currency."""
    return store.table("Currencies").put({"Code": code, "Description": chart.CURRENCY_NAMES.get(code, code)})


class BrandingThemes(_Settings):
    """`/BrandingThemes`."""

    name, id_field, type_name = "BrandingThemes", "BrandingThemeID", "BrandingTheme"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.fields = {
            "BrandingThemeID": stored("BrandingThemeID", "guid"),
            "Name": stored("Name"),
            "SortOrder": stored("SortOrder", "number"),
        }

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The theme."""
        return {
            "BrandingThemeID": row["BrandingThemeID"],
            "Name": row["Name"],
            "Type": "INVOICE",
            "SortOrder": row["SortOrder"],
            "CreatedDateUTC": wire.ms(row["CreatedDateUTC"]),
        }
