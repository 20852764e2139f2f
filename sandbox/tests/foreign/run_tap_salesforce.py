"""Runs tap-salesforce, unmodified, with its hard-coded login host pointed at the sandbox (`SANDBOX_URL`).

Everything after the login uses the `instance_url` that the login answers with.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import requests
from tap_salesforce import main

ask = requests.Session.request


def ask_sandbox(session: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
    return ask(
        session, method, url.replace("https://login.salesforce.com", os.environ["SANDBOX_URL"]), **options
    )


requests.Session.request = ask_sandbox  # type: ignore[method-assign, assignment]
sys.exit(main())
