"""Documents in, intents out: what is new or changed is promised in the ledger before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from target_xero.crash import fault_point
from target_xero.ledger import Intent, Ledger, NewIntent, State
from target_xero.ledger.base import storable
from target_xero.ledger.model import WITHDRAWN, Essence
from target_xero.ledger.planning import Holder
from target_xero.ledger.planning import Known as OfLedger
from target_xero.limits import KEY_MAX
from target_xero.plan.amounts import check_amounts, document_minor, with_rounding
from target_xero.plan.canonical import UNREADABLE, canonical, content_hash
from target_xero.plan.item import Fresh, Known, is_withdrawn, only_moves
from target_xero.plan.kinds import is_unique, needs_of
from target_xero.plan.marks import MARKED, check_marker, check_reference, holder, marker_taken
from target_xero.plan.organisation import Organisation
from target_xero.plan.rules import check_alone
from target_xero.plan.wire import minor
from target_xero.refusal import Refusal

MERGE_NEEDED = "merge_needed"
_REPLACEABLE = (State.PROPOSED, State.PLANNED, State.REJECTED)


@dataclass(frozen=True)
class PlannerSettings:
    """What the documents may ask for."""

    allow_statuses: frozenset[str] = frozenset({"DRAFT"})
    """Statuses that a document may bring an invoice, quote or credit note into. DRAFT only, unless finance says more."""
    on_total_difference: str = "fail"
    """What to do when the lines do not come to the source's own total: `fail`, `rounding_line` or `accept`."""


@dataclass
class Accepted:
    """What became of one batch of documents."""

    planned: int = 0
    unchanged: int = 0
    """Made nothing new."""
    undone: int = 0
    """Made nothing new, for somebody took exactly this back."""
    still_open: int = 0
    """Of the unchanged: refused, parked or waiting; they are counted as that."""
    refused: int = 0


