"""A source that suddenly lists nothing is noticed; one that is read by what changed never is."""

from __future__ import annotations

import pytest


@pytest.fixture
def loaded(house):
    """Two contacts in Xero from a stream that has no bookmark."""
    documents = [house.record("contacts", **house.contact(n)) for n in range(2)]
    assert house.run([house.schema("contacts"), *documents, house.state({})]).exit_code == 0
    return house


def test_a_whole_stream_that_gives_nothing_stops_the_run_and_holds_the_bookmark_back(loaded):
    ran = loaded.run([loaded.schema("contacts"), loaded.state({"other": {"day": 1}})])
    assert ran.exit_code == 1
    assert ran.states == []
    assert "contacts (gave 2 records before)" in ran.last_line
    assert "TARGET_XERO_ON_EMPTY_SOURCE=warn" in ran.last_line
    assert len([c for c in loaded.books("Contacts") if c["Name"].startswith("Customer")]) == 2


def test_warn_goes_on_and_tells(loaded):
    ran = loaded.run([loaded.schema("contacts"), loaded.state({"other": 1})], on_empty_source="warn")
    assert ran.exit_code == 0
    assert ran.states == [{"bookmarks": {"other": 1}}]
    assert "lists nothing in contacts" in ran.told


@pytest.mark.parametrize(
    "bookmark", [{"replication_key_value": "2026-11-02T09:00:00Z"}, "2026-11-02", {"partitions": []}]
)
def test_a_stream_with_a_bookmark_may_have_nothing_new(loaded, bookmark):
    ran = loaded.run([loaded.schema("contacts"), loaded.state({"contacts": bookmark})])
    assert (ran.exit_code, len(ran.states)) == (0, 1)


def test_a_bookmark_that_is_only_a_version_is_none(loaded):
    ran = loaded.run([loaded.schema("contacts"), loaded.state({"contacts": {"version": 7}})])
    assert ran.exit_code == 1


def test_activate_version_tells_that_it_was_read_whole(house):
    version = {"type": "ACTIVATE_VERSION", "stream": "contacts", "version": 1}
    state = house.state({"contacts": {"replication_key_value": 1}})
    house.run([house.schema("contacts"), house.record("contacts", **house.contact(1)), state])
    assert house.run([house.schema("contacts"), version]).exit_code == 1


def test_a_stream_that_begins_late_is_waited_for(loaded):
    messages = [
        loaded.schema("contacts"),
        loaded.state({"a": {"x": 1}}),
        loaded.record("contacts", **loaded.contact(1)),
    ]
    ran = loaded.run([*messages, loaded.state({"a": {"x": 2}})])
    assert (ran.exit_code, ran.states) == (0, [{"bookmarks": {"a": {"x": 2}}}])


def test_a_stream_that_was_always_empty_is_none_of_it(house):
    assert house.run([house.schema("contacts"), house.state({"a": 1})]).exit_code == 0
    assert house.run([house.schema("contacts"), house.state({"a": 1})]).exit_code == 0


def test_a_mapped_stream_is_watched_under_its_own_name(house):
    account = {"Id": "001000000000001AAA", "Name": "Acme", "IsDeleted": False}
    schema = house.schema("Account", Id={"type": "string"}) | {"key_properties": ["Id"]}
    house.run([schema, house.record("Account", **account)], mapping="salesforce")
    house.load(("contacts", house.contact(9)))
    ran = house.run([schema], mapping="salesforce")
    assert ran.exit_code == 1
    assert "Account" in ran.last_line


@pytest.mark.parametrize("value", [{"page": 2}, {"cursor": {"at": "2026-11-03"}}])
def test_a_script_with_one_position_of_its_own_may_announce_streams_that_have_nothing_new(house, value):
    announced = [house.schema("contacts"), house.schema("invoices")]
    first = {"type": "STATE", "value": {"page": 1}}
    assert house.run([*announced, house.record("contacts", **house.contact(1)), first]).exit_code == 0
    ran = house.run(
        [*announced, house.record("invoices", **house.invoice(1, 1)), {"type": "STATE", "value": value}]
    )
    assert (ran.exit_code, ran.states) == (0, [value])


def test_a_flat_state_of_bookmarks_by_stream_still_tells_which_streams_are_read_whole(loaded):
    flat = {"type": "STATE", "value": {"currently_syncing": "contacts", "invoices": "2026-11-02"}}
    assert loaded.run([loaded.schema("contacts"), loaded.schema("invoices"), flat]).exit_code == 1
