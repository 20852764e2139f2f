"""Without its mark, a document is told by what else it has: the customer, the reference, the day, the amount. Then a person is asked."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow

NUMBER = "PO 4711"


def by_hand(house: Any, reference: str, day: str, price: int, number: int = 1) -> None:
    """An invoice that people made for that customer."""
    house.load(("contacts", house.contact(number)))
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": price, "AccountCode": "200"}
    fields = {"Reference": reference, "Date": day, "LineItems": [line]}
    (customer,) = [c for c in house.books("Contacts") if c["Name"] == f"Customer {number}"]
    house.sandbox.edit(
        "xero", {"action": "create_invoice", "contact": customer["ContactID"], "fields": fields}
    )
    house.forget_exchanges()


def made(house: Any) -> int:
    return sum(e["method"] == "PUT" and e["path"].endswith("/Invoices") for e in house.exchanges())


@pytest.mark.parametrize(
    ("reference", "day", "price", "alike"),
    [
        ("PO 4711", "2026-11-02", 99, "reference 'PO 4711' and day"),
        ("po  4711", "2026-10-30", 20, ""),
        ("po  4711", "2026-11-02", 20, "reference 'po  4711' and day"),
    ],
)
def test_the_same_order_number_with_the_day_is_asked_about(
    house: Any, reference: str, day: str, price: int, alike: str
) -> None:
    by_hand(house, reference, day, price)
    ran = house.load(("invoices", house.invoice(1, 1, Reference=NUMBER)))
    assert ran.exit_code == int(bool(alike))
    assert made(house) == int(not alike)
    if alike:
        (problem,) = ran.target.outcome.problems
        assert problem["state"] == "parked"
        assert f"has the same customer, {alike} and belongs to no other document" in problem["note"]
        key = house.invoice(1, 1)["source_key"]
        assert house.command("retry", "--key", key).exit_code == 0, "a person says that it is another one"
        assert made(house) == 1


def test_the_same_order_number_with_the_amount_is_asked_about(house: Any) -> None:
    by_hand(house, NUMBER, "2026-10-30", 41)
    ran = house.load(("invoices", house.invoice(1, 1, lines=2, Reference=NUMBER)))
    assert (ran.exit_code, made(house)) == (1, 0)
    assert f"the same customer, reference '{NUMBER}' and amount" in ran.target.outcome.problems[0]["note"]


@pytest.mark.parametrize(
    ("reference", "day", "number"),
    [
        ("PO 4712", "2026-11-02", 1),
        ("", "2026-11-02", 1),
        (NUMBER, "2026-10-30", 1),
        (NUMBER, "2026-11-02", 2),
    ],
)
def test_another_number_another_part_and_another_customer_are_no_question(
    house: Any, reference: str, day: str, number: int
) -> None:
    by_hand(house, reference, day, 99, number)
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, Reference=NUMBER)))
    assert (ran.exit_code, made(house)) == (0, 1), ran.told


def test_instalments_of_one_order_are_no_question(house: Any) -> None:
    parts = [
        ("invoices", house.invoice(1, 1, Reference=NUMBER, source_key=f"D#{n}/3", marker=f"SF-D-{n}"))
        for n in (1, 2, 3)
    ]
    assert house.load(("contacts", house.contact(1)), *parts[:2]).exit_code == 0
    assert house.load(parts[2]).exit_code == 0
    assert made(house) == 2
