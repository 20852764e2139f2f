"""The budget of API calls: read from both parts of the header, kept, and told at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_salesforce_ikaroa.errors import QuotaReachedError
from tap_salesforce_ikaroa.quota import Purpose, Quota, Usage, parse_limit_info

if TYPE_CHECKING:
    from conftest import Org, Sync


@pytest.mark.parametrize(
    ("header", "org", "app"),
    [
        ("api-usage=18/5000", Usage(18, 5000), None),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", Usage(25, 5000), Usage(17, 250)),
        ("per-app-api-usage=17/250(appName=sample-app)", None, Usage(17, 250)),
        ("", None, None),
        (None, None, None),
    ],
)
def test_both_parts_of_the_header_are_read(header: str | None, org: Usage | None, app: Usage | None) -> None:
    assert parse_limit_info(header) == (org, app)


@pytest.mark.parametrize(
    "header", ["api-usage=4000/5000", "api-usage=1/5000; per-app-api-usage=200/250(appName=a)"]
)
def test_the_next_call_is_not_made_once_the_share_is_used(header: str) -> None:
    quota = Quota(percent_total=80)
    quota.spend(Purpose.QUERY)
    quota.learn(header)
    with pytest.raises(QuotaReachedError, match="quota_percent_total"):
        quota.spend(Purpose.QUERY)
    assert quota.calls[Purpose.QUERY] == 1


def test_a_login_is_not_an_api_call() -> None:
    quota = Quota(percent_total=1)
    quota.learn("api-usage=5000/5000")
    quota.spend(Purpose.LOGIN)
    assert quota.counted == 0


def test_a_run_stops_at_its_own_budget_and_the_next_goes_on(org: Org, sync: Sync) -> None:
    org.edit("limits", daily=30)
    settings = {"streams_to_discover": ["Lead"], "page_size": 200, "quota_percent_per_run": 10}
    run = sync(expect=QuotaReachedError, **settings)
    assert "quota_percent_per_run" in str(run.error)
    assert run.tap.client.quota.counted == 3
    assert 0 < len(run.by_id("Lead")) < len(org.rows("Lead"))
    rest = sync(run.state, streams_to_discover=["Lead"])
    assert set(run.by_id("Lead")) | set(rest.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_a_run_stops_when_others_have_used_up_the_org(org: Org, sync: Sync) -> None:
    org.edit("limits", daily=1000, used=900)
    with pytest.raises(QuotaReachedError, match="901 of the org's 1000 daily calls"):
        sync()


def test_the_summary_counts_calls_by_purpose(first, log, sync: Sync) -> None:
    assert first.tap.client.quota.summary().startswith(
        "API calls: 7 (login 1, describe 1, changes 1, query 4)"
    )
    sync(streams_to_discover=["Lead"])
    assert "API calls: 4" in log()


EIGHT = {
    "aggregates": {"OpportunityLineItem": {}, "PricebookEntry": {}, "Contact": {}, "Pricebook2": {}},
    "recheck_hours": 0,
}


@pytest.mark.parametrize("later_s", [60, 7200])
def test_a_no_change_run_over_eight_streams_costs_at_most_ten_calls(
    org: Org, sync: Sync, later_s: float
) -> None:
    """By the count of the org itself, also while the look-back window still holds rows."""
    for name in ("Lead", "Account", "Contact"):
        org.update(name, next(iter(org.rows(name))))
    before = sync(**EIGHT)
    assert len(before.counts) == 8
    org.advance(later_s)
    seen, used = len(org.exchanges), usage(org)
    run = sync(before.state, **EIGHT)
    calls = [entry for entry in org.exchanges[seen:] if entry.request.path.startswith("/services/data/")]
    assert len(calls) == usage(org) - used == run.tap.client.quota.counted
    assert len(calls) <= 10


def usage(org: Org) -> int:
    """How many of its daily calls the org itself counts as used."""
    return int(org.edit("limits")["used"])
