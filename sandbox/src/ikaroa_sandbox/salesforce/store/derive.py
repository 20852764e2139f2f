"""Values that Salesforce works out itself when a record is saved. Pure: rows in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.values import Value, round_half_up

CURRENCY_DECIMALS = 2
CENT = Decimal("0.01")
PERSON_TO_CONTACT = {
    "FirstName": "FirstName",
    "LastName": "LastName",
    "Salutation": "Salutation",
    "PersonEmail": "Email",
    "PersonMobilePhone": "MobilePhone",
    "PersonHomePhone": "HomePhone",
    "PersonTitle": "Title",
    "PersonDepartment": "Department",
    "PersonBirthdate": "Birthdate",
    "PersonLeadSource": "LeadSource",
    "Billing__pc": "Billing__c",
    **{
        f"PersonMailing{part}": f"Mailing{part}"
        for part in ("Street", "City", "State", "PostalCode", "Country")
    },
}
"""Fields of a person account that are its contact's fields under another name."""


@dataclass(frozen=True)
class Stage:
    """What a stage means, as OpportunityStage says."""

    name: str
    probability: Decimal
    category: str
    category_name: str
    closed: bool = False
    won: bool = False


def full_name(first: Value, last: Value) -> str:
    """First and last name; the salutation is no part of Name on REST."""
    return " ".join(str(part) for part in (first, last) if part)


def fiscal(close: Value) -> Row:
    """The fiscal period of a close date, for a fiscal year that is the calendar year."""
    if not isinstance(close, str):
        return {"FiscalYear": None, "FiscalQuarter": None, "Fiscal": None}
    day = date.fromisoformat(close)
    quarter = (day.month + 2) // 3
    return {"FiscalYear": day.year, "FiscalQuarter": quarter, "Fiscal": f"{day.year} {quarter}"}


def expected_revenue(amount: Value, probability: Value) -> Decimal | None:
    """Amount times probability, to the cent."""
    if amount is None or isinstance(amount, str):
        return None
    share = Decimal(probability or 0) if not isinstance(probability, str) else Decimal(0)
    return round_half_up(Decimal(amount) * share / 100, CURRENCY_DECIMALS)


def stage_facts(stage: Stage) -> Row:
    """What a change of stage sets on the opportunity."""
    return {
        "StageName": stage.name,
        "IsClosed": stage.closed,
        "IsWon": stage.won,
        "Probability": stage.probability,
        "ForecastCategory": stage.category,
        "ForecastCategoryName": stage.category_name,
    }


def line_total(
    unit_price: Decimal, quantity: Decimal, discount: Decimal | None, *, half_even: bool = False
) -> tuple[Decimal, Decimal]:
    """Subtotal and TotalPrice of a line, each rounded once from the exact product."""
    exact = unit_price * quantity
    total = exact * (1 - (discount or Decimal(0)) / 100)
    rounding = ROUND_HALF_EVEN if half_even else ROUND_HALF_UP
    return exact.quantize(CENT, rounding=rounding), total.quantize(CENT, rounding=rounding)


def contact_of_person(account: Row) -> Row:
    """The contact fields that a person account's own fields stand for."""
    return {theirs: account.get(ours) for ours, theirs in PERSON_TO_CONTACT.items()}


def person_of_contact(contact: Row) -> Row:
    """The person account fields that its contact's fields stand for."""
    return {ours: contact.get(theirs) for ours, theirs in PERSON_TO_CONTACT.items()}
