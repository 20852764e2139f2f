"""kill -9 of a tap in a process of its own while it reads a Bulk job's result over a socket; then a run from its last STATE.

Whatever had been written when it died is what a target has. After the second run it must hold the org; the job that STATE
names is read on from the page STATE names, and no job is left behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.server import serve_in_thread

if TYPE_CHECKING:
    from conftest import Org

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
# STATE after every batch, not every few seconds: a run of a test is over in less.
TAP = "from tap_salesforce_ikaroa import limits; limits.STATE_EVERY_S = 0.0; from tap_salesforce_ikaroa.cli import main; main()"
PAGE_ROWS = 20


@dataclass
class Output:
    """Whole lines that a tap wrote, as a target takes them."""

    records: list[dict[str, Any]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    code: int | None = None

    def take(self, line: str) -> None:
        message = json.loads(line)
        if message["type"] == "RECORD":
            self.records.append(message["record"])
        elif message["type"] == "STATE":
            self.state = message["value"]

    def place(self, stream: str) -> dict[str, Any]:
        return self.state.get("bookmarks", {}).get(stream, {}).get("bulk", {})


class Tap:
    """Runs the tap in a process."""

    def __init__(self, folder: Path, address: str, stream: str) -> None:
        self._folder = folder
        config = {
            "login_url": address,
            "client_id": credentials.SALESFORCE_CLIENT_ID,
            "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
            "streams_to_discover": [stream],
            "api_type": "BULK2",
            "bulk_page_size": PAGE_ROWS,
            "bulk_parallel": 1,
            "lookback_window": 0,
        }
        (folder / "config.json").write_text(json.dumps(config))

    def run(self, state: dict[str, Any] | None = None, *, killed_after: int | None = None) -> Output:
        """A run; `killed_after`: SIGKILL when so many records have arrived, and STATE names jobs."""
        (self._folder / "state.json").write_text(json.dumps(state or {}))
        command = [sys.executable, "-c", TAP, "--config", self._folder / "config.json"]
        command += ["--state", self._folder / "state.json"]
        output = Output()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout
            for line in process.stdout:
                if line.endswith("\n"):  # else it was cut
                    output.take(line)
                if (
                    killed_after is not None
                    and '"bulk"' in json.dumps(output.state)
                    and len(output.records) >= killed_after
                ):
                    process.kill()
        output.code = process.returncode
        return output


@pytest.fixture
def tap_of(org: Org, tmp_path: Path) -> Iterator[Any]:
    """A tap for one stream, and the org on a socket."""
    with serve_in_thread(org.sandbox) as address:
        yield lambda stream: Tap(tmp_path, address, stream)


def calls(org: Org, method: str, part: str) -> list[str]:
    return [
        f"{entry.request.path}?{entry.request.query}"
        for entry in org.exchanges
        if entry.request.method == method and part in entry.request.path
    ]


@pytest.mark.parametrize(
    ("stream", "killed_after"),
    [("Lead", 0), ("Lead", 1), ("Lead", 75), ("Lead", 170), ("Lead", 240), ("Account", 0), ("Account", 11)],
)
def test_a_tap_killed_while_it_reads_a_job_goes_on_with_it(
    org: Org, tap_of: Any, stream: str, killed_after: int
) -> None:
    tap = tap_of(stream)
    first = tap.run(killed_after=killed_after)
    made, place = len(calls(org, "POST", "/jobs/query")), first.place(stream)
    org.sandbox.journal.clear()
    late = {"Name": "Late"} if stream == "Account" else {"LastName": "Late", "Company": "Late"}
    org.insert(stream, **late)
    second = tap.run(first.state)
    assert second.code == 0
    kept = {record["Id"]: record for record in [*first.records, *second.records]}
    there = org.rows(stream, deleted=True)
    assert set(kept) == set(there)
    assert all(
        kept[row_id]["LastModifiedDate"][:19] == row["LastModifiedDate"][:19] for row_id, row in there.items()
    )
    if first.code != 0 and not place.get("done"):
        job = place["jobs"][""]
        fetched = calls(org, "GET", f"{job}/result")
        assert fetched, "the job is read on"
        if stream == "Lead":
            assert (
                f"locator={place['locator']}" in fetched[0]
                if place.get("locator")
                else "locator" not in fetched[0]
            )
            assert len(second.records) <= len(there) - place.get("rows", 0) + 1
        assert len(calls(org, "POST", "/jobs/query")) == made, "new ones only for what changed since"
    assert not org.sandbox.backends["salesforce"].state.jobs.by_id  # type: ignore[attr-defined]
    assert "bulk" not in second.state["bookmarks"][stream]
