"""Records that are recalled rather than read change nothing but the time it takes.

The same histories happen to two organisations: one target recalls records, the other reads every one. Whatever the source, the
settings, the mapping, the release and the people in Xero do, both must have sent the same, say the same, and end alike.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from target_xero import fingerprint
from target_xero.engine import Engine
from target_xero.fingerprint import HARMLESS
from target_xero.ledger import Ledger
from target_xero.ledger.model import WITHDRAWN
from target_xero.plan import planner
from target_xero.settings import Settings
from target_xero.target import TargetXero

MAPPING = """
mapping: shop
source: A shop
options:
  due_days: {{type: whole, default: 30, description: Days}}
streams:
  Customer:
    common: {{source_label: Name}}
    documents:
      - document: contacts
        withdraw_when: Gone
        fields: {{source_key: Id, ContactNumber: Id, Name: Name, EmailAddress: Email, previous_source_key: Before}}
  Sale:
    common: {{source_label: Title}}
    documents:
      - document: invoices
        withdraw_when: not Won
        refuse:
          - {{rule: no-title, when: not Title, cure: Give it a title.}}
        fields:
          source_key: Id
          marker: ('SF-' + Id)
          contact_key: Customer
          Type: "'ACCREC'"
          Date: "'2026-11-02'"
          DueDate: add_days('2026-11-02', options.due_days)
          LineAmountTypes: "'Exclusive'"
          Reference: "{reference} + Title"
          Status: "'DRAFT'"
          expected_total: Total
          LineItems:
            each: Lines
            fields: {{Description: line.Text, Quantity: "1", UnitAmount: line.Price, AccountCode: "'200'"}}
"""
CUSTOMERS, SALES, RUNS = 3, 4, 12
STEPS = (
    ["change"] * 6 + ["revert"] * 3 + ["gone", "refused", "untitled", "difference", "no total", "rekey"] + ["person"] * 3
    + ["mapping", "options", "totals", "totals", "release", "restore", "undo", "plan", "nothing", "nothing"]
)  # fmt: skip


class Source:
    """The shop's records, as they are and as they were."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[str, dict[str, Any]]] = {}
        self.before: dict[str, list[dict[str, Any]]] = {}
        for n in range(CUSTOMERS):
            self._found(
                "Customer",
                {"Id": f"C{n}", "Name": f"Customer {n}", "Email": f"c{n}@example.com", "Gone": False},
            )
        for n in range(SALES):
            lines = [{"Text": "Work", "Price": 10 + n}, {"Text": "More", "Price": 5}]
            sale = {
                "Id": f"S{n}",
                "Title": f"Sale {n}",
                "Won": True,
                "Customer": f"C{n % CUSTOMERS}",
                "Lines": lines,
            }
            self._found("Sale", {**sale, "Total": 15 + n})

    def _found(self, stream: str, record: dict[str, Any]) -> None:
        self.records[record["Id"]] = (stream, record)
        self.before[record["Id"]] = []

    def change(self, key: str, **values: Any) -> None:
        stream, record = self.records[key]
        self.before[key].append(record)
        self.records[key] = (stream, {**record, **values})

    def revert(self, key: str, chance: random.Random) -> None:
        stream, record = self.records[key]
        if self.before[key]:
            self.records[key] = (stream, chance.choice(self.before[key]))
            self.before[key].append(record)

    def late(self, chance: random.Random) -> list[tuple[str, dict[str, Any]]]:
        """What some of them said before, delivered once more."""
        return [
            (self.records[key][0], chance.choice(said))
            for key, said in self.before.items()
            if said and chance.random() < 0.1
        ]


