"""The `messy` profile: what real orgs hold and an accounting system must refuse or cope with."""

from __future__ import annotations

from decimal import Decimal

from ikaroa_sandbox.salesforce.seeding.people import People
from ikaroa_sandbox.salesforce.seeding.plan import Sower
from ikaroa_sandbox.salesforce.seeding.sales import STAGES, Sales
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.store.derive import expected_revenue, fiscal, line_total, stage_facts

LONG_NAME = "The Very Long Name Society of Greater Manchester and Surrounding Districts " * 3


def make_messy(state: State, people: People, sales: Sales) -> None:
    """Adds the trouble to an org that is seeded already."""
    sower = Sower(state, people.sower.chance)
    _accounts(sower, people)
    _deals(sower, people, sales)
    sower.write()


def _accounts(sower: Sower, people: People) -> None:
    first = people.accounts[20]
    twin: Row = {
        name: first.get(name) for name in ("Name", "BillingStreet", "BillingCity", "BillingCountry", "Phone")
    }
    accounts: tuple[Row, ...] = (
        twin,
        {**twin, "Name": str(first["Name"]).upper()},
        {"Name": "🚀 Rocket Bakery 🥐 Ltd"},
        {"Name": LONG_NAME[:255]},
        {"Name": "Trailing  spaces   and	tabs"},
        {"Name": "Umlaut & Söhne OHG", "BillingCountry": "Germany"},
        {"Name": "No Mail Ltd"},
    )
    for number, values in enumerate(accounts):
        row = sower.add("Account", {"CurrencyIsoCode": "GBP", **values}, 40, 1)
        email = {5: "jörg@söhne.example", 6: None}.get(number, f"accounts{number}@messy.example")
        contact: Row = {
            "AccountId": row["Id"],
            "FirstName": "Sam",
            "LastName": f"Messy{number}",
            "Email": email,
        }
        contact |= {"Name": f"Sam Messy{number}", "Billing__c": True, "CurrencyIsoCode": "GBP"}
        sower.add("Contact", contact, 40, 1)
        _won(sower, f"Messy deal {number}", row, amount=Decimal("120.00"))


def _won(sower: Sower, name: str, account: Row | None, amount: Decimal | None, currency: str = "GBP") -> Row:
    stage = STAGES["Closed Won"]
    values: Row = {
        "Name": name, "AccountId": account["Id"] if account else None, **stage_facts(stage), "CloseDate": sower.day(-5), "Amount": amount, "CurrencyIsoCode": currency,
        "ExpectedRevenue": expected_revenue(amount, stage.probability), "PushCount": 0, **fiscal(sower.day(-5)),
    }  # fmt: skip
    return sower.add("Opportunity", values, 30, 5)


def _deals(sower: Sower, people: People, sales: Sales) -> None:
    account = people.accounts[30]
    usd = _won(sower, "Deal in a currency that is not enabled", account, Decimal("990.00"), "USD")
    usd["Description"] = "Paid in dollars"
    _won(sower, "Won deal without an account", None, Decimal("410.00"))
    _won(sower, "Deal over nothing", account, Decimal("0.00"))
    _won(sower, "Won without any amount", account, None)
    _with_lines(sower, sales, _won(sower, "Five decimals", account, None), [("0.33333", "3"), ("19.99", "2")])
    _with_lines(sower, sales, _won(sower, "Less a credit", account, None), [("250.00", "1"), ("-40.00", "1")])
    _with_lines(sower, sales, _won(sower, "Nothing but a credit", account, None), [("-75.50", "1")])


def _with_lines(sower: Sower, sales: Sales, deal: Row, lines: list[tuple[str, str]]) -> None:
    book, total = sales.books[0], Decimal(0)
    for place, (price, quantity) in enumerate(lines):
        product = sales.products[place]
        entry = sales.entries[book, str(product["Id"]), "GBP"]
        subtotal, line = line_total(Decimal(price), Decimal(quantity), None)
        total += line
        sower.add("OpportunityLineItem", {
            "OpportunityId": deal["Id"], "SortOrder": place + 1, "PricebookEntryId": entry["Id"],
            "Product2Id": product["Id"], "ProductCode": product["ProductCode"], "CurrencyIsoCode": "GBP",
            "Name": f"{deal['Name']} {product['Name']}", "Quantity": Decimal(quantity), "UnitPrice": Decimal(price),
            "ListPrice": entry["UnitPrice"], "Subtotal": subtotal, "TotalPrice": line,
        }, 30, 5)  # fmt: skip
    deal |= {"Pricebook2Id": book, "HasOpportunityLineItem": True, "Amount": total}
    deal["ExpectedRevenue"] = expected_revenue(total, deal["Probability"])
