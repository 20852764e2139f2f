"""An item that is not sold has no sales details in Xero: nobody took them away, and they come when it is sold again."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def item(*, sold: bool) -> tuple[str, dict[str, Any]]:
    details = {"UnitPrice": "5", "AccountCode": "200", "TaxType": "OUTPUT2"}
    return "items", {
        "source_key": "P-1",
        "Code": "W-1",
        "Name": "Widget",
        "IsSold": sold,
        "SalesDetails": details,
    }


def test_an_unsold_item_is_undone_like_any_other(house: Any) -> None:
    house.load(item(sold=False))
    answer = house.command("undo", "1", "--json")
    assert [d["action"] for d in json.loads(answer.stdout)[0]["documents"]] == ["delete"]
    assert answer.exit_code == 0


def test_an_item_that_is_sold_again_gets_its_price_and_account(house: Any) -> None:
    for sold in (True, False, True):
        assert house.load(item(sold=sold)).exit_code == 0
        house.sandbox.clock.advance(100)
    (row,) = (row for row in house.books("Items") if row["Code"] == "W-1")
    assert row["IsSold"] is True
    assert row["SalesDetails"]["AccountCode"] == "200"
    assert row["SalesDetails"]["TaxType"] == "OUTPUT2"


def test_of_two_products_with_one_code_the_second_is_refused_at_once_and_the_first_is_named(
    house: Any,
) -> None:
    """Codes differ by more than upper and lower case in Xero."""
    items = [
        ("items", {"source_key": key, "Code": code, "Name": key})
        for key, code in (("P1", "X1"), ("P2", "x1"))
    ]
    ran = house.load(*items)
    told = " ".join(ran.err.split())
    assert ran.exit_code == 1
    assert 'Code "x1" breaks number_taken: Xero\'s item "X1"' in told
    assert "is that of P1 of the source. Give another number" in told
    house.sandbox.clock.advance(1000)
    assert house.load(items[0], ("items", items[1][1] | {"Code": "X2"})).exit_code == 0
