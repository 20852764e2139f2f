"""Closed books: whose date it is, and that what stands in them is left alone."""

from __future__ import annotations

import pytest


def payment(**fields):
    return {
        "source_key": "P1", "marker": "SF:P1", "invoice_key": f"006{1:015d}", "AccountCode": "090", "Date": "2026-11-02",
        "Amount": "5.00", **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("xero", "ours", "whose", "until"),
    [
        ({"period": "2026-11-30"}, None, "Xero's period lock date", "2026-11-30"),
        ({"end_of_year": "2026-11-30"}, "2026-10-31", "Xero's end of year lock date", "2026-11-30"),
        ({"period": "2026-10-31"}, "2026-12-31", "the setting books_closed_until", "2026-12-31"),
    ],
)
def test_the_latest_of_all_dates_counts_and_the_message_says_whose_it_is(
    house, office, xero, ours, whose, until
):
    office.does("set_lock_dates", **xero)
    config = {"books_closed_until": ours} if ours else {}
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)), **config)
    assert ran.exit_code == 1
    assert f"closed up to {until} ({whose})" in " ".join(ran.err.split())
    assert office.ours() == []


def test_a_draft_that_stands_in_closed_books_is_not_moved_out_of_them(house, office):
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    moved = house.invoice(1, 1, Date="2026-12-15", DueDate="2027-01-15")
    house.forget_exchanges()
    ran = house.load(("invoices", moved), books_closed_until="2026-11-30")
    assert ran.exit_code == 1
    assert house.writes == 0
    assert "stands in Xero on that day" in " ".join(ran.err.split())
    assert office.invoice["Date"] == "2026-11-02"


def test_a_withdrawn_draft_in_closed_books_is_not_deleted(house, office):
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    gone = {"source_key": f"006{1:015d}", "withdrawn": True}
    assert house.load(("invoices", gone), books_closed_until="2026-11-30").exit_code == 1
    assert office.invoice["Status"] == "DRAFT"
    house.sandbox.clock.advance(120)
    ran = house.load(("invoices", gone), retry_refused=True)
    assert ran.exit_code == 0, ran.err
    assert office.invoice["Status"] == "DELETED"


def test_a_payment_counts_by_its_own_day(house, office):
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    office.does("approve_invoice", invoice=office.invoice["InvoiceID"])
    before = len(house.books("Payments"))
    ran = house.load(("payments", payment(Date="2026-11-02")), books_closed_until="2026-11-02")
    assert (ran.exit_code, len(house.books("Payments"))) == (1, before)
    ran = house.load(("payments", payment(Date="2026-11-03")), books_closed_until="2026-11-02")
    assert ran.exit_code == 0
    assert [p["Amount"] for p in house.books("Payments")[before:]] == ["5.00"]


def test_a_document_without_a_day_would_get_todays(house, office):
    undated = house.invoice(1, 1, Date=None)
    ran = house.load(("contacts", house.contact(1)), ("invoices", undated), books_closed_until="2026-11-02")
    assert (ran.exit_code, office.ours()) == (1, [])


def test_a_document_without_a_day_waits_until_the_closed_day_is_over_everywhere(house, office):
    """Xero dates by the organisation's zone: at 9:00 UTC it is still the day before in much of the Pacific."""
    sent = ("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, Date=None))
    ran = house.load(*sent, books_closed_until="2026-11-01")
    assert (ran.exit_code, office.ours()) == (1, [])
    assert "may still be 2026-11-01" in " ".join(ran.err.split())
    house.sandbox.clock.advance(4 * 3600)
    ran = house.load(*sent, books_closed_until="2026-11-01", retry_refused=True)
    assert (ran.exit_code, len(office.ours())) == (0, 1), ran.err
