"""An older ledger becomes one of this release with every row it had, or stays as it was."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect
from target_xero import crash
from target_xero.errors import LedgerVersionError
from target_xero.ledger import Ledger, schema
from target_xero.ledger.database import open_engine

VERSION_1 = Path(__file__).with_name("version_1.sql").read_text()
ROWS = """
INSERT INTO meta VALUES ('version', '1'), ('identity', 'abc');
INSERT INTO tenant VALUES ('t-1', 'Sandbox Trading Ltd', 'GBP', 0, 5);
INSERT INTO run (epoch, tenant, started_ms, ended_ms, summary) VALUES (7, 't-1', 1, 2, '{}');
INSERT INTO intent (id, tenant, kind, source_key, revision, op, uniq, marker, document, content_hash, label, currency, amount_minor,
    xero_amount_minor, xero_total_minor, state, batch_max, remote_id, note, planned_epoch, settled_epoch)
    VALUES (3, 't-1', 'contacts', 'C1', 1, 'save', 1, 'C1', '{"Name":"Ümlaut"}', 'h', 'Account', '', NULL, NULL, NULL, 'done', 50, 'g1', '', 7, 7),
           (9, 't-1', 'invoices', 'O1', 2, 'save', 0, 'SF-O1', '{}', 'h', 'Deal', 'GBP', 1000, 1000, 1200, 'planned', 50, NULL, '', 7, NULL);
