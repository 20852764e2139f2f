"""Sorting more lines than memory holds: sorted runs in files, merged as they are read.

A line is a key, a tab, a JSON text and an end of line; lines sort as bytes, so keys are written to sort that way.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

from tap_salesforce_ikaroa import limits

_TAB = b"\t"


def ordinal(text: str) -> str:
    """A whole number, or nothing, as a key part: nothing first, then by value, as SOQL sorts."""
    return f"1{int(Decimal(text)) + 10**18:020d}" if text else "0"


class Sorter:
    """Takes keyed JSON texts in any order and gives them back by key. Its files are unlinked from the start."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._bytes = 0
        self._runs: list[IO[bytes]] = []

    def add(self, keys: Iterable[str], texts: Sequence[bytes]) -> None:
        """Takes texts, each with its end of line, and their keys."""
        lines = [key.encode() + _TAB + text for key, text in zip(keys, texts, strict=True)]
        self._lines += lines
        self._bytes += sum(map(len, lines))
        if self._bytes > limits.SORT_BYTES:
            self._spill()

    def sorted(self) -> Iterator[tuple[str, bytes]]:
        """Key and text (without its end of line) of all that was taken, by key, each key once. To be read once."""
        self._lines.sort()
        before = b""
        for line in self._merged([*self._runs, self._lines]):
            key, _, text = line.partition(_TAB)
            if key != before:  # a page that was fetched again gave its rows twice
                yield key.decode(), text[:-1]
            before = key
        self.close()

    def close(self) -> None:
        """Lets go of all files."""
        for run in self._runs:
            run.close()
        self._runs, self._lines = [], []

    def _spill(self) -> None:
        self._lines.sort()
        self._runs.append(self._written(self._lines))
        self._lines, self._bytes = [], 0
        if len(self._runs) > limits.SORT_FILES:
            merged = self._written(self._merged(self._runs))
            for run in self._runs:
                run.close()
            self._runs = [merged]

    @staticmethod
    def _written(lines: Iterable[bytes]) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115
        file.writelines(lines)
        return file

    @staticmethod
    def _merged(runs: Sequence[Any]) -> Iterator[bytes]:
        for run in runs:
            if not isinstance(run, list):
                run.seek(0)
        return heapq.merge(*runs)
