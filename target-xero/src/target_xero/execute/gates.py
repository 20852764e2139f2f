"""What stands between a new document and its being sent: the organisation's rules, and whether Xero may have it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from target_xero.execute import payable
from target_xero.execute.bodies import Linked, body_of
from target_xero.execute.context import RunContext
from target_xero.execute.steps import Step, reference_data
from target_xero.execute.writes import Parcel
from target_xero.ledger import Intent
from target_xero.ledger.execution import Effect
from target_xero.plan import tax
from target_xero.plan.amounts import document_minor
from target_xero.plan.checks import check_in_organisation
from target_xero.plan.wire import minor, text_of


def check(context: RunContext, kind: str, intents: Sequence[Intent]) -> list[Intent]:
    """Refuses what the organisation would refuse; returns the rest, with a rounding line where one is called for."""
    passed = []
    policy, today = context.settings.on_total_difference, context.earliest_day()
    for intent in intents:
        if intent.op != "save" or (intent.id, today) in context.sound:
            passed.append(intent)
            continue
        mine = rounded(context, intent)
        refusals = check_in_organisation(kind, mine.document, context.organisation, today)
        if not refusals:
            wrong = tax.check_total(kind, mine.document, context.organisation, policy)[1]
            refusals = [wrong] if wrong else []
        if refusals:
            context.ledger.reject([intent.id], refusals)
        else:
            passed.append(mine)
            if mine is intent:
                context.sound.add((intent.id, today))
    return passed


def rounded(context: RunContext, intent: Intent) -> Intent:
    """The intent with the rounding line that its total with tax calls for; the same each time it is asked."""
    document = context.rounded(intent.kind, intent.document)
    if document is intent.document:
        return intent
    return replace(intent, document=document, amount_minor=document_minor(intent.kind, document))


def rates_for_doubts(context: RunContext, kind: str, doubts: Sequence[Intent]) -> Step:
    """Loads what tells which rounding line a document was sent with."""
    if context.settings.on_total_difference != "rounding_line":
        return None
    return reference_data(context, kind, [intent for intent in doubts if tax.is_expected(intent.document)])


def parcels_of_new(context: RunContext, intents: Sequence[Intent], linked: Linked) -> list[Parcel]:
    """Creates, with the ids of what they need."""
    if intents and intents[0].kind in ("payments", "allocations"):
        return payable.parcels(context, intents, linked)
    return [Parcel(i, "create", body_of(i, None, linked, context.organisation), None) for i in intents]


def awaits_approval(intent: Intent, linked: Linked) -> bool:
    """Whether a payment is of a document that nobody has approved in Xero yet, so that it cannot be there."""
    return any(linked[need].status in ("DRAFT", "SUBMITTED") for need in intent.needs if need in linked)


def allocated(context: RunContext, intent: Intent, note: dict[str, Any] | None, linked: Linked) -> bool:
    """Whether the note shows this allocation already; then it is done."""
    invoice_id = next(linked[need].remote_id for need in intent.needs if need[0] == "invoices")
    for entry in (note or {}).get("Allocations") or ():
        if (
            text_of(entry, "Invoice", "InvoiceID") == invoice_id
            and minor(entry.get("Amount")) == intent.amount_minor
        ):
            id_ = text_of(entry, "AllocationID") or f"{payable.note_of(intent, linked)}/{invoice_id}"
            context.ledger.done(
                [Effect(intent, id_, amount_minor=intent.amount_minor, total_minor=intent.amount_minor)]
            )
            return True
    return False
