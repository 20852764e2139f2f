"""Live runs against the sandbox's Pub/Sub API, over its socket: what is given out is what the org holds."""

from __future__ import annotations

import copy
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.salesforce.pubsub import serve_pubsub_in_thread
from ikaroa_sandbox.salesforce.pubsub.server import PubSubServer
from ikaroa_sandbox.salesforce.pubsub.subscription import Subscription
from ikaroa_sandbox.server import serve_in_thread
from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.live.session import LiveSession
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa
from tap_salesforce_ikaroa.writer import WholeLineWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.e2e

CONFIG = {
    "login_url": "http://127.0.0.1:8790",
    "client_id": "sandbox-salesforce-client",
    "client_secret": "sandbox-salesforce-secret",
    "mode": "live",
    "streams_to_discover": ["Account", "Opportunity", "Lead"],
}
CHILDREN = {"Account": "Contacts", "Opportunity": "OpportunityLineItems"}
SEEDS = range(int(os.environ.get("LIVE_HISTORIES", "3")))


class House:
    """An org that a person works in, with its change events on a socket."""

    def __init__(self, sandbox: Sandbox, endpoint: str) -> None:
        self.sandbox, self.endpoint = sandbox, endpoint
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

        config = {**CONFIG, "pubsub_endpoint": house.endpoint, "poll_interval_seconds": 1000, **settings}
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


def differences(house: House, kept: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """How what was given out differs from the org."""
    found = []
    for stream in ("Account", "Opportunity", "Lead"):
        there = house.rows(stream)
        held = {row_id: row for row_id, row in kept.get(stream, {}).items() if not row.get("IsDeleted")}
        found += [f"{stream} {row_id}: only on one side" for row_id in there.keys() ^ held.keys()]
        for row_id in there.keys() & held.keys():
            if there[row_id].get("Description") != held[row_id].get("Description"):
                found.append(f"{stream} {row_id}: an old version")
            if stream in CHILDREN:
                found += _child_differences(house, stream, row_id, held[row_id])
    return found


def _child_differences(house: House, stream: str, root: str, record: dict[str, Any]) -> list[str]:
    name, link = {
        "Account": ("Contact", "AccountId"),
        "Opportunity": ("OpportunityLineItem", "OpportunityId"),
    }[stream]
    there = {
        row_id: row.get("Description") for row_id, row in house.rows(name).items() if row.get(link) == root
    }
    held = {row["Id"]: row.get("Description") for row in record[CHILDREN[stream]]}
    return [f"{stream} {root}: its {name} rows differ"] if there != held else []


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


# --- following ---------------------------------------------------------------------------------------------------


def test_what_people_do_comes_without_a_poll(house, live):
    one = live().ready()
    account, other, contact = house.accounts[0], house.accounts[1], house.contacts[0]

    house.update("Account", account, Description="new")
    one.until(lambda: one.record("Account", account).get("Description") == "new")
    lead = house.insert("Lead", LastName="L", Company="C")
    one.until(lambda: one.record("Lead", lead))
    house.update("Contact", contact, AccountId=other)
    one.until(lambda: contact in [row["Id"] for row in one.record("Account", other)["Contacts"]])
    one.until(lambda: contact not in [row["Id"] for row in one.record("Account", account)["Contacts"]])
    house.edit("hard_delete", object="OpportunityLineItem", id=house.lines[0])
    one.until(lambda: len(one.record("Opportunity", house.deals[0])["OpportunityLineItems"]) == 1)
    house.edit("delete", object="Lead", id=house.leads[0])
    one.until(lambda: one.record("Lead", house.leads[0])["IsDeleted"] is True)
    house.edit("undelete", object="Lead", id=house.leads[0])
    one.until(lambda: one.record("Lead", house.leads[0])["IsDeleted"] is False)
    house.edit("hard_delete", object="Lead", id=house.leads[1])
    one.until(lambda: one.record("Lead", house.leads[1])["IsDeleted"] is True)

    assert one.calls("changes") == 1, "no poll was needed"
    one.end()
    assert differences(house, one.kept) == []


def test_state_follows_the_records_it_stands_for(house, live):
    one = live().ready()
    before = one.state["bookmarks"]["Lead"].get("live")
    house.update("Lead", house.leads[0], Description="new")
    one.until(lambda: one.state["bookmarks"]["Lead"].get("live") != before)
    place_at = next(n for n, line in enumerate(one.lines) if '"live"' in json.dumps(line))
    record_at = next(n for n, line in enumerate(one.lines) if '"Description": "new"' in json.dumps(line))
    assert record_at < place_at


def test_a_change_during_the_first_pass_is_not_lost(house, live):
    change = {
        "system": "salesforce",
        "action": "update",
        "object": "Account",
        "id": house.accounts[0],
        "fields": {"Description": "meanwhile"},
    }
    house.fault("edit", edit=change, path="query", query="FROM Opportunity")
    one = live(patient=True)
    one.until(lambda: one.record("Account", house.accounts[0]).get("Description") == "meanwhile")
    assert one.calls("changes") == 1, "no poll was needed"


def test_a_change_before_salesforce_has_taken_the_subscription_is_found_by_a_poll(house, live, monkeypatch):
    busy, listen = threading.Event(), PubSubServer._listen
    monkeypatch.setattr(PubSubServer, "_listen", lambda *given: (busy.wait(15), listen(*given)))
    one = live(poll_interval_seconds=1)
    one.until(lambda: one.session._agenda._entries)
    house.update("Account", house.accounts[0], Description="meanwhile")
    busy.set()
    one.until(lambda: one.record("Account", house.accounts[0]).get("Description") == "meanwhile")


def test_what_is_told_twice_is_written_once(house, live):
    one = live().ready()
    house.update("Lead", house.leads[0], Description="new")
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "new")
    count = one.written
    for kind in ("GAP_UPDATE", "GAP_UPDATE"):
        rereads = one.calls("reread")
        house.edit("change_event", object="Lead", type=kind, ids=[house.leads[0]])
        one.until(lambda before=rereads: one.calls("reread") > before)
    one.end()
    assert one.written == count


