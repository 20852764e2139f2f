"""Notes in the History of documents: which run wrote them, from what. Due in the ledger from the moment the write is done.

A note is no reason for anything to fail: one that Xero refuses is given up with a word, one whose answer was lost is looked
for before it is sent again, by the first run after the quiet period: until then it may still arrive.
"""

from __future__ import annotations

from collections.abc import Sequence

from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.execute.context import RunContext
from target_xero.ledger import Intent
from target_xero.limits import HISTORY_LABEL_MAX
from target_xero.plan.kinds import KINDS
from target_xero.plan.wire import text_of
from target_xero.refusal import short

_WITHOUT = frozenset({"allocations"})
"""Kinds that have no History of their own."""
_AT_ONCE = 50


def note_text(intent: Intent, op: str, epoch: int) -> str:
    """Names the source and the run; no other write has the same, however long the source's name for it."""
    label = short(intent.label or intent.source_key, HISTORY_LABEL_MAX)
    done = {"create": "Created", "update": "Changed"}[op]
    return (
        f"{done} from {label} [{intent.source_key}, revision {intent.revision}] by target-xero, run {epoch}."
    )


def put_down(context: RunContext, written: Sequence[tuple[Intent, str]]) -> None:
    """Keeps what was written in this transaction as due for a note, where the settings want notes."""
    if not context.settings.history_notes:
        return
    epoch = context.ledger.epoch
    texts = {
        intent.id: note_text(intent, op, epoch)
        for intent, op in written
        if op != "delete" and intent.kind not in _WITHOUT
    }
    context.ledger.notes_due(texts, texts)


def next_note(context: RunContext) -> NoteFlight | None:
    """The next note that may go."""
    if not context.settings.history_notes:
        return None
    quiet_since_ms = context.now_ms() - context.quiet_ms
    for due in context.ledger.next_notes(_AT_ONCE + len(context.notes_tried), quiet_since_ms):
        if due[0] not in context.notes_tried:
            return NoteFlight(context, *due)
    return None


class NoteFlight:
    """Sends one note; one that may be there already is looked for first."""

    def __init__(
        self, context: RunContext, intent_id: int, kind: str, remote_id: str, text: str, tries: int
    ) -> None:
        self._context = context
        self._intent_id = intent_id
        self._text = text
        self._look = tries > 0 and intent_id not in context.notes_absent
        self._what = f"{KINDS[kind].one} {remote_id}"
        context.notes_tried.add(intent_id)
        path = f"{KINDS[kind].endpoint}/{remote_id}/History"
        if self._look:
            self.call = Call(Purpose.LOOK_UP, "GET", path)
        else:
            context.ledger.note_tried(intent_id, context.now_ms())
            self.call = Call(Purpose.WRITE, "PUT", path, body={"HistoryRecords": [{"Details": text}]})

    def settle(self, answer: Answer) -> None:
        """Written, given up, or left to the next run."""
        context, status = self._context, answer.status or 0
        if self._look:
            notes = answer.body.get("HistoryRecords") if isinstance(answer.body, dict) else None
            if status != 200 or not isinstance(notes, list):
                return
            if any(text_of(note, "Details") == self._text for note in notes if isinstance(note, dict)):
                context.ledger.note_written(self._intent_id)
            else:
                context.notes_absent.add(self._intent_id)
                context.notes_tried.discard(self._intent_id)
        elif 200 <= status < 300:
            context.ledger.note_written(self._intent_id)
        elif 400 <= status < 500 and status not in (401, 408, 429):
            context.ledger.note_written(self._intent_id)
            context.notice(f"Xero takes no note in the History of the {self._what} (HTTP {status}).")
        elif answer.failure is Failure.AMBIGUOUS or status:
            context.notice(
                f"Whether the note in the History of the {self._what} arrived is asked by a later run."
            )
