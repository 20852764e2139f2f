"""The 200 answers around elements."""

from __future__ import annotations

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.xero import wire
from ikaroa_sandbox.xero.resource import Context, Element, Resource


def envelope(resource: Resource, elements: list[Element], ctx: Context, **more: object) -> Response:
    """The 200 answer around elements: `Id, Status, ProviderName, DateTimeUTC`, and what the family adds."""
    content = {
        "Id": ctx.store.guid(),
        "Status": "OK",
        "ProviderName": ctx.app,
        "DateTimeUTC": wire.ms_bare(ctx.now),
        **resource.envelope(ctx),
        **more,
        resource.name: elements,
    }
    return Response(200, {"Content-Type": resource.content_type}, wire.dumps(content))


def child_envelope(ctx: Context, name: str, elements: list[Element]) -> Response:
    """The 200 answer of a sub-resource (`Allocations`, `HistoryRecords`, `OnlineInvoices`)."""
    content = {
        "Id": ctx.store.guid(),
        "Status": "OK",
        "ProviderName": ctx.app,
        "DateTimeUTC": wire.ms_bare(ctx.now),
        name: elements,
    }
    return Response(200, {"Content-Type": wire.JSON_UTF8}, wire.dumps(content))
