"""What records came to, as the ledger keeps it: in a file and in a database, new and upgraded."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import inspect
from target_xero.ledger import Ledger, NewIntent, Tenant
from target_xero.ledger.database import open_engine, read_url
from target_xero.ledger.execution import Effect
from target_xero.ledger.model import Essence, Fingerprint

from .conftest import NOW, TENANT

pytestmark = pytest.mark.slow

A, B, X = (1, -(2**63)), (-5, 2**63 - 1), (7, 7)
C1, C2 = Essence("contacts", "C1", "h1"), Essence("contacts", "C2", "h2")


def essences(ledger: Ledger, *of: Fingerprint) -> dict[Fingerprint, list[Essence]]:
    return {one: [Essence(*row[:3]) for row in rows] for one, rows in ledger.recall(of).items()}


def plan(ledger: Ledger, of: Essence) -> None:
    content = {"Name": of.source_key}
    intent = NewIntent(
        of.kind, of.source_key, "save", content, of.content_hash, unique=True, marker=of.source_key
    )
    ledger.add([intent])


def carry_out(ledger: Ledger) -> None:
    """As if Xero had taken what is planned."""
    for intent in ledger.ready("contacts", 10):
        ledger.mark_sent({intent.id: "create"}, 1)
        ledger.done([Effect(intent, f"id of {intent.source_key}")])


def test_what_is_remembered_is_recalled_and_nothing_else(ledger: Ledger) -> None:
    ledger.remember([])
    ledger.remember([(A, [C1, C2]), (B, [C2])])
    assert essences(ledger, A, X, B) == {A: [C1, C2], B: [C2]}
    assert (A[0], 0) not in essences(ledger, (A[0], 0))  # half a fingerprint is none
    assert essences(ledger) == {}


def test_a_record_is_kept_as_it_was_last_whatever_it_said_before(ledger: Ledger) -> None:
    ledger.remember([(A, [C1, C2])])
    ledger.remember([(B, [C1])])
    assert essences(ledger, A, B) == {B: [C1]}


def test_a_record_may_be_remembered_twice(ledger: Ledger) -> None:
    ledger.remember([(A, [C1, C2])])
    ledger.remember([(A, [C1, C2]), (A, [C1, C2])])
    assert essences(ledger, A) == {A: [C1, C2]}


def stands(ledger: Ledger) -> bool:
    ((*_, answer),) = ledger.recall([A])[A]
    return bool(answer)


def test_what_is_said_of_a_document_is_as_the_ledger_has_it_now(ledger: Ledger) -> None:
    """Not as it was when the record was remembered."""
    ledger.remember([(A, [C1])])
    assert not stands(ledger)  # nothing of it is in Xero
    plan(ledger, C1)
    carry_out(ledger)
    assert stands(ledger)
    plan(ledger, C1._replace(content_hash="h2"))
    assert not stands(ledger)  # something is open
    carry_out(ledger)
    assert not stands(ledger)  # something else is in Xero
    plan(ledger, C1)
    carry_out(ledger)
    assert stands(ledger)
    ledger.unlink("contacts", "C1")
    assert not stands(ledger)


def test_of_two_documents_of_a_record_each_is_told_apart(ledger: Ledger) -> None:
    ledger.remember([(A, [C1, C2])])
    plan(ledger, C2)
    carry_out(ledger)
    assert {row[1]: row[3] for row in ledger.recall([A])[A]} == {"C1": 0, "C2": 1}


def test_what_was_taken_back_does_not_stand(ledger: Ledger) -> None:
    ledger.remember([(A, [C1])])
    plan(ledger, C1)
    carry_out(ledger)
    ledger.note_undone("contacts", "C1", "h1", "id of C1", "me")
    assert not stands(ledger)


def test_another_organisations_documents_say_nothing(ledger: Ledger) -> None:
    ledger.remember([(A, [C1])])
    plan(ledger, C1)
    carry_out(ledger)
    ledger.tenant = Tenant("t-2", "Another", "GBP", is_demo=False)
    assert not stands(ledger)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_an_older_ledgers_memory_is_replaced(path: Any, postgres: Any, database: str) -> None:
    place = path if database == "sqlite" else read_url(postgres.address)
    Ledger(place, durable=False, lock=False).close()
    engine = open_engine(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE remembered")
        connection.exec_driver_sql(
            "CREATE TABLE fingerprint (anchor BIGINT PRIMARY KEY, digest TEXT, documents TEXT)"
        )
        connection.exec_driver_sql("UPDATE meta SET value = '5' WHERE key = 'version'")
    with Ledger(place, durable=False, lock=False) as ledger:
        ledger.begin_run(TENANT, NOW)
        ledger.remember([(A, [C1])])
        assert essences(ledger, A) == {A: [C1]}
    with engine.connect() as connection:
        assert "fingerprint" not in inspect(connection).get_table_names()
    engine.dispose()
