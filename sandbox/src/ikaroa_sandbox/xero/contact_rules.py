"""What a contact must be to be accepted. Texts that Xero publishes or was recorded with are marked; the others are ours.

Sources: Xero OpenAPI 16.1.0 (lengths, e-mail, name), recorded traffic (duplicate name, archived contact), issue threads
(contact number).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ikaroa_sandbox.core import Variants
from ikaroa_sandbox.xero import errors, limits, reading
from ikaroa_sandbox.xero.store import Row

ARCHIVED = "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via the API."
"""Recorded."""
NOT_IDENTIFIED = "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, ContactNumber"
"""Xero OpenAPI."""
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
"""Issue threads."""
EMAIL_INVALID = "Email address must be valid."
"""Xero OpenAPI."""

STATUSES = ("ACTIVE", "ARCHIVED", "GDPRREQUEST")

TEXTS = {
    "ContactNumber": limits.CONTACT_NUMBER,
    "AccountNumber": limits.ACCOUNT_NUMBER,
    "FirstName": limits.PERSON_NAME,
    "LastName": limits.PERSON_NAME,
    "CompanyNumber": limits.COMPANY_NUMBER,
    "EmailAddress": limits.EMAIL,
    "BankAccountDetails": limits.BANK_DETAILS,
    "TaxNumber": limits.TAX_NUMBER,
}
"""Plain text fields and the most characters they take."""

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_PAYMENT_TYPES = ("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH")


def name_taken(name: str) -> str:
    """Recorded: the name is held by another active contact."""
    return f"The contact name {name} is already assigned to another contact. The contact name must be unique across all active contacts."


def read_name(element: Mapping[str, Any], variants: Variants, problems: list[str]) -> str | None:
    """The name as it will be kept, or None when none is sent."""
    name = reading.read_text(element.get("Name"))
    if name is None:
        return None
    if name != name.strip(" ") or "  " in name:
        if variants["xero.contacts.name_spaces"] == "trimmed":
            name = re.sub(" {2,}", " ", name).strip()
        else:
            problems.append(
                "The contact name must not begin or end with a space or contain two spaces in a row."
            )
    if len(name) > limits.CONTACT_NAME and variants["xero.contacts.name_length"] == "refused":
        problems.append(f"The Name field must not be longer than {limits.CONTACT_NAME} characters.")
    return name


def read_texts(element: Mapping[str, Any], problems: list[str]) -> Row:
    """The plain text fields that are sent."""
    found: Row = {}
    for name, longest in TEXTS.items():
        text = reading.read_text(element.get(name))
        if text is None:
            continue
        if len(text) > longest:
            problems.append(f"The {name} field must not be longer than {longest} characters.")
        found[name] = text
    if found.get("EmailAddress") and not _EMAIL.fullmatch(found["EmailAddress"]):
        problems.append(EMAIL_INVALID)
    return found


def read_persons(sent: Any, problems: list[str]) -> list[Row]:
    """The contact persons of a body, each with all four fields."""
    persons: list[Row] = []
    for entry in reading.read_objects(sent, "ContactPersons"):
        person = {
            name: reading.read_text(entry.get(name)) or ""
            for name in ("FirstName", "LastName", "EmailAddress")
        }
        persons.append(
            {**person, "IncludeInEmails": reading.read_bool(entry.get("IncludeInEmails")) or False}
        )
        if person["EmailAddress"] and not _EMAIL.fullmatch(person["EmailAddress"]):
            problems.append(EMAIL_INVALID)
        if any(len(person[name]) > limits.PERSON_NAME for name in person):
            problems.append(
                f"The fields of a contact person must not be longer than {limits.PERSON_NAME} characters."
            )
    if len(persons) > limits.CONTACT_PERSONS:
        problems.append(f"A contact can have at most {limits.CONTACT_PERSONS} contact persons.")
    return persons


def read_payment_terms(sent: Any, kept: Mapping[str, Row] | None, problems: list[str]) -> dict[str, Row]:
    """`{"Bills": {"Day", "Type"}, "Sales": {…}}`; a side that is not sent stays."""
    terms = dict(kept or {})
    for side in ("Bills", "Sales"):
        entry = reading.read_object(reading.read_object(sent, "PaymentTerms").get(side), side)
        if not entry:
            continue
        kind, day = (
            (reading.read_text(entry.get("Type")) or "").upper(),
            reading.read_decimal(entry.get("Day")),
        )
        if kind not in _PAYMENT_TYPES:
            raise errors.PostDataInvalid(
                f"Error converting value \"{entry.get('Type')}\" to type 'PaymentTermType'."
            )
        most = limits.TERMS_DAY_OF_MONTH if kind.startswith("OF") else limits.TERMS_DAYS
        if day is None or day != int(day) or not 0 <= day <= most:
            problems.append(f"The Day of payment terms of type {kind} must be a whole number up to {most}.")
        else:
            terms[side] = {"Day": int(day), "Type": kind}
    return terms
