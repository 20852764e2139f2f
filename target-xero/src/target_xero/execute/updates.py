"""Updates and deletions: what Xero has now is read first, what people did stays, what is closed is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from target_xero import limits
from target_xero.execute import customers
from target_xero.execute.agreed import agreed_body
from target_xero.execute.bodies import Linked, body_of, line_key
from target_xero.execute.compare import Difference, compared
from target_xero.execute.context import RunContext
from target_xero.execute.notes import put_down
from target_xero.execute.proposal import credit_and_rebill, sentence
from target_xero.execute.threeway import Conflict, Merged, merge
from target_xero.execute.writes import Parcel
from target_xero.ledger import Intent, Link
from target_xero.ledger.execution import Effect
from target_xero.plan.kinds import KINDS
from target_xero.plan.locks import check_standing
from target_xero.plan.statuses import DEAD, OPEN, is_open, onward
from target_xero.plan.wire import minor, parse_date, text_of

_SHOWN = 5
_NAMED = frozenset({"contacts", "items"})


def must_be_read(intent: Intent, link: Link) -> bool:
    """Sales documents and contacts before every update, for people may have approved or edited them.

    What was found in Xero and never written by us is compared first, too: a ledger that was lost must not write all of it
    again. Items otherwise only after a send without an answer: what became of it is to be seen there. What is called for no
    more is read too, for people may have ended it; an allocation is shown by its credit note alone.
    """
    if intent.op == "withdraw":
        return intent.kind != "allocations"
    if intent.kind in OPEN or intent.kind == "contacts":
        return True
    return intent.kind == "items" and (intent.attempt > 0 or not link.content_hash)


def parcel_of_update(  # noqa: PLR0911 (one reason a line)
    context: RunContext, intent: Intent, link: Link, linked: Linked, agreed: Mapping[str, Any] | None
) -> Parcel | None:
    """An update or deletion of a document that was just read, where it must be; None when it was settled otherwise.

    `agreed` is the document as last agreed with Xero, None where there was none.
    """
    op = "delete" if intent.op == "withdraw" else "update"
    if not intent.attempt and waits_for_quiet(context, intent, link):
        return None
    if _settles_untouchable(context, intent, link, op):
        return None
    if not must_be_read(intent, link):
        return Parcel(intent, op, body_of(intent, link, linked, context.organisation), link)
    asked_ms, current = context.sight(intent.kind).elements[link.remote_id]
    if current is None:
        if not _lags(context, intent, asked_ms, absent=True):
            cure = f"{_named(intent, link)} is no longer in Xero. Look for it there, then run `target-xero retry`."
            context.refuse(intent, "gone", cure)
        return None
    if intent.kind == "contacts" and text_of(current, "ContactStatus") in DEAD:
        moved = _surviving(context, intent, link)
        if moved is None:
            return None
        link, current = moved
    body = body_of(intent, link, linked, context.organisation, current)
    if intent.kind == "contacts" and link.remote_id in context.survivors.values():
        body.pop("ContactNumber", None)  # the contact that was merged away still holds it
    merged = _merged(context, intent, link, body, current, agreed)
    surprising = merged.kept or merged.conflicts or not (intent.attempt or compared(merged.body, current))
    if surprising and _lags(context, intent, asked_ms):
        return None
    return _parcel(context, intent, link, current, op, merged, body)


def _settles_untouchable(context: RunContext, intent: Intent, link: Link, op: str) -> bool:
    """Settles what we never change or delete; False: it is not of that kind."""
    if intent.kind not in ("payments", "allocations") and (op == "update" or intent.kind in OPEN):
        return False
    if op == "update" or not _ended_by_people(context, intent, link):
        _refuse_untouchable(context, intent, link)
    return True


def _ended_by_people(context: RunContext, intent: Intent, link: Link) -> bool:
    """Settles a withdrawal of what people have ended in Xero by hand: there is nothing left to do, or it is looked at again."""
    if not must_be_read(intent, link):
        return False
    asked_ms, current = context.sight(intent.kind).elements[link.remote_id]
    status = text_of(current or {}, "ContactStatus" if intent.kind == "contacts" else "Status")
    if current is not None and status not in DEAD:
        return False
    if not _lags(context, intent, asked_ms, absent=current is None):
        context.ledger.done([Effect(intent, link.remote_id, link.number, status or "DELETED")])
    return True


def waits_for_quiet(context: RunContext, intent: Intent, link: Link) -> bool:
    """Holds what would be overtaken by an earlier request: one whose answer was lost, and which was sent again meanwhile."""
    if link.quiet_until_ms <= context.now_ms():
        return False
    note = "An earlier write of it may still arrive in Xero; the next run sends this one."
    context.ledger.hold([intent.id], note)
    return True


def _lags(context: RunContext, intent: Intent, asked_ms: int, *, absent: bool = False) -> bool:
    """Holds a document whose read may be older than our own last write of it: what it shows is no person's doing.

    `absent`: it shows nothing, so that it may be older than this very revision's create, too.
    """
    sent_ms = context.ledger.last_sent_ms(intent)
    if absent and intent.last_sent_ms is not None:
        sent_ms = max(sent_ms or 0, intent.last_sent_ms)
    if sent_ms is None or asked_ms >= sent_ms + limits.STALE_READ_S * 1_000:
        return False
    note = "It was written a moment ago, and what Xero shows of it may be older; the next run looks again."
    context.ledger.hold([intent.id], note)
    return True


def _parcel(  # noqa: PLR0911 (one reason a line)
    context: RunContext,
    intent: Intent,
    link: Link,
    current: dict[str, Any],
    op: str,
    merged: Merged,
    asked: dict[str, Any],
) -> Parcel | None:
    """`asked` is the update as the source alone would have it."""
    status = text_of(current, "Status")
    if op == "delete" and status in DEAD:
        context.ledger.done([Effect(intent, link.remote_id, link.number, status)])
        return None
    changes = compared(merged.body, current)
    note = f"Left as people have it in Xero: {_some(merged.kept)}." if merged.kept else ""
    if not changes and not merged.conflicts:
        with context.ledger.atomic():
            context.ledger.done([_as_it_is(intent, link, current, note)])
            if intent.attempt:  # an earlier attempt, whose answer was lost, has done it
                put_down(context, [(intent, intent.sent_op or op)])
        return None
    if not is_open(intent.kind, status) and not _moves_on(intent, status, changes):
        whole = (
            asked if merged.conflicts else merged.body
        )  # nobody merges what goes no more: the new one is the source's
        _refuse_closed(context, intent, link, current, whole, [*changes, *merged.conflicts])
        return None
    locked = check_standing(_named(intent, link), parse_date(current.get("Date")), context.organisation)
    if locked and intent.kind in OPEN:
        context.ledger.reject([intent.id], [replace(locked, cure=f"{locked.cure} {_would(changes)}")])
        return None
    if op == "delete" and merged.kept:
        context.refuse(
            intent,
            "edited_in_xero",
            f"{_named(intent, link)} is called for no more, but people changed it in Xero: {_some(merged.kept)}. It is left "
            "alone: delete it in Xero, or keep it.",
        )
        return None
    if merged.conflicts:
        _refuse_conflict(context, intent, link, merged)
        return None
    return Parcel(intent, op, merged.body, link, kept=merged.lines_kept, note=note)


def _moves_on(intent: Intent, status: str, changes: Sequence[Difference]) -> bool:
    """A quote that is out may still be accepted or declined."""
    alone = {change.field for change in changes} == {"Status"}
    return intent.kind == "quotes" and alone and onward("quotes", status, str(changes[0].ours))


def _merged(
    context: RunContext,
    intent: Intent,
    link: Link,
    body: dict[str, Any],
    current: dict[str, Any],
    agreed: Mapping[str, Any] | None,
) -> Merged:
    """The update with people's changes left in it; of a deletion, what people changed."""
    done_before = intent.attempt and not compared(body, current)  # by the attempt that brought no answer
    if agreed is None or done_before or intent.kind == "items":  # items are the source's alone
        return Merged(body)
    base = agreed_body(context, intent, link, agreed, current)
    if intent.op == "withdraw":
        return Merged(body, merge(base, current, base, intent.kind).kept)
    # Lines that people deleted are told by the ids the lines once had, not by those Xero still shows.
    whole = body_of(intent, link, context.linked([intent]), context.organisation) if link.lines else body
    wanted = {**body, "LineItems": whole["LineItems"]} if "LineItems" in body else body
    return merge(base, current, wanted, intent.kind)


