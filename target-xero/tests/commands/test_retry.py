"""`target-xero retry` sends again what was refused, once its cause is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def cured(house: Any) -> Any:
    """Two customers whose names were taken, and are free now; and an invoice with an account that is not there."""
    taken = [
        house.sandbox.edit("xero", {"action": "create_contact", "fields": {"Name": house.contact(n)["Name"]}})
        for n in (1, 2)
    ]
    wrong = [{**house.invoice(1, 3)["LineItems"][0], "AccountCode": "2O0"}]
    documents = [("contacts", house.contact(n)) for n in (1, 2, 3)]
    assert house.load(*documents, ("invoices", house.invoice(1, 3, LineItems=wrong))).exit_code == 1
    for n, contact in enumerate(taken):
        house.sandbox.edit(
            "xero",
            {"action": "rename_contact", "contact": contact["ContactID"], "name": f"Somebody else {n}"},
        )
    return house


def ours(house: Any) -> set[str]:
    return {row["Name"] for row in house.books("Contacts") if row.get("ContactNumber")} & {
        "Customer 1",
        "Customer 2",
    }


def test_it_carries_out_now_what_was_chosen_and_nothing_else(cured: Any) -> None:
    done = cured.command("retry", "--json", "--key", f"001{1:015d}")
    told = json.loads(done.stdout)
    assert (told["chosen"], told["released"]) == (1, 1)
    assert ours(cured) == {"Customer 1"}
    assert done.exit_code == 1, "others are still refused"
    assert {kept["source_key"] for kept in told["kept"]} == {f"001{2:015d}", f"006{1:015d}"}


def test_a_rule_chooses_its_documents(cured: Any) -> None:
    told = json.loads(cured.command("retry", "--json", "--rule", "name_taken").stdout)
    assert told["released"] == 2
    assert ours(cured) == {"Customer 1", "Customer 2"}


def test_what_is_still_wrong_is_refused_again_with_its_reason(cured: Any) -> None:
    done = cured.command("retry", "--all")
    assert done.exit_code == 1
    assert "3 of 3 go again" in done.stdout
    assert "account_unknown" in done.stdout


def test_when_all_causes_are_gone_it_ends_with_0(house: Any) -> None:
    taken = house.sandbox.edit("xero", {"action": "create_contact", "fields": {"Name": "Customer 1"}})
    house.load(("contacts", house.contact(1)))
    house.sandbox.edit("xero", {"action": "rename_contact", "contact": taken["ContactID"], "name": "Else"})
    done = house.command("retry", "--all")
    assert done.exit_code == 0
    assert "All settled" in done.stdout
    assert house.command("rejects").exit_code == 0


def test_a_document_that_breaks_a_rule_by_itself_is_not_sent(house: Any) -> None:
    house.load(("contacts", house.contact(1, Name="x" * 256)))
    house.forget_exchanges()
    told = json.loads(house.command("retry", "--json", "--all").stdout)
    assert (told["chosen"], told["released"]) == (1, 0)
    assert house.writes == 0


@pytest.mark.parametrize("arguments", [(), ("--all", "--kind", "contacts")])
def test_it_wants_to_know_which_documents(house: Any, arguments: tuple[str, ...]) -> None:
    assert house.command("retry", *arguments).exit_code == 2


def test_nothing_refused_costs_no_call(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.forget_exchanges()
    done = house.command("retry", "--all")
    assert (done.exit_code, house.exchanges()) == (0, [])


def test_what_undo_took_back_is_written_again_when_it_is_named(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.load(("invoices", house.invoice(1, 1)))
    assert house.command("undo", "2", "--apply").exit_code == 0
    assert [row["Status"] for row in house.books("Invoices") if "SF-006" in row["Reference"]] == ["DELETED"]
    done = house.command("retry", "--json", "--key", f"006{1:015d}")
    assert json.loads(done.stdout)["released"] == 1
    alive = [
        row for row in house.books("Invoices") if "SF-006" in row["Reference"] and row["Status"] == "DRAFT"
    ]
    assert len(alive) == 1


def test_a_key_that_the_ledger_does_not_know_is_told_and_one_that_is_settled_is_no_trouble(
    house: Any,
) -> None:
    house.load(("contacts", house.contact(1)), ("contacts", house.contact(2, EmailAddress="bad")))
    wrong = house.command("retry", "--key", "nope")
    assert wrong.exit_code == 1
    assert "knows no document 'nope'" in wrong.stderr
    assert house.command("retry", "--key", house.contact(1)["source_key"]).exit_code == 0
