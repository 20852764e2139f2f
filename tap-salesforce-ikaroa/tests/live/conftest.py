"""An org whose change events come over the sandbox's socket, and live runs in a thread."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.salesforce.pubsub import serve_pubsub_in_thread
from ikaroa_sandbox.salesforce.pubsub.subscription import Subscription
from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.live.session import LiveSession
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa
from tap_salesforce_ikaroa.writer import WholeLineWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = {
    "login_url": "http://127.0.0.1:8790",
    "client_id": "sandbox-salesforce-client",
    "client_secret": "sandbox-salesforce-secret",
    "mode": "live",
    "streams_to_discover": ["Account", "Opportunity", "Lead"],
}
CHILDREN = {"Account": "Contacts", "Opportunity": "OpportunityLineItems"}


class House:
    """An org that a person works in, with its change events on a socket."""

    def __init__(self, sandbox: Sandbox, endpoint: str) -> None:
        self.sandbox = sandbox
        self.config = {**CONFIG, "pubsub_endpoint": endpoint}
        self.begun: Counter[str] = Counter()
        """How often each topic was subscribed to, as the server counts."""
        book = next(iter(self.rows("Pricebook2")))
        product = self.insert("Product2", Name="Widget", IsActive=True)
        price = {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 5, "IsActive": True}
        self.price = self.insert("PricebookEntry", **price, CurrencyIsoCode="GBP")
        self.deal = {
            "StageName": "Prospecting",
            "CloseDate": "2026-12-01",
            "Pricebook2Id": book,
            "CurrencyIsoCode": "GBP",
        }
        self.accounts = [self.insert("Account", Name=f"Account {n}") for n in range(4)]
        self.contacts = [
            self.insert("Contact", LastName=f"Person {n}", AccountId=self.accounts[n % 4]) for n in range(6)
        ]
        self.deals = [self.insert("Opportunity", Name=f"Deal {n}", **self.deal) for n in range(3)]
        self.lines = [self.line(self.deals[n % 3]) for n in range(4)]
        self.leads = [self.insert("Lead", LastName=f"Lead {n}", Company="C") for n in range(3)]
        self.sandbox.clock.advance(3600)

    def line(self, deal: str) -> str:
        entry = {"PricebookEntryId": self.price, "Quantity": 1, "UnitPrice": 0}
        return self.insert("OpportunityLineItem", OpportunityId=deal, **entry)

    def edit(self, action: str, **keys: Any) -> dict[str, Any]:
        self.sandbox.clock.advance(1)
        return self.sandbox.edit("salesforce", {"action": action, **keys})

    def insert(self, name: str, **fields: Any) -> str:
        return str(self.edit("insert", object=name, fields=fields)["id"])

    def update(self, name: str, row_id: str, **fields: Any) -> None:
        self.edit("update", object=name, id=row_id, fields=fields)

    def rows(self, name: str, *, deleted: bool = False) -> dict[str, dict[str, Any]]:
        rows = self.sandbox.dump("salesforce")["objects"][name]
        return {row["Id"]: row for row in rows if deleted or not row.get("IsDeleted")}

    def fault(self, do: str, **keys: Any) -> None:
        self.sandbox.faults.add({"do": do, "system": "salesforce", **keys})

    def differences(self, kept: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
        """How what was given out differs from the org."""
        found = []
        for stream in ("Account", "Opportunity", "Lead"):
            there = self.rows(stream)
            held = {row_id: row for row_id, row in kept.get(stream, {}).items() if not row.get("IsDeleted")}
            found += [f"{stream} {row_id}: only on one side" for row_id in there.keys() ^ held.keys()]
            for row_id in there.keys() & held.keys():
                if there[row_id].get("Description") != held[row_id].get("Description"):
                    found.append(f"{stream} {row_id}: an old version")
                if stream in CHILDREN:
                    found += self._child_differences(stream, row_id, held[row_id])
        return found

    def _child_differences(self, stream: str, root: str, record: dict[str, Any]) -> list[str]:
        name, link = {
            "Account": ("Contact", "AccountId"),
            "Opportunity": ("OpportunityLineItem", "OpportunityId"),
        }[stream]
        there = {
            row_id: row.get("Description") for row_id, row in self.rows(name).items() if row.get(link) == root
        }
        held = {row["Id"]: row.get("Description") for row in record[CHILDREN[stream]]}
        return [f"{stream} {root}: its {name} rows differ"] if there != held else []


class Live:
    """A live run in a thread, and what it has written."""

    def __init__(
        self, house: House, state: dict[str, Any] | None = None, *, patient: bool = False, **settings: Any
    ) -> None:
        """`patient`: the first pass begins when Salesforce has taken all subscriptions, which it does not tell."""
        self.house, self._begun_before = house, house.begun.copy()
        self.lines: list[dict[str, Any]] = []
        self.error: BaseException | None = None
        lines = self.lines

        class Writer(WholeLineWriter):
            def write_message(self, message: Any) -> None:
                lines.append(json.loads(self.format_message(message)))

            def _guarded(self, text: bytes) -> None:
                lines.extend(json.loads(line) for line in text.splitlines())

        live = self

        class Tap(TapSalesforceIkaroa):
            message_writer_class = Writer

            def sync_all(self) -> None:
                if patient:
                    live.until(live._is_listening)
                super().sync_all()

            http_adapter = SandboxAdapter(house.sandbox, spend_time=False)
            sleep = staticmethod(lambda seconds: time.sleep(0.001))

        config = {**house.config, "poll_interval_seconds": 1000, **settings}
        self.tap = Tap(config=config, state=copy.deepcopy(state))
        self.session = LiveSession(self.tap)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.session.run()
        except BaseException as error:  # noqa: BLE001  told by whoever waits
            self.error = error

    def until(self, true: Callable[[], Any], seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while not true():
            assert self.error is None, self.error
            assert time.monotonic() < ends, [line for line in self.lines if line["type"] != "SCHEMA"][-4:]
            time.sleep(0.01)

    def ready(self) -> Live:
        """Waits for the first pass to be over and all topics to listen."""
        self.until(lambda: len(self.session._agenda._entries) == len(self.session._followed))
        self.until(self._is_listening)
        return self

    def _is_listening(self) -> bool:
        return all(
            subscription.refused or self.house.begun[topic] > self._begun_before[topic]
            for topic, subscription in self.session._subscriptions.items()
        )

    def end(self) -> dict[str, Any]:
        """Ends the run; its last STATE."""
        self.session._max_s = 0
        self._thread.join(60)
        assert not self._thread.is_alive()
        assert self.error is None, self.error
        return self.state

    @property
    def state(self) -> dict[str, Any]:
        return next(line["value"] for line in reversed(self.lines) if line["type"] == "STATE")

    @property
    def written(self) -> int:
        return sum(line["type"] == "RECORD" for line in self.lines)

    @property
    def kept(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What a target holds that keeps the last version of each record."""
        kept: dict[str, dict[str, dict[str, Any]]] = {}
        for line in self.lines:
            if line["type"] == "RECORD":
                kept.setdefault(line["stream"], {})[line["record"]["Id"]] = line["record"]
        return kept

    def record(self, stream: str, row_id: str) -> dict[str, Any]:
        return self.kept.get(stream, {}).get(row_id, {})

    def calls(self, purpose: str) -> int:
        return sum(n for key, n in self.tap.client.quota.calls.items() if key.value == purpose)

    def subscription(self, name: str) -> Any:
        return self.session._subscriptions[f"/data/{name}ChangeEvent"]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    sandbox = Sandbox(profile="empty")
    with serve_pubsub_in_thread(sandbox) as endpoint:
        house = House(sandbox, endpoint)
        ask = Subscription.ask

        def counted(subscription: Subscription, *given: Any) -> None:
            is_first = not subscription.topic
            ask(subscription, *given)
            house.begun[subscription.topic] += is_first

        monkeypatch.setattr(Subscription, "ask", counted)
        yield house


@pytest.fixture
def live(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Live]]:
    monkeypatch.setattr(limits, "PULSE_S", 0.02)
    monkeypatch.setattr(limits, "BACKOFF_FIRST_S", 0.05)
    running: list[Live] = []

    def start(state: dict[str, Any] | None = None, **settings: Any) -> Live:
        running.append(Live(house, state, **settings))
        return running[-1]

    yield start
    for one in running:
        one.session._max_s = 0
        one._thread.join(60)
