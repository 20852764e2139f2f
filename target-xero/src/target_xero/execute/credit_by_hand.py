"""Credit that people allocated to an invoice of ours: it is theirs, so it is named with the way to take it off, never removed.

Xero's API can delete allocations of credit notes, prepayments and overpayments alike; our runs allocate credit notes only,
and those go before their invoice does. Whatever is still on the invoice then was put there by somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.plan.wire import minor, parse_date, show_minor, text_of

_KINDS = (
    ("CreditNotes", "credit note", "CreditNote"),
    ("Prepayments", "prepayment", "Prepayment"),
    ("Overpayments", "overpayment", "Overpayment"),
)


def told(name: str, status: str, invoice: Mapping[str, Any]) -> str:
    """Why this invoice stays, which credit is on it and how a person takes that off; empty: none is."""
    currency = text_of(dict(invoice), "CurrencyCode")
    found = [
        (one, _named(one, prefix, entry, currency))
        for field, one, prefix in _KINDS
        for entry in invoice.get(field) or ()
    ]
    if not found:
        return ""
    listed = ", ".join(named for _, named in found)
    kinds = " or the ".join(dict.fromkeys(one for one, _ in found))
    are, it, them = ("is", "it", "that") if len(found) == 1 else ("are", "each of them", "them")
    return (
        f"{name} is {status}, and {listed} {are} allocated to it; it stays. Remove {them} in Xero, then undo again: open {name} "
        f"there, open {it} below its total, and on the {kinds} remove the allocation to {name}. The credit itself stays the customer's."
    )


def _named(one: str, prefix: str, entry: Mapping[str, Any], currency: str) -> str:
    """As people can find it: a number where it has one; prepayments and overpayments have a day and an id."""
    known = text_of(dict(entry), f"{prefix}Number") or text_of(dict(entry), "Reference")
    amount = minor(entry.get("AppliedAmount"))
    day = parse_date(entry.get("Date"))
    details = [f"{currency} {show_minor(amount)}".strip() if amount else ""]
    if not known:
        details += [f"of {day.isoformat()}" if day else "", f"id {text_of(dict(entry), f'{prefix}ID')}"]
    shown = ", ".join(detail for detail in details if detail)
    return " ".join(part for part in (one, known, f"({shown})" if shown else "") if part)
