"""Bulk jobs of the streams that come next, made before their turn, so that all wait at Salesforce at the same time.

Rows are read and written stream by stream all the same. Jobs made ahead are in their stream's STATE like others, so that a
run that is killed leaves them to the next one; a run that ends in another way before their turn aborts them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tap_salesforce_ikaroa.bulk.place import Place
from tap_salesforce_ikaroa.errors import NotBulkError, TapError
from tap_salesforce_ikaroa.window import Window

logger = logging.getLogger("tap-salesforce-ikaroa")


@dataclass(frozen=True)
class Begun:
    """What was asked of Salesforce for a window before its turn: jobs, or the answer that Bulk does not read it."""

    window: Window
    answer: Place | NotBulkError

    @property
    def place(self) -> Place:
        """The jobs, of which nothing has been read.

        Raises:
            NotBulkError: Bulk API 2.0 does not read this.
        """
        if isinstance(self.answer, NotBulkError):
            raise self.answer
        return self.answer


@dataclass(frozen=True)
class Turn:
    """A stream that may be read by Bulk.

    `begin` makes its jobs and keeps them in STATE; None where it is not known that Bulk will read it. `discard` does away
    with them.
    """

    stream: str
    jobs: int
    begin: Callable[[], Begun | None]
    discard: Callable[[Begun], None]


class JobsAhead:
    """The streams of a run in the order in which they are read. `most`: jobs to have at Salesforce at once."""

    def __init__(self, turns: Iterable[Turn] = (), most: int = 1) -> None:
        self._turns = {turn.stream: turn for turn in turns}
        self._waiting = list(self._turns)
        self._begun: dict[str, Begun] = {}
        self._current: str | None = None
        self._most = most

    def take(self, stream: str) -> Begun | None:
        """What was begun for a stream whose turn it is."""
        self._current = stream
        if stream in self._waiting:
            del self._waiting[: self._waiting.index(stream) + 1]
        return self._begun.pop(stream, None)

    def fill(self) -> bool:
        """Makes jobs of the streams to come, in their order, as far as `most` allows; whether there are new ones."""
        made = False
        while self._waiting and self._open + self._turns[self._waiting[0]].jobs <= self._most:
            turn = self._turns[self._waiting.pop(0)]
            try:
                begun = turn.begin()
            except TapError as error:
                logger.info("%s: its Bulk jobs are made when its turn comes (%s)", turn.stream, error)
                break
            if begun:
                self._begun[turn.stream] = begun
                made = made or isinstance(begun.answer, Place)
        return made

    def discard(self) -> None:
        """Does away with all that was begun and not taken."""
        while self._begun:
            stream, begun = self._begun.popitem()
            self._turns[stream].discard(begun)

    @property
    def _open(self) -> int:
        """How many jobs there are: those that are being read, and those that wait for their turn."""
        return sum(
            turn.jobs for name, turn in self._turns.items() if name == self._current or name in self._begun
        )
