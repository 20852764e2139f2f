"""Writes Singer messages so that a signal never cuts a line in two."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any, BinaryIO

from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import SchemaMessage, StateMessage
from singer_sdk.singerlib.json import serialize_json

from tap_salesforce_ikaroa.errors import OutputError

SIGNALS_HEARD = 2


class Terminated(BaseException):
    """The run was asked to end by a signal. Not an Exception: nothing on the way may take it for a failure."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def _write_all(out: BinaryIO, text: bytes) -> None:
    """Writes all of it: an unbuffered output (PYTHONUNBUFFERED) takes a part only where a signal comes in between."""
    rest = memoryview(text)
    while rest:
        rest = rest[out.write(rest) :]


class WholeLineWriter(SingerWriter):
    """Holds a signal back while a line is being written, and ends the run right after it."""

    def __init__(self) -> None:
        super().__init__()
        self._writing = False
        self._pending: int | None = None
        self._asked = 0

    def write_message(self, message: Any) -> None:
        """Writes one message and flushes it."""
        self._guarded(f"{self.format_message(message)}\n".encode())

    def serialize_message(self, message: Any) -> str:
        """A message's line. The SDK copies it first to the last field of its schema; nothing here needs a copy."""
        if not isinstance(message, SchemaMessage | StateMessage):
            return super().serialize_message(message)
        values = ((one.name, getattr(message, one.name)) for one in fields(message))
        return serialize_json({name: value for name, value in values if value is not None})

    def write_batch(self, stream: str, block: bytes, moment: datetime) -> None:
        """Writes a RECORD message for each of the JSON lines in a block, all at once, and flushes them."""
        name = serialize_json(stream)
        before = f'{{"type":"RECORD","stream":{name},"record":'.encode()
        after = f',"time_extracted":"{moment.isoformat()}"}}\n'.encode()
        self._guarded(before + block[:-1].replace(b"\n", after + before) + after)

    def _guarded(self, text: bytes) -> None:
        with self._whole():
            if hasattr(sys.stdout, "buffer"):
                sys.stdout.flush()
                _write_all(sys.stdout.buffer, text)
            else:
                sys.stdout.write(text.decode())
            sys.stdout.flush()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Writes inside what no signal may cut.

        Raises:
            BrokenPipeError: whoever read has gone away.
            OutputError: it cannot be written.
        """
        if sys.stdout is None:  # so Python finds it where it was closed before the start
            raise OutputError("standard output is closed, so there is nowhere to write records to")
        self._writing = True
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"standard output cannot be written: {error.strerror or error}. Nothing is lost: make room, then run again"
            ) from None
        finally:
            self._writing = False
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self._pending is not None:
            signum, self._pending = self._pending, None
            raise Terminated(signum)

    def terminate(self, signum: int) -> None:
        """Ends the run: now, or once the line that is being written is whole.

        A second signal comes of itself where a terminal and a supervisor both pass one on; from the third on none is heard,
        so that STATE is written for the last time.

        Raises:
            Terminated: unless a line is being written.
        """
        self._asked += 1
        if self._asked > SIGNALS_HEARD:
            return
        if self._writing:
            self._pending = self._pending or signum
            return
        raise Terminated(signum)
