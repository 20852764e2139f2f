"""From what a rehearsal noted, and what the ledger says at its end, to a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from target_xero.execute.drift import element_hash, nothing_for
from target_xero.ledger import State
from target_xero.plan.kinds import KINDS
from target_xero.plan.wire import minor, text_of
from target_xero.preview.books import SALES, Element
from target_xero.preview.changes import changes_of, day_of, fields_of, lines_of
from target_xero.preview.client import RehearsalClient, Write
from target_xero.preview.document import PlannedDocument

_OPEN_ACTION = {State.REJECTED.value: "refuse", State.PARKED.value: "park"}
_OWNERS = (("invoices", "Invoice"), ("credit_notes", "CreditNote"))


def parties(client: RehearsalClient) -> set[str]:
    """Xero's ids of the contacts and documents that the writes are for."""
    paths = [("Contact", "ContactID"), *((owner, f"{owner}ID") for _, owner in _OWNERS)]
    found = {text_of(write.after, *path) for write in client.writes for path in paths}
    return found - {""}


Names = tuple[Mapping[str, str], Mapping[str, tuple[str, str]]]
"""What people call contacts and documents by Xero's id, and contacts as they were last agreed with Xero by source key."""


def documents_of(
    rows: Sequence[Mapping[str, Any]],
    client: RehearsalClient,
    linked: Mapping[str, str],
    agreed: Mapping[str, tuple[str, str]],
) -> list[PlannedDocument]:
    """Every document of the plan: writes in the order in which they would go, then what is not written.

    Args:
        rows: the ledger's intents, see `ApprovalLedger.of_plan`.
        client: what was noted; its last write of an intent counts.
        linked: what people call `parties` that are in Xero already, by id.
        agreed: what the rows' contacts were called and their ids when they were last agreed with Xero, by source key.
    """
    writes = {write.intent: write for write in client.writes if not write.refused}
    order = {id_: n for n, id_ in enumerate(writes)}
    currencies = {(row["kind"], row["source_key"]): row["currency"] for row in rows}
    names = {**linked, **_names(rows, writes)}
    found = [
        _document(_with_currency(row, currencies), writes.get(row["id"]), (names, agreed), client)
        for row in rows
    ]
    last = len(order)
    return sorted(found, key=lambda document: order.get(document.intent, last + document.intent))


def _with_currency(row: Mapping[str, Any], currencies: Mapping[tuple[str, str], str]) -> Mapping[str, Any]:
    """A payment has its invoice's currency; one of an invoice that is no part of the plan shows none."""
    if row["currency"] or row["kind"] != "payments":
        return row
    owner = str(json.loads(row["document"]).get("invoice_key") or "")
    return {**row, "currency": currencies.get(("invoices", owner), "")}


def _names(rows: Sequence[Mapping[str, Any]], writes: Mapping[int, Write]) -> dict[str, str]:
    """What documents of the plan are called, by the id they would have."""
    names: dict[str, str] = {}
    for row in rows:
        write = writes.get(row["id"])
        if write is not None:
            name = text_of(write.after, "Name") or text_of(write.after, KINDS[write.kind].number_field)
            names[text_of(write.after, KINDS[write.kind].id_field)] = (
                name or row["label"] or row["source_key"]
            )
    return names


