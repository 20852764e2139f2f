"""Closed books: nothing of ours is dated, changed, paid or set off on or before the lock date, whoever the token belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from target_xero.plan.organisation import Lock, Organisation
from target_xero.refusal import Refusal

_DATED_TODAY = frozenset({"invoices", "credit_notes"})
"""Xero dates these itself when the document names no day."""


def check_dates(
    stream: str, document: Mapping[str, Any], organisation: Organisation, today: date | None = None
) -> Iterator[Refusal]:
    """The days that a document asks for: its own, and those of its allocations.

    Args:
        stream: which kind of document.
        document: its canonical content.
        organisation: whose books they are.
        today: the earliest day that Xero may take for one that names none; None: it has a day in Xero already.
    """
    lock = organisation.lock
    if lock is None:
        return
    if today and today <= lock.until and stream in _DATED_TODAY and not document.get("Date"):
        yield Refusal(
            "period_locked", "Date", "",
            f"{_closed(organisation, lock)}, and Xero, which dates it by the organisation's own clock, may do so within them: there "
            f"it may still be {today.isoformat()}. Give it a later date, or try it again (`retry`) when that day has passed.",
        )  # fmt: skip
    dates = [("Date", document.get("Date"))]
    dates += [
        (f"allocations[{n}].Date", a.get("Date")) for n, a in enumerate(document.get("allocations") or ())
    ]
    for field, value in dates:
        if value and date.fromisoformat(value) <= lock.until:
            yield Refusal(
                "period_locked", field, value,
                f"{_closed(organisation, lock)}. Date it later, or let finance reopen the period.",
            )  # fmt: skip


def check_standing(name: str, day: date | None, organisation: Organisation) -> Refusal | None:
    """A document that stands in the closed books already: it is neither changed nor deleted, whatever day it would get."""
    lock = organisation.lock
    if lock is None or day is None or day > lock.until:
        return None
    return Refusal(
        "period_locked", "Date", day.isoformat(),
        f"{name} stands in Xero on that day, and {_closed(organisation, lock)}. It is left as it is: let finance reopen the "
        "period, or correct it with a new document in the open period.",
    )  # fmt: skip


def _closed(organisation: Organisation, lock: Lock) -> str:
    return f"the books of {organisation.name} are closed up to {lock.until.isoformat()} ({lock.whose})"
