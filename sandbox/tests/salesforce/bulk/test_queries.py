"""Bulk API 2.0 query jobs: states, pages, the CSV, what is refused."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.salesforce import limits

if TYPE_CHECKING:
    from conftest import Bulk

QUERY = "SELECT Id, LastName FROM Contact"


def test_a_new_job_answers_as_documented(bulk: Bulk) -> None:
    made = bulk.org.load(bulk.create(QUERY))
    assert made["id"].startswith("750")
    assert {key: str(made[key]) for key in made if key not in ("id", "createdById")} == {
        "operation": "query",
        "object": "Contact",
        "createdDate": "2026-11-02T09:00:00.000+0000",
        "systemModstamp": "2026-11-02T09:00:00.000+0000",
        "state": "UploadComplete",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": "67.0",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }


def test_on_a_frozen_clock_the_first_look_finds_it_unfinished_and_the_next_done(bulk: Bulk) -> None:
    bulk.org.make("Contact", LastName="A")
    job = bulk.start(QUERY)
    first, second = bulk.info(job), bulk.info(job)
    assert (first["state"], first["numberRecordsProcessed"]) == ("InProgress", 0)
    assert (second["state"], second["numberRecordsProcessed"], second["jobType"]) == (
        "JobComplete",
        1,
        "V2Query",
    )
    assert second["retries"] == 0
    assert second["isPkChunkingSupported"] is True


def test_time_alone_finishes_a_job(bulk: Bulk) -> None:
    job = bulk.start(QUERY)
    bulk.org.pass_time(0.1)
    assert bulk.org.error(bulk.page(job))["errorCode"] == "INVALIDJOBSTATE"
    bulk.org.pass_time(5)
    assert bulk.page(job).status == 200
    info = bulk.info(job)
    assert (info["state"], info["totalProcessingTime"]) == ("JobComplete", 200)


def test_how_long_jobs_take_can_be_set(bulk: Bulk) -> None:
    bulk.org.edit("bulk_jobs", polls=3)
    job = bulk.start(QUERY)
    assert [bulk.info(job)["state"] for _ in range(4)] == ["InProgress"] * 3 + ["JobComplete"]
    bulk.org.edit("bulk_jobs", seconds=0)
    assert bulk.info(bulk.start(QUERY))["state"] == "JobComplete"


def test_the_result_is_the_org_when_the_job_began(bulk: Bulk) -> None:
    early = bulk.org.make("Contact", LastName="Early")
    job = bulk.start(QUERY)
    bulk.org.make("Contact", LastName="Before it began")
    bulk.org.pass_time(0.1)
    bulk.org.change("Contact", early, LastName="Changed")
    bulk.org.make("Contact", LastName="Late")
    bulk.org.pass_time(5)
    assert {row["LastName"] for row in bulk.table(bulk.page(job))} == {"Early", "Before it began"}


@pytest.mark.slow
def test_pages_follow_their_locators_to_the_text_null(bulk: Bulk, people: set[str]) -> None:
    job = bulk.done(QUERY)
    seen: list[str] = []
    params: dict[str, Any] = {"maxRecords": 4_999}
    sizes = []
    while params.get("locator") != "null":
        answer = bulk.page(job, **params)
        rows = bulk.table(answer)
        assert answer.headers["Sforce-NumberOfRecords"] == str(len(rows))
        assert bulk.text(answer).startswith('"Id","LastName"\n'), "each page has its header"
        sizes.append(len(rows))
        seen += [row["LastName"] for row in rows]
        params["locator"] = answer.headers["Sforce-Locator"]
    assert sizes == [4_999, 4_999, 2_347]
    assert Counter(seen) == Counter(people)


def test_a_locator_is_stable_and_can_be_read_again(bulk: Bulk, people: set[str]) -> None:
    job = bulk.done(QUERY)
    first = bulk.page(job, maxRecords=100)
    again = bulk.page(job, maxRecords=100)
    assert first.body == again.body
    locator = first.headers["Sforce-Locator"]
    assert again.headers["Sforce-Locator"] == locator
    assert bulk.page(job, locator=locator).body == bulk.page(job, locator=locator).body


@pytest.mark.parametrize(("variant", "status"), [("400", 400), ("404", 404)])
def test_a_locator_that_was_not_given_out_for_this_job_is_refused(
    bulk: Bulk, people: set[str], variant: str, status: int
) -> None:
    bulk.org.choose("bulk.invalid_locator", variant)
    job, other = bulk.done(QUERY), bulk.done(QUERY)
    foreign = bulk.page(other, maxRecords=100).headers["Sforce-Locator"]
    for locator in (foreign, "100", "MTAw"):
        found = bulk.org.error(bulk.page(job, locator=locator))
        assert (found["status"], found["errorCode"]) == (status, "INVALID_LOCATOR")


def test_rows_come_in_no_order_unless_asked_for(bulk: Bulk, people: set[str]) -> None:
    ids = [row["Id"] for row in bulk.rows(QUERY)]
    assert ids not in (sorted(ids), sorted(ids, reverse=True))
    assert [row["Id"] for row in bulk.rows(QUERY)] != ids, "another job, another order"
    ordered = [row["Id"] for row in bulk.rows(f"{QUERY} ORDER BY Id DESC LIMIT 500")]
    assert ordered == sorted(ids, reverse=True)[:500]


@pytest.mark.parametrize("size", [1, 4_999, 5_000, 7_001, 50_000])
def test_a_compressed_page_is_one_whole_gzip_member_of_the_same_text(
    bulk: Bulk, people: set[str], size: int
) -> None:
    job = bulk.done(QUERY)
    packed = bulk.page(job, {"Accept-Encoding": "gzip, deflate"}, maxRecords=size)
    assert packed.headers["Content-Encoding"] == "gzip"
    reader = zlib.decompressobj(31)
    whole = reader.decompress(packed.body)
    assert (reader.eof, reader.unused_data) == (True, b"")
    plain = bulk.page(job, maxRecords=size)
    assert "Content-Encoding" not in plain.headers
    assert whole == plain.body == gzip.decompress(packed.body)


def test_result_pages_lead_to_every_row_five_at_a_time(bulk: Bulk, people: set[str]) -> None:
    bulk.org.edit("bulk_jobs", page_rows=2_000)
    job = bulk.done(QUERY)
    seen: list[str] = []
    counts = []
    path = f"jobs/query/{job}/resultPages"
    query = ""
    while True:
        answer = bulk.org.load(bulk.org.send("GET", path, query=query))
        counts.append(len(answer["resultPages"]))
        for page in answer["resultPages"]:
            url, _, locator = page["resultUrl"].partition("?locator=")
            assert url == f"/services/data/v67.0/jobs/query/{job}/results"
            seen += [row["LastName"] for row in bulk.table(bulk.page(job, locator=locator))]
        if answer["done"]:
            assert "nextRecordsUrl" not in answer
            break
        path, _, query = answer["nextRecordsUrl"].partition("?")
    assert counts == [5, 2]
    assert Counter(seen) == Counter(people)


def test_the_other_name_of_the_next_result_pages(bulk: Bulk, people: set[str]) -> None:
    bulk.org.edit("bulk_jobs", page_rows=1_000)
    bulk.org.choose("bulk.next_pages_key", "nextRecordUrl")
    answer = bulk.org.get(f"jobs/query/{bulk.done(QUERY)}/resultPages")
    assert "nextRecordUrl" in answer
    assert "nextRecordsUrl" not in answer


def test_values_are_quoted_text_and_null_is_as_empty_text(bulk: Bulk) -> None:
    bulk.org.edit("add_field", object="Account", field="Score__c", type="double", scale=2)
    account = bulk.org.make(
        "Account",
        Name='Say "hi", Ltd',
        Description="one\r\ntwo\nthree",
        NumberOfEmployees=12,
        AnnualRevenue=12_500_000,
        Score__c="0.5",
    )
    bulk.org.make("Contact", LastName="Å", AccountId=account, Billing__c=True, Birthdate="1990-02-28")
    query = "SELECT name, Description, Phone, NumberOfEmployees, AnnualRevenue, Score__c, SystemModstamp FROM Account"
    assert bulk.text(bulk.page(bulk.done(query))) == (
        '"Name","Description","Phone","NumberOfEmployees","AnnualRevenue","Score__c","SystemModstamp"\n'
        '"Say ""hi"", Ltd","one\r\ntwo\nthree","","12","1.25E7","0.5","2026-11-02T09:00:00.000Z"\n'
    )
    [row] = bulk.rows(
        "SELECT LastName, account.name, Account.Owner.Email, Billing__c, IsDeleted, Birthdate FROM Contact"
    )
    assert list(row) == [
        "LastName",
        "Account.Name",
        "Account.Owner.Email",
        "Billing__c",
        "IsDeleted",
        "Birthdate",
    ]
    assert list(row.values()) == [
        "Å",
        'Say "hi", Ltd',
        "integration@sandbox.example",
        "true",
        "false",
        "1990-02-28",
    ]


@pytest.mark.parametrize(("variant", "zero"), [("as_double", "0.0"), ("as_whole", "0")])
def test_the_zero_of_a_whole_number(bulk: Bulk, variant: str, zero: str) -> None:
    bulk.org.choose("bulk.whole_zero", variant)
    bulk.org.make("Account", Name="A", NumberOfEmployees=0)
    assert bulk.rows("SELECT NumberOfEmployees FROM Account") == [{"NumberOfEmployees": zero}]


@pytest.mark.parametrize(
    ("name", "char"),
    [("BACKQUOTE", "`"), ("CARET", "^"), ("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
@pytest.mark.parametrize(("ending", "end"), [("LF", "\n"), ("CRLF", "\r\n")])
def test_delimiters_and_line_endings(bulk: Bulk, name: str, char: str, ending: str, end: str) -> None:
    bulk.org.make("Contact", LastName=f"a{char}b")
    job = bulk.done("SELECT LastName, FirstName FROM Contact", columnDelimiter=name, lineEnding=ending)
    assert bulk.text(bulk.page(job)) == f'"LastName"{char}"FirstName"{end}"a{char}b"{char}""{end}'


@pytest.mark.parametrize(("variant", "body"), [("header_only", '"Id","LastName"\n'), ("nothing", "")])
def test_a_result_without_rows(bulk: Bulk, variant: str, body: str) -> None:
    bulk.org.choose("bulk.empty_result", variant)
    answer = bulk.page(bulk.done(QUERY))
    assert bulk.text(answer) == body
    assert (answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"]) == ("0", "null")


def test_query_all_sees_the_bin(bulk: Bulk) -> None:
    gone = bulk.org.make("Contact", LastName="Gone")
    bulk.org.edit("delete", object="Contact", id=gone)
    query = "SELECT Id, IsDeleted FROM Contact"
    assert bulk.rows(query) == []
    assert bulk.rows(query, operation="queryAll") == [{"Id": gone, "IsDeleted": "true"}]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT COUNT() FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate"),
        ("SELECT MAX(CreatedDate) FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate"),
        ("SELECT Name FROM Account GROUP BY Name", "FUNCTIONALITY_NOT_ENABLED", "GROUP BY"),
        ("SELECT Name FROM Account LIMIT 5 OFFSET 5", "FUNCTIONALITY_NOT_ENABLED", "OFFSET"),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "FUNCTIONALITY_NOT_ENABLED", "TYPEOF"),
        (
            "SELECT Id, BillingAddress FROM Account",
            "FUNCTIONALITY_NOT_ENABLED",
            "Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT Id, Account.BillingAddress FROM Contact",
            "FUNCTIONALITY_NOT_ENABLED",
            "Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "FEATURENOTENABLED",
            "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
        ),
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Id FROM Nope__c", "INVALID_TYPE", "sObject type 'Nope__c' is not supported"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected"),
        ("SELECT Id, Name, Id FROM Account", "MALFORMED_QUERY", "duplicate field selected"),
    ],
)
def test_what_cannot_be_read_in_bulk_is_refused_at_once(
    bulk: Bulk, query: str, code: str, message: str
) -> None:
    found = bulk.org.error(bulk.create(query))
    assert (found["status"], found["errorCode"]) == (400, code)
    assert message in found["message"]
    assert bulk.org.get("jobs/query")["records"] == []


def test_objects_can_be_made_unsupported(bulk: Bulk) -> None:
    bulk.org.edit("bulk_jobs", refuses=["Contact"])
    found = bulk.org.error(bulk.create(QUERY))
    assert (found["errorCode"], found["message"]) == (
        "INVALIDENTITY",
        "Entity 'Contact' is not supported by the Bulk API.",
    )


def test_a_field_that_goes_before_the_job_begins_fails_it(bulk: Bulk) -> None:
    bulk.org.edit("add_field", object="Contact", field="Brief__c", type="string", length=10)
    job = bulk.start("SELECT Id, Brief__c FROM Contact")
    bulk.org.edit("remove_field", object="Contact", field="Brief__c")
    info = bulk.wait(job)
    assert info["state"] == "Failed"
    assert "No such column 'Brief__c' on entity 'Contact'" in info["errorMessage"]
    assert bulk.org.error(bulk.page(job))["errorCode"] == "INVALIDJOBSTATE"


def test_another_api_version_cannot_read_the_results(bulk: Bulk) -> None:
    job = bulk.done(QUERY)
    other = bulk.org.send("GET", f"/services/data/v66.0/jobs/query/{job}/results")
    assert other.status == 409
    assert bulk.page(job).status == 200


def test_only_an_unfinished_job_is_aborted_and_only_a_finished_one_deleted(bulk: Bulk) -> None:
    job = bulk.start(QUERY)
    path = f"jobs/query/{job}"
    assert bulk.org.error(bulk.org.send("DELETE", path))["errorCode"] == "INVALIDJOBSTATE"
    aborted = bulk.org.send("PATCH", path, {"state": "Aborted"})
    assert (aborted.status, bulk.org.load(aborted)["state"]) == (200, "Aborted")
    again = bulk.org.error(bulk.org.send("PATCH", path, {"state": "Aborted"}))
    assert (again["status"], again["errorCode"]) == (400, "INVALIDJOBSTATE")
    bulk.org.pass_time(60)
    assert bulk.info(job)["state"] == "Aborted"
    deleted = bulk.org.send("DELETE", path)
    assert (deleted.status, deleted.body) == (204, b"")
    assert bulk.org.error(bulk.org.send("GET", path))["status"] == 404


def test_results_are_gone_after_seven_days(bulk: Bulk) -> None:
    job = bulk.done(QUERY)
    bulk.org.pass_time(7 * 86_400 - 5)
    bulk.sign_in()
    assert bulk.page(job).status == 200
    bulk.org.pass_time(10)
    assert bulk.org.error(bulk.page(job))["status"] == 404
    assert bulk.info(job)["state"] == "JobComplete"


def test_jobs_are_listed_in_pages_and_by_kind(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BULK_JOBS_PAGE", 2)
    queries = {bulk.start(QUERY) for _ in range(3)}
    upload = bulk.upload("Name\nA\n")
    assert {one["id"] for one in bulk.org.get("jobs/ingest", jobType="V2Ingest")["records"]} == {upload}
    first = bulk.org.get("jobs/query", jobType="V2Query")
    assert (first["done"], len(first["records"])) == (False, 2)
    path, _, query = first["nextRecordsUrl"].partition("?")
    second = bulk.org.load(bulk.org.send("GET", path, query=query))
    assert second["done"] is True
    assert {one["id"] for one in first["records"] + second["records"]} == queries


def test_each_call_counts_and_jobs_have_an_allocation_of_their_own(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BULK_QUERY_JOBS_DAILY", 1)
    before = bulk.org.backend.state.usage.total
    job = bulk.done(QUERY)
    bulk.page(job)
    assert bulk.org.backend.state.usage.total - before == 4
    found = bulk.org.error(bulk.create(QUERY))
    assert (found["status"], found["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert found["message"] == "Max bulk v2 query jobs (1) per 24 hrs has been reached (2)"
    monkeypatch.undo()
    assert bulk.org.get("limits")["DailyBulkV2QueryJobs"] == {"Max": 10_000, "Remaining": 9_999}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "delete", "query": QUERY}, "INVALIDJOB"),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "query", "query": QUERY, "contentType": "JSON"}, "INVALIDJOB"),
        ({"operation": "query", "query": QUERY, "columnDelimiter": ","}, "INVALIDJOB"),
        ({"operation": "query", "query": QUERY, "lineEnding": "CR"}, "INVALIDJOB"),
        ({"operation": "query", "query": QUERY, "object": "Contact"}, "JSON_PARSER_ERROR"),
        ({"operation": "query", "query": 5}, "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_a_bad_job_is_refused(bulk: Bulk, body: Any, code: str) -> None:
    found = bulk.org.error(bulk.org.send("POST", "jobs/query", body))
    assert (found["status"], found["errorCode"]) == (400, code)


def test_jobs_are_saved_with_the_org(bulk: Bulk, people: set[str]) -> None:
    job, waiting = bulk.done(QUERY), bulk.start(QUERY)
    locator = bulk.page(job, maxRecords=100).headers["Sforce-Locator"]
    saved = bulk.org.backend.save()
    assert bulk.org.send("DELETE", f"jobs/query/{job}").status == 204
    bulk.wait(waiting)
    bulk.org.backend.restore(saved)
    assert len(bulk.table(bulk.page(job, locator=locator))) == 12_245
    assert bulk.info(waiting)["state"] == "InProgress"
