"""Objects whose columns do not fit one URI, and answers that are torn between two parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.client import Client, Page
from tap_salesforce_ikaroa.errors import QueryTooLongError
from tap_salesforce_ikaroa.joins import Join
from tap_salesforce_ikaroa.quota import Purpose

if TYPE_CHECKING:
    from conftest import Org, Sync

pytestmark = pytest.mark.slow
LEADS = {"streams_to_discover": ["Lead"], "page_size": 200}


def widen(org: Org, object_name: str, count: int) -> list[str]:
    names = [f"A_rather_long_custom_field_name_{n:03d}__c" for n in range(count)]
    for name in names:
        org.edit("add_field", object=object_name, field=name, type="string", length=40)
    return names


def request_bytes(org: Org) -> list[int]:
    sizes = []
    for exchange in org.exchanges:
        request = exchange.request
        headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        sizes.append(len(request.path) + len(request.query) + 1 + headers)
    return sizes


@pytest.fixture(scope="module")
def widened(seeded) -> tuple[object, list[str]]:
    """The org with very many fields on Lead, made once."""
    seeded.sandbox.restore(seeded.fresh)
    org = type(
        "Hand",
        (),
        {"edit": lambda _, action, **keys: seeded.sandbox.edit("salesforce", {"action": action, **keys})},
    )()
    names = widen(org, "Lead", 420)
    return seeded.sandbox.save(), names


@pytest.fixture
def wide(org: Org, widened: tuple[object, list[str]]) -> list[str]:
    saved, names = widened
    org.sandbox.restore(saved)
    return names


def test_a_wide_object_is_read_in_parts_that_fit(org: Org, sync: Sync, wide: list[str]) -> None:
    row_id = next(iter(org.rows("Lead")))
    org.update("Lead", row_id, **{wide[0]: "first", wide[200]: "middle", wide[-1]: "last"})
    org.sandbox.journal.clear()
    run = sync(**LEADS)
    assert max(request_bytes(org)) <= limits.URI_AND_HEADERS_BYTES
    assert set(run.by_id("Lead")) == set(org.rows("Lead", deleted=True))
    assert len(run.of("Lead")) == len(run.by_id("Lead"))
    record = run.by_id("Lead")[row_id]
    assert [record[wide[0]], record[wide[200]], record[wide[-1]]] == ["first", "middle", "last"]
    assert all(set(wide) <= set(record) for record in run.of("Lead"))


def test_a_row_that_changes_between_two_parts_comes_in_one_version(
    org: Org, sync: Sync, wide: list[str]
) -> None:
    row_id = next(iter(org.rows("Lead")))
    org.update("Lead", row_id, **{wide[0]: "old", wide[-1]: "old"})
    org.advance(3600)
    change = {
        "system": "salesforce",
        "action": "update",
        "object": "Lead",
        "id": row_id,
        "fields": {wide[0]: "new", wide[-1]: "new"},
    }
    last_part = wide[-1]
    org.fault("edit", path="/queryAll", query=f"{last_part}.*FROM Lead WHERE", nth=[1], edit=change)
    run = sync(**LEADS)
    record = run.by_id("Lead")[row_id]
    assert {record[wide[0]], record[wide[-1]]} == {"new"}
    assert len(run.by_id("Lead")) == len(org.rows("Lead", deleted=True))
    assert run.calls["reread"] > 0


def test_a_row_deleted_for_good_between_two_parts_is_left_to_its_tombstone(
    org: Org, sync: Sync, wide: list[str]
) -> None:
    row_id = next(row["Id"] for row in org.rows("Lead").values() if not row["IsConverted"])
    change = {"system": "salesforce", "action": "hard_delete", "object": "Lead", "id": row_id}
    org.fault("edit", path="/queryAll", query=f"{wide[-1]}.*FROM Lead WHERE", nth=[1], edit=change)
    run = sync(**LEADS)
    assert row_id not in run.by_id("Lead")
    org.advance(60)
    assert sync(run.state, **LEADS).by_id("Lead")[row_id]["IsDeleted"] is True


def test_an_aggregate_too_long_for_one_query_reads_its_children_by_their_parent(
    org: Org, sync: Sync, first
) -> None:
    wide = widen(org, "Contact", 330)
    contact = next(row for row in org.rows("Contact").values() if row["AccountId"])
    org.update("Contact", contact["Id"], **{wide[0]: "first", wide[-1]: "last"})
    org.sandbox.journal.clear()
    run = sync(streams_to_discover=["Account"])
    assert max(request_bytes(org)) <= limits.URI_AND_HEADERS_BYTES
    for row_id, expected in first.by_id("Account").items():
        given = run.by_id("Account")[row_id]["Contacts"]
        assert [row["Id"] for row in given] == [row["Id"] for row in expected["Contacts"]]
    given = {row["Id"]: row for row in run.by_id("Account")[contact["AccountId"]]["Contacts"]}[contact["Id"]]
    assert (given[wide[0]], given[wide[-1]]) == ("first", "last")


def test_a_query_that_salesforce_finds_too_complicated_is_split(org: Org, sync: Sync, monkeypatch) -> None:
    query = Client.query

    def picky(self: Client, text: str, *args, **more):
        if text.split(" FROM ", maxsplit=1)[0].count(",") > 40:
            raise QueryTooLongError("too complicated", "QUERY_TOO_COMPLICATED", 400)
        return query(self, text, *args, **more)

    monkeypatch.setattr(Client, "query", picky)
    run = sync(streams_to_discover=["Account"])
    assert set(run.by_id("Account")) == set(org.rows("Account", deleted=True))
    assert any(record["Contacts"] for record in run.of("Account"))


class ScriptedClient:
    """Answers queries from versions of one row; the row moves on by one version where the script says so."""

    def __init__(self, versions: list[dict[str, str]], moves: list[bool]) -> None:
        self.versions, self.moves, self.now = versions, moves, 0

    def query(self, text: str, *_: object, **__: object) -> Page:
        if self.moves and self.moves.pop(0):
            self.now += 1
        columns = text.removeprefix("SELECT ").split(" FROM ")[0].split(",")
        return Page([{name: self.versions[self.now][name] for name in columns}], None, 1)

    def pages(self, first: Page, *_: object) -> list[Page]:
        return [first]


def versions_of_a_row(count: int) -> list[dict[str, str]]:
    return [
        {"Id": "001", "SystemModstamp": f"2026-01-{n + 1:02d}", "A": f"a{n}", "B": f"b{n}"}
        for n in range(count)
    ]


def joined(client: ScriptedClient) -> dict[str, str]:
    parts = [("Id", "SystemModstamp", "A"), ("Id", "SystemModstamp", "B")]
    join = Join(client, "Lead", parts, "SystemModstamp", deleted=True)  # type: ignore[arg-type]
    first = client.query("SELECT Id,SystemModstamp,A FROM Lead").rows
    return join.complete(first, soql.is_in("Id", ["001"]), Purpose.QUERY)[0]


def test_a_row_seen_in_two_versions_is_read_until_both_parts_agree() -> None:
    #                                first part, second, then both again, and once more
    client = ScriptedClient(versions_of_a_row(3), [False, True, False, True, False, False])
    assert joined(client) == versions_of_a_row(3)[2]


def test_a_row_that_never_rests_keeps_the_older_stamp_so_that_it_is_read_again() -> None:
    client = ScriptedClient(versions_of_a_row(20), [True] * 19)
    row = joined(client)
    assert row["SystemModstamp"] < client.versions[client.now]["SystemModstamp"]
