"""The one table of statuses: in which a document may still be written, and which may follow which. Never backwards.

    kind            open: changed, deleted     closed: left alone             dead: in use no more
    invoices        DRAFT < SUBMITTED          < AUTHORISED < PAID            VOIDED, DELETED
    credit notes    DRAFT < SUBMITTED          < AUTHORISED < PAID            VOIDED, DELETED
    quotes          DRAFT                      < SENT < ACCEPTED, DECLINED    DELETED
                                               < INVOICED
    contacts        ACTIVE                                                    ARCHIVED, GDPRREQUEST

A quote that is closed to changes may still move on to a later status. Source: Xero developer docs, status codes of each.
"""

from __future__ import annotations

from collections.abc import Mapping

_SALES = {"DRAFT": 0, "SUBMITTED": 1, "AUTHORISED": 2, "PAID": 3}
_QUOTES = {"DRAFT": 0, "SENT": 1, "ACCEPTED": 2, "DECLINED": 2, "INVOICED": 3}

RANKS: Mapping[str, Mapping[str, int]] = {"invoices": _SALES, "credit_notes": _SALES, "quotes": _QUOTES}
"""By kind: a higher one is further on; what is not in the table has no way back and none on."""
OPEN: Mapping[str, frozenset[str]] = {
    "invoices": frozenset({"DRAFT", "SUBMITTED"}),
    "credit_notes": frozenset({"DRAFT", "SUBMITTED"}),
    "quotes": frozenset({"DRAFT"}),
}
"""By kind: the statuses in which a document is changed or deleted. Kinds that are not here have no such status."""
DEAD = frozenset({"VOIDED", "DELETED", "ARCHIVED", "GDPRREQUEST"})
"""Statuses of what is no longer in use; it is never touched again."""


def is_open(kind: str, status: str) -> bool:
    """Whether a document in this status may be changed or deleted."""
    return kind not in OPEN or status in OPEN[kind]


def onward(kind: str, current: str, wanted: str) -> bool:
    """Whether a document may go from one status to the other: to a later one, from one that is alive."""
    ranks = RANKS.get(kind, {})
    return current in ranks and wanted in ranks and ranks[wanted] > ranks[current]
