"""tap-salesforce 2.8.1, unmodified and in an environment of its own: it discovers and syncs here, by REST and by Bulk API 1.0.

Its login host is hard-coded, so `run_tap_salesforce.py` sends those requests here instead; nothing else is touched.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ikaroa_sandbox import credentials

pytestmark = [pytest.mark.e2e, pytest.mark.foreign]

RUNNER = Path(__file__).parent / "run_tap_salesforce.py"
DAY = re.compile(r"\d{4}-\d\d-\d\d(T|$)")
NUMBER = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d+)?")
COMPUTED = {"BillingAddress", "ShippingAddress", "PersonMailingAddress", "Parent_Rating__c", "Account_Terms__c",
            "Outstanding__c"}  # fmt: skip
"""Compound and formula fields: read, but stored nowhere."""


@pytest.fixture(scope="session")
def tap_python(python_with: Callable[[str], Path]) -> Path:
    """The Python of an environment with the pinned tap."""
    return python_with("tap-salesforce-2.8.1")


def plain(value: Any) -> Any:
    """A value as both sides can agree on it: numbers by value, times (UTC on both sides) to the second."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(str(value))
    if isinstance(value, str) and DAY.match(value):
        return f"{value}T00:00:00"[:19]
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Decimal(value)
    return value


@pytest.mark.parametrize("api_type", ["REST", "BULK"])
def test_it_discovers_and_syncs_accounts_and_opportunities_as_they_are_stored(
    served: Any, run_command: Callable[..., Any], tap_python: Path, tmp_path: Path, api_type: str
) -> None:
    served.sandbox.edit("salesforce", {"action": "bulk_jobs", "seconds": 0})  # it looks every 20 s
    config, catalog_file = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(
        json.dumps(
            {
                "client_id": credentials.SALESFORCE_CLIENT_ID,
                "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
                "refresh_token": credentials.SALESFORCE_REFRESH_TOKEN,
                "start_date": "2000-01-01T00:00:00Z",
                "api_type": api_type,
                "select_fields_by_default": "true",
            }
        )
    )
    environment = {**os.environ, "SANDBOX_URL": served.url, "NO_PROXY": "127.0.0.1"}
    tap = (tap_python, RUNNER, "--config", config)

    catalog = json.loads(run_command(*tap, "--discover", timeout_s=120, env=environment).stdout)
    streams = {stream["stream"]: stream for stream in catalog["streams"]}
    assert {"Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem", "Product2"} <= set(streams)
    for name in ("Account", "Opportunity"):
        root = next(entry["metadata"] for entry in streams[name]["metadata"] if not entry["breadcrumb"])
        assert root["valid-replication-keys"] == ["SystemModstamp"]
        root["selected"] = True
    catalog_file.write_text(json.dumps(catalog))

    lines = run_command(
        *tap, "--properties", catalog_file, timeout_s=300, env=environment
    ).stdout.splitlines()
    messages = [json.loads(line, parse_float=Decimal) for line in lines]
    for name in ("Account", "Opportunity"):
        records = {
            message["record"]["Id"]: message["record"]
            for message in messages
            if message["type"] == "RECORD" and message["stream"] == name
        }
        rows = {row["Id"]: row for row in served.records("salesforce", name)}
        assert set(records) == set(rows), "deleted rows too: this tap asks for them"
        for row_id, row in rows.items():
            record = records[row_id]
            assert set(record) - set(row) <= COMPUTED
            differences = {
                field: (value, record.get(field))
                for field, value in row.items()
                if plain(value) != plain(record.get(field))
            }
            assert not differences, row_id
    state = [message["value"] for message in messages if message["type"] == "STATE"][-1]
    assert set(state["bookmarks"]) == {"Account", "Opportunity"}
