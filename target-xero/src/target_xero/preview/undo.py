"""Undoing a run: which documents of it, in which order, and what is left alone before Xero is even asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from target_xero.engine import Engine
from target_xero.execute.drift import TO_BE_READ
from target_xero.ledger import Ledger, NewIntent
from target_xero.ledger.undoing import Written
from target_xero.plan.kinds import KINDS
from target_xero.plan.planner import again
from target_xero.preview.document import PlannedDocument

Bound = Mapping[tuple[str, str], str]
"""Hash of what Xero had when the plan was shown, by (kind, source key)."""


_UNSETTLED = (
    "A newer revision of it is not settled yet, and would be written over what is taken back. See `target-xero why {key}`; settle "
    "that one, then undo again."
)
_ENDED = {
    "withdraw": "It was deleted because the source called for it no more, and Xero brings nothing back. It is made anew once the "
    "source calls for it again.",
    "undo": "It was taken back, and Xero brings nothing back. To have it made anew: `target-xero retry --kind {kind} --key {key}`.",
}
"""By why it was ended."""


def undo(engine: Engine, run: int, by: str, bound: Bound | None = None) -> list[PlannedDocument]:
    """Takes back what the run wrote, kind by kind, in the opposite order of writing: payments first, items last.

    Args:
        engine: in mode `plan` to see what it would come to, in mode `apply` to do it.
        run: the run's number; an earlier one of this ledger.
        by: who undoes it.
        bound: only what is in here, and only as long as Xero has what it had.

    Returns:
        What is left alone without asking Xero.
    """
    left: list[PlannedDocument] = []
    for kind in reversed(KINDS):
        _plan(engine.ledger, run, kind, by, bound, left)
        if not engine.settle():
            break
    return left


def _plan(
    ledger: Ledger, run: int, kind: str, by: str, bound: Bound | None, left: list[PlannedDocument]
) -> None:
    with ledger.atomic():
        intents: list[NewIntent] = []
        for one in ledger.written_in(run, kind):
            before = TO_BE_READ if bound is None else bound.get((kind, one.source_key))
            if one.newer:
                left.append(_left(one, _UNSETTLED.format(key=one.source_key)))
            if one.busy or before is None:
                continue
            new = _intent(ledger, one, before)
            if isinstance(new, str):
                left.append(_left(one, new))
                continue
            ledger.note_undone(kind, one.source_key, one.content_hash, one.remote_id, by)
            intents.append(new)
        ledger.add(intents)


def _intent(ledger: Ledger, one: Written, before: str) -> NewIntent | str:
    """What takes it back, or why it is left alone."""
    if one.sent_op == "delete":
        return _ENDED[one.op].format(kind=one.kind, key=one.source_key)
    if one.link_remote_id is None or one.link_remote_id != one.remote_id:
        return "It is in Xero no more, or was undone already."
    if one.link_hash != one.content_hash:
        return f"It was written again in run {one.changed_in}: undo that run first."
    if one.sent_op == "create":
        return NewIntent(
            kind=one.kind,
            source_key=one.source_key,
            op="undo",
            document={},
            content_hash=f"undo {one.content_hash}",
            unique=one.unique,
            marker=one.marker,
            label=one.label,
            url=one.url,
            currency=one.currency,
            before_hash=before,
        )
    earlier = ledger.revision_before(one)
    if earlier is None:
        return "It was in Xero before this ledger wrote it, and what it was then is not known. Put it right in Xero by hand."
    return replace(again(earlier), before_hash=before)


def _left(one: Written, reason: str) -> PlannedDocument:
    return PlannedDocument(
        action="left",
        kind=one.kind,
        source_key=one.source_key,
        label=one.label,
        url=one.url,
        number=one.number,
        remote_id=one.remote_id,
        currency=one.currency,
        reason=reason,
        intent=one.id,
        content_hash=one.content_hash,
    )
