"""Reading Singer messages: one bad line never stops the rest, and silence is used."""

from __future__ import annotations

import io
import json
import os
import re
from decimal import Decimal
from typing import Any

import pytest
from target_xero.reader import NotSingerError, Reader, parse

GOOD = {"type": "RECORD", "stream": "s", "record": {"id": 1}}


class Heard:
    def __init__(self) -> None:
        self.bad: list[tuple[int, str]] = []
        self.idle = 0
        self.messages: list[dict[str, Any]] = []
        self.stopping = False
        self.reader = Reader(lambda n, why: self.bad.append((n, why)), self._idle, lambda: self.stopping)

    def _idle(self) -> None:
        self.idle += 1

    def read(self, source: Any) -> dict[str, int]:
        callbacks = dict.fromkeys(
            ("SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH"), self.messages.append
        )
        return dict(self.reader.process_lines(source, callbacks))


BAD = {
    "cut off": ('{"type": "RECORD", "stream": "s", "rec', "not JSON: .* at character"),
    "no JSON at all": ("Traceback (most recent call last):", "not JSON"),
    "no object": ("[1, 2]", "a JSON object is expected"),
    "a number": ("17", "a JSON object is expected"),
    "no type": ('{"stream": "s"}', "its `type` is none of"),
    "an unknown type": ('{"type": "RECRD"}', "its `type` is none of"),
    "a type that is no text": ('{"type": ["RECORD"]}', "its `type` is none of"),
    "NaN": ('{"type": "RECORD", "stream": "s", "record": {"Amount": NaN}}', "NaN is no JSON number"),
    "not UTF-8": (b'{"type": "RECORD", "x": "\xff"}', "byte 26 is not UTF-8"),
    "a number without end": (
        '{"type": "STATE", "value": {"n": ' + "7" * 6000 + "}}",
        "a number has too many digits",
    ),
    "nested without end": ("[" * 100_000, "nested too deeply|not JSON"),
}


@pytest.mark.parametrize(("line", "why"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_told_with_its_number_and_the_next_ones_are_read(line: Any, why: str) -> None:
    heard = Heard()
    raw = line if isinstance(line, bytes) else line.encode()
    source = io.BytesIO(json.dumps(GOOD).encode() + b"\n" + raw + b"\n" + json.dumps(GOOD).encode())
    assert heard.read(source) == {"RECORD": 2}
    assert [number for number, _ in heard.bad] == [2]
    assert re.search(why, heard.bad[0][1])


def test_a_bad_lines_data_is_not_repeated() -> None:
    with pytest.raises(NotSingerError) as caught:
        parse('{"type": "RECORD", "record": {"Email": "zoe@example.com"')
    assert "zoe" not in str(caught.value)


def test_numbers_keep_their_digits() -> None:
    message = parse('{"type": "STATE", "value": {"a": 100.10, "b": 12345678901234567890}}')
    assert message["value"] == {"a": Decimal("100.10"), "b": 12345678901234567890}
    assert str(message["value"]["a"]) == "100.10"


def test_empty_lines_are_no_lines_and_windows_line_ends_no_matter() -> None:
    heard = Heard()
    assert heard.read(io.StringIO(f"\n  \n{json.dumps(GOOD)}\r\n")) == {"RECORD": 1}
    assert heard.bad == []


def test_lines_come_whole_from_a_pipe_however_they_are_cut() -> None:
    out, into = os.pipe()
    text = "".join(
        json.dumps(GOOD | {"n": n, "name": "Zoë 🐘"}, ensure_ascii=False) + "\n" for n in range(3)
    ).encode()
    heard = Heard()
    with os.fdopen(into, "wb", buffering=0) as writer:
        for piece in (text[:70], text[70:71], text[71:]):
            writer.write(piece)
    with os.fdopen(out, "rb") as source:
        assert heard.read(source) == {"RECORD": 3}
    assert [message["n"] for message in heard.messages] == [0, 1, 2]


def test_a_last_line_without_a_line_end_is_read() -> None:
    out, into = os.pipe()
    os.write(into, json.dumps(GOOD).encode())
    os.close(into)
    with os.fdopen(out, "rb") as source:
        assert Heard().read(source) == {"RECORD": 1}


def test_while_the_pipe_is_silent_there_is_time_for_other_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_xero.limits.POLL_S", 0.01)
    out, into = os.pipe()
    heard = Heard()

    def idle() -> None:
        heard.idle += 1
        if heard.idle == 3:
            os.close(into)

    heard.reader = Reader(lambda *_: None, idle)
    with os.fdopen(out, "rb") as source:
        heard.read(source)
    assert heard.idle == 3


def test_a_request_to_stop_is_heard_while_the_pipe_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_xero.limits.POLL_S", 0.01)
    out, into = os.pipe()
    heard = Heard()
    heard.stopping = True
    with os.fdopen(out, "rb") as source:
        assert heard.read(source) == {}
    os.close(into)


MARK = "\ufeff"


@pytest.mark.parametrize("pipe", [True, False])
def test_a_byte_order_mark_at_the_very_start_is_no_part_of_the_first_line(pipe: bool) -> None:
    heard, line = Heard(), json.dumps(GOOD)
    text = f"{MARK}{line}\n{line}\n{MARK}{line}\n"
    if pipe:
        reading, writing = os.pipe()
        os.write(writing, text.encode()[:2])
        os.write(writing, text.encode()[2:])
        os.close(writing)
        with os.fdopen(reading, "rb") as source:
            counts = heard.read(source)
    else:
        counts = heard.read(io.StringIO(text))
    assert counts == {"RECORD": 2}
    assert [n for n, _ in heard.bad] == [3], "anywhere else it is what it always was"


def test_input_that_is_a_byte_order_mark_alone_is_empty() -> None:
    heard = Heard()
    assert heard.read(io.BytesIO(MARK.encode())) == {}
    assert heard.bad == []
