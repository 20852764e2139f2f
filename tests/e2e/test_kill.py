"""kill -9 at sixty moments: of the target, of the tap, of Meltano; then a rerun. Both systems are compared afterwards.

All of them in `make kill`, a share in every test run.

A moment is a call: the sandbox holds the n-th one, before or after it has taken effect, and the process dies waiting. That is
the worst that can happen to money: nobody knows whether the invoice exists.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tools.processes import BIN, Project, Sandbox, sandbox
from tools.tally import tally

pytestmark = [pytest.mark.kill, pytest.mark.timeout(600)]

QUIET_PERIOD_S = 901  # after an unknown outcome Xero may still carry out a request for so long
PATIENCE_S = 90
ACCOUNTS = 50
MELTANO_RUN = ("run", "--force", "tap-salesforce-ikaroa", "target-xero")
ALL = "KILLS" in os.environ
MOMENTS = [(when, n) for when in ("before", "after") for n in (range(1, 11) if ALL else (1, 2, 5, 9))]
MOMENTS_OF_MELTANO = range(1, 6) if ALL else (1, 2, 4)


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    """A small org, so that a moment costs seconds: what matters is where the process dies, not how much there is."""
    with sandbox(seed=5) as running:
        objects = running.snapshot("salesforce")["objects"]
        ordering = {
            row["AccountId"] for row in objects["Order"]
        }  # Salesforce keeps an account that has orders
        for kind, kept in (("Account", ACCOUNTS), ("Lead", 5)):
            spare = [row["Id"] for row in objects[kind] if row["Id"] not in ordering]
            for record in spare[kept:]:
                running.edit("salesforce", "hard_delete", object=kind, id=record)
        running.ask("POST", "save", {"name": "start"})
        yield running


@pytest.fixture(scope="module")
def catalog(org: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    tap = folder / "tap.json"
    tap.write_text(json.dumps(tap_settings(org)))
    found = subprocess.run(
        [BIN / "tap-salesforce-ikaroa", "--config", tap, "--discover"], capture_output=True, check=True
    )
    (folder / "catalog.json").write_bytes(found.stdout)
    return folder / "catalog.json"


@pytest.fixture(autouse=True)
def fresh(org: Sandbox) -> Iterator[None]:
    org.ask("POST", "restore", {"name": "start"})
    yield
    org.ask("DELETE", "faults")


def tap_settings(org: Sandbox) -> dict[str, Any]:
    return {
        "login_url": org.url, "client_id": "sandbox-salesforce-client", "client_secret": "sandbox-salesforce-secret",
        "page_size": 200,
    }  # fmt: skip


@dataclass
class Pipe:
    """tap | target without Meltano, keeping STATE in a file as Meltano keeps it."""

    org: Sandbox
    folder: Path
    catalog: Path

    def start(self) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
        tap_config, target_config = self.configure()
        state = self.folder / "state.json"
        resume = ["--state", str(state)] if state.exists() else []
        with (self.folder / "log.txt").open("ab") as log, (self.folder / "states.jsonl").open("wb") as states:
            tap = subprocess.Popen(
                [BIN / "tap-salesforce-ikaroa", "--config", tap_config, "--catalog", self.catalog, *resume],
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
            target = subprocess.Popen(
                [BIN / "target-xero", "--config", target_config], stdin=tap.stdout, stdout=states, stderr=log
            )
        assert tap.stdout
        tap.stdout.close()
        return tap, target

    def configure(self) -> tuple[Path, Path]:
        tap, target = self.folder / "tap.json", self.folder / "target.json"
        tap.write_text(json.dumps(tap_settings(self.org)))
        target.write_text(json.dumps({
            "api_url": self.org.url, "identity_url": self.org.url, "client_id": "sandbox-xero-client",
            "client_secret": "sandbox-xero-secret", "ledger_path": str(self.folder / "ledger.sqlite"),
            "mapping": "salesforce", "batch_documents": 10,
        }))  # fmt: skip
        return tap, target

    def keep_state(self) -> None:
        lines = (self.folder / "states.jsonl").read_text().splitlines()
        whole = [line for line in lines if line.endswith("}")]
        if whole:
            (self.folder / "state.json").write_text(whole[-1])

    def run_to_its_end(self) -> None:
        tap, target = self.start()
        assert (tap.wait(PATIENCE_S), target.wait(PATIENCE_S)) == (0, 0), self.log()
        self.keep_state()

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()[-5000:]


def wait_for_the_moment(org: Sandbox, *processes: Any) -> bool:
    """True when the held call has come; False when the processes ended without it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if org.struck():
            return True
        if all(process.poll() is not None for process in processes):
            return False
        time.sleep(0.02)
    raise AssertionError("neither the moment nor the end came")


