"""The target's own output."""

from __future__ import annotations

import io
from typing import Any

import pytest
from target_xero.streams import to_stdout


class Sparing(io.RawIOBase):
    """An output that takes a few bytes at a time, as an unbuffered one may."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, some: Any) -> int:
        self.taken += bytes(some[:7])
        return len(some[:7])


def test_all_of_a_state_is_written_to_an_output_that_takes_a_part_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half a STATE is none, or another one."""
    out = Sparing()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, write_through=True))  # type: ignore[type-var]
    to_stdout('{"bookmarks": {"Account": {"at": "2026-11-02"}}}\n')
    assert out.taken == b'{"bookmarks": {"Account": {"at": "2026-11-02"}}}\n'
