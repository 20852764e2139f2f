"""What the CRM would send: a small world of documents, drawn from a seed, that changes from run to run.

The documents follow the contract in `crm_to_xero.documents`. Every change of a document makes it unacknowledged: it is sent
until a bookmark says that the target owns it, and perhaps again after that.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Document = dict[str, Any]
Key = tuple[str, str]
"""(stream, source key)."""

STREAMS = ("items", "contacts", "quotes", "invoices", "credit_notes", "payments")
_PRICES = ("10", "0.01", "19.99", "33.3333", "1250.00", "7.005", "100.10")
_QUANTITIES = ("1", "2", "3", "0.5", "1.25")
DAY = "2026-11-02"
CENT = Decimal("0.01")


def line_amount(line: Document) -> Decimal:
    """One line's amount as Xero documents it: quantity x price less the discount, rounded to the cent."""
    rate = Decimal(line.get("DiscountRate", "0"))
    exact = Decimal(line["Quantity"]) * Decimal(line["UnitAmount"]) * (100 - rate) / 100
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


def amount(document: Document) -> Decimal:
    """What a document comes to as its lines say it; a payment's own amount."""
    if "Amount" in document:
        return Decimal(document["Amount"])
    return sum((line_amount(line) for line in document["LineItems"]), Decimal(0))


def needs(stream: str, document: Document) -> list[Key]:
    """The documents it cannot do without."""
    found = [
        (kind, document[field])
        for field, kind in (("contact_key", "contacts"), ("invoice_key", "invoices"), ("credit_note_key", "credit_notes"))
        if document.get(field)
    ]  # fmt: skip
    found += [("items", line["item_key"]) for line in document.get("LineItems", ()) if line.get("item_key")]
    found += [("invoices", entry["invoice_key"]) for entry in document.get("allocations", ())]
    return found


