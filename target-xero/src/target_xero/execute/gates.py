"""What stands between a planned document and its being sent. Each gate lets through, settles, or says what must be read first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from target_xero import limits
from target_xero.execute.bodies import Linked, body_of, line_key
from target_xero.execute.compare import differences
from target_xero.execute.context import Flight, RunContext
from target_xero.execute.listings import DEAD
from target_xero.execute.lookups import ListingFlight, ReadFlight, ReferenceFlight
from target_xero.execute.writes import Parcel
from target_xero.ledger import Intent, Link
from target_xero.ledger.execution import Effect
from target_xero.plan.checks import check_in_organisation, resources_needed
from target_xero.plan.kinds import KINDS
from target_xero.plan.wire import minor, text_of


class Wait:
    """Something is in flight that must come back first."""


WAIT = Wait()
Step = Flight | Wait | None
"""A call to make now, a reason to wait, or nothing in the way."""


def reference_data(context: RunContext, kind: str, intents: Sequence[Intent]) -> Step:
    """Loads what the documents must be checked against."""
    needed: set[str] = set()
    for intent in intents:
        if intent.op == "save":
            needed |= resources_needed(kind, intent.document, context.organisation)
    for resource in sorted(needed - context.loading):
        return ReferenceFlight(context, resource)
    return WAIT if needed else None


def check(context: RunContext, kind: str, intents: Sequence[Intent]) -> list[Intent]:
    """Refuses what the organisation would refuse; returns the rest."""
    passed = []
    for intent in intents:
        refusals = (
            check_in_organisation(kind, intent.document, context.organisation, context.today())
            if intent.op == "save"
            else []
        )
        if refusals:
            context.ledger.reject([intent.id], refusals)
        else:
            passed.append(intent)
    return passed


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


def parcel_of_update(  # noqa: PLR0911 (one reason a line)
    context: RunContext, intent: Intent, link: Link, linked: Linked
) -> Parcel | None:
    """An update or deletion of a document that was just read, where it must be; None when it was settled otherwise."""
    kind, ledger = KINDS[intent.kind], context.ledger
    op = "delete" if intent.op == "withdraw" else "update"
    if link.quiet_until_ms > context.now_ms():
        ledger.hold(
            [intent.id], "An earlier change of it may still arrive in Xero; the next run sends this one."
        )
        return None
    if intent.kind in ("payments", "allocations") or (op == "delete" and not kind.deletable):
        _refuse_untouchable(context, intent, link)
        return None
    if not must_be_read(intent):
        return Parcel(intent, op, body_of(intent, link, linked, context.organisation), link)
    current = context.sight(intent.kind).elements[link.remote_id][1]
    if current is None:
        context.refuse(
            intent,
            "gone",
            f"{_named(intent, link)} is no longer in Xero. Look for it there, then run once with retry_refused.",
        )
        return None
    body = body_of(intent, link, linked, context.organisation, current)
    status = text_of(current, "Status")
    if op == "delete" and status in DEAD:
        ledger.done([Effect(intent, link.remote_id, link.number, status)])
        return None
    changes = differences(body, current)
    if not changes:
        ledger.done([_as_it_is(intent, current)])
        return None
    if kind.deletable and status not in kind.deletable:
        _refuse_no_draft(context, intent, link, status, changes)
        return None
    return Parcel(intent, op, body, link)


def must_be_read(intent: Intent) -> bool:
    """Sales documents before every update, for people may have approved them; others when a first attempt went astray."""
    return bool(KINDS[intent.kind].deletable) or (intent.kind == "contacts" and intent.attempt > 0)


def _as_it_is(intent: Intent, current: dict[str, Any]) -> Effect:
    kind = KINDS[intent.kind]
    inclusive = intent.document.get("LineAmountTypes", "").casefold() == "inclusive"
    lines = {
        line_key(n, line): text_of(theirs, "LineItemID")
        for n, (line, theirs) in enumerate(
            zip(intent.document.get("LineItems") or (), current.get("LineItems") or (), strict=False)
        )
    }
    return Effect(
        intent,
        text_of(current, kind.id_field),
        text_of(current, kind.number_field),
        text_of(current, "ContactStatus" if intent.kind == "contacts" else "Status"),
        lines,
        amount_minor=minor(current.get("Total" if inclusive else "SubTotal")),
        total_minor=minor(current.get("Total")),
    )


def _named(intent: Intent, link: Link) -> str:
    return f"{KINDS[intent.kind].one.capitalize()} {link.number or link.remote_id}".strip()


def _refuse_no_draft(
    context: RunContext, intent: Intent, link: Link, status: str, changes: Sequence[str]
) -> None:
    name = _named(intent, link)
    if intent.op == "withdraw":
        cure = f"{name} is {status} in Xero and the source calls for it no more. It is left alone: void or credit it in Xero."
    else:
        shown = "; ".join(changes[:5]) + (f"; and {len(changes) - 5} more" if len(changes) > 5 else "")
        cure = (
            f"{name} is {status} in Xero and is not changed any more. The source would change: {shown}. Change it in Xero by "
            "hand, or credit it and bill anew."
        )
    context.refuse(intent, "not_a_draft", cure, field="Status", value=status)


def _refuse_untouchable(context: RunContext, intent: Intent, link: Link) -> None:
    name = _named(intent, link)
    if intent.op == "withdraw":
        cure = (
            f"{name} stays in Xero although the source calls for it no more: the target deletes drafts only."
        )
        rule = "withdrawn"
    else:
        cure = f"{name} is booked in Xero, and Xero lets nobody change one. Delete it in Xero and enter it anew, by hand."
        rule = "not_changeable"
    context.refuse(intent, rule, cure)


def approved(context: RunContext, intents: Sequence[Intent], linked: Linked) -> Step:
    """Payments and allocations go to approved documents only: reads the statuses that may have changed since last told."""
    owners = [linked[need] for intent in intents for need in intent.needs if need in linked]
    for kind in ("invoices", "credit_notes"):
        old = [
            link.remote_id
            for link in owners
            if link.kind == kind and link.status != "AUTHORISED" and link.status_epoch < context.ledger.epoch
        ]
        if not old or context.sight(kind).asked_ms is not None:
            continue
        if context.sight(kind).blind:
            hold_blind(context, kind, intents)
            return WAIT
        many = len(set(old)) > limits.IDS_PER_CALL_MAX
        step = listing(context, kind) if many else reading(context, kind, old)
        if step is not None:
            return step
    return None


def parcel_of_payment(context: RunContext, intent: Intent, linked: Linked) -> Parcel | None:
    """A payment or allocation; None when what it is for is not approved."""
    for need in intent.needs:
        link = linked[need]
        name = f"{KINDS[link.kind].one.capitalize()} {link.number or link.source_key}"
        if link.status in ("DRAFT", "SUBMITTED"):
            context.ledger.hold(
                [intent.id],
                f"{name} is {link.status} in Xero; a {KINDS[intent.kind].one} is entered once it is approved there.",
            )
            return None
        if link.status in DEAD or (link.status == "PAID" and intent.kind == "payments"):
            context.refuse(
                intent,
                "not_payable",
                f"{name} is {link.status} in Xero. Enter the {KINDS[intent.kind].one} in Xero by hand, or not at all.",
            )
            return None
    return Parcel(intent, "create", body_of(intent, None, linked, context.organisation), None)


def parcels_of_new(context: RunContext, intents: Sequence[Intent], linked: Linked) -> list[Parcel]:
    """Creates, with the ids of what they need."""
    if intents and intents[0].kind in ("payments", "allocations"):
        found = (parcel_of_payment(context, intent, linked) for intent in intents)
        return [parcel for parcel in found if parcel]
    return [Parcel(i, "create", body_of(i, None, linked, context.organisation), None) for i in intents]


def needs_listing(kind: str, intents: Sequence[Intent], linked: Linked) -> bool:
    """Whether Xero may have one of these already. A payment of an invoice that this ledger made can only be the ledger's own."""
    if kind != "payments":
        return True
    return any(linked[need].adopted for intent in intents for need in intent.needs)


def note_of(intent: Intent, linked: Linked) -> str:
    """The id of the credit note that an allocation is of."""
    return next(
        link.remote_id for need, link in linked.items() if need in intent.needs and need[0] == "credit_notes"
    )


def allocated(context: RunContext, intent: Intent, note: dict[str, Any] | None, linked: Linked) -> bool:
    """Whether the note shows this allocation already; then it is done."""
    invoice_id = next(linked[need].remote_id for need in intent.needs if need[0] == "invoices")
    for entry in (note or {}).get("Allocations") or ():
        if (
            text_of(entry, "Invoice", "InvoiceID") == invoice_id
            and minor(entry.get("Amount")) == intent.amount_minor
        ):
            id_ = text_of(entry, "AllocationID") or f"{note_of(intent, linked)}/{invoice_id}"
            context.ledger.done(
                [Effect(intent, id_, amount_minor=intent.amount_minor, total_minor=intent.amount_minor)]
            )
            return True
    return False