def test_an_overflow_has_the_stream_polled(house, live):
    one = live(poll_interval_seconds=1, safety_poll_seconds=1000).ready()
    one.until(lambda: one.calls("changes") >= 3)
    polls = one.calls("changes")
    house.edit("change_event", object="Lead", type="GAP_OVERFLOW")
    one.until(lambda: one.calls("changes") > polls, 3.5)  # by itself it would come after 4 s


# --- going on ----------------------------------------------------------------------------------------------------


def test_a_run_goes_on_from_the_place_in_state(house, live):
    one = live().ready()
    house.update("Lead", house.leads[0], Description="first")
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "first")
    state = one.end()
    assert state["bookmarks"]["Lead"]["live"]
    house.update("Lead", house.leads[1], Description="while away")
    house.edit("hard_delete", object="OpportunityLineItem", id=house.lines[0])

    two = live(state)
    two.until(lambda: two.record("Lead", house.leads[1]).get("Description") == "while away")
    two.until(lambda: two.state["bookmarks"]["Lead"]["live"] != state["bookmarks"]["Lead"]["live"])
    two.end()
    both = {
        stream: {**one.kept.get(stream, {}), **two.kept.get(stream, {})} for stream in (*one.kept, *two.kept)
    }
    assert differences(house, both) == []


def test_a_place_that_salesforce_has_forgotten_is_made_up_for(house, live, log):
    one = live().ready()
    house.update("Lead", house.leads[0], Description="first")
    one.until(lambda: "live" in one.state["bookmarks"]["Lead"])
    state = one.end()
    house.update("Lead", house.leads[1], Description="while away")
    house.edit("purge_events")

    two = live(state, poll_interval_seconds=1)
    two.until(lambda: "no longer known" in log())
    two.until(lambda: two.record("Lead", house.leads[1]).get("Description") == "while away")
    two.ready()
    house.update("Lead", house.leads[2], Description="after")
    two.until(lambda: two.record("Lead", house.leads[2]).get("Description") == "after")


def test_a_subscription_that_is_cut_is_opened_again(house, live):
    house.fault("503_before", path="PubSub/Subscribe", nth=[1, 2, 3, 4, 5, 6])
    one = live().ready()
    house.update("Lead", house.leads[0], Description="new")
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "new")


def test_an_ended_session_is_renewed(house, live):
    house.fault("expire_tokens", path="PubSub/Subscribe")
    one = live().ready()
    house.update("Lead", house.leads[0], Description="new")
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "new")
    assert one.calls("login") == 2


# --- without events ----------------------------------------------------------------------------------------------


def test_an_object_that_has_no_events_is_noticed_and_polled(house, live, log):
    house.edit("change_data_capture", objects=["Account", "Contact"])
    one = live(poll_interval_seconds=1).ready()
    for n in range(8):
        house.update("Lead", house.leads[0], Description=f"silent {n}")
        one.until(lambda n=n: one.record("Lead", house.leads[0]).get("Description") == f"silent {n}")
        if "records change without events" in log():
            return
    raise AssertionError(log())


def test_without_allowance_it_polls(house, live, log):
    house.edit("event_limits", daily=1)
    one = live(poll_interval_seconds=1, safety_poll_seconds=1000).ready()
    for n in range(4):
        house.update("Lead", house.leads[0], Description=f"{n}")
        one.until(lambda n=n: one.record("Lead", house.leads[0]).get("Description") == f"{n}")
    assert "used up" in log()


