"""The ledger in PostgreSQL: reached or not, one run at a time, and a lost session ends the run."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from target_xero.errors import (
    ConfigurationError,
    LedgerInUseError,
    LedgerLostError,
    LedgerTakenOverError,
    LedgerUnreachableError,
)
from target_xero.ledger import Ledger, Tenant, schema
from target_xero.ledger.database import read_url, reason_of
from target_xero.xero.secret import Secret

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
TENANT = Tenant("t-1", "Sandbox Trading Ltd", "GBP", is_demo=False)
CANARY = "pw-canary-7391"


@pytest.fixture
def database(postgres):
    return Secret(postgres.address)


def open_(path, url, **options):
    return Ledger.open(path, url, durable=False, **options)


def test_the_database_goes_before_the_file(path, database):
    with open_(path, database) as ledger:
        assert not path.exists()
        assert ledger.name.startswith("ledger_")


def test_without_a_database_the_ledger_is_the_file(path):
    with Ledger.open(path, None, durable=False) as ledger:
        assert ledger.name == str(path)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"postgresql://me:{CANARY}@127.0.0.1:1/books", "books on 127.0.0.1 cannot be reached: .*refused"),
        (
            f"postgresql://me:{CANARY}@no-such-host.invalid/books",
            "books on no-such-host.invalid cannot be reached",
        ),
    ],
)
def test_a_server_that_is_not_there_is_one_clear_sentence_without_the_password(path, address, said):
    with pytest.raises(LedgerUnreachableError, match=said) as failure:
        open_(path, Secret(address))
    assert CANARY not in str(failure.value)
    assert "\n" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_an_unknown_database_is_named(path, postgres):
    with pytest.raises(LedgerUnreachableError, match='database "nowhere" does not exist'):
        open_(path, Secret(postgres.address.replace(name_of(postgres), "nowhere")))


def name_of(postgres):
    return postgres.run("SELECT current_database()")[0][0]


@pytest.mark.parametrize(
    "address",
    [f"mysql://me:{CANARY}@host/x", f"sqlite:///{CANARY}", f"{CANARY}", f"postgresql://me:x@host:{CANARY}/x"],
)
def test_what_is_no_address_of_a_database_is_refused_without_repeating_it(path, address):
    with pytest.raises(ConfigurationError, match="ledger_url") as failure:
        open_(path, Secret(address))
    assert CANARY not in str(failure.value)


def test_every_way_to_write_the_address_is_understood():
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert read_url(f"{scheme}://h/d").drivername == "postgresql+psycopg"


def test_without_the_driver_the_cure_is_told(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'psycopg\[binary\]'"):
        open_(path, Secret("postgresql://h/d"))


def test_a_schema_that_is_not_there_is_named(path, postgres):
    with pytest.raises(LedgerUnreachableError, match="search_path"):
        open_(path, Secret(f"{postgres.address}&options=-csearch_path%3Dnowhere"))


def test_a_database_of_another_encoding_is_refused(path, postgres):
    postgres.run("DROP DATABASE IF EXISTS latin")
    postgres.run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(LedgerUnreachableError, match="LATIN1"):
        open_(path, Secret(postgres.address.replace(name_of(postgres), "latin")))


def test_a_commit_is_on_the_disk_unless_a_test_says_otherwise(path, database):
    with Ledger.open(path, database) as ledger, ledger.atomic() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_the_loser_is_told_who_runs(path, database, postgres):
    with open_(path, database):
        with pytest.raises(LedgerInUseError, match=f"process {os.getpid()} on .*, since 20") as failure:
            open_(path, database)
        assert postgres.address not in str(failure.value)
    open_(path, database).close()


def test_a_first_run_that_has_not_signed_yet_is_still_one(path, postgres, database):
    with open_(path, database):
        postgres.bare()
        with pytest.raises(LedgerInUseError, match="a process that has just started"):
            open_(path, database)


def test_two_ledgers_share_a_server_by_schema(path, postgres, database):
    postgres.run("DROP SCHEMA IF EXISTS other CASCADE")
    postgres.run("CREATE SCHEMA other")
    with (
        open_(path, database) as one,
        open_(path, Secret(f"{postgres.address}&options=-csearch_path%3Dother")) as two,
    ):
        assert one.identity != two.identity


def kill_sessions(postgres):
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'target-xero' "
        "AND datname = current_database()"  # the server is also that of tests which run beside this one
    )


def begun(path, database):
    ledger = open_(path, database)
    ledger.begin_run(TENANT, NOW)
    return ledger


def test_a_lost_session_ends_the_run_and_does_not_come_back_by_itself(path, postgres, database, new):
    ledger = begun(path, database)
    ledger.add([new()])
    (intent,) = ledger.ready("contacts", 1)
    kill_sessions(postgres)
    with pytest.raises(SQLAlchemyError) as failure:
        ledger.mark_sent({intent.id: "create"}, 1)
    assert "\n" not in reason_of(failure.value)
    with pytest.raises(LedgerLostError, match="the next one looks up"):
        ledger.mark_sent({intent.id: "create"}, 1)
    ledger.close()
    with begun(path, database) as next_run:
        assert [i.source_key for i in next_run.ready("contacts", 9)] == ["C1"]


def test_nothing_is_sent_when_the_lock_is_not_ours_any_more(path, postgres, database, new):
    """As behind a pooler that gives every transaction another session."""
    with begun(path, database) as ledger:
        ledger.add([new()])
        (intent,) = ledger.ready("contacts", 1)
        with ledger.atomic() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
        with pytest.raises(LedgerLostError, match="session mode"):
            ledger.mark_sent({intent.id: "create"}, 1)


def test_a_run_that_has_begun_meanwhile_stops_the_older_one_before_it_sends(path, database, new):
    with begun(path, database) as old:
        old.add([new()])
        (intent,) = old.ready("contacts", 1)
        with open_(path, database, lock=False) as young:
            young.begin_run(TENANT, NOW)
        with pytest.raises(LedgerTakenOverError, match="Run 2 has begun"):
            old.mark_sent({intent.id: "create"}, 1)


def test_no_run_can_begin_between_the_fence_and_the_commit(path, postgres, database, new):
    with begun(path, database) as old, open_(path, database, lock=False) as young:
        with young.atomic() as connection:
            connection.exec_driver_sql("SET lock_timeout = '100ms'")
        old.add([new()])
        (intent,) = old.ready("contacts", 1)
        with old.atomic():
            old.mark_sent({intent.id: "create"}, 1)
            with pytest.raises(SQLAlchemyError, match="lock timeout"):
                young.begin_run(TENANT, NOW)
        young.begin_run(TENANT, NOW)
        with young.atomic() as connection:
            assert connection.execute(select(schema.intent.c.state)).scalar() == "unknown"


def test_an_error_of_the_database_does_not_repeat_a_documents_content(path, database, new):
    with begun(path, database) as ledger:
        ledger.add([new("Canary")])
        with pytest.raises(SQLAlchemyError) as failure, ledger.atomic() as connection:
            connection.exec_driver_sql("UPDATE intent SET state = 'lost'")
    assert "anary" not in reason_of(failure.value)
    assert "intent_state" in reason_of(failure.value)
