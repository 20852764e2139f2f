"""What goes wrong with bulk jobs, ordered through the fault plan."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Headers, NoResponse, Request, Response

SIGN_IN = b"grant_type=client_credentials&client_id=sandbox-salesforce-client&client_secret=sandbox-salesforce-secret"
JOBS = "/services/data/v67.0/jobs/query"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def _sandbox() -> tuple[Sandbox, object]:
    made = Sandbox(profile="empty")
    made.edit(
        "salesforce",
        {"action": "bulk_load", "object": "Contact", "count": 30, "fields": {"LastName": 'P"{n}'}},
    )
    return made, made.save()


@pytest.fixture
def sandbox(_sandbox: tuple[Sandbox, object]) -> Sandbox:
    made, saved = _sandbox
    made.restore(saved)
    return made


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    form = {"Host": "x", "Content-Type": "application/x-www-form-urlencoded"}
    signed = sandbox.handle(Request("POST", "/services/oauth2/token", headers=Headers(form), body=SIGN_IN))
    assert isinstance(signed, Response)
    token = json.loads(signed.body)["access_token"]

    def ask(method: str, path: str, body: Any = None, query: str = "", encoding: str = "") -> Any:
        headers = {"Host": "x", "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        raw = json.dumps(body).encode() if body else b""
        return sandbox.handle(
            Request(method, JOBS + path, query, Headers({**headers, "Accept-Encoding": encoding}), raw)
        )

    return ask


def started(ask: Ask) -> str:
    answer = ask("POST", "", {"operation": "query", "query": "SELECT Id, LastName FROM Contact"})
    return str(json.loads(answer.body)["id"])


def state(ask: Ask, job: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask("GET", f"/{job}").body)
    return found


def finished(ask: Ask) -> str:
    job = started(ask)
    assert [state(ask, job)["state"] for _ in range(2)] == ["InProgress", "JobComplete"]
    return job


def rows(answer: Response) -> int:
    packed = answer.headers.get("Content-Encoding") == "gzip"
    text = (gzip.decompress(answer.body) if packed else answer.body).decode()
    return len(list(csv.reader(io.StringIO(text, newline="")))) - 1


def test_a_job_that_fails_tells_why(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.add({"do": "job_failed", "method": "GET", "path": "jobs/query/"})
    job = started(ask)
    assert state(ask, job)["state"] == "InProgress"
    told = state(ask, job)
    assert (told["state"], "15 times" in told["errorMessage"]) == ("Failed", True)
    assert next(entry for entry in sandbox.journal if entry.fault).fault == "job_failed"


def test_a_job_that_hangs_ends_in_time(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.add({"do": "job_stuck", "method": "POST", "path": "jobs/query$", "seconds": 300})
    job = started(ask)
    for _ in range(5):
        assert state(ask, job)["state"] in ("UploadComplete", "InProgress")
    sandbox.clock.advance(299)
    assert state(ask, job)["state"] == "InProgress"
    sandbox.clock.advance(2)
    assert state(ask, job)["state"] == "JobComplete"


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_row_that_is_lost_shows_in_the_count(sandbox: Sandbox, ask: Ask, encoding: str) -> None:
    job = finished(ask)
    sandbox.faults.add({"do": "row_lost", "path": "/results"})
    spoiled, right = (ask("GET", f"/{job}/results", encoding=encoding) for _ in range(2))
    assert (rows(spoiled), rows(right)) == (29, 30)
    assert spoiled.headers["Sforce-NumberOfRecords"] == right.headers["Sforce-NumberOfRecords"] == "30"


def test_a_count_that_is_off(sandbox: Sandbox, ask: Ask) -> None:
    job = finished(ask)
    sandbox.faults.add({"do": "count_off", "path": "/results"})
    spoiled = ask("GET", f"/{job}/results")
    assert (rows(spoiled), spoiled.headers["Sforce-NumberOfRecords"]) == (30, "31")


def test_locators_that_repeat_themselves_or_break_off(sandbox: Sandbox, ask: Ask) -> None:
    job = finished(ask)
    first = ask("GET", f"/{job}/results", query="maxRecords=10").headers["Sforce-Locator"]
    sandbox.faults.add({"do": "locator_repeated", "path": "/results"})
    sandbox.faults.add({"do": "locator_dropped", "path": "/results"})
    query = f"maxRecords=10&locator={first}"
    told = [ask("GET", f"/{job}/results", query=query).headers["Sforce-Locator"] for _ in range(3)]
    assert told[:2] == [first, "null"]
    assert told[2] not in (first, "null")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("locator_expired", 400, "INVALID_LOCATOR"), ("results_gone", 404, "NOT_FOUND")],
)
def test_results_that_are_not_there(sandbox: Sandbox, ask: Ask, kind: str, status: int, code: str) -> None:
    job = finished(ask)
    sandbox.faults.add({"do": kind, "system": "salesforce", "path": "/results"})
    spoiled = ask("GET", f"/{job}/results")
    assert (spoiled.status, json.loads(spoiled.body)[0]["errorCode"]) == (status, code)
    assert rows(ask("GET", f"/{job}/results")) == 30


def test_a_page_that_breaks_off_in_the_middle(sandbox: Sandbox, ask: Ask) -> None:
    job = finished(ask)
    sandbox.faults.add({"do": "reset_mid_body", "path": "/results"})
    cut = ask("GET", f"/{job}/results")
    assert isinstance(cut, NoResponse)
    assert cut.partial is not None
    assert int(cut.partial.headers["Content-Length"]) > len(cut.partial.body) > 0


def test_a_job_made_although_the_answer_was_lost_can_be_found(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.faults.add({"do": "500_after", "method": "POST", "path": "jobs/query$"})
    lost = ask("POST", "", {"operation": "query", "query": "SELECT Id FROM Contact"})
    assert lost.status == 500
    [job] = json.loads(ask("GET", "", query="jobType=V2Query").body)["records"]
    assert (job["object"], job["state"]) == ("Contact", "UploadComplete")


def test_locators_can_be_ended_by_hand(sandbox: Sandbox, ask: Ask) -> None:
    job = finished(ask)
    locator = ask("GET", f"/{job}/results", query="maxRecords=10").headers["Sforce-Locator"]
    assert sandbox.edit("salesforce", {"action": "expire_locators"}) == {"ended": 1}
    assert ask("GET", f"/{job}/results", query=f"locator={locator}").status == 400
