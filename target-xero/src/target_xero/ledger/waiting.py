"""What people are told of a document that is not settled. The only place that words what a revision waits for.

A revision keeps a note of its own where something was found out about it. What it waits for besides (an approval, an earlier
revision of the same document) is never written down: it is worked out when somebody asks, so that it is true then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from target_xero.ledger.model import State

WAITS_FOR_APPROVAL = "It waits for approval (`target-xero approve`, then `target-xero apply`)."
_SETTLED = (State.DONE, State.SUPERSEDED)
_QUEUING = (State.PLANNED, State.PROPOSED)
"""States in which a revision lets an earlier one go first."""
_STANDS = {
    State.PARKED: "is parked: a person must look at it first",
    State.SENT: "is on its way to Xero",
    State.UNKNOWN: "may have reached Xero and is looked up first",
    State.PLANNED: "goes first",
    State.PROPOSED: "goes first",
    State.REJECTED: "was refused",
}


def notes(rows: Iterable[Any]) -> dict[int, str]:
    """What is said of each revision, by its id.

    Args:
        rows: of the table `intent` (id, kind, source_key, revision, state, note): of each document in question all open
            revisions, oldest first. Settled ones may be among them.
    """
    first: dict[tuple[str, str], Any] = {}
    told: dict[int, str] = {}
    for row in rows:
        state, document = State(row.state), (row.kind, row.source_key)
        older = None if state in _SETTLED else first.setdefault(document, row)
        if older is not None and older is not row and state in _QUEUING:
            told[row.id] = _behind(older, told[older.id])
        elif state is State.PROPOSED:
            told[row.id] = row.note or WAITS_FOR_APPROVAL
        else:
            told[row.id] = row.note
    return told


def _behind(older: Any, its_note: str) -> str:
    where = f"its revision {older.revision}, which {_STANDS[State(older.state)]}"
    return f"It waits for {where}{f': {its_note}' if its_note else '.'} See `target-xero why {older.source_key}`."
