"""A person's word that a parked document is in Xero, and as what. It is read there before it is believed; nothing is written to Xero.

The document is settled as what was found: no more is sent for it. Where Xero has another day or amount, that is told and stays in
the ledger, where `reconcile` and the report see it; a later change at the source is weighed against what people made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from target_xero.errors import ConfigurationError, XeroUnreachableError
from target_xero.exchange import Call, Purpose
from target_xero.execute.bodies import Linked, line_ids
from target_xero.execute.decisions import effect_of, owner_of
from target_xero.execute.listings import seen
from target_xero.execute.outcome import elements_of
from target_xero.ledger import Intent, Ledger, Link
from target_xero.ledger.base import storable
from target_xero.ledger.directory import Seen
from target_xero.plan.kinds import KINDS
from target_xero.plan.marks import MARKED
from target_xero.plan.rules import TYPES
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import show_minor
from target_xero.xero.client import XeroClient

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Word:
    """Who says so, and why."""

    by: str
    comment: str = ""


def settle_found(
    ledger: Ledger, client: XeroClient, document: tuple[str, str], remote_id: str, word: Word
) -> str:
    """Settles a parked document (kind, source key) as what Xero has under that id; what came of it, in a sentence.

    Raises:
        ConfigurationError: it is not parked, or what Xero has there cannot be it. Nothing was changed.
        XeroUnreachableError: Xero could not be asked. Nothing was changed.
    """
    intent = ledger.parked(*document)
    if intent is None or intent.op != "save" or intent.kind == "allocations":
        raise ConfigurationError(
            f"{' '.join(document)} is no parked document that could be in Xero; nothing was changed. `target-xero rejects` shows "
            "what is parked"
        )
    element = _read(client, intent.kind, remote_id.strip().lower())
    row = seen(intent.kind, element)
    if row is None:
        raise XeroUnreachableError("Xero's answer could not be read. Nothing was changed: run again")
    linked = {(kind, key): link for kind, key in intent.needs for link in ledger.links(kind, [key]).values()}
    owner = ledger.owners(intent.kind, [row.remote_id]).get(row.remote_id)
    own = ledger.links(intent.kind, [intent.source_key]).get(intent.source_key)
    for objection in _objections(intent, element, row, linked, owner, own):
        raise ConfigurationError(f"{_name(intent, row)} {objection}; nothing was changed")
    told = storable(_told(intent, row, word))
    effect = replace(effect_of(intent, row), lines=line_ids(intent.document, element), note=told)
    ledger.found(effect, storable(word.by))
    return told


def _read(client: XeroClient, kind: str, remote_id: str) -> Mapping[str, Any]:
    one = KINDS[kind]
    if not _GUID.fullmatch(remote_id):
        raise ConfigurationError(
            f"{remote_id!r} is no id of Xero's: give the {one.id_field}, as the parked document's reason and the address of its page "
            "in Xero have it; nothing was changed"
        )
    if not client.pacer.take(1):
        raise XeroUnreachableError("No more calls can be made now. Nothing was changed: run again later")
    answer = client.send(Call(Purpose.LOOK_UP, "GET", f"{one.endpoint}/{remote_id}"))
    if answer.status == 404:
        raise ConfigurationError(f"Xero has no {one.one} {remote_id}; nothing was changed")
    elements = elements_of(answer, one.container) if answer.status == 200 else None
    if not elements:
        said = f"HTTP {answer.status}" if answer.status else answer.failure_detail
        raise XeroUnreachableError(
            f"Xero did not show the {one.one} ({said}). Nothing was changed: run again"
        )
    return elements[0]


def _objections(
    intent: Intent,
    element: Mapping[str, Any],
    row: Seen,
    linked: Linked,
    owner: str | None,
    own: Link | None,
) -> Iterator[str]:
    """Why what was found cannot be the document, however sure somebody is."""
    if row.facts["status"] in DEAD:
        yield (
            f"is {row.facts['status']}, so it is not in the books. To have it made anew: `target-xero retry --key {intent.source_key}`; "
            "to leave it: `target-xero rejects --dismiss NUMBER`"
        )
    if owner is not None and owner != intent.source_key:
        yield f"belongs to {owner} of the source already"
    if own is not None and own.remote_id != row.remote_id:
        yield f"is another one than {own.number or own.remote_id}, which this document is in Xero"
    if intent.kind in TYPES and element.get("Type") not in TYPES[intent.kind]:
        yield f"is of the type {element.get('Type')}, not {TYPES[intent.kind][0]}"
    if intent.kind in MARKED:
        whose = row.facts["paid" if intent.kind == "payments" else "contact"]
        mine = owner_of(intent, linked)
        if mine and whose != mine:
            what = "pays another document" if intent.kind == "payments" else "is for another customer"
            yield f"{what} ({whose}, not {mine})"
        if row.facts["currency"] not in (intent.currency, "") and intent.currency:
            yield f"is in {row.facts['currency']}, not {intent.currency}"


def _name(intent: Intent, row: Seen) -> str:
    name = row.facts.get("name") or row.facts.get("number") or row.handle
    return f'Xero\'s {KINDS[intent.kind].one} "{name}" ({row.remote_id})'


def _told(intent: Intent, row: Seen, word: Word) -> str:
    parts = [f"{word.by} found it in Xero: it is {_name(intent, row)}.", word.comment]
    if intent.kind in MARKED:
        inclusive = intent.document.get("LineAmountTypes", "").casefold() == "inclusive"
        has = row.facts["total" if inclusive or intent.kind == "payments" else "subtotal"]
        pairs = (
            (row.facts["date"], intent.document.get("Date")),
            (show_minor(has or 0), show_minor(intent.amount_minor or 0)),
        )
        parts += [
            f"Xero has {theirs}, the source says {ours}." for theirs, ours in pairs if ours and theirs != ours
        ]
    return " ".join(part for part in parts if part)
