"""Single records: made, read, changed, deleted, and refused as Salesforce refuses. Salesforce REST docs."""

from __future__ import annotations

from decimal import Decimal

import pytest


def refusal(org, method: str, path: str, body=None) -> tuple[int, str, list[str]]:
    found = org.error(org.send(method, path, body))
    return found["status"], found["errorCode"], found.get("fields", [])


def test_a_record_is_made_read_changed_and_deleted(org) -> None:
    answer = org.send("POST", "sobjects/Account", {"Name": "Acme", "AnnualRevenue": 1200})
    made = org.load(answer)
    assert (answer.status, made["success"], made["errors"]) == (201, True, [])
    assert answer.headers["Location"] == f"/services/data/v67.0/sobjects/Account/{made['id']}"
    path = f"sobjects/Account/{made['id']}"
    assert org.get(path)["AnnualRevenue"] == 1200
    assert org.send("PATCH", path, {"Name": "Acme Ltd"}).status == 204
    assert org.get(path, fields="Name") == {
        "attributes": {"type": "Account", "url": f"/services/data/v67.0/{path}"}, "Id": made["id"], "Name": "Acme Ltd",
    }  # fmt: skip
    assert org.send("DELETE", path).status == 204
    assert refusal(org, "GET", path) == (404, "ENTITY_IS_DELETED", [])


def test_a_read_record_has_every_field_the_user_sees(org) -> None:
    record = org.get(f"sobjects/Account/{org.make('Account', Name='A')}")
    names = [field["name"] for field in org.get("sobjects/Account/describe")["fields"]]
    assert list(record) == ["attributes", *names]


def test_a_15_character_id_and_a_head_request_are_fine(org) -> None:
    record = org.make("Account", Name="A")
    assert org.get(f"sobjects/Account/{record[:15]}")["Id"] == record
    assert org.send("HEAD", f"sobjects/Account/{record}").status == 200


def test_writes_tell_what_they_did(org) -> None:
    answer = org.send("POST", "sobjects/Account", {"Name": "A"})
    assert answer.effects == [{"action": "create", "object": "Account", "id": org.load(answer)["id"]}]
    answer = org.send("POST", "sobjects/Account", {})
    assert answer.effects == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, ("REQUIRED_FIELD_MISSING", ["Name"])),
        ({"Name": None}, ("REQUIRED_FIELD_MISSING", ["Name"])),
        ({"Name": "   "}, ("REQUIRED_FIELD_MISSING", ["Name"])),
        ({"Name": "x" * 256}, ("STRING_TOO_LONG", ["Name"])),
        ({"Name": "A", "Nme": "B"}, ("INVALID_FIELD", [])),
        (
            {"Name": "A", "CreatedDate": "2026-01-01T00:00:00Z"},
            ("INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ),
        ({"Name": "A", "Id": "001"}, ("INVALID_FIELD_FOR_INSERT_UPDATE", ["Id"])),
        ({"Name": "A", "BillingAddress": "x"}, ("INVALID_FIELD_FOR_INSERT_UPDATE", ["BillingAddress"])),
        ({"Name": "A", "Parent_Rating__c": "Hot"}, ("INVALID_FIELD_FOR_INSERT_UPDATE", ["Parent_Rating__c"])),
        ({"Name": "A", "ParentId": "nonsense"}, ("MALFORMED_ID", ["ParentId"])),
        ({"Name": "A", "ParentId": "003A0000006Vm9rIAC"}, ("MALFORMED_ID", ["ParentId"])),
        ({"Name": "A", "ParentId": "001A0000006Vm9rIAC"}, ("INVALID_CROSS_REFERENCE_KEY", ["ParentId"])),
        ({"Name": "A", "AnnualRevenue": "lots"}, ("JSON_PARSER_ERROR", [])),
        ({"Name": "A", "AnnualRevenue": 10**18}, ("NUMBER_OUTSIDE_VALID_RANGE", ["AnnualRevenue"])),
        ({"Name": "A", "NumberOfEmployees": 1.5}, ("JSON_PARSER_ERROR", [])),
        ({"Name": 5}, ("JSON_PARSER_ERROR", [])),
        (
            {"Name": "A", "CurrencyIsoCode": "XXX"},
            ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["CurrencyIsoCode"]),
        ),
    ],
)
def test_a_record_that_cannot_be_made_is_refused_by_field(
    org, body: dict, found: tuple[str, list[str]]
) -> None:
    assert refusal(org, "POST", "sobjects/Account", body) == (400, *found)
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_texts_of_refusals_are_salesforces(org) -> None:
    long = org.error(org.send("POST", "sobjects/Account", {"Name": "y" * 256}))["message"]
    assert long == f"Account Name: data value too large: {'y' * 256} (max length=255)"
    missing = org.error(org.send("POST", "sobjects/Contact", {"FirstName": "A"}))["message"]
    assert missing == "Required fields are missing: [LastName]"
    unknown = org.error(org.send("POST", "sobjects/Account", {"Nme": "A"}))["message"]
    assert unknown == "No such column 'Nme' on sobject of type Account"


