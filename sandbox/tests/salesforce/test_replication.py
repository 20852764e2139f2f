"""/updated and /deleted: windows, latestDateCovered, long transactions. Salesforce REST docs."""

from __future__ import annotations

import pytest


def updated(org, start: str, end: str, kind: str = "Account"):
    return org.get(f"sobjects/{kind}/updated/", start=start, end=end)


def deleted(org, start: str, end: str, kind: str = "Account"):
    return org.get(f"sobjects/{kind}/deleted/", start=start, end=end)


def refused(org, call: str, **params: str) -> tuple[int, str]:
    query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in params.items())
    found = org.error(org.send("GET", f"sobjects/Account/{call}", query=query))
    return found["status"], found["errorCode"]


WINDOW = ("2026-11-02T08:00:00Z", "2026-11-02T09:30:00Z")


def test_updated_lists_what_was_made_or_changed_in_the_window(org) -> None:
    old = org.make("Account", Name="Old")
    org.pass_time(600)
    new = org.make("Account", Name="New")
    org.pass_time(60)
    assert updated(org, "2026-11-02T09:05:00Z", "2026-11-02T09:11:00Z")["ids"] == [new]
    org.change("Account", old, Name="Older")
    org.pass_time(60)
    assert updated(org, "2026-11-02T09:05:00Z", "2026-11-02T09:12:00Z")["ids"] == [new, old]


def test_the_answer_is_certain_up_to_the_end_of_the_window(org) -> None:
    org.pass_time(3600)
    assert updated(org, *WINDOW)["latestDateCovered"] == "2026-11-02T09:30:00.000+0000"


def test_seconds_are_cut_to_the_minute(org) -> None:
    record = org.make("Account", Name="A")
    org.pass_time(120)
    found = updated(org, "2026-11-02T08:59:59Z", "2026-11-02T09:00:59Z")
    assert found == {"ids": [], "latestDateCovered": "2026-11-02T09:00:00.000+0000"}
    found = updated(org, "2026-11-02T09:00:59Z", "2026-11-02T09:01:59Z")
    assert found == {"ids": [record], "latestDateCovered": "2026-11-02T09:01:00.000+0000"}


def test_an_end_a_little_ahead_of_now_is_covered_up_to_now_only(org) -> None:
    org.pass_time(90)
    found = updated(org, "2026-11-02T08:00:00Z", "2026-11-02T09:03:00Z")
    assert found["latestDateCovered"] == "2026-11-02T09:01:00.000+0000"


def test_a_deleted_record_is_not_updated(org) -> None:
    org.edit("delete", object="Account", id=org.make("Account", Name="A"))
    org.pass_time(60)
    assert updated(org, "2026-11-02T08:00:00Z", "2026-11-02T09:01:00Z")["ids"] == []


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+0000", ".000Z", ".000+00:00"])
def test_every_spelling_of_a_time_is_understood(org, zone: str) -> None:
    org.pass_time(60)
    assert updated(org, f"2026-11-02T08:00:00{zone}", f"2026-11-02T09:01:00{zone}")["ids"] == []


def test_windows_that_are_not_served(org) -> None:
    hour = "2026-11-02T08:00:00Z"
    assert refused(org, "updated/", start="2026-10-02T00:00:00Z", end=hour) == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert refused(org, "updated", start=hour, end="2026-11-02T08:00:30Z") == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert refused(org, "updated/", start=hour, end="2026-11-02T07:00:00Z") == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert refused(org, "updated/", start=hour, end="2026-11-03T09:00:00Z") == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert refused(org, "updated/", start="yesterday", end=hour) == (400, "INVALID_REPLICATION_DATE")
    assert refused(org, "deleted/", start="2026-10-17T00:00:00Z", end=hour) == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert refused(org, "updated/", start=hour) == (400, "MISSING_ARGUMENT")


