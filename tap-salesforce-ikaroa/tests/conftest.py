"""One seeded sandbox for all tests, put back before each; and a tap that talks to it in process."""

from __future__ import annotations

import copy
import io
import json
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import START, Sandbox
from ikaroa_sandbox.core import Clock
from ikaroa_sandbox.journal import Exchange
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa
from tap_salesforce_ikaroa.writer import WholeLineWriter

ADDRESS = "http://127.0.0.1:8790"
LEADS = 253
CONFIG: dict[str, Any] = {
    "login_url": ADDRESS,
    "client_id": credentials.SALESFORCE_CLIENT_ID,
    "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
}


@dataclass
class Run:
    """What one run of the tap wrote, and how it ended."""

    tap: TapSalesforceIkaroa
    lines: list[dict[str, Any]]
    text: str
    error: Exception | None = None
    pauses: list[float] = field(default_factory=list)

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for line in self.lines:
            if line["type"] == "RECORD":
                found.setdefault(line["stream"], []).append(line["record"])
        return found

    def of(self, stream: str) -> list[dict[str, Any]]:
        return self.records.get(stream, [])

    def by_id(self, stream: str) -> dict[str, dict[str, Any]]:
        return {record["Id"]: record for record in self.of(stream)}

    @property
    def counts(self) -> dict[str, int]:
        return {stream: len(records) for stream, records in self.records.items()}

    @property
    def states(self) -> list[dict[str, Any]]:
        return [line["value"] for line in self.lines if line["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1] if self.states else {}

    @property
    def bookmarks(self) -> dict[str, dict[str, Any]]:
        return self.state["bookmarks"]

    def schema(self, stream: str) -> dict[str, Any]:
        return next(
            line["schema"] for line in self.lines if line["type"] == "SCHEMA" and line["stream"] == stream
        )

    @property
    def calls(self) -> Counter[str]:
        return Counter({purpose.value: count for purpose, count in self.tap.client.quota.calls.items()})


class Org:
    """The simulated org, and the hands of a person in it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def edit(self, action: str, **keys: Any) -> dict[str, Any]:
        return self.sandbox.edit("salesforce", {"action": action, **keys})

    def insert(self, object_name: str, **fields: Any) -> str:
        return str(self.edit("insert", object=object_name, fields=fields)["id"])

    def update(self, object_name: str, row_id: str, **fields: Any) -> None:
        self.edit("update", object=object_name, id=row_id, fields=fields)

    def fault(self, do: str, **keys: Any) -> None:
        self.sandbox.faults.add({"do": do, "system": "salesforce", **keys})

    def rows(self, object_name: str, *, deleted: bool = False) -> dict[str, dict[str, Any]]:
        rows = self.sandbox.dump("salesforce")["objects"][object_name]
        return {row["Id"]: row for row in rows if deleted or not row.get("IsDeleted")}

    def advance(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)

    @property
    def exchanges(self) -> list[Exchange]:
        return [entry for entry in self.sandbox.journal if entry.system == "salesforce"]


def run_tap(
    sandbox: Sandbox,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    expect: type[Exception] | None = None,
    *,
    may_fail: bool = False,
    **settings: Any,
) -> Run:
    """One run of the tap against the sandbox, in process; `expect` is the error it must, or may, end with."""
    pauses: list[float] = []

    class Tap(TapSalesforceIkaroa):
        http_adapter = SandboxAdapter(sandbox, spend_time=False)
        sleep = staticmethod(pauses.append)

    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    error: Exception | None = None
    with redirect_stdout(out):
        tap = Tap(config={**CONFIG, **settings}, state=copy.deepcopy(state), catalog=copy.deepcopy(catalog))
        try:
            tap.run()
        except Exception as caught:
            if expect is None or not isinstance(caught, expect):
                raise
            error = caught
    assert expect is None or may_fail or error is not None, f"the run was expected to end with {expect}"
    out.seek(0)
    text = out.read()
    lines = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
    return Run(tap, lines, text, error, pauses)


@dataclass
class Seeded:
    """The sandbox before and after a first run of the tap, and that run."""

    sandbox: Sandbox
    fresh: object
    first: Run
    later: object


def small_org() -> Sandbox:
    """Some of everything, made over the days before the sandbox's usual start, each row at its own moment."""
    org = Org(Sandbox(clock=Clock(START - timedelta(days=18))))

    def insert(object_name: str, **fields: Any) -> str:
        org.advance(3571)
        return org.insert(object_name, **fields)

    book = next(iter(org.rows("Pricebook2")))
    prices = []
    for n in range(6):
        product = insert(
            "Product2", Name=f"Widget {n}", ProductCode=f"W-{n}", IsActive=True, Account_Code__c="200"
        )
        price = {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 10 + n, "IsActive": True}
        prices.append(insert("PricebookEntry", **price, CurrencyIsoCode="GBP"))
    for n in range(20):
        account = insert("Account", Name=f"Müller & Söhne {n}", Payment_Terms__c="NET30")
        for k in range(2):
            insert(
                "Contact", LastName=f"Person {n}.{k}", AccountId=account, Email=f"p{n}.{k}@customer.example"
            )
        deal = {
            "Name": f"Deal {n}",
            "StageName": "Prospecting",
            "CloseDate": "2026-12-01",
            "Pricebook2Id": book,
        }
        for k in range(2):
            with_account = {"AccountId": account} if k else {}
            opportunity = insert(
                "Opportunity", **deal, **with_account, CurrencyIsoCode="GBP", PO_Number__c=f"PO-{n}"
            )
            for line in range(n % 4):
                entry = {"PricebookEntryId": prices[line], "Quantity": line + 1, "UnitPrice": "9.50"}
                insert("OpportunityLineItem", OpportunityId=opportunity, **entry)
    for n in range(LEADS):
        insert("Lead", LastName=f"Lead {n}", Company=f"Company {n}")
    org.advance((START - org.sandbox.clock.now()).total_seconds())
    return org.sandbox


@pytest.fixture(scope="session")
def seeded() -> Seeded:
    sandbox = small_org()
    fresh = sandbox.save()
    first = run_tap(sandbox)
    sandbox.clock.advance(3600)
    return Seeded(sandbox, fresh, first, sandbox.save())


@pytest.fixture
def org(seeded: Seeded) -> Org:
    """The org as it was seeded."""
    seeded.sandbox.restore(seeded.fresh)
    return Org(seeded.sandbox)


@pytest.fixture
def first(seeded: Seeded, org: Org) -> Run:
    """A first run over the org; shared, so not to be changed."""
    return seeded.first


@pytest.fixture
def state(seeded: Seeded, org: Org) -> dict[str, Any]:
    """STATE after a first run, an hour ago; the org is set to now."""
    org.sandbox.restore(seeded.later)
    return copy.deepcopy(seeded.first.state)


Sync = Callable[..., Run]


@pytest.fixture
def sync(org: Org) -> Sync:
    """Runs the tap against the org: `sync(state, catalog=…, expect=SomeError, **settings)`."""
    return lambda state=None, **more: run_tap(org.sandbox, state, **more)


@pytest.fixture
def cut(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> Sync:
    """Runs the tap as `sync` does, and ends it after so many batches: `cut(3, state, **settings)`."""

    def run(batches: int, *given: Any, **settings: Any) -> Run:
        write, written = WholeLineWriter.write_batch, []

        def count(self: WholeLineWriter, *batch: Any) -> None:
            write(self, *batch)
            written.append(1)
            if len(written) == batches:
                raise TapError("cut")

        with monkeypatch.context() as patch:
            patch.setattr(WholeLineWriter, "write_batch", count)
            return sync(*given, expect=TapError, **settings)

    return run


@pytest.fixture
def discover(org: Org) -> Callable[..., dict[str, Any]]:
    """Runs discovery; gives the catalog."""

    def run(**settings: Any) -> dict[str, Any]:
        class Tap(TapSalesforceIkaroa):
            http_adapter = SandboxAdapter(org.sandbox, spend_time=False)

        return json.loads(json.dumps(Tap(config={**CONFIG, **settings}, setup_mapper=False).catalog_dict))

    return run


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What the tap has logged so far, as text."""
    caplog.set_level(logging.INFO, logger="tap-salesforce-ikaroa")
    return lambda: "\n".join(record.getMessage() for record in caplog.records)


@pytest.fixture(scope="session")
def empty() -> tuple[Org, object]:
    """An org without records, and how to put it back."""
    sandbox = Sandbox()
    return Org(sandbox), sandbox.save()


@pytest.fixture(scope="session")
def tap_on() -> Sync:
    """Runs the tap against any sandbox: `tap_on(sandbox, state, …)`."""
    return run_tap
