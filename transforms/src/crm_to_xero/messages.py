"""The mapper's reading and writing as the Singer SDK wants them: what the SDK's own do, numbers digit for digit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import IO, Any, cast

from singer_sdk.io_base import SingerReader, SingerWriter
from singer_sdk.singerlib import Message, RecordMessage

from crm_to_xero.lines import NOT_DECODED, NOT_ENCODED, Line, Output, Written, decode, encode
from crm_to_xero.pipe import Pipe


class Reader(SingerReader):
    """Reads lines; a `Pipe` takes those that it can, and the others go the SDK's way."""

    def __init__(self, pipe: Callable[[], Pipe]) -> None:
        """`pipe` is asked for when reading begins."""
        super().__init__()
        self._pipe = pipe

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Reads to the end. Returns how many messages of each type came."""
        pipe, counts = self._pipe(), Counter[str]()
        for lines in pipe.arriving(file_input):
            for line in lines:
                kind = pipe.take(line)
                if kind:
                    counts[kind] += 1
                else:
                    one = cast("IO[str]", [line])  # it only goes through them
                    counts.update(super().process_lines(one, callbacks))
        return counts

    def deserialize_json(self, line: Line) -> dict[str, Any]:
        """See the SDK."""
        try:
            message = decode(line)
        except NOT_DECODED:
            message = None
        if isinstance(message, dict):
            return message
        # The SDK's takes a little more, and says what is wrong with the rest.
        return super().deserialize_json(line.decode() if isinstance(line, bytes) else line)


class Writer(SingerWriter):
    """Writes lines to an output."""

    def __init__(self, output: Callable[[], Output]) -> None:
        """`output` is asked for when there is something to write."""
        super().__init__()
        self._output = output

    def write_message(self, message: Message) -> None:
        """Keeps a message until the output is flushed."""
        self._output().keep(self.format_message(message).encode())

    def serialize_message(self, message: Message) -> str:
        """See the SDK."""
        if isinstance(message, RecordMessage) and message.version is None:
            moment = message.time_extracted
            try:
                return encode(
                    Written(message.stream, message.record, moment.isoformat() if moment else None)
                ).decode()
            except NOT_ENCODED:
                """The SDK's takes it."""
        return super().serialize_message(message)