class Planner:
    """Plans documents against the ledger. No network: the organisation's own rules are checked before the first send."""

    def __init__(
        self,
        ledger: Ledger,
        organisation: Callable[[], Organisation],
        settings: PlannerSettings | None = None,
    ) -> None:
        """`organisation` gives the connected organisation; it is asked when the first document comes."""
        self._ledger = ledger
        self._organisation = organisation
        self._settings = settings or PlannerSettings()

    def accept(self, stream: str, documents: Iterable[Mapping[str, Any] | Fresh | Known]) -> Accepted:
        """Takes a batch of one stream's documents; when it returns, the ledger owns them. One transaction.

        Of several documents with one key the last one counts. A document that equals what is agreed with Xero, or its
        newest open revision, makes nothing. Wrong documents are kept as rejected; nothing is raised for them.

        Raises:
            LedgerError: nothing was taken.
        """
        accepted = Accepted()
        items = [item if isinstance(item, (Fresh, Known)) else Fresh(item) for item in documents]
        with self._ledger.atomic():
            if stream == "contacts":
                items = self._rekey(items, accepted)
            newest: dict[str, Fresh | Known] = {}
            for item in items:
                newest.pop(item.key, None)
                newest[item.key] = item
            self._plan(stream, newest, accepted)
            fault_point("C0")
        self._ledger.count_unchanged(stream, accepted.unchanged - accepted.still_open)
        self._ledger.count_undone(stream, accepted.undone)
        fault_point("C1")
        return accepted

    def _plan(self, stream: str, items: Mapping[str, Fresh | Known], accepted: Accepted) -> None:
        known = self._ledger.known(stream, list(items))
        found: list[NewIntent] = []
        superseded: list[int] = []
        for key, item in items.items():
            agreed = known.get(key)
            if isinstance(item, Known):
                if _stands(agreed, item.content_hash):
                    accepted.unchanged += agreed is not None
                    continue
                item = item.made()  # noqa: PLW2901  it is read after all
            document = item.document
            content, problems = self._content(stream, item)
            withdrawn = is_withdrawn(document)
            hash_ = WITHDRAWN if withdrawn else content_hash(content)
            if agreed is not None and agreed.undone_hash is not None:
                if agreed.undone_hash == hash_:
                    accepted.undone += 1
                    continue
                self._ledger.forget_undone(stream, [key])
            verdict = _compare(agreed, hash_, withdrawn=withdrawn)
            superseded += verdict.superseded
            if not verdict.needed:
                accepted.unchanged += not withdrawn or key in known  # one that never was is no news
                accepted.still_open += agreed is not None and any(hash_ == of for _, _, of in agreed.open)
                if _stands(agreed, hash_) and not problems and _is_plain(stream, document):
                    item.essence = Essence(stream, key, hash_)
                continue
            new = self._intent(stream, key, document, content, hash_, withdrawn=withdrawn)
            found.append(new if withdrawn else self._checked(new, document, problems))
        intents: list[NewIntent] = []
        for new in self._each_its_own_mark(stream, found, superseded):
            intents.append(new)
            accepted.refused += bool(new.refusals)
            accepted.planned += not new.refusals
            if stream == "credit_notes" and not new.refusals:
                intents += self._allocations(new, accepted)
        self._ledger.add(intents, superseded)

    def _checked(self, new: NewIntent, document: Mapping[str, Any], problems: list[Refusal]) -> NewIntent:
        """With all that is wrong with it, or else with its amount."""
        refusals = tuple(self._check(new.kind, document, new.document, problems))
        amount = None if refusals else document_minor(new.kind, new.document)
        return replace(new, refusals=refusals, amount_minor=amount)

    def _each_its_own_mark(
        self, stream: str, intents: Sequence[NewIntent], superseded: Container[int]
    ) -> list[NewIntent]:
        """Refuses each that would bear the mark of another document, of those before it in the list, too."""
        marks = {new.marker for new in intents if new.op == "save" and not new.refusals}
        if stream not in MARKED or not marks:
            return list(intents)
        holders = self._ledger.holders_of_marks(stream, marks)
        found = []
        for new in intents:
            mine = new
            if new.op == "save" and not new.refusals:
                known = holders.setdefault(new.marker, [])
                if other := holder(new.source_key, known, superseded):
                    refusal = marker_taken(new.marker, other)
                    mine = replace(new, refusals=(refusal,), amount_minor=None)
                else:
                    known.append(Holder(new.source_key))
            found.append(mine)
        return found

    def _content(self, stream: str, item: Fresh) -> tuple[dict[str, Any], list[Refusal]]:
        """What the ledger keeps of a document and compares, and what of it could not be read."""
        content, problems = canonical(stream, item.document)
        content.pop("withdrawn", None)
        if stream == "contacts":
            # What it is known by is part of what it is: a re-keyed one gets its new number.
            content.setdefault("ContactNumber", item.key)
            # Xero refuses a name with spaces at an end or two in a row, and does not say why.
            if name := " ".join(content.get("Name", "").split()):
                content["Name"] = name
        if self._settings.on_total_difference == "rounding_line" and not problems:
            content = with_rounding(content)
        return content, problems

    def _check(
        self, stream: str, document: Mapping[str, Any], content: dict[str, Any], problems: list[Refusal]
    ) -> list[Refusal]:
        if not document.get("source_key"):
            cure = "The mapping must give every document the source's key."
            return [Refusal("required", "source_key", "", cure)]
        source_key = document["source_key"]
        if not isinstance(source_key, str) or len(source_key) > KEY_MAX:
            cure = f"A key is text of at most {KEY_MAX} characters; give the source's own id."
            return [Refusal("key_unusable", "source_key", str(source_key), cure)]
        stated = content.get("refusals")
        if stated:
            return [Refusal.from_dict(refusal) for refusal in stated]
        if problems:
            return problems
        return self._check_content(stream, content, str(content.get("marker") or source_key))

    def _check_content(self, stream: str, content: Mapping[str, Any], marker: str) -> list[Refusal]:
        found = [
            *check_marker(stream, marker),
            *check_reference(stream, content.get("Reference", ""), marker),
            *check_alone(stream, content, self._settings.allow_statuses),
        ]
        return found or check_amounts(content, self._settings.on_total_difference)

    def _check_again(self, intent: Intent | NewIntent) -> list[Refusal]:
        """What is wrong by now with a revision that the ledger has: settings, rules and who has its mark may have changed."""
        found = self._check_content(intent.kind, intent.document, intent.marker)
        if not found and intent.kind in MARKED:
            known = self._ledger.holders_of_marks(intent.kind, [intent.marker]).get(intent.marker, ())
            if other := holder(intent.source_key, known):
                found = [marker_taken(intent.marker, other)]
        return found

    @staticmethod
    def _is_checked(intent: Intent | NewIntent) -> bool:
        """Whether its content has rules of its own to keep: a withdrawal has no content, an allocation is part of its note."""
        return intent.op == "save" and intent.kind != "allocations"

    def retry(self, kinds: Sequence[str] = (), keys: Sequence[str] = ()) -> int:
        """Refused documents go again and parked ones are looked up again, as if just delivered (empty: all of them).

        One that breaks a rule by itself stays refused until the source or the mapping gives it otherwise.

        Returns:
            How many go again.
        """
        ledger = self._ledger
        with ledger.atomic():
            moved = ledger.unpark(kinds, keys) + (self._bring_back(kinds, keys) if keys else 0)
            for intent, refusals in ledger.rejected(kinds, keys):
                rules = {refusal.rule for refusal in refusals}
                if (
                    MERGE_NEEDED in rules
                ):  # whoever retries has merged the two: the old contact is the new one now
                    ledger.supersede([intent.id])
                    ledger.unlink("contacts", intent.source_key)
                    ledger.rekey("contacts", intent.source_key, intent.document["merge_into"])
                elif (
                    rules & UNREADABLE
                    or intent.document.get("refusals")
                    or (self._is_checked(intent) and self._check_again(intent))
                ):
                    continue
                else:
                    ledger.release([intent.id])
                moved += 1
        return moved

    def _bring_back(self, kinds: Sequence[str], keys: Sequence[str]) -> int:
        """What `undo` took back, named one by one, is written again."""
        back = 0
        for row in self._ledger.to_bring_back(kinds, keys):
            new = again(row)
            refusals = tuple(self._check_again(new)) if self._is_checked(new) else ()
            self._ledger.forget_undone(new.kind, [new.source_key])
            self._ledger.add([replace(new, refusals=refusals)])
            back += not refusals
        return back

    def _intent(
        self,
        stream: str,
        key: str,
        document: Mapping[str, Any],
        content: dict[str, Any],
        hash_: str,
        *,
        withdrawn: bool,
    ) -> NewIntent:
        currency = content.get("CurrencyCode") or (
            "" if stream == "payments" else self._organisation().base_currency
        )
        return NewIntent(
            kind=stream,
            source_key=key,
            op="withdraw" if withdrawn else "save",
            document=content,
            content_hash=hash_,
            unique=is_unique(stream, content),
            marker=storable(str(content.get("marker") or key)),
            needs=() if withdrawn else needs_of(content),
            label=storable(str(document.get("source_label") or key)),
            url=storable(str(document.get("source_url") or "")),
            currency=str(currency),
        )

    def _allocations(self, note: NewIntent, accepted: Accepted) -> list[NewIntent]:
        """A credit note's allocations are calls of their own in Xero, so each is an intent of its own.

        The list is the whole list: what was on it and is no more, the source calls for no more.
        """
        wanted: dict[str, NewIntent] = {}
        for allocation in note.document.get("allocations") or ():
            key = f"{note.source_key}#{allocation['invoice_key']}"
            content = {**allocation, "credit_note_key": note.source_key}
            wanted[key] = NewIntent(
                kind="allocations",
                source_key=key,
                op="save",
                document=content,
                content_hash=content_hash(content),
                unique=False,
                marker=key,
                needs=(("credit_notes", note.source_key), ("invoices", allocation["invoice_key"])),
                label=f"{note.label}, against {allocation['invoice_key']}",
                url=note.url,
                currency=note.currency,
                amount_minor=minor(allocation["Amount"]),
            )
        gone = [key for key in self._ledger.allocations_of(note.source_key) if key not in wanted]
        known = self._ledger.known("allocations", [*wanted, *gone])
        found = []
        for key in gone:
            verdict = _compare(known.get(key), WITHDRAWN, withdrawn=True)
            self._ledger.supersede(verdict.superseded)
            if verdict.needed:
                found.append(
                    NewIntent(
                        kind="allocations", source_key=key, op="withdraw", document={}, content_hash=WITHDRAWN,
                        unique=False, marker=key, label=f"{note.label}, {key.removeprefix(note.source_key + '#')}",
                        url=note.url, currency=note.currency,
                    )
                )  # fmt: skip
                accepted.planned += 1
        for key, new in wanted.items():
            verdict = _compare(known.get(key), new.content_hash, withdrawn=False)
            self._ledger.supersede(verdict.superseded)
            if verdict.needed:
                found.append(new)
                accepted.planned += 1
        return found

    def _rekey(self, items: list[Fresh | Known], accepted: Accepted) -> list[Fresh | Known]:
        """Moves links to their new keys before anything is planned under those; returns the documents with content.

        A document that still comes under a replaced key says nothing: its contact belongs to the new key now.
        """
        moves = {item.former_key: item for item in items if isinstance(item, Fresh) and item.former_key}
        if moves:
            known = self._ledger.known("contacts", [*moves, *(item.key for item in moves.values())])
            for old, item in moves.items():
                self._move(old, item.key, known.get(old), known.get(item.key), item.document)
        gone = self._ledger.aliases("contacts", (item.key for item in items))
        kept = [
            item
            for item in items
            if item.key not in gone and not (isinstance(item, Fresh) and only_moves(item.document))
        ]
        accepted.unchanged += len(items) - len(kept)
        return kept

    def _move(
        self, old: str, new: str, was: OfLedger | None, now: OfLedger | None, document: Mapping[str, Any]
    ) -> None:
        if was is None:
            return
        busy = [state for _, state, _ in (now.open if now else []) if state not in _REPLACEABLE]
        linked = now is not None and now.linked_hash is not None
        if not linked and not busy:
            self._ledger.rekey("contacts", old, new)
        elif was.linked_hash is not None and not was.open:
            cure = (
                f"Both {old} and {new} have a contact of their own in Xero, and the API cannot merge contacts. "
                "Merge them in Xero, then run `target-xero retry`."
            )
            refusal = Refusal(MERGE_NEEDED, "previous_source_key", old, cure)
            content = {"merge_into": new}
            self._ledger.add(
                [
                    NewIntent(
                        kind="contacts", source_key=old, op="save", document=content, content_hash=content_hash(content),
                        unique=True, marker=old, label=str(document.get("source_label") or new), refusals=(refusal,),
                    )
                ]
            )  # fmt: skip


