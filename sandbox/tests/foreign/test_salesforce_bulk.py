"""salesforce-bulk 2.2.0, unmodified: it makes a Bulk API 1.0 job in XML, waits for its batch and reads the rows here."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from ikaroa_sandbox import credentials
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Clock
from ikaroa_sandbox.server import serve_in_thread
from ikaroa_sandbox.tls import server_identity

pytestmark = [pytest.mark.e2e, pytest.mark.foreign]

RUNNER = Path(__file__).with_name("run_salesforce_bulk.py")


def test_it_queries_every_contact_through_a_job_in_xml(
    run_command: Callable[..., Any], python_with: Callable[[str], Path], tmp_path: Path
) -> None:
    sandbox = Sandbox(7, clock=Clock(datetime.now(timezone.utc), time.monotonic), ticker=time.monotonic)
    ca_file = tmp_path / "ca.pem"
    with serve_in_thread(
        sandbox, tls=server_identity(ca_file).context
    ) as url:  # the client speaks https only
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.SALESFORCE_CLIENT_ID,
            "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
        }
        answer = requests.post(f"{url}/services/oauth2/token", data=form, verify=str(ca_file), timeout=30)
        given = {
            "session": answer.json()["access_token"],
            "host": url.removeprefix("https://"),
            "soql": "SELECT Id, LastName FROM Contact",
        }
        environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(ca_file), "NO_PROXY": "127.0.0.1,localhost"}
        python = python_with("salesforce-bulk-2.2.0")
        done = run_command(python, RUNNER, timeout_s=90, env=environment, input=json.dumps(given))

    stored = sandbox.dump("salesforce")["objects"]["Contact"]
    assert {row["Id"]: row["LastName"] for row in csv.DictReader(io.StringIO(done.stdout))} == {
        row["Id"]: row["LastName"] for row in stored if not row["IsDeleted"]
    }
    assert any(
        entry.request.path.endswith("/job") and b"<jobInfo" in entry.request.body for entry in sandbox.journal
    )
