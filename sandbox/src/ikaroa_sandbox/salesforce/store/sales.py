"""Opportunities, orders and their lines: stages, prices, totals, history."""

from __future__ import annotations

from decimal import Decimal

from ikaroa_sandbox.salesforce.errors import RecordError
from ikaroa_sandbox.salesforce.store.context import Context, Save
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.store.derive import (
    Stage,
    expected_revenue,
    fiscal,
    line_total,
    stage_facts,
)
from ikaroa_sandbox.salesforce.values import Value, round_half_up

ZERO = Decimal(0)
HISTORY_FIELDS = (
    "StageName",
    "Amount",
    "ExpectedRevenue",
    "CloseDate",
    "Probability",
    "ForecastCategory",
    "CurrencyIsoCode",
)


def _refuse(code: str, text: str, *fields: str) -> RecordError:
    return RecordError(code, text, fields)


def _decimal(value: Value) -> Decimal:
    return value if isinstance(value, Decimal) else ZERO


def stage(context: Context, name: str) -> Stage:
    """What a stage means. Raises RecordError for one the org does not have."""
    item = context.org.full["OpportunityStage"]
    rows = context.db.select(item, 'fold("ApiName") = ?', [name.lower()])
    if not rows:
        text = f"Stage: bad value for restricted picklist field: {name}"
        raise _refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, "StageName")
    row = rows[0]
    return Stage(
        name=str(row["ApiName"]),
        closed=bool(row["IsClosed"]),
        won=bool(row["IsWon"]),
        probability=_decimal(row["DefaultProbability"]),
        category=str(row["ForecastCategory"]),
        category_name=str(row["ForecastCategoryName"]),
    )


def before_opportunity(save: Save) -> None:
    """The stage sets probability and forecast; lines set the amount; the close date sets the fiscal period."""
    context, item, old, row, given = save.context, save.item, save.old, save.row, save.given
    if old is not None and old["HasOpportunityLineItem"]:
        row["Amount"] = old["Amount"]  # read-only while there are lines, and ignored in silence
        for name in ("Pricebook2Id", "CurrencyIsoCode"):
            if row[name] != old[name]:
                label = item.fields[name.lower()].label
                text = f"{label}: cannot be changed while the opportunity has products"
                raise _refuse("FIELD_INTEGRITY_EXCEPTION", text, name)
    if row["StageName"] is not None and (old is None or old["StageName"] != row["StageName"]):
        facts = stage_facts(stage(context, str(row["StageName"])))
        row |= {name: value for name, value in facts.items() if name not in given or name == "StageName"}
        if old is not None:
            row["LastStageChangeDate"] = context.now()
    if old is not None and old["CloseDate"] != row["CloseDate"] and not row["IsClosed"]:
        later = str(row["CloseDate"] or "")[:7] > str(old["CloseDate"] or "")[:7]
        row["PushCount"] = int(str(old["PushCount"] or 0)) + (1 if later else 0)
    row["ExpectedRevenue"] = expected_revenue(row["Amount"], row["Probability"])
    row |= fiscal(row["CloseDate"])


