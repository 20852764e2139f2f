"""Every kind of fault as a `requests` client sees it: the same in process and over sockets, and no effect but the promised one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import START, Sandbox
from ikaroa_sandbox.core import Clock
from ikaroa_sandbox.fault_rules import KINDS
from ikaroa_sandbox.server import serve_in_thread
from ikaroa_sandbox.systems import System

READ_TIMEOUT_S = 0.6


@pytest.fixture(params=["in process", pytest.param("sockets", marks=pytest.mark.e2e)])
def client(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[tuple[requests.Session, str]]:
    with requests.Session() as session:
        session.trust_env = False
        if request.param == "in process":
            session.mount("http://", SandboxAdapter(sandbox))
            yield session, "http://sandbox.example"
        else:
            with serve_in_thread(sandbox) as url:
                yield session, url


def seen(session: requests.Session, url: str, method: str = "POST") -> str:
    """What the client made of one request, in one word."""
    try:
        response = session.request(method, f"{url}/xero-notes/", data=b"a note", timeout=(5, READ_TIMEOUT_S))
    except requests.exceptions.ReadTimeout:
        return "read timeout"
    except requests.exceptions.ChunkedEncodingError:
        return "broken answer"
    except requests.exceptions.ConnectionError as error:
        return "refused" if "refused" in str(error) else "reset"
    if "html" in response.headers.get("Content-Type", ""):
        return f"{response.status_code} html"
    try:
        response.json()
    except ValueError:
        return f"{response.status_code} not json"
    return f"{response.status_code} json"


EXPECTED: dict[str, tuple[str, int]] = {
    "429_minute": ("429 not json", 0),
    "429_day": ("429 not json", 0),
    "429_concurrent": ("429 not json", 0),
    "429_appminute": ("429 not json", 0),
    "500_before": ("500 json", 0),
    "500_after": ("500 json", 1),
    "502_before": ("502 not json", 0),
    "502_after": ("502 not json", 1),
    "503_before": ("503 not json", 0),
    "503_after": ("503 not json", 1),
    "504_before": ("504 not json", 0),
    "504_after": ("504 not json", 1),
    "timeout_before": ("read timeout", 0),
    "timeout_after": ("read timeout", 1),
    "late_commit": ("read timeout", 0),
    "reset_before": ("reset", 0),
    "reset_after": ("reset", 1),
    "reset_mid_body": ("broken answer", 1),
    "reset_after_body": ("200 json", 1),
    "truncated_json": ("200 not json", 1),
    "html_page_before": ("503 html", 0),
    "html_page_after": ("200 html", 1),
    "wrong_content_type": ("200 json", 1),
    "duplicate": ("200 json", 2),
    "slow": ("200 json", 1),
    "expire_tokens": ("200 json", 1),  # this client sends no token; the test below sends one
    "stale": ("200 json", 1),  # a write; reads have a test below
    "edit": ("200 json", 2),
}
"""Kind of fault -> what the client sees of a POST, and how many notes exist afterwards."""

EXTRAS = {"slow": {"seconds": 0.1}, "edit": {"edit": {"system": "xero", "text": "by hand"}}}


def test_the_table_of_expectations_covers_every_kind_of_fault() -> None:
    assert set(EXPECTED) | {"connect_failed"} == set(KINDS)


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_fault_is_seen_as_promised_and_has_the_promised_effect(
    kind: str, client: tuple[requests.Session, str], sandbox: Sandbox
) -> None:
    session, url = client
    sandbox.faults.add({"do": kind, "system": "xero", "method": "POST", **EXTRAS.get(kind, {})})
    saw, notes = EXPECTED[kind]

    assert seen(session, url) == saw
    assert len(sandbox.dump("xero")["notes"]) == notes
    if kind != "stale":
        assert next(entry.fault for entry in sandbox.journal if entry.outcome != "duplicate") == kind

    if kind == "reset_after_body":
        session.close()  # a client that keeps the connection may send on it before it hears of its end
    assert seen(session, url) == "200 json", "the fault strikes once, then the connection works again"
    assert len(sandbox.dump("xero")["notes"]) == notes + 1


def test_a_failed_connection_is_never_sent_in_process_and_cut_on_sockets(
    client: tuple[requests.Session, str], sandbox: Sandbox
) -> None:
    session, url = client
    sandbox.faults.add({"do": "connect_failed"})
    assert seen(session, url) == ("refused" if "example" in url else "reset")
    assert sandbox.dump("xero")["notes"] == []


def test_an_answer_slower_than_the_clients_patience_is_a_read_timeout_after_the_commit(
    client: tuple[requests.Session, str], sandbox: Sandbox
) -> None:
    session, url = client
    sandbox.faults.add({"do": "slow", "seconds": 2})
    assert seen(session, url) == "read timeout"
    assert len(sandbox.dump("xero")["notes"]) == 1


def test_expired_tokens_are_refused_and_new_ones_are_not(
    client: tuple[requests.Session, str], sandbox: Sandbox
) -> None:
    session, url = client
    token = session.post(f"{url}/xero-notes/token").json()["access_token"]
    sandbox.faults.add({"do": "expire_tokens", "nth": 2, "path": "notes/$"})
    headers = {"Authorization": f"Bearer {token}"}
    statuses = [session.get(f"{url}/xero-notes/", headers=headers).status_code for _ in range(3)]
    assert statuses == [200, 401, 401]
    headers = {"Authorization": f"Bearer {session.post(f'{url}/xero-notes/token').json()['access_token']}"}
    assert session.get(f"{url}/xero-notes/", headers=headers).status_code == 200


def test_a_stale_read_shows_the_data_of_before_and_changes_nothing(
    client: tuple[requests.Session, str], sandbox: Sandbox
) -> None:
    session, url = client

    def notes() -> list[str]:
        found: list[str] = session.get(f"{url}/xero-notes/").json()["notes"]
        return found

    sandbox.faults.add({"do": "stale", "method": "GET", "nth": [2, 4], "seconds": 60})
    session.post(f"{url}/xero-notes/", data="first")
    sandbox.clock.advance(50)
    session.post(f"{url}/xero-notes/", data="second")

    assert notes() == ["first", "second"]
    assert notes() == [], "sixty seconds ago there was nothing"
    sandbox.clock.advance(15)
    assert notes() == ["first", "second"]
    assert notes() == ["first"], "the first note is older than a minute by now"
    assert len(sandbox.dump("xero")["notes"]) == 2


def test_a_stale_read_does_not_forget_a_token_given_out_since(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.mount("http://", SandboxAdapter(sandbox))
        sandbox.faults.add({"do": "stale", "every": 1, "method": "GET"})
        session.post("http://s/xero-notes/", data="note")
        sandbox.backends["xero"].expire_tokens()
        token = session.post("http://s/xero-notes/token").json()["access_token"]
        answer = session.get("http://s/xero-notes/", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200


def test_the_platforms_own_shape_is_used_where_it_has_one(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.mount("http://", SandboxAdapter(sandbox))
        sandbox.faults.add({"rules": [{"do": "429_minute"}, {"do": "note_locked"}]})
        first, second = (session.get("http://s/xero-notes/") for _ in range(2))
        assert (first.headers["Retry-After"], first.content) == ("26", b"")
        assert second.json() == {"fault": "note_locked"}


def test_waiting_moves_a_frozen_clock_in_process_and_needs_no_real_time(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.mount("http://", SandboxAdapter(sandbox))
        sandbox.faults.add({"rules": [{"do": "timeout_before"}, {"do": "slow", "seconds": 7}]})
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.get("http://s/xero-notes/", timeout=(5, 100))
        assert (sandbox.clock.now() - START).total_seconds() == 100
        session.get("http://s/xero-notes/", timeout=(5, 100))
        assert (sandbox.clock.now() - START).total_seconds() == 107


def test_the_date_header_tells_the_sandboxs_time(client: tuple[requests.Session, str]) -> None:
    session, url = client
    assert session.get(f"{url}/xero-notes/").headers["Date"] == "Mon, 02 Nov 2026 09:00:00 GMT"
    assert session.get(f"{url}/_sandbox/health").headers["Date"] == "Mon, 02 Nov 2026 09:00:00 GMT"


def test_chunked_bodies_arrive_whole(client: tuple[requests.Session, str]) -> None:
    session, url = client
    answer = session.post(f"{url}/xero-notes/", data=iter([b"in ", b"three ", "pieces ü".encode()]))
    assert json.loads(answer.content)["text"] == "in three pieces ü"


def test_addresses_in_answers_are_the_ones_the_client_used(client: tuple[requests.Session, str]) -> None:
    session, url = client
    assert session.get(f"{url}/_sandbox/credentials").json()["xero"]["api_url"] == f"{url}/api.xro/2.0"


def test_an_unknown_path_is_501_by_name(client: tuple[requests.Session, str]) -> None:
    session, url = client
    answer = session.get(f"{url}/api.xro/3.0/Everything?x=1")
    assert answer.status_code == 501
    assert "GET /api.xro/3.0/Everything" in answer.text


def test_a_running_clock_is_not_moved_by_waiting(notes_systems: tuple[System, ...]) -> None:
    seconds = [0.0]
    sandbox = Sandbox(systems=notes_systems, clock=Clock(START, lambda: seconds[0]))
    with requests.Session() as session:
        session.mount("http://", SandboxAdapter(sandbox))
        sandbox.faults.add({"do": "slow", "seconds": 7})
        session.get("http://s/xero-notes/")
    assert sandbox.clock.now() == START
