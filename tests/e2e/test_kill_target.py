"""The target alone, fed from a file and killed: at a call of its own, or at any moment; SIGKILL and SIGTERM. Then a rerun.

How many: `KILLS` (8 in every test run, 240 in `make kill`).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.test_kill import (
    PATIENCE_S,
    QUIET_PERIOD_S,
    Pipe,
    catalog,
    everything_is_there_once,
    org,
    wait_for_the_moment,
)
from tools.processes import BIN, Sandbox
from tools.tally import tally

__all__ = ["catalog", "org"]

pytestmark = [pytest.mark.kill, pytest.mark.timeout(600)]
KILLS = int(os.environ.get("KILLS", "8"))
CALLS = 24
"""Calls of a run on the small org, the last ones with larger batches not reached."""


@pytest.fixture(scope="module")
def singer(org: Sandbox, catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tap says of the small org, once for all."""
    folder = tmp_path_factory.mktemp("singer")
    config, _ = Pipe(org, folder, catalog).configure()
    said = subprocess.run(
        [BIN / "tap-salesforce-ikaroa", "--config", config, "--catalog", catalog],
        capture_output=True,
        check=True,
    )
    (folder / "singer.jsonl").write_bytes(said.stdout)
    return folder / "singer.jsonl"


@pytest.fixture(autouse=True)
def fresh(org: Sandbox) -> Iterator[None]:
    org.ask("POST", "restore", {"name": "start"})
    yield
    org.ask("DELETE", "faults")


@dataclass
class Target:
    """target-xero on a prepared file."""

    org: Sandbox
    folder: Path
    singer: Path
    batch: int

    def start(self) -> subprocess.Popen[bytes]:
        config = self.folder / "target.json"
        config.write_text(json.dumps({
            "api_url": self.org.url, "identity_url": self.org.url, "client_id": "sandbox-xero-client",
            "client_secret": "sandbox-xero-secret", "ledger_path": str(self.folder / "ledger.sqlite"),
            "mapping": "salesforce", "batch_documents": self.batch,
        }))  # fmt: skip
        with self.singer.open("rb") as source, (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [BIN / "target-xero", "--config", config], stdin=source, stdout=subprocess.DEVNULL, stderr=log
            )

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()[-5000:]


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_target_loses_and_doubles_nothing(
    org: Sandbox, tmp_path: Path, singer: Path, number: int
) -> None:
    chance = random.Random(number)
    target = Target(org, tmp_path, singer, chance.choice((5, 10, 50)))
    number_of_signal = signal.SIGTERM if number % 3 == 2 else signal.SIGKILL
    at_a_call = number % 2 == 0
    if at_a_call:  # a process asked to end waits for its answer, so it gets one
        fault = (
            "slow"
            if number_of_signal == signal.SIGTERM
            else chance.choice(("timeout_before", "timeout_after"))
        )
        org.strike(system="xero", path="^/api.xro/", do=fault, seconds=1, nth=1 + number // 2 % CALLS)
    process = target.start()
    if at_a_call:
        wait_for_the_moment(org, process)
    else:
        time.sleep(0.8 + chance.random() * 3)
    process.send_signal(number_of_signal)
    code = process.wait(PATIENCE_S)
    assert code in (0, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM), target.log()
    org.ask("DELETE", "faults")
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).sound, target.log()
    org.advance(QUIET_PERIOD_S)
    assert target.start().wait(PATIENCE_S) == 0, target.log()
    everything_is_there_once(org)
