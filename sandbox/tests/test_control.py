"""The control end points, as a person with curl uses them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.control import END_POINTS
from ikaroa_sandbox.core import Headers, Request, Response


class Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, method: str, path: str, body: object = None, query: str = "") -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.sandbox.handle(
            Request(method, f"/_sandbox{path}", query, Headers({"Host": "127.0.0.1:8790"}), data)
        )
        assert isinstance(answer, Response)
        self.status = answer.status
        return json.loads(answer.body)


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    return Control(sandbox)


def post(sandbox: Sandbox, text: str) -> None:
    sandbox.handle(Request("POST", "/xero-notes/", body=text.encode()))


def test_the_list_of_end_points_is_complete_and_every_one_answers(control: Control) -> None:
    listed = {(entry["method"], entry["path"]) for entry in control("GET", "/")["end_points"]}
    assert listed == {(entry.method, f"/_sandbox{entry.path}") for entry in END_POINTS}
    assert len(listed) == 18
    for method, path in listed:
        control(method, path.removeprefix("/_sandbox"))
        assert control.status in (200, 400), (method, path)


def test_health_tells_what_it_began_with(control: Control) -> None:
    control("POST", "/seed", {"seed": 7, "profile": "messy"})
    health = control("GET", "/health")
    assert (health["status"], health["seed"], health["profile"]) == ("ok", 7, "messy")
    assert health["records"] == {"salesforce": {"notes": 3}, "xero": {"notes": 3}}
    assert health["now"] == "2026-11-02T09:00:00Z"


def test_seed_and_reset_fill_and_empty_both_systems(control: Control) -> None:
    control("POST", "/seed", {"seed": 7})
    assert len(control("GET", "/snapshot")["salesforce"]["notes"]) == 3
    control("POST", "/reset")
    assert control("GET", "/snapshot") == {"salesforce": {"notes": []}, "xero": {"notes": []}}


def test_a_snapshot_of_one_system_is_its_dump_alone(control: Control, sandbox: Sandbox) -> None:
    post(sandbox, "note")
    assert [note["text"] for note in control("GET", "/snapshot", query="system=xero")["notes"]] == ["note"]


def test_an_edit_is_passed_to_the_system_and_its_refusal_to_the_caller(control: Control) -> None:
    assert control("POST", "/edit", {"system": "xero", "text": "by hand"}) == {"id": 1}
    assert control("POST", "/edit", {"system": "xero"}) == {"error": 'a note needs "text"'}
    assert control.status == 400


def test_the_clock_is_read_moved_set_and_stopped(control: Control) -> None:
    assert control("GET", "/clock") == {"now": "2026-11-02T09:00:00Z", "frozen": True, "late_commits": []}
    assert control("POST", "/clock", {"advance_seconds": 90})["now"] == "2026-11-02T09:01:30Z"
    assert control("POST", "/clock", {"set": "2027-01-01T00:00:00Z"})["now"] == "2027-01-01T00:00:00Z"
    assert control("POST", "/clock", {"set": "2026-01-01T12:00:00+02:00"})["now"] == "2026-01-01T10:00:00Z"
    assert control("POST", "/clock", {"follow": True}) == {
        "error": "this sandbox runs in process: its clock moves only when it is told to"
    }


def test_the_clock_follows_its_ticker_and_can_be_frozen_again(control: Control, sandbox: Sandbox) -> None:
    seconds = [100.0]
    sandbox.ticker = lambda: seconds[0]
    assert control("POST", "/clock", {"follow": True})["frozen"] is False
    seconds[0] += 5
    assert control("POST", "/clock", {"freeze": True})["now"] == "2026-11-02T09:00:05Z"
    seconds[0] += 5
    assert control("GET", "/clock")["now"] == "2026-11-02T09:00:05Z"


def test_moving_the_clock_carries_out_what_was_due(control: Control, sandbox: Sandbox) -> None:
    control("POST", "/faults", {"do": "late_commit", "seconds": 60})
    post(sandbox, "late")
    assert control("GET", "/clock")["late_commits"] == [{"due": "2026-11-02T09:01:00Z", "of": 1}]
    assert control("POST", "/clock", {"advance_seconds": 60})["late_commits"] == []
    assert [entry["outcome"] for entry in control("GET", "/journal")["entries"]] == ["timeout", "late"]


def test_faults_are_added_listed_with_their_strikes_and_cleared(control: Control, sandbox: Sandbox) -> None:
    assert control("POST", "/faults", {"do": "500_before", "path": "notes"})["added"] == ["rule-1"]
    assert control("POST", "/faults", {"rules": [{"do": "duplicate", "id": "mine"}]})["added"] == ["mine"]
    control("POST", "/faults", {"rates": {"slow": 0.5}, "seed": 1, "budget": 2})
    post(sandbox, "note")
    plan = control("GET", "/faults")
    assert [(rule["id"], rule["struck"]) for rule in plan["rules"]] == [("rule-1", 1), ("mine", 0)]
    assert plan["random"]["rates"] == {"slow": 0.5}
    assert "late_commit" in plan["kinds"]
    assert control("DELETE", "/faults") == {"rules": [], "random": None}


def test_the_journal_is_read_by_filter_and_cleared(control: Control, sandbox: Sandbox) -> None:
    for text in ("one", "two"):
        post(sandbox, text)
    sandbox.handle(Request("GET", "/salesforce-notes/"))
    journal = control("GET", "/journal")
    assert [entry["seq"] for entry in journal["entries"]] == [1, 2, 3]
    assert {"system": "xero", "method": "POST", "outcome": "answered", "status": 200, "count": 2} in journal[
        "counts"
    ]
    filtered = control("GET", "/journal", query="system=xero&since=1&method=post&path=^/xero")
    assert [entry["body"] for entry in filtered["entries"]] == ["two"]
    assert control("DELETE", "/journal") == {"last_seq": 3}
    assert control("GET", "/journal")["entries"] == []


def test_control_requests_are_neither_journalled_nor_struck(control: Control) -> None:
    control("POST", "/faults", {"rates": {"500_before": 1.0}})
    assert control("GET", "/health")["status"] == "ok"
    assert control("GET", "/journal")["entries"] == []


def test_a_state_is_saved_under_a_name_and_restored(control: Control, sandbox: Sandbox) -> None:
    post(sandbox, "kept")
    assert control("POST", "/save", {"name": "before"}) == {"saved": ["before"]}
    post(sandbox, "undone")
    control("POST", "/clock", {"advance_seconds": 60})
    assert control("POST", "/restore", {"name": "before"}) == {
        "restored": "before",
        "now": "2026-11-02T09:00:00Z",
    }
    assert [note["text"] for note in control("GET", "/snapshot", query="system=xero")["notes"]] == ["kept"]
    assert (
        "there is no saved state 'other'; known: before"
        in control("POST", "/restore", {"name": "other"})["error"]
    )


def test_variants_are_listed_chosen_drawn_and_put_back(control: Control) -> None:
    rules = control("GET", "/variants")
    assert rules["notes.answer"]["variants"] == ["whole", "id", "nothing"]
    assert rules["notes.answer"]["variant"] == "whole"
    assert control("POST", "/variants", {"choose": {"notes.answer": "id"}})["notes.answer"]["variant"] == "id"
    assert "no variant 'all'" in control("POST", "/variants", {"choose": {"notes.answer": "all"}})["error"]
    assert "no rule 'x'" in control("POST", "/variants", {"choose": {"x": "on"}})["error"]
    drawn = {control("POST", "/variants", {"seed": n})["notes.answer"]["variant"] for n in range(12)}
    assert drawn == {"whole", "id", "nothing"}
    assert control("POST", "/variants", {"default": True})["notes.answer"]["variant"] == "whole"


def test_credentials_name_the_address_the_client_used_and_hold_a_usable_key(control: Control) -> None:
    credentials = control("GET", "/credentials")
    assert credentials["salesforce"]["login_url"] == "http://127.0.0.1:8790"
    assert credentials["xero"]["api_url"] == "http://127.0.0.1:8790/api.xro/2.0"
    assert credentials["xero"]["client_secret"] == "sandbox-xero-secret"
    assert load_pem_private_key(credentials["salesforce"]["jwt_private_key"].encode(), None).key_size == 2048


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/nowhere", None, 404, "known: /, /clock"),
        ("DELETE", "/health", None, 405, "takes GET, not DELETE"),
        ("POST", "/seed", {"sead": 1}, 400, "takes seed, profile; not sead"),
        ("POST", "/seed", {"seed": "1"}, 400, '"seed" is a whole number'),
        ("POST", "/seed", {"profile": "tidy"}, 400, "known: default, messy, empty"),
        ("POST", "/seed", [1], 400, "a JSON object, not list"),
        ("POST", "/clock", {}, 400, "advance_seconds"),
        ("POST", "/clock", {"set": "noon"}, 400, "2026-11-02T09:00:00Z"),
        ("POST", "/clock", {"advance_seconds": "1"}, 400, "is a number"),
        ("POST", "/clock", {"freeze": True, "follow": True}, 400, "not both"),
        ("POST", "/save", {}, 400, '"name"'),
        ("POST", "/faults", {"do": "boom"}, 400, "no fault 'boom'"),
    ],
)
def test_a_wrong_command_gets_one_clear_sentence(
    method: str, path: str, body: object, status: int, says: str, control: Control
) -> None:
    assert says in control(method, path, body)["error"]
    assert control.status == status


def test_a_body_that_is_not_json_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.handle(Request("POST", "/_sandbox/seed", body=b"seed=1"))
    assert isinstance(answer, Response)
    assert answer.status == 400
    assert "the body is not JSON" in json.loads(answer.body)["error"]