INSERT INTO need VALUES (9, 'contacts', 'C1');
INSERT INTO link VALUES ('t-1', 'contacts', 'C1', 'g1', 'h', 3, 'C1', 'C1', 'ACTIVE', 7, '{}', 0, 0);
INSERT INTO alias VALUES ('t-1', 'contacts', 'L1', 'C1');
INSERT INTO listing VALUES ('t-1', 'contacts', 99);
INSERT INTO seen VALUES ('t-1', 'contacts', 'g2', 'X', 'x', '{}');
"""


@pytest.fixture
def old(tmp_path):
    """A version 1 ledger with a row in every table."""
    path = tmp_path / "ledger.sqlite3"
    with sqlite3.connect(path) as database:
        database.executescript(VERSION_1 + ROWS)
    database.close()
    return path


def everything(path):
    with sqlite3.connect(path) as database:
        names = [
            name
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
        ]
        found = {}
        for name in names:
            cursor = database.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in cursor.description]
            found[name] = [dict(zip(columns, row, strict=True)) for row in cursor]
    database.close()
    return found


def shape(path):
    """Tables as SQLite keeps them, but for quotes and white space; indexes too."""
    with sqlite3.connect(path) as database:
        rows = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
    database.close()
    return {name: re.sub(r"\s+", " ", sql.replace('"', "")) for name, sql in rows}


def test_an_upgraded_ledger_has_exactly_the_tables_of_a_new_one(old, tmp_path):
    """A column, check or index that is in the tables and not in the upgrade is found here."""
    Ledger(old, durable=False).close()
    Ledger(tmp_path / "new.sqlite3", durable=False).close()
    assert shape(old) == shape(tmp_path / "new.sqlite3")


def test_an_upgrade_keeps_every_row_and_every_value(old):
    before = everything(old)
    Ledger(old, durable=False).close()
    after = everything(old)
    for table, rows in before.items():
        if table in ("meta", "sqlite_sequence"):
            continue
        assert [
            {name: row[name] for name in was} for row, was in zip(after[table], rows, strict=True)
        ] == rows, table
    meta = {row["key"]: row["value"] for row in after["meta"]}
    assert (meta["version"], meta["identity"]) == (str(schema.VERSION), "abc")


def test_numbers_go_on_where_they_were(old):
    Ledger(old, durable=False).close()
    after = {row["name"]: row["seq"] for row in everything(old)["sqlite_sequence"]}
    assert (after["intent"], after["run"]) == (9, 7)


def test_the_audit_chain_of_an_upgraded_ledger_begins_with_what_it_held(old):
    with Ledger(old, durable=False) as ledger:
        verdict = ledger.verify()
    assert (verdict.differences, verdict.intents, verdict.links) == ([], 2, 1)
    with sqlite3.connect(old) as database:
        database.execute("UPDATE intent SET xero_total_minor = 1 WHERE id = 9")
    database.close()
    with Ledger(old, durable=False) as ledger:
        assert ["total is 1" in sentence for sentence in ledger.verify().differences] == [True]


def test_many_rows_make_many_rows_of_the_chain(old):
    with sqlite3.connect(old) as database:
        database.executemany(
            "INSERT INTO link (tenant, kind, source_key, remote_id, content_hash, marker) VALUES ('t-1', 'items', ?, ?, '', '')",
            [(f"P{n}", f"g{n}") for n in range(1_200)],
        )
    database.close()
    with Ledger(old, durable=False) as ledger:
        verdict = ledger.verify()
    assert (verdict.holds, verdict.links, verdict.rows) == (True, 1_201, 3)


def test_an_upgrade_that_is_killed_anywhere_leaves_the_old_ledger_and_is_done_by_the_next_run(
    old, monkeypatch
):
    before = everything(old)
    passed: list[str] = []
    for moment in (1, 2, 3, 4, 5):

        def kill(name, moment=moment):
            passed.append(name)
            if len(passed) == moment:
                raise KeyboardInterrupt

        passed.clear()
        monkeypatch.setattr(crash, "armed", kill)
        with pytest.raises(KeyboardInterrupt):
            Ledger(old, durable=False)
        assert everything(old) == before
    monkeypatch.setattr(crash, "armed", None)
    with Ledger(old, durable=False) as ledger:
        assert ledger.verify().holds


def test_a_damaged_ledger_is_not_upgraded(old):
    with sqlite3.connect(old) as database:
        database.execute("UPDATE link SET intent_id = 77")
    database.close()
    before = everything(old)
    with pytest.raises(LedgerVersionError, match="link that refer to rows of intent"):
        Ledger(old, durable=False)
    assert everything(old) == before


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_ledger_of_version_3_gets_what_came_since_and_keeps_its_rows(path, postgres, database):
    from target_xero.ledger.database import read_url  # noqa: PLC0415

    postgres.bare()
    place = path if database == "sqlite" else read_url(postgres.address)
    Ledger(place, durable=False).close()
    engine = open_engine(place)
    with engine.begin() as connection:
        for table, column in (("intent", "cleared"), ("intent", "correlation"), ("note", "tried_ms")):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE meta SET value = '3' WHERE key = 'version'")
        connection.exec_driver_sql(
            "INSERT INTO intent (tenant, kind, source_key, revision, op, uniq, marker, document, content_hash, state, batch_max, "
            "planned_epoch) VALUES ('t', 'invoices', 'O1', 1, 'save', 0, 'SF-O1', '{}', 'h', 'planned', 50, 1)"
        )
    Ledger(place, durable=False).close()
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT source_key, cleared, correlation FROM intent").one()
        assert connection.exec_driver_sql("SELECT tried_ms FROM note").all() == []
    engine.dispose()
    assert tuple(row) == ("O1", 0, "")


def indexes(found):
    """By name: columns and condition."""
    return {
        index["name"]: (
            index["column_names"],
            [str(value) for name, value in index["dialect_options"].items() if name.endswith("_where")],
        )
        for index in found
    }


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_ledger_of_version_6_is_found_by_mark_afterwards(path, postgres, database):
    from target_xero.ledger.database import read_url  # noqa: PLC0415

    postgres.bare()
    place = path if database == "sqlite" else read_url(postgres.address)
    Ledger(place, durable=False).close()
    engine = open_engine(place)
    with engine.begin() as connection:
        made = inspect(connection).get_indexes("intent")
        connection.exec_driver_sql("DROP INDEX intent_marker")
        connection.exec_driver_sql("UPDATE meta SET value = '6' WHERE key = 'version'")
    Ledger(place, durable=False).close()
    with engine.connect() as connection:
        found = inspect(connection).get_indexes("intent")
        assert connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'version'").scalar() == "7"
    engine.dispose()
    assert indexes(found) == indexes(made)
    assert "intent_marker" in indexes(found)


def test_both_databases_have_the_same_tables(path, postgres):
    from target_xero.ledger.database import read_url  # noqa: PLC0415

    postgres.bare()
    shapes = []
    for place in (path, read_url(postgres.address)):
        Ledger(place, durable=False).close()
        engine = open_engine(place)
        with engine.connect() as connection:
            look = inspect(connection)
            shapes.append(
                {
                    name: (
                        {column["name"]: column["nullable"] for column in look.get_columns(name)},
                        sorted(
                            index["name"]
                            for index in look.get_indexes(name)
                            if not index.get("duplicates_constraint")
                        ),
                        sorted(check["name"] for check in look.get_check_constraints(name)),
                    )
                    for name in look.get_table_names()
                }
            )
        engine.dispose()
    assert shapes[0] == shapes[1]
