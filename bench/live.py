"""Live mode: from a commit in the simulated Salesforce to a record on stdout, and to a document in the simulated Xero.

Sandbox, tap, and a `meltano run` of tap and target are processes of their own; changes are made through Salesforce's REST
API, some at a time. A change's time counts from before it is sent to Salesforce.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import requests

from bench.extract import LOGIN, TAP
from bench.figures import Figure, group
from tools.processes import NOWHERE, Project, Sandbox, installed_project, sandbox

RATE, SECONDS, AT_ONCE = 105, 60, 21
"""Changes a second, made so many in a call at fixed moments: a little more than the 100 that are to be held."""
PEOPLE = 3
"""Calls that may be under way at once, so that one that takes long does not put off the next."""
GROUPS, GROUP, GROUP_S = 50, 10, 2.5
"""500 changes. A commit takes two of Xero's 60 calls a minute: one to look, one to write."""
SETTLED_S = 10.0
PATIENCE_S = 300.0
PLUGINS = ("tap-salesforce-ikaroa", "target-xero")


@dataclass
class Person:
    """Whoever changes accounts in the sandbox, and when each change was made."""

    org: Sandbox
    made: dict[str, float] = field(default_factory=dict)
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        """Signs in as a client of the REST API."""
        form = {"grant_type": "client_credentials", **LOGIN}
        answer = self._session.post(f"{self.org.url}/services/oauth2/token", data=form, timeout=30).json()
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def accounts(self) -> list[str]:
        """Ids of accounts."""
        rows = self.org.snapshot("salesforce")["objects"]["Account"]
        return [row["Id"] for row in rows if not row["IsDeleted"]]

    def change(self, marks: dict[str, str]) -> None:
        """Changes accounts in one call: {account: mark}, known again by the mark."""
        records = [
            {"attributes": {"type": "Account"}, "id": account, "Phone": mark}
            for account, mark in marks.items()
        ]
        self.made.update(dict.fromkeys(marks.values(), time.time()))
        answer = self._session.patch(
            f"{self.org.url}/services/data/v67.0/composite/sobjects",
            json={"allOrNone": True, "records": records},
            timeout=30,
        )
        answer.raise_for_status()
        if not all(entry["success"] for entry in answer.json()):
            raise RuntimeError(f"the sandbox took not all changes: {answer.text[:300]}")


@group
def live() -> Iterator[Figure]:
    """The tap alone: 100 changes a second for a minute; then some at a time through a running `meltano run`."""
    with TemporaryDirectory() as folder, _org() as org:
        yield from _tap_alone(Path(folder), org)
    with TemporaryDirectory() as folder, _org() as org:
        yield from _pipeline(Path(folder), org)


def _tap_alone(folder: Path, org: Sandbox) -> Iterator[Figure]:
    config = folder / "tap.json"
    config.write_text(
        json.dumps({**LOGIN, "login_url": org.url, "mode": "live", "pubsub_endpoint": org.pubsub})
    )
    person, seen = Person(org), dict[str, float]()
    accounts = person.accounts()
    with _process([str(TAP), "--config", str(config)], stdout=subprocess.PIPE) as (tap, said):
        threading.Thread(target=_read, args=(tap.stdout, seen), daemon=True).start()
        _settle(lambda: "live: following" in said.read_text(), said)
        began = time.monotonic()
        with ThreadPoolExecutor(PEOPLE) as people:
            calls = []
            for n in range(0, RATE * SECONDS, AT_ONCE):
                time.sleep(max(0.0, began + n / RATE - time.monotonic()))
                # Each account once in some seconds, so that no change hides another.
                marks = {accounts[k % len(accounts)]: f"mark {k}" for k in range(n, n + AT_ONCE)}
                calls.append(people.submit(person.change, marks))
        for call in calls:
            call.result()
        time.sleep(max(0.0, began + SECONDS - time.monotonic()))
        took, known = time.monotonic() - began, len(seen)
        _until(lambda: len(seen) == len(person.made), 30)
    delays = [seen[mark] - at for mark, at in person.made.items() if mark in seen]
    last = [mark for mark, at in person.made.items() if at > max(person.made.values()) - 5]
    late = sorted(seen.get(mark, float("inf")) - person.made[mark] for mark in last)
    yield Figure("live: changes a second that were made", round(len(person.made) / took, 1), "1/s", ">= 100")
    yield Figure(
        "live: changes a second that the tap gave out meanwhile", round(known / took, 1), "1/s", ">= 100"
    )
    yield Figure("live: changes that the tap lost", len(person.made) - len(seen), "changes", "== 0")
    yield Figure("live: change to record, p50", _part(delays, 50), "ms")
    yield Figure("live: change to record, p99", _part(delays, 99), "ms")
    yield Figure("live: change to record in the last 5 of 60 seconds, p50", _part(late, 50), "ms", "<= 1000")


