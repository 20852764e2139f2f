"""What a credit note is set against: all of it, once, and no silent difference to the source."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow
ALLOWED = {"allow_statuses": ["DRAFT", "AUTHORISED"]}


def against(number: int, amount: str) -> dict[str, Any]:
    return {"invoice_key": f"006{number:015d}", "Amount": amount, "Date": "2026-11-02"}


def note(house: Any, *allocations: dict[str, Any], **fields: Any) -> tuple[str, dict[str, Any]]:
    document = house.invoice(9, 1, Status="AUTHORISED") | {"source_key": "N1", "marker": "SF-N1"}
    document["Type"] = "ACCRECCREDIT"
    del document["DueDate"]
    return "credit_notes", document | {"allocations": list(allocations)} | fields


def begin(house: Any, *allocations: dict[str, Any], **fields: Any) -> Any:
    invoices = [("invoices", house.invoice(n, 1, Status="AUTHORISED")) for n in (1, 2)]
    ran = house.load(
        ("contacts", house.contact(1)), *invoices, note(house, *allocations, **fields), **ALLOWED
    )
    house.sandbox.clock.advance(120)
    return ran


def due(house: Any) -> list[str]:
    rows = [row for row in house.books("Invoices") if "SF-006" in str(row["Reference"])]
    return [str(row["AmountDue"]) for row in rows]


def test_two_amounts_against_one_invoice_are_refused_and_none_of_them_is_lost(house: Any) -> None:
    ran = begin(house, against(1, "10"), against(1, "5"))
    assert ran.exit_code == 1
    assert "one allocation an invoice, with the sum" in " ".join(ran.err.split())
    assert due(house) == ["24.60", "24.60"]
    assert house.load(note(house, against(1, "15")), **ALLOWED).exit_code == 0
    assert due(house) == ["9.60", "24.60"]


def test_an_allocation_that_the_source_takes_off_the_list_is_told_and_is_a_difference(house: Any) -> None:
    assert begin(house, against(1, "20"), against(2, "4.60")).exit_code == 0
    ran = house.load(note(house, against(1, "20")), **ALLOWED)
    assert ran.exit_code == 1
    assert "stays in Xero although the source calls for it no more" in " ".join(ran.err.split())
    assert house.command("reconcile", **ALLOWED).exit_code == 1
    again = house.load(note(house, against(1, "20"), against(2, "4.60")), **ALLOWED)
    assert again.exit_code == 0, again.told
    assert house.command("reconcile", **ALLOWED).exit_code == 0


@pytest.mark.parametrize("left", [{"allocations": [], "Status": "AUTHORISED"}, {"withdrawn": True}])
def test_an_allocation_that_waits_and_is_taken_off_the_list_never_goes(
    house: Any, left: dict[str, Any]
) -> None:
    assert begin(house, against(1, "20"), Status="DRAFT").exit_code == 0
    house.load(note(house, **{"Status": "DRAFT"} | left), **ALLOWED)
    house.sandbox.clock.advance(120)
    ran = house.load(**ALLOWED)
    assert ran.exit_code == 0, ran.told
    assert due(house) == ["24.60", "24.60"]
