"""Bulk API 1.0 queries, as tap-salesforce asks for them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from ikaroa_sandbox.core import Headers, Request, Response

if TYPE_CHECKING:
    from conftest import Bulk

SPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
BASE = "/services/async/61.0"


@dataclass
class Classic:
    bulk: Any

    def send(
        self, method: str, path: str, body: Any = b"", kind: str = "application/json", **more: str
    ) -> Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-SFDC-Session": self.bulk.org.token, "Content-Type": kind, **more}
        answer: Response = self.bulk.org.backend.handle(
            Request(method, f"{BASE}/{path}", "", Headers(headers), raw)
        )
        return answer

    def job(self, **more: str) -> str:
        answer = self.send(
            "POST", "job", {"operation": "queryAll", "object": "Contact", "contentType": "CSV"}, **more
        )
        assert answer.status == 201
        return str(json.loads(answer.body)["id"])

    def batch(self, job: str, soql: str) -> str:
        answer = self.send("POST", f"job/{job}/batch", soql.encode(), "text/csv")
        assert answer.status == 201
        return self.facts(answer)["id"]

    @staticmethod
    def facts(answer: Response) -> dict[str, str]:
        return {element.tag.removeprefix(SPACE): element.text or "" for element in ET.fromstring(answer.body)}

    def result(self, job: str, batch: str) -> bytes:
        listed = self.send("GET", f"job/{job}/batch/{batch}/result")
        [name] = [element.text for element in ET.fromstring(listed.body).iter(f"{SPACE}result")]
        return self.send("GET", f"job/{job}/batch/{batch}/result/{name}").body


@pytest.fixture
def classic(bulk: Bulk) -> Classic:
    return Classic(bulk)


def test_a_query_from_job_to_rows(classic: Classic) -> None:
    kept, gone = (classic.bulk.org.make("Contact", LastName=name) for name in ("Kept", "Gone"))
    classic.bulk.org.edit("delete", object="Contact", id=gone)
    job = classic.job()
    batch = classic.batch(job, "SELECT Id, LastName FROM Contact ORDER BY Id")
    closed = json.loads(classic.send("POST", f"job/{job}", {"state": "Closed"}).body)
    assert (closed["state"], closed["numberBatchesTotal"]) == ("Closed", 1)
    states = [classic.facts(classic.send("GET", f"job/{job}/batch/{batch}"))["state"] for _ in range(2)]
    assert states == ["InProgress", "Completed"]
    rows = list(csv.DictReader(io.StringIO(classic.result(job, batch).decode())))
    assert rows == [{"Id": kept, "LastName": "Kept"}, {"Id": gone, "LastName": "Gone"}]
    assert json.loads(classic.send("GET", f"job/{job}").body)["numberBatchesCompleted"] == 1


def test_a_job_in_xml_is_made_closed_and_told_in_xml(classic: Classic) -> None:
    kept = classic.bulk.org.make("Contact", LastName="Kept")
    space = SPACE[1:-1]
    asked = f"""<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{space}">
      <operation>query</operation><object> Contact </object><concurrencyMode>Parallel</concurrencyMode>
      <contentType>CSV</contentType></jobInfo>"""
    made = classic.send("POST", "job", asked.encode(), "application/xml; charset=UTF-8")
    facts = classic.facts(made)
    assert (made.status, facts["state"], facts["object"]) == (201, "Open", "Contact")
    batch = classic.batch(facts["id"], "SELECT Id FROM Contact")
    closing = f'<jobInfo xmlns="{space}"><state>Closed</state></jobInfo>'
    closed = classic.send("POST", f"job/{facts['id']}", closing.encode(), "application/xml")
    assert classic.facts(closed)["state"] == "Closed"
    for _ in range(2):
        classic.send("GET", f"job/{facts['id']}/batch/{batch}", kind="application/xml")
    assert classic.result(facts["id"], batch).decode().split() == ['"Id"', f'"{kept}"']

    broken = classic.send("POST", "job", b"<jobInfo>", "application/xml")
    assert (broken.status, classic.facts(broken)["exceptionCode"]) == (400, "InvalidJob")


def test_a_result_without_rows_is_a_sentence(classic: Classic) -> None:
    job = classic.job()
    batch = classic.batch(job, "SELECT Id FROM Contact")
    classic.bulk.org.pass_time(5)
    assert classic.result(job, batch) == b"Records not found for this query"


def test_a_wrong_query_fails_its_batch_with_the_reason(classic: Classic) -> None:
    job = classic.job()
    batch = classic.batch(job, "SELECT Id, MailingAddress FROM Contact")
    classic.bulk.org.pass_time(5)
    told = classic.facts(classic.send("GET", f"job/{job}/batch/{batch}"))
    assert told["state"] == "Failed"
    assert told["stateMessage"] == (
        "InvalidBatch : Failed to process query: FUNCTIONALITY_NOT_ENABLED: "
        "Selecting compound data not supported in Bulk Query"
    )


@pytest.mark.slow
def test_chunking_leaves_the_first_batch_and_makes_others(classic: Classic, people: set[str]) -> None:
    job = classic.job(**{"Sforce-Enable-PKChunking": "true; chunkSize=5000"})
    first = classic.batch(job, "SELECT LastName FROM Contact")
    classic.bulk.org.pass_time(5)
    answer = classic.send("GET", f"job/{job}/batch")
    batches = [
        {element.tag.removeprefix(SPACE): element.text or "" for element in info}
        for info in ET.fromstring(answer.body)
    ]
    assert (batches[0]["id"], batches[0]["state"]) == (first, "NotProcessed")
    assert [batch["state"] for batch in batches[1:]] == ["Completed"] * 3
    seen = [
        line for batch in batches[1:] for line in classic.result(job, batch["id"]).decode().split("\n")[1:-1]
    ]
    assert sorted(seen) == sorted(f'"{name}"' for name in people)


def test_refusals_name_an_exception_code(classic: Classic) -> None:
    missing = classic.send("GET", "job/750000000000000AAA")
    assert (missing.status, json.loads(missing.body)["exceptionCode"]) == (400, "InvalidJob")
    classic.bulk.org.backend.expire_tokens()
    expired = classic.send("GET", "job/750000000000000AAA", kind="text/csv")
    assert (expired.status, classic.facts(expired)["exceptionCode"]) == (400, "InvalidSessionId")


def test_each_call_is_an_api_request(classic: Classic) -> None:
    usage = classic.bulk.org.backend.state.usage
    before = usage.total
    job = classic.job()
    classic.batch(job, "SELECT Id FROM Contact")
    classic.send("GET", f"job/{job}")
    assert usage.total - before == 3
