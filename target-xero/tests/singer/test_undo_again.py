"""Undoing what was undone, deleted or refunded: what comes back, and what is told of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ALLOWED = {"allow_statuses": ["DRAFT", "AUTHORISED"]}


def undo(house: Any, run: int, *arguments: str) -> Any:
    return house.command("undo", str(run), "--json", *arguments)


def actions(answer: Any) -> dict[str, str]:
    return {d["kind"]: d["action"] for d in json.loads(answer.stdout)[0]["documents"]}


def ours(house: Any) -> list[dict[str, Any]]:
    return [row for row in house.books("Invoices") if "SF-006" in str(row["Reference"])]


def load(house: Any, **invoice: Any) -> None:
    assert (
        house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, **invoice))).exit_code
        == 0
    )


def reasons(answer: Any) -> dict[str, str]:
    return {d["kind"]: d["reason"] for d in json.loads(answer.stdout)[0]["documents"]}


def test_undoing_an_undo_tells_how_each_document_comes_back(house: Any) -> None:
    load(house)
    undo(house, 1, "--apply")
    answer = undo(house, 2)
    assert answer.exit_code == 1
    assert actions(answer) == {"invoices": "left", "contacts": "left"}
    assert "target-xero retry --kind invoices --key 006000000000000001" in reasons(answer)["invoices"]


def test_undoing_the_undo_of_an_update_writes_the_update_again(house: Any) -> None:
    load(house)
    load(house, DueDate="2026-12-24")
    assert undo(house, 2, "--apply").exit_code == 0
    assert undo(house, 3, "--apply").exit_code == 0
    assert [row["DueDate"] for row in ours(house)] == ["2026-12-24"]


def test_a_run_that_deleted_what_the_source_withdrew_is_not_said_to_be_taken_back(house: Any) -> None:
    load(house)
    house.load(("invoices", {"source_key": house.invoice(1, 1)["source_key"], "withdrawn": True}))
    assert [row["Status"] for row in ours(house)] == ["DELETED"]
    answer = undo(house, 2, "--apply")
    assert answer.exit_code == 1
    assert actions(answer) == {"invoices": "left"}
    assert "once the source calls for it again" in reasons(answer)["invoices"]


def test_one_undo_takes_back_a_credit_note_and_the_payment_that_refunded_it(house: Any) -> None:
    note = house.invoice(1, 1, Type="ACCRECCREDIT", Status="AUTHORISED")
    del note["DueDate"]
    total = "24.60"
    paid = {
        "source_key": "p1",
        "credit_note_key": note["source_key"],
        "AccountCode": "090",
        "Date": "2026-11-02",
        "Amount": total,
    }
    ran = house.load(("contacts", house.contact(1)), ("credit_notes", note), ("payments", paid), **ALLOWED)
    assert ran.exit_code == 0, ran.told
    answer = undo(house, 1, "--apply")
    assert answer.exit_code == 0, answer.stdout
    assert actions(answer) == {"payments": "delete", "credit_notes": "void", "contacts": "archive"}
