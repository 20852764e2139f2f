"""The SDK's own suite, against the simulated org in process."""

from __future__ import annotations

import warnings
from datetime import datetime, timezone

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Clock
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa

# Some fields, such as a latitude, are empty in every record of the simulated org.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available:UserWarning")

SANDBOX = Sandbox(seed=7, clock=Clock(datetime(2026, 11, 2, 9, tzinfo=timezone.utc)))


class InProcess(TapSalesforceIkaroa):
    http_adapter = SandboxAdapter(SANDBOX, spend_time=False)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    TestTap = get_tap_test_class(
        InProcess,
        config={
            "login_url": "http://127.0.0.1:8790",
            "client_id": credentials.SALESFORCE_CLIENT_ID,
            "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
        },
        suite_config=SuiteConfig(max_records_limit=150),
        parse_env_config=False,
    )
