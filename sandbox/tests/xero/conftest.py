"""A Xero half of its own for each test, and a client that speaks to it as bytes over HTTP would."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from ikaroa_sandbox.core import Clock, Headers, Request, Response, Variants, World
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES

START = datetime(2026, 11, 2, 9, tzinfo=timezone.utc)
API = "/api.xro/2.0"
BASIC = "Basic " + base64.b64encode(b"sandbox-xero-client:sandbox-xero-secret").decode()


@dataclass(frozen=True)
class Answer:
    """A response with its JSON read."""

    status: int
    headers: Headers
    body: bytes
    effects: list[dict[str, Any]]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def messages(self) -> list[str]:
        """Every validation message, of a 400 or of elements."""
        content = self.json
        elements = content.get("Elements") or next((v for v in content.values() if isinstance(v, list)), [])
        return [error["Message"] for element in elements for error in element.get("ValidationErrors", [])]


class XeroClient:
    """Sends requests to a backend with a token that may do everything."""

    def __init__(self, backend: XeroBackend) -> None:
        self.backend = backend
        self.token: str | None = None

    def raw(
        self, method: str, path: str, query: str = "", body: bytes = b"", in_flight: int = 1, **headers: str
    ) -> Answer:
        named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        response: Response = self.backend.handle(Request(method, path, query, named, body, in_flight))
        return Answer(response.status, Headers(response.headers), response.body, response.effects)

    def sign_in(self, form: Mapping[str, str] | None = None) -> Answer:
        sent = urlencode(form or {"grant_type": "client_credentials"}).encode()
        answer = self.raw("POST", "/connect/token", body=sent, Authorization=BASIC)
        if answer.status == 200:
            self.token = answer.json["access_token"]
        return answer

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        in_flight: int = 1,
        **params: Any,
    ) -> Answer:
        if self.token is None:
            self.sign_in()
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", **(headers or {})}
        return self.raw(method, f"{API}/{path}", urlencode(params), sent, in_flight, **named)

    def get(self, path: str, **params: Any) -> Answer:
        return self.call("GET", path, **params)

    def put(self, path: str, body: Any, **params: Any) -> Answer:
        return self.call("PUT", path, body, **params)

    def post(self, path: str, body: Any, **params: Any) -> Answer:
        return self.call("POST", path, body, **params)

    def edit(self, action: str, **details: Any) -> dict[str, Any]:
        return self.backend.edit({"action": action, **details})

    def contact(self, name: str, **fields: Any) -> dict[str, Any]:
        """A new contact."""
        answer = self.put("Contacts", {"Contacts": [{"Name": name, **fields}]})
        assert answer.status == 200, answer.body
        return answer.json["Contacts"][0]


@pytest.fixture
def variants() -> Variants:
    return Variants(RULES)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def make_xero(clock: Clock, variants: Variants) -> Callable[[int], XeroBackend]:
    """Backends of one clock and one set of variants."""
    return lambda seed: XeroBackend(World(clock, variants, random.Random(seed)))


@pytest.fixture
def backend(make_xero: Callable[[int], XeroBackend]) -> XeroBackend:
    """An organisation with its settings and no records."""
    return make_xero(1)


@pytest.fixture
def xero(backend: XeroBackend) -> XeroClient:
    """A client of that organisation."""
    return XeroClient(backend)
