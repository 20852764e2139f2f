"""`target-xero rejects` lists what waits for a person, and nothing else changes."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def refused(house: Any) -> Any:
    """Two invoices on an account that is not there, a contact with a taken name, and one that is well."""
    house.sandbox.edit("xero", {"action": "create_contact", "fields": {"Name": house.contact(1)["Name"]}})
    wrong = [{**house.invoice(1, 2)["LineItems"][0], "AccountCode": "2O0"}]
    ran = house.load(
        ("contacts", house.contact(1)),
        ("contacts", house.contact(2)),
        (
            "invoices",
            house.invoice(
                1, 2, LineItems=wrong, source_label="=HYPERLINK(1)", source_url="https://x.example/1"
            ),
        ),
        ("invoices", house.invoice(2, 2, LineItems=wrong)),
    )
    assert ran.exit_code == 1
    return house


def asked(house: Any, *arguments: str) -> dict[str, Any]:
    done = house.command("rejects", "--json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    found["exit_code"] = done.exit_code
    return found


def test_every_refused_document_is_told_with_rule_value_cure_and_run(refused: Any) -> None:
    found = asked(refused)
    assert found["exit_code"] == 1
    by_key = {document["key"]: document for document in found["documents"]}
    assert set(by_key) == {f"001{1:015d}", f"006{1:015d}", f"006{2:015d}"}
    first = by_key[f"006{1:015d}"]
    assert first["state"] == "refused"
    assert first["since_run"] == 1
    assert first["since"].startswith("2026-11-02T09:0")
    assert first["url"] == "https://x.example/1"
    (reason,) = first["reasons"]
    assert (reason["rule"], reason["field"], reason["value"]) == (
        "account_unknown",
        "LineItems[0].AccountCode",
        "2O0",
    )
    assert "Nearest" in reason["cure"]
    assert found["counts"][0] == {
        "state": "refused",
        "kind": "invoices",
        "rule": "account_unknown",
        "documents": 2,
    }


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--kind", "contacts"), 1),
        (("--rule", "account_unknown"), 2),
        (("--key", f"006{2:015d}"), 1),
        (("--key", f"SF-006{2:015d}"), 1),
        (("--kind", "contacts", "--rule", "account_unknown"), 0),
    ],
)
def test_kind_key_and_rule_choose(refused: Any, arguments: tuple[str, ...], count: int) -> None:
    found = asked(refused, *arguments)
    assert len(found["documents"]) == count
    assert found["exit_code"] == int(count > 0)


def test_people_read_a_table_with_reason_cure_and_what_to_do_then(refused: Any) -> None:
    done = refused.command("rejects")
    assert done.exit_code == 1
    for words in (
        "account_unknown",
        "name_taken",
        "https://x.example/1",
        "since run 1 of 2026-11-02",
        "target-xero retry",
    ):
        assert words in done.stdout


def test_a_long_list_is_cut_and_says_so(refused: Any) -> None:
    assert "and 2 more" in refused.command("rejects", "--limit", "1").stdout
    assert "more:" not in refused.command("rejects", "--limit", "0").stdout


def test_csv_holds_no_formula_that_a_spreadsheet_would_run(refused: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(refused.command("rejects", "--csv").stdout)))
    assert {row["label"] for row in rows} >= {"'=HYPERLINK(1)", "Deal 2"}
    assert {row["rule"] for row in rows} == {"account_unknown", "name_taken"}


def test_what_waits_for_its_time_is_listed_and_ends_with_0(house: Any) -> None:
    house.fault("timeout_before", method="PUT", path="/Invoices", times=1)
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    found = asked(house)
    assert [document["state"] for document in found["documents"]] == ["waiting"]
    assert found["exit_code"] == 0


def test_nothing_to_tell_is_told(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    done = house.command("rejects")
    assert (done.exit_code, done.stdout) == (0, "Nothing is refused, parked or waiting.\n")


def test_without_a_ledger_it_says_so_and_makes_none(house: Any) -> None:
    done = house.command("rejects")
    assert done.exit_code == 1
    assert "no ledger" in done.stderr
    assert not (house.folder / "ledger.sqlite").exists()


def test_it_asks_xero_nothing(refused: Any) -> None:
    refused.forget_exchanges()
    refused.command("rejects")
    assert refused.exchanges() == []


on_both = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)


def number_of(found: dict[str, Any], kind: str) -> int:
    return next(document["id"] for document in found["documents"] if document["kind"] == kind)


@on_both
def test_what_people_decide_to_leave_is_told_no_more_and_runs_end_well(house: Any) -> None:
    nameless = {key: value for key, value in house.contact(1).items() if key != "source_key"}
    messages = (("contacts", nameless), ("contacts", house.contact(2)))
    assert house.load(*messages).exit_code == 1
    number = number_of(asked(house), "contacts")
    done = asked(house, "--dismiss", str(number), "--by", "Ann", "--comment", "a test record")
    assert done["exit_code"] == 0
    assert (done["documents"], done["dismissed"]) == ([], 1)
    assert "#" + str(number) in done["changed"][0]
    assert "decided by Ann" in done["changed"][0]
    again = house.load(*messages)
    assert again.exit_code == 0, again.told
    assert "refused" not in again.last_line
    assert asked(house)["exit_code"] == 0
    (left,) = asked(house, "--dismissed")["documents"]
    assert (left["state"], left["dismissed_by"], left["dismissed"][:10]) == ("dismissed", "Ann", "2026-11-02")
    assert house.command("retry", "--all", "--json").exit_code == 0
    assert asked(house)["exit_code"] == 0, "tried again by nobody"
    assert "1 dismissed" in house.command("rejects").stdout
    assert house.command("ledger", "verify").exit_code == 0
    key = left["key"]
    (told,) = json.loads(house.command("why", key, "--json").stdout)["documents"]
    assert (told["revisions"][-1]["dismissed_by"], told["revisions"][-1]["dismissed_why"]) == (
        "Ann",
        "a test record",
    )
    assert "left so by Ann on 2026-11-02: a test record" in house.command("why", key).stdout
    rows = [json.loads(line) for line in house.command("ledger", "export").stdout.splitlines()]
    assert any("dismissed" in str(row) and "Ann" in str(row) for row in rows)


def test_a_dismissed_document_comes_back_with_other_content(refused: Any) -> None:
    numbers = [str(d["id"]) for d in asked(refused)["documents"]]
    assert asked(refused, *(word for n in numbers for word in ("--dismiss", n)))["exit_code"] == 0
    wrong = [{**refused.invoice(2, 2)["LineItems"][0], "AccountCode": "2O0", "Quantity": "3"}]
    assert refused.load(("invoices", refused.invoice(2, 2, LineItems=wrong))).exit_code == 1
    found = asked(refused)
    assert [document["key"] for document in found["documents"]] == [f"006{2:015d}"]
    assert (found["exit_code"], found["dismissed"]) == (1, 2)


def test_a_dismissed_document_that_is_refused_for_another_reason_comes_back(refused: Any) -> None:
    number = number_of(asked(refused), "contacts")
    assert len(asked(refused, "--dismiss", str(number))["documents"]) == 2
    with house_ledger(refused) as connection:
        connection.execute("UPDATE intent SET note = 'Another reason.' WHERE id = ?", [number])
    assert number in {document["id"] for document in asked(refused)["documents"]}


def test_a_dismissed_document_that_is_named_goes_again_and_is_told_again(refused: Any) -> None:
    key = f"001{1:015d}"
    number = number_of(asked(refused), "contacts")
    asked(refused, "--dismiss", str(number))
    ran = refused.command("retry", "--key", key, "--json")
    assert ran.exit_code == 1, "the name is still taken"
    assert key in {document["key"] for document in asked(refused)["documents"]}


def test_a_dismissal_is_taken_back(refused: Any) -> None:
    number = str(number_of(asked(refused), "contacts"))
    assert len(asked(refused, "--dismiss", number)["documents"]) == 2
    assert len(asked(refused, "--restore", number)["documents"]) == 3
    assert refused.command("rejects", "--restore", number).exit_code == 1


def test_a_dismissed_document_once_put_right_goes_by_its_key(refused: Any) -> None:
    number = str(number_of(asked(refused), "invoices"))
    asked(refused, "--dismiss", number)
    key = next(d["key"] for d in asked(refused, "--dismissed")["documents"] if str(d["id"]) == number)
    refused.sandbox.edit("xero", {"action": "set_account_status", "code": "200", "status": "ACTIVE"})
    good = refused.invoice(int(key[3:]), 2)
    refused.load(("invoices", good))
    assert key not in {document["key"] for document in asked(refused, "--dismissed")["documents"]}
    assert any(key in str(row["Reference"]) for row in refused.books("Invoices"))


@pytest.mark.parametrize("arguments", [("--dismiss", "9999"), ("--restore", "1")])
def test_a_number_that_is_not_there_changes_nothing(refused: Any, arguments: tuple[str, ...]) -> None:
    number = str(number_of(asked(refused), "contacts"))
    done = refused.command("rejects", "--dismiss", number, *arguments)
    assert done.exit_code == 1
    assert "nothing was changed" in done.stderr
    assert len(asked(refused)["documents"]) == 3


def test_what_goes_by_itself_cannot_be_dismissed(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    with house_ledger(house) as connection:
        connection.execute("UPDATE intent SET state = 'planned'")
    (planned,) = asked(house)["documents"]
    done = house.command("rejects", "--dismiss", str(planned["id"]))
    assert done.exit_code == 1
    assert "planned, neither refused nor parked" in done.stderr


def house_ledger(house: Any) -> sqlite3.Connection:
    return sqlite3.connect(house.folder / "ledger.sqlite")
