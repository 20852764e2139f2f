"""What must hold at the end: read from the sandbox's store and journal and from the documents that were sent, nothing else.

Knows no code of the target and no ledger. `open_rows` is what the target itself says is still open; it is believed only as
far as it must explain itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.proof.source import Document, Key, Source, amount, needs

Row = Mapping[str, Any]
SEPARATOR = " · "
TABLES = {
    "contacts": "Contacts", "items": "Items", "quotes": "Quotes", "invoices": "Invoices",
    "credit_notes": "CreditNotes", "payments": "Payments",
}  # fmt: skip
_IDS = {"Contacts": "ContactID", "Items": "ItemID", "Quotes": "QuoteID", "Invoices": "InvoiceID",
        "CreditNotes": "CreditNoteID", "Payments": "PaymentID"}  # fmt: skip
_NUMBERS = {"invoices": "InvoiceNumber", "credit_notes": "CreditNoteNumber"}
_DEAD = frozenset({"VOIDED", "DELETED", "ARCHIVED"})
_TROUBLED = frozenset({"sent", "unknown"})


def live(row: Row) -> bool:
    """Whether it is still in use."""
    return (row.get("ContactStatus") or row.get("Status")) not in _DEAD


def marker_of(row: Row) -> str:
    """What is written behind the text of a reference."""
    return str(row.get("Reference") or "").rpartition(SEPARATOR)[2]


@dataclass
class Story:
    """What happened outside of Xero's sight, and what people did there."""

    source: Source
    touched: set[Key]
    approved: set[Key]
    open_rows: Sequence[Row] = ()
    """What the target says is open after the last run: kind, source_key, state, note."""
    numbers_stay_taken: bool = False
    """Xero's rule here: the number of a document that was withdrawn is not given to another one."""
    findings: list[str] = field(default_factory=list)