def again(row: Mapping[str, Any]) -> NewIntent:
    """An earlier revision of the ledger, to be written once more."""
    document = json.loads(row["document"]) if isinstance(row["document"], str) else row["document"]
    return NewIntent(
        kind=row["kind"],
        source_key=row["source_key"],
        op="save",
        document=document,
        content_hash=row["content_hash"],
        unique=bool(row["uniq"]),
        marker=row["marker"],
        needs=needs_of(document),
        label=row["label"],
        url=row["url"],
        currency=row["currency"],
        amount_minor=row["amount_minor"],
    )


@dataclass(frozen=True)
class _Verdict:
    needed: bool
    superseded: tuple[int, ...] = ()


def _compare(known: OfLedger | None, hash_: str, *, withdrawn: bool) -> _Verdict:
    """Whether a document makes a new revision, and which open revisions it replaces.

    The newest thing that is open or agreed is what the document is compared with. Planned and rejected revisions are
    replaced, for they have had no effect; sent, unknown and parked ones are never touched, a new revision waits for them.
    So it does for a change that was sent, never answered and planned again: until it is known what became of it, Xero's
    values would be taken for people's. A withdrawal waits for a create of that kind, too, which may still arrive.
    """
    if known is None:
        return _Verdict(needed=not withdrawn)
    superseded: list[int] = []
    for id_, state, open_hash in reversed(known.open):
        if open_hash == hash_:
            return _Verdict(needed=False, superseded=tuple(superseded))
        doubt = known.doubtful.get(id_)
        if state not in _REPLACEABLE or (doubt and (withdrawn or doubt != "create")):
            return _Verdict(needed=True, superseded=tuple(superseded))
        superseded.append(id_)
    needed = known.linked_hash is not None if withdrawn else known.linked_hash != hash_
    return _Verdict(needed, tuple(superseded))


def _stands(known: OfLedger | None, hash_: str) -> bool:
    """Whether Xero has just this and nothing is open, refused or taken back; of a withdrawn one: whether it never was."""
    if known is None:
        return hash_ == WITHDRAWN
    return known.linked_hash == hash_ and not known.open and known.undone_hash is None


def _is_plain(stream: str, document: Mapping[str, Any]) -> bool:
    """Whether all that planning looks at is its key and its content hash.

    Not where it moves a link, where the mapping refuses it, where it has no proper key, or where it is withdrawn under a key that
    may have been replaced.
    """
    return (
        isinstance(document.get("source_key"), str)
        and not document.get("previous_source_key")
        and not document.get("refusals")
        and not (stream == "contacts" and is_withdrawn(document))
    )
