"""Products and services: `/Items`, keyed by `Code`. No paging, no archive, no external id; DELETE is final."""

# ruff: noqa: ARG002 - one signature for every family

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ikaroa_sandbox.xero import errors, limits, money, reading, scopes, wire
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store

_TEXTS = {
    "Code": limits.ITEM_CODE,
    "Name": limits.ITEM_NAME,
    "Description": limits.ITEM_DESCRIPTION,
    "PurchaseDescription": limits.ITEM_DESCRIPTION,
}


class Items(Resource):
    """`/Items`."""

    name, id_field, type_name = "Items", "ItemID", "Item"
    key_index = "code"
    read_scopes = scopes.reading(scopes.SETTINGS)
    write_scopes = scopes.SETTINGS
    one_verbs: ClassVar[frozenset[str]] = frozenset({"GET", "POST", "DELETE"})
    paging = "none"
    error_flag = "HasValidationErrors"

    not_heeded = frozenset({"InventoryAssetAccountCode"})

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.table.index("code", lambda row: lookup_key(row["Code"]))
        self.fields = {
            "ItemID": stored("ItemID", "guid", optimised=True),
            **{name: stored(name, optimised=name == "Code") for name in _TEXTS},
            "IsSold": stored("IsSold", "bool"),
            "IsPurchased": stored("IsPurchased", "bool"),
            "UpdatedDateUTC": stored("UpdatedDateUTC", "date", optimised=True),
        }

    def scopes(self, *, write: bool) -> tuple[str, ...]:
        """`accounting.settings`; by Xero's scopes page `accounting.invoices` too, which its OpenAPI does not know."""
        found = super().scopes(write=write)
        if self.store.variants["xero.scopes.items"] == "settings_or_invoices":
            return (*found, *scopes.INVOICES, *(() if write else scopes.reading(scopes.INVOICES)))
        return found

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """PUT creates; POST creates or updates by id, else by `Code`."""
        row = self.targeted(ctx) or self._named(element)
        code = reading.read_text(element.get("Code"))
        if row is None and verb == "POST" and code:
            row = next(iter(self.table.by("code", lookup_key(code))), None)
        elif row is not None and verb == "PUT":
            raise errors.ElementInvalid(_taken(row["Code"]), _echo(element))
        changed, problems = self._read(element, row, ctx)
        self._check(changed, row, problems)
        if problems:
            raise errors.ElementInvalid(problems, _echo(element, row))
        base = row or {
            "ItemID": None,
            "Name": "",
            "IsSold": True,
            "IsPurchased": True,
            "CreatedByApp": ctx.app,
        }
        merged = {**base, **changed}
        for flag_name, details in (("IsSold", "SalesDetails"), ("IsPurchased", "PurchaseDetails")):
            if not merged[flag_name]:
                merged.pop(details, None)
        return self.present(self.table.put(merged), "write", ctx)

    def _named(self, element: Element) -> Row | None:
        guid = wire.guid(element.get("ItemID"))
        if guid is None or guid == wire.ZERO_GUID:
            return None
        row = self.table.get(guid)
        if row is None:
            raise errors.NotFound(f"no item {guid}")
        return row

    def _read(self, element: Element, row: Row | None, ctx: Context) -> tuple[Row, list[str]]:
        problems: list[str] = []
        changed: Row = {}
        for name, longest in _TEXTS.items():
            text = reading.read_text(element.get(name))
            if text is None:
                continue
            if len(text) > longest:
                problems.append(f"The {name} field must not be longer than {longest} characters.")
            changed[name] = text
        for name in ("IsSold", "IsPurchased"):
            flag = reading.read_bool(element.get(name))
            if flag is not None:
                changed[name] = flag
        for name, price in (("SalesDetails", "sales"), ("PurchaseDetails", "purchase")):
            if isinstance(element.get(name), dict):
                kept = (row or {}).get(name, {})
                changed[name] = {**kept, **self._details(element[name], price, problems, ctx)}
        return changed, problems

    def _details(self, sent: Mapping[str, Any], kind: str, problems: list[str], ctx: Context) -> Row:
        details: Row = {}
        price = reading.read_decimal(sent.get("UnitPrice"))
        if price is not None:
            details["UnitPrice"] = money.rounded(price, ctx.unitdp)
        for name in ("AccountCode", "COGSAccountCode"):
            code = reading.read_text(sent.get(name))
            if not code:
                continue
            found = self.store.table("Accounts").by("code", lookup_key(code))
            if not found or found[0]["Status"] != "ACTIVE":
                problems.append(
                    f"Account code '{code}' is not a valid code for the {kind} details of an item."
                )
            details[name] = code
        tax_type = reading.read_text(sent.get("TaxType"))
        if tax_type:
            if not self.store.table("TaxRates").by("tax_type", lookup_key(tax_type)):
                problems.append(
                    f"The TaxType code '{tax_type}' does not exist or cannot be used for this type of transaction."
                )
            details["TaxType"] = tax_type
        return details

    def _check(self, changed: Row, row: Row | None, problems: list[str]) -> None:
        code = changed.get("Code")
        if (row is None and not code) or code == "":
            problems.append("Price List Item Code must be supplied")
        own = row["ItemID"] if row else None
        if code and any(other["ItemID"] != own for other in self.table.by("code", lookup_key(code))):
            problems.append(_taken(code))

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The item; answers to writes have `UpdatedDateUTC` without offset, lists with it (recorded)."""
        shown: Element = {"ItemID": row["ItemID"], "Code": row["Code"]}
        shown.update(
            {name: row[name] for name in ("Name", "Description", "PurchaseDescription") if row.get(name)}
        )
        shown["UpdatedDateUTC"] = (wire.ms_bare if view == "write" else wire.ms)(row["UpdatedDateUTC"])
        shown["PurchaseDetails"] = row.get("PurchaseDetails", {})
        shown["SalesDetails"] = row.get("SalesDetails", {})
        shown["IsTrackedAsInventory"] = False
        shown["IsSold"], shown["IsPurchased"] = row["IsSold"], row["IsPurchased"]
        return shown

    def delete(self, row: Row, ctx: Context) -> None:
        """Takes the item out of the price list; documents keep its code."""
        self.table.remove(row["ItemID"])


def _taken(code: str) -> str:
    """Xero OpenAPI."""
    return f"Price List Item with Code '{code}' already exists"


def _echo(element: Mapping[str, Any], row: Row | None = None) -> Element:
    echo: Element = {"ItemID": row["ItemID"] if row else wire.ZERO_GUID}
    echo.update(
        {name: element[name] for name in ("Code", "Name", "Description") if element.get(name) is not None}
    )
    return {**echo, "IsSold": element.get("IsSold", True), "IsPurchased": element.get("IsPurchased", True)}
