"""Attachments: files kept beside a record, as `/{Name}/{id}/Attachments[/{file name or id}]` takes and gives them.

Source: Xero developer docs (Attachments): the bytes are the body, 10 files a record; a file sent again under its name takes
the place of the one there was. Which size the service takes in practice is not agreed upon, so it is a variant.
"""

from __future__ import annotations

import base64
import mimetypes
from urllib.parse import quote

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, limits, wire
from ikaroa_sandbox.xero.answers import child_envelope
from ikaroa_sandbox.xero.resource import Child, Context, Element, Resource
from ikaroa_sandbox.xero.store import Row, Store, Table

NAME = "Attachments"
_UNNAMED = "The file name of an attachment must be given in the path"
_EMPTY = "The attachment has no content"


def table(store: Store) -> Table:
    """The files of one organisation, found by the record they belong to."""
    found = store.table(NAME, "AttachmentID")
    if "record" not in found.index_names:
        found.index("record", lambda row: row["RecordID"])
    return found


def has(store: Store, record_id: str) -> bool:
    """Whether a record has files: its `HasAttachments`."""
    return bool(table(store).by("record", record_id))


def listed(store: Store, record_id: str) -> list[Element]:
    """A record's files without their content: its `Attachments`."""
    return [_present(row) for row in table(store).by("record", record_id)]


def child(store: Store, resource: Resource) -> Child:
    """The `Attachments` end point of one family."""
    table(store)

    def answer(ctx: Context, row: Row, request: Request, tail: list[str]) -> Response:
        record_id = row[resource.id_field]
        if request.method == "GET" and not tail:
            return child_envelope(ctx, NAME, listed(store, record_id))
        if request.method == "GET" and len(tail) == 1:
            return _content(_one(store, record_id, tail[0]))
        if request.method in ("PUT", "POST") and len(tail) <= 1:
            return _keep(ctx, resource, row, tail[0] if tail else "", request)
        raise errors.NotSimulated(
            f"{request.method} /api.xro/2.0/{resource.name}/{{id}}/{'/'.join([NAME, *tail])}"
        )

    return answer


def _one(store: Store, record_id: str, key: str) -> Row:
    """The file with this id or name."""
    guid = wire.guid(key)
    for row in table(store).by("record", record_id):
        if row["AttachmentID"] == guid or row["FileName"].lower() == key.lower():
            return row
    raise errors.NotFound(f"no attachment {key!r}")


def _content(row: Row) -> Response:
    return Response(200, {"Content-Type": row["MimeType"]}, base64.b64decode(row["Content"]))


def _keep(ctx: Context, resource: Resource, row: Row, name: str, request: Request) -> Response:
    store, record_id = ctx.store, row[resource.id_field]
    there = {kept["FileName"].lower(): kept for kept in table(store).by("record", record_id)}
    replaced = there.get(name.lower())
    problem = _problem(ctx, name, request.body, len(there) - (replaced is not None))
    if problem:
        refused = {"FileName": name, "HasValidationErrors": True, "ValidationErrors": [{"Message": problem}]}
        raise errors.ValidationFailed([refused])
    kept = table(store).put(
        {
            "AttachmentID": replaced["AttachmentID"] if replaced else None,
            "RecordID": record_id,
            "RecordKind": resource.name,
            "FileName": name,
            "MimeType": _mime_type(name, request),
            "ContentLength": len(request.body),
            "IncludeOnline": ctx.params.get("includeonline", "").lower() == "true",
            "Content": base64.b64encode(request.body).decode("ascii"),
            "Url": f"https://api.xero.com/api.xro/2.0/{resource.name}/{record_id}/{NAME}/{quote(name)}",
        }
    )
    if ctx.variants["xero.attachments.stamps"] == "stamped":
        resource.table.put({**row})
    return child_envelope(ctx, NAME, [_present(kept)])


def _problem(ctx: Context, name: str, content: bytes, others: int) -> str | None:
    most = limits.ATTACHMENT_BYTES[ctx.variants["xero.attachments.size"]]
    if not name.strip():
        return _UNNAMED
    if not content:
        return _EMPTY
    if len(content) > most:
        return f"The attachment has {len(content)} bytes; it must not have more than {most}"
    if others >= limits.ATTACHMENTS:
        return f"A record must not have more than {limits.ATTACHMENTS} attachments"
    return None


def _mime_type(name: str, request: Request) -> str:
    """What the client calls the content; a client that says nothing of use leaves it to the file's name."""
    told = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if told and told not in {
        "application/octet-stream",
        "application/json",
        "application/x-www-form-urlencoded",
    }:
        return told
    return mimetypes.guess_type(name)[0] or told or "application/octet-stream"


def _present(row: Row) -> Element:
    shown: Element = {
        name: row[name] for name in ("AttachmentID", "FileName", "Url", "MimeType", "ContentLength")
    }
    if row["RecordKind"] in {"Invoices", "CreditNotes"}:
        shown["IncludeOnline"] = row["IncludeOnline"]
    return shown
