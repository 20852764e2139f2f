"""Writes Singer messages so that a signal never cuts a line in two."""

from __future__ import annotations

import sys
from dataclasses import fields
from datetime import datetime
from typing import Any

from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import SchemaMessage, StateMessage
from singer_sdk.singerlib.json import serialize_json


class Terminated(BaseException):
    """The run was asked to end by a signal. Not an Exception: nothing on the way may take it for a failure."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class WholeLineWriter(SingerWriter):
    """Holds a signal back while a line is being written, and ends the run right after it."""

    def __init__(self) -> None:
        super().__init__()
        self._writing = False
        self._pending: int | None = None

    def write_message(self, message: Any) -> None:
        """Writes one message and flushes it."""
        self._writing = True
        try:
            super().write_message(message)
        finally:
            self._writing = False
        self._end_if_asked()

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
        self._writing = True
        try:
            if hasattr(sys.stdout, "buffer"):
                sys.stdout.flush()
                sys.stdout.buffer.write(text)
            else:
                sys.stdout.write(text.decode())
            sys.stdout.flush()
        finally:
            self._writing = False
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self._pending is not None:
            signum, self._pending = self._pending, None
            raise Terminated(signum)

    def terminate(self, signum: int) -> None:
        """Ends the run: now, or once the line that is being written is whole.

        Raises:
            Terminated: unless a line is being written.
        """
        if self._writing:
            self._pending = signum
            return
        raise Terminated(signum)
