"""The documents that the target's figures are measured with: ordinary customers, invoices of two lines, payments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Named = tuple[str, dict[str, Any]]


def contact(n: int) -> Named:
    """A customer with address, phone and a person."""
    key = f"001{n:015d}"
    return "contacts", {
        "source_key": key,
        "source_modified_at": "2026-10-30T11:12:13.000Z",
        "source_label": f'Account "Customer {n}"',
        "source_url": f"https://example.my.salesforce.com/{key}",
        "ContactNumber": key,
        "Name": f"Customer {n} Ltd",
        "EmailAddress": f"accounts{n}@customer.example.com",
        "DefaultCurrency": "GBP",
        "Addresses": [{
            "AddressType": "STREET", "AddressLine1": f"{n % 300} High Street", "City": "Bristol", "PostalCode": "BS1 4ST",
            "Country": "United Kingdom",
        }],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": f"0117 {n:06d}"}],
        "ContactPersons": [{"FirstName": "Ada", "LastName": f"Meyer {n}", "EmailAddress": f"ada{n}@customer.example.com"}],
    }  # fmt: skip


def invoice(n: int, status: str = "AUTHORISED") -> Named:
    """An invoice of two lines for customer n."""
    key = f"006{n:015d}"
    return "invoices", {
        "source_key": key,
        "source_modified_at": "2026-10-30T11:12:13.000Z",
        "source_label": f'Opportunity "Customer {n} - renewal"',
        "source_url": f"https://example.my.salesforce.com/{key}",
        "marker": f"SF-{key}",
        "contact_key": f"001{n:015d}",
        "Type": "ACCREC",
        "Date": "2026-11-02",
        "DueDate": "2026-12-02",
        "CurrencyCode": "GBP",
        "LineAmountTypes": "Exclusive",
        "Reference": f"Renewal {n}",
        "Status": status,
        "expected_total": 120.5,
        "LineItems": [
            {"line_key": f"{key}-{row}", "Description": text, "Quantity": quantity, "UnitAmount": price,
             "AccountCode": "200", "expected_amount": amount}
            for row, (text, quantity, price, amount) in enumerate(
                (("Subscription", 2, 50.25, 100.5), ("Support", 1, 20, 20))
            )
        ],
    }  # fmt: skip


def payment(n: int) -> Named:
    """A payment on invoice n."""
    key = f"006{n:015d}"
    return "payments", {
        "source_key": f"{key}#payment",
        "source_label": f'Opportunity "Customer {n} - renewal"',
        "marker": f"SF:{key}",
        "invoice_key": key,
        "AccountCode": "090",
        "Date": "2026-11-02",
        "Amount": 100.5,
    }


def messages(documents: Iterable[Named]) -> Iterator[str]:
    """As lines of Singer, each stream's SCHEMA before its first record and a STATE at the end."""
    announced: set[str] = set()
    for stream, document in documents:
        if stream not in announced:
            announced.add(stream)
            schema = {"type": "object", "properties": {"source_key": {"type": "string"}}}
            yield json.dumps(
                {"type": "SCHEMA", "stream": stream, "key_properties": ["source_key"], "schema": schema}
            )
        yield json.dumps(
            {"type": "RECORD", "stream": stream, "record": document, "time_extracted": "2026-11-02T09:00:00Z"}
        )
    yield json.dumps({"type": "STATE", "value": {"bookmarks": {"end": 1}}})


def write(path: Path, documents: Iterable[Named]) -> Path:
    """Messages into a file."""
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in messages(documents))
    return path
