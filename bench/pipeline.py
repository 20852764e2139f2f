"""The whole pipeline: 100,000 accounts of 20 fields through tap, mapping and target, the processor time of all, no network.

An unchanged rerun: Salesforce hands every row over, the mapping makes a document of each, and the target finds each as the ledger
has it, so that nothing goes to Xero. The first such run reads every record and remembers what it came to, all later ones recall it;
both are told. The sandbox's own time does not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from target_xero.ledger import Ledger, Tenant

from bench.extract import ROWS, TAP, show_only, tap_config
from bench.figures import Figure, group
from bench.ledgers import fill, link_of
from tools.processes import BIN, Sandbox, sandbox

RUNS = 5
"""Whatever else goes on in a machine only adds to the processor time: what the work itself takes is the least of some runs."""
PARTS = ("tap", "mapping", "target")
FIELDS = (
    "Id", "IsDeleted", "Name", "Type", "AccountNumber", "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode",
    "BillingCountry", "Phone", "Fax", "Website", "CurrencyIsoCode", "Tax_Number__c", "Payment_Terms__c", "Ext_Id__c",
    "CreatedDate", "LastModifiedDate", "SystemModstamp",
)  # fmt: skip
"""Twenty, as many as of the contacts that the tap's other figures are about; those of an account that the mapping asks for."""


@group
def pipeline() -> Iterator[Figure]:
    """`tap | crm-to-xero | target-xero`."""
    with (
        tempfile.TemporaryDirectory() as name,
        sandbox("--profile", "empty", "--load", f"Account={ROWS}") as org,
    ):
        org.edit("salesforce", "bulk_jobs", seconds=0)
        show_only(org, "Account", FIELDS)
        folder = Path(name)
        commands = _commands(folder, org)
        documents = folder / "documents.singer"
        with documents.open("wb") as out:
            _run(commands[:2], out)
        _fill(folder / "ledger.sqlite", org, documents)
        spent = _run(commands, subprocess.DEVNULL)
        yield Figure("whole pipeline, the first unchanged run", round(sum(spent), 2), "CPU-s")
        spent = _least(commands)
        for part, seconds in zip(PARTS, spent, strict=True):
            yield Figure(f"{part}, 100,000 records through the pipeline", round(seconds, 2), "CPU-s")
        yield Figure("whole pipeline, 100,000 unchanged records", round(sum(spent), 2), "CPU-s", "<= 7")
        inside = folder / "target-inside.json"
        mapping = {"mapping": "salesforce", "mapping_options": {"base_currency": "GBP"}}
        inside.write_text(json.dumps({**json.loads((folder / "target.json").read_text()), **mapping}))
        inline_commands = [commands[0], [*commands[2][:2], str(inside)]]
        spent = _run(inline_commands, subprocess.DEVNULL)
        yield Figure("mapping inside the target, the first unchanged run", round(sum(spent), 2), "CPU-s")
        spent = _least(inline_commands)
        for part, seconds in zip(("tap", "target with the mapping"), spent, strict=True):
            yield Figure(f"{part}, as `meltano run` has them", round(seconds, 2), "CPU-s")
        inline = "whole pipeline, mapping inside the target, as `meltano run` has it"
        yield Figure(inline, round(sum(spent), 2), "CPU-s", "<= 7")


def _commands(folder: Path, org: Sandbox) -> list[list[str]]:
    flat = {"streams_to_discover": ["Account"], "aggregates": {"Account": {}}}
    tap = tap_config(folder, org, api_type="BULK2", **flat)
    mapper, target = folder / "mapper.json", folder / "target.json"
    mapper.write_text(json.dumps({"mapping": "salesforce", "mapping_options": {"base_currency": "GBP"}}))
    login = {"client_id": "sandbox-xero-client", "client_secret": "sandbox-xero-secret"}
    urls = {"api_url": org.url, "identity_url": org.url}
    target.write_text(json.dumps({**login, **urls, "ledger_path": str(folder / "ledger.sqlite")}))
    executables = (TAP, BIN / "crm-to-xero", BIN / "target-xero")
    return [
        [str(executable), "--config", str(config)]
        for executable, config in zip(executables, (tap, mapper, target), strict=True)
    ]


def _least(commands: list[list[str]]) -> list[float]:
    """The processor time of each part, of the run in which all took the least."""
    return min((_run(commands, subprocess.DEVNULL) for _ in range(RUNS)), key=sum)


def _run(commands: list[list[str]], out: Any) -> list[float]:
    """Runs a pipe; the processor time of each part. Raises RuntimeError where one fails."""
    processes: list[subprocess.Popen[bytes]] = []
    source: Any = subprocess.DEVNULL
    for command in commands:
        last = command is commands[-1]
        process = subprocess.Popen(  # noqa: S603  ours
            command, stdin=source, stdout=out if last else subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if processes and processes[-1].stdout:
            processes[-1].stdout.close()
        processes.append(process)
        source = process.stdout
    spent = []
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        spent.append(usage.ru_utime + usage.ru_stime)
    return spent


def _fill(path: Path, org: Sandbox, documents: Path) -> None:
    """The ledger as a first load of these documents would have left it."""
    tenant = _tenant(org)
    now = datetime.now(timezone.utc)
    with Ledger(path, durable=False, lock=False) as ledger, documents.open("rb") as lines:
        ledger.begin_run(tenant, now)
        messages = (json.loads(line) for line in lines if b'"RECORD"' in line[:40])
        fill(ledger, (link_of(tenant.id, message["stream"], message["record"]) for message in messages))


def _tenant(org: Sandbox) -> Tenant:
    found = org.snapshot("xero")["Organisation"]
    one = found[0] if isinstance(found, list) else found
    return Tenant(one["OrganisationID"], one["Name"], one["BaseCurrency"], is_demo=False)
