"""Taking back what a run made, as far as Xero lets one: drafts are deleted, approved documents voided, contacts archived.

    what                       now in Xero                     becomes
    -------------------------  ------------------------------  ------------------------------------------------
    invoice, credit note       DRAFT, SUBMITTED                DELETED
                               AUTHORISED, nothing paid        VOIDED
                               paid, credited, allocated       left alone; what to credit is told
    quote                      DRAFT, SENT                     DELETED
                               ACCEPTED, INVOICED, DECLINED    left alone
    payment                    not reconciled                  DELETED
    allocation                 as we made it                   deleted; note and invoice are open again
    contact, item              nothing uses it                 archived, deleted
    anything                   edited by people since, or in   left alone
                               a closed period

Everything is read right before; a lost answer is read again, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from target_xero import limits
from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute import credit_by_hand, steps
from target_xero.execute.agreed import agreed_body
from target_xero.execute.context import RunContext
from target_xero.execute.lookups import usable
from target_xero.execute.outcome import elements_of
from target_xero.execute.threeway import merge
from target_xero.execute.updates import waits_for_quiet
from target_xero.execute.writes import ALONE, Parcel
from target_xero.ledger import Intent, Link
from target_xero.ledger.execution import Effect
from target_xero.plan.kinds import KINDS
from target_xero.plan.locks import check_standing
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import minor, parse_date, show_minor, text_of

_QUOTES_OPEN = frozenset({"DRAFT", "SENT"})
_SHOWN = 5


def one_by_one(parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    """The first parcel only, where it must travel alone."""
    alone = parcels and any(p.intent.op == "undo" for p in parcels) and parcels[0].intent.kind in ALONE
    return parcels[:1] if alone else parcels


class UsesFlight:
    """Which of these contacts have invoices or bills that are alive, whoever made them?"""

    def __init__(self, context: RunContext, contact_ids: Sequence[str]) -> None:
        self._context = context
        self._ids = list(contact_ids)
        statuses = "DRAFT,SUBMITTED,AUTHORISED,PAID"
        params = {"ContactIDs": ",".join(self._ids), "Statuses": statuses, "summaryOnly": "true", "page": "1"}
        params["pageSize"] = str(limits.PAGE_SIZE)
        self.call = Call(Purpose.LOOK_UP, "GET", "/Invoices", params=params)
        context.loading.add("uses")

    def settle(self, answer: Answer) -> None:
        """Keeps what was found for the contacts that wait for it."""
        context = self._context
        context.loading.discard("uses")
        elements = elements_of(answer, "Invoices") if usable(context, answer) else None
        found = {
            text_of(element, "Contact", "ContactID"): text_of(element, "InvoiceNumber")
            or text_of(element, "InvoiceID")
            for element in elements or ()
            if text_of(element, "Status")
            not in DEAD  # a rehearsal shows what it would have taken back itself
        }
        mine = [remote_id for remote_id in self._ids if remote_id in found]
        if elements is not None and len(elements) < limits.PAGE_SIZE:
            mine = self._ids
        if not mine:
            context.sight("contacts").failures += 1
        for remote_id in mine:  # of a full page, those that are on it: the others are asked about anew
            context.uses[remote_id] = found.get(remote_id, "")


def uses(context: RunContext, kind: str, intents: Sequence[Intent], ids: Mapping[int, str]) -> steps.Step:
    """Reads who uses the contacts that are to be archived."""
    if kind != "contacts":
        return None
    waiting = [i for i in intents if i.op == "undo" and ids[i.id] not in context.uses]
    if not waiting:
        return None
    for other in ("contacts", "quotes", "credit_notes"):
        if context.sight(other).blind:
            steps.hold_blind(context, other, waiting)
            return steps.WAIT
    for other in ("quotes", "credit_notes"):
        step = steps.listing(context, other)
        if step is not None:
            return step
    if "uses" in context.loading:
        return steps.WAIT
    return UsesFlight(context, [ids[i.id] for i in waiting][: limits.IDS_PER_CALL_MAX])


def allocation_of(note: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """An allocation as its credit note shows it, with the note it is of."""
    return {**entry, "CreditNote": {"CreditNoteID": text_of(dict(note), "CreditNoteID")}}


def allocations(
    context: RunContext, kind: str, intents: Sequence[Intent], links: Mapping[str, Link]
) -> steps.Step:
    """Reads the credit notes whose allocations are to be taken back: Xero shows allocations nowhere else."""
    mine = [i for i in intents if i.op == "undo"] if kind == "allocations" else []
    if not mine:
        return None
    agreed = context.ledger.agreed(kind, [i.source_key for i in mine])
    of = {i.source_key: str(agreed[i.source_key]["credit_note_key"]) for i in mine}
    notes = context.ledger.links("credit_notes", list(dict.fromkeys(of.values())))
    if context.sight("credit_notes").blind:
        steps.hold_blind(context, kind, mine)
        return steps.WAIT
    step = steps.reading(context, "credit_notes", [link.remote_id for link in notes.values()])
    if step is not None:
        return step
    for key, note_key in of.items():
        remote_id = links[key].remote_id
        note_id = notes[note_key].remote_id if note_key in notes else ""
        asked_ms, note = context.sight("credit_notes").elements.get(note_id, (context.now_ms(), None))
        context.sight(kind).elements[remote_id] = (asked_ms, _allocation_in(note, remote_id))
    return None


def _allocation_in(note: Mapping[str, Any] | None, remote_id: str) -> dict[str, Any] | None:
    """The allocation with this id; one that Xero gave none is told by its note and invoice."""
    for entry in (note or {}).get("Allocations") or ():
        known = (
            text_of(entry, "AllocationID")
            or f"{text_of(dict(note or {}), 'CreditNoteID')}/{text_of(entry, 'Invoice', 'InvoiceID')}"
        )
        if known == remote_id:
            return allocation_of(note or {}, entry)
    return None


def opens_again(context: RunContext, parcel: Parcel) -> None:
    """What an allocation was of is another document without it: it is read again before anything is done with it."""
    if parcel.intent.kind == "allocations":
        for kind, owner in (("credit_notes", "CreditNote"), ("invoices", "Invoice")):
            context.sight(kind).elements.pop(text_of(parcel.body, owner, f"{owner}ID"), None)


def parcel_of_undo(
    context: RunContext, intent: Intent, link: Link, agreed: Mapping[str, Any]
) -> Parcel | None:
    """What takes the document back; None when it was settled otherwise."""
    asked_ms, current = context.sight(intent.kind).elements[link.remote_id]
    status = text_of(current or {}, "ContactStatus" if intent.kind == "contacts" else "Status")
    if current is None or status in DEAD:
        gone = Effect(intent, link.remote_id, link.number, status or "DELETED")
        context.ledger.done([gone])
        return None
    if intent.attempt and asked_ms < (intent.last_sent_ms or 0) + limits.STALE_READ_S * 1_000:
        note = "It was taken back a moment ago, and what Xero shows may be older; the next run looks again."
        context.ledger.hold([intent.id], note)
        return None
    if waits_for_quiet(context, intent, link):
        return None
    why = _why_not(context, intent, link, current, status, agreed)
    if why:
        context.ledger.leave([intent.id], why)
        return None
    return Parcel(intent, "delete", _body(intent, link, current, status), link)


def _body(intent: Intent, link: Link, current: Mapping[str, Any], status: str) -> dict[str, Any]:
    id_field = KINDS[intent.kind].id_field
    if intent.kind == "allocations":
        return dict(current)
    if intent.kind == "contacts":
        return {id_field: link.remote_id, "ContactStatus": "ARCHIVED"}
    return {id_field: link.remote_id, "Status": "VOIDED" if status == "AUTHORISED" and intent.kind != "payments" else "DELETED"}  # fmt: skip


def _why_not(
    context: RunContext,
    intent: Intent,
    link: Link,
    current: dict[str, Any],
    status: str,
    agreed: Mapping[str, Any],
) -> str:
    """Why it is left alone; empty: it is not."""
    name = _name(intent, link, current)
    if intent.kind in ("contacts", "items"):
        user = _user(context, intent, link)
        if user:
            return f"{name} is used by {user} and stays."
    else:
        locked = check_standing(name, parse_date(current.get("Date")), context.organisation)
        if locked:
            return locked.sentence()
    if intent.kind in ("payments", "allocations"):
        return _moved(intent.kind, name, current)
    settled = _settled(intent.kind, name, current, status)
    if settled:
        return settled
    edited = _edited(context, intent, link, current, agreed)
    if edited:
        shown = "; ".join(edited[:_SHOWN])
        return f"{name} was changed by people since ({shown}) and stays. Take it back in Xero by hand, or keep it."
    return ""


def _moved(kind: str, name: str, current: dict[str, Any]) -> str:
    if kind == "payments":
        reconciled = current.get("IsReconciled") is True
        return f"{name} is reconciled with the bank and stays; undo that in Xero first." if reconciled else ""
    unnamed = not text_of(current, "AllocationID")
    return f"{name} has no id in Xero and stays. Remove it there, on the credit note." if unnamed else ""


def _name(intent: Intent, link: Link, current: dict[str, Any]) -> str:
    one = KINDS[intent.kind].one.capitalize()
    if intent.kind != "allocations":
        return f"{one} {link.number or link.remote_id}"
    against = text_of(current, "Invoice", "InvoiceNumber") or text_of(current, "Invoice", "InvoiceID")
    return f"{one} of {show_minor(minor(current.get('Amount')) or 0)} against invoice {against}"


def _settled(kind: str, name: str, current: Mapping[str, Any], status: str) -> str:
    if kind == "quotes" and status not in _QUOTES_OPEN:
        return f"{name} is {status} and stays."
    if kind not in ("invoices", "credit_notes"):
        return ""
    paid = (minor(current.get("AmountPaid")) or 0) + (minor(current.get("AmountCredited")) or 0)
    if kind == "credit_notes" and current.get("Allocations"):
        return f"{name} is allocated to an invoice and stays. Remove the allocation in Xero, then undo again."
    if kind == "invoices" and (others := credit_by_hand.told(name, status, current)):
        return others
    if kind == "invoices" and (status == "PAID" or paid):
        total, currency = minor(current.get("Total")) or 0, text_of(dict(current), "CurrencyCode")
        return (
            f"{name} is {status}, {currency} {show_minor(paid)} of {show_minor(total)} is settled, and stays. Proposal: a credit "
            f"note over {currency} {show_minor(total)} for the same contact, with the same lines, dated in an open period; then "
            "refund or keep the credit. It is not written by itself."
        )
    return "" if status in ("DRAFT", "SUBMITTED", "AUTHORISED") else f"{name} is {status} and stays."


def _user(context: RunContext, intent: Intent, link: Link) -> str:
    ours = context.ledger.users_of(intent.kind, intent.source_key)
    if ours or intent.kind == "items":
        return ", ".join(ours)
    theirs = context.uses.get(link.remote_id, "")
    for kind in ("quotes", "credit_notes"):
        rows = context.ledger.namesakes(kind, [link.remote_id]).get(link.remote_id, [])
        alive = [row for row in rows if row.facts.get("status") not in DEAD]
        theirs = theirs or (str(alive[0].facts.get("number") or alive[0].remote_id) if alive else "")
    return theirs


def _edited(
    context: RunContext,
    intent: Intent,
    link: Link,
    current: dict[str, Any],
    agreed: Mapping[str, Any],
) -> list[str]:
    """Fields that people changed since we wrote them."""
    base = agreed_body(context, intent, link, agreed, current)
    return merge(base, current, base, intent.kind).kept
