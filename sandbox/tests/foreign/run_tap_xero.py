"""Runs tap-xero, unmodified, with its hard-coded hosts pointed at the sandbox (`SANDBOX_URL`)."""

from __future__ import annotations

import os
from typing import Any

import requests
from tap_xero import main

send = requests.Session.send
HOSTS = ("https://identity.xero.com", "https://api.xero.com")


def send_to_sandbox(
    session: requests.Session, request: requests.PreparedRequest, **options: Any
) -> requests.Response:
    for host in HOSTS:
        request.url = str(request.url).replace(host, os.environ["SANDBOX_URL"])
    return send(session, request, **options)


requests.Session.send = send_to_sandbox  # type: ignore[method-assign, assignment]
main()
