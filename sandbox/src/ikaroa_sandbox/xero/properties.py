"""What Xero's records have that the sandbox neither filters nor orders by: named in a refusal, never called unknown.

To answer "No property or field" for one of these would put words into Xero's mouth. Source: Xero OpenAPI 16.1.0.
"""

from __future__ import annotations

_EVERY_DOCUMENT = frozenset(
    "Attachments CISDeduction CISRate Contact HasErrors InvoiceAddresses IsDiscounted LineItems Payments StatusAttributeString "
    "UpdatedDateUTCString ValidationErrors Warnings DateString DueDateString".lower().split()
)
_OWN: dict[str, str] = {
    "Account": "BankAccountType AddToWatchlist ShowInExpenseClaims ReportingCode ReportingCodeName Description",
    "BrandingTheme": "LogoUrl Type CreatedDateUTC",
    "Contact": "AccountsPayableTaxType AccountsReceivableTaxType Addresses Attachments Balances BankAccountDetails BatchPayments "
    "BrandingTheme ContactGroups ContactPersons Discount HasValidationErrors MergedToContactID PaymentTerms Phones "
    "PurchasesDefaultAccountCode PurchasesDefaultLineAmountType PurchasesTrackingCategories SalesDefaultAccountCode "
    "SalesDefaultLineAmountType SalesTrackingCategories Website XeroNetworkKey",
    "CreditNote": "Allocations DueDate FullyPaidOnDate",
    "Invoice": "CreditNotes Overpayments Prepayments EnteredTotal RepeatingInvoiceID RoundingAmount",
    "Item": "InventoryAssetAccountCode IsTrackedAsInventory PurchaseDetails QuantityOnHand SalesDetails TotalCostPool",
    "Organisation": "APIKey Addresses BaseCurrency Class CountryCode CreatedDateUTC OrganisationID ShortCode",
    "Payment": "Account BankAccountNumber BatchPayment BatchPaymentID Code CreditNote CreditNoteNumber Details HasAccount Invoice "
    "InvoiceNumber Overpayment Particulars Prepayment",
    "Quote": "ExpiryDateString Summary Terms",
    "TaxRate": "CanApplyToAssets CanApplyToEquity CanApplyToExpenses CanApplyToLiabilities CanApplyToRevenue ReportTaxType "
    "TaxComponents",
    "TrackingCategory": "Option Options TrackingOptionID",
}
_DOCUMENTS = frozenset({"CreditNote", "Invoice", "Payment", "Quote"})
_BY_TYPE = {name: frozenset(text.lower().split()) for name, text in _OWN.items()}

MEMBERS: dict[str, frozenset[str]] = {
    "text": frozenset(
        {"equals", "length", "substring", "indexof", "replace", "compareto", "trimstart", "trimend"}
    ),
    "date": frozenset(
        {"year", "month", "day", "date", "hour", "adddays", "addmonths", "addyears", "tostring"}
    ),
    "number": frozenset({"tostring", "equals", "compareto"}),
    "guid": frozenset({"tostring", "equals"}),
    "bool": frozenset({"tostring", "equals"}),
}
"""Methods and properties that values of Xero's platform have, in lower case, by the kind of value; not simulated."""


_INNER = {
    "contact": "AccountNumber CompanyNumber ContactStatus DefaultCurrency EmailAddress FirstName IsCustomer IsSupplier LastName "
    "TaxNumber UpdatedDateUTC",
    "account": "Class CurrencyCode Status SystemAccount TaxType Type",
    "invoice": "AmountDue AmountPaid Contact CurrencyCode Date DueDate Reference Status SubTotal Total TotalTax Type",
}
_BY_INNER = {name: frozenset(text.lower().split()) for name, text in _INNER.items()}
"""What may follow the name of a record within a record."""


def exists(type_name: str, path: str) -> bool:
    """Whether a record of this type has such a property on the real platform."""
    first, _, rest = path.lower().partition(".")
    if first in _BY_INNER and rest:
        return type_name in _DOCUMENTS and rest.partition(".")[0] in _BY_INNER[first]
    own = _BY_TYPE.get(type_name, frozenset())
    return first in own or (type_name in _DOCUMENTS and first in _EVERY_DOCUMENT)
