"""CRM records through a mapping inside the target: one record, documents of several streams, in any order."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow

ACCOUNT_ID = "001000000000001AAA"
DEAL_ID = "006000000000001AAA"


def _schema(stream: str) -> dict[str, Any]:
    properties = {"Id": {"type": "string"}, "CloseDate": {"type": ["string", "null"], "format": "date"}}
    return {
        "type": "SCHEMA",
        "stream": stream,
        "key_properties": ["Id"],
        "schema": {"properties": properties},
    }


def _account(**fields: Any) -> dict[str, Any]:
    return {
        "Id": ACCOUNT_ID, "Name": "Zoë's Café", "IsDeleted": False, "CurrencyIsoCode": "GBP", "Contacts": [],
        "SystemModstamp": "2026-11-01T10:00:00.000Z",
    } | fields  # fmt: skip


def _deal(**fields: Any) -> dict[str, Any]:
    return {
        "Id": DEAL_ID, "Name": "100 widgets", "AccountId": ACCOUNT_ID, "IsDeleted": False, "IsWon": True, "IsClosed": True,
        "StageName": "Closed Won", "CloseDate": "2026-10-30", "Amount": 100.10, "CurrencyIsoCode": "GBP",
        "Account": {"Id": ACCOUNT_ID, "Name": "Zoë's Café"}, "SystemModstamp": "2026-11-01T10:00:00.000Z",
        "OpportunityLineItems": [
            {"Id": "00k000000000001AAA", "Quantity": 10, "UnitPrice": 10.01, "TotalPrice": 100.10, "Description": "Widget"}
        ],
    } | fields  # fmt: skip


def _messages(house: Any, *records: tuple[str, dict[str, Any]]) -> list[Any]:
    streams = dict.fromkeys(stream for stream, _ in records)
    rows = [{"type": "RECORD", "stream": stream, "record": record} for stream, record in records]
    return [*(_schema(stream) for stream in streams), *rows, house.state(1)]


def test_accounts_and_deals_become_contacts_and_invoices_whatever_comes_first(house: Any) -> None:
    ran = house.run(_messages(house, ("Opportunity", _deal()), ("Account", _account())), mapping="salesforce")
    assert (ran.exit_code, ran.states) == (0, [{"bookmarks": 1}])
    contact = next(c for c in house.books("Contacts") if c["Name"] == "Zoë's Café")
    assert contact["ContactNumber"] == ACCOUNT_ID
    invoice = next(i for i in house.books("Invoices") if DEAL_ID in (i["Reference"] or ""))
    assert (invoice["Status"], invoice["Date"][:10]) == ("DRAFT", "2026-10-30"), (
        "a date stays the text it came as"
    )
    assert float(invoice["SubTotal"]) == 100.10

    house.forget_exchanges()
    ran = house.run(_messages(house, ("Account", _account()), ("Opportunity", _deal())), mapping="salesforce")
    assert (ran.exit_code, house.writes) == (0, 0)


def test_what_the_mapping_refuses_is_kept_with_its_reason_and_the_others_arrive(house: Any) -> None:
    orphan = _deal(Id="006000000000002AAA", Name="no account", AccountId=None, Account=None)
    ran = house.run(
        _messages(house, ("Account", _account()), ("Opportunity", orphan), ("Opportunity", _deal())),
        mapping="salesforce",
    )
    assert ran.exit_code == 1
    assert "no account" in ran.err
    assert "1 refused" in ran.last_line
    assert [i for i in house.books("Invoices") if DEAL_ID in (i["Reference"] or "")]


@pytest.mark.parametrize("record", [{}, {"Id": None}, {"Id": 7, "Name": ["x"], "Contacts": "none"}])
def test_a_record_of_any_shape_neither_stops_the_run_nor_gets_lost(
    house: Any, record: dict[str, Any]
) -> None:
    ran = house.run(_messages(house, ("Account", record), ("Account", _account())), mapping="salesforce")
    assert "Zoë's Café" in {c["Name"] for c in house.books("Contacts")}
    assert ran.exit_code == 1
    assert "Traceback" not in ran.told


def test_documents_and_crm_records_may_come_in_one_run(house: Any) -> None:
    messages = _messages(house, ("Account", _account()))
    ran = house.run(
        [house.schema("contacts"), house.record("contacts", **house.contact(1)), *messages],
        mapping="salesforce",
    )
    assert ran.exit_code == 0
    assert {"Zoë's Café", "Customer 1"} <= {c["Name"] for c in house.books("Contacts")}


def test_a_stream_that_the_mapping_names_is_mapped_even_if_it_is_called_like_a_document(
    house: Any, tmp_path: Any
) -> None:
    mapping = tmp_path / "crm.yml"
    mapping.write_text(
        "mapping: crm\nversion: 1\nsource: CRM\nstreams:\n  contacts:\n    documents:\n      - document: contacts\n"
        "        rule: all\n        fields:\n          source_key: id\n          ContactNumber: id\n          Name: company\n"
    )
    schema = house.schema("contacts", id={"type": "string"}, company={"type": "string"})
    rows = [house.record("contacts", id="c-1", company="Mapped Ltd")]
    ran = house.run([schema | {"key_properties": ["id"]}, *rows, house.state(1)], mapping=str(mapping))
    assert ran.exit_code == 0
    assert "Mapped Ltd" in {c["Name"] for c in house.books("Contacts")}


def test_a_wrong_mapping_file_is_told_with_place_before_anything_is_read(house: Any, tmp_path: Any) -> None:
    mapping = tmp_path / "crm.yml"
    mapping.write_text(
        "mapping: crm\nsource: CRM\nstreams:\n  A:\n    documents:\n      - document: contacs\n        rule: x\n"
    )
    ran = house.run([house.state(1)], mapping=str(mapping))
    assert (ran.exit_code, ran.states) == (1, [])
    assert "crm.yml:6" in ran.log
    assert "contacts" in ran.log
    assert house.exchanges() == []


def test_stream_maps_of_the_sdk_work_on_documents(house: Any) -> None:
    schema = house.schema(
        "contacts", source_key={"type": "string"}, Name={"type": "string"}, ContactNumber={"type": "string"}
    )
    row = house.record("contacts", source_key="k", ContactNumber="k", Name="plain")
    ran = house.run([schema, row, house.state(1)], stream_maps={"contacts": {"Name": "Name.upper()"}})
    assert ran.exit_code == 0
    assert "PLAIN" in {c["Name"] for c in house.books("Contacts")}
