"""A refused document is tried again by one run, once the cause is gone in Xero."""

from __future__ import annotations

from typing import Any


def test_what_was_refused_goes_again_when_asked_and_only_then(house: Any) -> None:
    messages = [house.schema("contacts"), house.record("contacts", **house.contact(1)), house.state(1)]
    taken = house.sandbox.edit(
        "xero", {"action": "create_contact", "fields": {"Name": house.contact(1)["Name"]}}
    )
    assert house.run(messages).exit_code == 1

    house.sandbox.edit(
        "xero", {"action": "rename_contact", "contact": taken["ContactID"], "name": "Someone else"}
    )
    assert house.run(messages).exit_code == 1, "the same document is not tried again by itself"
    assert house.run(messages, retry_refused=True).exit_code == 0
    (arrived,) = [row for row in house.books("Contacts") if row["Name"] == house.contact(1)["Name"]]
    assert arrived["ContactNumber"] == house.contact(1)["source_key"]
