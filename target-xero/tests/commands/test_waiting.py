"""Whoever asks about a document that is not settled is told what it waits for: in the report, by `rejects`, by `why`."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ANNA = {"mode": "approve", "run_by": "Anna"}


def asked(house: Any, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(house.command(*arguments, "--json").stdout)["documents"]
    return found


@pytest.fixture
def parked(house: Any) -> str:
    """An invoice that is parked, for one that looks like it was entered by hand; its key."""
    first = house.invoice(1, 1)
    house.load(("contacts", house.contact(1)))
    same = {name: first[name] for name in ("Date", "DueDate", "LineAmountTypes", "LineItems")}
    house.sandbox.edit("xero", {"action": "create_invoice", "contact": "Customer 1", "fields": same})
    house.sandbox.clock.advance(61)
    house.load(("invoices", first))
    (one,) = asked(house, "rejects")
    assert one["state"] == "parked"
    return str(first["source_key"])


def test_a_revision_behind_a_parked_one_names_it_its_reason_and_where_to_look(
    house: Any, parked: str
) -> None:
    ran = house.load(("invoices", house.invoice(1, 1, lines=2)))
    behind = next(one for one in asked(house, "rejects", "--key", parked) if one["state"] == "waiting")
    newest = asked(house, "why", parked)[0]["revisions"][-1]
    for told in (behind["note"], newest["note"], " ".join(ran.err.split())):
        assert "It waits for its revision 1, which is parked" in told
        assert "belongs to no other document" in told, "the reason of the parked one"
        assert "target-xero retry" in told, "and its cure"
        assert f"target-xero why {parked}" in told


def test_what_needs_a_document_whose_change_waits_says_what_that_waits_for(house: Any, parked: str) -> None:
    payment = {
        "source_key": f"{parked}#payment", "marker": "SF:1", "invoice_key": parked, "AccountCode": "090",
        "Date": "2026-11-02", "Amount": "1.00",
    }  # fmt: skip
    house.load(("invoices", house.invoice(1, 1, lines=2)), ("payments", payment))
    (waiting,) = asked(house, "rejects", "--kind", "payments")
    assert "It waits for its revision 1, which is parked" in waiting["note"]


def test_what_an_approved_document_lets_go_waits_for_approval_itself_and_says_so(house: Any) -> None:
    house.load(("invoices", house.invoice(1, 1)))
    house.load(("contacts", house.contact(1)), **ANNA)
    house.command("approve", **ANNA)
    house.command("apply", **ANNA)
    (invoice,) = asked(house, "rejects")
    (of_why,) = asked(house, "why", invoice["key"])[0]["revisions"]
    assert of_why["state"] == "proposed"
    for told in (invoice["note"], of_why["note"]):
        assert "`target-xero approve`" in told
