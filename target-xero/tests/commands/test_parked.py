"""What people decide of a parked document: it is there, it is not there, leave it. Xero is asked before anything is believed or sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow
on_both = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
KEY = f"006{1:015d}"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def asked(house: Any, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(house.command(*arguments, "--json").stdout)["documents"]
    return found


@pytest.fixture
def by_hand(house: Any) -> dict[str, Any]:
    """An invoice that people entered, for which ours is parked."""
    first = house.invoice(1, 1)
    house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    same = {name: first[name] for name in ("Date", "DueDate", "LineAmountTypes", "LineItems")}
    made: dict[str, Any] = house.sandbox.edit(
        "xero", {"action": "create_invoice", "contact": "Customer 1", "fields": same}
    )
    house.sandbox.clock.advance(61)
    assert house.load(("invoices", first)).exit_code == 1
    (one,) = asked(house, "rejects")
    assert one["state"] == "parked"
    house.forget_exchanges()
    return made


def found(house: Any, remote_id: str, *more: str) -> Any:
    return house.command("retry", "--key", KEY, "--found", remote_id, *more)


@on_both
def test_it_is_there_it_is_read_linked_and_never_written(house: Any, by_hand: dict[str, Any]) -> None:
    done = found(house, by_hand["InvoiceID"].upper(), "--by", "Ann", "--comment", "Entered by Bob. \udce4")
    assert done.exit_code == 0, done.stdout
    assert "Ann found it in Xero" in done.stdout
    assert house.writes == 0
    reads = [e["path"] for e in house.exchanges() if by_hand["InvoiceID"] in e["path"]]
    assert len(reads) == 1
    house.forget_exchanges()
    again = house.load(("invoices", house.invoice(1, 1)))
    assert (again.exit_code, house.writes) == (0, 0)
    assert house.command("reconcile", "--json").exit_code == 0
    assert house.command("ledger", "verify").exit_code == 0
    (told,) = asked(house, "why", KEY)
    assert "Ann found it in Xero" in told["revisions"][-1]["note"]
    assert "Entered by Bob." in told["revisions"][-1]["note"]
    rows = [json.loads(line) for line in house.command("ledger", "export").stdout.splitlines()]
    assert any('"do":"found"' in str(row).replace(" ", "") and "Ann" in str(row) for row in rows)


def test_a_program_is_told_and_what_waited_for_it_goes(house: Any, by_hand: dict[str, Any]) -> None:
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": by_hand["InvoiceID"]})
    payment = {
        "source_key": f"{KEY}#payment", "marker": "SF:1", "invoice_key": KEY, "AccountCode": "090", "Date": "2026-11-02",
        "Amount": "5.00",
    }  # fmt: skip
    house.load(("payments", payment))
    told = json.loads(found(house, by_hand["InvoiceID"], "--json").stdout)
    assert (told["chosen"], told["released"], told["stopped"]) == (1, 0, None)
    assert by_hand["InvoiceID"] in told["found"]
    assert [row["Amount"] for row in house.books("Payments") if row["Reference"] == "SF:1"] == ["5.00"]


def test_another_amount_is_told_and_stays_a_difference(house: Any, by_hand: dict[str, Any]) -> None:
    other = [{"Description": "Widget", "Quantity": "1", "UnitAmount": "21.00", "AccountCode": "200"}]
    theirs = house.sandbox.edit(
        "xero",
        {"action": "create_invoice", "contact": "Customer 1", "fields": {"Date": "2026-11-01", "DueDate": "2026-12-01", "LineItems": other}},
    )  # fmt: skip
    done = found(house, theirs["InvoiceID"])
    told = " ".join(done.stdout.split())
    assert "Xero has 21.00, the source says 20.50" in told
    assert "Xero has 2026-11-01, the source says 2026-11-02" in told
    assert house.writes == 0
    assert house.command("reconcile").exit_code == 1


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("INV-0001", "is no id of Xero's"),
        (NOWHERE, "Xero has no invoice"),
        ("void", "is VOIDED, so it is not in the books"),
        ("other customer", "is for another customer"),
        ("other document", "belongs to 006000000000000002 of the source already"),
        ("bill", "is of the type ACCPAY, not ACCREC"),
    ],
)
def test_what_cannot_be_it_is_not_taken_and_nothing_changes(
    house: Any, by_hand: dict[str, Any], what: str, why: str
) -> None:
    remote_id = what
    if what == "void":
        house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": by_hand["InvoiceID"]})
        house.sandbox.edit("xero", {"action": "void_invoice", "invoice": by_hand["InvoiceID"]})
        remote_id = by_hand["InvoiceID"]
    elif what == "other document":
        house.load(("invoices", house.invoice(2, 2)))
        remote_id = next(r["InvoiceID"] for r in house.books("Invoices") if "SF-006" in str(r["Reference"]))
    elif what == "other customer":
        fields = {
            "Date": "2026-11-02",
            "DueDate": "2026-12-02",
            "LineItems": house.invoice(1, 1)["LineItems"],
        }
        edit = {"action": "create_invoice", "contact": "Customer 2", "fields": fields}
        remote_id = house.sandbox.edit("xero", edit)["InvoiceID"]
    elif what == "bill":
        remote_id = next(r["InvoiceID"] for r in house.books("Invoices") if r["Type"] == "ACCPAY")
    done = found(house, remote_id)
    assert done.exit_code == 1
    assert why in done.stderr
    assert "nothing was changed" in done.stderr
    assert [one["state"] for one in asked(house, "rejects")] == ["parked"]


def test_a_look_up_that_fails_is_no_answer(house: Any, by_hand: dict[str, Any]) -> None:
    house.fault("503_before", method="GET", path=f"/Invoices/{by_hand['InvoiceID']}")
    done = found(house, by_hand["InvoiceID"])
    assert done.exit_code == 1
    assert "Nothing was changed" in done.stderr
    assert [one["state"] for one in asked(house, "rejects")] == ["parked"]


def test_what_is_not_parked_is_not_settled_by_a_word(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    done = found(house, NOWHERE)
    assert done.exit_code == 1
    assert "is not parked; nothing was changed" in done.stderr
    assert house.command("retry", "--all", "--found", NOWHERE).exit_code == 2
    assert house.command("retry", "--all", "--by", "Ann").exit_code == 2, "nobody would be told of it"
    assert house.command("retry", "--key", "a", "--key", "b", "--found", NOWHERE).exit_code == 2


def test_a_contact_that_is_in_xero_twice_is_the_one_that_a_person_names(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    with_id = house.books("Contacts")[-1]
    with house_ledger(house) as connection:
        connection.execute("UPDATE intent SET state = 'parked', note = 'look'")
        connection.execute("DELETE FROM link")
    done = house.command("retry", "--key", f"001{1:015d}", "--found", with_id["ContactID"])
    assert done.exit_code == 0, done.stderr
    assert "Customer 1" in done.stdout


def test_it_is_not_there_it_is_looked_up_once_more_and_sent(house: Any, by_hand: dict[str, Any]) -> None:
    done = house.command("retry", "--key", f"SF-{KEY}")
    assert done.exit_code == 0, "its mark names it as well as its key"
    sent = [e["method"] for e in house.exchanges() if e["path"].endswith("/Invoices")]
    assert sent[0] == "GET"
    assert sent[-1] == "PUT"
    assert sum(f"SF-{KEY}" in str(row["Reference"]) for row in house.books("Invoices")) == 1


@on_both
def test_left_as_it_is_it_is_told_no_more_until_its_source_says_something_new(
    house: Any, by_hand: dict[str, Any]
) -> None:
    (one,) = asked(house, "rejects")
    done = house.command("rejects", "--dismiss", str(one["id"]), "--by", "Ann", "--comment", "Bob bills it")
    assert done.exit_code == 0
    same = house.load(("invoices", house.invoice(1, 1)))
    assert same.exit_code == 0, same.told
    assert house.command("retry", "--all").exit_code == 0
    assert "parked" not in same.told
    assert house.writes == 0
    assert house.command("ledger", "verify").exit_code == 0
    changed = house.load(("invoices", house.invoice(1, 1, lines=2)))
    assert changed.exit_code == 1
    assert {one["state"] for one in asked(house, "rejects")} == {"parked", "waiting"}
    assert house.writes == 0


def test_left_as_it_is_and_then_named_it_goes_again(house: Any, by_hand: dict[str, Any]) -> None:
    (one,) = asked(house, "rejects")
    house.command("rejects", "--dismiss", str(one["id"]))
    assert house.command("retry", "--key", KEY).exit_code == 0
    assert sum(f"SF-{KEY}" in str(row["Reference"]) for row in house.books("Invoices")) == 1


def test_the_list_says_what_can_be_done(house: Any, by_hand: dict[str, Any]) -> None:
    shown = house.command("rejects").stdout
    for words in (
        "retry --key KEY --found ID",
        "retry --key KEY looks it up",
        "rejects --dismiss NUMBER",
        "parked #",
    ):
        assert words in shown


def house_ledger(house: Any) -> Any:
    import sqlite3  # noqa: PLC0415

    return sqlite3.connect(house.folder / "ledger.sqlite")
