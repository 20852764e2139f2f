"""The audit chain: what was done is told, and what is done behind the ledger's back is found and named."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from sqlalchemy import delete, insert, select, update
from target_xero.ledger import Ledger, Tenant, schema
from target_xero.ledger.execution import Effect
from target_xero.refusal import Refusal

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
TENANT = Tenant("t-1", "Sandbox Trading Ltd", "GBP", is_demo=False)


@pytest.fixture
def lived(ledger, new):
    """A ledger in which everything has happened once."""
    ledger.actor = "ledger-keeper"
    refusal = Refusal("name_missing", "Name", "", "Give it one.")
    ledger.add(
        [
            new(),
            new("C2"),
            new("C3", refusals=(refusal,)),
            new("L1"),
            new("O1", "invoices", amount_minor=1000, currency="GBP"),
        ]
    )
    first, second, third = ledger.ready("contacts", 10)
    ledger.mark_sent({i.id: "create" for i in (first, second, third)}, 1)
    ledger.done([Effect(first, "guid-1"), Effect(third, "guid-3")])
    ledger.reject([second.id], [refusal])
    ledger.rekey("contacts", "L1", "A1")
    ledger.release([second.id])
    ledger.supersede([second.id])
    (invoice,) = ledger.ready("invoices", 10)
    ledger.mark_sent({invoice.id: "create"}, 1)
    ledger.unknown([invoice.id], "no answer")
    ledger.back_to_planned([invoice.id])
    ledger.park([invoice.id], "look")
    ledger.unpark()
    ledger.done([Effect(invoice, "guid-9", amount_minor=1000, total_minor=1200, currency="GBP")])
    ledger.finish_run(NOW)
    ledger.begin_run(TENANT, NOW)
    ledger.unlink("contacts", "A1")
    return ledger


def differences(ledger):
    return ledger.verify().differences


def test_a_ledger_that_nobody_touched_holds(lived):
    verdict = lived.verify()
    assert (verdict.differences, verdict.intents, verdict.links) == ([], 5, 2)
    assert verdict.head == lived.audit()[-1].hash
    assert lived.verify(lived.audit()[0].hash).holds


def test_the_chain_tells_who_did_what_to_a_document_in_which_run(lived):
    told = [
        (e.actor, e.epoch, [entry.get("state") or entry["do"] for entry in e.entries])
        for e in lived.audit("invoices", "O1")
    ]
    assert told == [
        ("ledger-keeper", 1, ["planned"]),
        ("ledger-keeper", 1, ["sent"]),
        ("ledger-keeper", 1, ["unknown"]),
        ("ledger-keeper", 1, ["planned"]),
        ("ledger-keeper", 1, ["parked"]),
        ("ledger-keeper", 1, ["unknown"]),
        ("ledger-keeper", 1, ["done", "linked"]),
    ]  # fmt: skip
    assert lived.audit("invoices", "O1")[0].entries[0]["amount"] == 1000
    assert [e.entries[0]["rules"] for e in lived.audit("contacts", "C3")] == [["name_missing"]]
    assert lived.audit("contacts", "nobody") == []


def test_a_rekeyed_document_keeps_its_past(lived):
    states = [entry["do"] for e in lived.audit("contacts", "A1") for entry in e.entries]
    assert states == ["planned", "moved", "settled", "linked", "rekeyed", "unlinked"]


def test_a_link_that_is_not_there_is_not_told_to_be_gone(lived):
    lived.unlink("contacts", "A1")
    assert [e["do"] for row in lived.audit("contacts", "A1") for e in row.entries].count("unlinked") == 1


def test_what_is_rolled_back_is_not_told(ledger, new):
    before = len(ledger.audit())

    def torn():
        with ledger.atomic():
            ledger.add([new()])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        torn()
    with ledger.rehearsal():
        ledger.add([new()])
    ledger.add([new("C2")])
    assert len(ledger.audit()) == before + 1
    assert differences(ledger) == []


def test_no_name_and_no_text_of_a_document_is_in_the_chain(ledger, new):
    ledger.add(
        [new("K1", label="Canary Ltd", url="https://canary", refusals=(Refusal("r", "Name", "canary", "c"),))]
    )
    with ledger.atomic() as connection:
        text = json.dumps([list(row) for row in connection.execute(select(schema.audit))])
    assert "anary" not in text


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"amount_minor": 999}, "amount is 999, and the audit chain says 1000"),
        ({"xero_total_minor": 1}, "total is 1, and the audit chain says 1200"),
        ({"state": "superseded"}, "state is superseded, and the audit chain says done"),
        ({"remote_id": "guid-x"}, "remote is guid-x"),
        ({"document": "{}"}, "document is"),
        ({"source_key": "O2"}, "key is O2"),
    ],
)
def test_an_intent_that_was_edited_is_named(lived, edit, said):
    with lived.atomic() as connection:
        connection.execute(update(schema.intent).where(schema.intent.c.kind == "invoices").values(**edit))
    (sentence,) = differences(lived)
    assert sentence.startswith("invoices O")
    assert said in sentence


def test_rows_that_were_removed_or_added_are_named(lived):
    with lived.atomic() as connection:
        row = dict(
            connection.execute(select(schema.intent).where(schema.intent.c.source_key == "C3"))
            .mappings()
            .one()
        )
        connection.execute(delete(schema.intent).where(schema.intent.c.source_key == "C3"))
        connection.execute(insert(schema.intent).values({**row, "id": 99, "source_key": "C9"}))
        connection.execute(update(schema.link).where(schema.link.c.kind == "invoices").values(remote_id="g"))
        connection.execute(delete(schema.link).where(schema.link.c.source_key == "C1"))
        connection.execute(
            insert(schema.link).values(
                tenant="t-1", kind="items", source_key="P", remote_id="p", content_hash="", marker="P"
            )
        )
    found = differences(lived)
    assert any("contacts C9" in s and "added behind" in s for s in found)
    assert any(s.startswith("contacts C3") and "removed" in s for s in found)
    assert "The link of invoices O1 leads to g, and the audit chain says guid-9." in found
    assert any("The link of items P" in s and "added behind" in s for s in found)
    assert "The link of contacts C1 to guid-1 was removed." in found


def edit_chain(ledger, seq, **values):
    with ledger.atomic() as connection:
        connection.execute(update(schema.audit).where(schema.audit.c.seq == seq).values(**values))


def test_a_row_of_the_chain_that_was_changed_is_named(lived):
    edit_chain(lived, 2, actor="somebody else")
    assert differences(lived) == [
        "Row 2 of the audit chain was changed: its hash is not that of its content."
    ]


def test_a_row_that_says_nothing_sensible_is_named(lived):
    edit_chain(lived, 2, entries="[1]")
    assert any("Row 2 of the audit chain cannot be read" in s for s in differences(lived))


def test_a_chain_that_was_patched_in_the_middle_does_not_follow(lived):
    edit_chain(lived, 3, previous_hash="0" * 64)
    assert any("Row 3 of the audit chain does not follow" in s for s in differences(lived))


def test_a_row_that_was_left_out_is_missing(lived):
    with lived.atomic() as connection:
        connection.execute(delete(schema.audit).where(schema.audit.c.seq == 4))
    assert any("Row 4 of the audit chain is missing" in s for s in differences(lived))


def test_a_tail_that_was_cut_off_is_found_even_with_its_head(lived):
    newest = lived.audit()[-1]
    with lived.atomic() as connection:
        connection.execute(delete(schema.audit).where(schema.audit.c.epoch == 2))
    assert any("rows were cut off or added" in s for s in differences(lived))
    kept = lived.audit()[-1]
    with lived.atomic() as connection:
        head = json.dumps([kept.seq, kept.hash])
        connection.execute(update(schema.meta).where(schema.meta.c.key == "audit_head").values(value=head))
    assert any(s.startswith("Run 2 ended with the hash") for s in differences(lived))
    assert any(newest.hash in s for s in lived.verify(newest.hash).differences)


def test_many_differences_are_counted_not_listed(ledger, new):
    ledger.add([new(f"C{n}") for n in range(250)])
    with ledger.atomic() as connection:
        connection.execute(update(schema.intent).values(marker="x"))
    verdict = ledger.verify()
    assert (len(verdict.differences), verdict.more) == (200, 50)


def test_a_ledger_may_be_checked_by_who_holds_no_lock(path, new):
    with Ledger(path, durable=False) as ledger:
        ledger.begin_run(TENANT, NOW)
        ledger.add([new()])
        with Ledger(path, durable=False, lock=False) as reader:
            assert reader.verify().holds
