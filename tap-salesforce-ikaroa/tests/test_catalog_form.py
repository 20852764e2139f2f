"""Catalogs that a person edited and settings out of all bounds: told in one line that says where, never by a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_salesforce_ikaroa.errors import SettingsError

if TYPE_CHECKING:
    from conftest import Org, Sync

LEADS: dict[str, Any] = {"streams_to_discover": ["Lead"], "aggregates": {"Lead": {}}}
Catalog = dict[str, Any]


@pytest.fixture
def catalog(discover: Callable[..., Catalog]) -> Catalog:
    return discover(**LEADS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda given: given.clear(), "`streams`"),
        (lambda given: given.update(streams={}), "`streams`"),
        (lambda given: given["streams"].append("Account"), "stream 2"),
        (lambda given: given["streams"].append({"selected": True}), "stream 2"),
        (lambda given: given["streams"][0].update(tap_stream_id=5), "stream 1"),
        (lambda given: given["streams"][0].update(schema=[1]), "schema of Lead"),
        (lambda given: given["streams"][0]["schema"].update(properties=["Id"]), "schema of Lead"),
        (
            lambda given: given["streams"][0]["schema"]["properties"].update(Name="string"),
            "Name in the schema",
        ),
        (
            lambda given: given["streams"][0]["schema"]["properties"]["Address"]["properties"].update(
                city=None
            ),
            "Address.city in the schema",
        ),
        (lambda given: given["streams"][0].update(metadata={"selected": True}), "`metadata` of Lead"),
        (lambda given: given["streams"][0]["metadata"].append("x"), "`breadcrumb`"),
        (lambda given: given["streams"][0]["metadata"].append({"metadata": {}}), "`breadcrumb`"),
        (
            lambda given: given["streams"][0]["metadata"].append({"breadcrumb": [1], "metadata": {}}),
            "`breadcrumb`",
        ),
        (
            lambda given: given["streams"][0]["metadata"].append({"breadcrumb": ["properties", "Name"]}),
            "Name",
        ),
        (
            lambda given: given["streams"][0].update(replication_method=["INCREMENTAL"]),
            "`replication_method`",
        ),
        (lambda given: given["streams"][0].update(replication_key={"a": 1}), "`replication_key`"),
    ],
)
def test_a_catalog_in_another_form_is_told_with_the_place(
    sync: Sync, catalog: Catalog, change: Callable[[Catalog], Any], told: str
) -> None:
    change(catalog)
    with pytest.raises(SettingsError, match=r"--discover") as caught:
        sync(catalog=catalog, **LEADS)
    assert told in str(caught.value)


@pytest.mark.parametrize("left_out", ["metadata", "schema", "key_properties", "replication_method", "stream"])
def test_a_catalog_may_leave_out_what_describe_says(
    org: Org, sync: Sync, catalog: Catalog, left_out: str
) -> None:
    stream = catalog["streams"][0]
    stream.pop(left_out, None)
    stream["selected"] = True
    if left_out == "metadata":
        stream["metadata"] = None
    run = sync(catalog=catalog, **LEADS)
    assert run.counts in ({"Lead": len(org.rows("Lead"))}, {})
    assert run.error is None


@pytest.mark.parametrize("start", ["0001-01-01", "1066-10-14T09:00:00Z"])
def test_a_start_before_salesforce_is_the_beginning(org: Org, sync: Sync, start: str) -> None:
    assert set(sync(**LEADS, start_date=start).by_id("Lead")) == set(org.rows("Lead"))


@pytest.mark.parametrize(
    "start", ["9999-12-31T23:00:00-14:00", "0001-01-01T00:00:00+14:00", "2026-12-31T23:59:60Z"]
)
def test_a_start_that_is_no_moment_is_told(sync: Sync, start: str) -> None:
    with pytest.raises(SettingsError, match="`start_date`"):
        sync(**LEADS, start_date=start)


@pytest.mark.parametrize(
    "settings",
    [
        {"lookback_window": 10**12},
        {"recheck_hours": 10**9},
        {"full_compare_days": 10**9},
        {"request_timeout": 10**12},
        {"refresh_days": {"Lead": 10**9}},
        {"refresh_days": {"Lead": -1}},
    ],
)
def test_a_number_out_of_all_bounds_is_told_with_its_setting(sync: Sync, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        sync(**LEADS, **settings)
    assert next(iter(settings)) in str(caught.value.errors)


def test_a_bookmark_before_salesforce_reads_all(org: Org, sync: Sync) -> None:
    entry = {"replication_key": "SystemModstamp", "replication_key_value": "0001-01-01T00:00:00Z"}
    assert set(sync({"bookmarks": {"Lead": entry}}, **LEADS).by_id("Lead")) == set(org.rows("Lead"))