def everything_is_there_once(org: Sandbox) -> None:
    result = tally(org.snapshot("salesforce"), org.snapshot("xero"))
    assert result.complete, result


@pytest.mark.parametrize(("when", "n"), MOMENTS)
def test_the_target_dies_in_its_nth_write(
    org: Sandbox, tmp_path: Path, catalog: Path, when: str, n: int
) -> None:
    pipe = Pipe(org, tmp_path, catalog)
    org.strike(system="xero", method=["PUT", "POST"], path="^/api.xro/", do=f"timeout_{when}", nth=n)
    tap, target = pipe.start()
    assert wait_for_the_moment(org, target), f"it ended before its write {n}: {pipe.log()}"
    target.kill()
    tap.kill()
    target.wait(PATIENCE_S)
    tap.wait(PATIENCE_S)
    pipe.keep_state()
    org.ask("DELETE", "faults")
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).sound
    org.advance(QUIET_PERIOD_S)
    pipe.run_to_its_end()
    everything_is_there_once(org)


@pytest.mark.parametrize(("when", "n"), MOMENTS)
def test_the_tap_dies_in_its_nth_call(org: Sandbox, tmp_path: Path, catalog: Path, when: str, n: int) -> None:
    pipe = Pipe(org, tmp_path, catalog)
    org.strike(system="salesforce", path="^/services/", do=f"timeout_{when}", nth=n)
    tap, target = pipe.start()
    assert wait_for_the_moment(org, tap), f"it ended before its call {n}: {pipe.log()}"
    tap.kill()
    tap.wait(PATIENCE_S)
    target.wait(PATIENCE_S)
    pipe.keep_state()
    org.ask("DELETE", "faults")
    pipe.run_to_its_end()
    everything_is_there_once(org)


@pytest.mark.parametrize("with_children", [True, False], ids=["and_its_children", "alone"])
@pytest.mark.parametrize(
    ("system", "n"), [(system, n) for system in ("salesforce", "xero") for n in MOMENTS_OF_MELTANO]
)
def test_meltano_dies_while_its_plugins_are_at_work(
    project: Project, org: Sandbox, tmp_path: Path, system: str, n: int, with_children: bool
) -> None:
    # Children that die with it die waiting. Children left alone get their answer and go on until their pipe breaks.
    fault = f"timeout_{'after' if n % 2 else 'before'}" if with_children else "slow"
    org.strike(system=system, path="^/(api.xro|services/data)/", do=fault, seconds=1, nth=n)
    with (tmp_path / "log.txt").open("ab") as log:
        meltano = subprocess.Popen(
            project.command(*MELTANO_RUN), cwd=project.root, env=project.environment(), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        assert wait_for_the_moment(org, meltano), f"it ended before its call {n}"
        kill(meltano, with_children=with_children)
    org.ask("DELETE", "faults")
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).sound
    org.advance(QUIET_PERIOD_S)
    done = project.run(MELTANO_RUN, capture_output=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    everything_is_there_once(org)


def kill(process: subprocess.Popen[bytes], *, with_children: bool) -> None:
    """SIGKILL; children left alone end by themselves when their pipe breaks."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if with_children and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait(PATIENCE_S)
    _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert not alive, "a child outlived Meltano"
