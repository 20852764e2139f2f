"""The writes: up to 50 documents of one kind and one verb in a call, and what Xero made of each of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_xero import limits
from target_xero.crash import fault_point
from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute.bodies import line_ids
from target_xero.execute.context import RunContext
from target_xero.execute.notes import put_down
from target_xero.execute.outcome import Next, Verdict, amount_minor, elements_of, of_call, of_element
from target_xero.ledger import Intent, Link
from target_xero.ledger.execution import Effect
from target_xero.plan import tax
from target_xero.plan.kinds import KINDS
from target_xero.plan.wire import minor, money, show_minor, text_of
from target_xero.refusal import Refusal

_PARAMS = {"summarizeErrors": "false", "unitdp": str(limits.UNIT_DECIMALS)}
_KEYS = {"contacts": "ContactNumber", "items": "Code"}
"""By which field an element of an answer is known again; all others by their reference."""


@dataclass(frozen=True)
class Parcel:
    """One document on its way: its revision, what is done with it, and the element that says so."""

    intent: Intent
    op: str
    """`create`, `update` or `delete`."""
    body: dict[str, Any]
    link: Link | None
    kept: bool = False
    """People's lines stay in it, so that the source's sum is not Xero's."""
    note: str = ""
    """What people should know of it once it is done."""
    paid_currency: str = ""
    """Of a payment: the currency of what it pays."""

    @property
    def currency(self) -> str:
        """In which its amount is."""
        return self.intent.currency or self.paid_currency


def fit(parcels: Sequence[Parcel], most: int) -> list[Parcel]:
    """The first of the parcels that fit into one call: one verb, `most` documents, 3 MB, and no more company than each bears."""
    taken: list[Parcel] = []
    size = 0
    for parcel in parcels:
        if taken and (parcel.op == "create") != (taken[0].op == "create"):
            continue
        most = min(most, parcel.intent.batch_max)
        size += len(json.dumps(parcel.body, default=str, ensure_ascii=False).encode()) + 2
        if taken and (len(taken) >= most or size > limits.BATCH_BYTES_MAX):
            break
        taken.append(parcel)
        if len(taken) >= most:
            break
    return taken


ALONE = frozenset({"items", "allocations", "payments"})
"""Xero takes these back one a call."""


def _address_of_one(parcel: Parcel) -> tuple[str, str] | None:
    """Verb and path where they are others than of a list of updates."""
    if parcel.intent.op != "undo" or parcel.intent.kind not in ALONE or parcel.link is None:
        return None
    if parcel.intent.kind == "allocations":
        note_id = text_of(parcel.body, "CreditNote", "CreditNoteID")
        return "DELETE", f"/CreditNotes/{note_id}/Allocations/{parcel.link.remote_id}"
    path = f"{KINDS[parcel.intent.kind].endpoint}/{parcel.link.remote_id}"
    return ("DELETE", path) if parcel.intent.kind == "items" else ("POST", path)