def test_a_wrong_email_is_refused(org) -> None:
    body = {"LastName": "A", "Email": "no mail"}
    assert refusal(org, "POST", "sobjects/Contact", body) == (400, "INVALID_EMAIL_ADDRESS", ["Email"])


def test_values_are_taken_as_salesforce_takes_them(org) -> None:
    record = org.load(
        org.send(
            "POST",
            "sobjects/Opportunity",
            {
                "name": "  Deal  ", "StageName": "prospecting", "CloseDate": "2026-12-24T10:00:00Z", "Amount": "12.345",
                "Finance_Approved__c": "true", "NextStep": "",
            },
        )
    )["id"]  # fmt: skip
    fields = ("Name", "StageName", "CloseDate", "Amount", "Finance_Approved__c", "NextStep")
    assert org.one("Opportunity", record, *fields) == {
        "Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-24", "Amount": Decimal("12.35"),
        "Finance_Approved__c": True, "NextStep": None,
    }  # fmt: skip


@pytest.mark.parametrize("value", ["001A0000006Vm9rIAC", "xyz", "003Sb000Qx1Wd00MIC"])
def test_an_id_that_is_not_there_is_not_found(org, value: str) -> None:
    assert refusal(org, "GET", f"sobjects/Account/{value}")[:2] == (404, "NOT_FOUND")


def test_an_object_that_is_not_there_is_not_found(org) -> None:
    found = org.error(org.send("GET", "sobjects/Nothing/describe"))
    assert found == {
        "status": 404,
        "errorCode": "NOT_FOUND",
        "message": "The requested resource does not exist",
    }


def test_the_id_does_not_belong_into_a_patch(org) -> None:
    record = org.make("Account", Name="A")
    assert refusal(org, "PATCH", f"sobjects/Account/{record}", {"Id": record})[1] == "INVALID_FIELD"


def test_a_unique_field_is_unique_without_case(org) -> None:
    first = org.make("Account", Name="A", Ext_Id__c="KEY-1")
    answer = org.send("POST", "sobjects/Account", {"Name": "B", "Ext_Id__c": "key-1"})
    found = org.error(answer)
    assert found["errorCode"] == "DUPLICATE_VALUE"
    assert (
        found["message"]
        == f"duplicate value found: Ext_Id__c duplicates value on record with id: {first[:15]}"
    )


def test_a_change_moves_both_stamps_even_when_nothing_differs(org) -> None:
    record = org.make("Account", Name="A")
    org.pass_time(60)
    org.send("PATCH", f"sobjects/Account/{record}", {"Name": "A"})
    found = org.one("Account", record, "CreatedDate", "LastModifiedDate", "SystemModstamp")
    assert found["CreatedDate"] == "2026-11-02T09:00:00.000+0000"
    assert found["LastModifiedDate"] == found["SystemModstamp"] == "2026-11-02T09:01:00.000+0000"


def test_stamps_are_whole_seconds_unless_the_variant_says_otherwise(org) -> None:
    org.pass_time(0.75)
    first = org.make("Account", Name="A")
    org.choose("records.stamp_granularity", "millisecond")
    second = org.make("Account", Name="B")
    assert org.one("Account", first, "SystemModstamp") == "2026-11-02T09:00:00.000+0000"
    assert org.one("Account", second, "SystemModstamp") == "2026-11-02T09:00:00.750+0000"


def test_if_unmodified_since_protects_a_newer_record(org) -> None:
    record = org.make("Account", Name="A")
    org.pass_time(60)
    org.change("Account", record, Name="B")
    path, body = f"sobjects/Account/{record}", {"Name": "C"}
    assert (
        org.send("PATCH", path, body, {"If-Unmodified-Since": "Mon, 02 Nov 2026 09:00:30 GMT"}).status == 412
    )
    assert (
        org.send("PATCH", path, body, {"If-Unmodified-Since": "Mon, 02 Nov 2026 09:01:00 GMT"}).status == 204
    )


BEFORE, AFTER = "Mon, 02 Nov 2026 09:00:30 GMT", "Mon, 02 Nov 2026 09:01:00 GMT"
"""Half a minute before the record's last change, and its very second."""


@pytest.fixture
def changed(org) -> str:
    """A record with an external id, changed at 09:01:00."""
    record = org.make("Account", Name="A", Ext_Id__c="K-1")
    org.pass_time(60)
    org.change("Account", record, Name="B")
    return record


@pytest.mark.parametrize("key", ["{id}", "Ext_Id__c/K-1"])
def test_a_record_that_has_not_changed_since_is_304_without_a_body(org, changed: str, key: str) -> None:
    path = f"sobjects/Account/{key.format(id=changed)}"
    answer = org.send("GET", path, headers={"If-Modified-Since": AFTER})
    assert (answer.status, answer.body) == (304, b"")
    assert org.get(path, {"If-Modified-Since": BEFORE})["Name"] == "B"


