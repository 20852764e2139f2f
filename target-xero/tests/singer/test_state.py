"""STATE: never ahead of the ledger, and handed on while the run goes on."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, NamedTuple

import pytest


class Seen(NamedTuple):
    state: Any
    contacts: int


@pytest.fixture
def witness(house: Any, monkeypatch: pytest.MonkeyPatch) -> list[Seen]:
    """What was in Xero at the moment each STATE went out."""
    seen: list[Seen] = []
    from target_xero.target import TargetXero  # noqa: PLC0415

    write = TargetXero._write_state_message

    def watched(self: TargetXero, value: dict[str, Any]) -> None:
        ours = [c for c in house.books("Contacts") if c["Name"].startswith("Customer")]
        seen.append(Seen(value["bookmarks"], len(ours)))
        write(self, value)

    monkeypatch.setattr(TargetXero, "_write_state_message", watched)
    return seen


def _stream(house: Any, contacts: int, every: int, seconds: float = 0.0) -> Any:
    """Contacts with a STATE after every so many; time passes with each of them."""
    yield house.schema("contacts")
    for n in range(1, contacts + 1):
        yield house.record("contacts", **house.contact(n))
        if n % every == 0:
            if seconds:
                house.sandbox.clock.advance(seconds)
            yield house.state(n)


def _run_live(house: Any, messages: Any, **config: Any) -> Any:
    """Feeds messages one by one, so that what the generator does to the clock happens between them."""
    target = house.make(**config)

    class Source:
        def __iter__(self) -> Any:
            return (json.dumps(message) + "\n" for message in messages)

    target.listen(Source())  # type: ignore[arg-type]
    return target


def test_state_goes_out_while_the_run_goes_on_and_never_before_its_records(
    house: Any, witness: list[Seen]
) -> None:
    _run_live(house, _stream(house, contacts=10, every=1, seconds=25), commit_interval_seconds=60)
    assert len(witness) >= 3
    assert [seen.contacts for seen in witness] == [seen.state for seen in witness]
    assert witness[-1] == Seen(10, 10)


def test_a_quick_run_settles_once_at_its_end(house: Any, witness: list[Seen]) -> None:
    _run_live(house, _stream(house, contacts=10, every=2))
    assert witness == [Seen(10, 10)]


def test_many_documents_are_settled_on_the_way_even_in_no_time(
    house: Any, witness: list[Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_xero.limits.COMMIT_DOCUMENTS", 4)
    monkeypatch.setattr("target_xero.limits.STATE_EVERY_S", 0)
    _run_live(house, _stream(house, contacts=10, every=2))
    assert witness == [Seen(4, 4), Seen(8, 8), Seen(10, 10)]


def test_a_tap_that_never_pauses_is_settled_within_a_second_of_its_bookmark(
    house: Any, witness: list[Seen]
) -> None:
    _run_live(house, _stream(house, contacts=12, every=1, seconds=0.25), commit_interval_seconds=60)
    assert witness == [Seen(4, 4), Seen(8, 8), Seen(12, 12)]


def test_a_load_waits_for_the_commit_interval(
    house: Any, witness: list[Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_xero.limits.LIVE_COMMIT_DOCUMENTS", 2)
    _run_live(house, _stream(house, contacts=12, every=6, seconds=2), commit_interval_seconds=60)
    assert witness == [Seen(12, 12)]


def test_meltano_is_given_two_bookmarks_a_second_and_the_last_one_at_the_end(
    house: Any, witness: list[Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_xero.limits.COMMIT_DOCUMENTS", 1)
    _run_live(house, _stream(house, contacts=10, every=1, seconds=0.25))
    assert [seen.state for seen in witness] == [1, 3, 5, 7, 9, 10]
    assert all(seen.contacts >= seen.state for seen in witness)


def test_a_bookmark_held_back_for_a_moment_goes_out_while_the_tap_is_silent(
    house: Any, witness: list[Seen]
) -> None:
    target = house.make()
    target._process_schema_message(house.schema("contacts"))
    for n in (1, 2):
        target._process_record_message(house.record("contacts", **house.contact(n)))
        target._process_state_message(house.state(n))
        target._commit_while_silent()
    assert witness == [Seen(1, 1)]
    house.sandbox.clock.advance(1)
    target._commit_while_silent()
    assert witness == [Seen(1, 1), Seen(2, 2)]
    target.process_endofpipe()


def test_while_the_tap_is_silent_what_it_sent_before_is_settled(house: Any, witness: list[Seen]) -> None:
    target = house.make()
    target._process_schema_message(house.schema("contacts"))
    target._process_record_message(house.record("contacts", **house.contact(1)))
    target._process_state_message(house.state(1))
    target._commit_if_due()
    assert witness == []
    house.sandbox.clock.advance(61)
    target._commit_if_due()
    assert witness == [Seen(1, 1)]
    target.process_endofpipe()


def test_a_state_with_nothing_before_it_goes_out_at_once_and_equal_ones_only_once(house: Any) -> None:
    ran = house.run([house.state(1), house.state(1), house.state(2), house.state(2)])
    assert ran.states == [{"bookmarks": 1}, {"bookmarks": 2}]


def test_numbers_in_a_state_stay_as_they_came(house: Any) -> None:
    line = '{"type": "STATE", "value": {"bookmarks": {"a": 1.10, "b": 12345678901234567890}}}'
    assert house.run([line]).out == '{"bookmarks": {"a": 1.10, "b": 12345678901234567890}}\n'


def test_stdout_holds_state_and_nothing_else(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1)), ("contacts", house.contact(2, Name=None)))
    assert ran.out == '{"bookmarks": {"end": 2}}\n'


@pytest.mark.parametrize("fault", ["429_day"])
def test_when_the_run_must_stop_the_bookmark_is_held_back_and_the_next_run_ends_it(
    house: Any, fault: str
) -> None:
    house.load(("contacts", house.contact(1)))
    house.fault(fault, method="PUT", path="/Contacts")
    ran = house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    assert (ran.exit_code, ran.states) == (1, [])
    assert "stopped early" in ran.last_line
    ran = house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    assert (ran.exit_code, ran.states) == (0, [{"bookmarks": {"end": 2}}])


def test_a_lost_answer_is_the_ledgers_business_and_no_reason_to_hold_the_bookmark(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.fault("timeout_after", method="PUT", path="/Contacts")
    ran = house.load(("contacts", house.contact(2)))
    assert ran.states == [{"bookmarks": {"end": 1}}]
    assert sum(contact["Name"] == "Customer 2" for contact in house.books("Contacts")) == 1


def test_a_live_run_that_may_write_no_more_ends_rather_than_wait_for_its_tap(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_xero.limits.POLL_S", 0.01)
    target = house.make(max_documents=1)
    messages = [house.schema("contacts")]
    messages += [house.record("contacts", **house.contact(n)) for n in (1, 2)]
    out, into = os.pipe()
    os.write(into, "".join(json.dumps(message) + "\n" for message in (*messages, house.state(1))).encode())
    tap_ends = threading.Timer(20, os.close, [into])
    tap_ends.start()
    with os.fdopen(out, "rb") as source:
        target.listen(source)
    assert tap_ends.is_alive(), "it waited until the tap was done"
    tap_ends.cancel()
    os.close(into)
    assert target.exit_code == 1
    assert "max_documents is 1" in target.outcome.stopped
    assert not any(contact["Name"].startswith("Customer") for contact in house.books("Contacts"))
