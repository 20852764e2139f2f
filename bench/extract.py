"""What the figures of the tap share: a served org of 100,000 contacts, commands timed by their own CPU, a bare reader."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import requests

from tools.processes import BIN, ROOT, Sandbox, sandbox

ROWS = 100_000
FIELDS = (
    "Id", "IsDeleted", "AccountId", "FirstName", "LastName", "Name", "Email", "Phone", "MobilePhone", "Title",
    "Department", "MailingStreet", "MailingCity", "MailingPostalCode", "MailingCountry", "Birthdate", "Billing__c",
    "CreatedDate", "LastModifiedDate", "SystemModstamp",
)  # fmt: skip
"""Twenty: strings, booleans, a date and date-times."""
TAP = BIN / "tap-salesforce-ikaroa"
LOGIN = {
    "client_id": "sandbox-salesforce-client",
    "client_secret": "sandbox-salesforce-secret",
    "refresh_token": "sandbox-salesforce-refresh",
}


@dataclass(frozen=True)
class Cost:
    """What a command took: processor time of all its processes in seconds, seconds passed, peak memory in MB."""

    cpu_s: float
    wall_s: float
    megabytes: float


@contextmanager
def served(rows: int = ROWS, fields: Sequence[str] = FIELDS) -> Iterator[Sandbox]:
    """An org of so many contacts whose user sees just these fields, and whose bulk jobs are done at the first look."""
    with sandbox("--profile", "empty", "--load", f"Contact={rows}") as org:
        org.edit("salesforce", "bulk_jobs", seconds=0)
        org.edit("salesforce", "limits", daily=5_000_000)
        show_only(org, "Contact", fields)
        yield org


def show_only(org: Sandbox, name: str, fields: Sequence[str]) -> None:
    """Hides all other fields of an object from the user. Raises RuntimeError where it lacks one of these."""
    form = {"grant_type": "client_credentials", **LOGIN}
    token = requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=60).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{org.url}/services/data/v67.0/sobjects/{name}/describe"
    described = requests.get(address, headers=headers, timeout=60).json()
    names = [entry["name"] for entry in described["fields"]]
    missing = set(fields) - set(names)
    if missing:
        raise RuntimeError(f"the sandbox's {name} lacks {missing}")
    for field in names:
        if field not in fields:
            org.edit("salesforce", "hide_field", object=name, field=field)


def timed(
    *command: str | Path,
    out: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Cost:
    """Runs a command whose output goes to a file. Raises RuntimeError where it fails."""
    with (
        (out or Path(os.devnull)).open("wb") as target,
        tempfile.TemporaryFile() as errors,
    ):
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  ours, or an environment made from pins
            [str(word) for word in command],
            stdout=target,
            stderr=errors,
            env={**os.environ, "NO_PROXY": "127.0.0.1", **(environment or {})},
            cwd=cwd,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{command[0]} failed:\n{errors.read()[-2000:].decode(errors='replace')}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def tap_config(folder: Path, org: Sandbox, **settings: Any) -> Path:
    """A settings file of the tap."""
    path = folder / f"tap-{settings.get('api_type', 'auto')}.json"
    login = {name: LOGIN[name] for name in ("client_id", "client_secret")}
    contact = {"streams_to_discover": ["Contact"], "aggregates": {"Contact": {}}}
    path.write_text(json.dumps({"login_url": org.url, **login, **contact, **settings}))
    return path


def records(path: Path) -> int:
    """How many RECORD messages a file has, of Singer or of Airbyte."""
    with path.open("rb") as lines:
        return sum(b'"RECORD"' in line[:400] for line in lines)


def bare(org: Sandbox, out: Path) -> Cost:
    """A loop of nothing but `http.client`, `csv` and `orjson`, as a process of its own, over the same job results."""
    return timed(sys.executable, "-m", "bench.extract", org.url, out=out, cwd=ROOT)


def _bare(url: str) -> None:
    base = "/services/data/v67.0/jobs/query"
    connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def ask(method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        connection.request(method, path, body, headers)
        return connection.getresponse()

    form = urlencode({"grant_type": "client_credentials", **LOGIN})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    token = json.loads(ask("POST", "/services/oauth2/token", form, **kind).read())["access_token"]
    session = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    soql = " ".join(["SELECT", ",".join(FIELDS), "FROM Contact"])
    query = {"operation": "query", "query": soql, "contentType": "CSV"}
    made = ask("POST", base, json.dumps(query), **session, **{"Content-Type": "application/json"})
    answer = made.read()
    job = json.loads(gzip.decompress(answer) if made.headers.get("Content-Encoding") == "gzip" else answer)[
        "id"
    ]
    while b"JobComplete" not in ask("GET", f"{base}/{job}", Authorization=session["Authorization"]).read():
        time.sleep(0.1)
    more, out = "", sys.stdout.buffer
    while more != "null":
        page = ask(
            "GET", f"{base}/{job}/results?maxRecords=50000{f'&locator={more}' if more else ''}", **session
        )
        packed, content = page.headers.get("Content-Encoding") == "gzip", page.read()
        text = gzip.decompress(content) if packed else content
        rows = csv.reader(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline=""))
        names = next(rows)
        for row in rows:
            record = dict(zip(names, row, strict=True))
            out.write(orjson.dumps({"type": "RECORD", "stream": "Contact", "record": record}) + b"\n")
        more = page.headers["Sforce-Locator"]


if __name__ == "__main__":
    _bare(sys.argv[1])
