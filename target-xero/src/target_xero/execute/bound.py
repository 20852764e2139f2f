"""Documents bound to what Xero had when they were approved: nothing goes over what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.execute.context import RunContext
from target_xero.execute.drift import TO_BE_READ, element_hash
from target_xero.ledger import Intent, Link
from target_xero.plan.kinds import KINDS

_SHOWN = 12


def is_bound(intent: Intent) -> bool:
    """Whether it must be read before it is written, whatever its kind."""
    return intent.before_hash is not None


def holds(
    context: RunContext, intent: Intent, link: Link, seen: tuple[int, Mapping[str, Any] | None] | None
) -> bool:
    """Whether Xero has what was approved (`seen`: when it was read, and what it was). If not, the document is proposed anew, with both sides named.

    One that was sent already was compared then; what Xero has now may be its own doing.
    """
    approved = intent.before_hash
    if approved is None or approved == TO_BE_READ or intent.attempt:
        return True
    found = element_hash(seen[1] if seen else None)
    if found == approved:
        return True
    one = KINDS[intent.kind].one
    what = f"{one} {link.number or link.remote_id}"
    was = f"with {what} as {approved[:_SHOWN]}" if approved else f"when Xero had no such {one}"
    now = f"Xero now has {what} as {found[:_SHOWN]}" if found else f"Xero now has no {what}"
    if intent.op == "undo":
        context.ledger.leave(
            [intent.id], f"{now}, not what the plan showed ({approved[:_SHOWN]}). It stays; undo again."
        )
        return False
    context.ledger.propose_again(
        [intent.id],
        f"It was approved {was}; {now}. Somebody changed it in the meantime, so nothing was written. Look at the new plan and "
        "approve it again.",
    )
    return False
