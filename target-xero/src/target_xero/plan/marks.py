"""The mark that names a document's source in Xero: behind the text people read, and found again by it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from crm_to_xero.functions.text import length

from target_xero.ledger.planning import Holder
from target_xero.limits import KEY_MAX, PAYMENT_REFERENCE_MAX, QUOTE_REFERENCE_MAX, REFERENCE_MAX
from target_xero.plan.statuses import DEAD
from target_xero.refusal import Refusal

SEPARATOR = " · "
MARKED = {
    "quotes": QUOTE_REFERENCE_MAX,
    "invoices": REFERENCE_MAX,
    "credit_notes": REFERENCE_MAX,
    "payments": PAYMENT_REFERENCE_MAX,
}
"""Kinds that carry it in their Reference, and how long that may be."""


def reference(kind: str, text: str | None, marker: str) -> str:
    """`text · marker`. The marker is whole whatever happens, so that it is found again.

    A text without room beside it is refused when it is planned (`check_reference`). Earlier releases clipped it, and what they
    wrote is compared with what Xero has: it is clipped here as it was then.
    """
    longest = MARKED[kind]
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


def check_reference(stream: str, text: str, marker: str) -> Iterator[Refusal]:
    """A text that Xero's Reference cannot hold beside the mark is refused: nothing of it is cut off in silence."""
    room = MARKED.get(stream, 0) - length(SEPARATOR + marker)
    if stream in MARKED and length(text) > room:
        cure = (
            f"It has {length(text)} characters; with its mark {SEPARATOR + marker!r} behind it there is room for {room}. Shorten it in "
            "the source or the mapping."
        )
        yield Refusal("too_long", "Reference", text, cure)


def holder(source_key: str, holders: Iterable[Holder], superseded: Container[int] = ()) -> str:
    """The key of the other document that has the mark; empty: none has, or this one is in Xero with it already.

    What is void or deleted in Xero has none any more, nor has a revision that is being replaced (`superseded`).
    """
    other = ""
    for one in holders:
        if one.source_key != source_key:
            live = one.status not in DEAD and one.intent_id not in superseded
            other = other or (one.source_key if live else "")
        elif not one.intent_id:
            return ""
    return other


def marker_taken(marker: str, other: str) -> Refusal:
    """The refusal of a document whose mark another one has: a lost answer is looked up by it, and must lead to one of them."""
    cure = (
        f"It names one document in Xero, and {other} of the source has it already. Let the mapping give each document a marker of its "
        f"own (the key is the marker where none is given), and it goes by itself; or withdraw {other}, then run `target-xero retry`."
    )
    return Refusal("marker_taken", "marker", marker, cure)
