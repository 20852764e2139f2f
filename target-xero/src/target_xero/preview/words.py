"""Xero's field names as people in accounting say them: `Addresses[POBOX].City` is the postal address, city."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

ACTIONS = {
    "create": "to create", "update": "to update", "delete": "to delete", "void": "to void", "archive": "to archive",
    "link": "to link", "wait": "waiting", "refuse": "refused", "park": "parked", "left": "left alone",
}  # fmt: skip
_PARTS = {
    "Addresses[POBOX]": "Postal address", "Addresses[STREET]": "Street address", "Addresses[DELIVERY]": "Delivery address",
    "Phones[DEFAULT]": "Telephone", "Phones[MOBILE]": "Mobile", "Phones[FAX]": "Fax", "Phones[DDI]": "Direct dial",
    "PhoneNumber": "", "PhoneAreaCode": "area code", "PhoneCountryCode": "country code",
    "EmailAddress": "e-mail address", "LineAmountTypes": "amounts are",
}  # fmt: skip
_VALUES = {
    "Exclusive": "before tax", "Inclusive": "with tax", "NoTax": "without tax",
    "DAYSAFTERBILLDATE": "days after the invoice date", "DAYSAFTERBILLMONTH": "days after the end of the invoice month",
    "OFCURRENTMONTH": "of the current month", "OFFOLLOWINGMONTH": "of the following month",
}  # fmt: skip
_WORDED = ("LineAmountTypes", "PaymentTerms.")
_LINE = re.compile(r"AddressLine(\d)")
_COUNTED = re.compile(r"(.+?)s?\[(\d+)\]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=\d)")


def field(path: str) -> str:
    """A field's path in words, the greatest part first."""
    said = ", ".join(word for part in path.split(".") if (word := _part(part)))
    return said[:1].upper() + said[1:]


def value(path: str, shown: str) -> str:
    """A field's value; a code of Xero's in words."""
    return _VALUES.get(shown, shown) if path.startswith(_WORDED) else shown


def price(shown: str) -> str:
    """A unit price, to the cent at least, with all the digits it has."""
    try:
        exact = Decimal(shown)
    except InvalidOperation:
        return shown
    places = max(2, -int(exact.normalize().as_tuple().exponent))
    return f"{exact:,.{places}f}"


def _part(part: str) -> str:
    if part in _PARTS:
        return _PARTS[part]
    part = _LINE.sub(r"Line\1", part)
    counted = _COUNTED.fullmatch(part)
    if counted:
        return f"{_humps(counted[1])} {int(counted[2]) + 1}"
    return _humps(part)


def _humps(name: str) -> str:
    """`AccountNumber` as `account number`; what is all capitals stays."""
    return " ".join(
        word if word.isupper() and len(word) > 1 else word.lower() for word in _HUMP.sub(" ", name).split()
    )
