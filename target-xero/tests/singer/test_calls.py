"""What a run costs in calls, read from the sandbox's journal."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow


def _contacts(house: Any, count: int) -> list[tuple[str, dict[str, Any]]]:
    return [("contacts", house.contact(n)) for n in range(count)]


def test_1000_contacts_and_1000_invoices_cost_20_writes_each_and_few_other_calls(house: Any) -> None:
    contacts = _contacts(house, 1000)
    ran = house.load(*contacts)
    assert ran.exit_code == 0
    assert house.writes == 20
    assert house.other_calls <= 6

    house.forget_exchanges()
    invoices = [("invoices", house.invoice(n, n, lines=3)) for n in range(1000)]
    ran = house.load(*contacts, *invoices)
    assert ran.exit_code == 0
    assert house.writes == 20
    assert house.other_calls <= 6
    assert sum("SF-" in (i.get("Reference") or "") for i in house.books("Invoices")) == 1000

    house.forget_exchanges()
    ran = house.load(*contacts, *invoices)
    assert ran.exit_code == 0
    assert house.writes == 0
    assert house.other_calls <= 6
    assert ran.last_line == "All settled: 2,000 documents."

    house.forget_exchanges()
    contacts[500] = ("contacts", house.contact(500, EmailAddress="new@example.com"))
    ran = house.load(*contacts, *invoices)
    assert ran.exit_code == 0
    assert house.writes == 1
    assert house.other_calls <= 6


def test_no_429_is_provoked_and_five_are_never_in_flight(house: Any) -> None:
    house.load(*_contacts(house, 130), batch_documents=1)
    exchanges = house.exchanges()
    assert house.writes == 130
    assert not [e for e in exchanges if e["status"] == 429]
    assert max(e["in_flight"] for e in exchanges) <= 4
    counted = [e for e in exchanges if e["path"].startswith("/api.xro/")]
    shortest = (len(counted) - 1) // 60 * 60  # seconds that 60 a minute allow at best
    elapsed = (house.sandbox.clock.now() - house.started).total_seconds()
    assert shortest / elapsed >= 0.95


def test_the_summary_counts_the_calls_that_the_sandbox_saw(house: Any) -> None:
    ran = house.load(*_contacts(house, 60))
    assert sum(ran.target.outcome.calls.values()) == len(house.exchanges())
    assert f"Xero calls: {len(house.exchanges())} (" in ran.err


def test_the_day_limits_reserve_is_left_and_the_rest_goes_with_the_next_run(house: Any) -> None:
    ran = house.load(*_contacts(house, 40), batch_documents=1, day_limit_reserve=4980)
    assert ran.exit_code == 1
    assert ran.states == []
    assert ran.target.outcome.day_left >= 4980
    assert "limit of calls" in ran.last_line
    assert 0 < house.writes < 40
    ran = house.load(*_contacts(house, 40))
    assert (ran.exit_code, ran.states) == (0, [{"bookmarks": {"end": 40}}])
    assert sum(c["Name"].startswith("Customer") for c in house.books("Contacts")) == 40
