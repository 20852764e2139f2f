"""`target-xero rejects` lists what waits for a person, and nothing else changes."""

from __future__ import annotations

import csv
import io
import json
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
