"""The accounting documents: the one contract between a mapping and target-xero.

Names in PascalCase are Xero's own and go to Xero as they stand; names in snake_case are ours and stay here.
Money and quantities are JSON numbers or text holding a decimal number; both are read as `Decimal`, digits kept.
Dates are `YYYY-MM-DD` (a business date, no time zone).

Every document has
    source_key          the source's own key: one key, at most one document of its kind in Xero
    source_modified_at  when the source last changed it (newest of all records it was made of); for people, not compared
    source_label        how a person would call the record, e.g. `Opportunity "Acme - 100 widgets"`
    source_url          where a person finds it
    organisation        which Xero organisation it is for, where target-xero writes to several: what its setting calls one
    marker              short text that names the source for good and is written into Xero (default: source_key)
    withdrawn           the source no longer calls for this document: nothing if there is none, a draft is deleted,
                        anything further on is left alone and reported
    refusals            what the mapping itself found wrong: the document is kept as refused, never sent
and refers to another document by that document's source_key (`contact_key`, `item_key`, `invoice_key`).

What is absent, null or empty text says nothing: what Xero has there stays. A list is always the whole list: an empty one
says that there is nothing left (`ContactPersons: []` removes them), an absent one says nothing.

Reference and marker: on invoices, credit notes and payments the target writes `{Reference} · {marker}` (the marker alone
where there is no Reference); a mapping leaves room for that in Xero's 255 characters. A marker is never part of another.

Re-key: a `contacts` document with `previous_source_key` and without `Name` moves a link and touches no content:
    the old key has a link, the new one none    the Xero contact now belongs to the new key; the new key's own document
                                                (an ordinary one, perhaps in the same run) then updates it, ContactNumber too
    both have one, of different contacts        refused: "merge needed in Xero", both named; the API cannot merge contacts
    the old key has none                        nothing to do
In one run a re-key goes before any other document of its new key, in whatever order they come, or that document would
make a second contact. With `Name` it does both: first the link, then the content.

Withdrawn documents carry only the common fields. One that was never made is nothing to do, and is no news for a report:
a mapping sends them for every record that does not call for a document now, because it does not know what was made before.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "integer", "string", "null"]}
DATE: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": ["boolean", "null"]}


def _object(**properties: Schema) -> Schema:
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _list(item: Schema) -> Schema:
    return {"type": ["array", "null"], "items": item}


REFUSAL = _object(rule=TEXT, field=TEXT, value=TEXT, cure=TEXT)

COMMON: dict[str, Schema] = {
    "source_key": {"type": "string", "minLength": 1, "maxLength": 100},
    "source_modified_at": TEXT,
    "source_label": TEXT,
    "source_url": TEXT,
    "organisation": TEXT,
    "marker": TEXT,
    "withdrawn": FLAG,
    "refusals": _list(REFUSAL),
}

ADDRESS = _object(
    AddressType=TEXT, AddressLine1=TEXT, AddressLine2=TEXT, AddressLine3=TEXT, AddressLine4=TEXT,
    City=TEXT, Region=TEXT, PostalCode=TEXT, Country=TEXT, AttentionTo=TEXT,
)  # fmt: skip
PHONE = _object(PhoneType=TEXT, PhoneNumber=TEXT, PhoneAreaCode=TEXT, PhoneCountryCode=TEXT)
PERSON = _object(FirstName=TEXT, LastName=TEXT, EmailAddress=TEXT, IncludeInEmails=FLAG)
TRACKING = _object(Name=TEXT, Option=TEXT)
PRICE = _object(UnitPrice=NUMBER, AccountCode=TEXT, TaxType=TEXT)

LINE = _object(
    line_key=TEXT,
    item_key=TEXT,
    expected_amount=NUMBER,
    Description=TEXT, Quantity=NUMBER, UnitAmount=NUMBER, DiscountRate=NUMBER, LineAmount=NUMBER,
    ItemCode=TEXT, AccountCode=TEXT, TaxType=TEXT, TaxAmount=NUMBER, Tracking=_list(TRACKING),
)  # fmt: skip
"""One line. `expected_amount` is the source's own line total before tax; it is compared, never sent."""

SALES: dict[str, Schema] = {
    "contact_key": TEXT,
    "expected_total": NUMBER,
    "expected_total_with_tax": NUMBER,
    "Reference": TEXT,
    "Date": DATE,
    "LineAmountTypes": TEXT,
    "CurrencyCode": TEXT,
    "CurrencyRate": NUMBER,
    "Status": TEXT,
    "BrandingTheme": TEXT,
    "LineItems": _list(LINE),
}
"""What invoices, quotes and credit notes share. `expected_total` is the source's own total before tax (of prices that include
it: as the prices go), `expected_total_with_tax` its total with tax; they are compared, never sent. `BrandingTheme` is a
name; the target finds its id."""


def _document(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**COMMON, **properties},
        "required": ["source_key"],
        "additionalProperties": False,
    }


DOCUMENTS: dict[str, Schema] = {
    "contacts": _document(
        previous_source_key=TEXT,  # the key this contact had before (a lead, before its conversion)
        Name=TEXT, ContactNumber=TEXT, AccountNumber=TEXT, FirstName=TEXT, LastName=TEXT, EmailAddress=TEXT,
        TaxNumber=TEXT, CompanyNumber=TEXT, DefaultCurrency=TEXT, ContactStatus=TEXT,
        Addresses=_list(ADDRESS), Phones=_list(PHONE), ContactPersons=_list(PERSON),
        PaymentTerms=_object(Sales=_object(Day=NUMBER, Type=TEXT), Bills=_object(Day=NUMBER, Type=TEXT)),
    ),
    "items": _document(
        Code=TEXT, Name=TEXT, Description=TEXT, IsSold=FLAG, SalesDetails=PRICE,
    ),
    "quotes": _document(
        **SALES,
        QuoteNumber=TEXT, Title=TEXT, Summary=TEXT, Terms=TEXT, ExpiryDate=DATE,
    ),
    "invoices": _document(
        **SALES,
        Type=TEXT, InvoiceNumber=TEXT, DueDate=DATE, Url=TEXT, ExpectedPaymentDate=DATE,
    ),
    "credit_notes": _document(
        **SALES,
        Type=TEXT, CreditNoteNumber=TEXT,
        allocations=_list(_object(invoice_key=TEXT, Amount=NUMBER, Date=DATE)),
    ),
    "payments": _document(
        invoice_key=TEXT, credit_note_key=TEXT,
        AccountCode=TEXT, Date=DATE, Amount=NUMBER, CurrencyRate=NUMBER, Reference=TEXT,
    ),
}  # fmt: skip
"""JSON Schema of each document stream, by stream name, in the order in which Xero needs them."""

KEY_PROPERTIES = ["source_key"]