def test_an_outbound_message_has_its_record_read_at_once(house, live, tmp_path):
    house.edit("change_data_capture", objects=["Account"])
    spool = tmp_path / "spool"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = live(doorbell_port=port, doorbell_spool_path=str(spool), doorbell_path="/in").ready()
    house.update("Lead", house.leads[0], Description="rung")
    body = f"""<e xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
        <OrganizationId>{one.tap.client.tokens.session().organisation_id}</OrganizationId>
        <Notification><Id>04lSb0000000001AAA</Id><sObject xsi:type="sf:Lead" xmlns:sf="urn:x">
        <sf:Id>{house.leads[0]}</sf:Id></sObject></Notification></notifications></e>"""
    assert requests.post(f"http://127.0.0.1:{port}/in", data=body, timeout=10).status_code == 200
    one.until(lambda: one.record("Lead", house.leads[0]).get("Description") == "rung")
    one.until(lambda: not spool.read_text())
    assert one.calls("changes") == 1, "no poll was needed"


# --- the end -----------------------------------------------------------------------------------------------------


def test_a_session_ends_when_nothing_happens(house, live):
    one = live(live_idle_seconds=1)
    one._thread.join(60)
    assert (one._thread.is_alive(), one.error) == (False, None)


@pytest.mark.parametrize("ending", ["signal", "time"])
def test_a_process_ends_in_good_order(house, tmp_path, ending):
    bound = {"live_max_seconds": 6} if ending == "time" else {}
    with serve_in_thread(house.sandbox) as url:
        config = {**CONFIG, "login_url": url, "pubsub_endpoint": house.endpoint, **bound}
        (tmp_path / "config.json").write_text(json.dumps(config))
        command = [
            sys.executable,
            "-c",
            "from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa as T; T.cli()",
            "--config",
            str(tmp_path / "config.json"),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            said = ""
            while "live: following" not in said:
                said += run.stderr.readline()
            if ending == "signal":
                run.send_signal(signal.SIGTERM)
            out, _ = run.communicate(timeout=30)
    assert run.returncode == (143 if ending == "signal" else 0)
    last = json.loads(out.splitlines()[-1])
    assert last["type"] == "STATE"
    assert set(last["value"]["bookmarks"]) == {"Account", "Lead", "Opportunity"}


# --- histories ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_history_what_was_given_out_is_the_org(house, live, seed):
    dice = random.Random(seed)
    one, kept, state = live(poll_interval_seconds=1), {}, None
    for step in range(60):
        _step(house, dice, step)
        if dice.random() < 0.1:
            house.fault("503_before", path="PubSub/Subscribe")
        if step == 30:
            house.fault("expire_tokens", path="query")
        if dice.random() < 0.05:
            _cut(one, dice)
        if dice.random() < 0.05:
            state = one.ready().end()
            _absorb(kept, one)
            if dice.random() < 0.3:
                house.edit("purge_events")
            one = live(state, poll_interval_seconds=1)
        time.sleep(dice.choice([0, 0, 0.02, 0.1]))
    one.ready()
    one.until(lambda: not differences(house, _absorb(copy.deepcopy(kept), one)))


def _absorb(kept: dict[str, Any], one: Live) -> dict[str, Any]:
    for stream, records in one.kept.items():
        kept.setdefault(stream, {}).update(records)
    return kept


def _cut(one: Live, dice: random.Random) -> None:
    subscriptions = list(one.session._subscriptions.values())
    if subscriptions and (call := dice.choice(subscriptions)._call):
        call.cancel()


def _step(house: House, dice: random.Random, step: int) -> None:
    kind = dice.choice(["Account", "Lead", "Opportunity", *["Contact"] * 3, *["OpportunityLineItem"] * 3])
    rows = list(house.rows(kind))
    action = dice.choice(["update"] * 4 + ["insert", "insert", "delete", "hard_delete"])
    if action == "insert" or not rows:
        accounts, deals = list(house.rows("Account")), list(house.rows("Opportunity"))
        if kind == "Contact" and accounts:
            house.insert(kind, LastName=f"P {step}", AccountId=dice.choice(accounts))
        elif kind == "OpportunityLineItem" and deals:
            house.line(dice.choice(deals))
        elif kind == "Lead":
            house.insert(kind, LastName=f"L {step}", Company="C")
        elif kind == "Account":
            house.insert(kind, Name=f"A {step}")
        else:
            house.insert("Opportunity", Name=f"D {step}", **house.deal)
        return
    row = dice.choice(rows)
    if action == "update":
        fields: dict[str, Any] = {"Description": f"words {step}"}
        accounts = list(house.rows("Account"))
        if kind == "Contact" and accounts and dice.random() < 0.5:
            fields = {"AccountId": dice.choice(accounts)}
        house.update(kind, row, **fields)
    else:
        house.edit(action, object=kind, id=row)