def after_opportunity(save: Save) -> None:
    """A row of OpportunityHistory for each change of stage, amount, probability or date; the primary contact's role."""
    context, old, row = save.context, save.old, save.row
    if old is None or any(old[name] != row[name] for name in HISTORY_FIELDS):
        _history(context, row)
    if old is None and row["ContactId"]:
        role = context.org.full["OpportunityContactRole"]
        values: Row = {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
        values |= {
            name: row[name] for name in ("CreatedDate", "CreatedById", "CurrencyIsoCode", "SystemModstamp")
        }
        values |= {name: row[name] for name in ("LastModifiedDate", "LastModifiedById")}
        values["Id"] = context.next_id(role)
        context.db.insert(role, [values])
        context.note("create", role, str(values["Id"]))


def _history(context: Context, row: Row) -> None:
    history = context.org.full["OpportunityHistory"]
    entry: Row = {name: row[name] for name in HISTORY_FIELDS}
    entry |= {
        "Id": context.next_id(history),
        "OpportunityId": row["Id"],
        "CreatedById": row["LastModifiedById"],
    }
    entry |= {"CreatedDate": context.now(), "SystemModstamp": context.now()}
    context.db.insert(history, [entry])


def after_role(save: Save) -> None:
    """One primary contact a deal: a new one takes the mark from the old one."""
    context, item, old, row = save.context, save.item, save.old, save.row
    if not row["IsPrimary"] or (old is not None and old["IsPrimary"]):
        return
    for other in context.db.select(
        item, '"OpportunityId" = ? AND "IsPrimary" = 1 AND "Id" <> ?', [row["OpportunityId"], row["Id"]]
    ):
        changes: Row = {
            "IsPrimary": False,
            "LastModifiedDate": context.now(),
            "SystemModstamp": context.now(),
        }
        context.db.update(item, str(other["Id"]), changes)
        context.note("update", item, str(other["Id"]))
    context.db.update(
        context.org.full["Opportunity"], str(row["OpportunityId"]), {"ContactId": row["ContactId"]}
    )


def before_price(save: Save) -> None:
    """An entry shows its product's name and code; one entry a product, price book and currency."""
    context, item, old, row = save.context, save.item, save.old, save.row
    product = context.db.get(context.org.full["Product2"], str(row["Product2Id"])) or {}
    row |= {"Name": product.get("Name"), "ProductCode": product.get("ProductCode")}
    if old is None:
        where = '"Product2Id" = ? AND "Pricebook2Id" = ? AND "CurrencyIsoCode" IS ? AND "IsDeleted" = 0'
        if context.db.select(item, where, [row["Product2Id"], row["Pricebook2Id"], row["CurrencyIsoCode"]]):
            text = "This price definition already exists in this price book"
            raise _refuse("DUPLICATE_VALUE", text, "Product2Id", "Pricebook2Id")


def _entry(context: Context, row: Row, parent: Row) -> Row:
    """The price book entry of a line, found by its product where the line names only that."""
    item = context.org.full["PricebookEntry"]
    if row.get("PricebookEntryId") is None and row.get("Product2Id") and parent["Pricebook2Id"]:
        where = '"Product2Id" = ? AND "Pricebook2Id" = ? AND "CurrencyIsoCode" IS ? AND "IsDeleted" = 0'
        found = context.db.select(
            item, where, [row["Product2Id"], parent["Pricebook2Id"], parent["CurrencyIsoCode"]]
        )
        if found:
            return found[0]
    entry = context.db.get(item, str(row.get("PricebookEntryId")))
    if entry is None or entry["IsDeleted"]:
        text = "Required fields are missing: [PricebookEntryId]"
        raise _refuse("REQUIRED_FIELD_MISSING", text, "PricebookEntryId")
    if entry["CurrencyIsoCode"] != parent["CurrencyIsoCode"]:
        text = (
            "field integrity exception: PricebookEntryId (the pricebook entry's currency is not the parent's)"
        )
        raise _refuse("FIELD_INTEGRITY_EXCEPTION", text, "PricebookEntryId")
    if parent["Pricebook2Id"] not in (None, entry["Pricebook2Id"]):
        text = "pricebook entry is in a different pricebook than the one assigned to the parent"
        raise _refuse("FIELD_INTEGRITY_EXCEPTION", text, "PricebookEntryId")
    return entry


def _price_line(context: Context, row: Row, parent: Row) -> None:
    entry = _entry(context, row, parent)
    product = context.db.get(context.org.full["Product2"], str(entry["Product2Id"])) or {}
    row |= {
        "PricebookEntryId": entry["Id"],
        "Product2Id": entry["Product2Id"],
        "ListPrice": entry["UnitPrice"],
    }
    row["CurrencyIsoCode"] = parent["CurrencyIsoCode"]
    if "ProductCode" in row:
        row |= {
            "ProductCode": product.get("ProductCode"),
            "Name": f"{parent['Name']} {product.get('Name')}"[:376],
        }
    if row["UnitPrice"] is None and row.get("TotalPrice") is None:
        row["UnitPrice"] = entry["UnitPrice"]
    if parent["Pricebook2Id"] is None:
        table = context.org.full["Opportunity" if "OpportunityId" in row else "Order"]
        context.db.update(table, str(parent["Id"]), {"Pricebook2Id": entry["Pricebook2Id"]})


def before_line(save: Save) -> None:
    """TotalPrice is price times quantity less the discount; a total given instead of a price sets the price."""
    context, old, row, given = save.context, save.old, save.row, save.given
    if given.get("UnitPrice") is not None and given.get("TotalPrice") is not None:
        text = "UnitPrice and TotalPrice cannot both be set"
        raise _refuse("FIELD_INTEGRITY_EXCEPTION", text, "UnitPrice", "TotalPrice")
    if old is None:
        parent = _parent(context, "Opportunity", row["OpportunityId"], "OpportunityId")
        _price_line(context, row, parent)
    quantity = _decimal(row["Quantity"])
    discount = _decimal(row["Discount"]) if row["Discount"] is not None else None
    factor = 1 - (discount or ZERO) / 100
    if given.get("TotalPrice") is not None and quantity and factor:
        row["UnitPrice"] = round_half_up(_decimal(given["TotalPrice"]) / quantity / factor, 5)
    half_even = context.world.variants["salesforce.deals.line_total"] == "half_even"
    subtotal, total = line_total(_decimal(row["UnitPrice"]), quantity, discount, half_even=half_even)
    row |= {"Subtotal": subtotal, "TotalPrice": total}


def _parent(context: Context, name: str, record_id: Value, field: str) -> Row:
    row = context.db.get(context.org.full[name], str(record_id)) if record_id else None
    if row is None:
        raise _refuse("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field}]", field)
    if row["IsDeleted"]:
        raise _refuse("ENTITY_IS_DELETED", "entity is deleted", field)
    return row


def after_line(save: Save) -> None:
    """The deal follows its lines."""
    context, row = save.context, save.row
    roll_up(context, str(row["OpportunityId"]))


def roll_up(context: Context, opportunity_id: str) -> None:
    """Sets a deal's amount to the sum of its lines. Its stamp moves when that changes it, else as the variant says."""
    opportunity = context.org.full["Opportunity"]
    line = context.org.full["OpportunityLineItem"]
    row = context.db.get(opportunity, opportunity_id)
    if row is None:
        return
    lines = context.db.select(line, '"OpportunityId" = ? AND "IsDeleted" = 0', [opportunity_id])
    keep = not lines and context.world.variants["salesforce.deals.last_line_removed"] == "amount_kept"
    amount = row["Amount"] if keep else sum((_decimal(one["TotalPrice"]) for one in lines), ZERO)
    changes: Row = {
        "Amount": amount,
        "ExpectedRevenue": expected_revenue(amount, row["Probability"]),
        "HasOpportunityLineItem": bool(lines),
        "TotalOpportunityQuantity": sum((_decimal(one["Quantity"]) for one in lines), ZERO)
        if lines
        else None,
    }
    moved = any(row[name] != changes[name] for name in ("Amount", "HasOpportunityLineItem"))
    if moved or context.world.variants["salesforce.deals.line_edit_stamps"] == "stamped":
        changes |= {"LastModifiedDate": context.now(), "SystemModstamp": context.now()}
        changes["LastModifiedById"] = context.user_id
        context.note("update", opportunity, opportunity_id)
    context.db.update(opportunity, opportunity_id, changes)
    if moved and row["Amount"] != amount:
        _history(context, row | changes)


def before_order(save: Save) -> None:
    """The status has a category; the total starts at zero."""
    old, row = save.old, save.row
    row["StatusCode"] = "A" if row["Status"] == "Activated" else "D"
    if old is None:
        row["TotalAmount"] = ZERO


def before_order_item(save: Save) -> None:
    """As a deal's line, without discount."""
    context, old, row = save.context, save.old, save.row
    if old is None:
        parent = _parent(context, "Order", row["OrderId"], "OrderId")
        _price_line(context, row, parent)
    row["TotalPrice"] = line_total(_decimal(row["UnitPrice"]), _decimal(row["Quantity"]), None)[1]
    row["AvailableQuantity"] = row["Quantity"]


def after_order_item(save: Save) -> None:
    """The order's total follows its lines."""
    total_order(save.context, str(save.row["OrderId"]))


def total_order(context: Context, order_id: str) -> None:
    """Sets an order's amount to the sum of its lines."""
    order, line = context.org.full["Order"], context.org.full["OrderItem"]
    lines = context.db.select(line, '"OrderId" = ? AND "IsDeleted" = 0', [order_id])
    total = sum((_decimal(one["TotalPrice"]) for one in lines), ZERO)
    changes: Row = {"TotalAmount": total, "LastModifiedDate": context.now(), "SystemModstamp": context.now()}
    context.db.update(order, order_id, changes)
    context.note("update", order, order_id)


def after_product(save: Save) -> None:
    """Price book entries and lines show their product's new name and code, without a new time stamp."""
    context, old, row = save.context, save.old, save.row
    if old is None or all(old[name] == row[name] for name in ("Name", "ProductCode")):
        return
    run = context.db.execute
    run(
        'UPDATE "PricebookEntry" SET "Name" = ?, "ProductCode" = ? WHERE "Product2Id" = ?',
        [row["Name"], row["ProductCode"], row["Id"]],
    )
    run(
        'UPDATE "OpportunityLineItem" SET "ProductCode" = ? WHERE "Product2Id" = ?',
        [row["ProductCode"], row["Id"]],
    )
