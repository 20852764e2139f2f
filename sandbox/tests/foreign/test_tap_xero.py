"""tap-xero 2.6.0, unmodified and in an environment of its own: it discovers here and reads what the organisation holds.

Its hosts are hard-coded, so `run_tap_xero.py` sends its requests here instead; nothing else is touched.
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

RUNNER = Path(__file__).parent / "run_tap_xero.py"
KEYS = {
    "accounts": ("Accounts", "AccountID"),
    "contacts": ("Contacts", "ContactID"),
    "credit_notes": ("CreditNotes", "CreditNoteID"),
    "invoices": ("Invoices", "InvoiceID"),
    "items": ("Items", "ItemID"),
    "payments": ("Payments", "PaymentID"),
    "tracking_categories": ("TrackingCategories", "TrackingCategoryID"),
}
"""Stream -> the sandbox's table and its key."""


def test_it_discovers_and_reads_every_record_and_is_given_a_rotated_token(
    served: Any, run_command: Callable[..., Any], python_with: Callable[[str], Path], tmp_path: Path
) -> None:
    config, catalog_file = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(
        json.dumps(
            {
                "client_id": credentials.XERO_CLIENT_ID,
                "client_secret": credentials.XERO_CLIENT_SECRET,
                "refresh_token": credentials.XERO_REFRESH_TOKEN,
                "tenant_id": served.records("xero", "Organisation")["OrganisationID"],
                "start_date": "2000-01-01T00:00:00Z",
                "include_archived_contacts": "true",
            }
        )
    )
    environment = {**os.environ, "SANDBOX_URL": served.url, "NO_PROXY": "127.0.0.1"}
    tap = (python_with("tap-xero-2.6.0"), RUNNER, "--config", config)

    catalog = json.loads(run_command(*tap, "--discover", timeout_s=120, env=environment).stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = stream["tap_stream_id"] in KEYS
    catalog_file.write_text(json.dumps(catalog))
    lines = run_command(*tap, "--catalog", catalog_file, timeout_s=120, env=environment).stdout.splitlines()

    messages = [json.loads(line) for line in lines]
    for name, (kind, key) in KEYS.items():
        read = [m["record"][key] for m in messages if m["type"] == "RECORD" and m["stream"] == name]
        assert sorted(read) == sorted(row[key] for row in served.records("xero", kind)), name
    # It writes the token that each refresh brings into its own configuration.
    assert json.loads(config.read_text())["refresh_token"] != credentials.XERO_REFRESH_TOKEN