class WriteFlight:
    """One write. Making it commits `sent`; after that the bytes may leave."""

    def __init__(self, context: RunContext, kind: str, parcels: Sequence[Parcel]) -> None:
        self._context = context
        self._kind = KINDS[kind]
        self._parcels = list(parcels)
        fault_point("C2")
        self._sent_ms = context.now_ms()
        attempts = context.ledger.mark_sent({p.intent.id: p.op for p in parcels}, self._sent_ms)
        self._attempts = attempts
        fault_point("C3")
        context.sight(kind).writing += 1
        create = parcels[0].op == "create"
        path, params = self._kind.endpoint, _PARAMS
        container = "Allocations" if kind == "allocations" else self._kind.container
        if kind == "allocations" and create:
            note = next(key for need, key in parcels[0].intent.needs if need == "credit_notes")
            note_id = context.ledger.links("credit_notes", [note])[note].remote_id
            path = f"/CreditNotes/{note_id}/Allocations"
            params = {"summarizeErrors": "false"}
        method = "PUT" if create else "POST"
        method, path = _address_of_one(parcels[0]) or (method, path)
        self._container = container
        self.call = Call(
            Purpose.WRITE,
            method,
            path,
            params=params,
            body=None if method == "DELETE" else {container: [p.body for p in parcels]},
            idempotency_key=self._key(attempts),
            intents=tuple(p.intent.id for p in parcels),
            sent_ms=self._sent_ms,
        )

    def _key(self, attempts: Mapping[int, int]) -> str:
        """A new key for every attempt; a seat-belt, nothing is built on it."""
        text = self._context.ledger.identity + repr(sorted(attempts.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def settle(self, answer: Answer) -> None:
        """Settles every document of the call by itself, in one transaction."""
        context = self._context
        context.sight(self._kind.name).writing -= 1
        fault_point("C6")
        may_repeat = all(p.op != "create" or p.intent.unique for p in self._parcels)
        verdict = of_call(answer, self._container, count=len(self._parcels), may_repeat=may_repeat)
        with context.ledger.atomic():
            trace = answer.headers.get("xero-correlation-id", "")[: limits.CORRELATION_MAX]
            if trace:
                context.ledger.note_correlation([p.intent.id for p in self._parcels], trace)
            if verdict is not None:
                self._settle_all(verdict)
            else:
                elements = self._by_parcel(elements_of(answer, self._container) or [])
                done: list[Effect] = []
                for parcel, element in zip(self._parcels, elements, strict=True):
                    self._settle_one(parcel, element, done, refused_call=answer.status == 400)
                    fault_point("C9")
                done = self._of_nobody_else(done)
                context.ledger.done(done)
                ops = {parcel.intent.id: parcel.op for parcel in self._parcels}
                put_down(context, [(effect.intent, ops[effect.intent.id]) for effect in done])
                for effect in done:
                    if effect.note:
                        context.notice(f"{effect.intent.label or effect.intent.source_key}: {effect.note}")
        context.stopped = context.stopped or (verdict.stop if verdict else None)
        fault_point("C8")

    def _settle_all(self, verdict: Verdict) -> None:
        ledger, ids = self._context.ledger, [p.intent.id for p in self._parcels]
        if verdict.next is Next.DONE:
            links = [(p.intent, p.link) for p in self._parcels if p.link]
            ledger.done([Effect(intent, link.remote_id, link.number, "DELETED") for intent, link in links])
        elif verdict.next is Next.UNSENT:
            ledger.back_to_planned(ids, verdict.note, unsent=True)
        elif verdict.next is Next.REJECTED:
            ledger.reject(ids, [Refusal("xero_refused", "", "", verdict.note)])
        elif verdict.next is Next.SPLIT:
            ledger.split(ids, max(1, len(ids) // 2))
            ledger.back_to_planned(ids, verdict.note, unsent=True)
        else:
            if verdict.next is Next.UNKNOWN_SPLIT:
                ledger.split(ids, max(1, len(ids) // 2))
            ledger.unknown(ids, verdict.note)
            self._context.forget(self._kind.name)

    def _settle_one(
        self, parcel: Parcel, element: dict[str, Any] | None, done: list[Effect], *, refused_call: bool
    ) -> None:
        context, intent = self._context, parcel.intent
        inclusive = intent.document.get("LineAmountTypes", "").casefold() == "inclusive"
        found = amount_minor(self._kind.name, element or {}, inclusive=inclusive)
        expected = None if parcel.kept else intent.amount_minor
        verdict = of_element(
            element,
            self._kind.id_field,
            op=parcel.op,
            unique=intent.unique,
            refused_call=refused_call,
            amount=(expected, found),
        )
        if verdict.next in (Next.DONE, Next.PARKED) and element is not None:
            effect = self._effect(parcel, element, found, verdict.note)
            if verdict.next is Next.DONE:
                done.append(effect)
            else:
                context.ledger.park_linked(effect)
        elif verdict.next is Next.REJECTED:
            context.ledger.reject([intent.id], [self._refusal(parcel, verdict.note)])
        else:
            if (
                verdict.next is Next.UNKNOWN_SPLIT
            ):  # one of several was refused, and the answer does not say which
                context.ledger.split([intent.id], max(1, len(self._parcels) // 2))
            context.ledger.unknown([intent.id], verdict.note, conflict=verdict.next is Next.CONFLICT)
            context.forget(self._kind.name)

    def _effect(self, parcel: Parcel, element: dict[str, Any], found: int | None, note: str) -> Effect:
        intent, kind = parcel.intent, self._kind
        total = minor(element.get("Amount" if kind.name in ("payments", "allocations") else "Total"))
        lines = line_ids(intent.document, element)
        if not lines and parcel.link:
            lines = parcel.link.lines  # people added or removed some: those that we know stay known
        note = " ".join(told for told in (note, parcel.note, self._other_total(parcel, total)) if told)
        return Effect(
            intent=intent,
            remote_id=text_of(element, kind.id_field) or (parcel.link.remote_id if parcel.link else ""),
            number=text_of(element, kind.number_field),
            status=text_of(element, "ContactStatus" if kind.name == "contacts" else "Status"),
            lines=lines,
            amount_minor=found,
            total_minor=total,
            currency=text_of(element, "CurrencyCode") or text_of(element, "Invoice", "CurrencyCode"),
            quiet_until_ms=self._context.quiet_until_ms(
                intent, self._attempts[intent.id], self._sent_ms, parcel.op
            ),
            note=note,
        )

    def _refusal(self, parcel: Parcel, words: str) -> Refusal:
        if "exceeds the amount outstanding" not in words.lower():
            return _refusal(words)
        intent, one = parcel.intent, self._kind.one
        owners = self._context.linked([intent]).values()
        invoice = next((owner for owner in owners if owner.kind == "invoices"), None)
        name = f"Invoice {invoice.number or invoice.source_key}" if invoice else "What it is for"
        amount = show_minor(intent.amount_minor or 0)
        cure = (
            f"{name} has less left to pay than this {one} of {amount}: what else was paid and credited leaves no room for it "
            f"(Xero: {words.rstrip('.')}). Nothing was entered. Correct the amounts in the source, or enter it in Xero by hand "
            "for what is left."
        )
        return Refusal("more_than_due", "Amount", amount, cure)

    def _other_total(self, parcel: Parcel, total: int | None) -> str:
        """Says so where Xero made another total, tax included, of the lines than was foretold."""
        if parcel.kept or parcel.op == "delete" or total is None or "LineItems" not in parcel.intent.document:
            return ""
        foretold = tax.predict(self._kind.name, parcel.intent.document, self._context.organisation)
        if foretold is None or minor(foretold.total) == total:
            return ""
        return f"Xero made {show_minor(total)} of it with tax, and {money(foretold.total)} was foretold."

    def _of_nobody_else(self, effects: list[Effect]) -> list[Effect]:
        """Parks what Xero answered with the id of another document's: it took two of ours for one."""
        ledger, kind = self._context.ledger, self._kind
        owners = ledger.owners(kind.name, [effect.remote_id for effect in effects])
        kept = []
        for effect in effects:
            source = effect.intent
            owner = owners.setdefault(effect.remote_id, source.source_key)
            if owner == source.source_key:
                kept.append(effect)
            else:
                ledger.park(
                    [source.id],
                    f"Xero answered with the {kind.one} {effect.remote_id}, which is already that of {owner}. Give the two "
                    "different names and numbers in the source, then run `target-xero retry`.",
                )
        return kept

    def _by_parcel(self, elements: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
        """Each document's element: by what identifies it, else by its place if the answer has as many as were sent."""
        by_identity = {self._identity(element): element for element in elements}
        mine = [self._identity(parcel.body) for parcel in self._parcels]
        whole = len(elements) == len(mine)
        found: list[dict[str, Any] | None] = []
        for n, identity in enumerate(mine):
            if identity and mine.count(identity) == 1 and identity in by_identity:
                found.append(by_identity[identity])
            else:
                of_another = (
                    whole and self._identity(elements[n]) in mine and self._identity(elements[n]) != identity
                )
                found.append(elements[n] if whole and not of_another else None)
        return found

    def _identity(self, element: Mapping[str, Any]) -> str:
        source = dict(element)
        if self._parcels[0].op != "create":
            return text_of(source, self._kind.id_field)
        if self._kind.name == "allocations":
            amount = source.get("Amount")
            return f"{text_of(source, 'Invoice', 'InvoiceID')}|{minor(amount)}" if amount is not None else ""
        return text_of(source, _KEYS.get(self._kind.name, "Reference"))


def _refusal(words: str) -> Refusal:
    """Xero's own words, and what to do where they leave it open."""
    words = f"{words.rstrip('.')}."
    lowered = words.lower()
    if "archived contact" in lowered or "has been archived" in lowered:
        return Refusal(
            "contact_archived", "", "", f"{words} Restore it in Xero, then run `target-xero retry`."
        )
    if "not of valid status" in lowered:
        return Refusal(
            "not_a_draft",
            "",
            "",
            f"{words} It is no draft any more; change it in Xero, or credit it and bill anew.",
        )
    if "is negative" in lowered:
        cure = (
            f"Xero says: {words} Xero bills no less than nothing: let the source give a credit note for it."
        )
        return Refusal("negative_total", "LineItems", "", cure)
    cure = f"Xero says: {words} Correct that in the source, and it goes again by itself; or in Xero, then run `target-xero retry`."
    return Refusal("xero_refused", "", "", cure)