class Side:
    """One organisation with its ledger and a target that recalls records, or does not."""

    def __init__(self, house: Any, folder: Path, *, recalls: bool) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.house = type(house)(folder, house.caplog)
        self.mapping = folder / "shop.yml"
        self.config: dict[str, Any] = {"mapping": str(self.mapping), "recall_records": recalls}
        self.write_mapping("''")

    def write_mapping(self, reference: str) -> None:
        self.mapping.write_text(MAPPING.format(reference=reference))

    def run(self, records: list[tuple[str, dict[str, Any]]], **config: Any) -> list[Any]:
        """What of a run anybody outside can see."""
        house = self.house
        house.forget_exchanges()
        streams = dict.fromkeys(stream for stream, _ in records)
        schemas = [
            {
                "type": "SCHEMA",
                "stream": stream,
                "key_properties": ["Id"],
                "schema": {"properties": {"Id": {}}},
            }
            for stream in streams
        ]
        now = house.sandbox.clock.now().isoformat()
        rows = [{"type": "RECORD", "stream": s, "record": r, "time_extracted": now} for s, r in records]
        ran = house.run([*schemas, *rows, house.state(len(records))], **self.config, **config)
        return [ran.exit_code, ran.states, self._told(ran.err), *self._wrote()]

    def command(self, *arguments: str) -> list[Any]:
        self.house.forget_exchanges()
        ran = self.house.command(*arguments, **self.config)
        return [ran.exit_code, self._told(ran.output), *self._wrote()]

    def _told(self, text: str) -> str:
        told = "".join(text.split()).replace(str(self.folder), "")
        return re.sub(r"T\d{6}Z|[0-9a-f]{8,}", "", told)

    def _wrote(self) -> list[Any]:
        return [
            (e["method"], e["path"], e["body"]) for e in self.house.exchanges()
            if e["method"] != "GET" and "/api.xro/" in e["path"]
        ]  # fmt: skip

    def person(self, chance: random.Random) -> None:
        """Somebody works in Xero."""
        invoices = [row for row in self.house.books("Invoices") if "SF-" in (row.get("Reference") or "")]
        contacts = [row for row in self.house.books("Contacts") if str(row.get("ContactNumber"))[:1] == "C"]
        edits: list[dict[str, Any]] = [
            {
                "action": "edit_contact",
                "contact": row["ContactID"],
                "fields": {"EmailAddress": "p@example.com"},
            }
            for row in contacts
        ]
        edits += [{"action": "archive_contact", "contact": row["ContactID"]} for row in contacts]
        for row in invoices:
            edits += [
                {"action": name, "invoice": row["InvoiceID"]}
                for name in ("approve_invoice", "delete_invoice")
            ]
        try:
            self.house.sandbox.edit("xero", chance.choice(edits))
        except (ValueError, IndexError):
            """Xero's rules bind people, too; or there is nothing yet."""

    def keep_ledger(self) -> None:
        shutil.copy(self.folder / "ledger.sqlite", self.folder / "kept.sqlite")

    def restore_ledger(self) -> None:
        if (self.folder / "kept.sqlite").exists():
            shutil.copy(self.folder / "kept.sqlite", self.folder / "ledger.sqlite")


CHANGES: dict[str, dict[str, Any]] = {
    "gone": {"Gone": True, "Won": False},
    "refused": {"Email": "not an address", "Lines": [{"Text": "", "Price": 1}]},
    "untitled": {"Title": ""},
    "no total": {"Total": None},
}
VALUES: dict[str, tuple[Any, ...]] = {
    "mapping": ("''", "'No '"),
    "options": (30, 14),
    "totals": ("rounding_line", "accept"),
}


def _set(what: str, value: Any, sides: list[Side]) -> None:
    for side in sides:
        if what == "mapping":
            side.write_mapping(value)
        elif what == "options":
            side.config["mapping_options"] = {"due_days": value}
        else:
            side.config["on_total_difference"] = value


def _step(what: str, source: Source, sides: list[Side], chance: random.Random, patch: Any) -> None:
    """One thing happens, to both alike."""
    key = chance.choice(list(source.records))
    if what == "change":
        word = f"{key} {chance.choice('ab')}"
        source.change(key, Title=word, Name=word)
    elif what == "revert":
        source.revert(key, chance)
    elif what == "difference":
        n = chance.randrange(SALES)
        source.change(f"S{n}", Total=15.4 + n)
    elif what in CHANGES:
        source.change(key, **CHANGES[what])
    elif what == "rekey":
        source.change(key, Before=f"C{chance.randrange(CUSTOMERS)}")
    elif what in VALUES:
        _set(what, chance.choice(VALUES[what]), sides)
    elif what == "release":
        _release(patch, chance.choice(("1", "2")))
    elif what == "person":
        seed = chance.random()
        for side in sides:
            side.person(random.Random(seed))


REAL_CANONICAL = planner.canonical


def _release(patch: Any, number: str) -> None:
    """Another release, which cleans a contact's name in another way."""

    def canonical(stream: str, document: Any) -> Any:
        content, problems = REAL_CANONICAL(stream, document)
        if number == "2" and "Name" in content:
            content["Name"] += "."
        return content, problems

    patch.setattr(planner, "canonical", canonical)
    patch.setattr(fingerprint, "_code", lambda: number)


