"""An org to talk to as a client would: requests in, JSON out, time standing still unless moved."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from ikaroa_sandbox.core import Clock, Headers, Request, Response, Variants, World
from ikaroa_sandbox.salesforce import RULES, SalesforceBackend

START = datetime(2026, 11, 2, 9, tzinfo=timezone.utc)
BASE = "/services/data/v67.0"


@dataclass
class Org:
    """A signed-in client of one simulated org."""

    backend: SalesforceBackend
    world: World
    token: str = ""

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, query: str = ""
    ) -> Response:
        """One request with the access token; a body that is not bytes goes as JSON."""
        raw = (
            body
            if isinstance(body, bytes)
            else b""
            if body is None
            else json.dumps(body, default=float).encode()
        )
        merged = {"Host": "localhost:8790", "Authorization": f"Bearer {self.token}", **(headers or {})}
        if raw and "Content-Type" not in merged:
            merged["Content-Type"] = "application/json"
        full = path if path.startswith("/services") else f"{BASE}/{path}"
        return self.backend.handle(Request(method, quote(full, safe="/%"), query, Headers(merged), raw))

    def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        response = self.send("GET", path, None, headers, urlencode(params))
        assert response.status == 200, response.body.decode()
        return load(response)

    def query(self, soql: str, path: str = "query", headers: dict[str, str] | None = None) -> Any:
        """The answer to a query that must succeed."""
        return self.get(path, headers, q=soql)

    def records(self, soql: str, path: str = "query") -> list[dict[str, Any]]:
        """The records of a query, `attributes` taken away."""
        return [plain(one) for one in self.query(soql, path)["records"]]

    def column(self, soql: str, path: str = "query") -> list[Any]:
        """The values of a query's first field."""
        return [next(iter(row.values())) for row in self.records(soql, path)]

    def refused(self, soql: str, path: str = "query") -> dict[str, Any]:
        """The error of a query that must fail."""
        response = self.send("GET", path, query=urlencode({"q": soql}))
        assert response.status != 200, response.body.decode()
        return error(response)

    def edit(self, action: str, **details: Any) -> dict[str, Any]:
        """A person's hand."""
        return self.backend.edit({"action": action, **details})

    def make(self, kind: str, **fields: Any) -> str:
        """A record made by a person; returns its id."""
        return str(self.edit("insert", object=kind, fields=fields)["id"])

    def change(self, kind: str, record: str, **fields: Any) -> None:
        """A record changed by a person."""
        self.edit("update", object=kind, id=record, fields=fields)

    def one(self, kind: str, record: str, *fields: str) -> Any:
        """One record's fields (a single value for a single field), deleted or not."""
        found = self.records(f"SELECT {', '.join(fields)} FROM {kind} WHERE Id = '{record}'", "queryAll")
        assert len(found) == 1
        return found[0] if len(fields) > 1 else found[0][fields[0]]

    @staticmethod
    def load(response: Response) -> Any:
        """The JSON of an answer, numbers exact."""
        return load(response)

    @staticmethod
    def error(response: Response) -> dict[str, Any]:
        """The one error of an answer, with its status."""
        return error(response)

    def sign_in(self, form: dict[str, str], headers: dict[str, str] | None = None) -> Response:
        """A request for a token."""
        merged = Headers(
            {"Host": "localhost:8790", "Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        )
        return self.backend.handle(
            Request("POST", "/services/oauth2/token", "", merged, urlencode(form).encode())
        )

    def pass_time(self, seconds: float) -> None:
        """Moves the clock."""
        self.world.clock.advance(seconds)

    def choose(self, rule: str, variant: str) -> None:
        """Puts a variant of a rule in force."""
        self.world.variants.choose(f"salesforce.{rule}", variant)


def load(response: Response) -> Any:
    """The JSON of an answer, numbers exact."""
    return json.loads(response.body, parse_float=Decimal)


def error(response: Response) -> dict[str, Any]:
    """The one error of an answer, with its status."""
    found = load(response)
    assert isinstance(found, list)
    assert len(found) == 1
    return {**found[0], "status": response.status}


def plain(value: Any) -> Any:
    """A record without `attributes`, all the way down."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "attributes"}
    return [plain(item) for item in value] if isinstance(value, list) else value


def sign_in(backend: SalesforceBackend, world: World) -> Org:
    form = "grant_type=client_credentials&client_id=sandbox-salesforce-client&client_secret=sandbox-salesforce-secret"
    answer = backend.handle(
        Request(
            "POST", "/services/oauth2/token", headers=Headers({"Host": "localhost:8790"}), body=form.encode()
        )
    )
    return Org(backend, world, load(answer)["access_token"])


def new_world() -> World:
    return World(Clock(START), Variants(RULES), random.Random(1))


@pytest.fixture(scope="session")
def _signed_up() -> object:
    return SalesforceBackend(new_world()).save()


@pytest.fixture
def org(_signed_up: object) -> Org:
    """An org after signing up: set-up, no records."""
    world = new_world()
    return sign_in(SalesforceBackend(world, _signed_up), world)


@pytest.fixture(scope="session")
def _seeded() -> Callable[[str], tuple[World, SalesforceBackend, object]]:
    made: dict[str, tuple[World, SalesforceBackend, object]] = {}

    def give(profile: str) -> tuple[World, SalesforceBackend, object]:
        if profile not in made:
            world = new_world()
            backend = SalesforceBackend(world)
            backend.seed(1, profile)
            made[profile] = (world, backend, backend.save())
        return made[profile]

    return give


@pytest.fixture
def seeded(_seeded: Callable[[str], tuple[World, SalesforceBackend, object]]) -> Org:
    """The default org, seed 1."""
    _, _, saved = _seeded("default")
    world = new_world()
    return sign_in(SalesforceBackend(world, saved), world)


@pytest.fixture(scope="session")
def dumps(
    _seeded: Callable[[str], tuple[World, SalesforceBackend, object]],
) -> Callable[[str], dict[str, Any]]:
    """What a profile's org holds, by profile: dumped once, for tests that only look."""
    made: dict[str, dict[str, Any]] = {}

    def give(profile: str) -> dict[str, Any]:
        if profile not in made:
            _, backend, saved = _seeded(profile)
            backend.restore(saved)
            made[profile] = backend.dump()["objects"]
        return made[profile]

    return give


@dataclass
class Shop:
    """A product in the standard price book, and an account to sell to."""

    org: Org
    account: str
    book: str
    product: str
    entry: str

    def deal(self, **fields: Any) -> str:
        """An open opportunity of the account."""
        wanted = {
            "Name": "Deal",
            "StageName": "Prospecting",
            "CloseDate": "2026-12-01",
            "AccountId": self.account,
        }
        return self.org.make("Opportunity", **{**wanted, **fields})

    def line(self, deal: str, **fields: Any) -> str:
        """A line of a deal."""
        wanted = {"OpportunityId": deal, "PricebookEntryId": self.entry, "Quantity": 1}
        return self.org.make("OpportunityLineItem", **{**wanted, **fields})


@pytest.fixture
def shop(org: Org) -> Shop:
    account = org.make("Account", Name="Alderbrook Ltd")
    book = org.column("SELECT Id FROM Pricebook2 WHERE IsStandard = true")[0]
    product = org.make("Product2", Name="Widget", ProductCode="W-1", IsActive=True)
    entry = org.make(
        "PricebookEntry", Product2Id=product, Pricebook2Id=book, UnitPrice="100.00", IsActive=True
    )
    return Shop(org, account, book, product, entry)
