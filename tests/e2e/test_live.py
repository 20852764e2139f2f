"""Live mode through `meltano run`: a change in Salesforce is in Xero while the run goes on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tools.processes import Project, Sandbox, sandbox
from tools.tally import tally

pytestmark = pytest.mark.e2e

RUN = ("run", "tap-salesforce-ikaroa", "target-xero")
FOLLOWING = "live: following"
IDLE_S = 10
PATIENCE_S = 90.0
PROMPT_S = 5.0
"""A second is what is promised; two slow cores that others use, too, take longer now and then."""


@pytest.fixture
def org() -> Iterator[Sandbox]:
    with sandbox("--pubsub-port", "0", seed=3) as running:
        yield running


@pytest.fixture
def live(project: Project) -> Project:
    """The project as the README's command finds it, in live mode by its environment."""
    mode = {
        "TAP_SALESFORCE_IKAROA_MODE": "live",
        "TAP_SALESFORCE_IKAROA_LIVE_IDLE_SECONDS": str(IDLE_S),
        "TAP_SALESFORCE_IKAROA_LIVE_MAX_SECONDS": "120",
    }
    return Project(project.root, {**project.variables, **mode})


class Running:
    """A `meltano run` that goes on, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self._process, self._said = process, said

    @property
    def goes_on(self) -> bool:
        return self._process.poll() is None

    @property
    def said(self) -> str:
        return self._said.read_text()

    def until(self, true: Callable[[], bool], within_s: float = PATIENCE_S) -> float:
        """Waits; how long it took in seconds."""
        began = time.monotonic()
        while not true():
            assert self.goes_on, self.said[-6000:]
            assert time.monotonic() - began < within_s, self.said[-6000:]
            time.sleep(0.2)
        return time.monotonic() - began

    def until_it_follows(self) -> None:
        self.until(lambda: FOLLOWING in self.said)

    def terminate(self) -> None:
        self._process.terminate()

    def end(self) -> int:
        return self._process.wait(PATIENCE_S)


@contextmanager
def running(project: Project, said: Path) -> Iterator[Running]:
    with said.open("wb") as output, subprocess.Popen(
        project.command(*RUN), cwd=project.root, env=project.environment(), stdout=output, stderr=output
    ) as process:  # fmt: skip
        try:
            yield Running(process, said)
        finally:
            process.terminate()


def account(org: Sandbox) -> str:
    rows = org.snapshot("salesforce")["objects"]["Account"]
    return str(next(row["Id"] for row in rows if not row["IsDeleted"]))


def call(org: Sandbox, account_id: str, phone: str) -> Callable[[], bool]:
    """Changes an account's phone; the answer says whether Xero has accepted it since."""
    seen = max((entry["seq"] for entry in org.calls()), default=0)
    org.edit("salesforce", "update", object="Account", id=account_id, fields={"Phone": phone})

    def accepted() -> bool:
        nonlocal seen
        for entry in org.calls(since=seen):
            seen = entry["seq"]
            if entry["method"] in {"PUT", "POST"} and entry["status"] == 200 and phone in json.dumps(entry):
                return True
        return False

    return accepted


def bookmarks(project: Project) -> dict[str, Any]:
    done = project.run(
        ("--log-level=error", "state", "get", "sandbox:tap-salesforce-ikaroa-to-target-xero"),
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["singer_state"]["bookmarks"]
    return found


def test_a_change_is_in_xero_while_the_run_goes_on_and_the_next_run_goes_on_from_there(
    live: Project, org: Sandbox, tmp_path: Path
) -> None:
    one = account(org)
    with running(live, tmp_path / "first.log") as run:
        run.until_it_follows()
        run.until(call(org, one, "020 7946 0001"))
        assert run.until(call(org, one, "020 7946 0002")) < PROMPT_S
        assert run.end() == 0, run.said[-6000:]
        assert "`live_idle_seconds`" in run.said
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).complete
    place = bookmarks(live)["Account"]["live"]["/data/AccountChangeEvent"]
    assert place

    missed = call(org, one, "020 7946 0003")  # while no run is there to hear of it
    with running(live, tmp_path / "second.log") as run:
        run.until(missed)
        run.until_it_follows()
        assert run.until(call(org, one, "020 7946 0004")) < PROMPT_S
        assert run.end() == 0, run.said[-6000:]
    assert bookmarks(live)["Account"]["live"]["/data/AccountChangeEvent"] != place
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).complete


def test_a_run_that_meltano_ends_on_sigterm_has_kept_the_bookmark_of_what_is_in_xero(
    live: Project, org: Sandbox, tmp_path: Path
) -> None:
    one = account(org)
    with running(live, tmp_path / "run.log") as run:
        run.until_it_follows()
        run.until(call(org, one, "020 7946 0001"))
        time.sleep(2)  # STATE is handed on now and then
        run.terminate()
        assert run.end() == 143, run.said[-6000:]
    assert bookmarks(live)["Account"]["live"]["/data/AccountChangeEvent"]
