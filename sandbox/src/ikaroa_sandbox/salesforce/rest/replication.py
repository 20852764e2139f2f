"""`/updated/` and `/deleted/`: what changed in a window of time, and up to when that is certain."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, limits, wire
from ikaroa_sandbox.salesforce.rest.call import Call
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.values import parse_time


def _invalid(text: str) -> errors.RecordError:
    return errors.RecordError("INVALID_REPLICATION_DATE", text)


def _window(call: Call, days: int) -> tuple[ObjectType, str, str]:
    """The object, and start and end cut to the minute. Raises RecordError for a window that is not served."""
    params = call.params("start", "end")
    item = call.object(call.parts[1])
    if not item.replicateable or item.stamp is None:
        raise errors.RecordError("INVALID_TYPE", f"Entity '{item.name}' is not replicateable")
    start, end = (_minute(params.get(name), name) for name in ("start", "end"))
    now = call.state.world.clock.now()
    if start >= end:
        raise _invalid(f"startDate ({start}) must precede endDate ({end}) by at least one minute")
    if wire.parse_stored(start) < now.replace(second=0, microsecond=0) - timedelta(days=days):
        raise _invalid(f"startDate cannot be more than {days} days ago")
    if wire.parse_stored(end) > now + timedelta(seconds=limits.REPLICATION_AHEAD_SECONDS):
        raise _invalid(f"endDate ({end}) lies in the future")
    return item, start, end


def _minute(raw: str | None, name: str) -> str:
    if raw is None:
        raise errors.RecordError("MISSING_ARGUMENT", f"The parameter {name} is required")
    try:
        # An unencoded + of a zone arrives as a space.
        stored = parse_time(raw.replace(" ", "+"))
    except errors.RecordError:
        raise _invalid(f"Invalid {name} date: {raw}") from None
    return f"{stored[:16]}:00.000"


def _before(call: Call) -> str:
    return "<=" if call.state.world.variants["salesforce.replication.end"] == "inclusive" else "<"


def updated(call: Call) -> Response:
    """GET sobjects/X/updated/?start=&end=: ids made or changed; latestDateCovered is the next safe start."""
    item, start, end = _window(call, limits.UPDATED_DAYS_MAX)
    live = ' AND "IsDeleted" = 0' if item.has_bin else ""
    where = f'"{item.stamp}" >= ? AND "{item.stamp}" {_before(call)} ?{live}'
    found = call.state.db.ids(item, where, [start, end], f'"{item.stamp}", "Id"')
    _check_count(len(found))
    covered = min(end, call.state.covered_until)
    return wire.json_response({"ids": found, "latestDateCovered": wire.wire_time(covered)})


def deleted(call: Call) -> Response:
    """GET sobjects/X/deleted/?start=&end=: ids deleted and not taken back, with the time."""
    item, start, end = _window(call, limits.DELETED_DAYS_MAX)
    begins = call.state.log_begins.get(item.name)
    if begins is not None and start < begins:
        raise _invalid(f"startDate before the earliest date available ({wire.wire_time(begins)})")
    # The operator is the only part of the text that varies.
    where = f"object = ? AND undeleted = 0 AND deleted_at >= ? AND deleted_at {_before(call)} ?"
    sql = f"SELECT id, MAX(deleted_at) FROM _deletions WHERE {where} GROUP BY id ORDER BY 2, 1"  # noqa: S608
    found = call.state.db.query(sql, [item.name, start, end])
    _check_count(len(found))
    earliest = _earliest(call, item)
    body = {
        "deletedRecords": [{"deletedDate": wire.wire_time(at), "id": record} for record, at in found],
        "earliestDateAvailable": wire.wire_time(earliest),
        "latestDateCovered": wire.wire_time(min(end, call.state.covered_until)),
    }
    return wire.json_response(body)


def _earliest(call: Call, item: ObjectType) -> str:
    """When the oldest entry of the deletion log was made; without any, the oldest moment it would keep."""
    limit = call.state.world.clock.now().astimezone(timezone.utc) - timedelta(days=limits.DELETED_DAYS_MAX)
    kept = wire.stored_time(_whole_minute(limit))
    sql = "SELECT MIN(deleted_at) FROM _deletions WHERE object = ? AND deleted_at >= ?"
    oldest = call.state.db.query(sql, [item.name, max(kept, call.state.log_begins.get(item.name, ""))])[0][0]
    earliest = f"{oldest[:16]}:00.000" if oldest else kept
    return max(earliest, call.state.log_begins.get(item.name, ""))


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _check_count(count: int) -> None:
    if count > limits.REPLICATION_IDS_MAX:
        text = f"more than {limits.REPLICATION_IDS_MAX} records in the window"
        raise errors.RecordError("EXCEEDED_ID_LIMIT", text)