def _surviving(context: RunContext, intent: Intent, link: Link) -> tuple[Link, dict[str, Any]] | None:
    survivor, owner = customers.follow(context, link)
    if not survivor:
        customers.refuse(context, intent, link)
        return None
    if owner:
        context.refuse(
            intent,
            "contact_merged",
            f"Its contact {link.number or link.remote_id} was merged in Xero into the contact of {owner}. Its documents go there; "
            "its own fields are not written over that contact's. Merge the two in the source.",
            field="ContactNumber",
            value=link.number,
        )
        return None
    current = context.sight("contacts").elements[survivor][1] or {}
    return replace(link, remote_id=survivor), current


def _as_it_is(intent: Intent, link: Link, current: dict[str, Any], note: str) -> Effect:
    kind = KINDS[intent.kind]
    inclusive = intent.document.get("LineAmountTypes", "").casefold() == "inclusive"
    mine, theirs = intent.document.get("LineItems") or (), current.get("LineItems") or ()
    lines = {
        line_key(n, line): text_of(of, "LineItemID")
        for n, (line, of) in enumerate(zip(mine, theirs, strict=False))
    }
    return Effect(
        intent,
        text_of(current, kind.id_field),
        text_of(current, kind.number_field),
        text_of(current, "ContactStatus" if intent.kind == "contacts" else "Status"),
        lines if len(mine) == len(theirs) else link.lines,
        amount_minor=minor(current.get("Total" if inclusive else "SubTotal")),
        total_minor=minor(current.get("Total")),
        quiet_until_ms=max(
            link.quiet_until_ms,
            RunContext.quiet_until_ms(intent, intent.attempt, intent.last_sent_ms or 0, intent.sent_op or ""),
        ),
        note=note,
    )


