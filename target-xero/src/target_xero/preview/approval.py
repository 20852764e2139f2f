"""Approving a plan and carrying out what was approved: the rules, on the ledger. No words for terminals here."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from target_xero.errors import TargetXeroError
from target_xero.execute.drift import NOTHING
from target_xero.ledger import Ledger, State
from target_xero.ledger.approvals import Approved
from target_xero.ledger.base import milliseconds
from target_xero.preview.document import Plan, PlannedDocument

_SHOWN = 12


class ApprovalRefusedError(TargetXeroError):
    """A plan cannot be approved like this. Nothing was approved."""


def chosen(plan: Plan, kinds: Sequence[str], keys: Sequence[str]) -> list[PlannedDocument]:
    """What an approval covers: what would be written or linked now, all of it or these kinds and keys."""
    return [
        document
        for document in plan.documents
        if (document.is_write or document.action == "link")
        and document.proposed_by
        and (not kinds or document.kind in kinds)
        and (not keys or document.source_key in keys)
    ]


def check_hash(plan: Plan, wanted: str) -> None:
    """Raises ApprovalRefusedError unless `wanted` (or its beginning) names this plan."""
    if not plan.hash.startswith(wanted.casefold()):
        raise ApprovalRefusedError(
            f"What waits for {plan.organisation} is plan {plan.short_hash} now, not {wanted[:_SHOWN]}: the source, Xero or what "
            f"waits has changed since that plan was made. Nothing was approved. Look at the new plan (`target-xero plan`), then "
            f"approve {plan.short_hash}."
        )


def check_approver(by: str, documents: Sequence[PlannedDocument], *, second: bool) -> None:
    """Raises ApprovalRefusedError where somebody else must approve."""
    if not _seen(by):
        raise ApprovalRefusedError("An approval needs a name: --by NAME, or the setting run_by.")
    if not second:
        return
    own = [d for d in documents if _seen(d.proposed_by) == _seen(by)]
    if own:
        raise ApprovalRefusedError(
            f"{by} proposed {len(own):,} of these documents (the first: {own[0].label}), and the setting second_approver asks for "
            "somebody else. Nothing was approved."
        )


def _seen(name: str) -> str:
    """A name as people tell it from others: letters and digits, in whatever form and with whatever between them."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


def approve(
    ledger: Ledger, plan: Plan, documents: Sequence[PlannedDocument], by: str, comment: str, now: datetime
) -> int:
    """Keeps the approval; returns its number."""
    return ledger.approve(
        plan.hash,
        by,
        comment,
        {
            d.intent: (d.content_hash, NOTHING if d.before_hash == d.remote_id else d.before_hash)
            for d in documents
        },
        milliseconds(now),
    )


@dataclass
class Changed:
    """What was approved and is not carried out, because the source says something else by now."""

    kind: str
    source_key: str
    label: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return vars(self)


@dataclass
class Release:
    """What an `apply` may carry out."""

    approvals: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    """Intents."""
    under_way: int = 0
    """Of an `apply` that did not come to its end."""
    changed: list[Changed] = field(default_factory=list)


def release(ledger: Ledger) -> Release:
    """Lets go what is approved and still the newest revision; tells what is not. One transaction."""
    found = Release()
    with ledger.atomic():
        for one in ledger.approvals_to_apply():
            if one.approval not in found.approvals:
                found.approvals.append(one.approval)
            if not one.current:
                continue
            if one.state is State.PROPOSED:
                found.started.append(one.intent_id)
            elif one.state is State.SUPERSEDED:
                found.changed.append(_changed(ledger, one))
            elif one.state in (State.PLANNED, State.SENT, State.UNKNOWN):
                found.under_way += 1
        if found.started:
            ledger.start_approved(found.started)
    return found


def finish(ledger: Ledger, released: Release, now: datetime) -> None:
    """The approvals whose every revision is done, refused, parked, replaced or proposed anew are dealt with."""
    going = {
        one.approval
        for one in ledger.approvals_to_apply()
        if one.current and one.state in (State.PLANNED, State.SENT, State.UNKNOWN)
    }
    ended = [number for number in released.approvals if number not in going]
    if ended:
        ledger.approvals_applied(ended, milliseconds(now))


def drifted(ledger: Ledger, released: Release) -> list[Changed]:
    """What was let go and is proposed anew, because Xero had something else."""
    again = {proposal.id: proposal for proposal in ledger.proposals()}
    notes = {row["id"]: row["note"] for row in ledger.of_plan() if row["id"] in again}
    return [
        Changed(again[id_].kind, again[id_].source_key, again[id_].label, notes.get(id_, ""))
        for id_ in released.started
        if id_ in again
    ]


def _changed(ledger: Ledger, one: Approved) -> Changed:
    newest = ledger.newer_revision(one.kind, one.source_key)
    return Changed(
        one.kind,
        one.source_key,
        one.label,
        f"{one.approved_by} approved it as {one.content_hash[:_SHOWN]}; the source now says {newest[:_SHOWN]}. Nothing was "
        "written for it; the newer revision waits for approval of its own.",
    )
