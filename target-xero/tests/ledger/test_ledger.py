"""The ledger: promises survive, states move one way, one run at a time."""

from __future__ import annotations

import ast
import json
import os
import sqlite3
import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import target_xero
from sqlalchemy import insert, select, update
from target_xero.errors import (
    LedgerInUseError,
    LedgerTakenOverError,
    LedgerVersionError,
    WrongOrganisationError,
)
from target_xero.ledger import Ledger, NewIntent, State, Tenant, schema
from target_xero.ledger.base import milliseconds, storable
from target_xero.ledger.directory import Seen
from target_xero.ledger.execution import Effect
from target_xero.refusal import Refusal

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
TENANT = Tenant("t-1", "Sandbox Trading Ltd", "GBP", is_demo=False)


def new(key="C1", kind="contacts", hash_="h1", **fields):
    return NewIntent(kind, key, "save", {"Name": key}, hash_, unique=True, marker=key, **fields)


def only(ledger, kind="contacts"):
    (intent,) = ledger.ready(kind, 10)
    return intent


def test_the_file_and_its_folder_are_for_their_owner_only(path):
    Ledger(path, durable=False).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.with_name("ledger.sqlite3.lock").stat().st_mode) == 0o600


def test_commits_are_on_the_disk_unless_a_test_says_otherwise(path):
    with Ledger(path) as ledger, ledger.atomic() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_second_run_is_told_who_holds_the_ledger(place):
    with Ledger(place, durable=False), pytest.raises(LedgerInUseError, match=f"process {os.getpid()} on"):
        Ledger(place, durable=False)
    Ledger(place, durable=False).close()


