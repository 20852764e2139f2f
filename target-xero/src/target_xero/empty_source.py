"""A stream that is always read whole and suddenly gives nothing: a lost permission or a broken filter looks just like that.

    told by                        what it tells
    -----------------------------  ------------------------------------------------------------------
    SCHEMA, and not one RECORD     the stream was selected and gave nothing
    a bookmark of it in STATE      it is read by what changed: nothing new is no news, never a reason to stop
    another position in STATE      `{"page": 7}` of a script: all of its streams are read by what is new
    ACTIVATE_VERSION               it was read whole
    the ledger                     it gave records before without a bookmark, and documents are in Xero

Nothing is ever deleted for being absent from the source; this is about noticing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from crm_to_xero.documents import DOCUMENTS

_NO_POSITION = frozenset({"version", "activate_version", "initial_full_table_complete"})
"""What stands in a bookmark of a stream that is read whole."""


class Memory(Protocol):
    """What the ledger remembers of the source."""

    def source_counts(self) -> dict[str, int]:
        """By stream: how many records it gave when it was last read whole and gave any."""

    def note_sources(self, counts: Mapping[str, int]) -> None:
        """Keeps these counts."""

    def has_links(self, kind: str = "") -> bool:
        """Whether documents of this kind (empty: any) are in Xero."""


class EmptySource:
    """Watches the messages of one run."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._announced: dict[str, None] = {}
        self._whole: set[str] = set()
        self._by_bookmark: set[str] = set()
        self._one_position = False
        """STATE has a position of the source as a whole, such as a page: every stream is read by what is new."""
        self._before: dict[str, int] | None = None

    def schema(self, stream: str) -> None:
        """A stream is announced."""
        self._announced[stream] = None

    def record(self, stream: str, count: int = 1) -> None:
        """A stream gives a record, or several."""
        self._counts[stream] += count

    def activate_version(self, stream: str) -> None:
        """A stream was read whole."""
        self._whole.add(stream)

    def state(self, value: Mapping[str, Any]) -> None:
        """Which streams have a bookmark of their own. Any shape of STATE: what is not understood counts as a bookmark."""
        bookmarks = value.get("bookmarks", value)
        if not isinstance(bookmarks, Mapping):
            return
        for stream, bookmark in bookmarks.items():
            position = set(bookmark) - _NO_POSITION if isinstance(bookmark, Mapping) else bookmark is not None
            if position:
                self._by_bookmark.add(str(stream))
                if bookmarks is value and stream not in self._announced and stream != "currently_syncing":
                    self._one_position = True

    def suspects(self, memory: Memory) -> dict[str, int]:
        """Streams that were announced and gave nothing although they should have: by name, what they gave before."""
        silent = [s for s in self._announced if not self._counts[s] and s not in self._by_bookmark]
        if not silent:
            return {}
        if self._before is None:
            self._before = memory.source_counts()
        before = self._before
        return {
            stream: before.get(stream, 0)
            for stream in silent
            if (stream in self._whole or (stream in before and not self._one_position))
            and memory.has_links(stream if stream in DOCUMENTS else "")
        }

    def remember(self, memory: Memory) -> None:
        """Keeps what whole streams gave, for the runs to come."""
        whole = {
            stream: count
            for stream, count in self._counts.items()
            if count and stream not in self._by_bookmark and not self._one_position
        }
        if whole:
            memory.note_sources(whole)


def sentence(suspects: Mapping[str, int]) -> str:
    """What to tell people."""
    named = ", ".join(
        f"{stream} (gave {count:,} records before)" if count else stream for stream, count in suspects.items()
    )
    return (
        f"the source lists nothing in {named}, although it is always read whole and documents of it are in Xero. Nothing was "
        "withdrawn, and the bookmark is held back. Check the tap's filter and permissions; if the source is rightly empty, run "
        "once with TARGET_XERO_ON_EMPTY_SOURCE=warn"
    )
