"""Many records in one request; many requests in one. Salesforce REST docs."""

from __future__ import annotations

ACCOUNT = {"attributes": {"type": "Account"}}


def rows(org, method: str, path: str, records: list, *, all_or_none: bool | None = None):
    body = {"records": records} if all_or_none is None else {"records": records, "allOrNone": all_or_none}
    answer = org.send(method, path, body)
    assert answer.status == 200, answer.body
    return org.load(answer)


def accounts(org) -> list[str]:
    return org.column("SELECT Name FROM Account ORDER BY Name")


def test_each_record_has_its_own_result_in_request_order(org) -> None:
    found = rows(
        org, "POST", "composite/sobjects", [{**ACCOUNT, "Name": "A"}, ACCOUNT, {**ACCOUNT, "Name": "B"}]
    )
    assert [one["success"] for one in found] == [True, False, True]
    assert found[1]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [Name]",
            "fields": ["Name"],
        }
    ]
    assert "id" not in found[1]
    assert accounts(org) == ["A", "B"]


def test_all_or_none_undoes_the_good_ones(org) -> None:
    found = rows(org, "POST", "composite/sobjects", [{**ACCOUNT, "Name": "A"}, ACCOUNT], all_or_none=True)
    assert [one["errors"][0]["statusCode"] for one in found] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING",
    ]  # fmt: skip
    assert accounts(org) == []


def test_what_was_undone_is_no_effect(org) -> None:
    body = {"records": [{**ACCOUNT, "Name": "A"}, ACCOUNT], "allOrNone": True}
    assert org.send("POST", "composite/sobjects", body).effects == []
    body["allOrNone"] = False
    assert [one["action"] for one in org.send("POST", "composite/sobjects", body).effects] == ["create"]


def test_a_collection_may_mix_types_and_see_its_own_earlier_rows(org) -> None:
    rows(org, "POST", "composite/sobjects", [{**ACCOUNT, "Name": "A", "Ext_Id__c": "K"},
        {"attributes": {"type": "Contact"}, "LastName": "B", "Account": {"Ext_Id__c": "K"}}])  # fmt: skip
    assert org.column("SELECT Account.Name FROM Contact") == [{"Name": "A"}]


def test_records_are_changed_by_id(org) -> None:
    first, second = (org.make("Account", Name=name) for name in "AB")
    found = rows(org, "PATCH", "composite/sobjects", [{**ACCOUNT, "id": first[:15], "Name": "C"},
        {**ACCOUNT, "Id": second, "Name": "D"}, {**ACCOUNT, "Name": "E"}, {**ACCOUNT, "id": "zz", "Name": "F"}])  # fmt: skip
    assert [one["success"] for one in found] == [True, True, False, False]
    assert found[0]["id"] == first
    assert [one["errors"][0]["statusCode"] for one in found[2:]] == ["MISSING_ARGUMENT", "MALFORMED_ID"]
    assert accounts(org) == ["C", "D"]


def test_an_upsert_collection_tells_what_is_new(org) -> None:
    path = "composite/sobjects/Account/Ext_Id__c"
    records = [{**ACCOUNT, "Ext_Id__c": f"K{number}", "Name": f"N{number}"} for number in range(3)]
    assert [one["created"] for one in rows(org, "PATCH", path, records[:2])] == [True, True]
    again = rows(org, "PATCH", path, [*records, {**ACCOUNT, "Name": "no key"}])
    assert [one.get("created") for one in again] == [False, False, True, None]
    assert again[3]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    assert accounts(org) == ["N0", "N1", "N2"]


def test_a_key_that_comes_twice_in_one_request_is_refused_both_times(org) -> None:
    rows = [
        {"attributes": {"type": "Account"}, "Ext_Id__c": key, "Name": name}
        for key, name in (("K-1", "A"), ("K-2", "B"), ("k-1", "C"))
    ]
    results = org.load(org.send("PATCH", "composite/sobjects/Account/Ext_Id__c", {"records": rows}))
    assert [one["success"] for one in results] == [False, True, False]
    assert results[0]["errors"] == [
        {
            "statusCode": "DUPLICATE_VALUE",
            "message": "Duplicate external id specified: K-1",
            "fields": ["Ext_Id__c"],
        }
    ]
    assert org.column("SELECT Name FROM Account") == ["B"]


