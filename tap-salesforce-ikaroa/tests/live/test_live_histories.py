"""Seeded histories of an org that a live run follows through cuts, ends and lost places; nothing may be missed."""

from __future__ import annotations

import copy
import os
import random
import time
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

SEEDS = range(int(os.environ.get("LIVE_HISTORIES", "3")))


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_history_what_was_given_out_is_the_org(house, live, seed):
    dice = random.Random(seed)
    one, kept, state = live(poll_interval_seconds=1), {}, None
    for step in range(60):
        _step(house, dice, step)
        if dice.random() < 0.1:
            house.fault("503_before", path="PubSub/Subscribe")
        if step == 30:
            house.fault("expire_tokens", path="query")
        if dice.random() < 0.05:
            _cut(one, dice)
        if dice.random() < 0.05:
            state = one.ready().end()
            _absorb(kept, one)
            if dice.random() < 0.3:
                house.edit("purge_events")
            one = live(state, poll_interval_seconds=1)
        time.sleep(dice.choice([0, 0, 0.02, 0.1]))
    one.ready()
    one.until(lambda: not house.differences(_absorb(copy.deepcopy(kept), one)))


def _absorb(kept: dict[str, Any], one: Any) -> dict[str, Any]:
    for stream, records in one.kept.items():
        kept.setdefault(stream, {}).update(records)
    return kept


def _cut(one: Any, dice: random.Random) -> None:
    subscriptions = list(one.session._subscriptions.values())
    if subscriptions and (call := dice.choice(subscriptions)._call):
        call.cancel()


def _step(house: Any, dice: random.Random, step: int) -> None:
    kind = dice.choice(["Account", "Lead", "Opportunity", *["Contact"] * 3, *["OpportunityLineItem"] * 3])
    rows = list(house.rows(kind))
    action = dice.choice(["update"] * 4 + ["insert", "insert", "delete", "hard_delete"])
    if action == "insert" or not rows:
        accounts, deals = list(house.rows("Account")), list(house.rows("Opportunity"))
        if kind == "Contact" and accounts:
            house.insert(kind, LastName=f"P {step}", AccountId=dice.choice(accounts))
        elif kind == "OpportunityLineItem" and deals:
            house.line(dice.choice(deals))
        elif kind == "Lead":
            house.insert(kind, LastName=f"L {step}", Company="C")
        elif kind == "Account":
            house.insert(kind, Name=f"A {step}")
        else:
            house.insert("Opportunity", Name=f"D {step}", **house.deal)
        return
    row = dice.choice(rows)
    if action == "update":
        fields: dict[str, Any] = {"Description": f"words {step}"}
        accounts = list(house.rows("Account"))
        if kind == "Contact" and accounts and dice.random() < 0.5:
            fields = {"AccountId": dice.choice(accounts)}
        house.update(kind, row, **fields)
    else:
        house.edit(action, object=kind, id=row)
