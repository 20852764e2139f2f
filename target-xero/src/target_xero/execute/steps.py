"""What may have to come first: reference data, a list, a document that must be read."""

from __future__ import annotations

from collections.abc import Sequence

from target_xero import limits
from target_xero.execute.context import Flight, RunContext
from target_xero.execute.lookups import ListingFlight, ReadFlight, ReferenceFlight
from target_xero.ledger import Intent
from target_xero.plan.checks import resources_needed
from target_xero.plan.kinds import KINDS


class Wait:
    """Something is in flight that must come back first."""


WAIT = Wait()
Step = Flight | Wait | None
"""A call to make now, a reason to wait, or nothing in the way."""


def reference_data(context: RunContext, kind: str, intents: Sequence[Intent]) -> Step:
    """Loads what the documents must be checked against."""
    needed: set[str] = set()
    for intent in intents:
        if intent.op == "save" and intent.id not in context.provided:
            lacking = resources_needed(kind, intent.document, context.organisation)
            needed |= lacking
            if not lacking:  # what has been read stays so
                context.provided.add(intent.id)
    for resource in sorted(needed - context.loading):
        return ReferenceFlight(context, resource)
    return WAIT if needed else None


def listing(context: RunContext, kind: str, asked_since_ms: int = 0) -> Step:
    """A list of this kind that was asked for in this run, at or after a time.

    No write of the kind is in flight while its list is read, so that nothing of ours moves while the pages turn.
    """
    sight = context.sight(kind)
    if sight.asked_ms is not None and sight.asked_ms >= asked_since_ms:
        return None
    if sight.writing or (sight.listing and sight.listing.in_flight):
        return WAIT
    return ListingFlight(context, kind)


def seen_through(kind: str) -> str:
    """The kind whose reads show this one."""
    return "credit_notes" if kind == "allocations" else kind


def hold_blind(context: RunContext, kind: str, intents: Sequence[Intent]) -> None:
    """Reads fail again and again: without them these documents wait for the next run."""
    context.ledger.hold(
        [i.id for i in intents],
        f"Xero could not be asked about its {KINDS[kind].one}s ({limits.LISTING_FAILURES_MAX} attempts); the next run asks again.",
    )


def reading(context: RunContext, kind: str, remote_ids: Sequence[str], asked_since_ms: int = 0) -> Step:
    """Reads documents one by one (or some at once) that were not read in this run at or after a time."""
    sight = context.sight(kind)
    stale = [
        id_
        for id_ in dict.fromkeys(remote_ids)
        if id_ not in sight.elements or sight.elements[id_][0] < asked_since_ms
    ]
    missing = [id_ for id_ in stale if id_ not in sight.reading]
    if missing:
        return ReadFlight(context, kind, missing)
    return WAIT if stale else None