def _pipeline(folder: Path, org: Sandbox) -> Iterator[Figure]:
    project = _live_project(folder, org)
    person, xero = Person(org), _Arrivals(org)
    accounts = person.accounts()
    first = Project(project.root, {**project.variables, "TAP_SALESFORCE_IKAROA_MODE": "poll"})
    if (load := first.run(("run", *PLUGINS), capture_output=True)).returncode:
        raise RuntimeError(load.stdout + load.stderr)
    command = project.command("run", *PLUGINS)
    with _process(command, cwd=project.root, env=project.environment()) as (meltano, said):
        _settle(lambda: "live: following" in said.read_text() and xero.quiet_for(SETTLED_S), said)
        for n in range(GROUPS):
            ids = range(n * GROUP, (n + 1) * GROUP)
            person.change({accounts[k % len(accounts)]: f"mark {k}" for k in ids})
            time.sleep(GROUP_S)
        _until(lambda: xero.has(person.made), 30)
        if meltano.poll() is not None:
            raise RuntimeError(f"the run has ended:\n{said.read_text()[-3000:]}")
    delays = [xero.seen[mark] - at for mark, at in person.made.items() if mark in xero.seen]
    yield Figure("live: changes that reached Xero", len(delays), "changes", f"== {GROUPS * GROUP}")
    yield Figure("live: change to document in Xero by meltano run, p50", _part(delays, 50), "ms", "<= 1000")
    yield Figure("live: change to document in Xero by meltano run, p99", _part(delays, 99), "ms", "<= 2000")


def _live_project(folder: Path, org: Sandbox) -> Project:
    (folder / "project").mkdir()
    project = installed_project(folder / "project", *PLUGINS)
    return Project(
        project.root,
        {
            **project.variables,
            **org.environment(),
            "MELTANO_HUB_URL": NOWHERE,
            "TAP_SALESFORCE_IKAROA_MODE": "live",
            "TARGET_XERO_MAX_CHANGED_PERCENT": "100",  # 500 of 700 documents are a mass change, and would stop
            "TARGET_XERO_LEDGER_PATH": str(folder / "ledger.sqlite"),
        },
    )


class _Arrivals:
    """When each mark was first accepted by the simulated Xero, from the sandbox's journal."""

    def __init__(self, org: Sandbox) -> None:
        self._org, self._since, self._busy_at = org, 0, time.monotonic()
        self.seen: dict[str, float] = {}

    def look(self) -> None:
        """Reads the journal on."""
        for entry in self._org.calls(since=self._since):
            self._since, self._busy_at = entry["seq"], time.monotonic()
            if entry["method"] in {"POST", "PUT"} and entry["status"] == 200:
                self._note(entry)

    def _note(self, entry: dict[str, Any]) -> None:
        at = datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()
        body = entry["body"] if isinstance(entry["body"], str) else json.dumps(entry["body"])
        for part in body.split('"'):
            if part.startswith("mark "):
                self.seen.setdefault(part, at + (entry.get("elapsed_ms") or 0) / 1000)

    def quiet_for(self, seconds: float) -> bool:
        """Whether the first load is through."""
        self.look()
        return self._since > 0 and time.monotonic() - self._busy_at > seconds

    def has(self, marks: dict[str, float]) -> bool:
        """Whether all of these have come."""
        self.look()
        return all(mark in self.seen for mark in marks)


@contextmanager
def _org() -> Iterator[Sandbox]:
    """An org that grants as many events a day as are made."""
    with sandbox("--pubsub-port", "0") as org:
        org.edit("salesforce", "event_limits", daily=1_000_000)
        yield org


@contextmanager
def _process(command: Sequence[str], **options: Any) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A running process, and the file of what it says on stderr; ended at the end."""
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        streams = {"stdout": subprocess.DEVNULL, "env": os.environ, **options}
        with said.open("wb") as errors, subprocess.Popen(  # noqa: S603  our own
            command, stderr=errors, text=True, **streams
        ) as process:  # fmt: skip
            try:
                yield process, said
            finally:
                process.terminate()
                process.wait(30)


def _read(stdout: IO[str], seen: dict[str, float]) -> None:
    for line in stdout:
        if line.startswith('{"type":"RECORD"') and '"Phone":"mark ' in line:
            mark = line.split('"Phone":"', 1)[1].split('"', 1)[0]
            seen.setdefault(mark, time.time())


def _settle(true: Callable[[], bool], said: Path) -> None:
    if not _until(true, PATIENCE_S):
        raise RuntimeError(f"it does not follow after {PATIENCE_S:.0f} s:\n{said.read_text()[-3000:]}")


def _until(true: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not (done := true()) and time.monotonic() < ends:
        time.sleep(0.2)
    return done


def _part(delays: Sequence[float], percent: int) -> float:
    """A percentile in milliseconds."""
    ordered = sorted(delays) or [float("inf")]
    return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)])
