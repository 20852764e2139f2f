"""A ledger that is missing is not an empty one: nothing that is in Xero is written again, and who runs it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from target_xero.execute.decisions import is_mark_like

pytestmark = pytest.mark.slow

ALLOWED = {"allow_statuses": ["DRAFT", "AUTHORISED"]}


def lose_ledger(house: Any) -> None:
    for path in house.folder.glob("ledger.sqlite*"):
        path.unlink()
    house.sandbox.clock.advance(3600)
    house.forget_exchanges()


def documents(house: Any) -> list[tuple[str, dict[str, Any]]]:
    """Of every kind that Xero itself does not protect, and the two that it does."""
    invoice = house.invoice(1, 1, Status="AUTHORISED")
    credit = {k: v for k, v in invoice.items() if k != "DueDate"} | {
        "source_key": "N1",
        "marker": "SF-N1",
        "Type": "ACCRECCREDIT",
    }
    credit["allocations"] = [{"invoice_key": invoice["source_key"], "Amount": "4.60", "Date": "2026-11-02"}]
    quote = {k: v for k, v in house.invoice(2, 1).items() if k not in ("DueDate", "Type")} | {
        "marker": "SF-Q1"
    }
    payment = {
        "source_key": "p1", "invoice_key": invoice["source_key"], "marker": "SF:1", "Date": "2026-11-02", "Amount": "20.00",
        "AccountCode": "090",
    }  # fmt: skip
    item = {"source_key": "01t1", "Code": "W-1", "Name": "Widget", "SalesDetails": {"UnitPrice": "5"}}
    return [
        ("items", item), ("contacts", house.contact(1)), ("quotes", quote), ("invoices", invoice), ("credit_notes", credit),
        ("payments", payment),
    ]  # fmt: skip


def creates(house: Any) -> list[str]:
    return [
        e["path"] for e in house.exchanges() if e["method"] == "PUT" and e["path"].startswith("/api.xro/")
    ]


def test_nothing_is_made_again_every_link_is_restored_and_it_is_told(house: Any) -> None:
    mine = documents(house)
    assert house.load(*mine, **ALLOWED).exit_code == 0
    before = sorted(
        (row["kind"], row["key"], row["xero_id"])
        for row in map(json.loads, house.command("ledger", "export", "--only", "links").stdout.splitlines())
    )
    lose_ledger(house)
    ran = house.load(*mine, **ALLOWED)
    assert ran.exit_code == 0, ran.told
    assert creates(house) == []
    after = sorted(
        (row["kind"], row["key"], row["xero_id"])
        for row in map(json.loads, house.command("ledger", "export", "--only", "links").stdout.splitlines())
    )
    assert after == before
    assert len(after) == 7
    assert "the ledger did not know: it is new, or an older copy" in " ".join(ran.err.split())
    again = house.load(*mine, **ALLOWED)
    assert "the ledger did not know" not in " ".join(again.err.split())
    assert house.command("reconcile").exit_code == 0


def many(house: Any) -> list[tuple[str, dict[str, Any]]]:
    """More of each kind than a share of changes is looked at from."""
    contacts = [("contacts", house.contact(n, EmailAddress=f"books@c{n}.example")) for n in range(1, 31)]
    items = [
        ("items", {"source_key": f"01t{n}", "Code": f"W-{n}", "SalesDetails": {"UnitPrice": "5.1234"}})
        for n in range(1, 31)
    ]
    return [*contacts, *items, *(("invoices", house.invoice(n, n)) for n in range(1, 31))]


def test_contacts_and_items_that_are_as_the_source_says_are_no_change_and_are_not_written(house: Any) -> None:
    mine = many(house)
    assert house.load(*mine).exit_code == 0
    lose_ledger(house)
    ran = house.load(*mine)
    assert ran.exit_code == 0, ran.told
    written = [e["path"] for e in house.exchanges() if e["method"] in ("PUT", "POST")]
    assert written == ["/connect/token"]
    assert sum(e["method"] == "GET" and "Items" in e["path"] for e in house.exchanges()) == 2


def test_only_what_differs_from_xero_counts_as_changed_after_the_ledger_was_lost(house: Any) -> None:
    mine = many(house)
    house.load(*mine)
    lose_ledger(house)
    mine[0][1]["EmailAddress"] = "new@c1.example"
    ran = house.load(*mine)
    assert ran.exit_code == 0, ran.told
    sent = [
        json.loads(e["body"])
        for e in house.exchanges()
        if e["path"].endswith("/Contacts") and e["method"] == "POST"
    ]
    assert [[one["EmailAddress"] for one in call["Contacts"]] for call in sent] == [["new@c1.example"]]


def test_a_mass_change_is_stopped_after_the_ledger_was_lost_too(house: Any) -> None:
    mine = many(house)
    house.load(*mine)
    lose_ledger(house)
    ran = house.load(*(("contacts", {**one, "EmailAddress": "wrong@x.example"}) for _, one in mine[:30]))
    assert ran.exit_code == 1
    assert "max_changed_percent" in ran.err
    assert not any(
        b["EmailAddress"] == "wrong@x.example" for b in house.books("Contacts") if b.get("EmailAddress")
    )


def test_what_was_found_again_is_summed_in_its_currency(house: Any) -> None:
    mine = documents(house)
    house.load(*mine, **ALLOWED)
    lose_ledger(house)
    ran = house.load(*mine, **ALLOWED)
    assert all("" not in sums for sums in ran.target.outcome.summary.money.values())
    assert list(ran.target.outcome.summary.money["payments"]) == ["GBP"]


def without_mark(house: Any, reference: str = "") -> dict[str, Any]:
    """An invoice of a lost ledger whose reference people have changed."""
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    (row,) = [row for row in house.books("Invoices") if "SF-006" in str(row.get("Reference") or "")]
    lose_ledger(house)
    house.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"Reference": reference}}
    )
    return row


@pytest.mark.parametrize("reference", ["", "PO 4711", "PO-4711"])
def test_an_invoice_whose_mark_people_removed_is_not_doubled_but_asked_about(
    house: Any, reference: str
) -> None:
    row = without_mark(house, reference)
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    assert ran.exit_code == 1
    assert creates(house) == []
    (problem,) = ran.target.outcome.problems
    assert problem["state"] == "parked"
    assert row["InvoiceNumber"] in problem["note"]
    assert "has the same customer, day and amount" in problem["note"]


def test_with_its_mark_put_back_it_is_linked(house: Any) -> None:
    row = without_mark(house)
    mine = [("contacts", house.contact(1)), ("invoices", house.invoice(1, 1))]
    house.load(*mine)
    fields = {"Reference": "SF-006000000000000001"}
    house.sandbox.edit("xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": fields})
    assert house.command("retry", "--all").exit_code == 0
    assert creates(house) == []


def test_once_a_person_says_that_it_is_another_one_it_is_written(house: Any) -> None:
    without_mark(house)
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    assert house.command("retry", "--all").exit_code == 1, "nobody has looked"
    assert creates(house) == []
    assert house.command("retry", "--key", house.invoice(1, 1)["source_key"]).exit_code == 0
    assert creates(house) == ["/api.xro/2.0/Invoices"]


def test_two_deals_alike_are_two_invoices_whichever_of_them_comes_first(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    lose_ledger(house)
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(2, 1)))
    assert ran.exit_code == 0, ran.told
    assert creates(house) == ["/api.xro/2.0/Invoices"], "the other one has a mark of its own"


@pytest.mark.parametrize(
    ("handle", "alike"),
    [
        ("SF-006000000000000002", True),
        ("SF-006", False),
        ("PO-006000000000000002", False),
        ("", False),
        ("PO 77", False),
    ],
)
def test_a_mark_is_known_by_its_shape(handle: str, alike: bool) -> None:
    assert is_mark_like(handle, "SF-006000000000000001") is alike
    assert is_mark_like("p:7", "p:8")
    assert is_mark_like("O1", "O2")


def test_what_changed_at_the_source_meanwhile_is_linked_and_updated(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    lose_ledger(house)
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, lines=2)))
    assert ran.exit_code == 0, ran.told
    assert creates(house) == []
    assert "the ledger did not know" in " ".join(ran.err.split())
    (row,) = [row for row in house.books("Invoices") if "SF-006" in str(row.get("Reference") or "")]
    assert len(row["LineItems"]) == 2


def test_what_people_ended_in_xero_is_not_made_again_until_a_person_says_so(house: Any) -> None:
    """Voided, deleted, taken back: without the ledger nobody knows that it was on purpose, so nobody assumes that it was not."""
    approved, draft = house.invoice(1, 1, Status="AUTHORISED"), house.invoice(2, 1)
    paid = house.invoice(3, 1, Status="AUTHORISED")
    payment = {
        "source_key": "p1", "invoice_key": paid["source_key"], "marker": "SF:1", "Date": "2026-11-02", "Amount": "5.00",
        "AccountCode": "090",
    }  # fmt: skip
    mine = [
        ("contacts", house.contact(1)),
        *(("invoices", one) for one in (approved, draft, paid)),
        ("payments", payment),
    ]
    assert house.load(*mine, **ALLOWED).exit_code == 0
    ids = {row["Reference"]: row["InvoiceID"] for row in house.books("Invoices")}
    by_hand = {"void_invoice": approved, "delete_invoice": draft, "delete_payment": paid}
    for action, document in by_hand.items():
        house.sandbox.edit("xero", {"action": action, "invoice": ids[document["marker"]]})
    lose_ledger(house)
    ran = house.load(*mine, **ALLOWED)
    assert ran.exit_code == 1
    assert creates(house) == []
    assert ran.target.outcome.summary.streams["invoices"].parked == 2
    assert ran.target.outcome.summary.streams["payments"].parked == 1
    assert "VOIDED" in ran.err
    assert house.command("retry", "--all", **ALLOWED).exit_code == 1
    assert creates(house) == []
    assert "1 of 1 go again" in house.command("retry", "--key", draft["source_key"], **ALLOWED).stdout
    assert creates(house) == ["/api.xro/2.0/Invoices"]
    house.forget_exchanges()
    house.load(*mine, **ALLOWED)
    assert creates(house) == []


def test_what_the_source_itself_withdrew_comes_back_without_a_question(house: Any) -> None:
    mine = [("contacts", house.contact(1)), ("invoices", house.invoice(1, 1))]
    withdrawn = {"source_key": house.invoice(1, 1)["source_key"], "withdrawn": True}
    house.load(*mine)
    house.load(("invoices", withdrawn))
    house.sandbox.clock.advance(3600)
    house.forget_exchanges()
    assert house.load(*mine).exit_code == 0
    assert creates(house) == ["/api.xro/2.0/Invoices"]
