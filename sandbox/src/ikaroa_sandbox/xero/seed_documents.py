"""Documents an organisation had before any app was connected: the series has begun, money has moved.

Made through the families' own rules, as somebody else than the app, so that they are as right as any other.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.xero import allocations
from ikaroa_sandbox.xero.folding import fold
from ikaroa_sandbox.xero.resource import Context, Resource
from ikaroa_sandbox.xero.store import Row, Store, Table

_SALES: tuple[tuple[str, str, str, tuple[tuple[str, str, str], ...]], ...] = (
    # contact, status, what became of it, lines (item or "", quantity, price)
    ("Old Mill Bakery", "AUTHORISED", "paid", (("HIRE-DAY", "2", "85.00"), ("DELIVERY", "1", "12.50"))),
    ("St Piran's Parish Council", "AUTHORISED", "part", (("", "1", "1250.00"), ("CALLOUT", "1", "140.00"))),
    ("Godolphin Garden Centre", "AUTHORISED", "open", (("", "24", "18.75"),)),
    ("Café Müller am Hafen", "AUTHORISED", "open", (("", "1", "980.00"),)),
    ("Old Mill Bakery", "AUTHORISED", "credited", (("", "6", "49.99"),)),
    ("Walk-in Customer", "AUTHORISED", "voided", (("", "1", "35.00"),)),
    ("Godolphin Garden Centre", "SUBMITTED", "open", (("HIRE-DAY", "5", "85.00"),)),
    ("St Piran's Parish Council", "DRAFT", "open", (("", "3", "33.333"),)),
)
_BILLS: tuple[tuple[str, str, str, str], ...] = (
    # contact, number, account, amount
    ("Harbour Lane Stationers", "HL-20417", "461", "86.40"),
    ("Penrose Power & Light", "PPL-0098123", "429", "412.77"),
    ("Tamar Valley Telecom", "TV 55120", "429", "59.99"),
)


def fill_documents(families: Mapping[str, Resource], store: Store, chance: random.Random) -> None:
    """Sales invoices from INV-0001 (paid, part-paid, open, credited, voided, waiting, draft), bills, one credit note.

    Needs the seeded contacts and items. The same chance and clock give the same data.
    """
    ctx = Context(store, app="", params={"unitdp": "4"})
    for index, (contact, status, fate, lines) in enumerate(_SALES):
        age = 200 - 20 * index - chance.randint(0, 10)
        invoice = _sale(families["Invoices"], ctx, contact, status, lines, age)
        _befall(families, ctx, invoice, fate)
    for contact, number, account, amount in _BILLS:
        _bill(families["Invoices"], ctx, (contact, number, account, amount), chance.randint(5, 90))
    for name in ("Invoices", "CreditNotes", "Payments"):
        _age(store.table(name), chance)


def _sale(
    family: Resource,
    ctx: Context,
    contact: str,
    status: str,
    lines: tuple[tuple[str, str, str], ...],
    age: int,
) -> Row:
    day = ctx.today - timedelta(days=age)
    items = [
        {
            "ItemCode": item or None,
            "Description": None if item else "Goods as ordered",
            "Quantity": quantity,
            "UnitAmount": price,
            "AccountCode": "200",
            "TaxType": "OUTPUT2",
        }
        for item, quantity, price in lines
    ]
    element = {
        "Type": "ACCREC",
        "Status": status,
        "Contact": {"ContactID": _contact(ctx.store, contact)["ContactID"]},
        "Date": day.isoformat(),
        "DueDate": (day + timedelta(days=14)).isoformat(),
        "LineItems": items,
    }
    return _stored(family, element, ctx)


def _bill(family: Resource, ctx: Context, bill: tuple[str, str, str, str], age: int) -> None:
    contact, number, account, amount = bill
    day = ctx.today - timedelta(days=age)
    line = {"Description": "As invoiced", "Quantity": "1", "UnitAmount": amount, "AccountCode": account}
    element = {
        "Type": "ACCPAY",
        "Status": "AUTHORISED",
        "InvoiceNumber": number,
        "Contact": {"ContactID": _contact(ctx.store, contact)["ContactID"]},
        "Date": day.isoformat(),
        "DueDate": (day + timedelta(days=30)).isoformat(),
        "LineItems": [line],
    }
    _stored(family, element, ctx)


def _befall(families: Mapping[str, Resource], ctx: Context, invoice: Row, fate: str) -> None:
    if fate in ("paid", "part"):
        due = Decimal(invoice["AmountDue"])
        amount = due if fate == "paid" else (due / 3).quantize(Decimal("0.01"))
        payment = {
            "Invoice": {"InvoiceID": invoice["InvoiceID"]},
            "Account": {"Code": "090"},
            "Amount": str(amount),
            "Date": (invoice["Date"] + timedelta(days=12)).isoformat(),
            "Reference": "BACS",
        }
        families["Payments"].save(payment, "PUT", ctx)
    elif fate == "voided":
        ctx.target = invoice
        families["Invoices"].save({"Status": "VOIDED"}, "POST", ctx)
        ctx.target = None
    elif fate == "credited":
        line = {"Description": "Goods returned", "Quantity": "1", "UnitAmount": "49.99", "AccountCode": "200"}
        element = {
            "Type": "ACCRECCREDIT",
            "Status": "AUTHORISED",
            "Contact": {"ContactID": invoice["ContactID"]},
            "Date": (invoice["Date"] + timedelta(days=5)).isoformat(),
            "LineItems": [line],
        }
        note = _stored(families["CreditNotes"], element, ctx)
        sent: dict[str, Any] = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": "30.00"}
        allocations.allocate(ctx, note, sent)


def _age(table: Table, chance: random.Random) -> None:
    """Stamps from the day of the last thing that happened to each row, instead of from now."""
    for row in list(table.rows()):
        day = row.get("FullyPaidOnDate") or row["Date"]
        clock = time(chance.randint(8, 17), chance.randint(0, 59), chance.randint(0, 59), tzinfo=timezone.utc)
        table.put({**row, "UpdatedDateUTC": datetime.combine(day, clock)}, stamp=False)


def _contact(store: Store, name: str) -> Row:
    return store.table("Contacts").by("name", fold(name))[0]


def _stored(family: Resource, element: dict[str, Any], ctx: Context) -> Row:
    saved = family.save(element, "PUT", ctx)
    return family.table.get(saved[family.id_field]) or {}
