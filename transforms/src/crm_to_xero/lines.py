"""Singer messages as lines of bytes: read as they arrive, written many at once, numbers digit for digit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, Literal

import msgspec

from crm_to_xero import limits

Line = str | bytes
Lines = Sequence[Line]

NOT_DECODED = (msgspec.DecodeError, UnicodeError, RecursionError)
NOT_ENCODED = (UnicodeError, OverflowError, TypeError, RecursionError)
"""What msgspec says of half a surrogate pair, a number beyond 64 bits, what is no JSON."""


class Record(msgspec.Struct, gc=False):
    """A RECORD as far as a mapping needs it; other messages do not fit."""

    type: Literal["RECORD"]
    stream: str
    record: dict[str, Any]
    time_extracted: str | None = None


class Written(msgspec.Struct, tag_field="type", tag="RECORD", omit_defaults=True, gc=False):
    """A RECORD as it is written."""

    stream: str
    record: dict[str, Any]
    time_extracted: str | None = None


decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Any message; numbers with a point become Decimal, digits kept. Raises one of NOT_DECODED."""
decode_record = msgspec.json.Decoder(Record, float_hook=Decimal).decode
"""A RECORD. Raises one of NOT_DECODED, also for other messages."""


def _no_other(value: object) -> Any:
    raise TypeError(type(value).__name__)


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_no_other)
encode = _encoder.encode
"""A message in UTF-8. Raises one of NOT_ENCODED."""


def arriving(source: IO[str] | None) -> Iterator[Lines]:
    """Lines as they arrive on a pipe or file (None: stdin), as many at once as are there."""
    try:
        descriptor = (source or sys.stdin).fileno()
    except (OSError, AttributeError):  # text in memory
        yield from ([line] for line in source or ())
        return
    held = b""
    while piece := os.read(descriptor, limits.READ_BYTES):
        lines = (held + piece).split(b"\n")
        held = lines.pop()
        if lines:
            yield lines
    if held:
        yield [held]


class Output:
    """Lines for stdout, written when `flush` is called: many small writes cost whoever reads them as much as us."""

    def __init__(self) -> None:
        self._lines = bytearray()

    def put(self, message: Any) -> None:
        """Keeps a message. Raises one of NOT_ENCODED, and keeps nothing of it."""
        self.keep(encode(message))

    def keep(self, line: bytes) -> None:
        """Keeps a message that is written already."""
        self._lines += line
        self._lines += b"\n"
        if len(self._lines) >= limits.WRITE_BYTES:  # one record may give many
            self.flush()

    def flush(self) -> None:
        """Writes what there is.

        Raises:
            BrokenPipeError: Nobody reads it any more.
        """
        if not self._lines:
            return
        lines, self._lines = self._lines, bytearray()
        out = getattr(sys.stdout, "buffer", None)
        if out is None:  # text in memory
            sys.stdout.write(lines.decode())
        else:
            rest = memoryview(lines)
            while rest:  # an unbuffered output (PYTHONUNBUFFERED) may take a part only
                rest = rest[out.write(rest) :]
        sys.stdout.flush()
