"""simple-salesforce 1.12.10, unmodified: it queries, pages, describes, upserts and deletes here.

It speaks https only, so the sandbox speaks TLS (as `ikaroa-sandbox serve --tls --tls-ca FILE` does), and the session that the
client takes as an argument trusts the CA file.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from ikaroa_sandbox import credentials
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Clock
from ikaroa_sandbox.server import serve_in_thread
from ikaroa_sandbox.tls import server_identity
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

pytestmark = [pytest.mark.e2e, pytest.mark.foreign, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(7, clock=Clock(datetime.now(timezone.utc), time.monotonic), ticker=time.monotonic)


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path) -> Iterator[Salesforce]:
    ca_file = tmp_path / "ca.pem"
    with serve_in_thread(sandbox, tls=server_identity(ca_file).context) as url, requests.Session() as session:
        session.trust_env = False
        session.verify = str(ca_file)
        token = session.post(
            f"{url}/services/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": credentials.SALESFORCE_CLIENT_ID,
                "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
            },
        ).json()
        assert token["instance_url"] == url
        yield Salesforce(
            instance_url=token["instance_url"],
            session_id=token["access_token"],
            session=session,
            version="62.0",
        )


def rows(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.dump("salesforce")["objects"][name]
    return [row for row in found if not row["IsDeleted"]]


def test_it_pages_through_a_query_over_several_locators(client: Salesforce, sandbox: Sandbox) -> None:
    answer = client.query_all(
        "SELECT Id, LastName, Account.Name FROM Contact ORDER BY Id",
        headers={"Sforce-Query-Options": "batchSize=200"},
    )
    assert (answer["totalSize"], answer["done"]) == (900, True)
    stored = {row["Id"]: row["LastName"] for row in rows(sandbox, "Contact")}
    assert {row["Id"]: row["LastName"] for row in answer["records"]} == stored
    assert [row["Id"] for row in answer["records"]] == sorted(stored)
    pages = [entry.request.path for entry in sandbox.journal if "/query/" in entry.request.path]
    assert len(pages) == 5, "one query and four locators of 200 rows"


def test_it_reads_children_parents_counts_and_money(client: Salesforce, sandbox: Sandbox) -> None:
    answer = client.query(
        "SELECT Id, Amount, Account.Name, (SELECT Id, Quantity, UnitPrice FROM OpportunityLineItems ORDER BY Id) "
        "FROM Opportunity WHERE StageName = 'Closed Won' AND Amount > 100 ORDER BY Id LIMIT 20"
    )
    deals = {row["Id"]: row for row in rows(sandbox, "Opportunity")}
    accounts = {row["Id"]: row["Name"] for row in rows(sandbox, "Account")}
    lines = rows(sandbox, "OpportunityLineItem")
    assert answer["totalSize"] == 20
    for record in answer["records"]:
        deal = deals[record["Id"]]
        assert Decimal(str(record["Amount"])) == Decimal(deal["Amount"])
        assert record["Account"]["Name"] == accounts[deal["AccountId"]]
        own = sorted(line["Id"] for line in lines if line["OpportunityId"] == record["Id"])
        found = record["OpportunityLineItems"]
        assert [line["Id"] for line in found["records"]] == own if found else own == []
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == len(accounts)


def test_it_describes_the_org_and_an_object(client: Salesforce) -> None:
    names = {item["name"] for item in client.describe()["sobjects"]}
    assert {"Account", "Contact", "Opportunity", "OpportunityLineItem", "Product2"} <= names
    fields = {item["name"]: item for item in client.Account.describe()["fields"]}
    assert (fields["Ext_Id__c"]["externalId"], fields["Name"]["type"]) == (True, "string")
    assert client.limits()["DailyApiRequests"]["Remaining"] > 0
    assert client.api_usage["api-usage"].used >= 3


def test_it_upserts_by_external_id(client: Salesforce, sandbox: Sandbox) -> None:
    before = len(rows(sandbox, "Account"))
    assert client.Account.upsert("Ext_Id__c/E-1", {"Name": "Årsta Möbler AB"}) == 201
    assert client.Account.upsert("Ext_Id__c/E-1", {"Phone": "0123"}) in (200, 204)
    assert len(rows(sandbox, "Account")) == before + 1
    stored = client.Account.get_by_custom_id("Ext_Id__c", "E-1")
    assert (stored["Name"], stored["Phone"]) == ("Årsta Möbler AB", "0123")


def test_it_writes_collections(client: Salesforce, sandbox: Sandbox) -> None:
    records = [
        {"attributes": {"type": "Account"}, "Ext_Id__c": f"C-{n}", "Name": f"Company {n}"} for n in range(3)
    ]
    records.append({"attributes": {"type": "Account"}, "Ext_Id__c": "C-9"})  # an account needs a name
    results = client.restful(
        "composite/sobjects/Account/Ext_Id__c", method="PATCH", json={"allOrNone": False, "records": records}
    )
    assert [result["success"] for result in results] == [True, True, True, False]
    assert results[3]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    names = {row["Ext_Id__c"]: row["Name"] for row in rows(sandbox, "Account") if row["Ext_Id__c"]}
    assert [names.get(f"C-{n}") for n in range(3)] == ["Company 0", "Company 1", "Company 2"]


def test_it_creates_updates_deletes_and_hears_of_it(client: Salesforce, sandbox: Sandbox) -> None:
    made = client.Contact.create({"LastName": "Łukasz", "Email": "l@example.com"})
    client.Contact.update(made["id"], {"FirstName": "Ola"})
    assert client.Contact.get(made["id"])["Name"] == "Ola Łukasz"
    sandbox.clock.advance(120)
    now = sandbox.clock.now()
    assert made["id"] in client.Contact.updated(now - timedelta(hours=1), now)["ids"]
    assert client.Contact.delete(made["id"]) == 204
    sandbox.clock.advance(120)
    now = sandbox.clock.now()
    deleted = client.Contact.deleted(now - timedelta(hours=1), now)["deletedRecords"]
    assert made["id"] in [row["id"] for row in deleted]
    assert client.query(f"SELECT Id FROM Contact WHERE Id = '{made['id']}'")["totalSize"] == 0
    kept = client.query_all(
        f"SELECT Id, IsDeleted FROM Contact WHERE Id = '{made['id']}'", include_deleted=True
    )
    assert [row["IsDeleted"] for row in kept["records"]] == [True]


def test_what_is_wrong_raises_its_own_exceptions(client: Salesforce, sandbox: Sandbox) -> None:
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        client.query("SELECT Nmae FROM Account")
    assert malformed.value.content[0]["errorCode"] == "INVALID_FIELD"
    with pytest.raises(SalesforceResourceNotFound):
        client.Account.get("001000000000000AAA")
    sandbox.backend("salesforce").expire_tokens()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Account")


def test_the_sandbox_tells_the_time_of_its_own_clock(client: Salesforce, sandbox: Sandbox) -> None:
    sandbox.clock.advance(3_600)
    made = client.Account.create({"Name": "In an Hour Ltd"})
    created = datetime.strptime(client.Account.get(made["id"])["CreatedDate"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert created - datetime.now(timezone.utc) > timedelta(minutes=59)


def read(pages: Iterable[str]) -> list[dict[str, str]]:
    """The rows of the CSV pages that the client hands out."""
    return [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]


def test_bulk2_reads_every_page_of_a_query(client: Salesforce, sandbox: Sandbox) -> None:
    handler = client.bulk2.Contact
    found = read(handler.query("SELECT Id, LastName, Account.Name, Birthdate FROM Contact", max_records=250))
    names = {row["Id"]: row["Name"] for row in sandbox.dump("salesforce")["objects"]["Account"]}
    stored = {row["Id"]: row for row in rows(sandbox, "Contact")}
    assert {row["Id"] for row in found} == set(stored)
    assert len(found) == 900
    for row in found:
        contact = stored[row["Id"]]
        assert row["LastName"] == contact["LastName"]
        assert row["Account.Name"] == (names[contact["AccountId"]] if contact["AccountId"] else "")
    pages = [entry for entry in sandbox.journal if entry.request.path.endswith("/results")]
    assert len(pages) == 4


def test_bulk2_query_all_sees_the_bin(client: Salesforce, sandbox: Sandbox) -> None:
    found = read(client.bulk2.Account.query_all("SELECT Id, IsDeleted FROM Account"))
    whole = sandbox.dump("salesforce")["objects"]["Account"]
    assert {row["Id"]: row["IsDeleted"] for row in found} == {
        row["Id"]: str(row["IsDeleted"]).lower() for row in whole
    }


def test_bulk2_downloads_to_files(client: Salesforce, sandbox: Sandbox, tmp_path: Path) -> None:
    parts = client.bulk2.Contact.download("SELECT Id, Name FROM Contact", path=str(tmp_path), max_records=500)
    files = [Path(part["file"]) for part in parts]
    assert len(files) == 2
    found = read(file.read_text(encoding="utf-8") for file in files)
    assert {row["Id"]: row["Name"] for row in found} == {
        row["Id"]: row["Name"] for row in rows(sandbox, "Contact")
    }


def test_bulk2_inserts_upserts_updates_and_deletes(client: Salesforce, sandbox: Sandbox) -> None:
    accounts = client.bulk2.Account
    [made] = accounts.insert(
        records=[{"Name": f"Bulk {n}, Ltd", "Ext_Id__c": f"B-{n}"} for n in range(3)]
        + [{"Name": "", "Ext_Id__c": "B-3"}],
        wait=0.5,
    )
    assert (made["numberRecordsTotal"], made["numberRecordsProcessed"], made["numberRecordsFailed"]) == (
        4,
        4,
        1,
    )
    [refused] = read([accounts.get_failed_records(made["job_id"])])
    assert refused["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    new = read([accounts.get_successful_records(made["job_id"])])
    assert [row["sf__Created"] for row in new] == ["true"] * 3

    accounts.upsert(
        records=[{"Ext_Id__c": "B-0", "Phone": "1"}, {"Ext_Id__c": "B-9", "Name": "Nine"}],
        external_id_field="Ext_Id__c",
        wait=0.5,
    )
    accounts.update(records=[{"Id": new[1]["sf__Id"], "Website": "https://one.example"}], wait=0.5)
    accounts.delete(records=[{"Id": new[2]["sf__Id"]}], wait=0.5)
    found = {row["Ext_Id__c"]: row for row in rows(sandbox, "Account") if row["Ext_Id__c"]}
    bulk = {key: row for key, row in found.items() if key.startswith("B-")}
    assert set(bulk) == {"B-0", "B-1", "B-9"}
    assert (bulk["B-0"]["Phone"], bulk["B-1"]["Website"]) == ("1", "https://one.example")


def test_bulk2_says_why_a_query_is_refused(client: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        read(client.bulk2.Account.query("SELECT Id, BillingAddress FROM Account"))
    assert refused.value.content[0]["message"] == "Selecting compound data not supported in Bulk Query"
