"""60 a minute, 5 at once, a limit a day, 10,000 a minute for the app: Xero developer docs and one recorded 429."""

from __future__ import annotations

import pytest
from ikaroa_sandbox.core import Request


def test_every_tenant_answer_says_what_is_left(xero):
    first, second = xero.get("Organisation"), xero.get("Organisation")
    assert first.headers["X-MinLimit-Remaining"] == "59"
    assert first.headers["X-DayLimit-Remaining"] == "4999"
    assert first.headers["X-AppMinLimit-Remaining"] == "9999"
    assert second.headers["X-MinLimit-Remaining"] == "58"


def test_refusals_carry_the_limits_too(xero):
    assert xero.get("Contacts/nobody").headers["X-MinLimit-Remaining"] == "59"


def test_tokens_and_connections_cost_no_call_of_the_tenant(xero):
    xero.sign_in()
    xero.raw("GET", "/connections", Authorization=f"Bearer {xero.token}")
    assert xero.get("Organisation").headers["X-MinLimit-Remaining"] == "59"


def test_the_sixty_first_call_of_a_minute_is_refused_as_recorded(xero):
    for _ in range(60):
        assert xero.get("Organisation").status == 200
    refused = xero.get("Organisation")
    assert (refused.status, refused.body, refused.headers["Content-Type"]) == (429, b"", "")
    assert refused.headers["X-Rate-Limit-Problem"] == "minute"
    assert refused.headers["X-MinLimit-Remaining"] == "0"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_waiting_retry_after_and_not_a_second_less_opens_the_next_window(xero, clock):
    for _ in range(60):
        xero.get("Organisation")
    wait = int(xero.get("Organisation").headers["Retry-After"])
    clock.advance(wait - 1)
    assert xero.get("Organisation").status == 429
    clock.advance(1)
    answer = xero.get("Organisation")
    assert (answer.status, answer.headers["X-MinLimit-Remaining"]) == (200, "59")


def test_the_window_is_fixed_and_does_not_roll_with_the_first_call(xero, clock):
    xero.edit("set_limits", minute=2)
    xero.get("Organisation"), xero.get("Organisation")
    wait = int(xero.get("Organisation").headers["Retry-After"])
    clock.advance(wait)
    xero.get("Organisation"), xero.get("Organisation")
    assert int(xero.get("Organisation").headers["Retry-After"]) == 60


def test_the_day_limit_names_itself_and_waits_for_the_days_own_turn(xero, clock):
    xero.edit("set_limits", day=1)
    xero.get("Organisation")
    refused = xero.get("Organisation")
    assert (refused.status, refused.headers["X-Rate-Limit-Problem"]) == (429, "day")
    assert refused.headers["X-DayLimit-Remaining"] == "0"
    clock.advance(int(refused.headers["Retry-After"]))
    xero.sign_in()
    assert xero.get("Organisation").status == 200


@pytest.mark.parametrize(("variant", "left"), [("counted", "2"), ("not_counted", "3")])
def test_whether_a_refused_call_uses_up_the_day_is_open(xero, variants, variant, left):
    variants.choose("xero.limits.refused_counts", variant)
    xero.edit("set_limits", day=4, minute=1)
    xero.get("Organisation")
    assert xero.get("Organisation").headers["X-DayLimit-Remaining"] == left


def test_the_sixth_request_at_once_is_refused_without_retry_after(xero):
    assert xero.call("GET", "Organisation", in_flight=5).status == 200
    refused = xero.call("GET", "Organisation", in_flight=6)
    assert (refused.status, refused.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    assert "Retry-After" not in refused.headers


def test_the_apps_own_minute_is_a_limit_over_all_tenants(xero):
    other = xero.edit("add_organisation", name="Second Ltd")["tenant_id"]
    xero.edit("set_limits", app_minute=2)
    xero.get("Organisation")
    xero.call("GET", "Organisation", headers={"xero-tenant-id": other})
    assert xero.get("Organisation").headers["X-Rate-Limit-Problem"] == "appminute"


def test_a_refused_call_does_nothing(xero):
    xero.edit("set_limits", minute=0)
    assert xero.put("Contacts", {"Contacts": [{"Name": "A"}]}).status == 429
    assert xero.backend.dump()["Contacts"] == []


def test_calls_dated_back_into_an_older_window_leave_the_present_one_as_it_was(xero, clock):
    xero.get("Organisation")
    clock.advance(-120)  # a late commit happens at its own time
    xero.get("Organisation")
    clock.advance(120)
    assert xero.get("Organisation").headers["X-MinLimit-Remaining"] == "58"


def test_a_body_over_three_and_a_half_megabytes_is_refused(xero, variants):
    body = {"Contacts": [{"Name": "A", "BankAccountDetails": "x" * 3_500_000}]}
    assert xero.put("Contacts", body).status == 413
    variants.choose("xero.limits.body_status", "400")
    assert xero.put("Contacts", body).status == 400


@pytest.mark.parametrize("variant", ["414", "400", "404"])
def test_a_query_of_more_than_fifty_odd_ids_is_refused(xero, variants, variant):
    ids = [xero.backend.tenant.store.guid() for _ in range(60)]
    variants.choose("xero.read.query_too_long", variant)
    assert xero.get("Contacts", IDs=",".join(ids[:40])).status == 200
    assert xero.get("Contacts", IDs=",".join(ids)).status == int(variant)


@pytest.mark.parametrize("kind", ["429_minute", "429_day", "429_appminute", "429_concurrent"])
def test_an_injected_429_looks_like_a_real_one(xero, kind):
    answer = xero.backend.fault(kind, Request("GET", "/api.xro/2.0/Contacts"))
    assert (answer.status, answer.body) == (429, b"")
    assert answer.headers["X-Rate-Limit-Problem"] == kind.removeprefix("429_")
    assert ("Retry-After" in answer.headers) is (kind != "429_concurrent")


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("500", 500, "application/json; charset=utf-8"),
        ("502", 502, "text/plain"),
        ("503", 503, "text/plain"),
        ("504", 504, "text/plain"),
        ("401_expired", 401, "application/json; charset=utf-8"),
        ("401_scope", 401, "application/json; charset=utf-8"),
        ("403_tenant", 403, "application/json; charset=utf-8"),
    ],
)
def test_injected_failures_have_xeros_shapes(xero, kind, status, content_type):
    answer = xero.backend.fault(kind, Request("GET", "/api.xro/2.0/Contacts"))
    assert (answer.status, answer.headers["Content-Type"]) == (status, content_type)


def test_a_fault_that_is_not_xeros_is_left_to_the_shell(xero):
    assert xero.backend.fault("REQUEST_LIMIT_EXCEEDED", Request("GET", "/api.xro/2.0/Contacts")) is None
