"""Business dates and payment terms."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_to_xero.functions.dates import add_days, add_months, date, due_date, later, latest, terms
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("stamp", "zone", "day"),
    [
        ("2026-11-02", "Pacific/Auckland", "2026-11-02"),
        ("2026-11-30T23:30:00.000+0000", "UTC", "2026-11-30"),
        ("2026-11-30T23:30:00.000+0000", "Europe/Paris", "2026-12-01"),
        ("2026-11-30T23:30:00Z", "America/New_York", "2026-11-30"),
        ("2026-11-30T23:30:00.123456789Z", "UTC", "2026-11-30"),
        ("2026-11-30T23:30:00", "Pacific/Auckland", "2026-11-30"),
        ("1780275000000", "UTC", "2026-06-01"),
        (dt.date(2026, 1, 2), "UTC", "2026-01-02"),
    ],
)
def test_a_date_stays_and_a_time_stamp_is_read_in_the_time_zone(stamp: object, zone: str, day: str) -> None:
    assert date(stamp, zone) == day


@pytest.mark.parametrize("value", ["2026-02-30", "02/11/2026", "soon", "2026-11-02T99:00:00Z"])
def test_what_is_no_date_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"date|day|month|hour"):
        date(value)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        date("2026-11-30T23:30:00Z", "Mars/Olympus")


@pytest.mark.parametrize(
    ("said", "due"),
    [
        ("NET30", "2026-12-02"),
        ("Net 14", "2026-11-16"),
        ("net-7", "2026-11-09"),
        ("30", "2026-12-02"),
        ("30 days", "2026-12-02"),
        ("2/10 net 30", "2026-12-02"),
        ("2% 10, Net 30", None),
        ("Due on receipt", "2026-11-02"),
        ("COD", "2026-11-02"),
        ("EOM", "2026-11-30"),
        ("EOM+20", "2026-12-20"),
        ("20 EOM", "2026-12-20"),
        ("20th of following month", "2026-12-20"),
        ("MFI 20", "2026-12-20"),
        ("15 of month", "2026-11-15"),
        ("1st of month", "2026-12-01"),
        ("31 of the following month", "2026-12-31"),
    ],
)
def test_terms_as_people_write_them(said: str, due: str | None) -> None:
    if due is None:
        with pytest.raises(ValueError, match="not understood"):
            due_date("2026-11-02", said)
    else:
        assert due_date("2026-11-02", said, 99) == due


def test_without_terms_the_default_days_count_and_without_both_there_is_no_due_date() -> None:
    assert due_date("2026-11-02", None, 10) == "2026-11-12"
    assert due_date("2026-11-02", " ") is None


@pytest.mark.parametrize(
    ("said", "xero"),
    [
        ("NET30", {"Day": 30, "Type": "DAYSAFTERBILLDATE"}),
        ("EOM+20", {"Day": 20, "Type": "DAYSAFTERBILLMONTH"}),
        ("20th of next month", {"Day": 20, "Type": "OFFOLLOWINGMONTH"}),
        ("15 of month", {"Day": 15, "Type": "OFCURRENTMONTH"}),
        ("45 of next month", None),
        ("99999 days", None),
        ("whenever", None),
        (None, None),
    ],
)
def test_terms_as_xero_has_them(said: str | None, xero: dict[str, object] | None) -> None:
    assert terms(said) == xero


@given(st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1)), st.integers(0, 60))
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: dt.date, months: int) -> None:
    result = dt.date.fromisoformat(str(add_months(day.isoformat(), months)))
    assert (result.year * 12 + result.month) - (day.year * 12 + day.month) == months
    assert result.day == day.day or (result + dt.timedelta(days=1)).day == 1


def test_later_and_latest_leave_nothings_out() -> None:
    assert later(None, "2026-11-02", "2026-01-31") == "2026-11-02"
    assert latest(None, [], ["2026-11-02T09:00:00Z", None]) == "2026-11-02T09:00:00Z"
    assert later(None) is latest() is add_days(None, 3) is None
