"""What the API says about itself and the org: versions, resources, objects, limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timezone
from email.utils import format_datetime
from typing import Any
from weakref import WeakKeyDictionary

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import limits, wire
from ikaroa_sandbox.salesforce.oauth import identity_url
from ikaroa_sandbox.salesforce.rest.call import Call
from ikaroa_sandbox.salesforce.schema import describe
from ikaroa_sandbox.salesforce.schema.model import Schema

_ANSWERS: WeakKeyDictionary[Schema, dict[tuple[str, str], bytes]] = WeakKeyDictionary()
"""Describe answers by schema, and by version and object."""
_SEASONS = ("Winter", "Spring", "Summer")
_RESOURCES = ("query", "queryAll", "sobjects", "limits", "composite", "jobs")
_BULK_ALLOCATIONS = {
    "DailyBulkApiBatches": limits.BULK_BATCHES_DAILY,
    "DailyBulkV2QueryFileStorageMB": limits.BULK_QUERY_STORAGE_MB_DAILY,
    "DailyBulkV2QueryJobs": limits.BULK_QUERY_JOBS_DAILY,
}


def versions() -> Response:
    """GET /services/data: needs no sign-in."""
    listed = [
        {"label": _season(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(limits.API_VERSION_OLDEST, limits.API_VERSION_NEWEST + 1)
    ]
    return wire.json_response(listed)


def _season(version: int) -> str:
    year, turn = divmod(version - 65, len(_SEASONS))
    return f"{_SEASONS[turn]} '{26 + year:02d}"


def resources(call: Call) -> Response:
    """GET vNN.0: the resources."""
    call.params()
    listed = {name: f"{call.base}/{name}" for name in _RESOURCES}
    listed["identity"] = identity_url(call.request.base_url, call.state.org_id, call.state.context.user_id)
    return wire.json_response(listed)


def describe_global(call: Call) -> Response:
    """GET sobjects."""
    call.params()
    if _unchanged(call):
        return wire.empty_response(304)

    def body() -> dict[str, Any]:
        found = [describe.summary(item, call.base) for item in call.state.org.visible]
        return {"encoding": "UTF-8", "maxBatchSize": limits.COLLECTION_RECORDS_MAX, "sobjects": found}

    return _kept(call, "", body)


def describe_object(call: Call) -> Response:
    """GET sobjects/X/describe."""
    call.params()
    item = call.object(call.parts[1])
    if _unchanged(call):
        return wire.empty_response(304)
    return _kept(call, item.name, lambda: describe.full(call.state.org.visible, item, call.base))


def _kept(call: Call, name: str, body: Callable[[], Any]) -> Response:
    """A describe answer: made once for a schema, which never changes, and a version."""
    answers = _ANSWERS.setdefault(call.state.org.visible, {})
    kept = answers.get((call.base, name))
    if kept is None:
        kept = answers[call.base, name] = wire.json_response(body()).body
    return Response(200, {"Content-Type": wire.JSON_TYPE, **_modified(call)}, kept)


def object_info(call: Call) -> Response:
    """GET sobjects/X: the summary and the records seen last (nobody looks at records here)."""
    call.params()
    item = call.object(call.parts[1])
    return wire.json_response({"objectDescribe": describe.summary(item, call.base), "recentItems": []})


def _modified(call: Call) -> dict[str, str]:
    return {"Last-Modified": format_datetime(call.state.org.modified.astimezone(timezone.utc), usegmt=True)}


def _unchanged(call: Call) -> bool:
    since = call.header_time("If-Modified-Since")
    return since is not None and call.state.org.modified.replace(microsecond=0) <= since


def org_limits(call: Call) -> Response:
    """GET limits."""
    call.params()
    usage = call.state.usage
    fixed = {
        "ConcurrentAsyncGetReportInstances": 200,
        "DailyAsyncApexExecutions": 250_000,
        "DailyDurableStreamingApiEvents": 200_000,
        "DataStorageMB": 10_340,
        "FileStorageMB": 10_340,
        "HourlyPublishedPlatformEvents": 100_000,
    }
    body = {name: {"Max": most, "Remaining": most} for name, most in fixed.items()}
    now = call.state.world.clock.now()
    for name, most in _BULK_ALLOCATIONS.items():
        body[name] = {"Max": most, "Remaining": max(0, most - call.state.jobs.used(name, now))}
    body["DailyApiRequests"] = {"Max": usage.daily, "Remaining": max(0, usage.daily - usage.total)}
    return wire.json_response(dict(sorted(body.items())))


def record_count(call: Call) -> Response:
    """GET limits/recordCount: how many rows, roughly; deleted ones are not in it."""
    wanted = call.params("sObjects").get("sObjects")
    names = (
        [name.strip() for name in wanted.split(",")]
        if wanted
        else [item.name for item in call.state.org.visible]
    )
    counted = []
    for name in names:
        item = call.state.org.visible.get(name)
        if item is None:
            continue
        counted.append({"count": call.state.db.count_live(item), "name": item.name})
    return wire.json_response({"sObjects": counted})
