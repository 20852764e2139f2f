"""Signals and outputs as they are in life: no line is cut, STATE is the last one, and what cannot be written is told in a line."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext, redirect_stdout
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.server import serve_in_thread
from tap_salesforce_ikaroa.errors import OutputError
from tap_salesforce_ikaroa.writer import Terminated, WholeLineWriter

NOW = datetime(2026, 11, 2, tzinfo=timezone.utc)
ROWS = b"".join(b'{"Id":"%d"}\n' % n for n in range(50))
TAP = Path(sys.executable).parent / "tap-salesforce-ikaroa"


class Message:
    def to_dict(self) -> dict[str, str]:
        return {"type": "RECORD", "text": "x" * 1000}


class Sparing(io.RawIOBase):
    """An unbuffered output that takes a few bytes at a time, as one does that a signal interrupts."""

    def __init__(self, signals: list[Any]) -> None:
        self.taken = b""
        self.signals = signals

    def writable(self) -> bool:
        return True

    def write(self, text: Any) -> int:
        if self.signals:
            self.signals.pop()()
        self.taken += bytes(text[:7])
        return min(len(text), 7)


@pytest.mark.parametrize("signals", [0, 1, 2, 5])
@pytest.mark.parametrize("batch", [True, False])
def test_an_output_that_takes_a_part_at_a_time_gets_whole_lines(signals: int, batch: bool) -> None:
    writer = WholeLineWriter()
    raw = Sparing([lambda: writer.terminate(signal.SIGTERM)] * signals)
    out = io.TextIOWrapper(raw, write_through=True)  # type: ignore[type-var]
    with redirect_stdout(out), pytest.raises(Terminated) if signals else nullcontext():
        writer.write_batch("Lead", ROWS, NOW) if batch else writer.write_message(Message())
    lines = [json.loads(line) for line in raw.taken.decode().splitlines()]
    assert len(lines) == (50 if batch else 1)


def test_from_the_third_signal_on_none_is_heard() -> None:
    writer = WholeLineWriter()
    for _ in range(2):
        with pytest.raises(Terminated):
            writer.terminate(signal.SIGINT)
    writer.terminate(signal.SIGINT)


class Full(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _: Any) -> int:
        raise OSError(28, "No space left on device")


def test_an_output_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Full(), write_through=True))  # type: ignore[type-var]
    with pytest.raises(OutputError, match="No space left on device"):
        WholeLineWriter().write_batch("Lead", ROWS, NOW)


# --- in a process of its own -------------------------------------------------------------------------------------------


@pytest.fixture
def config(org, tmp_path: Path):
    with serve_in_thread(org.sandbox) as address:
        path = tmp_path / "config.json"
        settings = {
            "login_url": address,
            "client_id": credentials.SALESFORCE_CLIENT_ID,
            "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
            "streams_to_discover": ["Account", "Lead", "Opportunity"],
        }
        path.write_text(json.dumps(settings))
        yield path


@pytest.mark.e2e
@pytest.mark.parametrize("unbuffered", ["1", ""])
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM], [signal.SIGINT] * 4])
def test_a_run_that_is_ended_while_its_reader_is_slow_ends_with_whole_lines_and_state(
    config: Path, unbuffered: str, signals: list[signal.Signals]
) -> None:
    with subprocess.Popen(
        [TAP, "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as tap:
        assert tap.stdout
        assert tap.stderr
        first = b""
        while b'"RECORD"' not in first:
            first = tap.stdout.readline()
        time.sleep(0.2)  # the pipe is full, and the tap waits in the middle of a line
        for one in signals:
            tap.send_signal(one)
        text = first + tap.stdout.read()
        assert tap.wait(30) == 128 + signals[0]
        assert b"Traceback" not in tap.stderr.read()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[-1]["type"] == "STATE"
    assert sum(line["type"] == "RECORD" for line in lines) > 10


@pytest.mark.e2e
@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
def test_an_output_that_takes_nothing_is_one_line_and_exit_code_1(config: Path, redirected: str) -> None:
    command = f"'{TAP}' --config '{config}' {redirected}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "standard output" in done.stderr
    assert "Traceback" not in done.stderr
