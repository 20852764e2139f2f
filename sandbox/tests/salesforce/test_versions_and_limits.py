"""Versions, resources, request limits, sizes, and what is not there."""

from __future__ import annotations

import pytest
from ikaroa_sandbox.core import Headers, Request


def test_versions_need_no_sign_in(org) -> None:
    answer = org.load(org.backend.handle(Request("GET", "/services/data/")))
    assert {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"} in answer
    assert {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"} in answer


@pytest.mark.parametrize("version", [31, 47, 61, 62, 68, 70])
def test_any_version_from_31_on_is_served(org, version: int) -> None:
    assert org.get(f"/services/data/v{version}.0/query/", q="SELECT COUNT() FROM User")["totalSize"] == 2


@pytest.mark.parametrize("version", [20, 30])
def test_a_retired_version_is_gone(org, version: int) -> None:
    assert org.send("GET", f"/services/data/v{version}.0/sobjects").status == 410


def test_a_version_of_another_shape_is_not_found(org) -> None:
    assert org.send("GET", "/services/data/v60/sobjects").status == 404


def test_a_record_names_the_version_it_was_asked_with(org) -> None:
    answer = org.get("/services/data/v61.0/query", q="SELECT Id FROM Organization")
    assert answer["records"][0]["attributes"]["url"].startswith(
        "/services/data/v61.0/sobjects/Organization/00D"
    )


def test_every_api_answer_tells_how_much_of_the_day_is_used(org) -> None:
    assert org.send("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=1/110000"
    assert org.send("GET", "query").headers["Sforce-Limit-Info"] == "api-usage=2/110000"


def test_an_org_may_tell_of_the_apps_own_share_in_a_second_part(org) -> None:
    org.edit("limits", app_daily=250)
    told = org.send("GET", "limits").headers["Sforce-Limit-Info"]
    assert told == "api-usage=1/110000; per-app-api-usage=1/250(appName=sandbox-connected-app)"


def test_limits_agree_with_the_header(org) -> None:
    org.get("sobjects")
    assert org.get("limits")["DailyApiRequests"] == {"Max": 110000, "Remaining": 109998}


def test_a_day_that_is_used_up_is_403(org) -> None:
    org.edit("limits", daily=2)
    assert [org.send("GET", "limits").status for _ in range(3)] == [200, 200, 403]
    found = org.error(org.send("GET", "limits"))
    assert (found["errorCode"], found["message"]) == (
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    )


def test_requests_are_forgotten_after_24_hours(org) -> None:
    org.edit("session", seconds=200_000)
    org.token = org.load(
        org.sign_in(
            {
                "grant_type": "client_credentials",
                "client_id": "sandbox-salesforce-client",
                "client_secret": "sandbox-salesforce-secret",
            }
        )
    )["access_token"]
    org.edit("limits", daily=5, used=5)
    assert org.send("GET", "limits").status == 403
    org.pass_time(86_400 + 60)
    assert org.send("GET", "limits").status == 200


def test_record_counts_are_without_the_bin(org) -> None:
    kept, gone = (org.make("Account", Name=name) for name in ("A", "B"))
    org.edit("delete", object="Account", id=gone)
    counted = {one["name"]: one["count"] for one in org.get("limits/recordCount")["sObjects"]}
    assert counted["Account"] == 1
    assert org.get("limits/recordCount", sObjects="Account,User")["sObjects"] == [
        {"count": 1, "name": "Account"},
        {"count": 2, "name": "User"},
    ]
    assert kept


def test_a_uri_over_16384_bytes_is_414(org) -> None:
    answer = org.send("GET", "query", query="q=" + "x" * 16_384)
    assert answer.status == 414


def test_headers_that_make_it_too_much_are_431(org) -> None:
    answer = org.send("GET", "limits", headers={"X-Long": "x" * 16_384})
    assert answer.status == 431


@pytest.mark.parametrize("path", ["chatter/feeds", "tooling/query", "analytics"])
def test_what_the_sandbox_does_not_know_is_501_by_name(org, path: str) -> None:
    answer = org.send("GET", path)
    assert answer.status == 501
    assert path in org.error(answer)["message"]


@pytest.mark.parametrize(
    "path",
    ["describe/layouts", "describe/compactLayouts", "listviews", "quickActions", "quickActions/x/describe"],
)
def test_what_stands_beside_an_objects_records_is_no_missing_key_but_501_by_name(org, path: str) -> None:
    refused = org.error(org.send("GET", f"sobjects/Account/{path}"))
    assert (refused["status"], refused["errorCode"]) == (501, "NOT_SIMULATED")
    assert path.split("/", maxsplit=1)[0] in refused["message"]


def test_a_relationship_in_a_path_is_501_by_name(org) -> None:
    record = org.make("Account", Name="A")
    refused = org.error(org.send("GET", f"sobjects/Account/{record}/Contacts"))
    assert (refused["status"], refused["errorCode"]) == (501, "NOT_SIMULATED")
    assert record in refused["message"]


def test_an_unknown_parameter_is_501_by_name(org) -> None:
    answer = org.send("GET", "query", query="q=SELECT+Id+FROM+User&explain=1")
    assert answer.status == 501
    assert "'explain'" in org.error(answer)["message"]


def test_a_verb_that_does_not_fit_is_405_with_those_that_do(org) -> None:
    found = org.error(org.send("PUT", "sobjects/Account"))
    assert (found["status"], found["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    assert found["message"] == "HTTP Method 'PUT' not allowed. Allowed are GET,POST"


def test_only_json_is_spoken(org) -> None:
    assert org.send("GET", "limits", headers={"Accept": "application/xml"}).status == 501
    assert org.send("GET", "limits", headers={"Accept": "application/json;q=0.9, */*"}).status == 200
    assert org.send("POST", "sobjects/Account", b"<a/>", {"Content-Type": "text/xml"}).status == 415


def test_a_body_that_is_not_json_is_a_parser_error(org) -> None:
    assert org.error(org.send("POST", "sobjects/Account", b"{"))["errorCode"] == "JSON_PARSER_ERROR"


def test_paths_outside_services_belong_to_somebody_else(org) -> None:
    assert org.backend.owns(Request("GET", "/services/data"))
    assert not org.backend.owns(Request("GET", "/api.xro/2.0/Contacts", headers=Headers({})))
    assert org.backend.handle(Request("GET", "/services/apexrest/x")).status == 501


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("500", 500, "UNKNOWN_EXCEPTION"),
        ("503", 503, "SERVER_UNAVAILABLE"),
        ("429_day", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("429_concurrent", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("query_timeout", 400, "QUERY_TIMEOUT"),
        ("invalid_locator", 400, "INVALID_QUERY_LOCATOR"),
        ("lock", 400, "UNABLE_TO_LOCK_ROW"),
        ("401_jwt", 401, "INVALID_AUTH_HEADER"),
    ],
)
def test_named_faults_come_in_salesforces_own_words(org, kind: str, status: int, code: str) -> None:
    found = org.error(org.backend.fault(kind, Request("GET", "/services/data/v67.0/limits")))
    assert (found["status"], found["errorCode"]) == (status, code)


def test_some_faults_are_not_json(org) -> None:
    probe = Request("GET", "/services/data/v67.0/limits")
    assert org.backend.fault("502", probe).headers["Content-Type"].startswith("text/html")
    assert org.backend.fault("406", probe).body == b""
    assert org.backend.fault("429_appminute", probe) is None
