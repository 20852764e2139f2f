"""airbyte-source-salesforce 2.10.3, unmodified and in an environment of its own, reads here by Bulk API 2.0.

Its login host is hard-coded, so `run_source_salesforce.py` sends those requests here instead; nothing else is touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ikaroa_sandbox import credentials

pytestmark = [pytest.mark.e2e, pytest.mark.foreign]

RUNNER = Path(__file__).parent / "run_source_salesforce.py"
STREAMS = ("Contact", "OpportunityLineItem")


def messages(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_it_reads_every_contact_and_line_in_bulk_and_deletes_its_jobs(
    served: Any,
    python_with: Callable[[str], Path],
    run_command: Callable[..., Any],
    tmp_path: Path,
) -> None:
    served.sandbox.edit("salesforce", {"action": "bulk_jobs", "seconds": 0})  # it looks every 5 s
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(
        json.dumps(
            {
                "client_id": credentials.SALESFORCE_CLIENT_ID,
                "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
                "refresh_token": credentials.SALESFORCE_REFRESH_TOKEN,
                "auth_type": "Client",
                "is_sandbox": False,
                "start_date": "2000-01-01T00:00:00Z",
                "force_use_bulk_api": True,
                "streams_criteria": [{"criteria": "exacts", "value": name} for name in STREAMS],
            }
        )
    )
    options = {
        "cwd": tmp_path,
        "env": {**os.environ, "SANDBOX_URL": served.url, "NO_PROXY": "127.0.0.1"},
        "timeout_s": 300,
    }
    source = (python_with("airbyte-source-salesforce-2.10.3"), RUNNER)
    found = messages(run_command(*source, "discover", "--config", config, **options).stdout)
    streams = next(message["catalog"]["streams"] for message in found if message["type"] == "CATALOG")
    chosen = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in streams
        if stream["name"] in STREAMS
    ]
    catalog.write_text(json.dumps({"streams": chosen}))
    done = run_command(*source, "read", "--config", config, "--catalog", catalog, **options)
    read: dict[str, dict[str, Any]] = {name: {} for name in STREAMS}
    for message in messages(done.stdout):
        if message["type"] == "RECORD":
            read[message["record"]["stream"]][message["record"]["data"]["Id"]] = message["record"]["data"]
    contacts = {row["Id"]: row for row in served.records("salesforce", "Contact")}
    assert {key: row["LastName"] for key, row in read["Contact"].items()} == {
        key: row["LastName"] for key, row in contacts.items()
    }
    assert set(read["OpportunityLineItem"]) == {
        row["Id"] for row in served.records("salesforce", "OpportunityLineItem")
    }
    bulk = [entry for entry in served.sandbox.journal if "/jobs/query" in entry.request.path]
    assert [entry.request.method for entry in bulk].count("POST") == len(STREAMS)
    assert [entry.status for entry in bulk if entry.request.method == "DELETE"] == [204] * len(STREAMS)
