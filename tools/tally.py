"""Counts what is owed and what is there, from the two systems' own data and nothing else.

Reads the sandbox's snapshots of Salesforce and Xero (`GET /_sandbox/snapshot`). It knows no ledger, no log and no code of
the tap, the transform or the target: it is the second opinion that the demo prints and that the tests believe.

The rule it checks: every live account is one contact (ContactNumber = Account.Id), every live product one item
(Code = ProductCode), every won deal with an account and an amount one sales invoice whose Reference ends in `SF-<Id>`,
over the sum of its lines, or its Amount when it has none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
LIVE_INVOICE = {"DRAFT", "SUBMITTED", "AUTHORISED", "PAID"}


@dataclass
class Documents:
    """One kind of document: what Xero holds, by the source's key. `doubled` are keys it holds more than once."""

    by_key: dict[str, Row] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Row], key: Callable[[Row], str | None]) -> Documents:
        """Sorts rows by their key; rows without one are not ours."""
        keyed = [(found, row) for row in rows if (found := key(row))]
        counts = Counter(found for found, _ in keyed)
        return cls(dict(keyed), sorted(found for found, count in counts.items() if count > 1))


@dataclass(frozen=True)
class Line:
    """One line of the table: how many documents of a kind came, changed, stayed, or are owed and not there."""

    kind: str
    created: int
    updated: int
    unchanged: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]


@dataclass(frozen=True)
class Money:
    """What the won deals come to in one currency, on both sides, before tax mode."""

    currency: str
    salesforce: Decimal
    xero: Decimal
    awaited: Decimal = Decimal(0)
    """The part of `salesforce` whose documents are not in Xero."""

    @property
    def agrees(self) -> bool:
        """Whether both sides agree to the cent, counting what is named as not there."""
        return self.salesforce - self.awaited == self.xero


@dataclass(frozen=True)
class Tally:
    """The whole comparison."""

    lines: tuple[Line, ...]
    money: tuple[Money, ...]

    @property
    def complete(self) -> bool:
        """Nothing missing, nothing doubled, every cent equal."""
        return all(not line.missing and not line.doubled for line in self.lines) and all(
            money.agrees and not money.awaited for money in self.money
        )

    @property
    def sound(self) -> bool:
        """Nothing doubled and every cent of what is there equal; something may still be on its way."""
        return all(not line.doubled for line in self.lines) and all(money.agrees for money in self.money)


def number(value: Any) -> Decimal:
    """A snapshot's number (text, so that no digit is lost)."""
    return Decimal(str(value)) if value is not None else Decimal(0)


def live(rows: Iterable[Row]) -> list[Row]:
    """The rows that are not in the recycle bin."""
    return [row for row in rows if not row.get("IsDeleted")]


def owed_deals(salesforce: Mapping[str, Any]) -> dict[str, tuple[str, Decimal]]:
    """Opportunity id -> (currency, amount) of every won deal with an account and something to bill."""
    objects = salesforce["objects"]
    lines: dict[str, list[Decimal]] = defaultdict(list)
    for row in live(objects.get("OpportunityLineItem", [])):
        lines[row["OpportunityId"]].append(number(row["TotalPrice"]))
    owed: dict[str, tuple[str, Decimal]] = {}
    for deal in live(objects["Opportunity"]):
        amount = sum(lines[deal["Id"]], Decimal(0)) if deal["Id"] in lines else number(deal.get("Amount"))
        if deal.get("IsWon") and deal.get("AccountId") and amount > 0:
            owed[deal["Id"]] = (deal.get("CurrencyIsoCode") or "GBP", amount)
    return owed


def invoice_key(row: Row) -> str | None:
    """The Salesforce id in a sales invoice's Reference."""
    if row.get("Type") != "ACCREC" or row.get("Status") not in LIVE_INVOICE:
        return None
    _, mark, rest = (row.get("Reference") or "").rpartition("SF-")
    return rest.split()[0] if mark and rest else None


def billed(row: Row) -> Decimal:
    """An invoice's amount as its lines say it: before tax, or with it where the lines include it."""
    return number(row["Total"] if row.get("LineAmountTypes") == "Inclusive" else row["SubTotal"])


def held(xero: Mapping[str, Any]) -> dict[str, Documents]:
    """What Xero holds of ours, by kind."""
    return {
        "contacts": Documents.of(xero["Contacts"], lambda row: row.get("ContactNumber")),
        "items": Documents.of(xero["Items"], lambda row: row.get("Code")),
        "invoices": Documents.of(xero["Invoices"], invoice_key),
    }


def tally(
    salesforce: Mapping[str, Any], xero: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> Tally:
    """Compares both sides. `before` is Xero's snapshot from before the run, for what came and what changed."""
    objects = salesforce["objects"]
    deals = owed_deals(salesforce)
    owed: dict[str, list[str]] = {
        "contacts": [row["Id"] for row in live(objects["Account"])],
        "items": [row["ProductCode"] for row in live(objects["Product2"]) if row.get("ProductCode")],
        "invoices": list(deals),
    }
    now, then = held(xero), held(before) if before else defaultdict(Documents)
    lines = []
    for kind, keys in owed.items():
        there, was = now[kind].by_key, then[kind].by_key
        ours = [key for key in keys if key in there]
        changed = [key for key in ours if key in was and stamp(there[key]) != stamp(was[key])]
        created = [key for key in ours if key not in was]
        missing = tuple(sorted(set(keys) - set(there)))
        doubled = tuple(key for key in now[kind].doubled if key in set(keys))
        lines.append(
            Line(kind, len(created), len(changed), len(ours) - len(created) - len(changed), missing, doubled)
        )
    return Tally(tuple(lines), tuple(money(deals, now["invoices"].by_key)))


def stamp(row: Row) -> Any:
    """When Xero last changed a row."""
    return row.get("UpdatedDateUTC")


def money(deals: Mapping[str, tuple[str, Decimal]], invoices: Mapping[str, Row]) -> Iterable[Money]:
    """Both sides' sums per currency. An invoice whose deal is no longer owed counts on Xero's side: it should be gone."""
    for currency in sorted(
        {currency for currency, _ in deals.values()} | {r["CurrencyCode"] for r in invoices.values()}
    ):
        mine = {key: amount for key, (code, amount) in deals.items() if code == currency}
        yield Money(
            currency,
            sum(mine.values(), Decimal(0)),
            sum((billed(row) for row in invoices.values() if row["CurrencyCode"] == currency), Decimal(0)),
            sum((amount for key, amount in mine.items() if key not in invoices), Decimal(0)),
        )
