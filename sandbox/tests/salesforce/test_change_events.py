"""What of a change becomes an event, and what the event says. Expectations: Salesforce change data capture guide."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import fastavro
import pytest
from ikaroa_sandbox.salesforce.events import avro
from ikaroa_sandbox.salesforce.events.log import ReplayIdError

DAY = 86_400


class Bus:
    def __init__(self, org: Any) -> None:
        self.org = org
        self.place = org.backend.state.events.last()

    def heard(self) -> list[dict[str, Any]]:
        """The events since the last call, read by a client that knows nothing but the schema."""
        state = self.org.backend.state
        found = []
        for event in state.events.after(self.place, None, 10_000):
            self.place = event.seq
            item = state.org.visible[event.object]
            schema = fastavro.parse_schema(json.loads(avro.schema_of(item).json))
            payload = io.BytesIO(avro.encode(item, event.header, event.parts))
            found.append(fastavro.schemaless_reader(payload, schema, None))
        return found

    def headers(self) -> list[tuple[str, str, list[str]]]:
        return [
            (h["entityName"], h["changeType"], h["recordIds"])
            for h in (event["ChangeEventHeader"] for event in self.heard())
        ]


@pytest.fixture
def bus(org: Any) -> Bus:
    return Bus(org)


def told(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if value is not None and key != "ChangeEventHeader"}


def named(org: Any, name: str, bitmaps: list[str]) -> set[str]:
    """The fields that bitmaps name, decoded as the documentation tells it: bit n is the schema's field n."""
    fields = json.loads(avro.schema_of(org.backend.state.org.visible[name]).json)["fields"]
    found = set()
    for bitmap in bitmaps:
        parent, _, bits = bitmap.rpartition("-")
        below = fields
        prefix = ""
        if parent:
            whole = fields[int(parent)]
            below, prefix = whole["type"][-1]["fields"], f"{whole['name']}."
        found |= {prefix + one["name"] for place, one in enumerate(below) if int(bits, 16) >> place & 1}
    return found


def test_a_new_record_is_told_whole_and_without_the_system_stamp(org: Any, bus: Bus) -> None:
    made = org.make("Account", Name="Zoë Ltd", BillingCity="Leeds", AnnualRevenue=12)
    (event,) = bus.heard()
    header = event["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"], header["recordIds"]) == ("Account", "CREATE", [made])
    assert header["commitTimestamp"] % 1000 == 0
    assert (event["Name"], event["BillingAddress"]["City"], event["AnnualRevenue"]) == (
        "Zoë Ltd",
        "Leeds",
        12.0,
    )
    assert not {"SystemModstamp", "IsDeleted", "Id"} & set(event)


def test_an_update_holds_what_changed_and_names_it_and_what_was_emptied(org: Any, bus: Bus) -> None:
    made = org.make("Contact", LastName="Shaw", FirstName="Ann", Phone="1")
    bus.heard()
    org.world.clock.advance(60)
    org.change("Contact", made, FirstName="Anna", Phone=None)
    (event,) = bus.heard()
    header = event["ChangeEventHeader"]
    assert told(event)["Name"]["FirstName"] == "Anna"
    assert event["Phone"] is None
    assert named(org, "Contact", header["nulledFields"]) == {"Phone"}
    assert named(org, "Contact", header["changedFields"]) >= {"Phone", "Name.FirstName", "LastModifiedDate"}
    assert "Email" not in told(event)


def test_dates_are_milliseconds(org: Any, bus: Bus) -> None:
    org.make("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2024-06-30")
    assert bus.heard()[0]["CloseDate"] == 1719705600000


def test_deletes_and_undeletes_tell_the_id_and_take_the_children_along(org: Any, bus: Bus) -> None:
    account = org.make("Account", Name="Shop")
    contact = org.make("Contact", LastName="Shaw", AccountId=account)
    bus.heard()
    org.edit("delete", object="Account", id=account)
    assert sorted(bus.headers()) == [("Account", "DELETE", [account]), ("Contact", "DELETE", [contact])]
    org.edit("undelete", object="Account", id=account)
    assert sorted(bus.headers()) == [("Account", "UNDELETE", [account]), ("Contact", "UNDELETE", [contact])]


def test_emptying_the_bin_is_no_event_for_what_was_deleted_before(org: Any, bus: Bus) -> None:
    account = org.make("Account", Name="Shop")
    org.edit("delete", object="Account", id=account)
    bus.heard()
    org.edit("empty_bin")
    assert bus.headers() == []


def test_a_line_deleted_directly_is_an_event_although_no_bin_holds_it(seeded: Any) -> None:
    line = seeded.column("SELECT Id FROM OpportunityLineItem LIMIT 1")[0]
    bus = Bus(seeded)
    seeded.edit("delete", object="OpportunityLineItem", id=line)
    assert ("OpportunityLineItem", "DELETE", [line]) in bus.headers()


def test_a_conversion_is_one_transaction_of_four_records_in_order(org: Any, bus: Bus) -> None:
    lead = org.make("Lead", LastName="Shaw", Company="Shop", Status="Open - Not Contacted")
    bus.heard()
    org.edit("convert_lead", id=lead)
    headers = [event["ChangeEventHeader"] for event in bus.heard()]
    assert [(h["entityName"], h["changeType"]) for h in headers] == [
        ("Account", "CREATE"), ("Contact", "CREATE"), ("Opportunity", "CREATE"), ("Lead", "UPDATE"),
    ]  # fmt: skip
    assert [h["sequenceNumber"] for h in headers] == [1, 2, 3, 4]
    assert len({h["transactionKey"] for h in headers}) == 1


