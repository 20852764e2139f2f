"""Which status may follow which, and what may still be changed on an invoice or credit note.

Sources: Xero developer docs (Invoices: status codes, update rules), recorded traffic (the modification text), public
issue threads (the texts about paid documents).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ikaroa_sandbox.xero.resource import Element
from ikaroa_sandbox.xero.store import Row

CREATABLE = ("DRAFT", "SUBMITTED", "AUTHORISED")
LATTICE: Mapping[str, tuple[str, ...]] = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
    "PAID": ("PAID",),
    "VOIDED": (),
    "DELETED": (),
}
"""From each status to those a client may ask for; the same status stands for an edit."""

PAID_DOCUMENT = "This document cannot be edited as it has a payment or credit note allocated to it."
PAID_LINE = "To update fields on a paid invoice line item, you must supply a LineItemID"

_EDITABLE_WHEN_PAID = frozenset(
    {
        "Reference",
        "DueDate",
        "InvoiceNumber",
        "CreditNoteNumber",
        "BrandingThemeID",
        "Contact",
        "Url",
        "LineItems",
        "SentToContact",
        "ExpectedPaymentDate",
        "PlannedPaymentDate",
    }
)
_LINE_EDITABLE_WHEN_PAID = frozenset({"LineItemID", "Description", "AccountCode", "AccountID", "Tracking"})


@dataclass(frozen=True)
class Change:
    """What a client asks of a document that exists."""

    known: Row
    element: Element
    status: str
    settled: bool
    """Payments or credit notes stand on it."""
    credited: bool
    """Credit notes do."""


def status_messages(change: Change, noun: str) -> list[str]:
    """Why the document cannot go to this status; empty when it can."""
    now = change.known["Status"]
    if change.status in LATTICE[now]:
        return [_settled_status(change.status)] if change.status == "VOIDED" and change.settled else []
    if change.settled and change.status in ("DRAFT", "SUBMITTED", "AUTHORISED", "VOIDED"):
        return [_settled_status(change.status)]
    message = f"{noun} not of valid status for modification"
    return [message, PAID_DOCUMENT] if change.settled and now == "PAID" else [message]


def _settled_status(status: str) -> str:
    return (
        f"The status {status} cannot be applied to the invoice because it has payments or credit notes "
        "allocated to it."
    )


def settled_messages(change: Change, merged: Row, *, sales: bool) -> list[str]:
    """What a client may not change on a document with payments or credit notes on it; empty when it changes nothing else.

    Args:
        change: what is asked.
        merged: the row as it would be.
        sales: a sales document; bills cannot be edited at all.
    """
    forbidden = [
        name for name in change.element if name in merged and merged.get(name) != change.known.get(name)
    ]
    if not sales:
        return [PAID_DOCUMENT] if forbidden or merged["ContactID"] != change.known["ContactID"] else []
    messages: list[str] = []
    if any(name not in _EDITABLE_WHEN_PAID for name in forbidden):
        messages.append(PAID_DOCUMENT)
    if change.credited and merged["ContactID"] != change.known["ContactID"]:
        messages.append(PAID_DOCUMENT)
    lines = change.element.get("LineItems")
    if isinstance(lines, Sequence) and lines:
        messages.extend(_line_messages(lines, change.known["LineItems"], merged["LineItems"]))
    return list(dict.fromkeys(messages))


def _line_messages(sent: Sequence[Any], before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    if any(isinstance(line, Mapping) and not line.get("LineItemID") for line in sent):
        return [PAID_LINE]
    old = {line["LineItemID"]: line for line in before}
    if len(after) != len(before) or any(line["LineItemID"] not in old for line in after):
        return [PAID_DOCUMENT]
    for line in after:
        known = old[line["LineItemID"]]
        names = {name for name in {*line, *known} if line.get(name) != known.get(name)}
        if names - _LINE_EDITABLE_WHEN_PAID:
            return [PAID_DOCUMENT]
    return []
