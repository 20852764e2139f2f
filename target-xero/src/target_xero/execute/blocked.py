"""Documents that need another one which is not in Xero: refused with its name, or left to wait for it."""

from __future__ import annotations

from target_xero.execute.context import RunContext
from target_xero.ledger import Intent, State
from target_xero.limits import KEYS_PER_SELECT
from target_xero.plan.kinds import KINDS
from target_xero.refusal import Refusal

_THEN = " Once it is, this document goes by itself."


def settle_blocked(context: RunContext) -> bool:
    """Settles what cannot go in this run, now that nothing else can. True: something moved, so look again.

    Refused ones are released by the ledger as soon as what they need is in Xero.
    """
    planned = context.ledger.work(tuple(KINDS)).planned
    for kind in KINDS:  # in this order: what a document waits for is told once that itself is settled
        blocked = context.ledger.blocked(kind, KEYS_PER_SELECT) if kind in planned else []
        if not blocked:
            continue
        by_kind: dict[str, set[str]] = {}
        for _, missing in blocked:
            for need_kind, key in missing:
                by_kind.setdefault(need_kind, set()).add(key)
        newest = {
            (need_kind, key): found
            for need_kind, keys in by_kind.items()
            for key, found in context.ledger.newest_open(need_kind, sorted(keys)).items()
        }
        for intent, missing in blocked:
            _settle(context, intent, missing[0], newest.get(missing[0]))
        return True
    return False


def _settle(context: RunContext, intent: Intent, need: tuple[str, str], needed: Intent | None) -> None:
    one = KINDS[need[0]].one
    if needed is not None and needed.state not in (State.REJECTED, State.PARKED):
        note = needed.note or "its outcome is not known yet."
        context.ledger.hold([intent.id], f"It waits for the {one} {needed.label}: {note}")
        return
    undone = context.ledger.undone(need[0], [need[1]]).get(need[1]) if needed is None else None
    if undone is not None:
        rule, name = f"{need[0]}_undone", need[1]
        cure = (
            f"The {one} {name} was undone by {undone.undone_by} in run {undone.epoch}. Bring it back (`target-xero retry "
            f"--kind {need[0]} --key {name}`, or a change at the source); this document then goes by itself."
        )
    elif needed is None:
        rule, name = f"{need[0]}_missing", need[1]
        cure = f"The {one} {name} was never delivered. Send it too (is its stream selected?); this document then goes by itself."
    else:
        rule, name = f"{need[0]}_refused", needed.label
        cause = needed.note.removesuffix(
            _THEN
        )  # which that one says, too, where it is refused for a third one
        cure = f"The {one} {name} is not in Xero: {cause}{_THEN}"
    refusal = Refusal(rule, f"{one.replace(' ', '_')}_key", need[1], cure)
    context.ledger.reject([intent.id], [refusal], waits=True)