@dataclass
class Source:
    """The CRM's side, now and in the past."""

    chance: random.Random
    now: dict[Key, Document] = field(default_factory=dict)
    versions: dict[Key, list[Document]] = field(default_factory=dict)
    unacknowledged: dict[Key, None] = field(default_factory=dict)
    """Insertion-ordered: what must be sent again."""
    wrong: dict[Key, Document] = field(default_factory=dict)
    """Documents that are not fit for Xero as they stand, with what they are once somebody puts them right."""
    replaced: dict[str, str] = field(default_factory=dict)
    """Contact keys that are no more: old -> new."""

    def put(self, stream: str, document: Document) -> None:
        """A document as it is from now on."""
        key = (stream, document["source_key"])
        self.now[key] = document
        self.versions.setdefault(key, []).append(document)
        self.unacknowledged.pop(key, None)
        self.unacknowledged[key] = None

    def of(self, stream: str) -> list[Document]:
        """The stream's documents, oldest first."""
        return [document for (kind, _), document in self.now.items() if kind == stream]

    def acknowledge(self, key: Key, document: Document) -> None:
        """The bookmark has passed this version of it."""
        if self.now.get(key) is document:
            self.unacknowledged.pop(key, None)

    # -- the first state -------------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Draws the world: mostly a small one, for what goes wrong takes few documents; every fourth is larger."""
        chance = self.chance
        large = chance.random() < 0.25
        some = (0, 1, 2, 3) if large else (0, 0, 1)
        for n in range(1, (chance.randint(3, 9) if large else chance.randint(2, 4)) + 1):
            self.put("contacts", self._contact(n, lead=chance.random() < 0.15))
        for n in range(chance.choice(some)):
            details = {"UnitPrice": chance.choice(_PRICES), "AccountCode": "200"}
            code = {"source_key": f"P{n}", "Code": f"W-{n}", "Name": f"Widget {n}"}
            self.put("items", {**code, "IsSold": True, "SalesDetails": details})
        for n in range(1, (chance.randint(3, 7) if large else chance.randint(1, 4)) + 1):
            self.put("invoices", self._invoice(n))
        for n in range(chance.choice(some)):
            self.put("quotes", self._sales(f"Q{n}", places=2) | {"Title": f"Offer {n}"})
        for n in range(chance.choice(some)):
            self._credit_note(n)
        for invoice in self.of("invoices"):
            if chance.random() < (0.6 if invoice.get("Status") == "AUTHORISED" else 0.15):
                self._payments(invoice)
        if chance.random() < 0.1:
            self._spoil(chance.choice([key for key in self.now if key[0] in ("contacts", "invoices")]))

    def _contact(self, n: int, *, lead: bool) -> Document:
        key = f"L{n}" if lead else f"C{n}"
        document = {"source_key": key, "source_label": f"Account {n}", "Name": f"Customer {n} Ltd"}
        if self.chance.random() < 0.5:
            document["ContactNumber"] = key
        if self.chance.random() < 0.5:
            document["EmailAddress"] = f"post{n}@example.com"
        return document

    def _sales(self, key: str, *, places: int = 4) -> Document:
        chance = self.chance
        prices = [price for price in _PRICES if -int(Decimal(price).as_tuple().exponent) <= places]
        lines = []
        for n in range(chance.randint(1, 3)):
            line = {
                "line_key": f"{key}-{n}",
                "Description": f"Line {n}",
                "Quantity": chance.choice(_QUANTITIES),
            }
            line |= {"UnitAmount": chance.choice(prices), "AccountCode": "200"}
            items = self.of("items")
            if items and chance.random() < 0.4:
                line["item_key"] = chance.choice(items)["source_key"]
            lines.append(line)
        document = {
            "source_key": key, "source_label": f"Deal {key}", "marker": f"SF-{key}",
            "contact_key": chance.choice(self.of("contacts"))["source_key"], "Date": DAY,
            "CurrencyCode": chance.choice(("GBP", "GBP", "EUR")),
            "LineAmountTypes": chance.choice(("Exclusive", "Exclusive", "Inclusive", "NoTax")), "LineItems": lines,
        }  # fmt: skip
        if chance.random() < 0.5:
            document["Reference"] = f"PO {key}"
        return document

    def _invoice(self, n: int) -> Document:
        chance = self.chance
        document = self._sales(f"O{n}") | {"DueDate": "2026-12-02"}
        if chance.random() < 0.4:
            document["InvoiceNumber"] = f"SF-{n:04}"
        if chance.random() < 0.45:
            document["Status"] = "AUTHORISED"
        if (
            n > 1 and chance.random() < 0.2
        ):  # the same customer, day and amount as another: only the marker tells them apart
            twin = self.of("invoices")[-1]
            same = ("contact_key", "CurrencyCode", "LineAmountTypes", "LineItems")
            document |= {name: twin[name] for name in same}
        return document

    def _credit_note(self, n: int) -> None:
        chance = self.chance
        document = self._sales(f"N{n}")
        if chance.random() < 0.4:
            document["CreditNoteNumber"] = f"CRN-{n:04}"
        targets = [
            invoice for invoice in self.of("invoices")
            if invoice.get("Status") == "AUTHORISED" and amount(invoice) >= 1
        ]  # fmt: skip
        if targets and chance.random() < 0.7:
            invoice = chance.choice(targets)
            document |= {name: invoice[name] for name in ("contact_key", "CurrencyCode")} | {
                "Status": "AUTHORISED"
            }
            share = min(amount(document), amount(invoice) / 4).quantize(CENT)
            if share > 0:
                entry = {"invoice_key": invoice["source_key"], "Amount": str(share), "Date": DAY}
                document["allocations"] = [entry]
        self.put("credit_notes", document)

    def _payments(self, invoice: Document) -> None:
        """One to three payments, equal ones among them, of at most half of the invoice (credit may take the rest)."""
        share = (amount(invoice) / 8).quantize(CENT)
        if share <= 0:
            return
        key, account = invoice["source_key"], "090" if invoice["CurrencyCode"] == "GBP" else "091"
        for n in range(self.chance.choice((1, 1, 2, 3))):
            equal = n == 0 or self.chance.random() < 0.6
            paid = share if equal else max(share - n * CENT, CENT)
            self.put(
                "payments",
                {
                    "source_key": f"{key}#payment{n}", "marker": f"SF:{key}:{n}", "invoice_key": key,
                    "source_label": f"Payment {n} of {key}", "AccountCode": account, "Date": DAY, "Amount": str(paid),
                },
            )  # fmt: skip

    def _spoil(self, key: Key) -> None:
        """Makes a document one that Xero's rules forbid; its dependents go nowhere either, until it is put right."""
        self.wrong[key] = self.now[key]
        fault = (
            {"EmailAddress": "nobody@nowhere@example"} if key[0] == "contacts" else {"CurrencyCode": "USD"}
        )
        self.now[key] = self.now[key] | fault
        self.versions[key] = [self.now[key]]

    # -- what changes ----------------------------------------------------------------------------------------------------

    def change(self) -> str:
        """One thing happens in the CRM; says what, for the schedule's telling."""
        chance = self.chance
        key = chance.choice(list(self.now))
        document = self.now[key]
        if key in self.wrong:
            return self._put_right(key)
        if key[0] == "contacts":
            if document["source_key"].startswith("L") and chance.random() < 0.7:
                return self._convert(document)
            changed = {"Name": f"{document['Name'].split(' (')[0]} ({len(self.versions[key])})"}
        elif key[0] == "items":
            changed = {"Name": f"Widget v{len(self.versions[key])} {key[1]}"}
        elif key[0] == "payments":
            return "nothing"
        elif self._may_withdraw(key, document):
            return self._withdraw_or_reinstate(key, document)
        elif document.get("withdrawn"):
            return "nothing"
        else:
            changed = self._other_lines(key, document)
        self.put(key[0], {**document, **changed})
        return f"{key[0]} {key[1]} changes: {', '.join(changed)}"

    def _other_lines(self, key: Key, document: Document) -> Document:
        lines = [dict(line) for line in document["LineItems"]]
        kind = self.chance.choice(("quantity", "text", "reference", "more"))
        if kind == "reference":
            return {"Reference": f"PO {key[1]} v{len(self.versions[key])}"}
        if kind == "more" and len(lines) < 4:
            lines.append({**lines[0], "line_key": f"{key[1]}-x{len(self.versions[key])}"})
        elif kind == "text":
            lines[0]["Description"] = f"Line 0 v{len(self.versions[key])}"
        else:
            lines[0]["Quantity"] = str(len(self.versions[key]) + 1)
        return {"LineItems": lines}

    def _may_withdraw(self, key: Key, document: Document) -> bool:
        if document.get("withdrawn"):
            return self.chance.random() < 0.7
        depended_on = any(key in needs(kind, other) for (kind, _), other in self.now.items())
        return document.get("Status") != "AUTHORISED" and not depended_on and self.chance.random() < 0.5

    def _withdraw_or_reinstate(self, key: Key, document: Document) -> str:
        if document.get("withdrawn"):
            self.put(key[0], next(old for old in reversed(self.versions[key]) if not old.get("withdrawn")))
            return f"{key[0]} {key[1]} is called for again"
        self.put(key[0], {"source_key": key[1], "withdrawn": True})
        return f"{key[0]} {key[1]} is withdrawn"

    def _convert(self, lead: Document) -> str:
        """A lead becomes an account: the contact has a new key, and so has what refers to it."""
        old, new = lead["source_key"], "C" + lead["source_key"][1:]
        del self.now["contacts", old]
        self.unacknowledged.pop(("contacts", old), None)
        self.replaced[old] = new
        converted = {**lead, "source_key": new, "previous_source_key": old}
        if "ContactNumber" in lead:
            converted["ContactNumber"] = new
        self.put("contacts", converted)
        for (stream, _), document in list(self.now.items()):
            if document.get("contact_key") == old:
                self.put(stream, {**document, "contact_key": new})
        return f"lead {old} becomes account {new}"

    def _put_right(self, key: Key) -> str:
        right = self.wrong.pop(key)
        if "contact_key" in right:  # its contact may have been converted meanwhile
            right = right | {"contact_key": self.now[key]["contact_key"]}
        self.put(key[0], right)
        return f"{key[0]} {key[1]} is put right"
