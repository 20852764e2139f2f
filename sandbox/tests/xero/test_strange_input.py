"""Bad input is answered with a 4xx of Xero's own shape, never with an exception of the sandbox's own."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

JUNK = (
    None,
    "",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    [1],
    [None],
    {"a": 1},
    "x",
    "9" * 400,
    "é",
    [[]],
    10**30,
    "1e400",
    "\x00",
)
BODIES: dict[str, dict[str, Any]] = {
    "Contacts": {
        "ContactID": None,
        "Name": "N",
        "ContactNumber": "1",
        "EmailAddress": "a@b.example",
        "ContactStatus": "ACTIVE",
        "Addresses": [{"AddressType": "STREET", "City": "x"}],
        "Phones": [{"PhoneType": "DDI", "PhoneNumber": "1"}],
        "ContactPersons": [{"FirstName": "a", "IncludeInEmails": True}],
        "PaymentTerms": {"Sales": {"Day": 3, "Type": "OFCURRENTMONTH"}},
        "SalesTrackingCategories": [{"TrackingCategoryName": "Region"}],
        "SalesDefaultAccountCode": "200",
        "AccountsReceivableTaxType": "NONE",
    },
    "Items": {
        "ItemID": None,
        "Code": "A",
        "Name": "x",
        "IsSold": True,
        "SalesDetails": {"UnitPrice": 1, "AccountCode": "200", "TaxType": "NONE"},
    },
    "Accounts": {"Code": "A", "Name": "x", "Type": "REVENUE", "EnablePaymentsToAccount": True},
    "Invoices": {
        "Type": "ACCREC",
        "Contact": {"Name": "N"},
        "Date": "2026-11-01",
        "DueDate": "2026-11-30",
        "Status": "AUTHORISED",
        "CurrencyCode": "GBP",
        "LineItems": [
            {
                "Description": "x",
                "Quantity": 1,
                "UnitAmount": 1.5,
                "AccountCode": "200",
                "Tracking": [{"Name": "Region"}],
            }
        ],
    },
}
WHERES = (
    'Name=="A"',
    'ContactID==guid("x")',
    "UpdatedDateUTC>=DateTime(2026,1,1)",
    'Name.Contains("x") AND IsCustomer==true',
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


@pytest.mark.parametrize("name", BODIES)
def test_any_junk_anywhere_in_a_body_is_answered(xero, name):
    xero.edit("set_limits", minute=10**6, day=10**6)
    chance = random.Random(name)
    for _ in range(400):
        element = copy.deepcopy(BODIES[name])
        *path, last = chance.choice(list(places(element)))
        at: Any = element
        for key in path:
            at = at[key]
        at[last] = copy.deepcopy(chance.choice(JUNK))
        answer = xero.call(chance.choice(("PUT", "POST")), name, {name: [element]}, summarizeErrors="false")
        assert answer.status in {200, 400, 404}, element
        if answer.status != 404:
            json.loads(answer.body)


def test_any_damage_to_a_where_is_answered(xero):
    xero.edit("set_limits", minute=10**6, day=10**6)
    xero.contact("A")
    chance = random.Random(1)
    for _ in range(600):
        text = list(chance.choice(WHERES))
        for _ in range(chance.randint(1, 3)):
            position = chance.randrange(len(text))
            text[position : position + chance.randint(0, 2)] = chance.choice(
                ('"', "(", ")", ".", "=", " ", "é", "5", "null", "!", ",")
            )
        answer = xero.get("Contacts", where="".join(text))
        assert answer.status in {200, 400, 500}, "".join(text)
        if answer.status == 400:
            assert answer.json["Type"] == "QueryParseException"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"grant_type", b"grant_type=client_credentials&scope=%ff", b"{}"]
)
def test_any_form_at_the_token_end_point_is_answered(xero, body):
    for authorization in ("", "Basic", "Basic !!!", "Basic " + "QQ==", "Bearer x"):
        assert xero.raw("POST", "/connect/token", body=body, Authorization=authorization).status == 400
