"""A Xero organisation spoken to over its API, in process, without limits in the way."""

from __future__ import annotations

import functools
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Clock, Headers, Request, Variants, World
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES

START = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)


@dataclass
class Answer:
    status: int
    content: Any
    headers: dict[str, str]
    effects: list[dict[str, Any]]

    @property
    def messages(self) -> list[str]:
        """Every validation message of a 400."""
        return [
            error["Message"] for element in self.content["Elements"] for error in element["ValidationErrors"]
        ]


@functools.cache
def _seeded(profile: str) -> tuple[object, Any]:
    """The organisation of a profile, and where chance stands then: made once, put back for each test."""
    world = World(Clock(START), Variants(RULES), random.Random(7))
    backend = XeroBackend(world)
    backend.seed(7, profile)
    return backend.save(), backend._chance.getstate()


@dataclass
class Org:
    """The organisation; every call moves the clock by 1.5 seconds, so that no limit is met."""

    profile: str = "default"
    backend: XeroBackend = field(init=False)
    clock: Clock = field(init=False)
    _token: str | None = None

    def __post_init__(self) -> None:
        self.clock = Clock(START)
        self.world = World(self.clock, Variants(RULES), random.Random(7))
        self.backend = XeroBackend(self.world)
        saved, chance = _seeded(self.profile)
        self.backend.restore(saved)
        self.backend._chance.setstate(chance)
        self._token_at = self.clock.now()

    def call(self, method: str, path: str, body: Any = None, query: str = "", **headers: str) -> Answer:
        self.clock.advance(1.5)
        if self._token is None or (self.clock.now() - self._token_at).total_seconds() > 1500:
            self._sign_in()
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **headers}
        raw = b"" if body is None else json.dumps(body, default=str).encode()
        answer = self.backend.handle(Request(method, f"/api.xro/2.0/{path}", query, Headers(sent), raw))
        is_json = "json" in answer.headers.get("Content-Type", "")
        content = json.loads(answer.body, parse_float=Decimal) if is_json else answer.body
        return Answer(answer.status, content, answer.headers, answer.effects)

    def _sign_in(self) -> None:
        form = f"grant_type=client_credentials&client_id={credentials.XERO_CLIENT_ID}&client_secret={credentials.XERO_CLIENT_SECRET}"
        headers = Headers({"Content-Type": "application/x-www-form-urlencoded"})
        answer = self.backend.handle(Request("POST", "/connect/token", "", headers, form.encode()))
        self._token, self._token_at = json.loads(answer.body)["access_token"], self.clock.now()

    def choose(self, rule: str, variant: str) -> None:
        self.world.variants.choose(rule, variant)

    def edit(self, action: str, **details: Any) -> dict[str, Any]:
        return self.backend.edit({"action": action, **details})

    # -- short forms ---------------------------------------------------------------------------------------------------

    def contact(self, name: str = "Old Mill Bakery") -> dict[str, str]:
        rows = self.backend.tenant.store.table("Contacts").rows()
        return {"ContactID": next(row["ContactID"] for row in rows if row["Name"] == name)}

    def invoice_body(self, **fields: Any) -> dict[str, Any]:
        line = {"Description": "Widgets", "Quantity": "2", "UnitAmount": "50.00", "AccountCode": "200"}
        body = {
            "Type": "ACCREC",
            "Contact": self.contact(),
            "Date": "2026-11-02",
            "DueDate": "2026-12-02",
            "LineItems": [line],
            **fields,
        }
        return {name: value for name, value in body.items() if value is not None}

    def put(self, name: str, *elements: dict[str, Any], query: str = "") -> Answer:
        return self.call("PUT", name, {name: list(elements)}, query)

    def put_each(self, name: str, *elements: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.put(name, *elements, query="summarizeErrors=false")
        assert answer.status == 200
        return answer.content[name]

    def post(self, path: str, element: dict[str, Any], query: str = "") -> Answer:
        return self.call("POST", path, element, query)

    def invoice(self, query: str = "", **fields: Any) -> dict[str, Any]:
        """A new invoice, AUTHORISED over 120.00 unless fields say otherwise."""
        answer = self.put("Invoices", self.invoice_body(**{"Status": "AUTHORISED", **fields}), query=query)
        assert answer.status == 200, answer.content
        return answer.content["Invoices"][0]

    def get(self, name: str, key: str, query: str = "") -> dict[str, Any]:
        answer = self.call("GET", f"{name}/{key}", query=query)
        assert answer.status == 200, answer.content
        return answer.content[name][0]

    def pay_body(self, invoice: dict[str, Any], amount: Any, **fields: Any) -> dict[str, Any]:
        return {
            "Invoice": {"InvoiceID": invoice["InvoiceID"]},
            "Account": {"Code": "090"},
            "Date": "2026-11-02",
            "Amount": amount,
            **fields,
        }

    def pay(self, invoice: dict[str, Any], amount: Any, **fields: Any) -> dict[str, Any]:
        answer = self.put("Payments", self.pay_body(invoice, amount, **fields))
        assert answer.status == 200, answer.content
        return answer.content["Payments"][0]

    def credit_note(self, **fields: Any) -> dict[str, Any]:
        """A new credit note, AUTHORISED over 60.00 unless fields say otherwise."""
        line = {"Description": "Return", "Quantity": "1", "UnitAmount": "50.00", "AccountCode": "200"}
        body = {
            "Type": "ACCRECCREDIT",
            "Status": "AUTHORISED",
            "Contact": self.contact(),
            "Date": "2026-11-02",
            "LineItems": [line],
            **fields,
        }
        answer = self.put("CreditNotes", body)
        assert answer.status == 200, answer.content
        return answer.content["CreditNotes"][0]


@pytest.fixture
def org() -> Org:
    """A seeded organisation."""
    return Org()
