"""When a fault strikes: counting, scope, chance, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ikaroa_sandbox.core import Request
from ikaroa_sandbox.errors import CommandError
from ikaroa_sandbox.faults import FaultPlan


def plan(*rules: dict[str, Any], **more: Any) -> FaultPlan:
    made = FaultPlan(lambda kind, system: kind == "note_locked" and system in (None, "xero"))
    made.add({"rules": list(rules), **more})
    return made


def strikes(made: FaultPlan, count: int, request: Request | None = None, system: str = "xero") -> list[int]:
    """The places, from 1, of the requests that meet a fault."""
    request = request or Request("GET", "/api.xro/2.0/Invoices")
    return [place for place in range(1, count + 1) if made.decide(system, request)]


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        ({}, [1]),
        ({"times": 3}, [1, 2, 3]),
        ({"nth": 4}, [4]),
        ({"nth": [2, 5]}, [2, 5]),
        ({"every": 3}, [3, 6, 9]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"after": 4}, [5]),
        ({"after": 4, "every": 2}, [6, 8, 10]),
        ({"after": 4, "nth": 2}, [6]),
    ],
)
def test_a_rule_strikes_in_its_turn(rule: dict[str, Any], places: list[int]) -> None:
    assert strikes(plan({"do": "500_before", **rule}), 10) == places


@pytest.mark.parametrize(
    ("scope", "request_", "hit"),
    [
        ({"system": "xero"}, Request("GET", "/"), True),
        ({"system": "salesforce"}, Request("GET", "/"), False),
        ({"method": "put"}, Request("PUT", "/"), True),
        ({"method": ["PUT", "POST"]}, Request("GET", "/"), False),
        ({"path": "/Invoices$"}, Request("GET", "/api.xro/2.0/Invoices"), True),
        ({"path": "/Invoices$"}, Request("GET", "/api.xro/2.0/Invoices/1"), False),
        ({"query": "FROM Account"}, Request("GET", "/q", "q=SELECT+Id%2CName%20FROM%20Account"), True),
        ({"query": "FROM Lead"}, Request("GET", "/q", "q=SELECT+Id+FROM+Account"), False),
        ({"body": "Müller"}, Request("PUT", "/", body='{"Name": "Müller"}'.encode()), True),
        ({"body": "Müller"}, Request("PUT", "/", body=b"\xff\xfe"), False),
    ],
)
def test_a_rule_is_about_the_requests_in_its_scope(
    scope: dict[str, Any], request_: Request, hit: bool
) -> None:
    assert (plan({"do": "500_before", **scope}).decide("xero", request_) is not None) is hit


def test_every_matching_rule_counts_a_request_and_the_first_whose_turn_it_is_strikes() -> None:
    made = plan({"do": "500_before", "nth": 1, "id": "first"}, {"do": "502_before", "nth": 2, "id": "second"})
    struck = [made.decide("xero", Request("GET", "/")) for _ in range(3)]
    assert [fault.rule if fault else None for fault in struck] == ["first", "second", None]
    assert [rule["matched"] for rule in made.as_json()["rules"]] == [3, 3]
    assert [rule["struck"] for rule in made.as_json()["rules"]] == [1, 1]


def test_the_same_seed_and_calls_give_the_same_random_faults() -> None:
    rates = {"500_after": 0.1, "timeout_before": 0.1, "slow": 0.1}

    def drawn(seed: int) -> list[str | None]:
        made = plan(rates=rates, seed=seed)
        faults = [made.decide("xero", Request("GET", "/")) for _ in range(200)]
        return [fault.kind if fault else None for fault in faults]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    assert 30 <= sum(kind is not None for kind in drawn(3)) <= 95
    assert set(drawn(3)) == {None, *rates}


def test_random_faults_end_with_their_budget_and_keep_to_their_scope() -> None:
    made = plan(rates={"500_before": 1.0}, budget=3, method="PUT")
    assert strikes(made, 5, Request("GET", "/")) == []
    assert strikes(made, 5, Request("PUT", "/")) == [1, 2, 3]


def test_a_restored_plan_repeats_itself() -> None:
    made = plan({"do": "500_before", "every": 3}, rates={"502_before": 0.3}, seed=1)
    strikes(made, 4)
    saved = made.save()
    once = strikes(made, 50)
    made.restore(saved)
    assert strikes(made, 50) == once
    made.clear()
    assert strikes(made, 50) == []
    made.restore(saved)
    assert strikes(made, 50) == once


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({}, 'a fault needs "do"'),
        ({"do": "explode"}, "there is no fault 'explode'; known: 429_minute"),
        ({"do": "note_locked", "system": "salesforce"}, "there is no fault 'note_locked'"),
        ({"do": "slow", "seconds": -1}, '"seconds" is a number from 0'),
        ({"do": "slow", "second": 1}, "has no 'second'; it has"),
        ({"do": "slow", "nth": 0}, "counted from 1"),
        ({"do": "slow", "nth": 1, "every": 2}, "not both"),
        ({"do": "slow", "every": True}, '"every" is a whole number'),
        ({"do": "slow", "path": "("}, "no regular expression"),
        ({"do": "slow", "system": "hubspot"}, "there is no system 'hubspot'"),
        ({"do": "slow", "method": 7}, '"method" is a method or a list'),
        ({"do": "edit"}, '"edit" (an object'),
        ({"do": "edit", "edit": {"text": "x"}}, "there is no system None"),
        ({"do": "late_commit", "answer": "200"}, "answer of a late commit"),
        ({"rules": {}}, "list of objects"),
        ({"rules": [{}]}, 'needs "do"'),
        ({"rates": {}}, "kind of fault"),
        ({"rates": {"slow": 2}}, "from 0 to 1"),
        ({"rates": {"slow": 0.7, "duplicate": 0.7}}, "add up to 1.4"),
        ({"rates": {"edit": 0.1}}, "needs a rule of its own"),
        ({"rates": {"slow": 0.1}, "seed": 1.5}, '"seed" is'),
        ({"rates": {"slow": 0.1}, "do_": 1}, "has no 'do_'"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_a_sentence_and_adds_nothing(
    command: dict[str, Any], says: str
) -> None:
    made = plan()
    with pytest.raises(CommandError) as refused:
        made.add(command)
    assert says in str(refused.value)
    assert not made.active


def test_a_systems_own_kind_is_taken() -> None:
    made = plan({"do": "note_locked", "system": "xero"}, {"do": "note_locked"})
    assert len(made.rules) == 2
