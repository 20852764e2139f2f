"""Refused documents that people decided to leave: counted by nobody, until the decision or the reason is another one."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from target_xero.errors import LedgerError
from target_xero.ledger import State
from target_xero.ledger.dismissing import Dismissals
from target_xero.ledger.inspection import Inspection
from target_xero.refusal import Refusal

LATER = datetime(2026, 11, 3, 9, 0, tzinfo=timezone.utc)
REFUSED = (Refusal("name_taken", "Name", "C1", "Rename one of them."),)


@pytest.fixture
def refused(ledger, new):
    """Two refused contacts and a planned one; their numbers."""
    ledger.add([new("C1", refusals=REFUSED), new("C2", refusals=REFUSED), new("C3")])
    return [kept.id for kept in Inspection(ledger).kept(ledger.tenant)]


def decisions(ledger):
    return Dismissals(ledger, ledger.tenant, "Ann", LATER)


def test_a_dismissed_one_is_in_no_count_and_among_what_is_tried_again_only_by_its_key(ledger, refused):
    decisions(ledger).dismiss(refused[:1], "a test record")
    assert ledger.summary().open_refusals == 1
    assert [problem["source_key"] for problem in ledger.problems()] == ["C2"]
    assert [row["source_key"] for row in ledger.of_plan()] == ["C2", "C3"]
    assert [intent.source_key for intent, _ in ledger.rejected()] == ["C2"]
    assert [intent.source_key for intent, _ in ledger.rejected(keys=["C1"])] == ["C1"]
    kept = {one.source_key: one for one in Inspection(ledger).kept(ledger.tenant)}
    assert (kept["C1"].dismissed_by, kept["C1"].dismissed) == ("Ann", LATER)
    assert kept["C2"].dismissed_by == ""
    assert ledger.verify().holds


def test_who_decided_what_is_in_the_chain(ledger, refused):
    decisions(ledger).dismiss(refused[:1], "")
    decisions(ledger).restore(refused[:1])
    told = [
        (entry["do"], entry["by"], row.actor)
        for row in ledger.audit("contacts", "C1")
        for entry in row.entries
        if "by" in entry
    ]
    assert told == [("dismissed", "Ann", "Ann"), ("restored", "Ann", "Ann")]
    assert ledger.summary().open_refusals == 2


def test_dismissed_twice_is_dismissed_once(ledger, refused):
    for _ in range(2):
        decisions(ledger).dismiss(refused[:2], "")
    assert ledger.summary().open_refusals == 0
    decisions(ledger).restore(refused[:1])
    assert ledger.summary().open_refusals == 1


def test_what_goes_again_is_dismissed_no_more(ledger, refused):
    decisions(ledger).dismiss(refused[:1], "")
    ledger.release(refused[:1])
    ledger.reject(refused[:1], list(REFUSED))
    assert ledger.summary().open_refusals == 2, "the same reason, found anew after somebody asked for it"


def test_one_that_is_refused_no_more_stops_the_whole_decision(ledger, refused):
    for wrong in ([refused[0], refused[2]], [refused[0], 999]):
        with pytest.raises(LedgerError, match="nothing was changed"):
            decisions(ledger).dismiss(wrong, "")
        with pytest.raises(LedgerError, match="nothing was changed"):
            decisions(ledger).restore(wrong)
    assert ledger.summary().open_refusals == 2
    assert {one.state for one in Inspection(ledger).kept(ledger.tenant)} == {State.REJECTED, State.PLANNED}
