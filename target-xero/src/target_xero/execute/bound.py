"""Documents bound to what Xero had when they were approved: nothing goes over what has changed since, or to another customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from target_xero.execute.bodies import Linked
from target_xero.execute.context import RunContext
from target_xero.execute.drift import NOTHING, TO_BE_READ, approved_for, element_hash
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
    new = approved == NOTHING or approved_for(approved)
    was = f"when Xero had no such {one}" if new else f"with {what} as {approved[:_SHOWN]}"
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


def for_whom(context: RunContext, new: Sequence[Intent], linked: Linked) -> list[Intent]:
    """Those of the new documents that go to whom they were approved for; the others are proposed anew, with both contacts named.

    Who approves an invoice has seen the customer's name. A contact that was merged into another one since is another customer.
    """
    kept = []
    for intent in new:
        approved = approved_for(intent.before_hash)
        now = next((linked[need] for need in intent.needs if need[0] == "contacts" and need in linked), None)
        if not approved or intent.attempt or now is None or now.remote_id == approved:
            kept.append(intent)
            continue
        names = context.ledger.contact_names([approved, now.remote_id])
        was, then = (repr(names.get(id_, "another contact")) for id_ in (approved, now.remote_id))
        context.ledger.propose_again(
            [intent.id],
            f"It was approved for {was} ({approved}), and would now go to {then} ({now.remote_id}): the contacts were merged in Xero "
            "in the meantime, so nothing was written. Look at the new plan and approve it again.",
        )
    return kept
