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
    """Documents written since some moment. What was created since is no change of something known, however often it is edited."""

    def __init__(self) -> None:
        self._written: dict[Key, _Written] = {}
        """In the order in which they were last written."""
        self._created: dict[Key, int] = {}
        """When each was created, in that order; all of them are among the written ones."""
        self._sums: Counter[Sum] = Counter()

    @property
    def created(self) -> int:
        """How many of the documents were created."""
        return len(self._created)

    def put(self, writing: Writing, at_ms: int) -> None:
        """A document is written."""
        key, (of, amount) = writing.key, writing.worth
        before = self._written.pop(key, None)
        if before is not None:
            self._sums[before.of] -= before.amount_minor
        was_there = before is not None and key not in self._created
        if writing.created and not was_there:
            self._created.pop(key, None)
            self._created[key] = at_ms
        self._written[key] = _Written(at_ms, of, amount)
        self._sums[of] += amount

    def forget(self, before_ms: int) -> None:
        """Leaves out what was last written before this moment. What was created before it, and written since, is a change."""
        for key in [key for key, _ in takewhile(lambda row: row[1] < before_ms, self._created.items())]:
            del self._created[key]
        for key, old in list(takewhile(lambda row: row[1].at_ms < before_ms, self._written.items())):
            del self._written[key]
            self._sums[old.of] -= old.amount_minor

    def weigh(self, planned: Iterable[Writing] = ()) -> Weight:
        """What was written, together with what is planned."""
        documents, changed = len(self._written), len(self._written) - len(self._created)
        sums = self._sums.copy()
        for key, writing in {writing.key: writing for writing in planned}.items():
            before = self._written.get(key)
            if before is None:
                documents += 1
                changed += not writing.created
            else:
                sums[before.of] -= before.amount_minor
            of, amount = writing.worth
            sums[of] += amount
        return Weight(documents, changed, sums)
