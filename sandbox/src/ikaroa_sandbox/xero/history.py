"""History and notes: `PUT /{Name}/{id}/History` adds a note, `GET` shows them, newest first.

Source: Xero developer docs (History and notes). Recorded: `DateUTC` in the answer to a PUT carries no offset. The entries
that Xero writes itself ("Created", "Edited") are not kept.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, limits, reading, wire
from ikaroa_sandbox.xero.answers import child_envelope
from ikaroa_sandbox.xero.resource import Child, Context, Element, Resource
from ikaroa_sandbox.xero.store import Row, Store, Table

NO_DETAILS = "The Details of a history record must be specified"


def child(store: Store, resource: Resource) -> Child:
    """The `History` end point of one family."""
    table = store.table("HistoryRecords", "HistoryRecordID")
    table.index("document", lambda row: row["DocumentID"])

    def answer(ctx: Context, row: Row, request: Request, tail: list[str]) -> Response:
        if tail or request.method not in ("GET", "PUT"):
            raise errors.NotSimulated(f"{request.method} /api.xro/2.0/{resource.name}/{{id}}/History")
        document_id = row[resource.id_field]
        if request.method == "GET":
            notes = reversed(table.by("document", document_id))
            return child_envelope(ctx, "HistoryRecords", [_present(note, written=False) for note in notes])
        return _add(ctx, table, resource, row, request)

    return answer


def _add(ctx: Context, table: Table, resource: Resource, row: Row, request: Request) -> Response:
    sent = reading.child_elements(request, "HistoryRecords", "HistoryRecord")
    texts = [reading.read_text(entry.get("Details")) or "" for entry in sent]
    refused = [_refusal(text) for text in texts if _problem(text)]
    if refused:
        raise errors.ValidationFailed(refused)
    notes = [
        table.put(
            {
                "HistoryRecordID": None,
                "DocumentID": row[resource.id_field],
                "DocumentKind": resource.name,
                "Changes": "Note",
                "Details": text,
                "User": "System Generated",
                "DateUTC": ctx.now,
            }
        )
        for text in texts
    ]
    if ctx.variants["xero.history.note_stamps"] == "stamped":
        resource.table.put({**row})
    return child_envelope(ctx, "HistoryRecords", [_present(note, written=True) for note in notes])


def _problem(text: str) -> str | None:
    if not text.strip():
        return NO_DETAILS
    if len(text) > limits.HISTORY_DETAILS:
        return f"Details is {len(text)} characters long; it must not be longer than {limits.HISTORY_DETAILS}"
    return None


def _refusal(text: str) -> Element:
    return {"Details": text, "HasValidationErrors": True, "ValidationErrors": [{"Message": _problem(text)}]}


def _present(note: Row, *, written: bool) -> Element:
    moment = note["DateUTC"]
    return {
        "Changes": note["Changes"],
        "DateUTCString": moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": wire.ms_bare(moment) if written else wire.ms(moment),
        "User": note["User"],
        "Details": note["Details"],
    }
