"""A document on its way into the ledger: read in full, or known by what it came to when it was last read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from target_xero.ledger.base import storable
from target_xero.ledger.model import Essence
from target_xero.plan.canonical import content_hash

Make = Callable[[Any, str, str], Mapping[str, Any]]


class Fresh:
    """A document."""

    __slots__ = ("document", "essence", "key")

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.key = key_of(document)
        self.essence: Essence | None = None
        """What it came to, once it was planned, and Xero was found to have just that; None: it may not be relied on."""

    @property
    def former_key(self) -> str:
        """What it was called before, if it says so; else empty."""
        former = str(self.document.get("previous_source_key") or "")
        return former if former != self.key else ""


class Known:
    """A document of a record that is as it was when its documents were last found as Xero has them.

    Only when the ledger does not have it so any more is it made, from the record, and planned like any other.
    """

    __slots__ = ("_make", "_record", "content_hash", "key", "kind")
    former_key = ""

    def __init__(self, essence: Essence, record: Any, make: Make) -> None:
        """`make` gives the document of that kind and key in the record, in whatever form that is kept."""
        self.kind, self.key, self.content_hash = essence
        self._record = record
        self._make = make

    def made(self) -> Fresh:
        """The document itself."""
        return Fresh(self._make(self._record, self.kind, self.key))


def key_of(document: Mapping[str, Any]) -> str:
    """The document's key; one without is kept under a name made of its content, so that it is not lost."""
    key = document.get("source_key")
    return storable(str(key)) if key else f"(no key) {content_hash({'document': _as_text(document)})[:16]}"


def is_withdrawn(document: Mapping[str, Any]) -> bool:
    """The source calls for it no more: it says so, or the tap does that saw it deleted there (Singer SDK: `_sdc_deleted_at`)."""
    return document.get("withdrawn") is True or bool(document.get("_sdc_deleted_at"))


def only_moves(document: Mapping[str, Any]) -> bool:
    """A document that moves a link and touches no content."""
    return (
        bool(document.get("previous_source_key")) and not document.get("Name") and not is_withdrawn(document)
    )


def _as_text(document: Mapping[str, Any]) -> str:
    """Any document as text, for a name only."""
    return repr(sorted((str(name), str(value)) for name, value in document.items()))