def test_nothing_is_told_before_a_long_transaction_commits_nor_after_a_rollback(org: Any, bus: Bus) -> None:
    for end, heard in (("commit_transaction", ["Account"]), ("rollback_transaction", [])):
        org.edit("open_transaction", transaction="t")
        org.edit("insert", object="Account", fields={"Name": end}, transaction="t")
        assert bus.headers() == []
        org.edit(end, transaction="t")
        assert [name for name, _, _ in bus.headers()] == heard


def test_the_same_change_of_many_records_in_one_request_is_one_event(org: Any, bus: Bus) -> None:
    ids = [org.make("Account", Name=f"Shop {n}") for n in range(3)]
    bus.heard()
    records = [{"attributes": {"type": "Account"}, "id": one, "Rating": "Hot"} for one in ids]
    answer = org.send("PATCH", "composite/sobjects", {"allOrNone": True, "records": records})
    assert answer.status == 200
    assert bus.headers() == [("Account", "UPDATE", ids)]


def test_a_client_that_names_itself_is_named_as_the_origin(org: Any, bus: Bus) -> None:
    answer = org.send(
        "POST", "sobjects/Account", {"Name": "Echo"}, headers={"Sforce-Call-Options": "client=ikaroa"}
    )
    assert answer.status == 201
    (event,) = bus.heard()
    assert event["ChangeEventHeader"]["changeOrigin"] == "com/salesforce/api/rest/67.0;client=ikaroa"


def test_a_long_text_is_told_as_a_difference_under_its_hash(org: Any, bus: Bus) -> None:
    old, new = "a" * 1200 + "\nend", "a" * 1200 + "\nEND"
    made = org.make("Account", Name="Shop", Description=old)
    bus.heard()
    org.change("Account", made, Description=new)
    (event,) = bus.heard()
    assert event["Description"].startswith(f"--- \n+++ {hashlib.sha256(new.encode()).hexdigest()}\n@@ ")
    assert named(org, "Account", event["ChangeEventHeader"]["diffFields"]) == {"Description"}


def test_too_many_changes_in_one_transaction_are_one_overflow_an_object(org: Any, bus: Bus) -> None:
    org.edit("bulk_load", object="Account", count=2_000, fields={"Name": "Imported {n}"})
    assert bus.headers() == [("Account", "GAP_OVERFLOW", ["000000000000000AAA"])]


def test_objects_that_are_not_selected_make_no_events_and_six_cannot_be(org: Any, bus: Bus) -> None:
    org.edit("change_data_capture", objects=["Contact"])
    org.make("Account", Name="Silent")
    assert bus.headers() == []
    six = ["Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem", "Order"]
    with pytest.raises(ValueError, match="at most 5"):
        org.edit("change_data_capture", objects=six)


def test_a_system_job_that_only_moves_the_stamp_is_no_change(org: Any, bus: Bus) -> None:
    made = org.make("Account", Name="Shop")
    bus.heard()
    org.edit("touch", object="Account", ids=[made])
    assert bus.headers() == []


def test_a_field_that_the_user_does_not_see_is_not_in_the_schema(org: Any, bus: Bus) -> None:
    before = avro.schema_of(org.backend.state.org.visible["Account"])
    org.edit("hide_field", object="Account", field="Phone")
    after = avro.schema_of(org.backend.state.org.visible["Account"])
    assert before.id != after.id
    org.make("Account", Name="Shop", Phone="1")
    assert "Phone" not in bus.heard()[0]


def test_replay_ids_last_three_days_and_are_not_consecutive(org: Any) -> None:
    events = org.backend.state.events
    org.make("Account", Name="One")
    org.make("Account", Name="Two")
    one, two = events.after(0, None, 10)
    assert two.seq != one.seq + 1
    replay = events.replay_id(one.seq, one.at_ms)
    assert events.place_of(replay) == one.seq
    org.world.clock.advance(3 * DAY + 120)
    with pytest.raises(ReplayIdError, match="outside of what is kept"):
        events.place_of(replay)


def test_a_replay_id_that_this_org_did_not_give_out_names_no_place(org: Any) -> None:
    events = org.backend.state.events
    org.make("Account", Name="One")
    (one,) = events.after(0, None, 10)
    replay = events.replay_id(one.seq, one.at_ms)
    other_seal = bytes([*replay[:-1], replay[-1] ^ 1])
    other_place = bytes([*replay[:5], replay[5] ^ 1, *replay[6:]])
    for wrong in (b"", b"nonsense", replay + b"0", other_seal, other_place):
        with pytest.raises(ReplayIdError, match="not a replay id of this org"):
            events.place_of(wrong)


def test_after_a_move_of_the_org_older_replay_ids_mean_nothing(org: Any) -> None:
    events = org.backend.state.events
    org.make("Account", Name="One")
    (one,) = events.after(0, None, 10)
    org.make("Account", Name="Two")
    org.edit("purge_events")
    with pytest.raises(ReplayIdError):
        events.place_of(events.replay_id(one.seq, one.at_ms))


def test_saved_and_restored_the_bus_goes_on_where_it_was(org: Any, bus: Bus) -> None:
    org.make("Account", Name="One")
    saved = org.backend.save()
    org.make("Account", Name="Two")
    org.backend.restore(saved)
    org.make("Account", Name="Three")
    assert [event["Name"] for event in bus.heard()] == ["One", "Three"]
