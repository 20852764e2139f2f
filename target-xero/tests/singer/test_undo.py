"""What a run wrote is taken back, as far as Xero lets one, and stays away until the source or a person wants it back."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from target_xero import crash

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process is gone."""


def ours(house: Any, kind: str) -> list[dict[str, Any]]:
    """What a run made, by its marker."""
    if kind == "Contacts":
        return [row for row in house.books(kind) if str(row.get("ContactNumber") or "").startswith("001")]
    return [row for row in house.books(kind) if "SF-006" in str(row.get("Reference") or "")]


def undo(house: Any, run: int, *arguments: str) -> Any:
    return house.command("undo", str(run), "--json", *arguments)


def actions(answer: Any) -> dict[str, str]:
    return {d["kind"]: d["action"] for d in json.loads(answer.stdout)[0]["documents"]}


def load(house: Any, **invoice: Any) -> list[tuple[str, dict[str, Any]]]:
    documents = [("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, **invoice))]
    assert house.load(*documents).exit_code == 0
    return documents


def test_undo_shows_its_plan_and_writes_nothing_unless_asked(house: Any) -> None:
    load(house)
    house.forget_exchanges()
    answer = undo(house, 1)
    assert answer.exit_code == 0
    assert actions(answer) == {"invoices": "delete", "contacts": "archive"}
    assert house.writes == 0
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DRAFT"]


def test_a_draft_is_deleted_its_contact_archived_and_both_stay_away(house: Any) -> None:
    documents = load(house)
    assert undo(house, 1, "--apply").exit_code == 0
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DELETED"]
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ARCHIVED"]
    house.forget_exchanges()
    assert house.load(*documents).exit_code == 0
    assert house.writes == 0, "the same source record does not make it again"
    house.forget_exchanges()
    assert undo(house, 1, "--apply").exit_code in (0, 1)
    assert house.writes == 0, "undone once is undone"


def test_a_change_at_the_source_brings_an_invoice_back(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.load(("invoices", house.invoice(1, 1)))
    undo(house, 2, "--apply")
    house.load(("invoices", house.invoice(1, 1, lines=2)))
    assert sorted(row["Status"] for row in ours(house, "Invoices")) == ["DELETED", "DRAFT"]


def test_an_approved_invoice_is_voided(house: Any) -> None:
    load(house)
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    answer = undo(house, 1, "--apply")
    assert actions(answer)["invoices"] == "void"
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]


def test_what_people_edited_is_left_alone_and_keeps_its_contact(house: Any) -> None:
    load(house)
    (row,) = ours(house, "Invoices")
    house.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"DueDate": "2027-01-31"}}
    )
    answer = undo(house, 1, "--apply")
    assert answer.exit_code == 1
    assert actions(answer) == {"invoices": "left", "contacts": "left"}
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DRAFT"]
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ACTIVE"]


