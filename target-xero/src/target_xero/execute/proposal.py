"""What a person could do about an invoice that is not changed any more: credit it, and bill it anew. Never sent by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from target_xero.execute.compare import Difference
from target_xero.execute.threeway import Conflict
from target_xero.plan.organisation import Organisation
from target_xero.plan.wire import cents, money, parse_date, parse_decimal, plain, text_of

Proposal = dict[str, Any]


def credit_and_rebill(
    current: Mapping[str, Any],
    wanted: Mapping[str, Any] | None,
    changes: Sequence[Difference | Conflict],
    organisation: Organisation,
    today: date,
) -> Proposal:
    """The credit note that takes the invoice back and the invoice as the source now wants it, both in the open period.

    Args:
        current: the invoice as Xero has it.
        wanted: the element the source wants; None: it calls for none any more, so it is credited only.
        changes: what the source would change.
        organisation: whose books they are.
        today: the day in Xero.

    Returns:
        JSON: `action`, `date`, `changes`, `credit_note` and `invoice` as Xero would take them, amounts as exact text.
    """
    lock = organisation.lock
    day = max(today, lock.until + timedelta(days=1)) if lock else today
    proposal: Proposal = {
        "action": "credit_and_rebill" if wanted else "credit",
        "of": {
            "InvoiceID": text_of(dict(current), "InvoiceID"),
            "InvoiceNumber": text_of(dict(current), "InvoiceNumber"),
        },
        "date": day.isoformat(),
        "changes": [_as_json({"field": c.field, "xero": c.theirs, "source": c.ours}) for c in changes],
        "credit_note": _credit_note(current, day),
    }
    if wanted:
        proposal["invoice"] = _invoice(current, wanted, day)
    return proposal


def sentence(proposal: Proposal) -> str:
    """The proposal in a line."""
    note = proposal["credit_note"]
    told = (
        f"Proposed (not sent): a credit note over {note['Total']} {note['CurrencyCode']} dated {proposal['date']} against "
        f"{proposal['of']['InvoiceNumber']}"
    )
    return told + (", and a new invoice as the source has it now." if "invoice" in proposal else ".")


def _credit_note(current: Mapping[str, Any], day: date) -> dict[str, Any]:
    source = dict(current)
    number = text_of(source, "InvoiceNumber")
    found = {
        "Type": "ACCRECCREDIT",
        "Status": "DRAFT",
        "Contact": {"ContactID": text_of(source, "Contact", "ContactID")},
        "Date": day.isoformat(),
        "Reference": f"Credit of {number}",
        "CurrencyCode": text_of(source, "CurrencyCode"),
        "LineAmountTypes": text_of(source, "LineAmountTypes"),
        "LineItems": [_reversed(line) for line in current.get("LineItems") or ()],
        "Total": money(parse_decimal(current.get("Total")) or Decimal(0)),
    }
    rate = parse_decimal(current.get("CurrencyRate"))
    return found | ({"CurrencyRate": plain(rate)} if rate is not None and rate != 1 else {})


def _reversed(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the credit note: net of discount, which credit notes do not have, and with the very tax it had."""
    kept = {name: line[name] for name in ("Description", "AccountCode", "TaxType") if line.get(name)}
    if line.get("Tracking"):
        kept["Tracking"] = [{"Name": t.get("Name"), "Option": t.get("Option")} for t in line["Tracking"]]
    amount = parse_decimal(line.get("LineAmount")) or Decimal(0)
    tax = parse_decimal(line.get("TaxAmount"))
    if amount:
        kept |= {"Quantity": "1", "UnitAmount": plain(amount)}
        kept |= {"TaxAmount": plain(cents(tax))} if tax is not None else {}
    return kept


_OF_A_LINE = (
    "Description",
    "Quantity",
    "UnitAmount",
    "DiscountRate",
    "ItemCode",
    "AccountCode",
    "TaxType",
    "Tracking",
)


def _invoice(current: Mapping[str, Any], wanted: Mapping[str, Any], day: date) -> dict[str, Any]:
    """As the source has it, dated in the open period, under a number of its own, as a draft.

    Lines that people changed in Xero are not in `wanted`; they stay as they are there.
    """
    found: dict[str, Any] = {
        name: value for name, value in wanted.items() if name not in ("InvoiceID", "InvoiceNumber", "Status")
    }
    if "LineItems" in wanted:
        lines = [{n: v for n, v in line.items() if n != "LineItemID"} for line in wanted["LineItems"]]
    else:
        theirs = current.get("LineItems") or ()
        lines = [{n: line[n] for n in _OF_A_LINE if line.get(n) not in (None, "", [])} for line in theirs]
    found["LineItems"] = lines
    asked = parse_date(found.get("Date"))
    found["Date"] = max(asked or day, day).isoformat()
    due = parse_date(found.get("DueDate"))
    if due and due < max(asked or day, day):
        found["DueDate"] = found["Date"]
    converted: dict[str, Any] = _as_json({**found, "Status": "DRAFT"})
    return converted


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return {name: _as_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    day = parse_date(value) if isinstance(value, str) and value.startswith("/Date(") else None
    return day.isoformat() if day else value