class Verdict:
    """Compares one story with one sandbox."""

    def __init__(self, story: Story, books: Mapping[str, Sequence[Row]], journal: Iterable[Any]) -> None:
        self._story, self._books = story, books
        self._now = story.source.now
        self._made, self._changed = _by_the_app(journal)
        self._ids = {row[_IDS[table]]: row for table in _IDS for row in books[table]}
        self._by_handle: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for stream, table in TABLES.items():
            for row in books[table]:
                if live(row):
                    self._by_handle[stream, _handle_of_row(stream, row)].append(row)
        self._touched: dict[Key, bool] = {}

    def findings(self) -> list[str]:
        """Every sentence that should not be true; none: all is well."""
        found = list(self._story.findings)
        compared: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for key, document in self._now.items():
            rows = self._by_handle[key[0], _handle(key, document)]
            if self._is_touched(key):
                continue
            if (
                key[0] == "payments"
                and not rows
                and self._has_no_room(key, document["invoice_key"], amount(document))
            ):
                continue
            if not self._owed(key):
                if rows and not (document.get("withdrawn") and self._is_frozen(key)):
                    found.append(f"{_name(key)} is in Xero although the source does not call for it")
            elif not rows:
                found.append(f"LOST: {_name(key)} is not in Xero")
            elif len(rows) > 1:
                found.append(f"DOUBLED: {_name(key)} is in Xero {len(rows)} times")
            else:
                found += self._differences(key, rows[0])
                if "LineItems" in document or key[0] == "payments":
                    said, has = compared[f"{key[0]} {rows[0].get('CurrencyCode')}"]
                    wanted = self._agreed(key, rows[0])
                    compared[f"{key[0]} {rows[0].get('CurrencyCode')}"] = [
                        said + wanted,
                        has + _billed(rows[0]),
                    ]
        found += [
            f"MONEY: {what}: the source says {said}, Xero has {has}"
            for what, (said, has) in compared.items()
            if said != has
        ]
        found += (
            self._doubled() + self._replaced() + self._overwritten() + self._allocations() + self._explained()
        )
        return found

    # -- what is owed ------------------------------------------------------------------------------------------------------

    def _resolved(self, key: Key) -> Key:
        if key[0] == "contacts":
            return (key[0], self._story.source.replaced.get(key[1], key[1]))
        return key

    def _is_touched(self, key: Key) -> bool:
        """A person changed it, or something it needs, or will need."""
        key = self._resolved(key)
        if key not in self._touched:
            self._touched[key] = False  # no circles: documents need earlier kinds only
            versions = self._story.source.versions.get(key, ())
            self._touched[key] = any(self._resolved(t) == key for t in self._story.touched) or any(
                self._is_touched(need) for version in versions for need in needs(key[0], version)
            )
        return self._touched[key]

    def _is_frozen(self, key: Key) -> bool:
        versions = self._story.source.versions.get(key, ())
        return key in self._story.approved or any(v.get("Status") == "AUTHORISED" for v in versions)

    def _owed(self, key: Key) -> bool:
        key = self._resolved(key)
        document = self._now.get(key)
        if document is None or document.get("withdrawn") or key in self._story.source.wrong:
            return False
        if self._story.numbers_stay_taken and self._is_number_lost(key, document):
            return False
        if not all(
            self._owed(need)
            for need in needs(key[0], document)
            if key[0] != "credit_notes" or need[0] != "invoices"
        ):
            return False
        if key[0] != "payments":
            return True
        invoice = ("invoices", document["invoice_key"])
        rows = self._by_handle["invoices", _handle(invoice, self._now[invoice])]
        return bool(rows) and rows[0]["Status"] in ("AUTHORISED", "PAID")

    def _has_no_room(self, entry: Key, invoice_key: str, much: Decimal) -> bool:
        """The source sets more against an invoice than it comes to, and this entry is among what is too much.

        Xero's rule: `Payment amount exceeds the amount outstanding on this document`. What fits must be there, what does not must
        be refused, and the amount outstanding must be too small for it.
        """
        invoice = ("invoices", invoice_key)
        rows = self._by_handle["invoices", _handle(invoice, self._now[invoice])]
        parts = [
            amount(d) for k, d in self._now.items() if k[0] == "payments" and d["invoice_key"] == invoice_key
        ]
        parts += [
            Decimal(part["Amount"])
            for document in self._now.values()
            for part in document.get("allocations", ())
            if part["invoice_key"] == invoice_key
        ]
        refused = any(
            row["state"] == "rejected" and (row["kind"], row["source_key"]) == entry
            for row in self._story.open_rows
        )
        return (
            refused
            and len(rows) == 1
            and sum(parts) > Decimal(rows[0]["Total"])
            and much > Decimal(rows[0]["AmountDue"])
        )

    def _is_number_lost(self, key: Key, document: Document) -> bool:
        """It was withdrawn and is called for again, and Xero does not give it its number a second time."""
        field, mine = _NUMBERS.get(key[0], ""), _handle(key, document)
        return field in document and not self._by_handle[key[0], mine] and any(
            row[field] == document[field] and marker_of(row) == mine for row in self._books[TABLES[key[0]]]
        )  # fmt: skip

    # -- content -----------------------------------------------------------------------------------------------------------

    def _versions(self, key: Key) -> list[Document]:
        if not self._is_frozen(key):
            return [self._now[key]]
        return [v for v in self._story.source.versions[key] if not v.get("withdrawn")]

    def _agreed(self, key: Key, row: Row) -> Decimal:
        """The amount of the version that Xero should have."""
        amounts = [amount(version) for version in self._versions(key)]
        return next((value for value in reversed(amounts) if value == _billed(row)), amounts[-1])

    def _differences(self, key: Key, row: Row) -> list[str]:
        told: list[list[str]] = []
        for version in self._versions(key):
            wrong = [
                f"{name}: {theirs!r}, not {mine!r}"
                for name, mine, theirs in self._compared(key, version, row)
                if mine != theirs
            ]
            if not wrong:
                return []
            told.append(wrong)
        return [f"WRONG: {_name(key)}: {'; '.join(told[-1])}"]

    def _compared(self, key: Key, document: Document, row: Row) -> Iterable[tuple[str, Any, Any]]:
        stream = key[0]
        if stream == "contacts":
            yield from (
                (name, document[name], row.get(name)) for name in ("Name", "EmailAddress") if name in document
            )
        elif stream == "items":
            yield "Name", document["Name"], row["Name"]
        elif stream == "payments":
            yield "Amount", Decimal(document["Amount"]), Decimal(row["Amount"])
            invoice = ("invoices", document["invoice_key"])
            paid = self._ids.get(row["DocumentID"], {})
            yield "Invoice", _handle(invoice, self._now[invoice]), marker_of(paid)
        else:
            yield from self._compared_sale(stream, document, row)

    def _compared_sale(self, stream: str, document: Document, row: Row) -> Iterable[tuple[str, Any, Any]]:
        reference = document.get("Reference")
        marker = document["marker"]
        yield "Reference", f"{reference}{SEPARATOR}{marker}" if reference else marker, row["Reference"]
        yield "amount", amount(document), _billed(row)
        yield "CurrencyCode", document["CurrencyCode"], row["CurrencyCode"]
        yield "Date", document["Date"], row["Date"]
        if stream in _NUMBERS and _NUMBERS[stream] in document:
            yield "number", document[_NUMBERS[stream]], row[_NUMBERS[stream]]
        if document.get("Status") == "AUTHORISED":
            yield "approved", True, row["Status"] in ("AUTHORISED", "PAID")
        contact = self._resolved(("contacts", document["contact_key"]))
        if contact in self._now:
            yield (
                "Contact",
                _handle(contact, self._now[contact]),
                self._ids[row["ContactID"]].get("ContactNumber"),
            )
        mine = [
            (line["Description"], Decimal(line["Quantity"]), Decimal(line["UnitAmount"]))
            for line in document["LineItems"]
        ]
        theirs = [
            (line["Description"], Decimal(line["Quantity"]), Decimal(line["UnitAmount"]))
            for line in row["LineItems"]
        ]
        yield "lines", mine, theirs
        codes = [
            self._now["items", line["item_key"]]["Code"]
            for line in document["LineItems"]
            if "item_key" in line
        ]
        yield "items", codes, [line["ItemCode"] for line in row["LineItems"] if line.get("ItemCode")]

    # -- never twice -------------------------------------------------------------------------------------------------------

    def _doubled(self) -> list[str]:
        """Whatever people did: of what the app made for one marker, at most one may be live."""
        found = []
        for (table, handle), ids in self._made.items():
            there = [id_ for id_ in ids if live(self._ids.get(id_, {"Status": "DELETED"}))]
            if handle and len(there) > 1:
                found.append(
                    f"DOUBLED: {table} {handle} was made {len(ids)} times, and {len(there)} of them are live"
                )
        return found

    def _overwritten(self) -> list[str]:
        """What people made is never changed by the app: no document here has their numbers, names or references."""
        ours = {id_ for ids in self._made.values() for id_ in ids}
        return [
            f"OVERWRITTEN: {table} {id_}, which the app did not make"
            for table, id_ in self._changed
            if id_ not in ours
        ]

    def _replaced(self) -> list[str]:
        return [
            f"DOUBLED: contact {old} is still in Xero beside {new}"
            for old, new in self._story.source.replaced.items()
            if self._by_handle["contacts", old] and not self._is_touched(("contacts", new))
            and self._owed(("contacts", new))
        ]  # fmt: skip

    def _allocations(self) -> list[str]:
        found = []
        there = Counter((row["CreditNoteID"], row["InvoiceID"], Decimal(row["Amount"])) for row in self._books["Allocations"]
                        if row.get("CreatedByApp"))  # fmt: skip
        found += [
            f"DOUBLED: allocation of {note} to {invoice}"
            for (note, invoice, _), count in there.items()
            if count > 1
        ]
        for key, document in self._now.items():
            if key[0] != "credit_notes" or self._is_touched(key) or not self._owed(key):
                continue
            for entry in document.get("allocations", ()):
                invoice = ("invoices", entry["invoice_key"])
                notes = self._by_handle[key[0], _handle(key, document)]
                invoices = self._by_handle["invoices", _handle(invoice, self._now[invoice])]
                if len(notes) == len(invoices) == 1 and self._owed(invoice):
                    one = (notes[0]["CreditNoteID"], invoices[0]["InvoiceID"], Decimal(entry["Amount"]))
                    if there[one] != 1 and not (
                        there[one] == 0
                        and self._has_no_room(("allocations", f"{key[1]}#{invoice[1]}"), invoice[1], one[2])
                    ):
                        found.append(f"LOST: {_name(key)} is set against {invoice[1]} {there[one]} times")
        return found

    # -- what the target says of itself --------------------------------------------------------------------------------------

    def _explained(self) -> list[str]:
        found = []
        for row in self._story.open_rows:
            keys = self._keys_of(row)
            what = f"{row['kind']} {row['source_key']} is {row['state']}"
            if row["state"] in _TROUBLED:
                found.append(f"UNKNOWN: {what} ({row['note']})")
            elif len(str(row["note"]).split()) < 4:
                found.append(f"SPEECHLESS: {what} and says only {row['note']!r}")
            elif row["state"] == "parked" and not any(map(self._is_touched, keys)):
                found.append(f"PARKED: {what} though nobody touched it: {row['note']}")
            elif not any(map(self._may_be_open, keys)) and not self._is_too_much(row):
                found.append(f"OPEN: {what} without a cause: {row['note']}")
        return found

    def _is_too_much(self, row: Row) -> bool:
        kind, key = row["kind"], row["source_key"]
        if kind == "payments":
            document = self._now[kind, key]
            return self._has_no_room((kind, key), document["invoice_key"], amount(document))
        if kind != "allocations":
            return False
        note, _, invoice = key.partition("#")
        entries = self._now["credit_notes", note].get("allocations", ())
        return any(
            self._has_no_room((kind, key), invoice, Decimal(entry["Amount"]))
            for entry in entries
            if entry["invoice_key"] == invoice
        )

    def _keys_of(self, row: Row) -> list[Key]:
        if row["kind"] != "allocations":
            return [(row["kind"], row["source_key"])]
        note, _, invoice = row["source_key"].partition("#")
        return [("credit_notes", note), ("invoices", invoice)]

    def _may_be_open(self, key: Key) -> bool:
        if self._is_touched(key) or not self._owed(key):
            return True  # refused with its cause, or it waits for an approval
        return self._is_frozen(key) and len(self._story.source.versions[key]) > 1


