"""pyxero 0.9.5, unmodified: it refreshes its token, writes in XML, pays, notes and filters here.

Xero takes XML bodies as well as JSON (Xero developer docs, requests and responses); pyxero writes XML and reads JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ikaroa_sandbox import credentials

pytestmark = [pytest.mark.e2e, pytest.mark.foreign]

RUNNER = Path(__file__).with_name("run_pyxero.py")
SCOPES = "offline_access accounting.contacts accounting.invoices accounting.payments accounting.settings"


def test_it_writes_contacts_invoices_payments_and_notes_and_finds_them_again(
    served: Any, run_command: Callable[..., Any], python_with: Callable[[str], Path]
) -> None:
    signing_in = {
        "client_id": credentials.XERO_CLIENT_ID,
        "client_secret": credentials.XERO_CLIENT_SECRET,
        "token": {"access_token": "long gone", "refresh_token": credentials.XERO_REFRESH_TOKEN, "token_type": "Bearer"},
        "scope": SCOPES.split(),
    }  # fmt: skip
    environment = {
        **os.environ, "SANDBOX_URL": served.url, "NO_PROXY": "127.0.0.1", "OAUTHLIB_RELAX_TOKEN_SCOPE": "1",
    }  # fmt: skip
    python = python_with("pyxero-0.9.5")
    told = json.loads(
        run_command(python, RUNNER, timeout_s=60, env=environment, input=json.dumps(signing_in)).stdout
    )

    assert told["refresh_token"] != credentials.XERO_REFRESH_TOKEN, "it was given a rotated one"
    (contact,) = [row for row in served.records("xero", "Contacts") if row["ContactID"] == told["contact"]]
    assert (contact["Name"], contact["ContactNumber"]) == ("Zoë & Söhne", "C-77")
    assert "must be unique across all active contacts" in told["refused"][0]
    assert told["named"] == ["C-77"]

    (invoice,) = [row for row in served.records("xero", "Invoices") if row["InvoiceID"] == told["invoice"]]
    (line,) = invoice["LineItems"]
    assert (Decimal(line["UnitAmount"]), line["Tracking"][0]["Option"]) == (Decimal("12.3456"), "North")
    assert told["reference"] == invoice["Reference"] == "changed"
    assert Decimal(told["due"]) == Decimal(invoice["Total"]) - 10 == Decimal(invoice["AmountDue"])
    assert told["paid_in_part"] == [told["invoice"]]
    assert told["since"] == len(served.records("xero", "Invoices"))
    assert "A note" in told["history"]
