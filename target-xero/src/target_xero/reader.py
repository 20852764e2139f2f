"""Reads Singer messages: line by line, never stopped by one bad line, awake while the tap is silent.

A line that is no Singer message is reported with its number and passed over; what that means for STATE is the target's
business. When lines pause, `on_idle` is called, and then every half second, so that a slow tap does not hold up what it sent before,
and a request to stop is heard.
"""

from __future__ import annotations

import codecs
import gc
import json
import os
import select
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from target_xero import limits
from target_xero.recall import Recall

MESSAGE_TYPES = ("SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH")


class NotSingerError(ValueError):
    """A line is no Singer message. The text says where and why, and holds nothing of the line's data."""


def _no_constant(name: str) -> Any:
    raise NotSingerError(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > limits.NUMBER_DIGITS:
        raise NotSingerError("a number has too many digits")
    return int(digits)


def parse(line: bytes | str) -> dict[str, Any]:
    """One line as a message. Numbers with a point become Decimal, digits kept.

    Raises:
        NotSingerError: no UTF-8, no JSON, no object, or no known `type`.
    """
    try:
        message = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        message = _parse_slowly(line)
    if not isinstance(message, dict):
        raise NotSingerError("a JSON object is expected")
    if message.get("type") not in MESSAGE_TYPES:
        raise NotSingerError("its `type` is none of " + ", ".join(MESSAGE_TYPES))
    return message


def record_of(line: bytes | str) -> dict[str, Any]:
    """The record of a line that is a RECORD."""
    record: dict[str, Any] = parse(line)["record"]
    return record


_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def _parse_slowly(line: bytes | str) -> Any:
    """What the fast parser does not take: Python's own takes a little more, and says what is wrong with the rest."""
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        return json.loads(text, parse_float=Decimal, parse_int=_whole, parse_constant=_no_constant)
    except UnicodeDecodeError as failure:
        raise NotSingerError(f"byte {failure.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as failure:
        raise NotSingerError(
            f"not JSON: {failure.msg} at character {failure.pos + 1} of {len(line.rstrip())}"
        ) from None
    except RecursionError:
        raise NotSingerError("nested too deeply") from None


def _arriving(descriptor: int) -> Iterator[Sequence[bytes]]:
    """Lines as they arrive on a pipe or file; none of them when they pause, and for every half second without any."""
    held, patience = b"", limits.SILENCE_S
    while True:
        ready, _, _ = select.select([descriptor], [], [], patience)
        if not ready:
            patience = limits.POLL_S
            yield ()
            continue
        patience = limits.SILENCE_S
        piece = os.read(descriptor, limits.READ_BYTES)
        if not piece:
            break
        lines = (held + piece).split(b"\n")
        held = lines.pop()
        if lines:
            yield lines
    if held:
        yield [held]


def _lines(source: IO[Any]) -> Iterator[Sequence[bytes | str]]:
    try:
        arriving: Iterator[Sequence[bytes | str]] = _arriving(source.fileno())
    except (OSError, AttributeError):  # text in memory
        arriving = ([line] for line in source)
    for lines in arriving:
        if not lines:
            yield lines
            continue
        yield [_without_mark(lines[0]), *lines[1:]]
        break
    yield from arriving


def _without_mark(line: bytes | str) -> bytes | str:
    """The input's first line without a byte order mark: what wrote the file may have put one there, and it is no part of JSON."""
    return line.removeprefix(codecs.BOM_UTF8) if isinstance(line, bytes) else line.removeprefix("\ufeff")


@contextmanager
def _few_collections() -> Iterator[None]:
    """Records leave no cycles behind, but so many objects that Python's search for cycles costs a third of a run."""
    before = gc.get_threshold()
    gc.set_threshold(limits.OBJECTS_A_COLLECTION, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Reader(GenericSingerReader[bytes]):
    """Hands messages to the target's callbacks, in order."""

    def __init__(
        self,
        on_bad_line: Callable[[int, str], None],
        on_idle: Callable[[], None] = lambda: None,
        stop: Callable[[], bool] = lambda: False,
        recall: Recall | None = None,
    ) -> None:
        super().__init__()
        self._on_bad_line = on_bad_line
        self._on_idle = on_idle
        self._stop = stop
        self._recall = recall or Recall()
        self._callbacks: Mapping[str, Callable[[dict[str, Any]], None]] = {}
        self.line_number = 0

    @property
    def default_input(self) -> IO[bytes]:
        """The standard input."""
        return sys.stdin.buffer

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """See `parse`."""
        return parse(line)

    def process_lines(
        self, file_input: IO[Any] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Reads to the end, or until asked to stop. Returns how many messages of each type came."""
        counts: Counter[str] = Counter()
        self._callbacks = callbacks
        with _few_collections():
            self._read(file_input or self.default_input, counts)
        return counts

    def _read(self, source: IO[Any], counts: Counter[str]) -> None:
        recall, number, held = self._recall, 0, 0
        for lines in _lines(source):
            if self._stop():
                break
            if not lines:
                recall.release()
                self._on_idle()
            for line in lines:
                number += 1
                if recall.hold(number, line):
                    held += 1
                    continue
                if self._stop():
                    break
                recall.release()
                if line.strip():
                    counts.update(self.take(number, line))
        recall.release()
        if held:
            counts["RECORD"] += held

    def take(self, number: int, line: bytes | str) -> list[str]:
        """Hands one line's message on. Returns its type, or nothing where it is no message."""
        self.line_number = number
        try:
            message = parse(line)
        except NotSingerError as failure:
            self._on_bad_line(number, str(failure))
            return []
        self._callbacks[message["type"]](message)
        return [message["type"]]
