"""Notes on records."""

from __future__ import annotations

from typing import Any

import pytest


def note(org: Any, path: str, *texts: str) -> Any:
    return org.call("PUT", f"{path}/History", {"HistoryRecords": [{"Details": text} for text in texts]})


def test_every_kind_of_record_takes_notes_and_shows_the_newest_first(org: Any) -> None:
    invoice = org.invoice()
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    quote = org.put("Quotes", {"Contact": org.contact(), "Date": "2026-11-02", "LineItems": [line]}).content[
        "Quotes"
    ][0]
    paths = (
        f"Invoices/{invoice['InvoiceID']}",
        f"Contacts/{org.contact()['ContactID']}",
        f"CreditNotes/{org.credit_note()['CreditNoteID']}",
        f"Quotes/{quote['QuoteID']}",
        f"Payments/{org.pay(invoice, '10')['PaymentID']}",
        f"Items/{org.call('GET', 'Items').content['Items'][0]['ItemID']}",
    )
    for path in paths:
        assert note(org, path, "first").status == 200, path
        note(org, path, "second")
        records = org.call("GET", f"{path}/History").content["HistoryRecords"]
        assert [record["Details"] for record in records] == ["second", "first"], path


def test_the_answer_to_a_put_has_dates_without_offset(org: Any) -> None:
    record = note(org, f"Invoices/{org.invoice()['InvoiceID']}", "Sent by the sync").content[
        "HistoryRecords"
    ][0]
    assert record["Changes"] == "Note"
    assert record["DateUTC"].startswith("/Date(")
    assert "+" not in record["DateUTC"]


@pytest.mark.parametrize("text", ["", " ", "x" * 2501])
def test_an_empty_or_too_long_note_is_refused(org: Any, text: str) -> None:
    path = f"Invoices/{org.invoice()['InvoiceID']}"
    assert note(org, path, "good", text).status == 400
    assert org.call("GET", f"{path}/History").content["HistoryRecords"] == []


def test_an_unknown_record_answers_404(org: Any) -> None:
    assert note(org, "Invoices/11111111-2222-4333-8444-555555555555", "x").status == 404


def test_a_note_moves_the_stamp_or_not_by_variant(org: Any) -> None:
    invoice = org.invoice()
    org.choose("xero.history.note_stamps", "not_stamped")
    note(org, f"Invoices/{invoice['InvoiceID']}", "x")
    assert org.get("Invoices", invoice["InvoiceID"])["UpdatedDateUTC"] == invoice["UpdatedDateUTC"]
    org.choose("xero.history.note_stamps", "stamped")
    note(org, f"Invoices/{invoice['InvoiceID']}", "x")
    assert org.get("Invoices", invoice["InvoiceID"])["UpdatedDateUTC"] > invoice["UpdatedDateUTC"]
