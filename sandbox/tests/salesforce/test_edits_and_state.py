"""A person's hand, and copies of the whole org."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ikaroa_sandbox import salesforce
from ikaroa_sandbox.salesforce import edits, limits


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({"action": "explode"}, "Salesforce knows no action 'explode'; there are: add_field, app, bulk_"),
        ({}, "Salesforce knows no action None"),
        ({"action": "insert", "object": "Account"}, "insert: `fields` is missing"),
        (
            {"action": "insert", "object": "Acount", "fields": {}},
            "insert: no object 'Acount'; there are Account,",
        ),
        (
            {"action": "insert", "object": "Account", "fields": []},
            "insert: `fields` is an object of field names",
        ),
        (
            {"action": "insert", "object": "Account", "fields": {"Nme": 1}},
            "insert: INVALID_FIELD: No such column 'Nme'",
        ),
        ({"action": "insert", "object": "OpportunityHistory", "fields": {}}, "rows are not made by people"),
        (
            {"action": "update", "object": "Account", "id": "xyz", "fields": {}},
            "`id` is no id of a record of Account",
        ),
        (
            {"action": "update", "object": "Account", "id": "001A0000006Vm9r", "fields": {}},
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            {"action": "delete", "object": "Account", "id": "001A0000006Vm9r", "force": 1},
            "unknown key force; it takes id",
        ),
        ({"action": "undelete", "object": "Account", "id": "001A0000006Vm9r"}, "UNDELETE_FAILED"),
        ({"action": "hide_field", "object": "Account", "field": "Nme"}, "Account has no field 'Nme'"),
        (
            {"action": "hide_field", "object": "Account", "field": "Name"},
            "is always there and cannot be hidden",
        ),
        ({"action": "add_field", "object": "Account", "field": "New"}, "a custom field's name ends in __c"),
        ({"action": "add_field", "object": "Account", "field": "Ext_Id__c"}, "has a field Ext_Id__c already"),
        (
            {"action": "add_field", "object": "Account", "field": "N__c", "colour": "red"},
            "unknown key colour",
        ),
        ({"action": "add_field", "object": "Account", "field": "N__c", "type": "reference"}, "needs `to`"),
        (
            {"action": "add_field", "object": "Account", "field": "N__c", "required": True},
            "cannot be required",
        ),
        (
            {"action": "remove_field", "object": "Account", "field": "Phone"},
            "is a standard field; hide it instead",
        ),
        (
            {"action": "feature", "feature": "magic", "on": True},
            "no feature 'magic'; there are multi_currency",
        ),
        ({"action": "feature", "feature": "products", "on": 1}, "`on` is true or false, not 1"),
        ({"action": "limits", "daily": -1}, "`daily` is a whole number from 0, not -1"),
        ({"action": "open_transaction"}, "`transaction` is missing"),
        (
            {"action": "touch", "object": "Account", "transaction": "t"},
            "no transaction 't' is open; open are: none",
        ),
        (
            {"action": "bulk_load", "object": "User", "count": 1, "fields": {}},
            "User cannot be loaded in bulk",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(org, command: dict, says: str) -> None:
    before = org.backend.dump()
    with pytest.raises(ValueError) as caught:
        org.backend.edit(command)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert org.backend.dump() == before


def test_every_action_is_in_the_table_and_every_row_of_it_is_one() -> None:
    first_cells = [line.split("|")[1] for line in (edits.__doc__ or "").splitlines() if line.startswith("| ")]
    listed = {name.strip() for cell in first_cells[1:] for name in cell.split(",")}
    with pytest.raises(ValueError) as caught:
        edits.apply(None, {"action": "?"})  # type: ignore[arg-type]
    known = set(str(caught.value).split("there are: ")[1].split(", "))
    assert listed == known


def test_a_person_sees_fields_that_the_client_does_not(org) -> None:
    org.edit("hide_field", object="Account", field="Phone")
    record = org.make("Account", Name="A", Phone="1")
    assert org.backend.dump()["objects"]["Account"][0]["Phone"] == "1"
    assert record


def test_records_can_be_backdated_when_made(org) -> None:
    record = org.make(
        "Account", Name="A", CreatedDate="2024-01-01T00:00:00Z", LastModifiedDate="2024-06-01T00:00:00Z"
    )
    found = org.one("Account", record, "CreatedDate", "LastModifiedDate", "SystemModstamp")
    assert list(found.values()) == [
        "2024-01-01T00:00:00.000+0000", "2024-06-01T00:00:00.000+0000", "2026-11-02T09:00:00.000+0000",
    ]  # fmt: skip


def test_a_system_job_moves_the_stamp_alone(org) -> None:
    first, second = (org.make("Account", Name=name) for name in "AB")
    org.pass_time(60)
    assert org.edit("touch", object="Account", ids=[first]) == {"touched": 1}
    assert org.one("Account", first, "LastModifiedDate", "SystemModstamp") == {
        "LastModifiedDate": "2026-11-02T09:00:00.000+0000", "SystemModstamp": "2026-11-02T09:01:00.000+0000",
    }  # fmt: skip
    assert org.one("Account", second, "SystemModstamp") == "2026-11-02T09:00:00.000+0000"
    assert org.edit("touch", object="Account") == {"touched": 2}


def test_a_bulk_load_gives_one_stamp_to_all(org, monkeypatch) -> None:
    monkeypatch.setattr(limits, "IMPORT_CHUNK_ROWS", 100)
    answer = org.edit(
        "bulk_load", object="Contact", count=301, fields={"FirstName": "No {n}", "LastName": "X"}
    )
    assert answer["count"] == 301
    assert org.records(
        "SELECT COUNT(Id) a, COUNT_DISTINCT(SystemModstamp) b, COUNT_DISTINCT(Name) c FROM Contact"
    ) == [{"a": 301, "b": 1, "c": 301}]
    assert org.one("Contact", answer["last"], "Name") == "No 301 X"


def test_a_copy_holds_everything_and_serves_more_than_once(shop) -> None:
    org = shop.org
    shop.line(shop.deal())
    org.edit("add_field", object="Account", field="N__c")
    org.edit("hide_field", object="Account", field="Fax")
    org.edit("rotation", on=True)
    org.edit("open_transaction", transaction="t")
    org.edit("update", object="Account", id=shop.account, fields={"N__c": "late"}, transaction="t")
    org.edit("bulk_load", object="Contact", count=300, fields={"LastName": "L{n}"})
    url = org.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})[
        "nextRecordsUrl"
    ]
    saved, before, page = org.backend.save(), org.backend.dump(), org.get(url)
    for _ in range(2):
        org.edit("commit_transaction", transaction="t")
        org.edit("expire_locators")
        org.edit("show_field", object="Account", field="Fax")
        org.edit("remove_field", object="Account", field="N__c")
        org.edit("delete", object="Account", id=shop.account)
        org.backend.expire_tokens()
        org.backend.restore(saved)
        assert org.backend.dump() == {**before, "api_usage": org.backend.dump()["api_usage"]}
        assert org.get(url) == page
        assert org.refused("SELECT Fax FROM Account")["errorCode"] == "INVALID_FIELD"


def test_what_happens_after_a_copy_does_not_reach_into_it(org) -> None:
    saved = org.backend.save()
    first = org.make("Account", Name="A")
    org.backend.restore(saved)
    assert org.column("SELECT Id FROM Account") == []
    assert org.make("Account", Name="B") == first  # ids go on from where the copy was


def test_a_reset_leaves_the_set_up_alone_and_no_records(seeded) -> None:
    seeded.edit("hide_object", object="Lead")
    seeded.backend.reset()
    objects = seeded.backend.dump()["objects"]
    assert {name for name, rows in objects.items() if rows} == {
        "Organization", "User", "CurrencyType", "OpportunityStage", "Pricebook2",
    }  # fmt: skip
    assert seeded.send("GET", "limits").status == 401


def test_a_dump_is_plain_json_with_exact_money(shop) -> None:
    deal = shop.deal(Amount="12345678.90")
    (row,) = shop.org.backend.dump()["objects"]["Opportunity"]
    assert row["Amount"] == "12345678.9"
    assert row["SystemModstamp"] == "2026-11-02T09:00:00.000+0000"
    assert row["IsDeleted"] is False
    assert row["Id"] == deal


def test_the_half_reads_no_clock_of_its_own_and_does_no_io() -> None:
    root = Path(salesforce.__file__).parent
    forbidden = re.compile(
        r"datetime\.now|utcnow|date\.today|import (time|socket|requests|urllib\.request)\b|(?<![\w.])open\(|random\.random\("
    )
    for path in root.rglob("*.py"):
        assert not forbidden.search(path.read_text(encoding="utf-8")), path
