"""The target as a process on a pipe, against the sandbox on sockets: the plain command, and signals at bad moments."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BIN = Path(sys.executable).parent
PATIENCE_S = 60


@dataclass
class Books:
    """A running sandbox, asked over its control end points."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_sandbox/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def names(self) -> list[str]:
        found = self.ask("GET", "snapshot?system=xero")
        return [contact["Name"] for contact in found.get("xero", found)["Contacts"]]

    def calls(self) -> list[str]:
        found = self.ask("GET", "journal?system=xero&since=0")["entries"]
        return [f"{entry['method']} {entry['path'].rpartition('/')[2]}" for entry in found]

    def until(self, call: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while call not in self.calls():
            assert time.monotonic() < deadline, f"{call} was never made"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def running() -> Iterator[Books]:
    command = [str(BIN / "ikaroa-sandbox"), "serve", "--seed", "1", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Books(json.loads(process.stdout.readline())["url"].rstrip("/"))
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def books(running: Books) -> Books:
    running.ask("POST", "seed", {"seed": 1, "profile": "empty"})
    return running


@dataclass
class Pipe:
    """`target-xero --config config.json` in a folder of its own."""

    books: Books
    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, source: Any = subprocess.PIPE) -> subprocess.Popen[str]:
        path = self.configure()
        process = subprocess.Popen(
            [BIN / "target-xero", "--config", path],
            stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def configure(self) -> Path:
        path = self.folder / "config.json"
        path.write_text(json.dumps({
            "api_url": self.books.url, "client_id": "sandbox-xero-client", "client_secret": "sandbox-xero-secret",
            "ledger_path": str(self.folder / "ledger.sqlite"), **self.config,
        }))  # fmt: skip
        return path

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait(PATIENCE_S)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream and not stream.closed:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()

    def run(self, messages: list[dict[str, Any]]) -> tuple[int, list[Any], str]:
        source = self.folder / "input.singer"
        source.write_text("".join(json.dumps(message) + "\n" for message in messages))
        with source.open() as lines:
            process = self.start(lines)
            out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def pipe(books: Books, tmp_path: Path) -> Iterator[Pipe]:
    made = Pipe(books, tmp_path)
    yield made
    made.close()


def _messages(count: int = 3) -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": {"source_key": {"type": "string"}}}
    return [
        {"type": "SCHEMA", "stream": "contacts", "key_properties": ["source_key"], "schema": schema},
        *(
            {"type": "RECORD", "stream": "contacts", "record": {"source_key": f"K{n}", "ContactNumber": f"K{n}", "Name": f"N{n}"}}
            for n in range(count)
        ),
        {"type": "STATE", "value": {"seen": count}},
    ]  # fmt: skip


def _feed(process: subprocess.Popen[str], messages: list[dict[str, Any]]) -> None:
    assert process.stdin
    for message in messages:
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def test_the_plain_command_loads_a_file_and_again_without_a_write(pipe: Pipe, books: Books) -> None:
    code, states, err = pipe.run(_messages())
    assert (code, states) == (0, [{"seen": 3}])
    assert sorted(books.names()) == ["N0", "N1", "N2"]
    assert "All settled: 3 documents." in err
    before = len(books.calls())
    code, states, _ = pipe.run(_messages())
    assert (code, states) == (0, [{"seen": 3}])
    assert books.calls()[before:] == ["POST token", "GET Organisation"]


def test_a_live_tap_is_in_xero_within_a_second_of_its_bookmark(pipe: Pipe, books: Books) -> None:
    process = pipe.start()
    assert process.stdout
    schema, *_ = _messages()
    waits = []
    for n in range(5):
        record = {"type": "RECORD", "stream": "contacts", "record": {"source_key": f"K{n}", "Name": f"N{n}"}}
        _feed(process, [schema, record, {"type": "STATE", "value": {"seen": n}}])
        began = time.monotonic()
        assert json.loads(process.stdout.readline()) == {"seen": n}
        waits.append(time.monotonic() - began)
        assert f"N{n}" in books.names()
    assert min(waits[1:]) < 1, "the first one waits for the process and for access, too"
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def test_at_a_commit_interval_of_0_every_bookmark_is_settled_though_records_keep_coming(pipe: Pipe) -> None:
    pipe.config["commit_interval_seconds"] = 0
    messages = [m for n in range(1, 4) for m in (*_messages(n)[:-1], {"type": "STATE", "value": {"seen": n}})]
    code, states, _ = pipe.run(messages)
    assert (code, states) == (0, [{"seen": 1}, {"seen": 2}, {"seen": 3}])


def test_a_signal_while_the_tap_is_silent_settles_what_came_and_ends(pipe: Pipe, books: Books) -> None:
    process = pipe.start()
    _feed(process, _messages())
    books.until("GET Organisation")
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.wait(PATIENCE_S)
    assert time.monotonic() - began < 20
    assert process.returncode == 128 + signal.SIGTERM
    process.communicate()
    code, states, _ = pipe.run(_messages())
    assert (code, states) == (0, [{"seen": 3}])
    assert sorted(books.names()) == ["N0", "N1", "N2"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("after", ["POST token", "GET Organisation", "GET Contacts"])
def test_a_signal_in_the_middle_of_a_call_loses_nothing_and_doubles_nothing(
    pipe: Pipe, books: Books, after: str, number: signal.Signals
) -> None:
    books.ask(
        "POST", "faults", {"do": "slow", "system": "xero", "path": "/api.xro/", "seconds": 0.7, "times": 9}
    )
    process = pipe.start()
    _feed(process, _messages())
    assert process.stdin
    process.stdin.close()
    books.until(after)
    time.sleep(0.3)  # the next call is on its way and slow
    process.send_signal(number)
    out, err = process.stdout.read(), process.stderr.read()  # type: ignore[union-attr]
    assert process.wait(PATIENCE_S) == 128 + number
    assert "Traceback" not in err
    states = [json.loads(line) for line in out.splitlines()]
    if states:
        assert sorted(books.names()) == ["N0", "N1", "N2"], "STATE is never ahead of Xero"

    books.ask("DELETE", "faults")
    code, states, _ = pipe.run(_messages())
    assert (code, states) == (0, [{"seen": 3}])
    assert sorted(books.names()) == ["N0", "N1", "N2"]


def test_a_signal_while_waiting_for_the_minute_limit_is_heard_at_once(pipe: Pipe, books: Books) -> None:
    books.ask("POST", "faults", {"do": "429_minute", "system": "xero", "path": "/Contacts", "times": 9})
    process = pipe.start()
    _feed(process, _messages())
    assert process.stdin
    process.stdin.close()
    books.until("GET Contacts")
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10
    assert process.stdout
    assert process.stdout.read() == ""


def test_a_reader_of_state_who_is_gone_is_no_traceback(pipe: Pipe, books: Books) -> None:
    process = pipe.start()
    assert process.stdout
    process.stdout.close()
    _feed(process, _messages())
    assert process.stdin
    process.stdin.close()
    assert process.stderr
    err = process.stderr.read()
    assert process.wait(PATIENCE_S) == 1
    assert "Traceback" not in err
    assert "nobody reads STATE any more" in err
    assert sorted(books.names()) == ["N0", "N1", "N2"]


def _run(pipe: Pipe, redirected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = f'exec "$@" {redirected}'
    words = [str(BIN / "target-xero"), *arguments, "--config", str(pipe.configure())]
    given = "".join(f"{json.dumps(message)}\n" for message in _messages())
    return subprocess.run(
        ["/bin/sh", "-c", command, "sh", *words],
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirected", "code"), [(">&-", 0), (">/dev/full", 1), ("2>&-", 0), ("<&-", 0), ("<&- >&- 2>&-", 0)]
)
def test_streams_that_are_closed_or_full_are_no_traceback(pipe: Pipe, redirected: str, code: int) -> None:
    ended = _run(pipe, redirected)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert ended.returncode == code, ended.stderr


def test_an_answer_that_cannot_be_written_is_one_line(pipe: Pipe) -> None:
    assert _run(pipe, "").returncode == 0
    for command in (["rejects"], ["rejects", "--json"], ["ledger", "export"]):
        ended = _run(pipe, ">/dev/full", *command)
        assert ended.returncode == 1
        assert ended.stderr.splitlines() == [
            "target-xero: cannot write the answer to stdout (No space left on device)"
        ]


def test_a_mistyped_command_is_told_with_the_commands(pipe: Pipe) -> None:
    ended = _run(pipe, "", "reconcil")
    assert ended.returncode == 2
    assert "No such command 'reconcil'" in ended.stderr
