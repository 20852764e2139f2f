"""Rows that have no value of the replication key, which no window of time holds; and keys that tell of creation only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa import describe

if TYPE_CHECKING:
    from conftest import Org, Sync

KEY = "EmailBouncedDate"
LEADS: dict[str, Any] = {"streams_to_discover": ["Lead"], "aggregates": {"Lead": {}}, "page_size": 200}
Catalog = dict[str, Any]


@pytest.fixture
def catalog(org: Org, discover: Callable[..., Catalog]) -> Catalog:
    """Leads by a date-time that most of them lack, as an object's own stamp may be."""
    catalog = discover(**LEADS)
    root = next(entry for entry in catalog["streams"][0]["metadata"] if not entry["breadcrumb"])
    root["metadata"] |= {"selected": True, "replication-key": KEY}
    catalog["streams"][0]["replication_key"] = KEY
    for lead in list(org.rows("Lead"))[:5]:
        org.update("Lead", lead, **{KEY: "2026-10-20T08:00:00.000Z"})
    return catalog


@pytest.mark.parametrize("api_type", ["REST", "AUTO", "BULK2"])
def test_rows_without_a_stamp_come_with_every_run(
    org: Org, sync: Sync, catalog: Catalog, api_type: str
) -> None:
    first = sync(catalog=catalog, api_type=api_type, **LEADS)
    assert set(first.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(first.of("Lead")) == len(first.by_id("Lead"))
    assert first.bookmarks["Lead"]["replication_key_value"] == "2026-10-20T08:00:00.000Z"
    org.advance(3600)
    lead = next(row_id for row_id, row in org.rows("Lead").items() if not row[KEY])
    org.update("Lead", lead, Title="Changed")
    again = sync(first.state, catalog=catalog, api_type=api_type, **LEADS)
    assert again.by_id("Lead")[lead]["Title"] == "Changed"
    assert again.bookmarks["Lead"]["replication_key_value"] == "2026-10-20T08:00:00.000Z"


def test_many_rows_without_a_stamp_are_read_by_bulk(org: Org, sync: Sync, catalog: Catalog) -> None:
    run = sync(catalog=catalog, bulk_min_rows=100, **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert run.calls["bulk"] > 0


def test_a_later_run_that_finds_no_row_without_a_stamp_asks_for_none(
    org: Org, sync: Sync, catalog: Catalog
) -> None:
    first = sync(catalog=catalog, **LEADS)
    for lead, row in org.rows("Lead").items():
        if not row[KEY]:
            org.update("Lead", lead, **{KEY: "2026-10-20T08:00:00.000Z"})
    settled = sync(first.state, catalog=catalog, **LEADS)
    org.advance(3600)
    calls = sync(settled.state, catalog=catalog, **LEADS).calls
    assert calls["query"] == 1
    assert sum(calls.values()) <= 4


def test_a_key_that_is_never_empty_costs_no_question(org: Org, sync: Sync) -> None:
    sync(**LEADS)
    asked = [entry for entry in org.exchanges if b"SystemModstamp+%3D+null" in (entry.request.body or b"")]
    assert asked == []


def test_all_records_are_read_again_though_some_have_no_stamp(org: Org, sync: Sync, catalog: Catalog) -> None:
    first = sync(catalog=catalog, refresh_days={"Lead": 1}, **LEADS)
    org.advance(2 * 86_400)
    again = sync(first.state, catalog=catalog, refresh_days={"Lead": 1}, **LEADS)
    assert set(again.by_id("Lead")) >= set(org.rows("Lead"))
    assert again.bookmarks["Lead"]["replication_key_value"] == "2026-10-20T08:00:00.000Z"


def test_a_changed_child_row_without_a_stamp_re_emits_its_root(
    org: Org, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(describe, "REPLICATION_KEYS", (KEY, *describe.REPLICATION_KEYS))
    accounts = {"streams_to_discover": ["Account"]}
    first = sync(**accounts)
    org.advance(3600)
    contact, row = next(iter(org.rows("Contact").items()))
    org.update("Contact", contact, Title="Changed")
    again = sync(first.state, **accounts)
    titles = {entry["Id"]: entry["Title"] for entry in again.by_id("Account")[row["AccountId"]]["Contacts"]}
    assert titles[contact] == "Changed"


@pytest.mark.parametrize(("updateable", "method"), [(True, "FULL_TABLE"), (False, "INCREMENTAL")])
def test_a_stamp_of_creation_is_a_key_only_where_rows_do_not_change(
    discover: Callable[..., Catalog], monkeypatch: pytest.MonkeyPatch, updateable: bool, method: str
) -> None:
    send = SandboxAdapter.send

    def created_only(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
        answer = send(self, request, *args, **more)
        told = json.loads(answer.content)
        for part in told.get("compositeResponse", ()):
            part["body"]["updateable"] = updateable
            for entry in part["body"]["fields"]:
                entry["filterable"] = entry["name"] not in {"SystemModstamp", "LastModifiedDate"}
        answer._content = json.dumps(told).encode()
        return answer

    monkeypatch.setattr(SandboxAdapter, "send", created_only)
    entry = discover(**LEADS)["streams"][0]
    assert entry["replication_method"] == method
    assert entry.get("replication_key") == ("CreatedDate" if method == "INCREMENTAL" else None)
