"""A contact's five key sets.

Recorded: tracking lists stand in write answers, `HasAttachments` in reads, `Attachments` in a single read only.
Documented: `MergedToContactID` and balances need paging or a single read; `summaryOnly` drops what costs to fetch.
"""

from __future__ import annotations

from decimal import Decimal

from ikaroa_sandbox.xero import attachments, slots, wire
from ikaroa_sandbox.xero.contact_groups import groups_of
from ikaroa_sandbox.xero.resource import Context, Element, View
from ikaroa_sandbox.xero.store import Row, Store

_FIRST = (
    "ContactID",
    "ContactNumber",
    "AccountNumber",
    "ContactStatus",
    "Name",
    "FirstName",
    "LastName",
    "CompanyNumber",
    "EmailAddress",
    "BankAccountDetails",
    "TaxNumber",
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
)
_ALWAYS = frozenset(
    {"ContactID", "ContactStatus", "Name", "FirstName", "LastName", "EmailAddress", "BankAccountDetails"}
)
_DEFAULTS = ("SalesDefaultAccountCode", "PurchasesDefaultAccountCode", "PaymentTerms")


def present(row: Row, view: View, ctx: Context) -> Element:
    """The contact as this kind of answer shows it."""
    shown: Element = {name: row[name] for name in _FIRST if name in _ALWAYS or row.get(name)}
    shown["UpdatedDateUTC"] = wire.ms(row["UpdatedDateUTC"])
    if row.get("DefaultCurrency"):
        shown["DefaultCurrency"] = row["DefaultCurrency"]
    if row.get("MergedToContactID") and view in {"single", "page"}:
        shown["MergedToContactID"] = row["MergedToContactID"]
    if view == "summary":
        held = attachments.has(ctx.store, row["ContactID"])
        return {**shown, "HasAttachments": held, "HasValidationErrors": False}
    shown["Addresses"] = slots.show_addresses(row["Addresses"], bare=row["Bare"])
    shown["Phones"] = slots.show_phones(row["Phones"], bare=row["Bare"])
    shown["ContactGroups"] = groups_of(ctx.store, row["ContactID"])
    shown["IsSupplier"], shown["IsCustomer"] = row["IsSupplier"], row["IsCustomer"]
    shown.update({name: row[name] for name in _DEFAULTS if row.get(name)})
    _tracking(shown, row, view)
    if view != "list":
        shown["ContactPersons"] = row["ContactPersons"]
    if view in {"single", "page"} and (balances := outstanding(ctx.store, row["ContactID"])):
        shown["Balances"] = balances
    if view != "write":
        shown["HasAttachments"] = attachments.has(ctx.store, row["ContactID"])
    if view == "single":
        shown["Attachments"] = attachments.listed(ctx.store, row["ContactID"])
    shown["HasValidationErrors"] = False
    return shown


def _tracking(shown: Element, row: Row, view: View) -> None:
    for name in ("SalesTrackingCategories", "PurchasesTrackingCategories"):
        if view == "write" or (view != "list" and row.get(name)):
            shown[name] = row.get(name, [])


def outstanding(store: Store, contact_id: str) -> Element | None:
    """`Balances` from the contact's open invoices and bills, in the base currency; None where nothing is open."""
    invoices = store.tables.get("Invoices")
    if invoices is None:
        return None
    today, zero = store.today(), Decimal("0.00")
    sums = {
        side: {"Outstanding": zero, "Overdue": zero} for side in ("AccountsReceivable", "AccountsPayable")
    }
    for row in invoices.by("contact", contact_id):
        if row["Status"] != "AUTHORISED" or not row["AmountDue"]:
            continue
        side = sums["AccountsReceivable" if row["Type"] == "ACCREC" else "AccountsPayable"]
        amount = (row["AmountDue"] / (row.get("CurrencyRate") or 1)).quantize(zero)
        side["Outstanding"] += amount
        if row.get("DueDate") and row["DueDate"] < today:
            side["Overdue"] += amount
    return sums if any(side["Outstanding"] for side in sums.values()) else None
