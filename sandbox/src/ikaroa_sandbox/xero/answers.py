"""The 200 answers around elements."""

from __future__ import annotations

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.xero import wire
from ikaroa_sandbox.xero.resource import Context, Element, Resource


def envelope(resource: Resource, elements: list[Element], ctx: Context, **more: object) -> Response:
    """The 200 answer around elements: its head, and what the family adds."""
    content = {**_head(ctx), **resource.envelope(ctx), **more, resource.name: elements}
    return Response(200, {"Content-Type": resource.content_type}, wire.dumps(content))


def child_envelope(ctx: Context, name: str, elements: list[Element]) -> Response:
    """The 200 answer of a sub-resource (`Allocations`, `HistoryRecords`, `OnlineInvoices`)."""
    return Response(200, {"Content-Type": wire.JSON_UTF8}, wire.dumps({**_head(ctx), name: elements}))


def _head(ctx: Context) -> dict[str, object]:
    return {
        "Id": ctx.store.guid(),
        "Status": "OK",
        "ProviderName": ctx.app,
        "DateTimeUTC": wire.ms_bare(ctx.now),
    }
