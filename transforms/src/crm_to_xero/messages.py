"""Singer messages in and out of the mapper: what the SDK reads and writes, to the byte, at a third of the price.

Whatever msgspec does not take, and every message that is no RECORD, goes the SDK's own way.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import IO, Any, Literal, cast

import msgspec
from singer_sdk.io_base import SingerReader, SingerWriter
from singer_sdk.singerlib import Message, RecordMessage

from crm_to_xero import limits

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Record(msgspec.Struct, gc=False):
    """A RECORD as far as a mapping needs it; other messages do not fit."""

    type: Literal["RECORD"]
    stream: str
    record: dict[str, Any]
    time_extracted: str | None = None


_decode_record = msgspec.json.Decoder(Record, float_hook=Decimal).decode

_ESCAPE = "crm-to-xero-json"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return encode_basestring_ascii(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPE, _escaped)


def _no_other(value: object) -> Any:
    raise TypeError(type(value).__name__)


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_no_other).encode
_NOT_ENCODED = (UnicodeError, OverflowError, TypeError, RecursionError)
"""What msgspec says of half a surrogate pair, a number beyond 64 bits, what is no JSON."""


class Reader(SingerReader):
    """Reads lines; numbers with a point become Decimal, digits kept.

    Args:
        pause: called before it waits for more, and at the end.
        take: asked to take each RECORD; one that it does not take goes the SDK's way.
    """

    def __init__(
        self, pause: Callable[[], None] = lambda: None, take: Callable[[Record], bool] = lambda _: False
    ) -> None:
        super().__init__()
        self._pause, self._take = pause, take

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Reads to the end. Returns how many messages of each type came."""
        counts: Counter[str] = Counter()
        taken = 0
        try:
            for lines in _arriving(file_input or self.default_input):
                for line in lines:
                    if self._is_taken(line):
                        taken += 1
                    else:
                        one = cast("IO[str]", [line])  # it only goes through them
                        counts.update(super().process_lines(one, callbacks))
                self._pause()
        finally:
            self._pause()
        return counts + Counter(RECORD=taken)

    def _is_taken(self, line: str | bytes) -> bool:
        try:
            message = _decode_record(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
        return self._take(message)

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
        self._lines: list[bytes] = []

    def write_message(self, message: Message) -> None:
        """Keeps a message for `flush`; many small writes cost whoever reads them as much as us."""
        self._keep(self.format_message(message).encode())

    def write_record(self, stream: str, record: dict[str, Any], extracted: str | None) -> None:
        """Keeps a RECORD, as `write_message` does; `extracted` is a time as ISO 8601 writes it."""
        try:
            line = b'{"type":"RECORD","stream":%b,"record":%b' % (_encode(stream), _encode(record))
        except _NOT_ENCODED:
            moment = datetime.fromisoformat(extracted) if extracted else None
            self.write_message(RecordMessage(stream=stream, record=record, time_extracted=moment))
        else:
            self._keep(
                b'%b,"time_extracted":"%b"}' % (line, extracted.encode()) if extracted else line + b"}"
            )

    def _keep(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) >= limits.LINES_A_WRITE:
            self.flush()

    def flush(self) -> None:
        """Writes what there is."""
        lines, self._lines = self._lines, []
        if lines:
            lines.append(b"")
            sys.stdout.write(_ascii(b"\n".join(lines).decode()))
            sys.stdout.flush()

    def serialize_message(self, message: Message) -> str:
        """See the SDK."""
        if isinstance(message, RecordMessage):
            values = message.to_dict()
            if message.time_extracted is not None:
                values["time_extracted"] = message.time_extracted.isoformat()
            try:
                return _ascii(_encode(values).decode())
            except _NOT_ENCODED:
                """The SDK's takes it."""
        return super().serialize_message(message)


def _ascii(text: str) -> str:
    """JSON texts in ASCII: what lies outside stands as an escape. Outside of strings JSON knows no such character."""
    if not text.isascii():
        if "\\\\" in text:  # a backslash of the text itself, which what follows could not tell apart
            text = text.encode("ascii", _ESCAPE).decode()
        else:
            text = text.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00")
            if "\\U" in text:
                text = _BEYOND.sub(lambda found: encode_basestring_ascii(chr(int(found[1], 16)))[1:-1], text)
    return text.replace("\x7f", "\\u007f")


_BEYOND = re.compile(r"\\U([0-9a-f]{8})")
"""How Python escapes what JSON needs two escapes for."""