def test_a_contact_that_others_use_stays(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    (row,) = ours(house, "Contacts")
    house.sandbox.edit(
        "xero",
        {
            "action": "create_invoice",
            "fields": {
                "LineItems": [{"Description": "By hand", "UnitAmount": 5, "AccountCode": "200"}],
            },
            "contact": row["ContactID"],
        },
    )
    answer = undo(house, 1, "--apply")
    assert actions(answer) == {"contacts": "left"}
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ACTIVE"]


def test_an_update_goes_back_to_the_revision_before_and_stays_there(house: Any) -> None:
    load(house)
    changed = ("invoices", house.invoice(1, 1, lines=2))
    house.load(changed)
    answer = undo(house, 2, "--apply")
    assert answer.exit_code == 0
    (row,) = ours(house, "Invoices")
    assert len(row["LineItems"]) == 1
    house.load(changed)
    (row,) = ours(house, "Invoices")
    assert len(row["LineItems"]) == 1


def test_a_document_written_again_since_is_undone_from_its_newest_run_on(house: Any) -> None:
    load(house)
    house.load(("invoices", house.invoice(1, 1, lines=2)))
    answer = undo(house, 1)
    (invoice,) = [d for d in json.loads(answer.stdout)[0]["documents"] if d["kind"] == "invoices"]
    assert invoice["action"] == "left"
    assert "run 2" in invoice["reason"]


def test_a_run_nobody_knows_is_an_error(house: Any) -> None:
    load(house)
    answer = undo(house, 77)
    assert answer.exit_code == 1
    assert "77" in answer.stderr


@pytest.mark.parametrize("point", ["C1", "C2", "C3", "C6", "C8", "C9"])
def test_an_undo_that_dies_is_finished_by_the_next_one(
    house: Any, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(house)

    def die(name: str) -> None:
        if name == point:
            raise Killed

    monkeypatch.setattr(crash, "armed", die)
    with contextlib.suppress(Killed):
        undo(house, 1, "--apply")
    monkeypatch.setattr(crash, "armed", None)
    house.sandbox.clock.advance(3600)
    house.run([house.state(1)])
    undo(house, 1, "--apply")
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DELETED"]
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ARCHIVED"]


def test_a_payment_of_ours_is_taken_back_before_its_invoice(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    payment = {
        "source_key": f"{house.invoice(1, 1)['source_key']}#payment",
        "invoice_key": house.invoice(1, 1)["source_key"],
        "marker": "SF:1",
        "Date": "2026-11-02",
        "Amount": "24.60",
        "AccountCode": "090",
    }
    assert house.load(("payments", payment)).exit_code == 0
    assert "left" in actions(undo(house, 1))["invoices"], "a paid invoice gets a proposal, nothing more"
    assert undo(house, 2, "--apply").exit_code == 0
    assert [p["Status"] for p in house.books("Payments") if "SF:1" in str(p["Reference"])] == ["DELETED"]
    assert undo(house, 1, "--apply").exit_code == 0
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]


def test_one_undo_takes_back_an_invoice_with_the_payment_the_same_run_made(house: Any) -> None:
    invoice = house.invoice(1, 1, Status="AUTHORISED")
    payment = {"source_key": "p1", "invoice_key": invoice["source_key"], "marker": "SF:1", "Date": "2026-11-02",
               "Amount": "24.60", "AccountCode": "090"}  # fmt: skip
    documents = (("contacts", house.contact(1)), ("invoices", invoice), ("payments", payment))
    ran = house.load(*documents, allow_statuses=["DRAFT", "AUTHORISED"])
    assert ran.exit_code == 0, ran.told
    house.sandbox.clock.advance(120)
    told = undo(house, 1, "--apply")
    assert told.exit_code == 0, told.output
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]
    assert [p["Status"] for p in house.books("Payments") if "SF:1" in str(p["Reference"])] == ["DELETED"]


def test_after_a_payment_was_taken_back_another_one_may_be_entered(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    invoice = house.invoice(1, 1)["source_key"]
    first = {"source_key": "p1", "invoice_key": invoice, "marker": "SF:1", "Date": "2026-11-02", "Amount": "24.60",
             "AccountCode": "090"}  # fmt: skip
    assert house.load(("payments", first)).exit_code == 0
    assert undo(house, 2, "--apply").exit_code == 0
    house.sandbox.clock.advance(120)
    second = first | {"source_key": "p2", "marker": "SF:2", "Amount": "10"}
    ran = house.load(("payments", second))
    assert ran.exit_code == 0, ran.told
    live = [
        p for p in house.books("Payments") if p["Status"] == "AUTHORISED" and "SF:" in str(p["Reference"])
    ]
    assert [str(p["Amount"]) for p in live] in (["10"], ["10.00"])


def test_an_item_nobody_uses_is_deleted(house: Any) -> None:
    item = {"source_key": "01t1", "Code": "W-1", "Name": "Widget", "SalesDetails": {"UnitPrice": "5"}}
    assert house.load(("items", item)).exit_code == 0
    assert undo(house, 1, "--apply").exit_code == 0
    assert not [row for row in house.books("Items") if row["Code"] == "W-1"]