def _named(intent: Intent, link: Link) -> str:
    return f"{KINDS[intent.kind].one.capitalize()} {link.number or link.remote_id}".strip()


def _some(told: Sequence[object]) -> str:
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "; ".join(map(str, told[:_SHOWN])) + more


def _would(changes: Sequence[Difference | Conflict]) -> str:
    return f"The source would change: {_some(changes)}."


def _refuse_conflict(context: RunContext, intent: Intent, link: Link, merged: Merged) -> None:
    first = merged.conflicts[0]
    context.refuse(
        intent,
        "changed_on_both_sides",
        f"{_named(intent, link)} was changed in Xero and in the source, each otherwise: {_some(merged.conflicts)}. Nothing was "
        "written. Make both say the same, then run `target-xero retry`.",
        field=first.field,
        value=str(first.ours or ""),
    )


def _refuse_closed(
    context: RunContext,
    intent: Intent,
    link: Link,
    current: dict[str, Any],
    body: dict[str, Any],
    changes: Sequence[Difference | Conflict],
) -> None:
    name, status = _named(intent, link), text_of(current, "Status")
    withdraw = intent.op == "withdraw"
    if withdraw:
        cure = f"{name} is {status} in Xero and the source calls for it no more. It is left alone: void or credit it in Xero."
    elif status in DEAD:
        cure = (
            f"{name} is {status} in Xero, for good. {_would(changes)} If people ended it on purpose, end it in the source, too; "
            "if not, enter it anew in Xero by hand, or under a new key of the source."
        )
    else:
        cure = (
            f"{name} is {status} in Xero and is not changed any more. {_would(changes)} Change it in Xero by hand, or credit it "
            "and bill anew."
        )
    proposal = None
    if intent.kind == "invoices" and status not in DEAD:
        wanted = None if withdraw else body
        told = [] if withdraw else changes
        proposal = credit_and_rebill(current, wanted, told, context.organisation, context.today())
        cure = f"{cure} {sentence(proposal)}"
    context.refuse(intent, "not_a_draft", cure, field="Status", value=status, proposal=proposal)


def _refuse_untouchable(context: RunContext, intent: Intent, link: Link) -> None:
    name = _named(intent, link)
    if intent.op == "withdraw":
        cure = (
            f"{name} stays in Xero although the source calls for it no more: the target deletes drafts only. Take it back in Xero "
            "by hand, or let the source call for it again."
        )
        rule = "withdrawn"
    else:
        cure = f"{name} is booked in Xero, and Xero lets nobody change one. Delete it in Xero and enter it anew, by hand."
        rule = "not_changeable"
    context.refuse(intent, rule, cure)