@pytest.mark.slow
def test_the_lock_dies_with_its_process(path):
    code = (
        "import sys, os; from pathlib import Path; from target_xero.ledger import Ledger; "
        f"ledger = Ledger(Path({str(path)!r})); print('locked', flush=True); os._exit(9)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.returncode) == ("locked", 9)
    Ledger(path, durable=False).close()


def test_a_lock_file_that_says_nothing_yet_is_still_a_lock(path):
    with Ledger(path, durable=False):
        path.with_name("ledger.sqlite3.lock").write_text("")
        with pytest.raises(LedgerInUseError, match="a process that has just started"):
            Ledger(path, durable=False)


def test_a_ledger_of_a_newer_release_is_not_touched(place):
    with Ledger(place, durable=False) as ledger, ledger.atomic() as connection:
        connection.execute(update(schema.meta).where(schema.meta.c.key == "version").values(value="99"))
    with pytest.raises(LedgerVersionError, match="version 99"):
        Ledger(place, durable=False)


def test_the_organisation_is_pinned_at_the_first_run_and_checked_at_every_other(place):
    with Ledger(place, durable=False) as ledger:
        assert ledger.begin_run(TENANT, NOW) == 1
        assert ledger.begin_run(Tenant("t-1", "Renamed Ltd", "GBP", is_demo=False), NOW) == 2
        for other in (Tenant("t-2", "X", "GBP", is_demo=False), Tenant("t-1", "X", "EUR", is_demo=False),
                      Tenant("t-1", "X", "GBP", is_demo=True)):  # fmt: skip
            with pytest.raises(WrongOrganisationError, match="Sandbox Trading Ltd"):
                ledger.begin_run(other, NOW)


def test_a_run_that_was_overtaken_may_not_send(place):
    with Ledger(place, durable=False, lock=False) as old, Ledger(place, durable=False, lock=False) as young:
        old.begin_run(TENANT, NOW)
        old.add([new()])
        young.begin_run(TENANT, NOW)
        intent = only(young)
        with pytest.raises(LedgerTakenOverError, match="Run 2 has begun"):
            old.mark_sent({intent.id: "create"}, 1)
        assert only(young).state is State.PLANNED


def test_an_intent_is_sent_once(ledger):
    ledger.add([new()])
    intent = only(ledger)
    assert ledger.mark_sent({intent.id: "create"}, 1) == {intent.id: 1}
    with pytest.raises(LedgerTakenOverError, match="1 of 1"):
        ledger.mark_sent({intent.id: "create"}, 1)


def test_what_a_dead_run_had_in_flight_is_unknown_to_the_next(ledger):
    ledger.add([new(), new("C2")])
    ledger.mark_sent({ledger.ready("contacts", 1)[0].id: "create"}, 5)
    ledger.begin_run(TENANT, NOW)
    (intent,) = ledger.in_doubt("contacts", 5, 900_000, 10)
    assert (intent.state, intent.source_key) == (State.UNKNOWN, "C1")
    assert "ended before" in intent.note
    assert [i.source_key for i in ledger.ready("contacts", 10)] == ["C2"]


def test_done_link_and_release_are_one_transaction(ledger):
    ledger.add([new(), new("O1", "invoices", needs=(("contacts", "C1"),))])
    assert not ledger.ready("invoices", 10)
    intent = only(ledger)
    ledger.mark_sent({intent.id: "create"}, 1)

    def torn():
        with ledger.atomic():
            ledger.done([Effect(intent, "guid-1")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        torn()
    assert not ledger.links("contacts", ["C1"])
    assert not ledger.ready("invoices", 10)
    ledger.done([Effect(intent, "guid-1", number="C1")])
    assert ledger.links("contacts", ["C1"])["C1"].remote_id == "guid-1"
    assert only(ledger, "invoices").needs == (("contacts", "C1"),)


@pytest.fixture
def both(place):
    """Two organisations of one ledger; each is to have the same contact and an invoice of it."""
    with Ledger(place, durable=False, lock=False) as one:
        two = Ledger(place, durable=False, beside=one)
        for ledger, tenant in ((one, TENANT), (two, Tenant("t-2", "Branch", "EUR", is_demo=False))):
            ledger.begin_run(tenant, NOW, tenant.name)
            ledger.add([new(), new("O1", "invoices", needs=(("contacts", "C1"),))])
        yield one, two


def test_a_need_is_met_by_a_document_of_the_same_organisation_only(both):
    one, two = both
    one.done([Effect(only(one), "guid-1")])
    assert [i.source_key for i in one.ready("invoices", 10)] == ["O1"]
    assert one.blocked("invoices", 10) == []
    assert two.ready("invoices", 10) == []
    ((waiting, missing),) = two.blocked("invoices", 10)
    assert (waiting.source_key, missing) == ("O1", [("contacts", "C1")])
    two.done([Effect(only(two), "guid-2")])
    assert [i.source_key for i in two.ready("invoices", 10)] == ["O1"]


def test_what_was_refused_for_a_missing_need_is_released_by_its_own_organisation_only(both):
    missing = Refusal("contacts_missing", "contact_key", "C1", "Send it too.")
    for ledger in both:
        ((waiting, _),) = ledger.blocked("invoices", 10)
        ledger.reject([waiting.id], [missing], waits=True)
    one, two = both
    one.done([Effect(only(one), "guid-1")])
    assert [i.source_key for i in one.ready("invoices", 10)] == ["O1"]
    assert [problem["state"] for problem in two.problems()] == ["rejected"]


def test_two_documents_never_share_one_id(ledger):
    ledger.add([new(), new("C2")])
    first, second = ledger.ready("contacts", 10)
    ledger.done([Effect(first, "guid-1")])
    with pytest.raises(Exception, match=r"(?i)unique"):
        ledger.done([Effect(second, "guid-1")])


def test_a_state_outside_the_machine_cannot_be_written(ledger):
    ledger.add([new()])
    for broken in (
        {"state": "lost"},
        {"state": "unknown"},
        {"state": "done"},
        {"state": "parked"},
        {"op": "void"},
    ):
        with pytest.raises(Exception, match=r"(?i)check"), ledger.atomic() as connection:
            connection.execute(update(schema.intent).values(**broken))


def test_one_revision_has_one_row(ledger):
    ledger.add([new()])
    with ledger.atomic() as connection:
        row = dict(connection.execute(select(schema.intent)).mappings().one())
    row.pop("id")
    with pytest.raises(Exception, match=r"(?i)unique"), ledger.atomic() as connection:
        connection.execute(insert(schema.intent).values(**row))


def test_a_rejected_document_keeps_its_reason_and_a_rejected_dependent_its_cause(ledger):
    refusal = Refusal("too_long", "Name", "x" * 300, "Shorten it.")
    ledger.add([new(refusals=(refusal,), label='Account "X"', url="https://crm/1")])
    (problem,) = ledger.problems()
    assert problem["refusals"] == [refusal.as_dict()]
    assert problem["note"].startswith('Name "xxx')
    assert "Shorten it." in problem["note"]
    assert (problem["label"], problem["url"], problem["state"]) == (
        'Account "X"',
        "https://crm/1",
        "rejected",
    )


def test_a_rekey_moves_history_link_needs_and_older_aliases(ledger):
    ledger.add([new("L1"), new("O1", "invoices", needs=(("contacts", "L1"),))])
    ledger.done([Effect(only(ledger), "guid-1")])
    ledger.rekey("contacts", "L1", "A1")
    ledger.rekey("contacts", "A1", "B1")
    assert ledger.aliases("contacts", ["L1", "A1", "X"]) == {"L1": "B1", "A1": "B1"}
    assert ledger.links("contacts", ["B1"])["B1"].remote_id == "guid-1"
    assert only(ledger, "invoices").needs == (("contacts", "B1"),)
    ledger.add([new("O2", "invoices", needs=(("contacts", "L1"),))])
    assert [i.needs for i in ledger.ready("invoices", 10)] == [(("contacts", "B1"),)] * 2


def test_a_rekey_puts_histories_of_both_keys_in_a_row(ledger):
    ledger.add([new("L1"), new("A1")])
    ledger.supersede([i.id for i in ledger.ready("contacts", 10) if i.source_key == "A1"])
    ledger.rekey("contacts", "L1", "A1")
    ledger.add([new("A1", hash_="h2")])
    with ledger.atomic() as connection:
        rows = connection.execute(select(schema.intent.c.source_key, schema.intent.c.revision)).all()
    assert sorted(rows) == [("A1", 1), ("A1", 2), ("A1", 3)]


def test_a_newer_revision_goes_once_the_one_in_doubt_before_it_is_refused(ledger):
    ledger.add([new(hash_="h1")])
    (first,) = ledger.ready("contacts", 10)
    ledger.mark_sent({first.id: "create"}, 1)
    ledger.add([new(hash_="h2")])
    assert ledger.ready("contacts", 10) == []
    ledger.reject([first.id], [Refusal("xero_refused", "", "", "no")])
    (second,) = ledger.ready("contacts", 10)
    assert second.content_hash == "h2"
    assert ledger.problems() == []


def test_released_and_unparked_documents_begin_afresh(ledger):
    ledger.add([new(f"C{n}") for n in range(4)])
    rejected, parked, never_sent, _ = ledger.ready("contacts", 10)
    ledger.mark_sent({rejected.id: "create", parked.id: "create"}, 1)
    ledger.reject([rejected.id], [Refusal("xero_refused", "", "", "no")])
    ledger.park([parked.id], "look")
    ledger.park([never_sent.id], "look")
    assert [(i.id, [r.rule for r in reasons]) for i, reasons in ledger.rejected()] == [
        (rejected.id, ["xero_refused"])
    ]
    assert not ledger.rejected(kinds=["invoices"])
    assert not ledger.rejected(keys=["C3"])
    assert ledger.unpark(keys=["C3"]) == 0
    assert ledger.unpark() == 2
    ledger.release([rejected.id])
    states = {i.source_key: (i.state, i.attempt) for i in ledger.ready("contacts", 10)}
    assert states == {"C0": (State.PLANNED, 0), "C2": (State.PLANNED, 0), "C3": (State.PLANNED, 0)}
    assert [i.source_key for i in ledger.in_doubt("contacts", 1, 0, 10)] == ["C1"]


def test_an_unknown_document_waits_for_its_quiet_period_and_says_when(ledger):
    ledger.add([new()])
    intent = only(ledger)
    ledger.mark_sent({intent.id: "create"}, 1_000)
    ledger.unknown([intent.id], "no answer")
    assert ledger.next_ripe_ms(900) is None
    ledger.looked([intent.id], 1_500)
    assert not ledger.in_doubt("contacts", 1_899, 900, 10)
    assert ledger.next_ripe_ms(900) == 1_900
    assert ledger.in_doubt("contacts", 1_900, 900, 10)
    ledger.looked([intent.id], 1_900)
    assert not ledger.in_doubt("contacts", 9_999, 900, 10)


def test_the_directory_forgets_nothing_and_hides_what_is_ours(ledger):
    ledger.note_seen(
        "contacts",
        [Seen("g1", "N1", "acme", {"status": "ACTIVE"}), Seen("g2", "N2", "acme", {"status": "ACTIVE"})],
    )
    ledger.note_seen("contacts", [Seen("g1", "N1", "acme ltd", {"status": "ARCHIVED"})])
    assert [row.facts for row in ledger.hits("contacts", ["N1", "", "N9"])["N1"]] == [{"status": "ARCHIVED"}]
    assert [row.remote_id for row in ledger.namesakes("contacts", ["acme"])["acme"]] == ["g2"]
    ledger.add([new("N2")])
    ledger.done([Effect(only(ledger), "g2")])
    assert not ledger.hits("contacts", ["N2"])
    assert ledger.owners("contacts", ["g1", "g2"]) == {"g2": "N2"}
    assert ledger.listing_asked_ms("contacts") is None
    ledger.listing_read("contacts", 5)
    ledger.listing_read("contacts", 6)
    assert ledger.listing_asked_ms("contacts") == 6


def test_a_run_keeps_its_summary(ledger):
    ledger.add([new(currency="GBP", amount_minor=1000), new("C2", refusals=(Refusal("r", "f", "v", "c"),))])
    ledger.count_unchanged("items", 3)
    intent = only(ledger)
    ledger.mark_sent({intent.id: "create"}, 1)
    ledger.done([Effect(intent, "g1", amount_minor=1000, total_minor=1200)])
    summary = ledger.finish_run(NOW + timedelta(minutes=1))
    assert (summary.streams["contacts"].created, summary.streams["contacts"].refused) == (1, 1)
    assert summary.streams["contacts"].total == 2
    assert summary.streams["items"].unchanged == 3
    assert summary.money["contacts"]["GBP"].xero_total == 1200
    assert not summary.clean
    with ledger.atomic() as connection:
        row = connection.execute(select(schema.run)).one()
    assert json.loads(row.summary)["open_refusals"] == 1
    assert row.ended_ms - row.started_ms == 60_000


def test_a_commit_that_fails_leaves_nothing_behind(path):
    """C12: if the ledger cannot be written, nothing may be sent."""
    with Ledger(path, durable=False, lock=False) as ledger:
        ledger.begin_run(TENANT, NOW)
        ledger.add([new()])
        intent = only(ledger)
        blocker = sqlite3.connect(path, timeout=0, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        ledger._connection.connection.execute("PRAGMA busy_timeout=0")
        with pytest.raises(Exception, match="locked"):
            ledger.mark_sent({intent.id: "create"}, 1)
        blocker.rollback()
        blocker.close()
        assert only(ledger).state is State.PLANNED


def test_time_is_whole_milliseconds_and_text_is_what_every_database_takes():
    assert milliseconds(datetime(1970, 1, 2, 0, 0, 1, 1999, tzinfo=timezone.utc)) == 86_401_001
    assert storable("a\ud800b\x00") == "a\\ud800b\\u0000"


def test_the_plan_uses_the_small_indexes(path):
    with Ledger(path, durable=False, lock=False) as ledger, ledger.atomic() as connection:
        for where, index in (
            (
                "tenant='t' AND kind='k' AND source_key IN ('a') AND intent.state NOT IN ('done','superseded')",
                "intent_open",
            ),
            ("tenant='t' AND kind='k' AND intent.state = 'planned' ORDER BY id LIMIT 5", "intent_ready"),
            (
                "tenant='t' AND kind='k' AND intent.state IN ('sent','unknown') ORDER BY id LIMIT 5",
                "intent_in_doubt",
            ),
        ):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT * FROM intent WHERE {where}").all()
            assert index in plan[0][-1]


PACKAGE = Path(target_xero.__file__).parent
CORE = [file for folder in ("ledger", "plan", "execute") for file in sorted((PACKAGE / folder).glob("*.py"))]


@pytest.mark.parametrize("file", CORE, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_core_has_no_network_no_singer_no_sleep_and_no_float(file):
    tree = ast.parse(file.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    roots = {name.split(".")[0] for name in imported}
    assert not roots & {
        "requests",
        "urllib3",
        "httpx",
        "http",
        "singer_sdk",
        "time",
        "asyncio",
        "threading",
        "subprocess",
    }
    assert not {
        name
        for name in imported
        if name.startswith(("target_xero.xero", "target_xero.target", "target_xero.sinks"))
    }
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "float" not in called


def test_what_else_was_ready_still_is_once_some_of_it_is_sent(ledger, new):
    kinds = ("items", "contacts")
    ledger.add([new("C1"), new("C2"), new("C3"), new("A", kind="items"), new("B", kind="items")])
    one, *others = ledger.ready("contacts", 10)
    (item,) = ledger.ready("items", 1)
    assert ledger.work(kinds).planned == set(kinds)
    ledger.mark_sent({one.id: "create", item.id: "create"}, 1_000)
    assert ledger.ready("contacts", 10) == others
    assert [i.source_key for i in ledger.ready("items", 1)] == ["B"]  # that list had been cut
    assert ledger.work(kinds).planned == set(kinds)


def test_what_is_sent_last_leaves_nothing_ready(ledger, new):
    ledger.add([new("C1")])
    ledger.work(("contacts",))
    (one,) = ledger.ready("contacts", 10)
    ledger.mark_sent({one.id: "create"}, 1_000)
    assert ledger.ready("contacts", 10) == []
    ledger.back_to_planned([one.id])
    assert [i.id for i in ledger.ready("contacts", 10)] == [one.id]
