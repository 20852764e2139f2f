"""Live mode without a connection: bitmaps, events, places, what hints mean, when to poll."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

import fastavro
import pytest
from tap_salesforce_ikaroa.errors import HostError, SettingsError
from tap_salesforce_ikaroa.hosts import AllowedHosts
from tap_salesforce_ikaroa.lines import batch_of
from tap_salesforce_ikaroa.live.agenda import Agenda
from tap_salesforce_ikaroa.live.bitmaps import changed_names
from tap_salesforce_ikaroa.live.channel import checked_endpoint
from tap_salesforce_ikaroa.live.events import Decoder, Hint
from tap_salesforce_ikaroa.live.given import Given
from tap_salesforce_ikaroa.live.places import keep_place, place_in
from tap_salesforce_ikaroa.live.roots import Links, Tracker, topic_of
from tap_salesforce_ikaroa.live.wire import FetchRequest, FetchResponse


def schema_with(places: dict[int, str], count: int) -> dict[str, Any]:
    fields = [{"name": places.get(n, f"Field{n}"), "type": ["null", "string"]} for n in range(count)]
    return {"type": "record", "name": "Event", "fields": fields}


# --- bitmaps: the documented events ------------------------------------------------------------------------------


def test_the_documented_lead_conversion_is_read_from_its_bitmap():
    names = {
        12: "Status",
        19: "IsConverted",
        20: "ConvertedDate",
        21: "ConvertedAccountId",
        22: "ConvertedContactId",
        23: "ConvertedOpportunityId",
        27: "LastModifiedDate",
    }
    assert changed_names(schema_with(names, 40), ["0x08F81000"]) == set(names.values())


def test_the_documented_account_change_is_read_from_its_bitmaps():
    schema = schema_with({16: "Description", 22: "LastModifiedDate"}, 40)
    assert changed_names(schema, ["0x410000"]) == {"Description", "LastModifiedDate"}
    assert changed_names(schema, ["0x010000"]) == {"Description"}


def test_bits_inside_a_compound_field_name_its_parts():
    parts = [
        {"name": name, "type": ["null", "string"]} for name in ("Street", "City", "State", "Zip", "Country")
    ]
    schema = schema_with({3: "BillingAddress"}, 5)
    schema["fields"][3]["type"] = ["null", "string", {"type": "record", "name": "Address", "fields": parts}]
    assert changed_names(schema, ["3-0x1F"]) == {f"BillingAddress.{part['name']}" for part in parts}


def test_a_compound_field_that_changed_as_a_whole_may_have_changed_in_any_part():
    schema = schema_with({1: "Name"}, 3)
    schema["fields"][1]["type"] = [
        "string",
        {"type": "record", "name": "PersonName", "fields": [{"name": "LastName"}]},
    ]
    assert changed_names(schema, ["0x6"]) == {"Name", "Name.*", "Field2"}


@pytest.mark.parametrize("bitmap", ["0x100", "9-0x1", "0-0x1", "x-0x1", "", "zz"])
def test_a_bitmap_that_does_not_fit_the_schema_is_not_guessed(bitmap):
    with pytest.raises(ValueError):
        changed_names(schema_with({}, 5), [bitmap])


# --- the wire ----------------------------------------------------------------------------------------------------


def test_messages_have_the_published_bytes():
    # field 1 text, 2 varint, 3 bytes, 4 varint: tags 0a, 10, 1a, 20
    request = FetchRequest(topic_name="/data/X", replay_preset=2, replay_id=b"\x00\x07", num_requested=100)
    assert request.SerializeToString() == b"\x0a\x07/data/X\x10\x02\x1a\x02\x00\x07\x20\x64"
    response = FetchResponse.FromString(
        b"\x0a\x0e\x0a\x08\x12\x02s1\x1a\x02\x01\x02\x12\x02\x00\x09\x12\x02\x00\x09\x20\x63"
    )
    assert [(e.event.schema_id, e.event.payload, e.replay_id) for e in response.events] == [
        ("s1", b"\x01\x02", b"\x00\x09")
    ]
    assert (response.latest_replay_id, response.pending_num_requested) == (b"\x00\x09", 99)


@pytest.mark.slow
def test_a_polling_run_does_not_load_grpc():
    code = (
        "import sys; from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa; "
        "print([m for m in ('grpc', 'fastavro', 'google.protobuf') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- events ------------------------------------------------------------------------------------------------------

HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": {"type": "array", "items": "string"}},
        {"name": "changeType", "type": "string"},
        {"name": "changeOrigin", "type": "string"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "nulledFields", "type": {"type": "array", "items": "string"}},
        {"name": "diffFields", "type": {"type": "array", "items": "string"}},
        {"name": "changedFields", "type": {"type": "array", "items": "string"}},
    ],
}
CONTACT_EVENT = {
    "type": "record",
    "name": "ContactChangeEvent",
    "fields": [
        {"name": "ChangeEventHeader", "type": HEADER},
        {"name": "AccountId", "type": ["null", "string"]},
        {"name": "LastName", "type": ["null", "string"]},
    ],
}
CONTACTS, ACCOUNTS = "/data/ContactChangeEvent", "/data/AccountChangeEvent"


def decoded(kind="UPDATE", ids=("003A",), account=None, **header) -> Hint:
    full = {
        "entityName": "Contact",
        "recordIds": list(ids),
        "changeType": kind,
        "changeOrigin": "com/salesforce/api/rest/67.0;client=me",
        "commitTimestamp": 1793610000000,
        "nulledFields": [],
        "diffFields": [],
        "changedFields": [],
        **header,
    }
    out = io.BytesIO()
    row = {"ChangeEventHeader": full, "AccountId": account, "LastName": None}
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(json.dumps(CONTACT_EVENT))), row)
    decoder = Decoder(lambda _: json.dumps(CONTACT_EVENT), frozenset({"AccountId"}))
    return decoder.hint(CONTACTS, b"9", "s", out.getvalue())


def test_an_update_tells_its_changed_and_its_nulled_fields():
    hint = decoded(changedFields=["0x4"], nulledFields=["0x2"])
    assert hint.changed == {"LastName", "AccountId"}
    assert (hint.ids, hint.exact, hint.gone) == (("003A",), True, False)


def test_only_an_update_of_one_record_is_exact():
    assert not decoded("CREATE", account="001A").exact
    assert not decoded("GAP_UPDATE").exact
    assert not decoded(ids=("003A", "003B"), changedFields=["0x4"]).exact
    assert not decoded(changedFields=["0xFFFFFF"]).exact


@pytest.mark.parametrize(
    ("kind", "ids"), [("GAP_OVERFLOW", ("000000000000000AAA",)), ("UPDATE", ("003*",)), ("UPDATE", ())]
)
def test_overflow_and_wildcards_mean_that_anything_may_have_changed(kind, ids):
    assert decoded(kind, ids).everything


def test_an_event_that_cannot_be_read_means_that_anything_may_have_changed(log):
    decoder = Decoder(lambda _: json.dumps(CONTACT_EVENT))
    hint = decoder.hint(CONTACTS, b"9", "s", b"\xff\xff")
    assert hint.everything
    assert hint.place == b"9"
    assert "polling" in log()


def test_a_schema_is_asked_for_once():
    asked = []
    decoder = Decoder(lambda schema_id: asked.append(schema_id) or json.dumps(CONTACT_EVENT))
    for _ in range(3):
        decoder.hint(CONTACTS, b"9", "s", b"")
    assert asked == ["s"]


# --- what hints mean ---------------------------------------------------------------------------------------------


@pytest.fixture
def tracker(org, first):
    """Of the Account stream."""
    tap = type(first.tap)(config=dict(first.tap.config))  # the first run is shared
    stream = tap.streams["Account"]
    made = Tracker(tap.client, stream.selected_shape, ["me"])
    made.account, made.other = list(org.rows("Account"))[:2]
    made.contact = next(row for row in org.rows("Contact").values() if row["AccountId"] == made.account)["Id"]
    return made


def hint(topic=CONTACTS, kind="UPDATE", ids=(), **keys) -> Hint:
    return Hint(topic, b"1", "Contact", kind, tuple(ids), **keys)


def known(tracker) -> None:
    tracker.learn(batch_of([{"Id": tracker.account, "Contacts": [{"Id": tracker.contact}]}], None))


def test_a_contacts_change_means_its_account_by_look_up_or_from_memory(tracker):
    change = hint(ids=[tracker.contact], changed=frozenset({"LastName"}))
    assert set(tracker.wanted([change]).roots) == {tracker.account}
    known(tracker)
    tracker._client = None  # no call needed
    assert set(tracker.wanted([change]).roots) == {tracker.account}


def test_an_event_for_everything_asks_for_the_whole_stream(tracker):
    wanted = tracker.wanted([hint(tracker.topic, everything=True)])
    assert wanted.poll
    assert wanted.whole
    assert not tracker.wanted([]).whole


def test_a_moved_contact_means_both_accounts(tracker):
    known(tracker)
    moved = hint(ids=[tracker.contact], changed=frozenset({"AccountId"}), body={"AccountId": tracker.other})
    wanted = tracker.wanted([moved])
    assert set(wanted.roots) == {tracker.account, tracker.other}
    assert not wanted.poll


def test_a_moved_contact_whose_old_account_is_not_known_asks_for_a_poll(tracker):
    moved = hint(ids=[tracker.contact], changed=frozenset({"AccountId"}), body={"AccountId": tracker.other})
    assert tracker.wanted([moved]).poll


def test_a_contact_seen_in_another_account_means_the_one_it_left(tracker):
    known(tracker)
    tracker.learn(batch_of([{"Id": tracker.other, "Contacts": [{"Id": tracker.contact}]}], None))
    assert set(tracker.wanted([]).roots) == {tracker.account}


def test_a_contact_deleted_for_good_is_known_from_memory_or_asks_for_a_poll(tracker, org):
    org.edit("hard_delete", object="Contact", id=tracker.contact)
    gone = hint(kind="DELETE", ids=[tracker.contact])
    assert tracker.wanted([gone]).poll
    known(tracker)
    wanted = tracker.wanted([gone])
    assert (set(wanted.roots), wanted.poll) == ({tracker.account}, False)


def test_a_gap_looks_up_where_the_contact_is_now(tracker, org):
    known(tracker)
    org.update("Contact", tracker.contact, AccountId=tracker.other)
    assert set(tracker.wanted([hint(kind="GAP_UPDATE", ids=[tracker.contact])]).roots) == {
        tracker.account,
        tracker.other,
    }


def test_a_deletion_is_not_forgotten_for_a_later_hint(tracker):
    at = datetime(2026, 11, 2, 9, tzinfo=timezone.utc)
    gone, after = hint(ACCOUNTS, "DELETE", ["001A"], at=at), hint(ACCOUNTS, "UPDATE", ["001A"])
    for order in ([gone, after], [after, gone]):
        assert tracker.wanted(order).roots == {"001A": "2026-11-02T09:00:00.000Z"}


def test_echoes_are_skipped_by_name_only(tracker):
    def origin(text):
        return tracker.wanted([hint(ACCOUNTS, "UPDATE", ["001A"], origin=text)]).roots

    assert not origin("com/salesforce/api/rest/67.0;client=me")
    assert not origin("com/salesforce/api/rest/99.0;client=me")
    assert origin("com/salesforce/api/rest/67.0;client=meadow")
    assert origin("com/salesforce/api/rest/67.0;user=me")


def test_a_change_of_unselected_fields_alone_is_not_read_again(tracker, org):
    shape = tracker._shape
    few = replace(shape, fields=tuple(f for f in shape.fields if f.name in {"Id", "Name", "SystemModstamp"}))
    narrow = Tracker(tracker._client, few)

    def roots(*changed, kind="UPDATE", ids=("001A",)):
        names = frozenset(changed) or None
        return set(narrow.wanted([hint(ACCOUNTS, kind, ids, changed=names)]).roots)

    assert not roots("Description", "LastModifiedDate")
    assert roots("Name")
    assert roots("Name.First")
    assert roots("BillingAddress.City")
    assert roots()
    assert roots("Description", kind="GAP_UPDATE")
    assert roots("Description", ids=("001A", "001B"))
    assert set(tracker.wanted([hint(ACCOUNTS, "UPDATE", ["001A"], changed=frozenset({"Description"}))]).roots)


def test_memory_of_links_and_digests_is_bounded():
    links = Links(most=3)
    for n in range(10):
        links.learn(f"c{n}", "r")
    assert [links.root(f"c{n}") for n in (6, 7, 8, 9)] == [None, "r", "r", "r"]
    given = Given(most=2)
    for n in range(5):
        given.fresh(batch_of([{"Id": str(n)}], None))
    assert len(given._digests) == 2


def test_what_was_written_is_not_written_again_until_it_changes():
    given, old, new = Given(), {"Id": "1", "Name": "a"}, {"Id": "1", "Name": "b"}
    assert [len(given.fresh(batch_of([row], None))) for row in (old, old, new, old)] == [1, 0, 1, 1]
    both = given.fresh(batch_of([old, {"Id": "2"}], None))
    assert (list(both.ids), both.records) == (["2"], [{"Id": "2"}])


def test_topics_are_named_as_salesforce_does():
    assert topic_of("Account") == "/data/AccountChangeEvent"
    assert topic_of("Site_Visit__c") == "/data/Site_Visit__ChangeEvent"


# --- places and polls --------------------------------------------------------------------------------------------


def test_a_place_survives_state_and_nonsense_is_no_place():
    state: dict[str, Any] = {"replication_key": "SystemModstamp"}
    keep_place(state, ACCOUNTS, b"\x00\xff\x01")
    assert place_in(json.loads(json.dumps(state)), ACCOUNTS) == b"\x00\xff\x01"
    keep_place(state, ACCOUNTS, None)
    assert state == {"replication_key": "SystemModstamp"}
    for nonsense in ({"live": {ACCOUNTS: "%%"}}, {"live": {ACCOUNTS: 7}}, {"live": {ACCOUNTS: ""}}, {}):
        assert place_in(nonsense, ACCOUNTS) is None


def test_polls_grow_apart_to_the_safety_interval():
    agenda, now, moments = Agenda(15, 300), 0.0, []
    agenda.begin("Account", now)
    for _ in range(7):
        now = agenda.next_at(())
        assert agenda.due(now - 0.1, ()) == []
        assert agenda.due(now, ()) == ["Account"]
        agenda.polled("Account", now)
        moments.append(now)
    assert [round(b - a) for a, b in pairwise([0.0, *moments])] == [15, 30, 60, 120, 240, 300, 300]


def test_without_events_or_when_asked_polls_come_fast_but_not_faster():
    agenda = Agenda(15, 300)
    agenda.begin("Account", 0)
    for n in range(6):
        agenda.polled("Account", n)
    assert agenda.next_at(()) == 305
    assert agenda.next_at({"Account"}) == 20
    agenda.soon("Account")
    assert agenda.next_at(()) == 20
    agenda.polled("Account", 20)
    agenda.from_now("Account", lost=False)
    assert agenda.next_at(()) == 35


# --- the address -------------------------------------------------------------------------------------------------


def test_the_endpoint_is_salesforces_or_loopback_with_a_local_login():
    cloud, local = AllowedHosts("https://acme.my.salesforce.com"), AllowedHosts("http://127.0.0.1:8790")
    assert checked_endpoint("api.pubsub.salesforce.com:7443", cloud) == "api.pubsub.salesforce.com:7443"
    assert checked_endpoint("127.0.0.1:8791", local) == "127.0.0.1:8791"
    for hosts, wrong in (
        (cloud, "127.0.0.1:8791"),
        (cloud, "evil.example:7443"),
        (cloud, "api.pubsub.salesforce.com.evil.example:7443"),
        (local, "api.pubsub.salesforce.com:7443"),
    ):
        with pytest.raises(HostError):
            checked_endpoint(wrong, hosts)
    for wrong in ("api.pubsub.salesforce.com", "https://api.pubsub.salesforce.com:7443", "a:b", ":1"):
        with pytest.raises(SettingsError):
            checked_endpoint(wrong, cloud)
