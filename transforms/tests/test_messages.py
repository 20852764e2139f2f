"""The mapper's own reading and writing of messages: what the SDK's do, value for value."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from crm_to_xero import Mapping, load_mapping
from crm_to_xero.lines import Output, Written, encode
from crm_to_xero.messages import Reader, Writer
from crm_to_xero.pipe import Pipe
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


def reader() -> Reader:
    return Reader(_no_pipe)


def _no_pipe() -> Pipe:
    raise AssertionError("nothing is read here")


def exactly(line: str | bytes) -> str:
    """A line of JSON, keys in their order, numbers digit for digit."""
    return repr(json.loads(line, parse_float=Decimal))


@pytest.mark.slow
@settings(max_examples=50)
@given(
    st.dictionaries(TEXT, VALUES, max_size=4),
    st.none() | st.timezones().map(lambda zone: datetime(2026, 11, 2, 9, tzinfo=zone)),
)
def test_a_record_is_written_as_the_sdk_writes_it(record: dict[str, Any], moment: datetime | None) -> None:
    message = RecordMessage(stream="Größe", record=record, time_extracted=moment)
    ours, theirs = (writer.serialize_message(message) for writer in (Writer(Output), SingerWriter()))
    assert exactly(ours) == exactly(theirs)


@pytest.mark.parametrize(
    "value",
    [
        "".join(map(chr, range(0x180))),
        "é\\x41 \\U0001f600 😀",
        "ü 😀 \u2028",
        'a\\é\\"\x7f\u2028😀',
        "half \ud800 of a pair",
        10**30,
        Decimal("1E+3"),
        Decimal("-0.00"),
    ],
)
def test_what_is_odd_is_written_as_the_sdk_writes_it(value: Any) -> None:
    moment = datetime(2026, 11, 2, 9, 0, 0, 120000, tzinfo=timezone.utc)
    for version in (None, 3):
        message = RecordMessage(
            stream="contacts", record={"a": [value]}, version=version, time_extracted=moment
        )
        ours, theirs = (writer.serialize_message(message) for writer in (Writer(Output), SingerWriter()))
        assert exactly(ours) == exactly(theirs)


@pytest.mark.parametrize(
    "message",
    [
        SchemaMessage(stream="contacts", schema={"properties": {}}, key_properties=["é"]),
        StateMessage({"a": Decimal("1.10")}),
    ],
)
def test_other_messages_are_written_by_the_sdk(message: Any) -> None:
    assert Writer(Output).serialize_message(message) == SingerWriter().serialize_message(message)


@pytest.mark.slow
@settings(max_examples=50)
@given(st.dictionaries(TEXT, VALUES, max_size=4), st.booleans())
def test_a_line_is_read_as_the_sdk_reads_it(message: dict[str, Any], ascii_only: bool) -> None:
    line = json.dumps(message, default=str, ensure_ascii=ascii_only)
    assert _typed(reader().deserialize_json(line)) == _typed(SingerReader().deserialize_json(line))


@pytest.mark.parametrize(
    "line", ['{"a": 1.10, "b": 1e5, "c": -0.0, "d": -0}', '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', "[1]",
             '{"a": 123456789012345678901234567890, "b": 1E400}', " {} \n"]
)  # fmt: skip
def test_an_odd_line_is_read_as_the_sdk_reads_it(line: str) -> None:
    assert _typed(reader().deserialize_json(line)) == _typed(SingerReader().deserialize_json(line))


@pytest.mark.parametrize("line", ["", "{", '{"a": 01}', "nothing"])
def test_what_is_no_json_is_refused_as_by_the_sdk(line: str) -> None:
    with pytest.raises(InvalidInputLine, match="Unable to parse line as JSON"):
        reader().deserialize_json(line)


def _typed(value: Any) -> str:
    """Types told apart, digits kept."""
    return repr(value)


def test_much_is_written_before_all_of_it_is_kept(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """One record may give thousands of documents, and what is not written yet is held in memory."""
    output = Output()
    line = encode(Written("contacts", {"source_key": "x" * 10_000}))
    for _ in range(100):
        output.keep(line)
    before = len(capsysbinary.readouterr().out)
    output.flush()
    whole = before + len(capsysbinary.readouterr().out)
    assert before > whole / 2
    assert whole == 100 * (len(line) + 1)


STATE = '{"type":"STATE","value":{}}\n'


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load_mapping("salesforce")


@pytest.mark.parametrize("by_plugin", [False, True])
def test_what_has_come_is_passed_on_before_more_is_waited_for(
    mapping: Mapping, capsys: pytest.CaptureFixture[str], by_plugin: bool
) -> None:
    """A live tap's record must not wait in the mapper for the next one."""
    reading, writing = os.pipe()
    pipe = Pipe(mapping)
    os.write(writing, f"{STATE}{STATE}{STATE[:9]}".encode())
    seen: list[str] = []

    def arriving() -> Iterator[Any]:
        for lines in own:
            yield lines
            seen.append(capsys.readouterr().out)
            if len(seen) == 1:
                os.write(writing, f"{STATE[9:]}{STATE}{STATE[:5]}".encode())
            elif len(seen) == 2:
                os.write(writing, STATE[5:].rstrip().encode())
                os.close(writing)

    with os.fdopen(reading) as source:
        own = pipe.arriving(source)
        pipe.arriving = lambda _=None: arriving()  # type: ignore[method-assign]
        if by_plugin:
            assert Reader(lambda: pipe).process_lines(source, {}) == {"STATE": 5}
        else:
            assert pipe.run(source)
    # what came together is written when the next is asked for
    assert seen[0] == ""
    assert "".join(seen) + capsys.readouterr().out == 5 * STATE
    assert pipe.lines == 5


def test_what_came_before_a_bad_line_is_passed_on(mapping: Mapping) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(InvalidInputLine):
        Reader(lambda: Pipe(mapping)).process_lines(io.StringIO(f"{STATE}{{\n"), {})
    assert out.getvalue() == STATE


class Sparing(io.RawIOBase):
    """An output that takes a few bytes at a time, as an unbuffered one may."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, some: Any) -> int:
        self.taken += bytes(some[:7])
        return len(some[:7])


def test_all_is_written_to_an_output_that_takes_a_part_only(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Sparing()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, write_through=True))  # type: ignore[type-var]
    output = Output()
    output.keep(STATE.strip().encode())
    output.flush()
    assert out.taken == STATE.encode()
