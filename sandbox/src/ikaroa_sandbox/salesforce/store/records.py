"""Create, change and upsert records as Salesforce saves them: check, derive, stamp, write, let parents follow.

Bodies are JSON objects; every method is all or nothing and raises RecordError as the API would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ikaroa_sandbox.salesforce.errors import RecordError, SalesforceError
from ikaroa_sandbox.salesforce.schema.model import Field, ObjectType, Schema
from ikaroa_sandbox.salesforce.store import accept, people, sales
from ikaroa_sandbox.salesforce.store.context import Context, Save
from ikaroa_sandbox.salesforce.store.database import Row

Rule = Callable[[Save], None]


BEFORE: dict[str, Rule] = {
    "Account": people.before_account,
    "Contact": people.before_person,
    "Lead": people.before_lead,
    "User": people.before_person,
    "Opportunity": sales.before_opportunity,
    "OpportunityLineItem": sales.before_line,
    "PricebookEntry": sales.before_price,
    "Order": sales.before_order,
    "OrderItem": sales.before_order_item,
}
AFTER: dict[str, Rule] = {
    "Account": people.after_account,
    "Contact": people.after_contact,
    "Opportunity": sales.after_opportunity,
    "OpportunityLineItem": sales.after_line,
    "OpportunityContactRole": sales.after_role,
    "OrderItem": sales.after_order_item,
    "Product2": sales.after_product,
}
IMPORTABLE = frozenset({"Account", "Contact", "Lead", "Opportunity", "Product2", "Invoice_Schedule__c"})
"""Objects whose records can be loaded in bulk without their side effects being missed."""
AUDIT_FIELDS = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")


class AmbiguousKeyError(SalesforceError):
    """An external id that several records hold: 300 on a single record, an error on a row."""

    status = 300

    def __init__(self, item: ObjectType, found: list[str]) -> None:
        text = f"{item.name}: more than one record found for external id field: {found}"
        super().__init__("DUPLICATE_EXTERNAL_ID", text)
        self.item, self.found = item, found


def create(
    context: Context, schema: Schema, item: ObjectType, body: dict[str, Any], record_id: str = ""
) -> str:
    """Makes a record; returns its id. `record_id` is given where it was promised before."""
    if not item.writable:
        raise _not_supported(item, "create")
    values = accept.accept(context, schema, item, body, accept.INSERT)
    return insert(context, item, values, record_id)


def insert(
    context: Context, item: ObjectType, values: Row, record_id: str = "", audit: Row | None = None
) -> str:
    """Makes a record of values that are accepted already. `audit` overrides its time stamps and users."""
    with context.atomic():
        row = prepared(context, item, values, record_id) | (audit or {})
        accept.check_row(context, item, row, values)
        context.db.insert(item, [row])
        context.note("create", item, str(row["Id"]))
        after = AFTER.get(item.name)
        if after:
            after(Save(context, item, None, row, values))
    return str(row["Id"])


def prepared(context: Context, item: ObjectType, values: Row, record_id: str = "") -> Row:
    """A new row with defaults, id, number, stamps and what is derived, not yet written."""
    row: Row = {name: _default(context, field) for name, field in _fields(item)}
    row |= values | {"Id": record_id or context.next_id(item)}
    _number(context, item, row)
    _stamp(context, item, row, created=True)
    hook = BEFORE.get(item.name)
    if hook:
        hook(Save(context, item, None, row, values))
    return row


def update(context: Context, schema: Schema, item: ObjectType, record_id: str, body: dict[str, Any]) -> None:
    """Changes a live record."""
    if not item.writable:
        raise _not_supported(item, "update")
    change(context, item, record_id, accept.accept(context, schema, item, body, accept.UPDATE))


def change(context: Context, item: ObjectType, record_id: str, values: Row) -> None:
    """Changes a live record by values that are accepted already."""
    with context.atomic():
        before = accept.live_row(context, item, record_id)
        row = before | values
        _stamp(context, item, row, created=False)
        hook = BEFORE.get(item.name)
        if hook:
            hook(Save(context, item, before, row, values))
        accept.check_row(context, item, row, {name: row[name] for name in values})
        context.db.update(item, record_id, {k: v for k, v in row.items() if before[k] != v})
        context.note("update", item, record_id)
        after = AFTER.get(item.name)
        if after:
            after(Save(context, item, before, row, values))


def find(context: Context, item: ObjectType, field: Field, value: str) -> str | None:
    """The id behind an external id. Raises AmbiguousKeyError when several records hold it."""
    found = accept.find_by_key(context, item, field, value)
    if len(found) > 1:
        raise AmbiguousKeyError(item, found)
    return found[0] if found else None


def upsert(
    context: Context, schema: Schema, item: ObjectType, field: Field, value: str, body: dict[str, Any]
) -> tuple[str, bool]:
    """Changes the record that holds the external id, or makes it; returns its id and whether it is new."""
    found = find(context, item, field, value)
    rest = {key: raw for key, raw in body.items() if key.lower() != field.name.lower()}
    if found is not None:
        update(context, schema, item, found, rest)
        return found, False
    return create(context, schema, item, {**rest, field.name: value}), True


def _fields(item: ObjectType) -> list[tuple[str, Field]]:
    return [(field.name, field) for field in item.fields.values() if field.stored]


def _default(context: Context, field: Field) -> Any:
    if field.type == "boolean":
        return False
    if field.default == "user":
        return context.user_id
    if field.name == "CurrencyIsoCode":
        return "GBP"
    return field.default


def _number(context: Context, item: ObjectType, row: Row) -> None:
    for name, field in _fields(item):
        if field.autonumber and row.get(name) is None:
            row[name] = field.autonumber.format(context.count(f"{item.name}.{name}") + 1)


def _stamp(context: Context, item: ObjectType, row: Row, *, created: bool) -> None:
    now = context.now()
    for name in AUDIT_FIELDS:
        if item.field(name) and (created or not name.startswith("Created")):
            row[name] = now if name.endswith(("Date", "stamp")) else context.user_id


def _not_supported(item: ObjectType, verb: str) -> RecordError:
    text = f"entity type {item.name} does not support {verb}"
    return RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text)
