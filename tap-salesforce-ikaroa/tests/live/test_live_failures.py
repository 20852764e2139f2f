"""Live runs in which one stream cannot be read: the others are followed, and it is read as soon as it can be."""

from __future__ import annotations

import pytest
from tap_salesforce_ikaroa.errors import StreamsFailedError

pytestmark = pytest.mark.e2e


def test_a_stream_that_fails_in_the_first_pass_is_read_by_a_later_poll_and_others_are_followed(house, live):
    house.fault("query_timeout", path="/query", query="FROM Account", every=1)
    one = live(poll_interval_seconds=1, safety_poll_seconds=1)
    one.until(lambda: one.session._agenda._entries)
    assert "Account" in one.tap.failures
    house.update("Lead", house.leads[0], Description="new")
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "new")
    with pytest.raises(StreamsFailedError, match="Account"):
        one.tap.failures.conclude(3)
    house.sandbox.faults.clear()
    one.until(lambda: all(one.record("Account", account) for account in house.accounts))
    one.until(lambda: "Account" not in one.tap.failures)
    one.end()
    assert house.differences(one.kept) == []


def test_what_an_event_told_and_could_not_be_read_by_its_id_comes_by_a_poll(house, live):
    one = live(poll_interval_seconds=1, safety_poll_seconds=1000).ready()
    house.fault("query_timeout", path="/query", query="WHERE Id IN", every=1)
    house.update("Lead", house.leads[0], Description="new")
    one.until(lambda: "Lead" in one.tap.failures)
    house.update("Account", house.accounts[0], Description="newer")
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "new")
    one.until(lambda: one.record("Account", house.accounts[0]).get("Description") == "newer")
    one.until(lambda: "Lead" not in one.tap.failures)
    one.end()
