"""Runs airbyte-source-salesforce, unmodified, with its hard-coded login host pointed at the sandbox (`SANDBOX_URL`)."""

from __future__ import annotations

import os
from typing import Any

import requests
from source_salesforce.run import run

send = requests.Session.send


def send_to_sandbox(
    session: requests.Session, request: requests.PreparedRequest, **options: Any
) -> requests.Response:
    request.url = str(request.url).replace("https://login.salesforce.com", os.environ["SANDBOX_URL"])
    return send(session, request, **options)


requests.Session.send = send_to_sandbox  # type: ignore[method-assign, assignment]
run()
