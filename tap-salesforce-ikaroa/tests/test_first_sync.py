"""A first run out of the box: everything that the main job needs, whole, once, and exact."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Org, Run, Sync

MAIN_JOB = {"Account", "Lead", "Opportunity", "Product2"}


def test_every_row_of_the_main_job_comes_once(org: Org, first: Run) -> None:
    run = first
    assert set(run.records) == MAIN_JOB
    for stream in MAIN_JOB:
        ids = [record["Id"] for record in run.of(stream)]
        assert len(ids) == len(set(ids)), "an Id came twice"
        assert set(ids) == set(org.rows(stream, deleted=True))


def test_child_lists_are_whole_and_in_order(org: Org, first: Run) -> None:
    lines = org.rows("OpportunityLineItem")
    expected: dict[str, list[tuple[int, str]]] = {}
    for line in lines.values():
        order = (line["SortOrder"] if line["SortOrder"] is not None else -1, line["Id"])
        expected.setdefault(line["OpportunityId"], []).append(order)
    for deal in first.of("Opportunity"):
        given = [line["Id"] for line in deal["OpportunityLineItems"]]
        assert given == [row_id for _, row_id in sorted(expected.get(deal["Id"], []))]


def test_parents_are_embedded_in_roots_and_in_child_rows(org: Org, first: Run) -> None:
    accounts, products = org.rows("Account", deleted=True), org.rows("Product2", deleted=True)
    seen = 0
    for deal in first.of("Opportunity"):
        if deal["AccountId"] is None:
            assert deal["Account"] is None
        else:
            assert deal["Account"]["Name"] == accounts[deal["AccountId"]]["Name"]
            assert "Payment_Terms__c" in deal["Account"]
        for line in deal["OpportunityLineItems"]:
            seen += 1
            assert line["Product2"]["Id"] == line["Product2Id"]
            assert line["Product2"]["ProductCode"] == products[line["Product2Id"]]["ProductCode"]
            assert "Account_Code__c" in line["Product2"]
    assert seen == 60


def test_child_lists_longer_than_a_page_are_read_to_their_end(org: Org, sync: Sync) -> None:
    account = org.insert("Account", Name="Many Contacts Ltd")
    org.edit(
        "bulk_load", object="Contact", count=450, fields={"LastName": "Person {n}", "AccountId": account}
    )
    contacts = sync(streams_to_discover=["Account"]).by_id("Account")[account]["Contacts"]
    assert len(contacts) == 450
    assert [row["Id"] for row in contacts] == sorted({row["Id"] for row in contacts})


def test_numbers_keep_every_digit_and_are_never_scientific(org: Org, sync: Sync) -> None:
    small = org.insert(
        "Opportunity", Name="a", StageName="Prospecting", CloseDate="2026-12-01", Amount="10.10"
    )
    huge = org.insert(
        "Opportunity", Name="b", StageName="Prospecting", CloseDate="2026-12-01", Amount="12345678.9"
    )
    run = sync(streams_to_discover=["Opportunity"])
    lines = {
        line["record"]["Id"]: text
        for line, text in zip(run.lines, run.text.splitlines(), strict=True)
        if line["type"] == "RECORD"
    }
    assert '"Amount":10.1' in lines[small]
    assert '"Amount":12345678.9,' in lines[huge], "the API writes 1.23456789E7"
    assert not re.search(r"[:,\[]-?[0-9.]+[eE][+-]?[0-9]", run.text)


def test_the_bookmark_is_the_greatest_stamp_seen(first: Run) -> None:
    run = first
    for stream in MAIN_JOB:
        seen = max(record["SystemModstamp"] for record in run.of(stream))
        assert run.bookmarks[stream]["replication_key_value"] == seen
        assert run.bookmarks[stream]["replication_key"] == "SystemModstamp"
        assert set(run.bookmarks[stream]) <= {
            "replication_key",
            "replication_key_value",
            "covered",
            "children",
            "deletions",
            "settled",
        }


def test_a_first_run_costs_six_calls_and_a_login(first: Run) -> None:
    assert first.calls == Counter({"login": 1, "describe": 1, "changes": 1, "query": 4})


def test_start_date_leaves_out_what_was_last_changed_before(org: Org, sync: Sync) -> None:
    run = sync(start_date="2026-10-29", streams_to_discover=["Lead"])
    expected = {
        row_id
        for row_id, row in org.rows("Lead", deleted=True).items()
        if row["SystemModstamp"] >= "2026-10-29"
    }
    assert 0 < len(expected) < len(org.rows("Lead", deleted=True))
    assert set(run.by_id("Lead")) == expected


def test_dates_are_rfc_3339(first: Run) -> None:
    record = first.of("Account")[0]
    assert record["SystemModstamp"].endswith("Z")
    assert "attributes" not in json.dumps(record, default=str)
