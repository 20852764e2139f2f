"""The mapper's own reading and writing of messages: what the SDK's do, to the byte."""

from __future__ import annotations

import contextlib
import io
import json
import os
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from crm_to_xero.messages import Reader, Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.io_base import SingerReader, SingerWriter
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage
from singer_sdk.singerlib.exceptions import InvalidInputLine

TEXT = st.text(st.characters(codec=None), max_size=12)  # halves of surrogate pairs, too
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(
    SCALARS, lambda of: st.lists(of, max_size=3) | st.dictionaries(TEXT, of, max_size=3), max_leaves=8
)


@pytest.mark.slow
@settings(max_examples=50)
@given(
    st.dictionaries(TEXT, VALUES, max_size=4),
    st.none() | st.timezones().map(lambda zone: datetime(2026, 11, 2, 9, tzinfo=zone)),
)
def test_a_record_is_written_to_the_byte_as_the_sdk_writes_it(
    record: dict[str, Any], moment: datetime | None
) -> None:
    message = RecordMessage(stream="Größe", record=record, time_extracted=moment)
    assert Writer().serialize_message(message) == SingerWriter().serialize_message(message)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), min_size=1, max_size=3), st.booleans())
def test_records_are_kept_and_written_to_the_byte_as_the_sdk_writes_them(
    records: list[dict[str, Any]], timed: bool
) -> None:
    moment = datetime(2026, 11, 2, 9, tzinfo=timezone.utc) if timed else None
    writer, out = Writer(), io.StringIO()
    with contextlib.redirect_stdout(out):
        for record in records:
            writer.write_record("Größe\\x41", record, moment.isoformat() if moment else None)
        writer.flush()
    messages = [
        RecordMessage(stream="Größe\\x41", record=record, time_extracted=moment) for record in records
    ]
    assert out.getvalue() == "".join(f"{SingerWriter().serialize_message(message)}\n" for message in messages)


@pytest.mark.parametrize(
    "value",
    [
        "".join(map(chr, range(0x180))),
        "é\\x41 \\U0001f600 😀",
        "ü 😀 \u2028",
        'a\\é\\"\x7f\u2028😀',
        10**30,
        Decimal("1E+3"),
        Decimal("-0.00"),
    ],
)
def test_what_is_odd_is_written_as_the_sdk_writes_it(value: Any) -> None:
    moment = datetime(2026, 11, 2, 9, 0, 0, 120000, tzinfo=timezone.utc)
    message = RecordMessage(stream="contacts", record={"a": [value]}, version=3, time_extracted=moment)
    assert Writer().serialize_message(message) == SingerWriter().serialize_message(message)


@pytest.mark.parametrize(
    "message",
    [
        SchemaMessage(stream="contacts", schema={"properties": {}}, key_properties=["é"]),
        StateMessage({"a": Decimal("1.10")}),
    ],
)
def test_other_messages_are_written_by_the_sdk(message: Any) -> None:
    assert Writer().serialize_message(message) == SingerWriter().serialize_message(message)


@pytest.mark.slow
@settings(max_examples=50)
@given(st.dictionaries(TEXT, VALUES, max_size=4), st.booleans())
def test_a_line_is_read_as_the_sdk_reads_it(message: dict[str, Any], ascii_only: bool) -> None:
    line = json.dumps(message, default=str, ensure_ascii=ascii_only)
    assert _typed(Reader().deserialize_json(line)) == _typed(SingerReader().deserialize_json(line))


@pytest.mark.parametrize(
    "line", ['{"a": 1.10, "b": 1e5, "c": -0.0, "d": -0}', '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', "[1]",
             '{"a": 123456789012345678901234567890, "b": 1E400}', " {} \n"]
)  # fmt: skip
def test_an_odd_line_is_read_as_the_sdk_reads_it(line: str) -> None:
    assert _typed(Reader().deserialize_json(line)) == _typed(SingerReader().deserialize_json(line))


@pytest.mark.parametrize("line", ["", "{", '{"a": 01}', "nothing"])
def test_what_is_no_json_is_refused_as_by_the_sdk(line: str) -> None:
    with pytest.raises(InvalidInputLine, match="Unable to parse line as JSON"):
        Reader().deserialize_json(line)


def _typed(value: Any) -> str:
    """Types told apart, digits kept."""
    return repr(value)


def test_what_has_come_is_passed_on_before_more_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A live tap's record must not wait in the mapper for the next one."""
    reading, writing = os.pipe()
    writer = Writer()
    seen: list[str] = []

    def pause() -> None:
        writer.flush()
        seen.append(capsys.readouterr().out)
        if len(seen) == 1:
            os.write(writing, b'tate"}\n{"type": "STATE"}\n{"type": "S')
        elif len(seen) == 2:
            os.write(writing, b'TATE"}')
            os.close(writing)

    os.write(writing, b'{"type": "STATE"}\n{"type": "STATE"}\n{"type": "STATE", "a": "s')
    with os.fdopen(reading) as source:
        counts = Reader(pause).process_lines(
            source, {"STATE": lambda _: writer.write_message(StateMessage({}))}
        )
    line = '{"type":"STATE","value":{}}\n'
    assert seen == [2 * line, 2 * line, line, ""]
    assert counts == {"STATE": 5}


def test_what_came_before_a_bad_line_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer()
    with pytest.raises(InvalidInputLine):
        Reader(writer.flush).process_lines(
            io.StringIO('{"type": "STATE"}\n{\n'), {"STATE": lambda _: writer.write_message(StateMessage({}))}
        )
    assert capsys.readouterr().out == '{"type":"STATE","value":{}}\n'
