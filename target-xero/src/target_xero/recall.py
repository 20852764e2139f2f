"""Holds records back for a moment, a few hundred at a time, to ask the ledger at once which of them it knows.

Order is kept: whatever is no such record comes after what is held. A record that the ledger does not know goes the way of all
messages; of one that it knows only what it came to goes on, and the record itself is parsed when that is no longer true.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from target_xero import limits
from target_xero.ledger.model import Fingerprint, Recalled

Line = bytes | str
Met = tuple[Line, Sequence[Recalled]]
"""A line with a record that is known, and what it came to."""


class _Head(msgspec.Struct, gc=False):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw(b"")
    """Its bytes; they are not looked into."""


_decode = msgspec.json.Decoder(_Head).decode
_numbers = struct.Struct(">qq").unpack_from
"""Of a hash the first 128 bits, which tell any number of records apart."""


class Recall:
    """Between the reader and the target.

    Args:
        recall: asks the ledger what records with these fingerprints came to.
        known: takes records of one stream that are known, with what they came to.
        new: takes the number and line of any other, with its fingerprint.
    """

    def __init__(
        self,
        recall: Callable[[list[Fingerprint]], Mapping[Fingerprint, Sequence[Recalled]]] = lambda _: {},
        known: Callable[[str, Sequence[Met]], None] = lambda *_: None,
        new: Callable[[int, Line, Fingerprint], None] = lambda *_: None,
    ) -> None:
        self._recall = recall
        self._known = known
        self._new = new
        self._held: list[tuple[int, Line, str, Fingerprint]] = []
        """Lines with a RECORD of a stream that may be known: number, line, stream, fingerprint."""
        self.streams: dict[str, Any] = {}
        """The hash begun for each stream whose records may be known (see `fingerprint`); records of others are not held."""

    def hold(self, number: int, line: Line) -> bool:
        """Takes a line, if it is a record that may be known."""
        if not self.streams:
            return False
        try:
            head = _decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False  # whoever parses it in full says what is wrong
        stream = head.stream
        begun = self.streams.get(stream)
        if begun is None or head.type != "RECORD":
            return False
        found = begun.copy()
        found.update(head.record)
        self._held.append((number, line, stream, _numbers(found.digest())))
        if len(self._held) >= limits.RECALL_RECORDS:
            self.release()
        return True

    def release(self) -> None:
        """Hands on what is held, in order."""
        held, self._held = self._held, []
        if not held:
            return
        recalled = self._recall([fingerprint for _, _, _, fingerprint in held])
        met: list[Met] = []
        of = ""
        for number, line, stream, fingerprint in held:
            documents = recalled.get(fingerprint)
            if met and (documents is None or stream != of):
                self._known(of, met)
                met = []
            if documents is None:
                self._new(number, line, fingerprint)
            else:
                met.append((line, documents))
                of = stream
        if met:
            self._known(of, met)