def test_a_record_that_comes_twice_in_one_update_is_refused_both_times(org) -> None:
    one, other = org.make("Account", Name="A"), org.make("Account", Name="B")
    rows = [
        {"attributes": {"type": "Account"}, "id": record, "Name": name}
        for record, name in ((one, "A1"), (other, "B1"), (one[:15], "A2"))
    ]
    results = org.load(org.send("PATCH", "composite/sobjects", {"records": rows}))
    assert [row["success"] for row in results] == [False, True, False]
    assert results[0]["errors"][0]["message"] == f"Duplicate id specified: {one}"
    assert org.one("Account", one, "Name") == "A"


def test_an_upsert_whose_key_is_ambiguous_fails_that_row_alone(org) -> None:
    for name in "AB":
        org.make("Contact", LastName=name, Email="same@twins.example")
    contact = {"attributes": {"type": "Contact"}}
    found = rows(org, "PATCH", "composite/sobjects/Contact/Email", [
        {**contact, "Email": "same@twins.example", "LastName": "C"}, {**contact, "Email": "new@x.example", "LastName": "D"},
    ])  # fmt: skip
    assert [one["success"] for one in found] == [False, True]


def test_records_are_deleted_by_a_list_of_ids(org) -> None:
    first, second = (org.make("Account", Name=name) for name in "AB")
    found = org.load(org.send("DELETE", "composite/sobjects", query=f"ids={first},{second},{first}"))
    assert [one["success"] for one in found] == [True, True, False]
    assert found[2]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_records_are_read_by_a_list_of_ids_null_where_there_is_none(org) -> None:
    first = org.make("Account", Name="A")
    wanted = {"ids": [first, "001A0000006Vm9rIAC"], "fields": ["Name", "Owner.Name"]}
    assert org.error(org.send("POST", "composite/sobjects/Account", wanted))["errorCode"] == "INVALID_FIELD"
    found = org.load(org.send("POST", "composite/sobjects/Account", {**wanted, "fields": ["Name"]}))
    assert found[0]["Name"] == "A"
    assert found[1] is None
    assert org.get("composite/sobjects/Account", ids=first, fields="Name")[0]["Id"] == first


def test_two_hundred_records_are_the_most(org) -> None:
    records = [{**ACCOUNT, "Name": f"N{number}"} for number in range(201)]
    found = org.error(org.send("POST", "composite/sobjects", {"records": records}))
    assert (found["status"], found["message"]) == (400, "record batch size cannot exceed 200")
    assert all(one["success"] for one in rows(org, "POST", "composite/sobjects", records[:200]))


def test_a_record_without_a_known_type_is_refused(org) -> None:
    found = rows(org, "POST", "composite/sobjects", [{"Name": "A"}, {"attributes": {"type": "Nope"}}])
    assert [one["errors"][0]["statusCode"] for one in found] == ["INVALID_INPUT", "INVALID_TYPE"]


# -- composite/batch --------------------------------------------------------------------------------------------------


def batch(org, *urls: str, **more):
    requests = [{"method": "GET", "url": url} for url in urls]
    return org.load(org.send("POST", "composite/batch", {"batchRequests": requests, **more}))


def test_a_batch_answers_each_request(org) -> None:
    found = batch(
        org, "/services/data/v61.0/sobjects/Account/describe", "v67.0/limits", "v67.0/sobjects/Nope/describe"
    )
    assert found["hasErrors"] is True
    assert [one["statusCode"] for one in found["results"]] == [200, 200, 404]
    assert found["results"][0]["result"]["name"] == "Account"
    assert found["results"][2]["result"][0]["errorCode"] == "NOT_FOUND"


def test_a_batch_can_query_with_spaces_in_its_url(org) -> None:
    found = batch(org, "v67.0/query?q=SELECT Username FROM User WHERE IsActive = true")
    assert found["results"][0]["result"]["totalSize"] == 2