def _history(
    seed: int, house: Any, folder: Path, patch: Any, steps: int
) -> Iterator[tuple[list[Any], list[Any]]]:
    """What both sides did, run by run."""
    chance = random.Random(seed)
    sides = [Side(house, folder / name, recalls=name == "a") for name in ("a", "b")]
    source = Source()
    _release(patch, "1")
    for number in range(RUNS):
        what = chance.choice(steps) if number > 1 else "nothing"
        _step(what, source, sides, chance, patch)
        if what == "restore":
            for side in sides:
                side.restore_ledger()
        records = [one for one in source.records.values() if chance.random() < 0.9]
        records += [one for one in records if chance.random() < 0.1]
        records += source.late(chance)
        if chance.random() < 0.3:
            chance.shuffle(records)
        config = {"mode": "plan"} if what == "plan" else {"retry_refused": chance.random() < 0.3}
        first, second = (side.run(records, **config) for side in sides)
        yield first, second
        if what == "undo":
            first, second = (side.command("undo", str(number), "--apply") for side in sides)
            yield first, second
        for side in sides:
            side.house.sandbox.clock.advance(1000)
        if chance.random() < 0.2:
            for side in sides:
                side.keep_ledger()
        first, second = (
            [side.house.sandbox.dump("xero")[k] for k in ("Contacts", "Invoices")] for side in sides
        )
        yield first, second


def _differs(seed: int, house: Any, folder: Path, patch: Any, steps: list[str] = STEPS) -> str:
    """Where the two sides part, if they do."""
    for first, second in _history(seed, house, folder / str(seed), patch, steps):
        if first != second:
            return f"seed {seed}: {first} != {second}"
    return ""


@pytest.fixture
def recalled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of documents that were taken for what they had been."""
    found: list[str] = []
    real = TargetXero._take_known

    def counting(self: TargetXero, stream: str, met: Any) -> None:
        found.extend(key for _, documents in met for _, key, _, _ in documents)
        real(self, stream, met)

    monkeypatch.setattr(TargetXero, "_take_known", counting)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_recalling_records_changes_nothing_that_anybody_can_see(
    seed: int, house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recalled: list[str]
) -> None:
    assert _differs(seed, house, tmp_path, monkeypatch) == ""
    assert len(recalled) > 5


def _without(part: str, *args: Any) -> Any:
    return (one for one in fingerprint_parts(*args) if one[0] != part)


def _recall(verdict: Callable[[Ledger, str, str, str], bool]) -> Any:
    """`Ledger.recall` with another verdict on what it finds."""
    real = Ledger.recall

    def recall(ledger: Ledger, asked: Any) -> Any:
        found = real(ledger, asked).items()
        return {of: [(*one, verdict(ledger, *one)) for *one, _ in rows] for of, rows in found}

    return recall


def _linked(ledger: Ledger, kind: str, key: str, hash_: str) -> bool:
    link = ledger.links(kind, [key]).get(key)
    return link is not None and link.content_hash == hash_


def _never_entered(engine: Engine, stream: str, item: Any) -> None:
    engine._pending.setdefault(stream, []).append(item)


fingerprint_parts = fingerprint._circumstances

BUGS: dict[str, tuple[list[str], Any, str, Any]] = {  # with what happens where each shows
    "a setting left out": (["difference", "totals", "totals", "nothing"], fingerprint, "HARMLESS", HARMLESS | {"on_total_difference"}),
    "the mapping's text left out": (["mapping", "nothing"], fingerprint, "_circumstances", partial(_without, "mapping")),
    "the mapping's options left out": (["options", "nothing"], fingerprint, "_circumstances", partial(_without, "options")),
    "the code left out": (["release", "nothing"], fingerprint, "_circumstances", partial(_without, "code")),
    "no verdict of the planner": (["undo", "nothing", "change", "revert"], planner, "_stands", lambda known, hash_: True),
    "no verdict of the ledger": (["undo", "nothing", "change", "revert"], Ledger, "recall", _recall(lambda *_: True)),
    "open documents not looked at": (["change", "refused", "revert", "nothing"], planner, "_stands", lambda known, hash_: known and known.linked_hash == hash_),
    "open documents not looked at among those that stand": (["change", "refused", "revert", "nothing"], Ledger, "recall", _recall(_linked)),
    "what came before it in the same run not looked at": (["change", "revert", "nothing"], Engine, "_await", _never_entered),
    "a link is enough": (["change", "revert", "nothing"], planner, "_stands", lambda known, hash_: known is not None or hash_ == WITHDRAWN),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_the_histories_find_planted_bugs(
    bug: str, house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, *planted = BUGS[bug]
    monkeypatch.setattr(*planted)
    assert any(_differs(seed, house, tmp_path, monkeypatch, steps) for seed in range(10))


def test_every_setting_is_harmless_or_part_of_the_fingerprint() -> None:
    """A name in the list that is no setting (any more) is a mistake; a new setting is part of the fingerprint by itself."""
    names = {one.name for one in fields(Settings)}
    assert names >= HARMLESS
    assert {"allow_statuses", "on_total_difference", "books_closed_until"} <= names - HARMLESS