def _handle(key: Key, document: Document) -> str:
    """What the document is known by in Xero."""
    if key[0] == "contacts":
        return document.get("ContactNumber") or key[1]
    if key[0] == "items":
        return str(document["Code"])
    return str(document.get("marker") or f"SF-{key[1]}")


def _handle_of_row(stream: str, row: Row) -> str:
    if stream == "contacts":
        return row.get("ContactNumber") or ""
    return str(row["Code"]) if stream == "items" else marker_of(row)


def _billed(row: Row) -> Decimal:
    """What its lines come to: before tax, or with it where they include it."""
    if "Amount" in row:
        return Decimal(row["Amount"])
    return Decimal(row["Total" if row["LineAmountTypes"].casefold() == "inclusive" else "SubTotal"])


def _by_the_app(journal: Iterable[Any]) -> tuple[dict[tuple[str, str], set[str]], list[tuple[str, str]]]:
    """Ids of what the app's own requests created, by table and handle; and (table, id) of what they changed."""
    made: dict[tuple[str, str], set[str]] = defaultdict(set)
    changed: list[tuple[str, str]] = []
    for exchange in journal:
        for effect in exchange.effects:
            if effect["object"] not in _IDS:
                continue
            if effect["action"] == "create":
                handle = effect.get("ContactNumber") or effect.get("Code") or marker_of(effect)
                made[effect["object"], handle].add(effect["id"])
            elif effect["action"] == "update":
                changed.append((effect["object"], effect["id"]))
    return made, list(dict.fromkeys(changed))


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]}"
