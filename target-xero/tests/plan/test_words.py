"""What a plan's page calls Xero's fields."""

from __future__ import annotations

import pytest
from target_xero.preview import words


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Name", "Name"),
        ("AccountNumber", "Account number"),
        ("EmailAddress", "E-mail address"),
        ("Addresses[POBOX].AddressLine1", "Postal address, line 1"),
        ("Addresses[STREET].City", "Street address, city"),
        ("Phones[DEFAULT].PhoneNumber", "Telephone"),
        ("Phones[MOBILE].PhoneAreaCode", "Mobile, area code"),
        ("ContactPersons[1].FirstName", "Contact person 2, first name"),
        ("PaymentTerms.Sales.Day", "Payment terms, sales, day"),
        ("SalesDetails.UnitPrice", "Sales details, unit price"),
        ("Line 1 Description", "Line 1 description"),
        ("ContactID", "Contact ID"),
    ],
)
def test_fields_are_said_in_words(path: str, said: str) -> None:
    assert words.field(path) == said


@pytest.mark.parametrize(
    ("path", "shown", "said"),
    [
        ("PaymentTerms.Sales.Type", "DAYSAFTERBILLDATE", "days after the invoice date"),
        ("LineAmountTypes", "Inclusive", "with tax"),
        ("Name", "Inclusive", "Inclusive"),
        ("PaymentTerms.Sales.Day", "60", "60"),
    ],
)
def test_codes_are_said_in_words_and_names_are_left_alone(path: str, shown: str, said: str) -> None:
    assert words.value(path, shown) == said


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("1273.5", "1,273.50"),
        ("1450", "1,450.00"),
        ("0.0125", "0.0125"),
        ("-8", "-8.00"),
        ("0", "0.00"),
        ("", ""),
    ],
)
def test_prices_have_cents_and_all_their_digits(shown: str, said: str) -> None:
    assert words.price(shown) == said
