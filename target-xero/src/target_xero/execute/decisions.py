"""What a look-up means for the documents it was made for: adopt, refuse, send, wait, or let a person look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from target_xero.crash import fault_point
from target_xero.execute.bodies import Linked, contact_number
from target_xero.execute.context import RunContext
from target_xero.execute.listings import fold
from target_xero.execute.notes import put_down
from target_xero.ledger import Intent
from target_xero.ledger.directory import Seen
from target_xero.ledger.execution import Effect
from target_xero.plan.kinds import KINDS
from target_xero.plan.statuses import DEAD

_NAMED = frozenset({"contacts", "items"})
"""Kinds that are known by a number of their own, whatever their content."""
UNKNOWN_TO_THE_LEDGER = (
    "Documents with our marks were in Xero that the ledger did not know: it is new, or an older copy. They were linked "
    "(column adopted), and none was written again."
)
_SALES = frozenset({"quotes", "invoices", "credit_notes"})
"""Kinds of which a second one is not refused by Xero, and not seen in what is paid either."""


def handle_of(intent: Intent) -> str:
    """What the directory would know the document by."""
    if intent.kind == "contacts":
        return contact_number(intent)
    if intent.kind == "items":
        return str(intent.document.get("Code", "")).casefold()
    return intent.marker


def before_create(context: RunContext, intents: Sequence[Intent], linked: Linked) -> bool:
    """Compares new documents with a fresh directory. True: some were settled or linked, so ask the ledger again."""
    kind = intents[0].kind
    hits = context.ledger.hits(kind, {handle_of(i) for i in intents})
    names = {fold(i.document["Name"]) for i in intents} if kind == "contacts" else set()
    if kind in _SALES:
        names = {owner_of(i, linked) for i in intents if i.amount_minor and not i.cleared}
    namesakes = context.ledger.namesakes(kind, names)
    if not hits and not namesakes:  # nearly always
        return False
    with context.ledger.atomic():
        return _settle_found(context, intents, linked, hits, namesakes)


def _settle_found(
    context: RunContext,
    intents: Sequence[Intent],
    linked: Linked,
    hits: Mapping[str, list[Seen]],
    namesakes: Mapping[str, list[Seen]],
) -> bool:
    kind = intents[0].kind
    markers = {i.marker for i in intents}
    settled = False
    claimed: set[str] = set()
    for intent in intents:
        found = [row for row in hits.get(handle_of(intent), []) if row.remote_id not in claimed]
        claimed.update(row.remote_id for row in found)
        live = [row for row in found if row.facts["status"] not in DEAD]
        if live:
            _adopt_or_park(context, intent, live, linked)
        elif kind == "contacts" and found:
            _refuse_archived(context, intent, found[0])
        elif kind == "contacts" and (same := _namesake(intent, namesakes)):
            _refuse_name(context, intent, same)
        elif kind not in _NAMED and found and not intent.cleared:
            context.ledger.park([intent.id], _ended_sentence(intent, found[0]))
        elif kind in _SALES and (near := _unmarked(intent, namesakes, linked, markers | claimed)):
            context.ledger.park([intent.id], _unmarked_sentence(intent, near, linked=linked))
        else:
            continue
        settled = True
    return settled


def settle_doubts(context: RunContext, intents: Sequence[Intent], linked: Linked, asked_ms: int) -> None:
    """Decides creates whose outcome is unknown, from a directory that was asked for at `asked_ms`."""
    kind = intents[0].kind
    hits = context.ledger.hits(kind, {handle_of(i) for i in intents})
    alike = (
        context.ledger.namesakes(kind, {owner_of(i, linked) for i in intents}) if kind not in _NAMED else {}
    )
    markers = {i.marker for i in intents}
    claimed: set[str] = set()
    for intent in intents:
        found = [row for row in hits.get(handle_of(intent), []) if row.remote_id not in claimed]
        live = [row for row in found if row.facts["status"] not in DEAD]
        claimed.update(row.remote_id for row in found)
        if intent.cleared:  # a person knows of those that were ended
            found = live
        if kind in _NAMED and intent.conflict:
            handle = handle_of(intent)
            settle_taken(
                context, intent, found or context.ledger.shown(kind, [handle]).get(handle, []), asked_ms
            )
        elif kind in _NAMED and live:
            _adopt_or_park(context, intent, live, linked)
        elif len(found) == 1 and live and is_same(intent, found[0], linked):
            _done(context, intent, found[0])
        elif found and kind not in _NAMED:
            _park_found(context, intent, found)
        elif (
            kind not in _NAMED
            and not intent.cleared
            and (near := _look_alike(intent, alike, linked, markers))
        ):
            context.ledger.park(
                [intent.id], f"Its outcome is unknown. {_unmarked_sentence(intent, near, linked=linked)}"
            )
        elif asked_ms >= context.absence_proven_ms(intent):
            context.resend_or_park([intent])
        else:
            context.ledger.looked([intent.id], asked_ms)


def settle_taken(context: RunContext, intent: Intent, holders: Sequence[Seen], asked_ms: int) -> None:
    """Xero refused a create because its number or name is taken; these have it, as a read asked for at `asked_ms` shows."""
    taken = context.ledger.owners(intent.kind, [row.remote_id for row in holders])
    ours = [row for row in holders if row.handle == handle_of(intent) and row.remote_id not in taken]
    live = [row for row in ours if row.facts["status"] not in DEAD]
    if live:
        _adopt_or_park(context, intent, live, context.linked([intent]))
    elif ours and intent.kind == "contacts":
        _refuse_archived(context, intent, ours[0])
    elif holders and intent.kind == "contacts" and holders[0].handle != handle_of(intent):
        _refuse_name(context, intent, holders[0])
    elif holders:
        field = KINDS[intent.kind].number_field
        owner = taken.get(holders[0].remote_id)
        whose = f"{'was' if ours else 'is not'} made from {intent.label}"
        whose = f"is that of {owner} of the source" if owner else whose
        context.refuse(
            intent,
            "number_taken",
            f"{_describe(intent.kind, holders[0])} has this number and {whose}. Give another number"
            + (". " if intent.kind in _NAMED else ", or none: Xero then takes the next of its own series. ")
            + ("" if ours else "Or, if it should be made from it, put that right in Xero. ")
            + "Then run `target-xero retry`.",
            field=field,
            value=str(intent.document.get(field) or handle_of(intent)),
        )
    elif asked_ms < (intent.last_sent_ms or 0) + context.quiet_ms:
        context.ledger.looked(
            [intent.id], asked_ms
        )  # reads lag behind writes: it may be our own, made a moment ago
    else:
        context.refuse(intent, "xero_refused", intent.note)


def is_same(intent: Intent, row: Seen, linked: Linked) -> bool:
    """Whether what Xero has is what we sent: customer, day, currency and amount to the cent."""
    facts, document = row.facts, intent.document
    if intent.kind == "payments":
        return bool(
            facts["paid"] == owner_of(intent, linked)
            and facts["date"] == document["Date"]
            and facts["total"] == intent.amount_minor
        )
    inclusive = document.get("LineAmountTypes", "").casefold() == "inclusive"
    return bool(
        facts["contact"] == owner_of(intent, linked)
        and facts["date"] == document.get("Date", facts["date"])
        and facts["currency"] in (intent.currency, "")
        and facts["total" if inclusive else "subtotal"] == intent.amount_minor
    )


def owner_of(intent: Intent, linked: Linked) -> str:
    """The id of what the document belongs to: its contact, or the document that a payment pays."""
    owners = ("invoices", "credit_notes") if intent.kind == "payments" else ("contacts",)
    return next((linked[need].remote_id for need in intent.needs if need[0] in owners and need in linked), "")


def _adopt_or_park(context: RunContext, intent: Intent, live: Sequence[Seen], linked: Linked) -> None:
    if len(live) > 1:
        _park_found(context, intent, live)
    elif intent.kind not in _NAMED and is_same(intent, live[0], linked):
        _done(context, intent, live[0])
    elif intent.kind == "payments":
        _park_found(context, intent, live)
    else:
        fault_point("C11")
        if intent.kind not in _NAMED and intent.last_sent_ms is None:
            context.notice(UNKNOWN_TO_THE_LEDGER)
        context.ledger.adopt(effect_of(intent, live[0]))


def _done(context: RunContext, intent: Intent, row: Seen) -> None:
    fault_point("C11")
    if intent.last_sent_ms is None:
        context.notice(UNKNOWN_TO_THE_LEDGER)
    with context.ledger.atomic():
        context.ledger.done([effect_of(intent, row)])
        if intent.last_sent_ms is not None:  # ours, though its answer was lost
            put_down(context, [(intent, "create")])


def effect_of(intent: Intent, row: Seen) -> Effect:
    """What a list showed, as the effect of the intent."""
    inclusive = intent.document.get("LineAmountTypes", "").casefold() == "inclusive"
    total = row.facts.get("total")
    return Effect(
        intent=intent,
        remote_id=row.remote_id,
        number=str(row.facts["number"]),
        status=str(row.facts["status"]),
        amount_minor=total if inclusive or intent.kind == "payments" else row.facts.get("subtotal"),
        total_minor=total,
        currency=str(row.facts.get("currency") or ""),
        adopted=intent.last_sent_ms is None,
        quiet_until_ms=RunContext.quiet_until_ms(
            intent, intent.attempt, intent.last_sent_ms or 0, intent.sent_op or ""
        ),
    )


def _park_found(context: RunContext, intent: Intent, found: Sequence[Seen]) -> None:
    names = ", ".join(_describe(intent.kind, row) for row in found)
    what = "is in Xero, but not as the source says" if len(found) == 1 else f"is in Xero {len(found)} times"
    context.ledger.park(
        [intent.id],
        f"{handle_of(intent)} {what}: {names}. Nothing more is sent for it, so that nothing is doubled. Put it right in "
        "Xero, then run `target-xero retry`; or say which one it is, as it stands: `target-xero retry --key "
        f"{intent.source_key} --found ID`.",
    )


def _look_alike(
    intent: Intent, alike: Mapping[str, list[Seen]], linked: Linked, markers: set[str]
) -> Seen | None:
    """What has the same content, and no marker that another document of ours is looked for by."""
    rows = alike.get(owner_of(intent, linked), [])
    return next((row for row in rows if row.handle not in markers and is_same(intent, row, linked)), None)


def _unmarked(
    intent: Intent, alike: Mapping[str, list[Seen]], linked: Linked, taken: set[str]
) -> Seen | None:
    """What is alive in Xero with the same content (or reference) and no mark of ours: written by a ledger that was lost, or by people.

    What carries a mark like ours belongs to another document, which will be linked to it when it comes.
    """
    if not intent.amount_minor or intent.cleared:
        return None
    free = [
        row
        for row in alike.get(owner_of(intent, linked), [])
        if not ({row.remote_id, row.handle} & taken or is_mark_like(row.handle, intent.marker))
        and row.facts["status"] not in DEAD
    ]
    same = (row for row in free if is_same(intent, row, linked))
    return next(same, None) or next((row for row in free if _same_reference(intent, row)), None)


def _same_reference(intent: Intent, row: Seen) -> bool:
    """Whether what Xero has bears the source's own reference (an order number, say), in the same currency, and the day or the amount.

    The reference alone would not do: a deal that is billed in parts has one on each of them.
    """
    facts, document = row.facts, intent.document
    mine, theirs = (
        " ".join(str(text or "").casefold().split()) for text in (document.get("Reference"), row.handle)
    )
    amount = facts["total" if document.get("LineAmountTypes", "").casefold() == "inclusive" else "subtotal"]
    return bool(
        mine
        and mine == theirs
        and facts["currency"] in (intent.currency, "")
        and (facts["date"] == document.get("Date") or amount == intent.amount_minor)
    )


def is_mark_like(handle: str, marker: str) -> bool:
    """Whether a reference is built as our marks are: `SF-` and an id of that length."""
    return bool(handle) and _shape(handle) == _shape(marker)


def _shape(text: str) -> str:
    head, separator, rest = text.partition("-") if "-" in text else text.partition(":")
    masked = "".join("x" if letter.isalnum() else letter for letter in (rest if separator else text))
    return f"{head}{separator}{masked}" if separator else masked


def _unmarked_sentence(intent: Intent, row: Seen, *, linked: Linked) -> str:
    if is_same(intent, row, linked):
        alike = "customer, day and amount"
    else:
        alike = f"customer, reference {row.handle!r} and {'day' if row.facts['date'] == intent.document.get('Date') else 'amount'}"
    return (
        f"Its marker {intent.marker} is not in Xero, but {_describe(intent.kind, row)} has the same {alike} and "
        "belongs to no other document. Nothing more is sent for it, so that nothing is doubled. If it is this one, put the marker back into its "
        "reference, then run `target-xero retry --all`, or say so with `target-xero retry --key "
        f"{intent.source_key} --found {row.remote_id}`; if it is another one, run `target-xero retry --key {intent.source_key}`."
    )


def _ended_sentence(intent: Intent, row: Seen) -> str:
    return (
        f"{_describe(intent.kind, row)} has its marker {intent.marker}, and this ledger does not know it (it is new, or an older "
        "copy): perhaps people ended it on purpose. Nothing is written for it, so that nothing is billed or paid again. If it "
        f"is to be made anew, run `target-xero retry --key {intent.source_key}`; if not, end it in the source."
    )


def _namesake(intent: Intent, namesakes: Mapping[str, list[Seen]]) -> Seen | None:
    found = namesakes.get(fold(intent.document["Name"]), [])
    return next((row for row in found if row.facts["status"] not in DEAD), None)


def _refuse_archived(context: RunContext, intent: Intent, row: Seen) -> None:
    context.refuse(
        intent,
        "contact_archived",
        f"{_describe('contacts', row)} is its contact and is archived; the API cannot bring it back. Restore it in Xero, then "
        "run `target-xero retry`.",
        field="ContactNumber",
        value=row.handle,
    )


def _refuse_name(context: RunContext, intent: Intent, row: Seen) -> None:
    owner = context.ledger.owners("contacts", [row.remote_id]).get(row.remote_id)
    number = f" (it has {row.handle})" if row.handle else ""
    if owner is not None:
        cure = f"{owner} of the source has it. Rename one of the two in the source, or merge them there if they are the same customer."
    else:
        cure = (
            f"If they are the same customer, give that contact the number {contact_number(intent)} in Xero{number}; if not, rename "
            "one of them. Then run `target-xero retry`."
        )
    context.refuse(
        intent,
        "name_taken",
        f"{intent.label} and {_describe('contacts', row)} have the same name, and Xero keeps names unique. {cure}",
        field="Name",
        value=str(intent.document["Name"]),
    )


def _describe(kind: str, row: Seen) -> str:
    name = row.facts.get("name") or row.facts.get("number") or row.handle
    number = row.facts.get("number")
    more = f", number {number}" if number and number != name else ""
    status = f", {row.facts['status']}" if row.facts.get("status") else ""
    return f'Xero\'s {KINDS[kind].one} "{name}" ({row.remote_id}{more}{status})'