def test_an_object_without_replication_is_refused(org) -> None:
    answer = org.send(
        "GET",
        "sobjects/OpportunityHistory/updated/",
        query="start=2026-11-02T08:00:00Z&end=2026-11-02T09:00:00Z",
    )
    assert org.error(answer)["errorCode"] == "INVALID_TYPE"


# -- deleted ----------------------------------------------------------------------------------------------------------


def test_deleted_tells_id_and_time_of_bin_and_hard_deletes(org) -> None:
    soft, hard = (org.make("Account", Name=name) for name in "AB")
    org.pass_time(60)
    org.edit("delete", object="Account", id=soft)
    org.pass_time(60)
    org.edit("hard_delete", object="Account", id=hard)
    org.pass_time(60)
    found = deleted(org, "2026-11-02T08:00:00Z", "2026-11-02T09:03:00Z")
    assert found["deletedRecords"] == [
        {"deletedDate": "2026-11-02T09:01:00.000+0000", "id": soft},
        {"deletedDate": "2026-11-02T09:02:00.000+0000", "id": hard},
    ]
    assert found["latestDateCovered"] == "2026-11-02T09:03:00.000+0000"
    assert found["earliestDateAvailable"] == "2026-11-02T09:01:00.000+0000"


def test_what_was_taken_out_of_the_bin_was_not_deleted(org) -> None:
    record = org.make("Account", Name="A")
    org.edit("delete", object="Account", id=record)
    org.edit("undelete", object="Account", id=record)
    org.pass_time(60)
    assert deleted(org, "2026-11-02T08:00:00Z", "2026-11-02T09:01:00Z")["deletedRecords"] == []


def test_a_purged_log_no_longer_reaches_back(org) -> None:
    org.edit("delete", object="Account", id=org.make("Account", Name="A"))
    org.pass_time(3600)
    org.edit("purge_deletion_log", object="Account")
    org.pass_time(600)
    assert refused(org, "deleted/", start="2026-11-02T08:00:00Z", end="2026-11-02T10:05:00Z") == (
        400, "INVALID_REPLICATION_DATE",
    )  # fmt: skip
    answer = deleted(org, "2026-11-02T10:01:00Z", "2026-11-02T10:05:00Z")
    assert answer["earliestDateAvailable"] == "2026-11-02T10:00:00.000+0000"
    assert answer["deletedRecords"] == []


# -- long transactions ------------------------------------------------------------------------------------------------


def test_a_long_transaction_holds_back_what_is_certain(org) -> None:
    org.edit("open_transaction", transaction="import")
    org.pass_time(600)
    found = updated(org, "2026-11-02T08:00:00Z", "2026-11-02T09:10:00Z")
    assert found["latestDateCovered"] == "2026-11-02T09:00:00.000+0000"
    org.edit("commit_transaction", transaction="import")
    found = updated(org, "2026-11-02T08:00:00Z", "2026-11-02T09:10:00Z")
    assert found["latestDateCovered"] == "2026-11-02T09:10:00.000+0000"


def test_it_holds_back_every_object_and_deletions_too(org) -> None:
    org.edit("open_transaction", transaction="import")
    org.pass_time(600)
    window = ("2026-11-02T08:00:00Z", "2026-11-02T09:10:00Z")
    assert updated(org, *window, kind="Lead")["latestDateCovered"] == "2026-11-02T09:00:00.000+0000"
    assert deleted(org, *window)["latestDateCovered"] == "2026-11-02T09:00:00.000+0000"


def test_its_rows_appear_at_the_commit_with_the_stamp_of_their_writing(org) -> None:
    org.edit("open_transaction", transaction="t")
    org.pass_time(60)
    made = org.edit("insert", object="Account", fields={"Name": "Late"}, transaction="t")["id"]
    org.pass_time(540)
    assert org.column("SELECT Name FROM Account") == []
    early = org.make("Account", Name="Early")
    org.edit("commit_transaction", transaction="t")
    assert org.records("SELECT Id, SystemModstamp FROM Account ORDER BY SystemModstamp") == [
        {"Id": made, "SystemModstamp": "2026-11-02T09:01:00.000+0000"},
        {"Id": early, "SystemModstamp": "2026-11-02T09:10:00.000+0000"},
    ]