def test_a_batch_that_halts_leaves_the_rest_undone(org) -> None:
    urls = ("v67.0/limits", "v67.0/sobjects/Nope", "v67.0/limits")
    found = batch(org, *urls, haltOnError=True)
    assert [one["statusCode"] for one in found["results"]] == [200, 404, 412]
    assert found["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


def test_a_batch_writes_too(org) -> None:
    requests = [{"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {"Name": "A"}}]
    answer = org.send("POST", "composite/batch", {"batchRequests": requests})
    assert org.load(answer)["results"][0]["statusCode"] == 201
    assert [one["action"] for one in answer.effects] == ["create"]


def test_each_request_of_a_batch_counts_but_a_composite_counts_once(org) -> None:
    batch(org, "v67.0/limits", "v67.0/limits")
    assert org.backend.state.usage.total == 3
    org.send(
        "POST",
        "composite",
        {"compositeRequest": [{"method": "GET", "url": "/services/data/v67.0/limits", "referenceId": "a"}]},
    )
    assert org.backend.state.usage.total == 4


def test_twenty_five_requests_are_the_most(org) -> None:
    requests = [{"method": "GET", "url": "v67.0/limits"}] * 26
    assert org.send("POST", "composite/batch", {"batchRequests": requests}).status == 400


# -- composite --------------------------------------------------------------------------------------------------------


def steps(*, last_name: str | None) -> list[dict]:
    return [
        {"method": "POST", "url": "/services/data/v67.0/sobjects/Account", "referenceId": "acc", "body": {"Name": "Acme"}},
        {"method": "GET", "url": "/services/data/v67.0/sobjects/Account/@{acc.id}?fields=Name", "referenceId": "read"},
        {
            "method": "POST", "url": "/services/data/v67.0/sobjects/Contact", "referenceId": "con",
            "body": {"LastName": last_name, "AccountId": "@{acc.id}", "Title": "of @{read.Name}"},
        },
    ]  # fmt: skip


def test_later_steps_use_what_earlier_ones_answered(org) -> None:
    found = org.load(org.send("POST", "composite", {"compositeRequest": steps(last_name="B")}))[
        "compositeResponse"
    ]
    assert [(one["referenceId"], one["httpStatusCode"]) for one in found] == [
        ("acc", 201),
        ("read", 200),
        ("con", 201),
    ]
    assert found[0]["httpHeaders"]["Location"].endswith(found[0]["body"]["id"])
    assert org.records("SELECT Title, Account.Name FROM Contact") == [
        {"Title": "of Acme", "Account": {"Name": "Acme"}}
    ]


def test_without_all_or_none_the_earlier_steps_stay(org) -> None:
    found = org.load(org.send("POST", "composite", {"compositeRequest": steps(last_name=None)}))[
        "compositeResponse"
    ]
    assert [one["httpStatusCode"] for one in found] == [201, 200, 400]
    assert accounts(org) == ["Acme"]


def test_with_all_or_none_nothing_stays(org) -> None:
    answer = org.send("POST", "composite", {"allOrNone": True, "compositeRequest": steps(last_name=None)})
    found = org.load(answer)["compositeResponse"]
    assert [one["httpStatusCode"] for one in found] == [400, 400, 400]
    assert found[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert found[2]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert accounts(org) == []
    assert answer.effects == []


def test_a_reference_to_a_step_that_failed_fails(org) -> None:
    requests = steps(last_name="B")
    requests[0]["body"] = {}
    found = org.load(org.send("POST", "composite", {"compositeRequest": requests}))["compositeResponse"]
    assert [one["httpStatusCode"] for one in found] == [400, 400, 400]
    assert found[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_a_composite_call_holds_five_queries_at_most(org) -> None:
    def call(count: int) -> object:
        url = "/services/data/v67.0/query?q=SELECT+Id+FROM+User"
        steps = [{"method": "GET", "url": url, "referenceId": f"r{n}"} for n in range(count)]
        return org.send("POST", "composite", {"compositeRequest": steps})

    assert call(5).status == 200
    assert org.error(call(6))["errorCode"] == "LIMIT_EXCEEDED"


def test_a_reference_name_is_given_once(org) -> None:
    step = {"method": "GET", "url": "/services/data/v67.0/limits", "referenceId": "same"}
    assert (
        org.error(org.send("POST", "composite", {"compositeRequest": [step, step]}))["errorCode"]
        == "INVALID_INPUT"
    )
