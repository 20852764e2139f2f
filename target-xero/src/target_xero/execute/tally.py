"""What a run has written lately: each document once, however often it was written, with what its newest revision comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import NamedTuple

Key = tuple[str, str]
"""A document: kind and source key."""
Sum = tuple[str, str]
"""What is summed apart from others: `documents` or `payments`, and the currency."""
_SUMMED = {
    "quotes": "documents",
    "invoices": "documents",
    "credit_notes": "documents",
    "payments": "payments",
}


class Writing(NamedTuple):
    """A document that is written, or about to be."""

    kind: str
    source_key: str
    created: bool
    """Whether it is made; else what is in Xero is changed or withdrawn."""
    currency: str
    amount_minor: int

    @property
    def key(self) -> Key:
        """Which document it is."""
        return self.kind, self.source_key

    @property
    def worth(self) -> tuple[Sum, int]:
        """To which sum it adds how much. Contacts, items and allocations add nothing to any."""
        what = _SUMMED.get(self.kind, "")
        return (what, self.currency), self.amount_minor if what else 0


class Weight(NamedTuple):
    """What is held against the limits."""

    documents: int
    changed: int
    """Of the documents, those that were in Xero before."""
    sums: Mapping[Sum, int]
    """In hundredths; documents before tax."""


class _Written(NamedTuple):
    at_ms: int
    of: Sum
    amount_minor: int


class Tally:
    """Documents written since some moment.

    Whether a writing is a change of something known is decided when it is written: what was created since is not, however often
    it is edited, and what was let through is not held against the run later.
    """

    def __init__(self) -> None:
        # Each in the order in which the documents were last written so.
        self._written: dict[Key, _Written] = {}
        self._created: dict[Key, int] = {}
        self._changed: dict[Key, int] = {}
        self._sums: Counter[Sum] = Counter()

    @property
    def created(self) -> int:
        """How many of the documents were created."""
        return len(self._created)

    def put(self, writing: Writing, at_ms: int) -> None:
        """A document is written."""
        key, (of, amount) = writing.key, writing.worth
        self._take_off(self._written.pop(key, None))
        self._written[key] = _Written(at_ms, of, amount)
        self._sums[of] += amount
        # One that was changed, withdrawn and is made again was there; one that is made again after a refusal was not.
        if key in self._changed or not (writing.created or key in self._created):
            self._changed.pop(key, None)
            self._changed[key] = at_ms
        elif writing.created:
            self._created.pop(key, None)
            self._created[key] = at_ms

    def forget(self, before_ms: int) -> None:
        """Leaves out what was last written before this moment."""
        for times in (self._created, self._changed):
            for key in [key for key, _ in takewhile(lambda row: row[1] < before_ms, times.items())]:
                del times[key]
        for key in [key for key, _ in takewhile(lambda row: row[1].at_ms < before_ms, self._written.items())]:
            self._take_off(self._written.pop(key))

    def weigh(self, planned: Iterable[Writing] = ()) -> Weight:
        """What was written, together with what is planned."""
        documents, changed, sums = len(self._written), len(self._changed), self._sums.copy()
        for key, writing in {writing.key: writing for writing in planned}.items():
            changed += not (writing.created or key in self._created or key in self._changed)
            before = self._written.get(key)
            if before is None:
                documents += 1
            else:
                sums[before.of] -= before.amount_minor
            of, amount = writing.worth
            sums[of] += amount
        return Weight(documents, changed, sums)

    def _take_off(self, old: _Written | None) -> None:
        if old is not None:
            self._sums[old.of] -= old.amount_minor
