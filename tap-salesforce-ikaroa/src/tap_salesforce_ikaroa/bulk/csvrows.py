"""CSV as Bulk API 2.0 writes it (RFC 4180, UTF-8, every value quoted), from blocks of bytes to rows, in constant memory.

Values come out as they stand inside a JSON string, escapes included: that is what nearly every value needs, and a block
without anything to escape takes no work per value.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii
from operator import itemgetter

from tap_salesforce_ikaroa.errors import UnexpectedAnswerError

Row = tuple[str, ...]

csv.field_size_limit(2**31 - 1)  # a long text area holds more than the module's default of 131,072
_QUOTE, _NEWLINE = b'"', b"\n"
# What JSON writes as it stands. The comma and the quote are counted apart; other UTF-8 is escaped at the end, as a whole.
_HARMLESS = bytes(code for code in range(256) if code == 10 or (code >= 32 and code not in {0x5C, 0x7F}))


class CsvRows:
    """Takes blocks of one page and gives its rows; rows have the columns in the order asked for."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._width = len(columns)
        self._rest = b""
        self._header_seen = False
        self._reorder: Callable[[Row], Row] | None = None

    def feed(self, block: bytes) -> list[Row]:
        """The rows that end in this block.

        Raises:
            UnexpectedAnswerError: it is not CSV, not UTF-8, or has other columns.
        """
        block = self._rest + block
        cut = block.rfind(_NEWLINE) + 1
        self._rest = block[cut:]
        return self._rows(block[:cut]) if cut else []

    def finish(self) -> list[Row]:
        """The row after the last end of line, if there is one.

        Raises:
            UnexpectedAnswerError: the page ends in the middle of a row.
        """
        rows = self.feed(_NEWLINE) if self._rest.strip() else []
        if self._rest.strip():
            raise UnexpectedAnswerError("a page of a Bulk job's result ends in the middle of a row")
        return rows

    def _rows(self, block: bytes) -> list[Row]:
        if not self._header_seen:
            block = self._without_header(block)
        if not block:
            return []
        try:
            rows = self._plain_rows(block) or self._any_rows(block)
            return rows if self._reorder is None else list(map(self._reorder, rows))
        except UnicodeDecodeError:
            raise UnexpectedAnswerError("a page of a Bulk job's result is not UTF-8") from None
        except csv.Error as error:
            raise UnexpectedAnswerError(f"a page of a Bulk job's result is not CSV: {error}") from None

    def _plain_rows(self, block: bytes) -> list[Row] | None:
        """The rows of a block in which nothing needs care, else None.

        `lines` rows of `width` quoted values have 2 x lines x width quotes. When there are that many, and the separators
        account for them all, no value holds a quote or an end of line.
        """
        lines = block.count(_NEWLINE)
        if block.count(_QUOTE) != 2 * lines * self._width or block.translate(None, _HARMLESS):
            return None
        if not (block.startswith(_QUOTE) and block.endswith(b'"\n')):
            return None
        rows = [tuple(line.split('","')) for line in block[1:-2].decode().split('"\n"')]
        return rows if len(rows) == lines and set(map(len, rows)) == {self._width} else None

    def _any_rows(self, block: bytes) -> list[Row]:
        """The same for any CSV. A value may hold ends of lines: a row is whole where its quotes are even in number."""
        rows: list[Row] = []
        width, quotes = self._width, 2 * self._width
        harmless = not block.translate(None, _HARMLESS)
        pending = b""
        for line in block.split(_NEWLINE)[:-1]:
            count = line.count(_QUOTE)
            if count == quotes and not pending and line.endswith(_QUOTE) and line.startswith(_QUOTE):
                values = line[1:-1].decode().split('","')
                if len(values) == width and (harmless or not line.translate(None, _HARMLESS)):
                    rows.append(tuple(values))
                    continue
            pending = pending + _NEWLINE + line if pending else line
            if (count if pending is line else pending.count(_QUOTE)) % 2 == 0:
                if text := pending.decode().rstrip("\r"):
                    rows.append(self._row(text))
                pending = b""
        if pending:
            self._rest = pending + _NEWLINE + self._rest
        return rows

    def _row(self, text: str) -> Row:
        values = next(csv.reader([text], strict=True))
        if len(values) != self._width:
            raise UnexpectedAnswerError(
                f"a row of a Bulk job's result has {len(values)} values in place of {self._width}"
            )
        return tuple([encode_basestring_ascii(value)[1:-1] for value in values])

    def _without_header(self, block: bytes) -> bytes:
        header, _, rest = block.partition(_NEWLINE)
        names = next(csv.reader([header.decode("utf-8-sig").rstrip("\r")]), [])
        given, asked = [name.lower() for name in names], [column.lower() for column in self._columns]
        if given != asked and len(given) > 1 and sorted(given) == sorted(set(asked)):
            self._reorder = itemgetter(
                *map(given.index, asked)
            )  # API versions before 50 order them as they like
        elif given != asked:
            raise UnexpectedAnswerError(
                f"a page of a Bulk job's result has other columns than were asked for: {', '.join(names)[:200]}"
            )
        self._header_seen = True
        return rest
