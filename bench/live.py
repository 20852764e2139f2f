"""Live mode: from a commit in the simulated Salesforce to a record on stdout, and to a document in the simulated Xero.

Sandbox, tap and target are processes of their own; changes are made through Salesforce's REST API, some at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import requests

from bench.figures import Figure, group

RATE, SECONDS, AT_ONCE = 100, 60, 20
GROUPS, GROUP = 50, 10  # 500 changes; Xero takes 60 calls a minute
SETTLED_S = 20.0
TAP = "from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa as T; T.cli()"
TARGET = "from target_xero.cli import main; main()"


@dataclass
class Person:
    """Whoever changes accounts in the sandbox, and when each change was committed."""

    url: str
    committed: dict[str, float] = field(default_factory=dict)
    _session: requests.Session = field(default_factory=requests.Session)

    def accounts(self) -> list[str]:
        """Ids of accounts."""
        dump = self._session.get(f"{self.url}/_sandbox/snapshot?system=salesforce").json()
        rows = dump.get("salesforce", dump)["objects"]["Account"]
        return [row["Id"] for row in rows if not row.get("IsDeleted")]

    def login(self) -> None:
        """Signs in as a client of the REST API."""
        form = {
            "grant_type": "client_credentials",
            "client_id": "sandbox-salesforce-client",
            "client_secret": "sandbox-salesforce-secret",
        }
        answer = self._session.post(f"{self.url}/services/oauth2/token", data=form).json()
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def change(self, marks: dict[str, str]) -> None:
        """Changes accounts in one call: {account: mark}, known again by the mark."""
        records = [
            {"attributes": {"type": "Account"}, "id": account, "Phone": mark}
            for account, mark in marks.items()
        ]
        answer = self._session.patch(
            f"{self.url}/services/data/v67.0/composite/sobjects", json={"allOrNone": True, "records": records}
        )
        answer.raise_for_status()
        assert all(entry["success"] for entry in answer.json())  # noqa: S101
        self.committed.update(dict.fromkeys(marks.values(), time.time()))


@group
def live() -> Iterator[Figure]:
    """The tap alone: 100 changes a second for a minute; then single changes through the whole pipe."""
    with TemporaryDirectory() as folder:
        yield from _tap_alone(Path(folder))
    with TemporaryDirectory() as folder:
        yield from _pipeline(Path(folder))


def _tap_alone(folder: Path) -> Iterator[Figure]:
    with ExitStack() as stack:
        person, config = stack.enter_context(_sandbox(folder))
        tap = stack.enter_context(_process([TAP, "--config", str(config)], stdout=subprocess.PIPE))
        seen: dict[str, float] = {}
        threading.Thread(target=_read, args=(tap.stdout, seen), daemon=True).start()
        accounts = person.accounts()
        _wait_for_the_first_pass(tap)
        began = time.monotonic()
        for n in range(0, RATE * SECONDS, AT_ONCE):
            # Each account once in some seconds, so that no change hides another.
            person.change({accounts[k % len(accounts)]: f"mark {k}" for k in range(n, n + AT_ONCE)})
            time.sleep(max(0.0, began + (n + AT_ONCE) / RATE - time.monotonic()))
        took = time.monotonic() - began
        last = f"mark {RATE * SECONDS - 1}"
        _until(lambda: last in seen)
    delays = [seen[mark] - at for mark, at in person.committed.items() if mark in seen]
    yield Figure(
        "live: changes a second", round(len(person.committed) / took), "1/s", f">= {round(RATE * 0.95)}"
    )
    yield Figure("live: commit to record, p50", _part(delays, 50), "ms", "<= 500")
    yield Figure("live: commit to record, p99", _part(delays, 99), "ms")
    yield Figure("live: the last second of the minute, p50", _part(delays[-RATE:], 50), "ms", "<= 1000")


def _pipeline(folder: Path) -> Iterator[Figure]:
    with ExitStack() as stack:
        person, config = stack.enter_context(_sandbox(folder))
        settings = {
            "client_id": "sandbox-xero-client",
            "client_secret": "sandbox-xero-secret",
            "api_url": person.url,
            "identity_url": person.url,
            "ledger_path": str(folder / "ledger.sqlite"),
            "mapping": "salesforce",
            "mapping_options": {"base_currency": "GBP"},
        }
        (folder / "target.json").write_text(json.dumps(settings))
        tap = stack.enter_context(_process([TAP, "--config", str(config)], stdout=subprocess.PIPE))
        arguments = [TARGET, "--config", str(folder / "target.json")]
        stack.enter_context(_process(arguments, stdin=tap.stdout, stdout=subprocess.DEVNULL))
        xero = _Arrivals(person.url)
        accounts = person.accounts()
        _until(lambda: xero.quiet_for(SETTLED_S), 600)
        for n in range(GROUPS):
            ids = range(n * GROUP, (n + 1) * GROUP)
            person.change({accounts[k % len(accounts)]: f"mark {k}" for k in ids})
            time.sleep(2)
        _until(lambda: xero.look() or all(mark in xero.seen for mark in person.committed))
    delays = [xero.seen[mark] - at for mark, at in person.committed.items() if mark in xero.seen]
    yield Figure("live: changes that reached Xero", len(delays), "changes", f"== {GROUPS * GROUP}")
    yield Figure("live: commit to document in Xero, p50", _part(delays, 50), "ms", "<= 1000")
    yield Figure("live: commit to document in Xero, p99", _part(delays, 99), "ms", "<= 2000")


class _Arrivals:
    """When each mark was first accepted by the simulated Xero, from the sandbox's journal."""

    def __init__(self, url: str) -> None:
        self._url, self._since, self._busy_at = url, 0, time.monotonic()
        self.seen: dict[str, float] = {}

    def look(self) -> None:
        """Reads the journal on."""
        entries = requests.get(
            f"{self._url}/_sandbox/journal",
            params={"since": self._since, "system": "xero", "limit": 500},
            timeout=30,
        ).json()
        for entry in entries.get("exchanges", entries.get("entries", [])):
            self._since, self._busy_at = entry["seq"], time.monotonic()
            if entry["method"] in {"POST", "PUT"} and entry["status"] == 200:
                self._note(entry)

    def _note(self, entry: dict[str, Any]) -> None:
        from datetime import datetime  # noqa: PLC0415

        at = datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()
        body = entry["body"] if isinstance(entry["body"], str) else json.dumps(entry["body"])
        for part in body.split('"'):
            if part.startswith("mark "):
                self.seen.setdefault(part, at + (entry.get("elapsed_ms") or 0) / 1000)

    def quiet_for(self, seconds: float) -> bool:
        """Whether the first load is through."""
        self.look()
        return self._since > 0 and time.monotonic() - self._busy_at > seconds