def test_a_commit_can_land_behind_a_bookmark(org) -> None:
    """The loss the ceiling is there to prevent: a row with an old stamp appears after a newer one was seen."""
    record = org.make("Account", Name="A")
    org.edit("open_transaction", transaction="t")
    org.pass_time(60)
    org.edit("update", object="Account", id=record, fields={"Phone": "1"}, transaction="t")
    org.pass_time(60)
    org.make("Account", Name="B")
    bookmark = org.column("SELECT SystemModstamp FROM Account ORDER BY SystemModstamp DESC LIMIT 1")[0]
    org.edit("commit_transaction", transaction="t")
    assert org.one("Account", record, "Phone", "SystemModstamp") == {
        "Phone": "1", "SystemModstamp": "2026-11-02T09:01:00.000+0000",
    }  # fmt: skip
    assert bookmark > org.one("Account", record, "SystemModstamp")


def test_records_it_has_changed_are_locked_until_it_ends(org) -> None:
    record = org.make("Account", Name="A")
    org.edit("open_transaction", transaction="t")
    org.edit("update", object="Account", id=record, fields={"Phone": "1"}, transaction="t")
    found = org.error(org.send("PATCH", f"sobjects/Account/{record}", {"Phone": "2"}))
    assert (found["status"], found["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    with pytest.raises(ValueError, match="UNABLE_TO_LOCK_ROW"):
        org.edit("delete", object="Account", id=record)
    assert org.edit("rollback_transaction", transaction="t") == {"undone": 1}
    assert org.send("PATCH", f"sobjects/Account/{record}", {"Phone": "2"}).status == 204


def test_its_steps_build_on_each_other(org) -> None:
    org.edit("open_transaction", transaction="t")
    made = org.edit("insert", object="Account", fields={"Name": "A"}, transaction="t")["id"]
    contact = org.edit(
        "insert", object="Contact", fields={"LastName": "B", "AccountId": made}, transaction="t"
    )["id"]
    org.edit("update", object="Account", id=made, fields={"Phone": "1"}, transaction="t")
    other = org.make("Account", Name="Meanwhile")
    org.edit("commit_transaction", transaction="t")
    assert len({made, other}) == 2
    assert org.records(f"SELECT Account.Phone FROM Contact WHERE Id = '{contact}'") == [
        {"Account": {"Phone": "1"}}
    ]


def test_a_mistake_in_it_shows_at_once_and_a_rollback_leaves_nothing(org) -> None:
    org.edit("open_transaction", transaction="t")
    with pytest.raises(ValueError, match="Required fields are missing"):
        org.edit("insert", object="Account", fields={}, transaction="t")
    org.edit("insert", object="Account", fields={"Name": "A"}, transaction="t")
    org.edit("rollback_transaction", transaction="t")
    assert org.column("SELECT Id FROM Account") == []
    with pytest.raises(ValueError, match="no transaction 't' is open"):
        org.edit("commit_transaction", transaction="t")


def test_a_line_added_late_moves_its_deal_late(shop) -> None:
    org, deal = shop.org, shop.deal(Amount="10")
    org.edit("open_transaction", transaction="t")
    org.pass_time(60)
    org.edit("insert", object="OpportunityLineItem", transaction="t",
             fields={"OpportunityId": deal, "PricebookEntryId": shop.entry, "Quantity": 2})  # fmt: skip
    org.pass_time(60)
    assert str(org.one("Opportunity", deal, "Amount")) == "10.0"
    org.edit("commit_transaction", transaction="t")
    found = org.one("Opportunity", deal, "Amount", "SystemModstamp")
    assert (str(found["Amount"]), found["SystemModstamp"]) == ("200.0", "2026-11-02T09:01:00.000+0000")
