"""What the source calls for no more and we may not end: people end it, and then all is settled."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow
ALLOWED = {"allow_statuses": ["DRAFT", "AUTHORISED"]}
PAYMENT = {
    "source_key": "p1",
    "marker": "SF:p1",
    "AccountCode": "090",
    "Date": "2026-11-02",
    "Amount": "24.60",
}


@pytest.fixture
def paid(house: Any) -> Any:
    invoice = house.invoice(1, 1, Status="AUTHORISED")
    payment = PAYMENT | {"invoice_key": invoice["source_key"]}
    loaded = house.load(
        ("contacts", house.contact(1)), ("invoices", invoice), ("payments", payment), **ALLOWED
    )
    assert loaded.exit_code == 0
    return house


def test_a_payment_that_people_take_back_settles_its_withdrawal(paid: Any) -> None:
    withdrawn = ("payments", {"source_key": "p1", "withdrawn": True})
    assert paid.load(withdrawn, **ALLOWED).exit_code == 1
    assert paid.command("retry", "--all", **ALLOWED).exit_code == 1
    (row,) = (row for row in paid.books("Payments") if row.get("Reference") == "SF:p1")
    paid.sandbox.edit("xero", {"action": "delete_payment", "payment": row["PaymentID"]})
    paid.sandbox.clock.advance(120)
    answer = paid.command("retry", "--all", **ALLOWED)
    assert answer.exit_code == 0, answer.stdout
    assert paid.load(withdrawn, **ALLOWED).exit_code == 0
    assert paid.command("reconcile", **ALLOWED).exit_code == 0


def test_a_contact_that_people_archive_settles_its_withdrawal(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    withdrawn = ("contacts", {"source_key": house.contact(1)["source_key"], "withdrawn": True})
    assert house.load(withdrawn).exit_code == 1
    (row,) = (row for row in house.books("Contacts") if row["Name"] == "Customer 1")
    house.sandbox.edit("xero", {"action": "archive_contact", "contact": row["ContactID"]})
    house.sandbox.clock.advance(120)
    assert house.command("retry", "--all").exit_code == 0
    assert house.load(withdrawn).exit_code == 0


def test_what_was_written_a_moment_ago_is_not_taken_for_ended_before_xero_surely_shows_it(paid: Any) -> None:
    """A read lags up to a minute behind a write, so that what it shows may be from before it."""
    withdrawn = ("payments", {"source_key": "p1", "withdrawn": True})
    (row,) = (row for row in paid.books("Payments") if row.get("Reference") == "SF:p1")
    paid.sandbox.edit("xero", {"action": "delete_payment", "payment": row["PaymentID"]})
    ran = paid.load(withdrawn, **ALLOWED)
    assert "the next run looks again" in " ".join(ran.err.split()), ran.err
    paid.sandbox.clock.advance(120)
    assert paid.load(withdrawn, **ALLOWED).exit_code == 0
    assert paid.command("reconcile", **ALLOWED).exit_code == 0
