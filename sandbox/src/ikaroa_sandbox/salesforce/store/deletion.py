"""Delete, undelete, empty the recycle bin: what goes along, what stays, what the deletion log keeps."""

from __future__ import annotations

from datetime import timedelta

from ikaroa_sandbox.salesforce import wire
from ikaroa_sandbox.salesforce.errors import RecordError
from ikaroa_sandbox.salesforce.schema.model import Child, ObjectType
from ikaroa_sandbox.salesforce.store import accept, sales
from ikaroa_sandbox.salesforce.store.context import Context
from ikaroa_sandbox.salesforce.store.database import Row

NO_BIN_OF_ITS_OWN = frozenset({"OpportunityLineItem", "OrderItem"})
"""Deleted directly, a line is gone at once; only /deleted remembers it. With its parent it goes to the bin."""


def delete(context: Context, item: ObjectType, record_id: str) -> None:
    """Deletes a record and what goes with it. Raises RecordError when it may not be deleted."""
    if not item.deletable:
        raise RecordError(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {item.name} does not support delete"
        )
    row = accept.live_row(context, item, record_id)
    _check_deletable(context, item, row)
    with context.atomic():
        context.batch += 1
        if item.name in NO_BIN_OF_ITS_OWN or not item.has_bin:
            _remove(context, item, row)
        else:
            _to_bin(context, item, row)


def _check_deletable(context: Context, item: ObjectType, row: Row) -> None:
    if item.name == "Pricebook2" and row["IsStandard"]:
        raise RecordError("DELETE_FAILED", "The standard price book cannot be deleted")
    if item.name == "Order" and row["StatusCode"] == "A":
        text = "This order can't be deleted because its status is Activated"
        raise RecordError("FAILED_ACTIVATION", text)
    for child in context.org.full.children(item.name):
        if child.restrict and _children(context, child, str(row["Id"])):
            label = context.org.full[child.object].label
            text = (
                f"Your attempt to delete {row.get('Name', row['Id'])} could not be completed because it is "
                f"associated with the following {label.lower()} records"
            )
            raise RecordError("DELETE_FAILED", text)


def _children(context: Context, child: Child, record_id: str) -> list[Row]:
    item = context.org.full[child.object]
    live = ' AND "IsDeleted" = 0' if item.has_bin else ""
    return context.db.select(item, f'"{child.field}" = ?{live}', [record_id])


def _log(context: Context, item: ObjectType, record_id: str, *, gone: bool) -> None:
    context.db.execute(
        "INSERT INTO _deletions (object, id, deleted_at, batch, gone) VALUES (?, ?, ?, ?, ?)",
        [item.name, record_id, context.now(), context.batch, int(gone)],
    )
    context.note("delete", item, record_id)


def _remove(context: Context, item: ObjectType, row: Row) -> None:
    record_id = str(row["Id"])
    context.db.remove(item, record_id)
    _log(context, item, record_id, gone=True)
    if item.name == "OpportunityLineItem":
        sales.roll_up(context, str(row["OpportunityId"]))
    elif item.name == "OrderItem":
        sales.total_order(context, str(row["OrderId"]))


def _to_bin(context: Context, item: ObjectType, row: Row) -> None:
    record_id = str(row["Id"])
    accept.check_lock(context, record_id)
    for child in context.org.full.children(item.name):
        below = context.org.full[child.object]
        for one in _children(context, child, record_id):
            if child.cascade:
                _to_bin(context, below, one)
            elif child.field != "MasterRecordId" and below.writable and child.relationship:
                _clear(context, below, child.field, str(one["Id"]))
    context.db.update(item, record_id, {"IsDeleted": True, **_touch(context, item)})
    _log(context, item, record_id, gone=False)


def _clear(context: Context, item: ObjectType, field: str, record_id: str) -> None:
    changes: Row = {field: None}
    if context.world.variants["salesforce.deletion.cleared_lookup_stamps"] == "stamped":
        changes |= _touch(context, item)
    context.db.update(item, record_id, changes)


def _touch(context: Context, item: ObjectType) -> Row:
    names = ("SystemModstamp", "LastModifiedDate")
    return {name: context.now() for name in names if item.field(name)}


def undelete(context: Context, item: ObjectType, record_id: str) -> None:
    """Takes a record out of the bin, with what was deleted together with it. Raises RecordError otherwise."""
    row = context.db.get(item, record_id)
    if row is None or not row.get("IsDeleted"):
        text = "entity is not in the recycle bin" if row is None else "entity is not deleted"
        raise RecordError("UNDELETE_FAILED", text, status=404)
    entry = context.db.query(
        "SELECT batch FROM _deletions WHERE id = ? AND gone = 0 AND undeleted = 0 ORDER BY seq DESC LIMIT 1",
        [record_id],
    )
    with context.atomic():
        batch = entry[0][0] if entry else -1
        together = context.db.query("SELECT object, id FROM _deletions WHERE batch = ? AND gone = 0", [batch])
        for name, one_id in [*together, (item.name, record_id)]:
            _restore(context, context.org.full[name], one_id)
        context.db.execute("UPDATE _deletions SET undeleted = 1 WHERE batch = ? AND gone = 0", [batch])


def _restore(context: Context, item: ObjectType, record_id: str) -> None:
    row = context.db.get(item, record_id)
    if row is None or not row["IsDeleted"]:
        return
    changes: Row = {"IsDeleted": False, **_touch(context, item)}
    if item.field("MasterRecordId"):
        changes["MasterRecordId"] = None
    context.db.update(item, record_id, changes)
    context.note("undelete", item, record_id)


def hard_delete(context: Context, item: ObjectType, record_id: str) -> None:
    """Deletes past the bin (or out of it): the row is gone, /deleted remembers it."""
    row = context.db.get(item, record_id)
    if row is None:
        raise RecordError("ENTITY_IS_DELETED", "entity is deleted", status=404)
    with context.atomic():
        if not row.get("IsDeleted"):
            delete(context, item, record_id)
        batch = context.db.query(
            "SELECT batch FROM _deletions WHERE id = ? ORDER BY seq DESC LIMIT 1", [record_id]
        )
        for name, one_id in context.db.query(
            "SELECT object, id FROM _deletions WHERE batch = ?", [batch[0][0]]
        ):
            context.db.remove(context.org.full[name], one_id)
        context.db.execute("UPDATE _deletions SET gone = 1 WHERE batch = ?", [batch[0][0]])


def empty_expired(context: Context) -> None:
    """Takes away what has lain in the bin for its whole time, and the log entries that are too old to be told."""
    days = int(context.world.variants["salesforce.deletion.bin_days"].partition("_")[0])
    limit = wire.stored_time(context.world.clock.now() - timedelta(days=days))
    old = context.db.query(
        "SELECT object, id FROM _deletions WHERE gone = 0 AND undeleted = 0 AND deleted_at < ?", [limit]
    )
    for name, record_id in old:
        context.db.remove(context.org.full[name], record_id)
    if old:
        context.db.execute(
            "UPDATE _deletions SET gone = 1 WHERE gone = 0 AND undeleted = 0 AND deleted_at < ?", [limit]
        )