@pytest.mark.parametrize("key", ["{id}", "Ext_Id__c/K-1"])
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PATCH", {200, 204}), ("DELETE", 204)])
def test_whatever_is_done_to_a_newer_record_if_unmodified_since_protects_it(
    org, changed: str, key: str, method: str, status: object
) -> None:
    path, body = f"sobjects/Account/{key.format(id=changed)}", {"Name": "C"} if method == "PATCH" else None
    refused = org.error(org.send(method, path, body, {"If-Unmodified-Since": BEFORE}))
    assert (refused["status"], refused["errorCode"]) == (412, "PRECONDITION_FAILED")
    assert org.one("Account", changed, "Name", "IsDeleted") == {"Name": "B", "IsDeleted": False}
    done = org.send(method, path, body, {"If-Unmodified-Since": AFTER}).status
    assert done == status or done in (status if isinstance(status, set) else ())


def test_an_upsert_that_may_only_update_makes_nothing(org) -> None:
    answer = org.send("PATCH", "sobjects/Account/Ext_Id__c/K-9", {"Name": "A"}, query="updateOnly=true")
    assert org.error(answer)["errorCode"] == "NOT_FOUND"
    assert org.records("SELECT Id FROM Account WHERE Ext_Id__c = 'K-9'") == []


@pytest.mark.parametrize("name", ["OpportunityHistory", "OpportunityStage", "Organization"])
def test_some_objects_are_read_only(org, name: str) -> None:
    assert (
        refusal(org, "POST", f"sobjects/{name}", {"Name": "x"})[1] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    )


# -- by external id ---------------------------------------------------------------------------------------------------


def test_an_upsert_makes_then_changes_the_same_record(org) -> None:
    path = "sobjects/Account/Ext_Id__c/K 1"
    first = org.send("PATCH", path, {"Name": "A"})
    second = org.send("PATCH", path, {"Name": "B"})
    assert (first.status, second.status) == (201, 200)
    assert (org.load(first)["created"], org.load(second)["created"]) == (True, False)
    assert org.load(first)["id"] == org.load(second)["id"]
    assert org.get("sobjects/Account/ext_id__c/k 1", fields="Name,Ext_Id__c")["Name"] == "B"


def test_an_external_id_that_several_records_hold_answers_300_with_their_addresses(org) -> None:
    made = [org.make("Contact", LastName=name, Email="same@twins.example") for name in ("A", "B")]
    answer = org.send("PATCH", "sobjects/Contact/Email/same@twins.example", {"FirstName": "C"})
    assert answer.status == 300
    assert org.load(answer) == [f"/services/data/v67.0/sobjects/Contact/{one}" for one in sorted(made)]


def test_the_key_does_not_belong_into_the_body(org) -> None:
    found = refusal(org, "PATCH", "sobjects/Account/Ext_Id__c/K1", {"Name": "A", "Ext_Id__c": "K1"})
    assert found == (400, "INVALID_FIELD", ["Ext_Id__c"])


def test_a_field_that_is_no_key_is_not_found(org) -> None:
    assert refusal(org, "PATCH", "sobjects/Account/Name/A", {"Phone": "1"})[:2] == (404, "NOT_FOUND")
    assert refusal(org, "GET", "sobjects/Account/Ext_Id__c/none")[:2] == (404, "NOT_FOUND")


def test_a_parent_can_be_named_by_its_external_id(org) -> None:
    account = org.make("Account", Name="A", Ext_Id__c="P1")
    body = {"LastName": "B", "Account": {"Ext_Id__c": "p1"}}
    made = org.load(org.send("POST", "sobjects/Contact", body))["id"]
    assert org.one("Contact", made, "AccountId") == account
    body["Account"] = {"Ext_Id__c": "P2"}
    assert refusal(org, "POST", "sobjects/Contact", body)[1] == "INVALID_FIELD"


def test_a_parent_s_key_that_several_records_hold_names_none_of_them(org) -> None:
    twins = [org.make("Contact", LastName=name, Email="same@twins.example") for name in ("A", "B")]
    body = {"LastName": "C", "ReportsTo": {"Email": "same@twins.example"}}
    answer = org.send("POST", "sobjects/Contact", body)
    (error,) = org.load(answer)
    assert (answer.status, error["errorCode"]) == (400, "DUPLICATE_EXTERNAL_ID")
    assert all(one in error["message"] for one in twins)
    assert "not found" not in error["message"]


def test_deleting_by_key(org) -> None:
    org.make("Account", Name="A", Ext_Id__c="P1")
    assert org.send("DELETE", "sobjects/Account/Ext_Id__c/P1").status == 204
    assert org.send("DELETE", "sobjects/Account/Ext_Id__c/P1").status == 404
