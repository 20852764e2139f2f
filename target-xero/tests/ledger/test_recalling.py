"""What records came to, as the ledger keeps it: in a file and in a database, new and upgraded."""

from __future__ import annotations

from typing import Any

import pytest
from target_xero.ledger import Ledger, schema
from target_xero.ledger.database import read_url
from target_xero.ledger.model import Essence

pytestmark = pytest.mark.slow

C1, C2 = Essence("contacts", "C1", "h1"), Essence("contacts", "C2", "h2")


def test_what_is_remembered_is_recalled_and_nothing_else(ledger: Ledger) -> None:
    ledger.remember([])
    ledger.remember([("a", [C1, C2]), ("b", [C2])])
    assert ledger.recall(["a", "x", "b"]) == {"a": [C1, C2], "b": [C2]}
    assert ledger.recall([]) == {}


def test_a_record_has_one_row_whatever_it_said_before(ledger: Ledger) -> None:
    ledger.remember([("a", [C1])])
    ledger.remember([("b", [C1])])
    assert ledger.recall(["a", "b"]) == {"b": [C1]}


def test_a_database_of_version_2_is_upgraded_where_it_stands(postgres: Any) -> None:
    place = read_url(postgres.address)
    Ledger(place, durable=False, lock=False).close()
    postgres.run("DROP TABLE fingerprint")
    postgres.run("UPDATE meta SET value = '2' WHERE key = 'version'")
    with Ledger(place, durable=False, lock=False) as ledger:
        assert ledger.recall(["a"]) == {}
    assert postgres.run("SELECT value FROM meta WHERE key = 'version'") == [(str(schema.VERSION),)]
