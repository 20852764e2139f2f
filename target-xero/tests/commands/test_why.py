"""`target-xero why KEY` tells the whole history of a document, and where each field comes from."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

import pytest

pytestmark = pytest.mark.slow

KEY = f"006{1:015d}"


@pytest.fixture
def story(house: Any) -> Any:
    """An invoice that was refused, came right, and was changed once more."""
    wrong = [{**house.invoice(1, 1)["LineItems"][0], "AccountCode": "2O0"}]
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, LineItems=wrong)))
    house.load(("invoices", house.invoice(1, 1)))
    house.load(("invoices", house.invoice(1, 1, DueDate="2026-12-15", source_url="https://crm.example/1")))
    return house


def asked(house: Any, *arguments: str, **config: Any) -> dict[str, Any]:
    done = house.command("why", "--json", *arguments, **config)
    assert done.exit_code == 0, done.stderr
    (found,) = json.loads(done.stdout)["documents"]
    return dict(found)


def test_every_revision_is_told_with_run_state_and_reason(story: Any) -> None:
    found = asked(story, KEY)
    told = [(r["revision"], r["run"], r["state"], r["sent_as"]) for r in found["revisions"]]
    assert told == [(1, 1, "superseded", None), (2, 2, "done", "create"), (3, 3, "done", "update")]
    assert found["revisions"][2]["source_amount"] == found["revisions"][2]["xero_amount"] == "20.50"
    assert found["revisions"][0]["at"].startswith("2026-11-02T09:0")
    assert found["url"] == "https://crm.example/1"


def test_what_changed_is_told_before_and_after(story: Any) -> None:
    changed = {r["revision"]: r["changed"] for r in asked(story, KEY)["revisions"]}
    assert changed[2] == [{"field": "LineItems[0].AccountCode", "before": "2O0", "after": "200"}]
    assert changed[3] == [{"field": "DueDate", "before": "2026-12-02", "after": "2026-12-15"}]


@pytest.mark.parametrize("name", ["marker", "number", "id", "id in capitals"])
def test_a_document_is_found_by_whatever_people_have_of_it(story: Any, name: str) -> None:
    xero = asked(story, KEY)["xero"]
    meant = {
        "marker": f"SF-{KEY}",
        "number": xero["number"],
        "id": xero["id"],
        "id in capitals": xero["id"].upper(),
    }
    assert asked(story, meant[name])["key"] == KEY


def test_one_field_has_its_value_in_every_revision(story: Any) -> None:
    values = [r["value"] for r in asked(story, KEY, "--field", "DueDate")["revisions"]]
    assert values == ["2026-12-02", "2026-12-02", "2026-12-15"]
    values = [r["value"] for r in asked(story, KEY, "--field", "LineItems[0].AccountCode")["revisions"]]
    assert values == ["2O0", "200", "200"]


def test_the_rule_of_the_mapping_that_gives_a_field_is_told(story: Any) -> None:
    found = asked(story, KEY, "--field", "LineItems[0].AccountCode", mapping="salesforce")
    deal = next(rule for rule in found["rules"] if rule["rule"] == "won-deal")
    assert (deal["stream"], deal["mapping"]) == ("Opportunity", "salesforce.yml")
    assert "options.default_account_code" in deal["expression"]
    assert deal["line"] > 100


def test_live_shows_what_xero_has_now_after_people_changed_it(story: Any) -> None:
    number = asked(story, KEY)["xero"]["number"]
    story.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": number, "fields": {"Reference": "by hand"}}
    )
    story.forget_exchanges()
    assert asked(story, KEY, "--live", "--field", "Reference")["live"] == "by hand"
    assert story.writes == 0


def test_people_read_what_xero_has_now_with_its_money_and_days(story: Any) -> None:
    told = " ".join(story.command("why", KEY, "--live").stdout.split())
    assert "DueDate 2026-12-15" in told
    assert "Total 24.6" in told
    assert "/Date(" not in told


def test_without_live_xero_is_not_asked(story: Any) -> None:
    story.forget_exchanges()
    asked(story, KEY)
    assert story.exchanges() == []


def test_a_key_that_was_replaced_still_finds_its_document(house: Any) -> None:
    house.load(("contacts", {"source_key": "00Q1", "ContactNumber": "00Q1", "Name": "A lead"}))
    house.load(("contacts", {"source_key": "001A", "previous_source_key": "00Q1"}))
    found = asked(house, "00Q1")
    assert (found["key"], found["older_keys"]) == ("001A", ["00Q1"])


def test_people_read_revisions_changes_and_rules(story: Any) -> None:
    told = story.command("why", KEY, mapping="salesforce").stdout
    for words in (
        "done (create)",
        "2O0 -> 200",
        "2026-12-02 -> 2026-12-15",
        "Opportunity: won-deal",
        "https://crm.example/1",
    ):
        assert words in told


def test_an_unknown_key_is_told(story: Any) -> None:
    done = story.command("why", "nothing")
    assert done.exit_code == 1
    assert "knows no document" in done.stderr


def test_a_kind_chooses_among_documents_of_one_key(story: Any) -> None:
    story.load(("items", {"source_key": KEY, "Code": "I-1", "Name": "Item"}))
    assert asked(story, KEY, "--kind", "items")["kind"] == "items"
    assert len(json.loads(story.command("why", "--json", KEY).stdout)["documents"]) == 2


def test_the_audit_chain_vouches_for_what_is_shown(story: Any) -> None:
    assert asked(story, KEY)["vouched"]["holds"] is True
    told = story.command("why", KEY)
    assert (told.exit_code, "The audit chain vouches for this (" in told.stdout) == (0, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE intent SET document = replace(document, '2026-12-15', '2027-12-15') WHERE kind = 'invoices'",
            "document is",
        ),
        ("UPDATE intent SET xero_total_minor = 1 WHERE kind = 'invoices'", "total is 1"),
        ("UPDATE link SET remote_id = 'x' WHERE kind = 'invoices'", "leads to x"),
        ("DELETE FROM link WHERE kind = 'invoices'", "was removed"),
        (
            "UPDATE audit SET actor = 'nobody' WHERE entries LIKE '%SF-006%'",
            "its hash is not that of its content",
        ),
        ("DELETE FROM audit WHERE seq = 2", "does not follow from the row before it"),
        ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "which is not where the ledger says"),
        ("UPDATE audit SET entries = 'x' WHERE entries LIKE '%invoices%'", ""),
    ],
)
def test_what_was_changed_behind_the_ledgers_back_is_not_vouched_for(
    story: Any, change: str, said: str
) -> None:
    with sqlite3.connect(story.folder / "ledger.sqlite") as database:
        database.execute("PRAGMA foreign_keys = OFF")
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(change)
    database.close()
    told = story.command("why", KEY)
    assert told.exit_code == 1
    text = " ".join(told.stdout.split())
    assert "The audit chain does not vouch for this; `target-xero ledger verify` tells all:" in text
    assert said in text
    (found,) = json.loads(story.command("why", KEY, "--json").stdout)["documents"]
    assert found["vouched"]["holds"] is False


def test_a_change_of_another_document_is_none_of_its_business(story: Any) -> None:
    with sqlite3.connect(story.folder / "ledger.sqlite") as database:
        database.execute("UPDATE intent SET remote_id = 'x' WHERE kind = 'contacts'")
    database.close()
    assert asked(story, KEY)["vouched"]["holds"] is True


def test_a_field_that_no_revision_has_is_an_error_with_the_nearest_names(story: Any) -> None:
    answer = story.command("why", KEY, "--field", "DueDat")
    assert answer.exit_code == 1
    assert "has a field 'DueDat'. Did you mean DueDate?" in answer.stderr
    assert story.command("why", KEY, "--field", "LineItems").exit_code == 0
    assert story.command("why", KEY, "--field", "AmountDue", "--live").exit_code == 0, "Xero has it"


def test_xeros_correlation_id_of_the_last_write_is_kept_and_told(story: Any) -> None:
    newest = asked(story, KEY)["revisions"][-1]
    assert re.fullmatch(r"[0-9a-f-]{36}", newest["xero_correlation_id"])
    told = story.command("why", KEY).stdout
    assert f"Xero's correlation id, for its support: {newest['xero_correlation_id']}" in told


def test_a_revision_that_was_replaced_waits_for_nothing(house: Any) -> None:
    house.load(("contacts", house.contact(1)), mode="approve")
    house.load(("contacts", house.contact(1, EmailAddress="new@example.com")), mode="approve")
    first, second = asked(house, house.contact(1)["source_key"])["revisions"]
    assert first["note"] == "Replaced by a later revision."
    assert "waits for approval" in second["note"]


def test_of_a_refused_revision_that_was_replaced_the_reason_stays(story: Any) -> None:
    first = asked(story, KEY)["revisions"][0]
    assert first["note"].startswith("Replaced by a later revision; until then refused: ")
