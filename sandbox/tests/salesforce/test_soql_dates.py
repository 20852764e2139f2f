"""Dates, times and date literals. The clock stands at Monday 2 November 2026, 09:00 UTC."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from ikaroa_sandbox.salesforce.soql.dates import period

TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("word", "count", "first", "last"),
    [
        ("today", None, "2026-11-02", "2026-11-02"),
        ("yesterday", None, "2026-11-01", "2026-11-01"),
        ("tomorrow", None, "2026-11-03", "2026-11-03"),
        ("this_week", None, "2026-11-01", "2026-11-07"),
        ("last_week", None, "2026-10-25", "2026-10-31"),
        ("next_month", None, "2026-12-01", "2026-12-31"),
        ("this_month", None, "2026-11-01", "2026-11-30"),
        ("this_quarter", None, "2026-10-01", "2026-12-31"),
        ("next_quarter", None, "2027-01-01", "2027-03-31"),
        ("last_year", None, "2025-01-01", "2025-12-31"),
        ("this_fiscal_year", None, "2026-01-01", "2026-12-31"),
        ("last_fiscal_quarter", None, "2026-07-01", "2026-09-30"),
        ("last_n_days", 7, "2026-10-26", "2026-11-02"),
        ("next_n_days", 2, "2026-11-03", "2026-11-04"),
        ("n_days_ago", 3, "2026-10-30", "2026-10-30"),
        ("last_90_days", None, "2026-08-04", "2026-11-02"),
        ("next_90_days", None, "2026-11-03", "2027-01-31"),
        ("last_n_weeks", 1, "2026-10-25", "2026-10-31"),
        ("last_n_months", 2, "2026-09-01", "2026-10-31"),
        ("next_n_months", 2, "2026-12-01", "2027-01-31"),
        ("n_months_ago", 11, "2025-12-01", "2025-12-31"),
        ("last_n_quarters", 1, "2026-07-01", "2026-09-30"),
        ("last_n_fiscal_years", 2, "2024-01-01", "2025-12-31"),
    ],
)
def test_a_date_literal_is_this_range_of_days(word: str, count: int | None, first: str, last: str) -> None:
    start, after = period(word, count, TODAY)
    assert (start.isoformat(), (after - timedelta(days=1)).isoformat()) == (first, last)


@pytest.fixture
def deals(org):
    for close in ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03", "2026-12-31"):
        org.make("Opportunity", Name=close, StageName="Prospecting", CloseDate=close)
    return org


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("= TODAY", ["2026-11-02"]),
        ("!= TODAY", ["2026-10-31", "2026-11-01", "2026-11-03", "2026-12-31"]),
        ("< TODAY", ["2026-10-31", "2026-11-01"]),
        ("<= TODAY", ["2026-10-31", "2026-11-01", "2026-11-02"]),
        ("> THIS_MONTH", ["2026-12-31"]),
        (">= THIS_MONTH", ["2026-11-01", "2026-11-02", "2026-11-03", "2026-12-31"]),
        ("IN (YESTERDAY, TOMORROW)", ["2026-11-01", "2026-11-03"]),
        ("= 2026-12-31", ["2026-12-31"]),
        ("> 2026-11-01", ["2026-11-02", "2026-11-03", "2026-12-31"]),
    ],
)
def test_dates_compare_with_days_and_with_ranges(deals, where: str, found: list[str]) -> None:
    assert deals.column(f"SELECT Name FROM Opportunity WHERE CloseDate {where} ORDER BY CloseDate") == found


@pytest.mark.parametrize(
    ("literal", "matches"),
    [
        ("2026-11-02T09:00:00Z", True),
        ("2026-11-02T09:00:00.000Z", True),
        ("2026-11-02T09:00:00.000+0000", True),
        ("2026-11-02T10:00:00+01:00", True),
        ("2026-11-02T01:00:00-08:00", True),
        ("2026-11-02T09:00:00.001Z", False),
        ("2026-11-02T09:00:01Z", False),
    ],
)
def test_a_time_means_the_same_in_every_zone(deals, literal: str, *, matches: bool) -> None:
    assert deals.query(f"SELECT Id FROM Opportunity WHERE CreatedDate = {literal} LIMIT 1")[
        "totalSize"
    ] == int(matches)


def test_an_unencoded_plus_arrives_as_a_space_and_is_refused(deals) -> None:
    answer = deals.send(
        "GET", "query", query="q=SELECT+Id+FROM+Opportunity+WHERE+CreatedDate+>+2026-01-01T00:00:00+00:00"
    )
    assert deals.error(answer)["errorCode"] == "MALFORMED_QUERY"


def test_times_show_with_milliseconds_and_a_zone_without_colon(deals) -> None:
    assert deals.column("SELECT SystemModstamp FROM Opportunity LIMIT 1") == ["2026-11-02T09:00:00.000+0000"]


def test_date_functions_group_and_filter(deals) -> None:
    assert deals.column("SELECT Name FROM Opportunity WHERE CALENDAR_MONTH(CloseDate) = 10") == ["2026-10-31"]
    soql = "SELECT CALENDAR_QUARTER(CloseDate) q, DAY_IN_MONTH(CloseDate) d, COUNT(Id) n FROM Opportunity WHERE CloseDate = 2026-12-31 GROUP BY CALENDAR_QUARTER(CloseDate), DAY_IN_MONTH(CloseDate)"
    assert deals.records(soql) == [{"q": 4, "d": 31, "n": 1}]


def test_the_literals_move_with_the_clock(deals) -> None:
    deals.pass_time(60)
    assert deals.column("SELECT Name FROM Opportunity WHERE CloseDate = TODAY") == ["2026-11-02"]
    deals.edit("session", seconds=10**6)
    deals.token = deals.load(
        deals.sign_in(
            {
                "grant_type": "client_credentials",
                "client_id": "sandbox-salesforce-client",
                "client_secret": "sandbox-salesforce-secret",
            }
        )
    )["access_token"]
    deals.pass_time(86_400)
    assert deals.column("SELECT Name FROM Opportunity WHERE CloseDate = TODAY") == ["2026-11-03"]
