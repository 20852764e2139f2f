"""`target-xero ledger`: status, verify, export, rebuild, and a ledger that was lost or restored."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3

import pytest


@pytest.fixture
def lived(house):
    """One contact and two invoices of it are in Xero."""
    ran = house.load(
        ("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)), ("invoices", house.invoice(2, 1))
    )
    assert ran.exit_code == 0, ran.told
    return house


def answer(result):
    return json.loads(result.stdout)


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def lose(house):
    for file in house.folder.glob("ledger.sqlite*"):
        if not file.name.endswith(".stamp"):
            file.unlink()


def test_status_tells_what_is_there(lived):
    data = answer(lived.command("ledger", "status", "--json"))
    assert data["linked"] == {"contacts": 1, "invoices": 2}
    assert (data["runs"], data["open"], data["warning"]) == (1, {}, "")
    assert data["organisations"].keys() == {"Sandbox Trading Ltd"}
    assert data["head"] in lived.command("ledger", "status").stdout


def test_without_a_ledger_there_is_nothing_to_tell(house):
    result = house.command("ledger", "status")
    assert result.exit_code == 1
    assert "there is no ledger" in result.stderr


def test_verify_holds_until_somebody_edits_an_amount(lived):
    before = answer(lived.command("ledger", "verify", "--json"))
    assert (before["holds"], before["documents"], before["links"]) == (True, 3, 3)
    assert lived.command("ledger", "verify", "--expect", before["head"]).exit_code == 0
    with sqlite3.connect(lived.folder / "ledger.sqlite") as database:
        database.execute("UPDATE intent SET amount_minor = 1 WHERE source_key LIKE '006%1'")
    database.close()
    result = lived.command("ledger", "verify", "--json")
    assert result.exit_code == 1
    assert "amount is 1, and the audit chain says 2050" in answer(result)["differences"][0]
    assert "1 differences" in lived.command("ledger", "verify").stdout


def test_export_has_every_link_document_run_and_entry_and_no_name(lived):
    rows = lines(lived.command("ledger", "export"))
    kinds = [row["what"] for row in rows]
    assert {kind: kinds.count(kind) for kind in ("link", "document", "run")} == {
        "link": 3,
        "document": 3,
        "run": 1,
    }
    assert kinds.count("audit") == rows[-1]["seq"]
    assert "Customer 1" not in json.dumps(rows)
    assert [row["what"] for row in lines(lived.command("ledger", "export", "--only", "runs"))] == ["run"]


def test_export_with_json_is_one_document_like_every_answer(lived):
    assert json.loads(lived.command("ledger", "export", "--json").stdout) == lines(
        lived.command("ledger", "export")
    )
    only = ("ledger", "export", "--only", "links", "--json")
    assert len(json.loads(lived.command(*only).stdout)) == 3


def test_export_of_an_empty_ledger_is_an_empty_list(house):
    house.run([])
    assert json.loads(house.command("ledger", "export", "--only", "links", "--json").stdout) == []


def test_export_as_csv_is_safe_in_a_spreadsheet(house):
    house.load(("contacts", house.contact(1, source_key="=HYPERLINK(1)")))
    rows = list(
        csv.DictReader(io.StringIO(house.command("ledger", "export", "--only", "links", "--csv").stdout))
    )
    assert [row["key"] for row in rows] == ["'=HYPERLINK(1)"]


def test_a_ledger_that_was_lost_is_rebuilt_without_a_write_and_the_next_run_doubles_nothing(lived):
    lose(lived)
    lived.forget_exchanges()
    data = answer(lived.command("ledger", "rebuild", "--json"))
    (organisation,) = data["organisations"]
    assert organisation["kinds"]["invoices"]["marked"] >= 2
    assert organisation["kinds"]["invoices"]["doubled"] == {}
    assert lived.writes == 0
    ran = lived.load(
        ("contacts", lived.contact(1)), ("invoices", lived.invoice(1, 1)), ("invoices", lived.invoice(2, 1))
    )
    assert ran.exit_code == 0, ran.told
    assert not [e for e in lived.exchanges() if e["method"] == "PUT" and e["path"].startswith("/api.xro/")]
    assert answer(lived.command("ledger", "status", "--json"))["linked"] == {"contacts": 1, "invoices": 2}
    assert lived.command("ledger", "verify").exit_code == 0


def test_a_ledger_in_use_is_not_rebuilt(lived):
    result = lived.command("ledger", "rebuild")
    assert result.exit_code == 1
    assert "needs no rebuilding" in result.stderr


def test_a_list_that_cannot_be_read_ends_a_rebuild(house):
    house.fault("503_before", path="/api.xro/2.0/Invoices", times=9)
    result = house.command("ledger", "rebuild")
    assert result.exit_code == 1
    assert "invoices could not be read" in result.stderr


def test_a_new_ledger_in_the_place_of_another_says_so(lived):
    lose(lived)
    ran = lived.load(("contacts", lived.contact(1)), ("invoices", lived.invoice(1, 1)))
    assert "There was another ledger" in ran.told
    assert (
        len([i for i in lived.books("Invoices") if i["Reference"].endswith(lived.invoice(1, 1)["marker"])])
        == 1
    )


def test_a_restored_backup_is_noticed_and_doubles_nothing(house):
    house.load(("contacts", house.contact(1)))
    for file in house.folder.glob("ledger.sqlite*"):
        shutil.copy(file, house.folder / f"backup-{file.name}")
    house.load(("invoices", house.invoice(1, 1)))
    lose(house)
    shutil.copy(house.folder / "backup-ledger.sqlite", house.folder / "ledger.sqlite")
    assert answer(house.command("ledger", "status", "--json"))["warning"].startswith("The ledger")
    found = {one["what"]: one for one in answer(house.command("check", "--json"))["checks"]}
    assert (found["ledger"]["level"], "is an older copy" in found["ledger"]["found"]) == ("warn", True)
    ran = house.load(("invoices", house.invoice(1, 1)))
    assert "is an older copy" in ran.told
    assert "--full-refresh" in ran.told
    assert (
        len([i for i in house.books("Invoices") if i["Reference"].endswith(house.invoice(1, 1)["marker"])])
        == 1
    )
    assert house.command("ledger", "verify").exit_code == 0
    assert house.command("ledger", "status").exit_code == 0
