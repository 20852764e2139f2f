"""Seeded products, price books, opportunities with lines, orders, schedules."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.salesforce import setup
from ikaroa_sandbox.salesforce.seeding import plan
from ikaroa_sandbox.salesforce.seeding.people import People
from ikaroa_sandbox.salesforce.seeding.plan import Sower
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.store.derive import expected_revenue, fiscal, line_total, stage_facts
from ikaroa_sandbox.salesforce.values import round_half_up

RATES = {"GBP": Decimal(1), "EUR": Decimal("1.17")}
ACCOUNT_CODES = {"Hardware": "200", "Software": "200", "Services": "260", "Training": None}
TAX_TYPES = {"Hardware": "OUTPUT2", "Software": "OUTPUT2", "Services": None, "Training": "ZERORATEDOUTPUT"}
GRADE_FACTORS = (Decimal(1), Decimal("1.5"), Decimal("2.25"), Decimal("3.6"))
STAGES = {stage.name: stage for stage in setup.STAGES}
OPEN_STAGES = [stage.name for stage in setup.STAGES if not stage.closed]


@dataclass
class Sales:
    """Makes the rows; needs the people first."""

    sower: Sower
    people: People
    products: list[Row] = field(default_factory=list)
    entries: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    """(price book id, product id, currency) -> entry."""
    books: list[str] = field(default_factory=list)
    deals: list[Row] = field(default_factory=list)
    lines: dict[str, list[Row]] = field(default_factory=dict)

    def sow_products(self) -> None:
        """Sixty products in two price books, each in both currencies."""
        standard = self.sower.state.db.select(self.sower.object("Pricebook2"))[0]
        partner = self.sower.add("Pricebook2", {"Name": "Partner Price Book", "IsActive": True}, 800)
        self.books = [str(standard["Id"]), str(partner["Id"])]
        for name, family, code, price, unit in plan.words()["products"]:
            for grade, factor in zip(plan.words()["grades"], GRADE_FACTORS, strict=True):
                values: Row = {
                    "Name": f"{name} {grade}",
                    "ProductCode": f"{code}-{grade[:3].upper()}",
                    "Family": family,
                    "IsActive": not (code == "CS" and grade == "Max"),
                    "Description": f"{name}, grade {grade}" if self.sower.chance.random() < 0.7 else None,
                    "QuantityUnitOfMeasure": unit,
                    "StockKeepingUnit": f"SKU-{code}-{grade}",
                    "Account_Code__c": ACCOUNT_CODES[family],
                    "Tax_Type__c": TAX_TYPES[family],
                    "CurrencyIsoCode": "GBP",
                }
                product = self.sower.add("Product2", values, 750, self.sower.chance.uniform(1, 700))
                self.products.append(product)
                self._prices(product, Decimal(price) * factor)

    def _prices(self, product: Row, price: Decimal) -> None:
        places = 4 if price < 1 else 2
        for book, share in zip(self.books, (Decimal(1), Decimal("0.85")), strict=True):
            for currency, rate in RATES.items():
                values: Row = {
                    "Name": product["Name"],
                    "ProductCode": product["ProductCode"],
                    "Pricebook2Id": book,
                    "Product2Id": product["Id"],
                    "CurrencyIsoCode": currency,
                    "UnitPrice": round_half_up(price * share * rate, places),
                    "IsActive": product["IsActive"],
                }
                self.entries[book, str(product["Id"]), currency] = self.sower.add(
                    "PricebookEntry", values, 700
                )

    def sow_deals(self) -> None:
        """Two in five are won; most of those have lines, some only an amount."""
        chance = self.sower.chance
        won = int(plan.OPPORTUNITIES * plan.WON_SHARE)
        by_account: dict[str, list[Row]] = {}
        for contact in self.people.contacts:
            by_account.setdefault(str(contact["AccountId"]), []).append(contact)
        for number in range(plan.OPPORTUNITIES):
            stage = "Closed Won" if number < won else self._open_or_lost()
            has_lines = number >= plan.WON_WITHOUT_LINES if number < won else chance.random() < 0.6
            account = self.people.pick(self.people.accounts)
            self._deal(number, account, stage, has_lines, by_account.get(str(account["Id"]), []))

    def _open_or_lost(self) -> str:
        return "Closed Lost" if self.sower.chance.random() < 0.3 else str(self.people.pick(OPEN_STAGES))

    def _deal(self, number: int, account: Row, stage: str, has_lines: bool, contacts: list[Row]) -> None:  # noqa: FBT001
        chance = self.sower.chance
        facts = STAGES[stage]
        closed, won = facts.closed, facts.won
        created = chance.uniform(20, 500)
        closing = -chance.uniform(0.2, min(created - 1, 420)) if closed else chance.uniform(1, 120)
        changed = -closing if closed else chance.uniform(0.02, created)
        values: Row = {
            "AccountId": account["Id"], "Name": f"{account['Name']} - {self.people.pick(plan.words()['deals'])}"[:120],
            **stage_facts(facts), "CloseDate": self.sower.day(closing),
            "Type": self.people.pick(("New Customer", "Existing Customer - Upgrade", None)),
            "CurrencyIsoCode": account["CurrencyIsoCode"], "OwnerId": account["OwnerId"], "PushCount": 0,
            "HasOpportunityLineItem": False, "IsPrivate": False,
            "LastStageChangeDate": self.sower.ago(changed) if closed else None,
            "Ext_Id__c": f"DEAL-{number:05d}" if number % 7 == 0 else None,
            "PO_Number__c": f"PO-{chance.randint(1000, 99999)}" if chance.random() < 0.4 else None,
            "ContactId": contacts[0]["Id"] if contacts else None,
            **fiscal(self.sower.day(closing)),
        }  # fmt: skip
        deal = self.sower.add("Opportunity", values, created, changed)
        self.deals.append(deal)
        if has_lines:
            self._lines(deal, created, changed)
        else:
            deal["Amount"] = (
                Decimal(chance.randint(50_000, 4_000_000)) / 100 if won or chance.random() < 0.8 else None
            )
        deal["ExpectedRevenue"] = expected_revenue(deal.get("Amount"), deal["Probability"])
        if won:
            self._accounting(deal, -closing)
        for place, contact in enumerate(contacts[:2]):
            role: Row = {"OpportunityId": deal["Id"], "ContactId": contact["Id"], "IsPrimary": place == 0}
            role |= {
                "Role": self.people.pick(("Decision Maker", "Business User", "Other")),
                "CurrencyIsoCode": deal["CurrencyIsoCode"],
            }
            self.sower.add("OpportunityContactRole", role, created)
        self._history(deal, created, changed)

    def _lines(self, deal: Row, created: float, changed: float) -> None:
        chance = self.sower.chance
        book = self.books[0] if chance.random() < 0.8 else self.books[1]
        deal |= {"Pricebook2Id": book, "HasOpportunityLineItem": True}
        total, quantities = Decimal(0), Decimal(0)
        for place in range(chance.randint(1, plan.LINES_MAX)):
            product = self.people.pick([one for one in self.products if one["IsActive"]])
            entry = self.entries[book, str(product["Id"]), str(deal["CurrencyIsoCode"])]
            price = Decimal(str(entry["UnitPrice"]))
            quantity = Decimal(chance.choice((1, 1, 2, 3, 5, 10, 25))) * (1000 if price < 1 else 1)
            if product["QuantityUnitOfMeasure"] == "Hour":
                quantity += Decimal(chance.choice(("0", "0.25", "0.5")))
            discount = Decimal(chance.choice(("5", "10", "12.5"))) if chance.random() < 0.2 else None
            subtotal, line = line_total(price, quantity, discount)
            values: Row = {
                "OpportunityId": deal["Id"], "SortOrder": place + 1, "PricebookEntryId": entry["Id"],
                "Product2Id": product["Id"], "ProductCode": product["ProductCode"], "Quantity": quantity,
                "Name": f"{deal['Name']} {product['Name']}"[:376], "CurrencyIsoCode": deal["CurrencyIsoCode"],
                "Discount": discount, "Subtotal": subtotal, "TotalPrice": line, "UnitPrice": price, "ListPrice": price,
                "ServiceDate": deal["CloseDate"] if chance.random() < 0.3 else None,
                "Description": f"{product['Name']} as quoted" if chance.random() < 0.3 else None,
            }  # fmt: skip
            row = self.sower.add("OpportunityLineItem", values, created, changed)
            self.lines.setdefault(str(deal["Id"]), []).append(row)
            total, quantities = total + line, quantities + quantity
        deal |= {"Amount": total, "TotalOpportunityQuantity": round_half_up(quantities, 2)}

    def _accounting(self, deal: Row, days_ago: float) -> None:
        """What finance has noted on a won deal."""
        chance = self.sower.chance
        deal["Finance_Approved__c"] = chance.random() < 0.5
        if chance.random() < 0.3:
            deal["Invoice_Date__c"] = self.sower.day(-days_ago)
        if chance.random() < 0.2:
            deal["Due_Date__c"] = self.sower.day(-days_ago + 30)
        if chance.random() < 0.3:
            deal["Tax_Mode__c"] = self.people.pick(("Exclusive", "Exclusive", "Inclusive"))
        if chance.random() < 0.25 and days_ago > 2:
            share = chance.choice((Decimal(1), Decimal(1), Decimal("0.5")))
            deal |= {
                "Payment_Received__c": True,
                "Payment_Date__c": self.sower.day(-chance.uniform(0, days_ago - 1)),
                "Payment_Amount__c": round_half_up(Decimal(str(deal["Amount"])) * share, 2),
                "Payment_Reference__c": f"BACS {chance.randint(10000, 99999)}",
                "Payment_Method__c": self.people.pick(("Bank Transfer", "Card", "Direct Debit")),
            }

    def _history(self, deal: Row, created: float, changed: float) -> None:
        shared = {name: deal.get(name) for name in ("Amount", "CloseDate", "CurrencyIsoCode")}
        steps: list[tuple[str, float]] = [("Prospecting", created), (str(deal["StageName"]), changed)]
        for stage, days in steps[1:] if deal["StageName"] == "Prospecting" else steps:
            probability, category = STAGES[stage].probability, STAGES[stage].category
            values: Row = {
                **shared,
                "OpportunityId": deal["Id"],
                "StageName": stage,
                "Probability": probability,
            }
            values |= {
                "ForecastCategory": category,
                "ExpectedRevenue": expected_revenue(deal.get("Amount"), probability),
            }
            self.sower.add("OpportunityHistory", values, days)

    def sow_orders(self) -> None:
        """Orders of some won deals, with the deals' own lines."""
        with_lines = [deal for deal in self.deals if deal["IsWon"] and str(deal["Id"]) in self.lines]
        for deal in self.sower.chance.sample(with_lines, plan.ORDERS):
            lines = self.lines[str(deal["Id"])]
            number = self.sower.state.context.count("Order.OrderNumber") + 1
            active = self.sower.chance.random() < 0.7
            values: Row = {
                "AccountId": deal["AccountId"], "OpportunityId": deal["Id"], "Pricebook2Id": deal["Pricebook2Id"],
                "EffectiveDate": deal["CloseDate"], "Status": "Activated" if active else "Draft",
                "StatusCode": "A" if active else "D", "OrderNumber": f"{number:08d}", "Name": deal["Name"],
                "CurrencyIsoCode": deal["CurrencyIsoCode"],
                "TotalAmount": sum((self._order_total(line) for line in lines), Decimal(0)),
            }  # fmt: skip
            values["Name"] = str(values["Name"])[:80]
            order = self.sower.add("Order", values, 15)
            for line in lines:
                self._order_line(order, line)

    @staticmethod
    def _order_total(line: Row) -> Decimal:
        return line_total(Decimal(str(line["UnitPrice"])), Decimal(str(line["Quantity"])), None)[1]

    def _order_line(self, order: Row, line: Row) -> None:
        number = self.sower.state.context.count("OrderItem.OrderItemNumber") + 1
        same: dict[str, Any] = {
            name: line[name]
            for name in (
                "PricebookEntryId",
                "Product2Id",
                "Quantity",
                "UnitPrice",
                "ListPrice",
                "CurrencyIsoCode",
            )
        }
        values: Row = {**same, "OrderId": order["Id"], "OrderItemNumber": f"{number:010d}"}
        values |= {"TotalPrice": self._order_total(line), "AvailableQuantity": line["Quantity"]}
        self.sower.add("OrderItem", values, 15)

    def sow_schedules(self) -> None:
        """Three instalments for some won deals."""
        won = [deal for deal in self.deals if deal["IsWon"] and deal.get("Amount")]
        for deal in self.sower.chance.sample(won, plan.SCHEDULED_DEALS):
            amount = Decimal(str(deal["Amount"]))
            third = round_half_up(amount / 3, 2)
            for place, part in enumerate((third, third, amount - 2 * third)):
                number = self.sower.state.context.count("Invoice_Schedule__c.Name") + 1
                values: Row = {
                    "Name": f"IS-{number:05d}", "Opportunity__c": deal["Id"], "Amount__c": part,
                    "Due_Date__c": self.sower.day(30 * (place + 1)), "CurrencyIsoCode": deal["CurrencyIsoCode"],
                }  # fmt: skip
                self.sower.add("Invoice_Schedule__c", values, 10)
