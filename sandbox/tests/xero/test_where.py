"""`where`: Xero developer docs for the syntax, recorded and reported texts for the errors."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from ikaroa_sandbox.xero import errors
from ikaroa_sandbox.xero.resource import stored
from ikaroa_sandbox.xero.where import parse

ID = "50e70000-1111-4222-8333-444455556666"
ROW = {
    "InvoiceID": ID,
    "Reference": 'A "B" SF-006',
    "Empty": "",
    "Total": Decimal("120.50"),
    "Date": date(2026, 11, 2),
    "Updated": datetime(2026, 11, 2, 9, 30, tzinfo=timezone.utc),
    "Sent": True,
    "Contact.Name": "Café Müller",
}
FIELDS = {
    name.lower(): stored(name, kind, optimised=optimised)
    for name, kind, optimised in (
        ("InvoiceID", "guid", True),
        ("Reference", "text", True),
        ("Empty", "text", False),
        ("Total", "number", False),
        ("Date", "date", True),
        ("Updated", "date", False),
        ("Sent", "bool", False),
        ("Contact.Name", "text", True),
    )
}


def matches(where: str) -> bool:
    return parse(where, FIELDS, "Invoice").matches(ROW)


@pytest.mark.parametrize(
    "where",
    [
        'Reference=="A ""B"" SF-006"',
        'Reference = "a ""b"" sf-006"',
        'Reference.Contains("SF-006")',
        'Reference.StartsWith("A ")',
        'Reference.EndsWith("006") AND Total > 100',
        'Reference.ToLower().Contains("sf-006")',
        'Reference!=null && Reference.StartsWith("A")',
        "Empty == null",
        'Empty=="x" OR Total==120.50',
        'Empty=="x" || Total>=120.5',
        'Total<200 AND (Empty=="x" OR Sent==true)',
        f'InvoiceID == guid("{ID}")',
        f'InvoiceID=Guid("{ID.upper()}")',
        f'InvoiceID != Guid("{ID[:-1]}7")',
        "Date == DateTime(2026, 11, 02)",
        "Date>=DateTime(2026,11,2) AND Date<DateTime(2026,11,3)",
        "Updated > DateTime(2026, 11, 2, 9, 29, 59)",
        'Date>=DateTime.Parse("2026-11-02")',
        "Sent",
        "Sent == true and not Sent == false",
        "!(Total < 100)",
        'Contact.Name == "cafe muller"',
        'contact.name=="CAFÉ MÜLLER"',
        "  Total   ==   120.50  ",
        "Total <> 1",
    ],
)
def test_a_condition_that_holds_keeps_the_row(where):
    assert matches(where) is True


@pytest.mark.parametrize(
    "where",
    [
        'Reference=="SF-006"',
        "Empty != null",
        'Empty=="x"',
        'Empty != null AND Empty.Contains("x")',
        "Total > 120.50",
        "Date > DateTime(2026,11,2)",
        'Sent==true AND Total==1 OR Empty=="y"',
        "Sent == false",
    ],
)
def test_a_condition_that_does_not_hold_leaves_the_row_out(where):
    assert matches(where) is False


def test_and_binds_closer_than_or():
    assert matches('Sent==true OR Total==1 AND Empty=="y"') is True


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("Colour==1", "No property or field 'Colour' exists in type 'Invoice'"),
        ('Name=="Bat "QUOTE" Man"', "No property or field 'Name' exists in type 'Invoice'"),
        ('Reference=="Bat "QUOTE" Man"', "Syntax error"),
        ('Reference=="A \\"B\\""', "Syntax error"),
        ("Reference==", "Expression expected"),
        ("== 3", "Expression expected"),
        ("(Total==1", "')' or operator expected"),
        ('Reference=="open', "Unterminated string literal"),
        (f'InvoiceID=="{ID}"', "Operator '==' incompatible with operand types 'Guid' and 'String'"),
        ('Total=="120.50"', "Operator '==' incompatible with operand types 'Decimal' and 'String'"),
        ('Date>="2026-01-01"', "Operator '>=' incompatible with operand types 'DateTime' and 'String'"),
        ("Sent > true", "Operator '>' incompatible with operand types 'Boolean' and 'Boolean'"),
        ("Total", "Expression of type 'Boolean' expected"),
        ("Total==1 Sent", "Syntax error"),
        ("Total==1 AND", "Expression expected"),
        ('Total.Contains("1")', "No applicable method 'Contains' exists in type 'Decimal'"),
        ("Reference.Shoe==1", "No property or field 'Shoe' exists in type 'String'"),
        ('Reference.Matches("x")', "No applicable method 'Matches' exists in type 'String'"),
        ("Contact.Shoe==1", "No property or field 'Shoe' exists in type 'Invoice'"),
        ("Reference='x'", "Syntax error"),
        (
            "Date==DateTime(2026,13,1)",
            "Year, Month, and Day parameters describe an un-representable DateTime.",
        ),
        (
            "Date==DateTime(2026.5,1,1)",
            "Year, Month, and Day parameters describe an un-representable DateTime.",
        ),
        ("Total==1 ; Sent", "Syntax error"),
    ],
)
def test_what_is_not_understood_is_a_query_parse_exception(where, message):
    with pytest.raises(errors.QueryParseError) as caught:
        matches(where)
    assert caught.value.content() == {"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}


def test_contains_on_a_missing_value_fails_as_reported_unless_null_is_checked_first():
    with pytest.raises(errors.UnknownError):
        parse('Empty.Contains("x")', FIELDS, "Invoice", missing_fails=True).matches(ROW)
    guarded = parse('Empty!=null AND Empty.Contains("x")', FIELDS, "Invoice", missing_fails=True)
    assert guarded.matches(ROW) is False


def test_texts_may_compare_exactly_too():
    assert parse('Contact.Name=="cafe muller"', FIELDS, "Invoice", folding=str).matches(ROW) is False


@pytest.mark.parametrize(
    ("where", "optimised"),
    [
        ('Reference=="x" AND Date>DateTime(2026,1,1)', True),
        ("Total>1", False),
        (f'InvoiceID==guid("{ID}") OR InvoiceID==guid("{ID}")', True),
        ('Reference=="x" OR Contact.Name=="y"', False),
    ],
)
def test_optimised_means_known_fields_and_or_over_one_id_alone(where, optimised):
    assert parse(where, FIELDS, "Invoice").optimised is optimised


@pytest.mark.parametrize(
    ("path", "where", "named"),
    [
        ("Invoices", "LineItems.Count>0", "LineItems"),
        ("Invoices", "Contact.EmailAddress!=null", "Contact.EmailAddress"),
        ("Invoices", "Date.Year==2026", "Year"),
        ("Contacts", "Addresses!=null", "Addresses"),
        ("Contacts", "Name.Length>3", "Length"),
        ("Contacts", 'Name.Equals("x")', "Equals"),
        ("Payments", 'Account.Type=="BANK"', "Account.Type"),
        ("Items", "SalesDetails.UnitPrice>1", "SalesDetails"),
    ],
)
def test_what_the_platform_has_and_the_sandbox_not_is_501_by_name_and_no_stranger(xero, path, where, named):
    answer = xero.get(path, where=where)
    assert (answer.status, named in answer.json["Message"]) == (501, True)


def test_an_order_by_what_the_sandbox_does_not_order_by_is_501_by_name(xero):
    answer = xero.get("Contacts", order="Website")
    assert (answer.status, "Website" in answer.json["Message"]) == (501, True)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("Invoices", "ExpectedPaymentDate==null AND PlannedPaymentDate==null AND TotalDiscount==0"),
        ("Payments", 'Account.Code=="090" AND Account.Name!=null AND CurrencyRate==1'),
        ("TaxRates", "DisplayTaxRate>5"),
        (
            "CreditNotes",
            "AppliedAmount>=0 AND CurrencyRate==1 AND LineAmountTypes!=null AND SentToContact==false",
        ),
        ("Accounts", "HasAttachments==false"),
        ("BrandingThemes", "SortOrder==0"),
        ("TrackingCategories", "TrackingCategoryID!=null"),
        ("Quotes", 'Contact.Name=="nobody" OR SubTotal>0 OR Reference!=null'),
    ],
)
def test_what_a_record_shows_can_be_asked_for(xero, path, where):
    xero.backend.seed(7, "default")
    answer = xero.get(path, where=where)
    assert answer.status == 200, answer.json
    assert bool(answer.json[path]) is (path != "Quotes")
