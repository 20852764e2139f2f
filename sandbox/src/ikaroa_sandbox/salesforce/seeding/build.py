"""Seeds an org: same seed and same clock, same rows."""

from __future__ import annotations

import random

from ikaroa_sandbox.salesforce.seeding import plan
from ikaroa_sandbox.salesforce.seeding.messy import make_messy
from ikaroa_sandbox.salesforce.seeding.people import People
from ikaroa_sandbox.salesforce.seeding.plan import Sower
from ikaroa_sandbox.salesforce.seeding.sales import Sales
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store import deletion
from ikaroa_sandbox.salesforce.store.database import Row


def build(state: State, seed: int, profile: str) -> None:
    """Fills a signed-up org as a profile (one of `core.PROFILES`) says."""
    if profile == "empty":
        return
    sower = Sower(state, random.Random(f"salesforce {seed}"))  # noqa: S311  believable data, not secrets
    people = People(sower)
    people.sow_accounts()
    people.sow_contacts()
    people.sow_leads()
    sales = Sales(sower, people)
    sales.sow_products()
    sales.sow_deals()
    sales.sow_orders()
    sales.sow_schedules()
    _convert(people, sales)
    sower.write()
    if profile == "messy":
        make_messy(state, people, sales)
    _bin(sower)
    state.context.take_effects()


def _convert(people: People, sales: Sales) -> None:
    """Some leads became accounts long ago."""
    contacts = {str(row["AccountId"]): row for row in people.contacts}
    deals = [deal for deal in sales.deals if str(deal["AccountId"]) in contacts]
    for lead, deal in zip(people.leads[-plan.CONVERTED_LEADS :], deals, strict=False):
        lead |= {
            "IsConverted": True,
            "Status": "Closed - Converted",
            "ConvertedDate": str(deal["CreatedDate"])[:10],
            "ConvertedAccountId": deal["AccountId"],
            "ConvertedContactId": contacts[str(deal["AccountId"])]["Id"],
            "ConvertedOpportunityId": deal["Id"],
        }


def _bin(sower: Sower) -> None:
    """Records that were deleted in the last days and still lie in the bin, made for it: none of the others goes."""
    context = sower.state.context
    for name, count, values in (
        ("Account", plan.BIN_ACCOUNTS, {"Name": "Closed-down account {0}"}),
        ("Contact", plan.BIN_CONTACTS, {"LastName": "Left {0}", "Name": "Left {0}"}),
        (
            "Lead",
            plan.BIN_LEADS,
            {
                "LastName": "Spam {0}",
                "Name": "Spam {0}",
                "Company": "Spam {0}",
                "Status": "Open - Not Contacted",
            },
        ),
        ("Opportunity", plan.BIN_OPPORTUNITIES, {"Name": "Entered twice {0}", "StageName": "Prospecting"}),
    ):
        item = sower.object(name)
        sower.rows = {}
        for number in range(count):
            row: Row = {key: text.format(number) for key, text in values.items()}
            if name == "Opportunity":
                row["CloseDate"] = sower.day(30)
            sower.add(name, {**row, "CurrencyIsoCode": "GBP"}, 60)
        sower.write()
        for number, row in enumerate(sower.rows[name]):
            context.at = sower.ago(1 + 2 * number)
            deletion.delete(context, item, str(row["Id"]))
    context.at = None
