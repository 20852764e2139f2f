"""Which handler answers which path below `/services/data/vNN.0`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce.bulk import ingest
from ikaroa_sandbox.salesforce.bulk import query as bulk_query
from ikaroa_sandbox.salesforce.errors import NotSimulatedError
from ikaroa_sandbox.salesforce.rest import collections, meta, query, replication, rows, tree
from ikaroa_sandbox.salesforce.rest.call import Call

Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """A path, `*` for one part of any text, and its handlers by method."""

    pattern: tuple[str, ...]
    handlers: dict[str, Handler]

    def matches(self, parts: tuple[str, ...]) -> bool:
        """Whether a path is this route's. Resource names compare without case only where Salesforce does: nowhere."""
        return len(parts) == len(self.pattern) and all(
            wanted in ("*", part) for wanted, part in zip(self.pattern, parts, strict=True)
        )


def _route(path: str, **handlers: Handler) -> Route:
    return Route(
        tuple(path.split("/")) if path else (), {name.upper(): one for name, one in handlers.items()}
    )


def _not_here(call: Call) -> Response:
    """A resource beside the records of an object, which must not be taken for a record's key."""
    raise NotSimulatedError(f"{call.request.method} {call.request.path}")


_BESIDE_RECORDS = ("quickActions", "listviews", "defaultValues", "autoAssign", "rowCounts")
"""What the platform has below `sobjects/X/` in the place of an id or a key field, and the sandbox has not."""

ROUTES: tuple[Route, ...] = (
    _route("", get=meta.resources),
    _route("sobjects", get=meta.describe_global),
    _route("limits", get=meta.org_limits),
    _route("limits/recordCount", get=meta.record_count),
    _route("query", get=query.query),
    _route("queryAll", get=query.query_all),
    _route("query/*", get=query.more),
    _route("queryAll/*", get=query.more),
    _route("sobjects/*", get=meta.object_info, post=rows.create),
    _route("sobjects/*/describe", get=meta.describe_object),
    _route("sobjects/*/updated", get=replication.updated),
    _route("sobjects/*/deleted", get=replication.deleted),
    _route("sobjects/*/describe/*", get=_not_here),
    *(_route(f"sobjects/*/{name}", get=_not_here, post=_not_here) for name in _BESIDE_RECORDS),
    *(_route(f"sobjects/*/{name}/*", get=_not_here, post=_not_here) for name in _BESIDE_RECORDS),
    _route("sobjects/*/*", get=rows.get, patch=rows.update, delete=rows.delete),
    _route("sobjects/*/*/*", get=rows.get_by_key, patch=rows.upsert, delete=rows.delete_by_key),
    _route(
        "composite/sobjects",
        post=collections.create,
        patch=collections.update,
        delete=collections.delete,
    ),
    _route("composite/tree/*", post=tree.create),
    _route("composite/sobjects/*", get=collections.retrieve, post=collections.retrieve),
    _route("composite/sobjects/*/*", patch=collections.upsert),
    _route("jobs/query", get=bulk_query.every, post=bulk_query.create),
    _route("jobs/query/*", get=bulk_query.info, patch=bulk_query.patch, delete=bulk_query.delete),
    _route("jobs/query/*/results", get=bulk_query.results),
    _route("jobs/query/*/resultPages", get=bulk_query.result_pages),
    _route("jobs/query/*/resultpages", get=bulk_query.result_pages),
    _route("jobs/ingest", get=ingest.every, post=ingest.create),
    _route("jobs/ingest/*", get=ingest.info, patch=ingest.patch, delete=ingest.delete),
    _route("jobs/ingest/*/batches", put=ingest.upload),
    _route("jobs/ingest/*/successfulResults", get=ingest.successful),
    _route("jobs/ingest/*/failedResults", get=ingest.failed),
    _route("jobs/ingest/*/unprocessedrecords", get=ingest.unprocessed),
    _route("jobs/ingest/*/unprocessedRecords", get=ingest.unprocessed),
)


def find(parts: tuple[str, ...]) -> Route | None:
    """The route of a path, the most exact first."""
    return next((route for route in ROUTES if route.matches(parts)), None)
