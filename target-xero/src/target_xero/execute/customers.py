"""The contacts that documents are for: still in use? Merged into another one? Looked at before the document goes, not after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from target_xero.execute.bodies import Linked
from target_xero.execute.context import RunContext
from target_xero.execute.steps import WAIT, Step, hold_blind, listing, reading
from target_xero.ledger import Intent, Link
from target_xero.limits import MERGES_FOLLOWED_MAX
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import text_of

_OF_CONTACTS = frozenset({"quotes", "invoices", "credit_notes"})


def in_use(context: RunContext, kind: str, intents: Sequence[Intent], linked: Linked) -> Step:
    """Learns which of the documents' contacts are archived or merged; one list a run, and none for contacts made in it.

    Afterwards `RunContext.linked` gives the surviving contact, and documents that have none are refused.
    """
    if kind not in _OF_CONTACTS:
        return None
    owners = {link.source_key: link for (need, _), link in linked.items() if need == "contacts"}
    told = context.sight("contacts").asked_ms is not None
    if not told and any(link.status_epoch < context.ledger.epoch for link in owners.values()):
        if context.sight("contacts").blind:
            hold_blind(context, "contacts", intents)
            return WAIT
        return listing(context, "contacts")
    gone = [link for link in owners.values() if link.status in DEAD]
    step = _survivors(context, [link.remote_id for link in gone], intents)
    if step is not None:
        return step
    for link in gone:
        _move(context, link)
    lost = {link.source_key: link for link in gone if not context.survivors.get(link.remote_id)}
    for intent in intents:
        mine = next((lost[key] for need, key in intent.needs if need == "contacts" and key in lost), None)
        if mine is not None:
            refuse(context, intent, mine)
    return None


def merged(context: RunContext, intents: Sequence[Intent], ids: Mapping[int, str]) -> Step:
    """For changed contacts that were just read: learns where those went that are in use no more."""
    elements = context.sight("contacts").elements
    gone = [
        i for i in intents if text_of(elements.get(ids[i.id], (0, None))[1] or {}, "ContactStatus") in DEAD
    ]
    return _survivors(context, [ids[i.id] for i in gone], gone)


def _survivors(context: RunContext, contact_ids: Sequence[str], waiting: Sequence[Intent]) -> Step:
    """Follows contacts that are in use no more to those they were merged into, and keeps what it finds in the context."""
    sight = context.sight("contacts")
    if contact_ids and sight.blind:
        hold_blind(context, "contacts", waiting)
        return WAIT
    for contact_id in contact_ids:
        at, found = contact_id, ""
        for _ in range(MERGES_FOLLOWED_MAX):
            step = reading(context, "contacts", [at])
            if step is not None:
                return step
            current = sight.elements[at][1] or {}
            if text_of(current, "ContactStatus") == "ACTIVE":
                found = at
                break
            at = text_of(current, "MergedToContactID")
            if not at:
                break
        context.survivors[contact_id] = found
    return None


def _move(context: RunContext, link: Link) -> None:
    """Moves the link to the surviving contact, unless that one is already another document's: then only documents go there."""
    survivor = context.survivors.get(link.remote_id, "")
    if survivor in ("", link.remote_id):
        return
    name = text_of(context.sight("contacts").elements[survivor][1] or {}, "Name")
    owner = context.ledger.owners("contacts", [survivor]).get(survivor)
    context.notice(
        f"The contact {link.number or link.source_key} was merged into {name!r} in Xero"
        + (f", which is that of {owner}" if owner else "")
        + ": its documents go there."
    )
    if owner is None:
        context.ledger.follow(link.source_key, survivor, "ACTIVE")


def follow(context: RunContext, link: Link) -> tuple[str, str | None]:
    """Where a contact's own update goes: the surviving contact's id, and whose that is if it is another document's."""
    _move(context, link)
    survivor = context.survivors.get(link.remote_id, "")
    owner = context.ledger.owners("contacts", [survivor]).get(survivor) if survivor else None
    return survivor, owner if owner != link.source_key else None


def refuse(context: RunContext, intent: Intent, link: Link) -> None:
    """The contact cannot be used, and nobody has taken its place."""
    context.refuse(
        intent,
        "contact_archived",
        f"Its contact {link.number or link.source_key} ({link.remote_id}) is archived or gone in Xero, and the API cannot bring it "
        "back. Restore it in Xero, or merge it into the contact that took its place, then run `target-xero retry`.",
        field="contact_key" if intent.kind != "contacts" else "ContactNumber",
        value=link.source_key,
    )
