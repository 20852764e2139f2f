"""Two acts of people that rewrite several records at once: merging duplicates and converting a lead."""

from __future__ import annotations

from dataclasses import dataclass

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import RecordError
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.store import accept, deletion, records
from ikaroa_sandbox.salesforce.store.context import Context
from ikaroa_sandbox.salesforce.store.database import Row

MERGEABLE = ("Account", "Contact", "Lead")
LEAD_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")


def merge(context: Context, item: ObjectType, master_id: str, loser_ids: list[str]) -> None:
    """Makes several records one: the losers' children move to the master, the losers go to the bin and name it."""
    if item.name not in MERGEABLE:
        raise ValueError(f"{item.name} records cannot be merged; {', '.join(MERGEABLE)} can")
    if not 1 <= len(loser_ids) <= limits.MERGE_LOSERS_MAX or master_id in loser_ids:
        raise ValueError(
            f"a merge takes 1 to {limits.MERGE_LOSERS_MAX} records that are not the master itself"
        )
    with context.atomic():
        accept.live_row(context, item, master_id)
        for loser_id in loser_ids:
            accept.live_row(context, item, loser_id)
            _move_children(context, item, loser_id, master_id)
            deletion.delete(context, item, loser_id)
            context.db.update(item, loser_id, {"MasterRecordId": master_id})
        records.change(context, item, master_id, {})


def _move_children(context: Context, item: ObjectType, loser_id: str, master_id: str) -> None:
    for child in context.org.full.children(item.name):
        below = context.org.full[child.object]
        if child.field == "MasterRecordId" or child.relationship is None:
            continue
        live = ' AND "IsDeleted" = 0' if below.has_bin else ""
        for row in context.db.select(below, f'"{child.field}" = ?{live}', [loser_id]):
            changes: Row = {
                child.field: master_id,
                "SystemModstamp": context.now(),
                "LastModifiedDate": context.now(),
            }
            context.db.update(below, str(row["Id"]), {k: v for k, v in changes.items() if below.field(k)})
            context.note("update", below, str(row["Id"]))


@dataclass(frozen=True)
class Conversion:
    """What a person chooses in the convert dialogue. Empty ids mean that new records are made."""

    account_id: str | None = None
    contact_id: str | None = None
    opportunity_name: str | None = None
    make_opportunity: bool = True
    status: str = "Closed - Converted"


def convert(context: Context, lead_id: str, choice: Conversion) -> dict[str, str | None]:
    """Converts a lead into an account, a contact and (unless not wanted) an opportunity; returns their ids."""
    lead_type = context.org.full["Lead"]
    with context.atomic():
        lead = accept.live_row(context, lead_type, lead_id)
        if lead["IsConverted"]:
            raise RecordError("CANNOT_CONVERT_LEAD", "lead is converted already")
        account_id = _account(context, lead, choice)
        contact_id = _contact(context, lead, choice, account_id)
        opportunity_id = _opportunity(context, lead, choice, account_id, contact_id)
        now = context.now()
        changes: Row = {
            "Status": choice.status,
            "IsConverted": True,
            "ConvertedDate": now[:10],
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
            "LastModifiedDate": now,
            "LastModifiedById": context.user_id,
            "SystemModstamp": now,
        }
        context.db.update(lead_type, lead_id, changes)
        context.note("update", lead_type, lead_id)
    return {"AccountId": account_id, "ContactId": contact_id, "OpportunityId": opportunity_id}


def _account(context: Context, lead: Row, choice: Conversion) -> str:
    item = context.org.full["Account"]
    if choice.account_id:
        accept.live_row(context, item, choice.account_id)
        return choice.account_id
    values: Row = {f"Billing{part}": lead[part] for part in LEAD_ADDRESS}
    values |= {
        "Name": lead["Company"],
        "Phone": lead["Phone"],
        "Fax": lead["Fax"],
        "Website": lead["Website"],
    }
    values |= {
        name: lead[name]
        for name in ("Industry", "AnnualRevenue", "NumberOfEmployees", "CurrencyIsoCode", "OwnerId")
    }
    return records.insert(context, item, values)


def _contact(context: Context, lead: Row, choice: Conversion, account_id: str) -> str:
    item = context.org.full["Contact"]
    if choice.contact_id:
        accept.live_row(context, item, choice.contact_id)
        return choice.contact_id
    same = (
        "FirstName",
        "LastName",
        "Salutation",
        "Title",
        "Phone",
        "MobilePhone",
        "Fax",
        "Email",
        "LeadSource",
    )
    values: Row = {name: lead[name] for name in (*same, "CurrencyIsoCode", "OwnerId")}
    values |= {f"Mailing{part}": lead[part] for part in LEAD_ADDRESS}
    return records.insert(context, item, values | {"AccountId": account_id})


def _opportunity(
    context: Context, lead: Row, choice: Conversion, account_id: str, contact_id: str
) -> str | None:
    if not choice.make_opportunity:
        return None
    month_end = f"{context.now()[:8]}28"
    values: Row = {
        "Name": choice.opportunity_name or f"{lead['Company']}-",
        "AccountId": account_id,
        "ContactId": contact_id,
        "StageName": "Prospecting",
        "CloseDate": month_end,
        "CurrencyIsoCode": lead["CurrencyIsoCode"],
        "OwnerId": lead["OwnerId"],
        "LeadSource": lead["LeadSource"],
    }
    return records.insert(context, context.org.full["Opportunity"], values)
