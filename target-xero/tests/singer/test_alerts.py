"""A run that leaves something for people tells them, shortly, and never fails for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def refused(house: Any) -> tuple[str, dict[str, Any]]:
    return "contacts", house.contact(
        1, EmailAddress="jané@private.example", source_url="https://crm.example/1"
    )


def test_a_refusal_is_told_by_label_rule_and_link_and_nothing_of_its_content(house: Any, bell: Any) -> None:
    ran = house.load(refused(house), ("contacts", house.contact(2)), alert_urls=bell.url)
    assert ran.exit_code == 1
    (message,) = bell.messages
    assert "Sandbox Trading Ltd" in message["title"]
    assert "1 refused" in message["message"]
    assert "Account 1 (email_invalid) https://crm.example/1" in message["message"]
    assert "target-xero rejects" in message["message"]
    assert "private.example" not in json.dumps(message)
    assert "Customer" not in json.dumps(message)


def test_a_run_without_anything_left_tells_nobody(house: Any, bell: Any) -> None:
    assert house.load(("contacts", house.contact(1)), alert_urls=bell.url).exit_code == 0
    assert bell.messages == []


def test_what_nobody_wants_to_hear_is_not_told(house: Any, bell: Any) -> None:
    assert house.load(refused(house), alert_urls=bell.url, alert_on=["parked", "failed"]).exit_code == 1
    assert bell.messages == []


def test_a_run_that_cannot_begin_is_told(house: Any, bell: Any) -> None:
    house.sandbox.edit("xero", {"action": "disconnect_tenant"})
    assert house.load(("contacts", house.contact(1)), alert_urls=bell.url).exit_code == 1
    (message,) = bell.messages
    assert "Xero" in message["message"]


def test_many_are_counted_not_listed(house: Any, bell: Any) -> None:
    house.load(*(("contacts", house.contact(n, EmailAddress="é")) for n in range(30)), alert_urls=bell.url)
    (message,) = bell.messages
    assert "and 25 more" in message["message"]
    assert len(message["message"]) < 1500


@pytest.mark.parametrize("urls", ["{dead}", "{refusing}", "nosuchthing://x {refusing}", "not an address"])
def test_an_alert_that_cannot_be_sent_is_a_warning_that_holds_no_secret(
    house: Any, bell: Any, urls: str
) -> None:
    bell.status = 500
    given = urls.format(dead=f"json://alice:{bell.secret}@127.0.0.1:9/", refusing=bell.url)
    ran = house.load(refused(house), alert_urls=given)
    assert ran.exit_code == 1
    assert "alert" in ran.log
    assert bell.secret not in ran.told
    assert bell.secret not in ran.out


def test_lines_that_could_not_be_used_are_in_the_alert(house: Any, bell: Any) -> None:
    house.run(
        [house.schema("contacts"), "{broken", house.record("contacts", **house.contact(1))],
        alert_urls=bell.url,
    )
    (message,) = bell.messages
    assert "All settled" not in message["message"]
    assert "1 line or record of input not usable" in message["message"]
