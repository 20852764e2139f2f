"""Bulk API 2.0 ingest: rows saved by the rules of the record APIs, each on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.salesforce import limits

if TYPE_CHECKING:
    from conftest import Bulk

PASSED, REFUSED, UNTRIED = "successfulResults", "failedResults", "unprocessedrecords"


def test_rows_are_saved_or_refused_each_on_its_own(bulk: Bulk) -> None:
    job = bulk.ingested("Name,Ext_Id__c\nA,e1\n,e2\nB,E1\nC,e3\n")
    info = bulk.info(job, "ingest")
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (4, 2)
    assert (info["object"], info["operation"], info["jobType"]) == ("Account", "insert", "V2Ingest")
    passed, refused = bulk.results(job, PASSED), bulk.results(job, REFUSED)
    assert [(row["Name"], row["sf__Created"]) for row in passed] == [("A", "true"), ("C", "true")]
    assert bulk.org.one("Account", passed[0]["sf__Id"], "Name") == "A"
    assert [row["Ext_Id__c"] for row in refused] == ["e2", "E1"]
    assert refused[0]["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    assert refused[1]["sf__Error"].startswith("DUPLICATE_VALUE:duplicate value found: Ext_Id__c")
    assert bulk.results(job, UNTRIED) == []


def test_an_upload_goes_through_the_documented_states(bulk: Bulk) -> None:
    made = bulk.org.load(bulk.org.send("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}))
    job = made["id"]
    assert (made["state"], made["contentUrl"]) == ("Open", f"services/data/v67.0/jobs/ingest/{job}/batches")
    csv = {"Content-Type": "text/csv; charset=UTF-8"}
    answer = bulk.org.send("PUT", f"jobs/ingest/{job}/batches", b"Name\nA\n", csv)
    assert (answer.status, answer.body) == (201, b"")
    again = bulk.org.error(bulk.org.send("PUT", f"jobs/ingest/{job}/batches", b"Name\nB\n", csv))
    assert again["errorCode"] == "INVALIDJOBSTATE"
    bulk.org.pass_time(60)
    assert bulk.info(job, "ingest")["state"] == "Open", "nothing happens before the upload is complete"
    done = bulk.org.load(bulk.org.send("PATCH", f"jobs/ingest/{job}", {"state": "UploadComplete"}))
    assert done["state"] == "UploadComplete"
    assert (
        bulk.org.error(bulk.org.send("GET", f"jobs/ingest/{job}/{PASSED}"))["errorCode"] == "INVALIDJOBSTATE"
    )
    assert [bulk.info(job, "ingest")["state"] for _ in range(2)] == ["InProgress", "JobComplete"]
    assert bulk.org.send("DELETE", f"jobs/ingest/{job}").status == 204
    assert bulk.org.send("GET", f"jobs/ingest/{job}").status == 404


def test_blank_leaves_alone_and_n_a_empties(bulk: Bulk) -> None:
    one = bulk.org.make("Account", Name="One", Phone="1", Website="https://a.example")
    bulk.ingested(f"Id,Name,Phone,Website\n{one},,#N/A,https://b.example\n", "update")
    assert bulk.org.one("Account", one, "Name", "Phone", "Website") == {
        "Name": "One",
        "Phone": None,
        "Website": "https://b.example",
    }


def test_upsert_by_external_id(bulk: Bulk) -> None:
    one = bulk.org.make("Account", Name="One", Ext_Id__c="x1")
    job = bulk.ingested("Ext_Id__c,Name\nX1,Uno\nx2,Dos\n", "upsert", externalIdFieldName="Ext_Id__c")
    assert [(row["Name"], row["sf__Created"]) for row in bulk.results(job, PASSED)] == [
        ("Uno", "false"),
        ("Dos", "true"),
    ]
    assert bulk.org.one("Account", one, "Name") == "Uno"
    assert bulk.info(job, "ingest")["externalIdFieldName"] == "Ext_Id__c"
    doubled = bulk.ingested("Ext_Id__c,Name\nx3,A\nx3,B\n,C\n", "upsert", externalIdFieldName="Ext_Id__c")
    errors = [row["sf__Error"].split(":")[0] for row in bulk.results(doubled, REFUSED)]
    assert errors == ["DUPLICATE_VALUE", "DUPLICATE_VALUE", "MISSING_ARGUMENT"]


def test_delete_and_hard_delete(bulk: Bulk) -> None:
    one, two = bulk.org.make("Account", Name="One"), bulk.org.make("Account", Name="Two")
    bulk.ingested(f"Id\n{one}\n", "delete")
    assert bulk.org.one("Account", one, "IsDeleted") is True
    body = {"object": "Account", "operation": "hardDelete"}
    assert bulk.org.error(bulk.org.send("POST", "jobs/ingest", body))["errorCode"] == "FEATURENOTENABLED"
    bulk.org.edit("bulk_jobs", hard_delete=True)
    bulk.ingested(f"Id\n{two}\n", "hardDelete")
    assert bulk.org.records(f"SELECT Id FROM Account WHERE Id = '{two}'", "queryAll") == []


def test_a_parent_is_named_by_its_external_id(bulk: Bulk) -> None:
    parent = bulk.org.make("Account", Name="Parent", Ext_Id__c="p1")
    job = bulk.ingested("LastName,Account.Ext_Id__c\nA,P1\nB,nobody\n", kind="Contact")
    assert bulk.org.column("SELECT AccountId FROM Contact") == [parent]
    assert [row["LastName"] for row in bulk.results(job, REFUSED)] == ["B"]


def test_a_row_that_somebody_holds_is_refused(bulk: Bulk) -> None:
    one, two = bulk.org.make("Account", Name="One"), bulk.org.make("Account", Name="Two")
    bulk.org.edit("open_transaction", transaction="long")
    bulk.org.edit("update", object="Account", id=one, fields={"Phone": "1"}, transaction="long")
    job = bulk.ingested(f"Id,Phone\n{one},2\n{two},2\n", "update")
    [refused] = bulk.results(job, REFUSED)
    assert refused["sf__Id"] == one
    assert refused["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access")
    assert bulk.org.one("Account", two, "Phone") == "2"


@pytest.mark.parametrize(
    ("data", "operation", "reason"),
    [
        ("Nmae\nA\n", "insert", "InvalidBatch : Field name not found : Nmae"),
        ("Name\nA\n", "update", "InvalidBatch : Field name not found : Id"),
        ("Name,name\nA,B\n", "insert", "InvalidBatch : Duplicate field name"),
        ("Name\r\nA\r\n", "insert", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ('Name\n"A\n', "insert", "Failed to parse CSV"),
        ("Name,Phone\nA\n", "insert", "InvalidBatch : Row 1 has 1 columns"),
        ("", "insert", "InvalidBatch : Unable to find any data"),
    ],
)
def test_a_file_that_makes_no_sense_fails_the_whole_job(
    bulk: Bulk, data: str, operation: str, reason: str
) -> None:
    info = bulk.wait(bulk.upload(data, operation), "ingest")
    assert info["state"] == "Failed"
    assert reason in info["errorMessage"]
    assert info["numberRecordsProcessed"] == 0
    assert bulk.org.column("SELECT Id FROM Account") == []


def test_rows_never_tried_are_handed_back(bulk: Bulk) -> None:
    failed = bulk.upload("Nmae\nA\nB\n")
    bulk.wait(failed, "ingest")
    assert bulk.results(failed, UNTRIED) == [{"Nmae": "A"}, {"Nmae": "B"}]
    aborted = bulk.upload("Name\nA\n")
    assert bulk.org.send("PATCH", f"jobs/ingest/{aborted}", {"state": "Aborted"}).status == 200
    bulk.org.pass_time(60)
    assert bulk.results(aborted, UNTRIED) == [{"Name": "A"}]
    assert bulk.org.column("SELECT Id FROM Account") == []


def test_other_forms_of_csv(bulk: Bulk) -> None:
    data = 'Name;Description\r\n"A; Co";"two\r\nlines"\r\n'
    job = bulk.ingested(data, lineEnding="CRLF", columnDelimiter="SEMICOLON")
    assert bulk.org.records("SELECT Name, Description FROM Account") == [
        {"Name": "A; Co", "Description": "two\r\nlines"}
    ]
    answer = bulk.org.send("GET", f"jobs/ingest/{job}/{PASSED}")
    assert bulk.text(answer).startswith('"sf__Id";"sf__Created";"Name";"Description"\r\n')


def test_a_multipart_request_brings_job_and_rows_at_once(bulk: Bulk) -> None:
    body = (
        b'--B\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n'
        b'{"object": "Account", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}\r\n'
        b'--B\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        b"Name\nA\nB\xc3\xa9\n\r\n--B--\r\n"
    )
    answer = bulk.org.send("POST", "jobs/ingest", body, {"Content-Type": "multipart/form-data; boundary=B"})
    made = bulk.org.load(answer)
    assert (answer.status, made["state"]) == (200, "UploadComplete")
    assert bulk.wait(made["id"], "ingest")["numberRecordsProcessed"] == 2
    assert bulk.org.column("SELECT Name FROM Account ORDER BY Name") == ["A", "Bé"]


def test_too_big_an_upload_is_refused(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BULK_UPLOAD_BYTES_MAX", 10)
    job = bulk.org.load(bulk.org.send("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}))[
        "id"
    ]
    answer = bulk.org.send("PUT", f"jobs/ingest/{job}/batches", b"Name\n" * 3, {"Content-Type": "text/csv"})
    assert answer.status == 413


@pytest.mark.parametrize(
    "body",
    [
        {"object": "Nope", "operation": "insert"},
        {"object": "Account", "operation": "merge"},
        {"object": "Account", "operation": "upsert"},
        {"object": "Account", "operation": "upsert", "externalIdFieldName": "Phone"},
        {"object": "Account", "operation": "insert", "contentType": "XML"},
    ],
)
def test_a_bad_job_is_refused(bulk: Bulk, body: dict[str, Any]) -> None:
    found = bulk.org.error(bulk.org.send("POST", "jobs/ingest", body))
    assert (found["status"], found["errorCode"]) == (400, "INVALIDJOB")


def test_data_of_another_kind_is_refused(bulk: Bulk) -> None:
    job = bulk.org.load(bulk.org.send("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}))[
        "id"
    ]
    answer = bulk.org.send("PUT", f"jobs/ingest/{job}/batches", b"[]", {"Content-Type": "application/json"})
    assert answer.status == 415


def test_what_was_saved_is_told_to_the_journal(bulk: Bulk) -> None:
    job = bulk.upload("Name\nA\nB\n")
    answer = bulk.org.send("GET", f"jobs/ingest/{job}")
    assert [(one["action"], one["object"]) for one in answer.effects] == [("create", "Account")] * 2


def test_an_uploads_changes_name_the_client_they_come_from(bulk: Bulk) -> None:
    bulk.org.edit("change_data_capture", objects=["Account"])
    options = {"Sforce-Call-Options": "client=ikaroa"}
    made = bulk.org.send("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}, options)
    job = bulk.org.load(made)["id"]
    bulk.org.send("PUT", f"jobs/ingest/{job}/batches", b"Name\nA\n", {"Content-Type": "text/csv"})
    bulk.org.send("PATCH", f"jobs/ingest/{job}", {"state": "UploadComplete"})
    bulk.wait(job, "ingest")
    [(header,)] = bulk.org.backend.state.db.query("SELECT header FROM _events WHERE object = 'Account'")
    assert '"com/salesforce/api/rest/67.0;client=ikaroa"' in header
