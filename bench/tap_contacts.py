"""100,000 contacts of 20 fields read by this tap: processor time against a bare loop, memory, and other clients beside it.

Each is a process of its own, start and end included, the best of some turns taken in turns, so that a busy machine hits all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.extract import FIELDS, LOGIN, ROWS, TAP, Cost, bare, records, served, tap_config, timed
from bench.figures import Figure, group
from tools.processes import ROOT, Sandbox

TURNS = 3
MANY = 1_000_000
FEW = 20_000
FOREIGN = ROOT / "sandbox" / "tests" / "foreign"


@group
def tap_cpu() -> Iterator[Figure]:
    """This tap against a loop of nothing but http.client, csv and orjson."""
    with tempfile.TemporaryDirectory() as name, served() as org:
        folder = Path(name)
        out = folder / "out.singer"
        bulk, rest = (_reader(org, folder, out, api) for api in ("BULK2", "REST"))
        turns = [(bare(org, out), bulk(), rest()) for _ in range(TURNS)]
        bare_s, bulk_s, rest_s = (min(cost.cpu_s for cost in column) for column in zip(*turns, strict=True))
        yield Figure("bare csv and orjson loop, 100,000 contacts", round(bare_s, 2), "CPU-s")
        yield Figure("tap, 100,000 contacts by Bulk 2.0", round(bulk_s, 2), "CPU-s")
        yield Figure("tap, 100,000 contacts by REST", round(rest_s, 2), "CPU-s")
        yield Figure("tap by Bulk 2.0 against the bare loop", round(bulk_s / bare_s, 2), "times", "<= 2.0")
        yield Figure("tap by REST against the bare loop", round(rest_s / bare_s, 2), "times", "<= 4")


@group
def tap_memory() -> Iterator[Figure]:
    """Peak memory at 100,000 and at 1,000,000 rows."""
    for rows in (ROWS, MANY):
        with tempfile.TemporaryDirectory() as name, served(rows) as org:
            folder = Path(name)
            config = tap_config(folder, org, api_type="BULK2")
            cost = timed(TAP, "--config", config)
            yield Figure(
                f"tap's memory, {rows:,} contacts by Bulk 2.0", round(cost.megabytes, 1), "MB", "<= 90"
            )


@group
def tap_rivals() -> Iterator[Figure]:
    """Rows a CPU second beside other clients, unmodified, in environments of their own: as many rows for both."""
    for client, read, rows, bar in (
        ("tap-salesforce-2.8.1", _tap_salesforce, ROWS, ">= 15"),
        # It takes a millisecond a row; fewer rows favour it, as both sides' start counts.
        ("airbyte-source-salesforce-2.10.3", _source_salesforce, FEW, ">= 12"),
    ):
        try:
            python = _python_with(client)
        except (subprocess.CalledProcessError, OSError) as error:
            reason = f"{client}: not measured, its environment could not be made ({type(error).__name__})"
            yield Figure(reason, 0, "times", bar)
            continue
        with tempfile.TemporaryDirectory() as name, served(rows) as org:
            folder = Path(name)
            our_reader = _reader(org, folder, folder / "out.singer", "BULK2", rows)
            ours = _rate("this tap", min((our_reader() for _ in range(TURNS)), key=_cpu), rows)
            theirs = _rate(client, read(org, folder, python, rows), rows)
            yield ours
            yield theirs
            yield Figure(f"this tap against {client}", round(ours.value / theirs.value, 1), "times", bar)


def _cpu(cost: Cost) -> float:
    return cost.cpu_s


def _rate(name: str, cost: Cost, rows: int) -> Figure:
    return Figure(f"{name}, {rows:,} contacts by Bulk", round(rows / cost.cpu_s), "rows/CPU-s")


def _reader(org: Sandbox, folder: Path, out: Path, api: str, rows: int = ROWS) -> Callable[[], Cost]:
    config = tap_config(folder, org, api_type=api)

    def read() -> Cost:
        return _complete(timed(TAP, "--config", config, out=out), out, rows)

    return read


def _complete(cost: Cost, out: Path, rows: int) -> Cost:
    if (found := records(out)) != rows:
        raise RuntimeError(f"{found} of {rows} rows came")
    return cost


def _tap_salesforce(org: Sandbox, folder: Path, python: Path, rows: int) -> Cost:
    config, catalog, out = folder / "si.json", folder / "si-catalog.json", folder / "si.singer"
    start = {"start_date": "2000-01-01T00:00:00Z", "api_type": "BULK", "select_fields_by_default": "true"}
    config.write_text(json.dumps({**LOGIN, **start}))
    command = (python, FOREIGN / "run_tap_salesforce.py", "--config", config)
    environment = {"SANDBOX_URL": org.url}
    timed(*command, "--discover", out=catalog, environment=environment)
    found = json.loads(catalog.read_text())
    found["streams"] = [stream for stream in found["streams"] if stream["stream"] == "Contact"]
    for entry in found["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = not entry["breadcrumb"] or entry["breadcrumb"][1] in FIELDS
    catalog.write_text(json.dumps(found))
    return _complete(timed(*command, "--properties", catalog, out=out, environment=environment), out, rows)


def _source_salesforce(org: Sandbox, folder: Path, python: Path, rows: int) -> Cost:
    config, catalog, out = folder / "ab.json", folder / "ab-catalog.json", folder / "ab.jsonl"
    criteria = {"streams_criteria": [{"criteria": "exacts", "value": "Contact"}], "force_use_bulk_api": True}
    start = {"auth_type": "Client", "is_sandbox": False, "start_date": "2000-01-01T00:00:00Z"}
    config.write_text(json.dumps({**LOGIN, **start, **criteria}))
    command = (python, FOREIGN / "run_source_salesforce.py")
    environment = {"SANDBOX_URL": org.url}
    timed(*command, "discover", "--config", config, out=out, environment=environment, cwd=folder)
    messages = [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]
    streams = next(message["catalog"]["streams"] for message in messages if message["type"] == "CATALOG")
    chosen = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    contact = next(stream for stream in streams if stream["name"] == "Contact")
    catalog.write_text(json.dumps({"streams": [{"stream": contact, **chosen}]}))
    cost = timed(
        *command,
        "read",
        "--config",
        config,
        "--catalog",
        catalog,
        out=out,
        environment=environment,
        cwd=folder,
    )
    return _complete(cost, out, rows)


def _python_with(client: str) -> Path:
    """The Python of an environment with a pinned client, the same that the tests with foreign clients make."""
    requirements = ROOT / "requirements" / f"{client}.txt"
    environment = ROOT / ".venvs" / f"{client}-python{sys.version_info[0]}.{sys.version_info[1]}"
    python, made_from = environment / "bin" / "python", environment / "made-from"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if made_from.exists() and made_from.read_text() == digest:
        return python
    shutil.rmtree(environment, ignore_errors=True)
    uv = shutil.which(os.environ.get("UV", "uv"))
    make = [uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    for command in ([*make, str(environment)], [*install, "--require-hashes", "-r", str(requirements)]):
        subprocess.run([str(word) for word in command], check=True, capture_output=True)  # noqa: S603
    made_from.write_text(digest)
    return python
