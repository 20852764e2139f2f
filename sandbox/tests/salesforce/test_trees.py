"""sObject trees: records with their children in one request. Salesforce REST docs (sObject Tree)."""

from __future__ import annotations

from typing import Any

import pytest


def record(kind: str, reference: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind, "referenceId": reference}, **fields}


def contacts(*found: dict[str, Any]) -> dict[str, Any]:
    return {"Contacts": {"records": list(found)}}


def plant(org, *roots: dict[str, Any], kind: str = "Account") -> tuple[int, Any]:
    answer = org.send("POST", f"composite/tree/{kind}", {"records": list(roots)})
    return answer.status, org.load(answer)


def test_children_are_made_inside_their_parents_and_told_level_by_level(org) -> None:
    status, body = plant(
        org,
        record("Account", "ref1", Name="One", **contacts(record("Contact", "ref2", LastName="Smith"))),
        record("Account", "ref3", Name="Two"),
    )
    assert (status, body["hasErrors"]) == (201, False)
    made = {one["referenceId"]: one["id"] for one in body["results"]}
    assert list(made) == ["ref1", "ref3", "ref2"]
    assert org.one("Contact", made["ref2"], "LastName", "AccountId") == {
        "LastName": "Smith",
        "AccountId": made["ref1"],
    }
    assert org.one("Account", made["ref3"], "Name") == "Two"


def test_one_wrong_record_undoes_all_and_is_the_only_one_told(org) -> None:
    wrong = record("Contact", "ref2", LastName="Smith", Email="123")
    status, body = plant(org, record("Account", "ref1", Name="One", **contacts(wrong)))
    assert status == 400
    assert body == {
        "hasErrors": True,
        "results": [
            {
                "referenceId": "ref2",
                "errors": [
                    {
                        "statusCode": "INVALID_EMAIL_ADDRESS",
                        "message": "Email: invalid email address: 123",
                        "fields": ["Email"],
                    }
                ],
            }
        ],
    }
    assert org.column("SELECT COUNT(Id) FROM Account") == [0]


def test_a_reference_that_comes_twice_is_told_each_time_and_nothing_is_made(org) -> None:
    status, body = plant(org, record("Account", "ref1", Name="A"), record("Account", "ref1", Name="B"))
    assert (status, [one["referenceId"] for one in body["results"]]) == (400, ["ref1", "ref1"])
    assert org.column("SELECT COUNT(Id) FROM Account") == [0]


def nested(depth: int) -> dict[str, Any]:
    """An account with a child account with a child account …"""
    found = record("Account", f"ref{depth}", Name=f"Level {depth}")
    for level in range(depth - 1, 0, -1):
        found = record("Account", f"ref{level}", Name=f"Level {level}", ChildAccounts={"records": [found]})
    return found


def test_five_levels_are_the_most(org) -> None:
    assert plant(org, nested(5))[0] == 201
    assert plant(org, nested(6))[0] == 400
    assert org.column("SELECT COUNT(Id) FROM Account") == [5]


def test_two_hundred_records_in_all_trees_are_the_most(org) -> None:
    people = [record("Contact", f"p{number}", LastName="P") for number in range(200)]
    assert plant(org, record("Account", "a", Name="A", **contacts(*people)))[0] == 400
    assert plant(org, record("Account", "a", Name="A", **contacts(*people[:-1])))[0] == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"attributes": {"type": "Account"}, "Name": "no reference"},
        record("Contact", "ref1", LastName="not the root's type"),
        record("Account", "ref1", Name="A", **contacts(record("Lead", "ref2", LastName="L"))),
        record("Account", "ref1", Name="A", Contacts={"records": []}),
    ],
)
def test_what_is_no_tree_is_refused(org, wrong: dict[str, Any]) -> None:
    assert plant(org, wrong)[0] == 400
    assert org.column("SELECT COUNT(Id) FROM Account") == [0]


def test_an_object_that_is_not_there_is_not_found(org) -> None:
    assert plant(org, record("Nothing", "ref1"), kind="Nothing")[0] == 404
