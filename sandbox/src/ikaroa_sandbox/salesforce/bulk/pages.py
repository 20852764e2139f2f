"""A finished query's rows as CSV: written once, kept compressed in blocks, cut into pages of any size.

Each block is a piece of a raw deflate stream that ends on a byte and refers to nothing before it. A compressed page is
those pieces one after the other between a gzip head and tail, so serving one costs no second compression; only a page
that begins or ends inside a block has that block cut by rows and compressed again.
"""

from __future__ import annotations

import csv
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, islice
from typing import Any

from ikaroa_sandbox.salesforce.limits import BULK_BLOCK_ROWS

_LEVEL = 1
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_DEFLATE_END = b"\x03\x00"
"""An empty last block."""
_POLYNOMIAL = 0xEDB88320


@dataclass(frozen=True)
class Block:
    """Some rows of CSV: where each ends in the text, and the text deflated."""

    ends: array[int]
    deflated: bytes
    crc: int

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.ends)

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return self.ends[-1]

    def text(self) -> bytes:
        """The CSV."""
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated)

    def cut(self, start: int, stop: int) -> Block:
        """The rows from `start` up to before `stop`."""
        if start == 0 and stop >= self.rows:
            return self
        begin = self.ends[start - 1] if start else 0
        ends = array("I", (end - begin for end in self.ends[start:stop]))
        return _block(self.text()[begin : begin + ends[-1]], ends)


def _block(text: bytes, ends: array[int]) -> Block:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH)
    return Block(ends, deflated, zlib.crc32(text))


def _written(lines: list[str]) -> Block:
    sizes = [len(line) if line.isascii() else len(line.encode()) for line in lines]
    return _block("".join(lines).encode(), array("I", accumulate(sizes)))


@dataclass
class _Lines:
    """What a csv.writer writes to: it hands over one whole record at a time."""

    lines: list[str] = field(default_factory=list)

    def write(self, line: str) -> None:
        self.lines.append(line)


@dataclass(frozen=True)
class Form:
    """How a CSV is written: the characters between columns and after rows."""

    delimiter: str = ","
    line_end: str = "\n"

    def lines(self, rows: Iterable[Sequence[Any]]) -> list[str]:
        """Rows as records of CSV, each value quoted, an empty one as two quotes."""
        sink = _Lines()
        writer = csv.writer(
            sink, delimiter=self.delimiter, lineterminator=self.line_end, quoting=csv.QUOTE_ALL
        )
        writer.writerows(rows)
        return sink.lines


@dataclass(frozen=True)
class Page:
    """Some rows under a header."""

    blocks: tuple[Block, ...]

    def plain(self) -> bytes:
        """As text."""
        return b"".join(block.text() for block in self.blocks)

    def gzipped(self) -> bytes:
        """As one gzip member."""
        crc = size = 0
        for block in self.blocks:
            crc = combined_crc(crc, block.crc, block.size)
            size += block.size
        tail = struct.pack("<II", crc, size & 0xFFFFFFFF)
        return b"".join([_GZIP_HEAD, *(block.deflated for block in self.blocks), _DEFLATE_END, tail])


@dataclass(frozen=True)
class Pages:
    """All rows of a result. Never changed once made."""

    header: Block
    blocks: tuple[Block, ...]
    rows: int
    size: int
    """Bytes of the text, without headers."""

    @classmethod
    def write(cls, names: Sequence[str], rows: Iterator[Sequence[Any]], form: Form) -> Pages:
        """Writes rows as they come, a block at a time."""
        blocks = []
        while chunk := list(islice(rows, BULK_BLOCK_ROWS)):
            blocks.append(_written(form.lines(chunk)))
        count, size = sum(block.rows for block in blocks), sum(block.size for block in blocks)
        return cls(_written(form.lines([names])), tuple(blocks), count, size)

    def page(self, start: int, count: int) -> Page:
        """`count` rows from `start` on."""
        first, stop = start // BULK_BLOCK_ROWS, min(start + count, self.rows)
        found = [self.header]
        for number in range(first, len(self.blocks)):
            offset = number * BULK_BLOCK_ROWS
            if offset >= stop:
                break
            found.append(self.blocks[number].cut(max(start - offset, 0), stop - offset))
        return Page(tuple(found))


def _times(one: int, other: int) -> int:
    """The product of two polynomials modulo that of CRC-32, bits in its reflected order."""
    product, bit = 0, 1 << 31
    while bit:
        if one & bit:
            product ^= other
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
        bit >>= 1
    return product


@lru_cache(maxsize=4_096)
def _shift(size: int) -> int:
    """What a checksum is multiplied by when `size` bytes follow."""
    power, factor = 1 << 31, 1 << 23
    while size:
        if size & 1:
            power = _times(factor, power)
        factor = _times(factor, factor)
        size >>= 1
    return power


def combined_crc(first: int, second: int, second_size: int) -> int:
    """The CRC-32 of two texts one after the other."""
    return _times(_shift(second_size), first) ^ second
