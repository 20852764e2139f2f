"""docs/documents.md: its example runs as it stands, and it names every field there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crm_to_xero.documents import DOCUMENTS

PAGE = (Path(__file__).parents[3] / "docs" / "documents.md").read_text("utf-8")


def fields_of(schema: dict[str, Any]) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        yield name
        if name not in (
            "Addresses",
            "Phones",
            "ContactPersons",
            "PaymentTerms",
        ):  # Xero's own, as Xero has them
            yield from fields_of(inner.get("items", inner))


@pytest.mark.parametrize("stream", DOCUMENTS)
def test_every_field_is_named(stream: str) -> None:
    missing = {name for name in fields_of(DOCUMENTS[stream]) if f"`{name}`" not in PAGE}
    assert not missing


def test_the_example_arrives_in_xero_to_the_cent_and_again_makes_nothing(house: Any) -> None:
    example = re.search(r"<!-- example -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    lines = example[1].splitlines()
    statuses = ["DRAFT", "AUTHORISED"]
    ran = house.run(lines, allow_statuses=statuses)
    assert ran.exit_code == 0, ran.told
    (invoice,) = [row for row in house.books("Invoices") if row["Reference"] == "PO 77 · I-1"]
    due = float(invoice["Total"]) - 15 - 50
    assert float(invoice["AmountDue"]) == due == 85
    (quote,) = [row for row in house.books("Quotes") if row["Title"] == "Widgets"]
    assert float(quote["TotalTax"]) == 25
    house.forget_exchanges()
    assert house.run(lines, allow_statuses=statuses).exit_code == 0
    assert house.writes == 0
    assert house.command("reconcile").exit_code == 0