def _document(
    row: Mapping[str, Any], write: Write | None, names: Names, client: RehearsalClient
) -> PlannedDocument:
    content = json.loads(row["document"])
    refusals = json.loads(row["refusals"])
    common: dict[str, Any] = {
        "kind": row["kind"],
        "source_key": row["source_key"],
        "label": row["label"] or row["source_key"],
        "url": row["url"],
        "intent": row["id"],
        "revision": row["revision"],
        "proposed_by": row["proposed_by"] or "",
        "content_hash": row["content_hash"],
    }
    if row["state"] == State.DONE.value and write is not None:
        return _written(common, row, write, names, _before(write, client))
    inclusive = content.get("LineAmountTypes") == "Inclusive"
    with_tax = inclusive or row["kind"] in ("payments", "allocations")
    told = {
        "reason": row["note"],
        "rules": tuple(str(refusal.get("rule") or "") for refusal in refusals),
        "currency": row["currency"],
        "before_tax_minor": None if inclusive else row["amount_minor"],
        "total_minor": row["amount_minor"] if with_tax else None,
        "proposal": next((r["proposal"] for r in refusals if r.get("proposal")), None),
        "date": str(content.get("Date") or ""),
        "remote_id": row["remote_id"] or "",
    }
    if row["op"] == "undo" and row["state"] in (State.DONE.value, State.SUPERSEDED.value):
        action = "left"
        told["reason"] = row["note"] or "It is in Xero no more."
    elif row["state"] == State.DONE.value:
        action = "link"
        read = client.before(row["kind"], row["remote_id"] or "")
        told["before_hash"] = element_hash(read) if read is not None else row["remote_id"] or ""
        told["reason"] = "Xero has it already as the source says; nothing is written."
    else:
        action = _OPEN_ACTION.get(row["state"], "wait")
        told["reason"] = row["note"] or "It waits for something that comes first."
    return PlannedDocument(action=action, **common, **told)


def _before(write: Write, client: RehearsalClient) -> str:
    """What an approval is bound to: what Xero has of it, or of a new document the customer, if that is in Xero already."""
    contact_id = text_of(write.after, "Contact", "ContactID") if write.kind in SALES else ""
    if write.op == "create" and contact_id and not client.is_made_up("contacts", contact_id):
        return nothing_for(contact_id)
    return element_hash(write.before)


def _written(
    common: dict[str, Any], row: Mapping[str, Any], write: Write, names: Names, before_hash: str
) -> PlannedDocument:
    element, kind = write.after, KINDS[write.kind]
    contact_key = str(json.loads(row["document"]).get("contact_key") or "")
    new = write.op == "create"
    before_tax, tax, total = _amounts(write.kind, element)
    return PlannedDocument(
        action=write.op,
        **common,
        number=text_of(element, "Name" if write.kind == "contacts" else kind.number_field),
        remote_id="" if new else text_of(element, kind.id_field),
        party=_party(write.kind, element, names, contact_key),
        date=day_of(element, "Date"),
        due=day_of(element, "DueDate") or day_of(element, "ExpiryDate"),
        status=text_of(element, "ContactStatus" if write.kind == "contacts" else "Status"),
        currency=text_of(element, "CurrencyCode") or row["currency"] or "",
        source_minor=row["amount_minor"],
        before_tax_minor=before_tax,
        tax_minor=tax,
        total_minor=total,
        was_total_minor=minor((write.before or {}).get("Total")),
        fields=fields_of(write.kind, element, kind.id_field) if new else (),
        lines=lines_of(element) if write.op in ("create", "update") else (),
        changes=changes_of(write.before or {}, write.sent) if write.op == "update" else (),
        before_hash=before_hash,
    )


def _amounts(kind: str, element: Element) -> tuple[int | None, int | None, int | None]:
    """Before tax, tax, with tax; a payment's amount counts as all there is."""
    if kind in ("payments", "allocations"):
        amount = minor(element.get("Amount"))
        return amount, 0, amount
    if kind not in SALES:
        return None, None, None
    before, tax, total = (minor(element.get(name)) for name in ("SubTotal", "TotalTax", "Total"))
    return before, tax, total


def contact_keys(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The source keys of the contacts that the rows' documents are for."""
    return {key for row in rows if (key := json.loads(row["document"]).get("contact_key"))}


def _party(kind: str, element: Element, known: Names, contact_key: str) -> str:
    """Whom it is for; of a contact that was merged away the one in its place, with the name it had."""
    names, agreed = known
    if kind in SALES:
        contact = element.get("Contact")
        told = dict(contact) if isinstance(contact, Mapping) else {}
        remote_id = text_of(told, "ContactID")
        name = text_of(told, "Name") or names.get(remote_id, remote_id)
        was, was_id = agreed.get(contact_key, ("", ""))
        return f"{name} (took the place of {was})" if was_id and was_id != remote_id else name
    for of, owner in _OWNERS:
        remote_id = text_of(element, owner, f"{owner}ID")
        if remote_id:
            number = text_of(element, owner, KINDS[of].number_field)
            return number or names.get(remote_id, remote_id)
    return ""
