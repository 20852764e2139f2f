"""Singer messages in and out of the mapper: what the SDK reads and writes, to the byte, at a third of the price.

Whatever msgspec does not take, and every message that is no RECORD, goes the SDK's own way.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import IO, Any, cast

import msgspec
from singer_sdk.io_base import SingerReader, SingerWriter
from singer_sdk.singerlib import Message, RecordMessage

from crm_to_xero import limits

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


_ESCAPE = "crm-to-xero-json"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return encode_basestring_ascii(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPE, _escaped)


def _no_other(value: object) -> Any:
    raise TypeError(type(value).__name__)


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_no_other).encode


class Reader(SingerReader):
    """Reads lines; numbers with a point become Decimal, digits kept. Calls `pause` before it waits for more, and at the end."""

    def __init__(self, pause: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._pause = pause

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Reads to the end. Returns how many messages of each type came."""
        counts: Counter[str] = Counter()
        try:
            for lines in _arriving(file_input or self.default_input):
                counts.update(
                    super().process_lines(cast("IO[str]", lines), callbacks)
                )  # it only goes through them
                self._pause()
        finally:
            self._pause()
        return counts

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """See the SDK."""
        try:
            message = _decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            message = None
        if isinstance(message, dict):
            return message
        # The SDK's takes a little more, and says what is wrong with the rest.
        return super().deserialize_json(line.decode() if isinstance(line, bytes) else line)


def _arriving(source: IO[str]) -> Iterator[Sequence[str | bytes]]:
    """Lines as they arrive on a pipe or file, as many at once as are there."""
    try:
        descriptor = source.fileno()
    except (OSError, AttributeError):  # text in memory
        yield from ([line] for line in source)
        return
    held = b""
    while piece := os.read(descriptor, limits.READ_BYTES):
        lines = (held + piece).split(b"\n")
        held = lines.pop()
        if lines:
            yield lines
    if held:
        yield [held]


class Writer(SingerWriter):
    """Writes lines: ASCII only, numbers digit for digit; when `flush` is called, all that there are, at once."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def write_message(self, message: Message) -> None:
        """Keeps a message for `flush`; many small writes cost whoever reads them as much as us."""
        self._lines.append(self.format_message(message) + "\n")
        if len(self._lines) >= limits.LINES_A_WRITE:
            self.flush()

    def flush(self) -> None:
        """Writes what there is."""
        lines, self._lines = self._lines, []
        if lines:
            sys.stdout.write("".join(lines))
            sys.stdout.flush()

    def serialize_message(self, message: Message) -> str:
        """See the SDK."""
        if isinstance(message, RecordMessage):
            values = message.to_dict()
            if message.time_extracted is not None:
                values["time_extracted"] = message.time_extracted.isoformat()
            try:
                return _ascii(_encode(values).decode())
            except (UnicodeError, OverflowError, TypeError, RecursionError):
                """Half a surrogate pair, a number beyond 64 bits, what is no JSON."""
        return super().serialize_message(message)


def _ascii(text: str) -> str:
    """A JSON text in ASCII: what lies outside stands as an escape. Outside of strings JSON knows no such character."""
    if not text.isascii():
        text = text.encode("ascii", _ESCAPE).decode()
    return text.replace("\x7f", "\\u007f")
