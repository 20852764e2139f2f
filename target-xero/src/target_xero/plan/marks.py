"""The mark that names a document's source in Xero: behind the text people read, and found again by it."""

from __future__ import annotations

from collections.abc import Iterator

from target_xero.limits import KEY_MAX
from target_xero.refusal import Refusal

SEPARATOR = " · "
MARKED = frozenset({"quotes", "invoices", "credit_notes", "payments"})
"""Kinds that carry it in their Reference."""


def reference(text: str | None, marker: str, longest: int) -> str:
    """`text · marker`, the text clipped and the marker whole, so that it is found again."""
    if not text:
        return marker
    room = longest - len(marker) - len(SEPARATOR)
    return f"{text[:room].rstrip()}{SEPARATOR}{marker}" if room > 0 else marker


def marker_in(text: str) -> str:
    """The marker of a reference that `reference` made; the whole text when it has no separator."""
    return text.rpartition(SEPARATOR)[2].strip()


def check_marker(stream: str, marker: str) -> Iterator[Refusal]:
    """A mark that would not be found again is refused: what is not found is made twice."""
    if stream not in MARKED or (marker_in(f"x{SEPARATOR}{marker}") == marker and len(marker) <= KEY_MAX):
        return
    cure = (
        f"It is written into Xero's Reference behind {SEPARATOR!r} and must be found there again: give a marker of at most {KEY_MAX} "
        f"characters, without {SEPARATOR!r} in it and without spaces at its ends (the key is the marker where none is given)."
    )
    yield Refusal("marker_unusable", "marker", marker, cure)
