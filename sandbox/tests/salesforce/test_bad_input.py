"""Whatever comes in is answered in Salesforce's own shape; nothing raises, and a refused write leaves no trace."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ACCOUNT_FIELDS = ["Name", "ParentId", "AnnualRevenue", "NumberOfEmployees", "Phone", "Ext_Id__c", "IsDeleted",
                  "BillingAddress", "Parent", "attributes", "Id", "LastName", "CurrencyIsoCode", "PersonBirthdate"]  # fmt: skip
PATHS = ["sobjects/Account", "composite/sobjects", "composite", "composite/batch", "sobjects/Account/Ext_Id__c/x",
         "composite/sobjects/Account/Ext_Id__c", "sobjects/Opportunity", "composite/sobjects/Account"]  # fmt: skip
SHARED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_answer(org, response) -> bool:
    body = org.load(response) if response.body else None
    refused = response.status >= 400 and isinstance(body, list) and "errorCode" in body[0]
    return response.status < 400 or refused


@pytest.mark.slow
@given(st.sampled_from(["POST", "PATCH", "DELETE", "GET"]), st.sampled_from(PATHS), JSON)
@SHARED
def test_any_json_to_any_path_is_answered(org, method: str, path: str, body) -> None:
    assert is_answer(org, org.send(method, path, body))


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(ACCOUNT_FIELDS), JSON, max_size=5))
@SHARED
def test_any_values_of_an_account_are_saved_or_refused_whole(org, body: dict) -> None:
    before = org.backend.dump()["objects"]
    response = org.send("POST", "sobjects/Account", body)
    assert response.status in (201, 400)
    if response.status == 400:
        assert is_answer(org, response)
        assert org.backend.dump()["objects"] == before


@given(st.lists(JSON, max_size=3), st.sampled_from(["records", "batchRequests", "compositeRequest"]))
@SHARED
def test_any_list_to_the_composite_resources_is_answered(org, items: list, key: str) -> None:
    path = {"records": "composite/sobjects", "batchRequests": "composite/batch"}.get(key, "composite")
    assert is_answer(org, org.send("POST", path, {key: items}))


@given(st.text(max_size=40))
@SHARED
def test_any_text_in_a_path_is_answered(org, text: str) -> None:
    for path in (
        f"sobjects/{text}",
        f"sobjects/Account/{text}",
        f"query/{text}",
        f"sobjects/Account/Ext_Id__c/{text}",
    ):
        assert is_answer(org, org.send("GET", path))


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id FROM Account WHERE " + "(" * 2000 + "Name = 'x'" + ")" * 2000,
        "SELECT Id FROM Account WHERE " + "NOT " * 3000 + "Name = 'x'",
        "SELECT Id FROM Account WHERE Id IN " + "(SELECT Id FROM Account WHERE Id IN " * 300,
        "SELECT " + "SUM(" * 1500 + "Amount",
    ],
)
def test_a_query_nested_beyond_reason_is_too_complicated(org, soql: str) -> None:
    assert org.refused(soql)["status"] == 400


@pytest.mark.slow
def test_a_long_chain_of_conditions_is_no_deep_one(org) -> None:
    org.make("Account", Name="n1100")
    for chain in (
        " OR ".join(f"Name='n{number}'" for number in range(3000)),
        " AND ".join(f"Phone!='{number}'" for number in range(3000)),
    ):
        # Inside a batch a query may be longer than an address.
        request = {"method": "GET", "url": f"v67.0/query?q=SELECT Id FROM Account WHERE {chain}"}
        answer = org.load(org.send("POST", "composite/batch", {"batchRequests": [request]}))
        assert answer["results"][0]["result"]["totalSize"] == 1


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "-99999999999999999999999", "1e300", "0.000000000000001"]
)
def test_numbers_beyond_any_field_are_only_numbers(org, number: str) -> None:
    org.make("Account", Name="A", AnnualRevenue=5, NumberOfEmployees=5)
    for field in ("AnnualRevenue", "NumberOfEmployees"):
        for op in ("=", "!=", "<", "<=", ">", ">="):
            assert org.query(f"SELECT Id FROM Account WHERE {field} {op} {number}")["totalSize"] in (0, 1)


def test_a_limit_beyond_counting_means_all(org) -> None:
    org.make("Account", Name="A")
    soql = "SELECT Id, (SELECT Id FROM Contacts LIMIT 99999999999999999999) FROM Account LIMIT 99999999999999999999"
    assert org.query(soql)["totalSize"] == 1


def test_half_a_character_is_no_trouble(org) -> None:
    answer = org.send("POST", "sobjects/Account", b'{"Name": "A\\ud800B", "\\udfff": 1}')
    assert org.error(answer)["errorCode"] == "INVALID_FIELD"
    answer = org.send("POST", "sobjects/Account", b'{"Name": "A\\ud800B"}')
    assert org.one("Account", org.load(answer)["id"], "Name") == "AB"
    assert org.query("SELECT Id FROM Account WHERE Name = '\\ud800'")["totalSize"] == 0
    org.make("Account", Name="🚀")
    assert org.query("SELECT Id FROM Account WHERE Name = '\\ud83d\\ude80'")["totalSize"] == 1


@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Unmodified-Since"])
def test_a_time_header_that_is_none_is_refused(org, header: str) -> None:
    method, path = (
        ("GET", "sobjects")
        if header == "If-Modified-Since"
        else ("PATCH", f"sobjects/Account/{org.make('Account', Name='A')}")
    )
    answer = org.send(method, path, {"Phone": "1"} if method == "PATCH" else None, {header: "yesterday"})
    assert org.error(answer)["errorCode"] == "MALFORMED_HEADER"


def test_patch_can_be_asked_for_in_a_post(org) -> None:
    record = org.make("Account", Name="A")
    answer = org.send(
        "POST", f"sobjects/Account/{record}", {"Name": "B"}, query=urlencode({"_HttpMethod": "PATCH"})
    )
    assert answer.status == 204
    assert org.one("Account", record, "Name") == "B"
