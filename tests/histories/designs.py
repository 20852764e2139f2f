"""Mistakes that taps of this kind make, each switched on by itself: the histories must catch every one.

They are patched in from outside for the length of a seed and never stand in the product. Each names the harm that it does:
only a verdict of that harm counts as a catch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from tap_salesforce_ikaroa import changes, source
from tap_salesforce_ikaroa.bulk.reader import BulkReader
from tap_salesforce_ikaroa.changes import Survey
from tap_salesforce_ikaroa.lines import Batch

from tests.histories.play import Play

Patches = Iterator[None]


@dataclass(frozen=True)
class Design:
    """A mistake, and how to make it."""

    name: str
    sentence: str
    harm: str
    """How the verdict begins that it must be caught by."""
    switched_on: Callable[[], AbstractContextManager[None]]


DESIGNS: dict[str, Design] = {}


def design(harm: str) -> Callable[[Callable[[], Patches]], Callable[[], Patches]]:
    """Registers a mistake under its name."""

    def register(make: Callable[[], Patches]) -> Callable[[], Patches]:
        sentence = (make.__doc__ or "").strip()
        DESIGNS[make.__name__] = Design(make.__name__, sentence, harm, contextmanager(make))
        return make

    return register


def caught(play: Play, bad: Design, seeds: range) -> int | None:
    """The first of these seeds in which a mistake does its harm, and the sound tap does none."""
    for seed in seeds:
        with bad.switched_on():
            findings = play.play(seed).findings
        if any(finding.startswith(bad.harm) for finding in findings) and not play.play(seed).findings:
            return seed
    return None


@design("missed")
def ceiling_ignored() -> Patches:
    """The bookmark goes up to now: what a transaction commits late, with an older stamp, is never read."""
    conclude = Survey._conclude

    def up_to_now(self: Survey, follower: Any) -> None:
        self._ceilings = dict.fromkeys(self._ceilings, self._now)
        conclude(self, follower)

    with patch.object(Survey, "_conclude", up_to_now):
        yield


@design("missed")
def bookmark_before_the_last_page() -> Patches:
    """A Bulk job's rows move the bookmark as they come, and they come in no order; a run that was cut begins after it."""
    batch = BulkReader._batch

    def moving(self: BulkReader, lines: bytes, rows: Any, place: Any) -> Batch:
        return replace(batch(self, lines, rows, place), top=place.top)

    with patch.object(BulkReader, "_batch", moving), patch.object(source.Keeper, "keep", lambda *_: None):
        yield


@design("kept though deleted")
def deletions_not_asked_for() -> Patches:
    """Nobody asks which rows were deleted for good."""
    with patch.object(Survey, "_deletion_question", lambda *_: ()):
        yield


@design("old list")
def changed_children_not_followed() -> Patches:
    """A changed child row does not bring its root along."""
    with patch.object(Survey, "_child_question", lambda *_: ()):
        yield


@design("old list")
def moved_children_stay_where_they_were() -> Patches:
    """A child row that was given to another root stays in the list of the old one, too."""
    with patch.object(changes, "_may_have_moved", lambda *_: False):
        yield
