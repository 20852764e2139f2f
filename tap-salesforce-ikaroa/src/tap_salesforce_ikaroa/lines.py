"""Records as JSON lines, byte for byte as the SDK writes them: ASCII only, numbers digit for digit.

A `Batch` is what is read at once and written at once: the records as one block of JSON lines, or as dictionaries, whichever
they came as; each form is made from the other only when it is asked for.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from json.encoder import encode_basestring_ascii
from typing import Any

import msgspec
from singer_sdk.singerlib.json import serialize_json

from tap_salesforce_ikaroa.answers import exact
from tap_salesforce_ikaroa.errors import UnexpectedAnswerError

Json = dict[str, Any]
_ASCII_JSON = "tap-salesforce-ikaroa-json"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return encode_basestring_ascii(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ASCII_JSON, _escaped)


def ascii_json(text: str) -> bytes:
    """A JSON text in ASCII: what lies outside stands as an escape. Outside of strings JSON knows no such character."""
    return text.encode("ascii", _ASCII_JSON)


def _raw_number(value: Any) -> msgspec.Raw:
    if isinstance(value, Decimal):  # a subclass, which the encoder does not know
        return msgspec.Raw(str(value).encode())
    raise TypeError(type(value).__name__)


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_raw_number)


def to_lines(records: Sequence[Json]) -> bytes:
    """The records as JSON lines, each with its end of line."""
    try:
        block = _encoder.encode_lines(records)
    except (UnicodeEncodeError, OverflowError):  # half a surrogate pair, a number beyond 64 bits
        return "".join(f"{serialize_json(record)}\n" for record in records).encode()
    if b"\x7f" in block:
        block = block.replace(b"\x7f", b"\\u007f")
    return block if block.isascii() else ascii_json(block.decode())


def from_lines(block: bytes) -> list[Json]:
    """The records in JSON lines, numbers with a point as Decimal."""
    return [json.loads(line, parse_float=exact) for line in block.splitlines()]


@dataclass(frozen=True)
class Batch:
    """Records read at once.

    `given`: the records, as dictionaries or as JSON lines.
    `ids`: their ids, in their order.
    `top`: the greatest value of the replication key among them; None where there is no key.
    """

    given: Sequence[Json] | bytes
    ids: Sequence[str] = field(default=())
    top: str | None = None

    @cached_property
    def records(self) -> Sequence[Json]:
        """The records as dictionaries."""
        return from_lines(self.given) if isinstance(self.given, bytes) else self.given

    @cached_property
    def lines(self) -> bytes:
        """The records as JSON lines."""
        return self.given if isinstance(self.given, bytes) else to_lines(self.given)

    def __len__(self) -> int:
        return len(self.ids)


def batch_of(records: Sequence[Json], key: str | None) -> Batch:
    """A batch of records given as dictionaries.

    Raises:
        UnexpectedAnswerError: a record has no Id, or not the column of the key.
    """
    try:
        top = max((record[key] for record in records if record[key]), default=None) if key else None
        return Batch(records, [record["Id"] for record in records], top)
    except (KeyError, TypeError):
        raise UnexpectedAnswerError(f"Salesforce answered with a row without Id or {key}") from None
