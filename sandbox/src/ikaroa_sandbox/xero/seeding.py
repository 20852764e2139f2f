"""A business's life before the sync: contacts, items and documents that no app made."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.xero.contacts import new_row
from ikaroa_sandbox.xero.seed_documents import fill_documents
from ikaroa_sandbox.xero.store import Row, Store
from ikaroa_sandbox.xero.tenant import Tenant

_CONTACTS: tuple[dict[str, Any], ...] = (
    {"Name": "Harbour Lane Stationers", "EmailAddress": "accounts@harbourlane.example", "IsSupplier": True},
    {"Name": "Penrose Power & Light", "EmailAddress": "billing@penrosepower.example", "IsSupplier": True},
    {"Name": "Tamar Valley Telecom", "IsSupplier": True},
    {
        "Name": "Quayside Property Management",
        "FirstName": "Morwenna",
        "LastName": "Tregear",
        "IsSupplier": True,
    },
    {
        "Name": "Crédit Maritime Leasing",
        "EmailAddress": "contact@credit-maritime.example",
        "IsSupplier": True,
        "DefaultCurrency": "EUR",
    },
    {"Name": "Old Mill Bakery", "EmailAddress": "orders@oldmillbakery.example", "AccountNumber": "CUST-001"},
    {
        "Name": "St Piran's Parish Council",
        "EmailAddress": "clerk@stpirans.example",
        "AccountNumber": "CUST-002",
    },
    {
        "Name": "Godolphin Garden Centre",
        "FirstName": "Jago",
        "LastName": "Nancarrow",
        "AccountNumber": "CUST-003",
    },
    {
        "Name": "Café Müller am Hafen",
        "EmailAddress": "rechnung@cafe-mueller.example",
        "DefaultCurrency": "EUR",
    },
    {"Name": "Walk-in Customer"},
    {"Name": "Lizard Point Boatyard", "ContactStatus": "ARCHIVED", "AccountNumber": "CUST-000"},
)

_ITEMS: tuple[tuple[str, str, str, str], ...] = (
    ("DELIVERY", "Delivery", "Delivery within the UK", "12.50"),
    ("HIRE-DAY", "Day hire", "Hire of equipment, one day", "85.00"),
    ("CALLOUT", "Call-out", "Call-out outside office hours", "140.00"),
)


def fill(tenant: Tenant, chance: random.Random, profile: str) -> None:
    """Contacts, items, then documents; the same seed and clock give the same data."""
    store = tenant.store
    for fields in _CONTACTS:
        _contact(store, fields, chance)
    if profile == "messy":  # demo data was seen with two active contacts of one name, e-mail and number
        twin = {
            "ContactNumber": "LEGACY-7",
            "EmailAddress": "office@twinpeaks.example",
            "Name": "Twin Peaks Outdoor",
        }
        _contact(store, twin, chance)
        _contact(store, twin, chance)
    for *texts, price in _ITEMS:
        _item(store, chance, (texts[0], texts[1], texts[2]), price)
    fill_documents(tenant.api.resources, store, chance)
    store.begin()


def _contact(store: Store, fields: dict[str, Any], chance: random.Random) -> None:
    street = {
        "AddressLine1": f"{chance.randint(1, 180)} Fore Street",
        "City": chance.choice(("Truro", "Falmouth", "Penzance", "Bodmin")),
        "PostalCode": f"TR{chance.randint(1, 20)} {chance.randint(1, 9)}AB",
        "Country": "United Kingdom",
    }
    addresses = {"STREET": street} if chance.random() < 0.7 else {}
    row = {
        **new_row(),
        "Addresses": addresses,
        "Bare": True,
        **fields,
        "UpdatedDateUTC": _past(store, chance),
    }
    store.table("Contacts").put(row, stamp=False)


def _item(store: Store, chance: random.Random, texts: tuple[str, str, str], price: str) -> None:
    code, name, description = texts
    details = {"UnitPrice": Decimal(price), "AccountCode": "200", "TaxType": "OUTPUT2"}
    row: Row = {
        "ItemID": None,
        "Code": code,
        "Name": name,
        "Description": description,
        "SalesDetails": details,
    }
    row |= {
        "IsSold": True,
        "IsPurchased": False,
        "CreatedByApp": None,
        "UpdatedDateUTC": _past(store, chance),
    }
    store.table("Items").put(row, stamp=False)


def _past(store: Store, chance: random.Random) -> datetime:
    moment = store.clock.now() - timedelta(days=chance.randint(30, 300), seconds=chance.randint(0, 86_000))
    return moment.replace(microsecond=chance.randint(0, 999) * 1000)
