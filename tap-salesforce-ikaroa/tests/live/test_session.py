"""Live runs against the sandbox's Pub/Sub API, over its socket: what is given out is what the org holds."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests
from ikaroa_sandbox.salesforce.pubsub.server import PubSubServer
from ikaroa_sandbox.server import serve_in_thread
from tap_salesforce_ikaroa.live.events import Hint

pytestmark = pytest.mark.e2e


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
    assert house.differences(one.kept) == []


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


@pytest.mark.parametrize("compared", [False, True])
def test_after_an_overflow_all_is_read_and_the_log_says_whether_ids_are_compared(
    house, live, caplog, tmp_path, compared
):
    caplog.set_level("INFO", logger="tap-salesforce-ikaroa")
    stored = {"full_compare_days": 7, "id_store_path": str(tmp_path / "given.db")} if compared else {}
    one = live(poll_interval_seconds=1, safety_poll_seconds=1000, **stored).ready()
    one.until(lambda: one.calls("changes") >= 3)
    before, counted = one.calls("recheck"), 2 if compared else 1  # all leads, and all their ids
    house.edit("change_event", object="Lead", type="GAP_OVERFLOW")
    one.until(lambda: one.calls("recheck") == before + counted)
    one.end()
    said = [record for record in caplog.records if "change events do not tell all" in record.getMessage()]
    assert [record.levelname for record in said] == ["INFO" if compared else "WARNING"]
    assert ("`id_store_path`" in said[0].getMessage()) is not compared


def test_rows_read_ahead_for_a_poll_are_not_written_after_newer_ones(house, live, monkeypatch):
    one, lead = live().ready(), house.leads[0]
    house.update("Lead", lead, Description="older")
    one.until(lambda: one.record("Lead", lead).get("Description") == "older")
    first, session = one.session._followed[0], one.session
    poll, put, told = first.poll, session._inbox.put, threading.Event()

    def polled():  # the streams' first rows come in one call, with the first stream's; then a lead changes
        found = poll()
        assert "Lead" in one.tap.ahead._pages
        house.update("Lead", lead, Description="newer")
        assert told.wait(30)
        return found

    monkeypatch.setattr(first, "poll", polled)
    monkeypatch.setattr(
        session._inbox, "put", lambda item: (put(item), isinstance(item, Hint) and told.set())
    )
    due = [[each.name for each in session._followed]]
    monkeypatch.setattr(session._agenda, "due", lambda *_: due.pop() if due else [])
    one.until(lambda: not due and one.record("Lead", lead).get("Description") == "newer")
    one.end()
    written = [line["record"] for line in one.lines if line["type"] == "RECORD" and line["stream"] == "Lead"]
    assert [row["Description"] for row in written if row["Id"] == lead][-2:] == ["older", "newer"]
    assert house.differences(one.kept) == []


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
    assert house.differences(both) == []


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
        config = {**house.config, "login_url": url, **bound}
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
