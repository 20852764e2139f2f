"""Statements that are compiled once: what is theirs stands in their text, what is given each time is a parameter."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, bindparam, insert, literal, select
from target_xero.ledger import Ledger
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import intent, meta


def test_a_value_of_the_statement_is_part_of_its_text(tmp_path: Path) -> None:
    quoted = Prepared(
        select(meta.c.key).where(
            meta.c.key == bindparam("key"), meta.c.value != "it's :one", meta.c.key != "b"
        )
    )
    with Ledger(tmp_path / "ledger.sqlite") as ledger, ledger.atomic() as connection:
        assert quoted.scalar(connection, {"key": "identity"}) == "identity"
        assert quoted.rows(connection, {"key": "b"}) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9, 600])
def test_a_list_of_any_length_finds_each_of_its_values_once(tmp_path: Path, count: int) -> None:
    listed = Prepared(
        select(meta.c.key)
        .where(meta.c.key.in_(bindparam("keys", expanding=True)), meta.c.value != bindparam("not_this"))
        .order_by(meta.c.key)
    )
    with Ledger(tmp_path / "ledger.sqlite") as ledger, ledger.atomic() as connection:
        rows = [{"key": f"k{n:04}", "value": "v"} for n in range(700)]
        connection.execute(insert(meta), rows)
        keys = [row["key"] for row in rows[:count]]
        for asked in (keys, tuple(keys), keys + keys[:1]):
            found = listed.rows(connection, {"keys": asked, "not_this": "w"})
            assert [row.key for row in found] == keys
        assert listed.rows(connection, {"keys": keys, "not_this": "v"}) == []


def test_a_question_about_a_state_is_planned_once(tmp_path: Path) -> None:
    """SQLite plans a statement anew whenever a parameter's value may decide whether a partial index serves it."""

    def question(state: ColumnElement[str]) -> Prepared:
        asked = select(intent.c.id).where(intent.c.tenant == bindparam("tenant"), intent.c.state == state)
        return Prepared(select(*(asked.exists().label(f"n{n}") for n in range(20))))

    with Ledger(tmp_path / "ledger.sqlite") as ledger, ledger.reading() as connection:

        def seconds(prepared: Prepared) -> float:
            began = time.process_time()
            prepared.rows(connection, {"tenant": "T", "state": "planned"})
            return time.process_time() - began

        own, given = question(literal("planned")), question(bindparam("state"))
        assert min(seconds(own) for _ in range(20)) < min(seconds(given) for _ in range(20)) / 3
