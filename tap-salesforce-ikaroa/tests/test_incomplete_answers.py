"""Answers that look whole and are not: fewer rows than there are, pages in a circle, a page of HTML in the place of rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa.errors import (
    IncompleteAnswerError,
    NoAnswerError,
    RequestError,
    UnexpectedAnswerError,
)

if TYPE_CHECKING:
    from conftest import Org, Sync

LEADS: dict[str, Any] = {"streams_to_discover": ["Lead"], "aggregates": {"Lead": {}}, "page_size": 200}
Change = Callable[[dict[str, Any]], None]
Changing = Callable[[Change], None]


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> Changing:
    """Changes the JSON of every answer that holds the rows of a query."""
    send = SandboxAdapter.send

    def install(change: Change) -> None:
        def changed(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
            answer = send(self, request, *args, **more)
            if answer.status_code == 200 and "/query" in request.url and "/jobs/" not in request.url:
                told = json.loads(answer.content)
                change(told)
                answer._content = json.dumps(told).encode()
            return answer

        monkeypatch.setattr(SandboxAdapter, "send", changed)

    return install


def test_pages_that_end_too_soon_are_read_again(org: Org, sync: Sync, changing: Changing) -> None:
    told: list[int] = []

    def end_the_first(answer: dict[str, Any]) -> None:
        if not told:
            answer.pop("nextRecordsUrl")
            answer["done"] = True
        told.append(1)

    changing(end_the_first)
    run = sync(api_type="REST", **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


def test_rows_that_are_deleted_for_good_between_two_pages_are_not_missing(
    org: Org, sync: Sync, changing: Changing
) -> None:
    gone: list[str] = []

    def delete_the_last(answer: dict[str, Any]) -> None:
        if answer["done"] and answer["records"] and not gone:
            gone.append(answer["records"].pop()["Id"])
            org.edit("hard_delete", object="Lead", id=gone[0])

    changing(delete_the_last)
    run = sync(api_type="REST", **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(run.of("Lead")) == len(run.by_id("Lead")), "nothing was read twice"


def test_rows_that_stay_missing_are_an_error_and_move_no_bookmark(
    org: Org, sync: Sync, state: dict, changing: Changing
) -> None:
    for row_id in list(org.rows("Lead"))[:250]:
        org.update("Lead", row_id, Title="Changed")
    before = state["bookmarks"]["Lead"]["replication_key_value"]

    def lose_one(answer: dict[str, Any]) -> None:
        answer["records"] = answer["records"][1:]

    changing(lose_one)
    run = sync(state, api_type="REST", expect=IncompleteAnswerError, **LEADS)
    assert "Lead" in str(run.error)
    assert run.bookmarks["Lead"]["replication_key_value"] == before


def test_a_row_that_is_lost_in_a_short_answer_is_missed_by_nobody(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of streams with few changes the rows come in one composite answer.
    changed = set(list(org.rows("Lead"))[:3])
    for row_id in changed:
        org.update("Lead", row_id, Title="Changed")
    send = SandboxAdapter.send

    def lose_one(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
        answer = send(self, request, *args, **more)
        if request.url.endswith("/composite") and b"Title" in answer.content:
            told = json.loads(answer.content)
            for part in told["compositeResponse"]:
                if "records" in part["body"]:
                    part["body"]["records"] = part["body"]["records"][1:]
            answer._content = json.dumps(told).encode()
        return answer

    monkeypatch.setattr(SandboxAdapter, "send", lose_one)
    assert changed <= set(sync(state).by_id("Lead"))


def test_pages_in_a_circle_are_an_error(org: Org, sync: Sync, changing: Changing) -> None:
    first: list[str] = []

    def lead_back(answer: dict[str, Any]) -> None:
        if not answer["done"]:
            first.append(answer["nextRecordsUrl"])
        answer.update(done=False, nextRecordsUrl=first[0])

    changing(lead_back)
    run = sync(api_type="REST", expect=UnexpectedAnswerError, **LEADS)
    assert "circle" in str(run.error)


@pytest.mark.parametrize("kind", ["maintenance", "html_page_after"])
def test_a_page_of_html_in_the_place_of_bulk_rows_passes(org: Org, sync: Sync, kind: str) -> None:
    org.fault(kind, path="/results", nth=[1, 2])
    run = sync(api_type="BULK2", **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))


@pytest.mark.parametrize("kind", ["maintenance", "html"])
def test_a_job_that_is_complete_outlives_a_maintenance(org: Org, sync: Sync, kind: str) -> None:
    org.fault(kind, path="/results", every=1)
    cut = sync(api_type="BULK2", expect=NoAnswerError, max_retries=1, **LEADS)
    job = cut.bookmarks["Lead"]["bulk"]["jobs"][""]
    org.sandbox.faults.clear()
    run = sync(cut.state, api_type="BULK2", **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    read = [exchange for exchange in org.exchanges if exchange.request.path.endswith(f"{job}/results")]
    assert read[-1].status == 200


@pytest.mark.parametrize("kind", ["results_gone", "locator_expired"])
def test_a_result_that_is_gone_is_made_anew_once(org: Org, sync: Sync, kind: str) -> None:
    org.fault(kind, path="/results", nth=[1])
    run = sync(api_type="BULK2", **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    org.fault(kind, path="/results", every=1)
    assert (
        "replication_key_value" not in sync(api_type="BULK2", expect=RequestError, **LEADS).bookmarks["Lead"]
    )


@pytest.mark.parametrize("api_type", ["REST", "BULK2"])
def test_a_field_that_goes_while_the_run_is_on_is_told_and_the_next_run_is_whole(
    org: Org, sync: Sync, api_type: str
) -> None:
    org.edit("add_field", object="Lead", field="Passing__c", type="string", length=10)
    removal = {"system": "salesforce", "action": "remove_field", "object": "Lead", "field": "Passing__c"}
    org.fault("edit", nth=[1], path="/jobs/query" if api_type == "BULK2" else "/queryAll", edit=removal)
    run = sync(api_type=api_type, expect=RequestError, **LEADS)
    assert "run again" in str(run.error)
    assert set(sync(run.state, api_type=api_type, **LEADS).by_id("Lead")) == set(
        org.rows("Lead", deleted=True)
    )


# --- answers that do not say what they should --------------------------------------------------------------------------


@pytest.mark.parametrize("api_type", ["REST", "AUTO"])
def test_rows_that_are_not_counted_are_believed_where_salesforce_says_that_they_are_all(
    org: Org, sync: Sync, changing: Changing, log: Callable[[], str], api_type: str
) -> None:
    changing(lambda answer: answer.pop("totalSize"))
    run = sync(api_type=api_type, **LEADS)
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert log().count("does not say how many rows") == 1


@pytest.mark.parametrize("total", ["253", "many", -1, True, 2.5, [253]])
def test_a_row_count_that_is_none_is_an_error(sync: Sync, changing: Changing, total: Any) -> None:
    changing(lambda answer: answer.update(totalSize=total))
    run = sync(api_type="REST", expect=UnexpectedAnswerError, **LEADS)
    assert "totalSize" in str(run.error)
    assert run.counts == {}


def test_an_answer_that_says_neither_how_many_nor_whether_that_is_all_is_an_error(
    sync: Sync, changing: Changing
) -> None:
    changing(lambda answer: [answer.pop("totalSize"), answer.pop("done"), answer.pop("nextRecordsUrl", None)])
    run = sync(api_type="REST", expect=UnexpectedAnswerError, **LEADS)
    assert "done" in str(run.error)


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["records"][1].pop("Id"),
        lambda answer: answer["records"][-1].pop("Id"),
        lambda answer: answer["records"][0].pop("SystemModstamp"),
        lambda answer: answer["records"][3].pop("SystemModstamp"),
        lambda answer: answer["records"][-1].update(SystemModstamp="yesterday"),
        lambda answer: answer["records"][-1].update(SystemModstamp=5),
        lambda answer: answer["records"].append(None),
        lambda answer: answer["records"].append("x"),
        lambda answer: answer.update(nextRecordsUrl=["x"]),
        lambda answer: answer.update(records={}),
    ],
)
def test_rows_in_another_form_are_an_error_of_one_line(
    sync: Sync, changing: Changing, change: Change
) -> None:
    changing(change)
    run = sync(api_type="REST", expect=UnexpectedAnswerError, **LEADS)
    assert "\n" not in str(run.error)


def test_a_child_list_in_another_form_is_an_error_of_one_line(sync: Sync, changing: Changing) -> None:
    def change(answer: dict[str, Any]) -> None:
        for row in answer["records"]:
            if row.get("Contacts"):
                row["Contacts"] = row["Contacts"]["records"]

    changing(change)
    sync(api_type="REST", expect=UnexpectedAnswerError, streams_to_discover=["Account"])


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.update(httpStatusCode="OK"),
        lambda part: part.pop("httpStatusCode"),
        lambda part: part.pop("body"),
        lambda part: part.update(body=["x"]),
        lambda part: part["body"].pop("name"),
        lambda part: part["body"].update(fields=[5]),
        lambda part: part["body"].update(fields=5),
        lambda part: part["body"]["childRelationships"].append({"relationshipName": "Things"}),
    ],
)
def test_a_description_in_another_form_is_an_error_of_one_line(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], Any]
) -> None:
    send = SandboxAdapter.send

    def changed(self: SandboxAdapter, request: Any, *args: Any, **more: Any) -> Any:
        answer = send(self, request, *args, **more)
        if request.url.endswith("/composite"):
            told = json.loads(answer.content)
            change(told["compositeResponse"][0])
            answer._content = json.dumps(told).encode()
        return answer

    monkeypatch.setattr(SandboxAdapter, "send", changed)
    with pytest.raises(UnexpectedAnswerError) as caught:
        sync(**LEADS)
    assert "\n" not in str(caught.value)
