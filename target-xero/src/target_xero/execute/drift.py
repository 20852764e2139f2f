"""What Xero had of a document when somebody approved a change of it, and whether it still has that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from target_xero.ledger.base import dump
from target_xero.plan.wire import parse_decimal, plain

NOTHING = ""
"""The hash of a document that is not in Xero."""
TO_BE_READ = "?"
"""Stands for the hash while a plan is being made: the document is read, and nothing is compared yet."""
_FOR = "for "

_VOLATILE = frozenset(
    {
        "Balances",
        "HasAttachments",
        "HasErrors",
        "HasValidationErrors",
        "StatusAttributeString",
        "UpdatedDateUTC",
        "UpdatedDateUTCString",
        "ValidationErrors",
        "Warnings",
    }
)
"""Says nothing about what people put into the document, and changes by itself."""
_REFERRED = {"Contact": "ContactID", "Item": "ItemID", "Invoice": "InvoiceID", "CreditNote": "CreditNoteID"}
"""Other documents are told whole inside this one; only which one it is counts here."""


def nothing_for(contact_id: str) -> str:
    """In the place of the hash: the document is not in Xero, and is to be one of this contact."""
    return f"{_FOR}{contact_id}"


def approved_for(before_hash: str | None) -> str:
    """The contact that a new document was approved for; empty: for one that was not in Xero then, or it needs no approval."""
    return before_hash[len(_FOR) :] if before_hash and before_hash.startswith(_FOR) else ""


def element_hash(element: Mapping[str, Any] | None) -> str:
    """SHA-256 over what people see of an element of Xero's; empty when there is none."""
    if element is None:
        return NOTHING
    return hashlib.sha256(dump(_settled(element)).encode("utf-8", "surrogatepass")).hexdigest()


def _settled(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept: dict[str, Any] = {}
        for name, inner in value.items():
            if name in _VOLATILE or inner in (None, "", []):
                continue
            if name in _REFERRED and isinstance(inner, Mapping):
                inner = {_REFERRED[name]: inner.get(_REFERRED[name])}  # noqa: PLW2901
            kept[name] = _settled(inner)
        return kept
    if isinstance(value, list):
        return [_settled(inner) for inner in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = parse_decimal(value)
        return plain(number) if number is not None else str(value)
    return value