@contextmanager
def _sandbox(folder: Path) -> Iterator[tuple[Person, Path]]:
    command = ["serve", "--seed", "1", "--json", "--pubsub-port", "0"]
    with _process(
        ["from ikaroa_sandbox.cli import main; main()", *command], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None  # noqa: S101
        said = json.loads(process.stdout.readline())
        config = {
            "login_url": said["url"],
            "client_id": "sandbox-salesforce-client",
            "client_secret": "sandbox-salesforce-secret",
            "pubsub_endpoint": said["salesforce"]["pubsub_endpoint"],
            "mode": "live",
        }
        requests.post(
            f"{said['url']}/_sandbox/edit",
            json={"system": "salesforce", "action": "event_limits", "daily": 1_000_000},
            timeout=30,
        ).raise_for_status()
        path = folder / "tap.json"
        path.write_text(json.dumps(config))
        person = Person(said["url"])
        person.login()
        yield person, path


@contextmanager
def _process(arguments: list[str], **streams: Any) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(  # noqa: S603  our own
        command, stderr=subprocess.PIPE, text=True, env=environment, **streams
    ) as process:
        try:
            process.said = []  # type: ignore[attr-defined]
            threading.Thread(
                target=lambda: process.said.extend(process.stderr or ()),  # type: ignore[attr-defined]
                daemon=True,
            ).start()
            yield process
        finally:
            process.terminate()
            process.wait(20)


def _wait_for_the_first_pass(tap: subprocess.Popen[str]) -> None:
    _until(lambda: any("live: following" in line for line in tap.said))  # type: ignore[attr-defined]


def _read(stdout: IO[str], seen: dict[str, float]) -> None:
    for line in stdout:
        if line.startswith('{"type":"RECORD"') and '"Phone":"mark ' in line:
            mark = line.split('"Phone":"', 1)[1].split('"', 1)[0]
            seen.setdefault(mark, time.time())


def _until(true: Any, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not true() and time.monotonic() < ends:
        time.sleep(0.1)


def _part(delays: list[float], percent: int) -> float:
    ordered = sorted(delays) or [float("inf")]
    return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)])
