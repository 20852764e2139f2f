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


def test_more_than_the_note_has_left_is_refused_at_once_and_the_rest_is_entered(house: Any) -> None:
    """24.60 against invoices of 24.60 each."""
    ran = begin(house, against(1, "20"), against(2, "6"))
    assert ran.exit_code == 1
    told = " ".join(ran.err.split())
    assert "breaks more_than_left: Credit note" in told
    assert "has 24.60 left to set against invoices less 20.00 that goes with this run" in told
    assert due(house) == ["4.60", "24.60"]
    assert house.load(note(house, against(1, "20"), against(2, "4.60")), **ALLOWED).exit_code == 0
    assert due(house) == ["4.60", "20.00"]


def test_what_people_set_against_something_else_is_no_longer_left(house: Any) -> None:
    assert begin(house).exit_code == 0
    credit = next(row for row in house.books("CreditNotes") if "N1" in str(row["Reference"]))
    other = next(row for row in house.books("Invoices") if f"SF-006{2:015d}" in str(row["Reference"]))
    house.sandbox.edit(
        "xero",
        {"action": "allocate_credit_note", "credit_note": credit["CreditNoteID"], "invoice": other["InvoiceID"], "amount": "20"},
    )  # fmt: skip
    house.sandbox.clock.advance(120)
    ran = house.load(note(house, against(1, "5")), **ALLOWED)
    assert "has 4.60 left to set against invoices, and this allocation is 5.00" in " ".join(ran.err.split())
