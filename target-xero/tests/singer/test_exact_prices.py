"""Prices of more than two decimals, over an update: Xero shows them rounded unless it is asked for all of their digits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def test_a_price_of_four_decimals_is_nobodys_edit_when_the_text_changes(house: Any) -> None:
    invoice = house.invoice(1, 1)
    invoice["LineItems"][0]["UnitAmount"] = "7.0051"
    house.load(("contacts", house.contact(1)), ("invoices", invoice))
    house.sandbox.clock.advance(100)
    changed = {**invoice, "LineItems": [{**invoice["LineItems"][0], "Description": "Another text"}]}
    house.load(("invoices", changed))
    (row,) = [row for row in house.books("Invoices") if "SF-006" in row["Reference"]]
    assert row["LineItems"][0]["Description"] == "Another text"
    assert Decimal(row["LineItems"][0]["UnitAmount"]) == Decimal("7.0051")


def test_an_approved_invoice_that_people_rewrote_is_proposed_to_be_billed_anew_with_their_lines(
    house: Any,
) -> None:
    invoice = house.invoice(1, 1)
    house.load(("contacts", house.contact(1)), ("invoices", invoice))
    (row,) = [row for row in house.books("Invoices") if "SF-006" in row["Reference"]]
    lines = [{"Description": "By hand", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}]
    edit = {"invoice": row["InvoiceID"], "fields": {"LineItems": lines}}
    house.sandbox.edit("xero", {"action": "edit_invoice", **edit})
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    house.sandbox.clock.advance(100)
    ran = house.load(("invoices", {**invoice, "Reference": "PO 7"}))
    assert "not_a_draft" in ran.told


def test_an_item_whose_answer_was_lost_is_found_with_all_digits_of_its_price_and_not_written_again(
    house: Any,
) -> None:
    details = {"UnitPrice": "33.3333", "AccountCode": "200"}
    item = {"source_key": "P1", "Code": "W-1", "Name": "Widget", "SalesDetails": details}
    house.load(("items", item))
    house.forget_exchanges()
    house.fault("timeout_after", method="POST", path="/Items$")
    ran = house.load(("items", {**item, "Name": "Widget (new)"}))
    assert ran.exit_code == 0
    assert house.writes == 1
    (row,) = [row for row in house.books("Items") if row["Code"] == "W-1"]
    assert row["Name"] == "Widget (new)"
