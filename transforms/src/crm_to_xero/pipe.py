"""What nearly every line of a run is, mapped without the Singer SDK, whose import takes as long as twenty thousand records.

That is records of streams that the mapping knows, the SCHEMA of such a stream, and STATE. Whatever else comes, and whatever is wrong
with a line, is left to the plugin (`mapper`), of which the same lines get the same messages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, Any

from crm_to_xero.documents import KEY_PROPERTIES
from crm_to_xero.lines import (
    NOT_DECODED,
    NOT_ENCODED,
    Line,
    Lines,
    Output,
    Written,
    arriving,
    decode,
    decode_record,
    encode,
)
from crm_to_xero.rules import Mapping


class Pipe:
    """Lines of a CRM's tap in, lines of accounting documents out."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.announced: set[str] = set()
        """Document streams whose SCHEMA is written."""
        self.output = Output()
        self.lines = 0
        """How many came."""
        self._streams = mapping.streams
        self._coming: Iterator[Lines] | None = None
        self._left: Lines = ()

    def run(self, source: IO[str] | None = None) -> bool:
        """Reads (stdin, where no source is given) and writes, to the end.

        Returns:
            False where a line is not for this: it is the first that `arriving` gives then.

        Raises:
            BrokenPipeError: Nobody reads what is written.
        """
        for lines in self.arriving(source):
            for at, line in enumerate(lines):
                if not self.take(line):
                    self._left = lines[at:]
                    return False
        return True

    def arriving(self, source: IO[str] | None = None) -> Iterator[Lines]:
        """The lines that are not taken yet, as many at once as are there. Before more is waited for, what there is is written."""
        self._coming = self._coming or self._counted(arriving(source))
        try:
            if self._left:
                left, self._left = self._left, ()
                yield left
            for lines in self._coming:
                yield lines
                self.output.flush()
        finally:
            self.output.flush()

    def _counted(self, arriving: Iterator[Lines]) -> Iterator[Lines]:
        for lines in arriving:
            self.lines += len(lines)
            yield lines

    def take(self, line: Line) -> str:
        """Writes what a line comes to. Returns its message's type; nothing, and has written nothing, where it is not for this."""
        try:
            message = decode_record(line)
        except NOT_DECODED:
            return self._take_other(line)
        if message.stream not in self._streams:
            return ""
        documents = self.mapping.documents(message.stream, message.record)
        try:
            at = _as_written(message.time_extracted)
            written = [encode(Written(name, body, at)) for name, body in documents if name in self.announced]
        except (ValueError, *NOT_ENCODED):
            return ""
        if len(written) != len(documents):  # of a tap that sends records before their schema
            return ""
        for document in written:
            self.output.keep(document)
        return "RECORD"

    def _take_other(self, line: Line) -> str:
        try:
            message = decode(line)
        except NOT_DECODED:
            return ""
        kind = message.get("type") if isinstance(message, dict) else None
        try:
            if kind == "STATE" and "value" in message:
                self.output.put({"type": "STATE", "value": message["value"]})
                return "STATE"
            if kind == "SCHEMA" and "schema" in message and message.get("stream") in self._streams:
                for schema in self.schemas(message["stream"]):
                    self.output.put(schema)
                return "SCHEMA"
        except NOT_ENCODED:  # TypeError also of a stream that is no text
            """Not for this."""
        return ""

    def schemas(self, stream: str) -> Iterator[dict[str, Any]]:
        """SCHEMA messages of the document streams that a source stream can give, each once in a run."""
        for name in self.mapping.outputs(stream):
            if name not in self.announced:
                self.announced.add(name)
                yield schema_of(self.mapping, name)


def schema_of(mapping: Mapping, name: str) -> dict[str, Any]:
    """The SCHEMA message of a document stream."""
    return {
        "type": "SCHEMA",
        "stream": name,
        "schema": mapping.schema(name),
        "key_properties": list(KEY_PROPERTIES),
    }


def moment_of(stamp: str | None) -> dt.datetime | None:
    """`time_extracted` in UTC; a stamp without zone is in it. Raises ValueError where it is no stamp."""
    if not stamp:
        return None
    moment = dt.datetime.fromisoformat(stamp)
    return moment.astimezone(dt.timezone.utc) if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


@lru_cache(maxsize=1)
def _as_written(stamp: str | None) -> str | None:
    """`time_extracted` as the SDK's messages write it; that of one page is the same."""
    moment = moment_of(stamp)
    return moment.isoformat() if moment else None
