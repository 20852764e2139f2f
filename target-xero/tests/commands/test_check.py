"""`target-xero check` says what a run would miss, with the cure, and writes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def crm(house: Any) -> Any:
    house.config["mapping"] = "salesforce"
    house.config["scopes"] = "accounting.contacts accounting.invoices accounting.settings"
    return house


def checked(house: Any, **config: Any) -> dict[str, dict[str, str]]:
    done = house.command("check", "--json", **config)
    told = json.loads(done.stdout)
    assert done.exit_code == int(not told["ok"])
    assert done.exit_code == int(any(line["level"] == "fail" for line in told["checks"]))
    return {line["what"]: line for line in told["checks"]}


def test_all_is_well_before_the_first_run(crm: Any) -> None:
    found = checked(crm)
    assert {line["level"] for line in found.values()} == {"ok"}
    assert "Sandbox Trading Ltd" in found["organisation"]["found"]
    assert "GBP" in found["organisation"]["found"]
    assert "GB" in found["organisation"]["found"]
    assert "200 Sales" in found["accounts"]["found"]
    assert f"none yet; expected at {crm.folder / 'ledger.sqlite'}" in found["ledger"]["found"]
    assert not (crm.folder / "ledger.sqlite").exists()
    assert "alert 1" not in found


def test_a_ledger_that_is_gone_is_missing_and_not_empty(crm: Any) -> None:
    crm.load(("contacts", crm.contact(1)))
    for file in crm.folder.glob("ledger.sqlite*"):
        if file.suffix != ".stamp":
            file.unlink()
    found = checked(crm)["ledger"]
    assert (found["level"], found["found"]) == (
        "warn",
        f"missing: there was one at {crm.folder / 'ledger.sqlite'}",
    )
    assert "doubles nothing" in found["cure"]
    assert not (crm.folder / "ledger.sqlite").exists(), "whoever looks makes none"


@pytest.mark.parametrize("house", ["postgres"], indirect=True)
def test_a_database_without_a_ledger_is_told_and_gets_no_tables(crm: Any, postgres: Any) -> None:
    postgres.bare()
    found = checked(crm)["ledger"]
    assert found["level"] == "ok"
    assert "none yet; expected at" in found["found"]
    assert "ledger_gw" in found["found"] or "ledger_main" in found["found"]
    assert postgres.run("SELECT to_regclass('meta')") == [(None,)]
    assert crm.command("rejects").exit_code == 1
    assert postgres.run("SELECT to_regclass('meta')") == [(None,)]
    crm.load(("contacts", crm.contact(1)))


# -- alerts ----------------------------------------------------------------------------------------------------------------


def test_alert_addresses_are_looked_at_and_not_rung(crm: Any, bell: Any) -> None:
    found = checked(crm, alert_urls=f"{bell.url} nonsense://x slack://too-short")
    assert [found[f"alert {n}"]["level"] for n in (1, 2, 3)] == ["ok", "warn", "warn"]
    assert "check --alerts" in found["alert 1"]["found"]
    assert bell.messages == []
    assert bell.secret not in json.dumps(found)


@pytest.mark.parametrize(("status", "level"), [(200, "ok"), (500, "fail")])
def test_alerts_are_rung_where_it_is_asked_for(crm: Any, bell: Any, status: int, level: str) -> None:
    bell.status = status
    done = crm.command("check", "--alerts", "--json", alert_urls=bell.url)
    told = {line["what"]: line for line in json.loads(done.stdout)["checks"]}
    assert (done.exit_code, told["alert 1"]["level"]) == (int(level == "fail"), level)
    assert "Nothing is wrong" in bell.messages[0]["message"]
    assert bell.secret not in done.output


def test_a_test_of_alerts_that_are_not_set_up_fails(crm: Any) -> None:
    assert crm.command("check", "--alerts").exit_code == 1


def test_it_writes_nothing(crm: Any) -> None:
    crm.load(("contacts", crm.contact(1)))
    before = (crm.folder / "ledger.sqlite").read_bytes()
    crm.forget_exchanges()
    checked(crm)
    assert crm.writes == 0
    assert (crm.folder / "ledger.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "scopes", "missing"),
    [
        (
            {"payments": True, "payment_accounts": {"GBP": "090"}},
            "accounting.contacts accounting.invoices accounting.settings",
            "accounting.payments",
        ),
        ({}, "accounting.contacts accounting.invoices accounting.settings.read", "accounting.settings"),
        ({}, "accounting.contacts accounting.settings", "accounting.invoices"),
    ],
)
def test_a_missing_scope_is_named(crm: Any, options: dict[str, Any], scopes: str, missing: str) -> None:
    found = checked(crm, mapping_options=options, scopes=scopes)
    assert found["scopes"]["level"] == "fail"
    assert found["scopes"]["found"] == f"missing: {missing}"


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ({"items": False}, "accounting.contacts accounting.invoices accounting.settings.read"),
        ({}, "accounting.contacts accounting.transactions accounting.settings"),
    ],
)
def test_the_least_scopes_are_enough_granular_or_broad(
    crm: Any, options: dict[str, Any], scopes: str
) -> None:
    assert checked(crm, mapping_options=options, scopes=scopes)["scopes"]["level"] == "ok"


def test_scopes_beyond_the_least_are_named_and_no_failure(crm: Any) -> None:
    found = checked(
        crm, scopes="accounting.contacts accounting.invoices accounting.settings accounting.payments"
    )
    assert (found["scopes"]["level"], found["scopes"]["found"]) == (
        "warn",
        "more than needed: accounting.payments",
    )


@pytest.mark.parametrize(
    ("options", "what", "words"),
    [
        ({"default_account_code": "2OO"}, "accounts: 2OO", "none of that name"),
        ({"default_account_code": "299"}, "account 299", "archived"),
        ({"default_account_code": "090"}, "account 090 Business Bank Account", "BANK"),
        ({"family_accounts": {"Hardware": "2000"}}, "accounts: 2000", "none of that name"),
        ({"payments": True, "payment_accounts": {"GBP": "200"}}, "account 200 Sales", "takes no payments"),
        ({"default_tax_type": "OUTPUT9"}, "tax types: OUTPUT9", "none of that name"),
        ({"tracking": [{"name": "Reggion", "from": "Region__c"}]}, "tracking: Reggion", "Region"),
        (
            {"tracking": [{"name": "Region", "from": "Region__c", "map": {"EMEA": "Nort"}}]},
            "tracking: Region: Nort",
            "North",
        ),
        ({"base_currency": "USD"}, "currencies: USD", "none of that name"),
    ],
)
def test_a_code_that_xero_does_not_have_is_named(
    crm: Any, options: dict[str, Any], what: str, words: str
) -> None:
    found = checked(crm, mapping_options=options)
    (line,) = [line for name, line in found.items() if name.startswith(what) and line["level"] == "fail"]
    assert words in line["found"]
    assert line["cure"]


def test_the_rule_and_line_that_name_a_code_are_told(crm: Any) -> None:
    found = checked(crm, mapping_options={"default_account_code": "2OO"})
    assert "salesforce.yml: product (line" in found["accounts: 2OO"]["found"]


def test_a_mapping_that_is_wrong_is_told(crm: Any) -> None:
    done = crm.command("check", "--json", mapping_options={"no_such": 1})
    assert done.exit_code == 1
    assert "no such option" in done.stdout


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"client_secret": "wrong"}, "client_id and client_secret"),
        ({"client_secret": None}, "client_secret is missing"),
    ],
)
def test_no_access_is_a_failure_with_its_cure(crm: Any, config: dict[str, Any], words: str) -> None:
    assert words in checked(crm, **config)["access"]["found"]


def test_open_documents_are_a_warning(crm: Any) -> None:
    crm.load(("contacts", crm.contact(1, Name="x" * 256)))
    found = checked(crm)
    assert (found["ledger"]["level"], "1 refused" in found["ledger"]["found"]) == ("warn", True)
    assert "target-xero rejects" in found["ledger"]["cure"]


def test_a_ledger_of_another_organisation_is_a_failure(crm: Any) -> None:
    crm.load(("contacts", crm.contact(1)))
    other = {
        "action": "add_organisation",
        "name": "Second Ltd",
        "id": "b" * 8 + "-0000-4000-8000-" + "b" * 12,
    }
    crm.sandbox.edit("xero", other)
    found = checked(crm, tenant_id=other["id"])
    assert found["ledger"]["level"] == "fail"
    assert "Sandbox Trading Ltd" in found["ledger"]["found"]


def test_lock_dates_and_the_demo_company_are_told(crm: Any) -> None:
    crm.sandbox.edit("xero", {"action": "set_lock_dates", "period": "2026-09-30"})
    crm.sandbox.edit("xero", {"action": "set_organisation", "demo": True})
    found = checked(crm)
    assert "2026-09-30" in found["lock date"]["found"]
    assert (found["organisation"]["level"], "Demo" in found["organisation"]["found"]) == ("warn", True)


def test_limits_left_are_told_and_a_day_used_up_is_a_warning(crm: Any) -> None:
    found = checked(crm)
    assert "calls left today" in found["limits"]["found"]
    assert "this minute" in found["limits"]["found"]
    assert checked(crm, day_limit_reserve=4990)["limits"]["level"] == "warn"


def test_a_clock_that_is_off_is_a_warning(crm: Any) -> None:
    crm.wall = lambda: crm.sandbox.clock.now() - timedelta(seconds=90)
    assert "90 s behind" in checked(crm)["clock"]["found"]


def test_people_read_one_table_and_a_verdict(crm: Any) -> None:
    done = crm.command("check")
    assert (done.exit_code, "Ready to run" in done.stdout) == (0, True)
    done = crm.command("check", mapping_options={"default_account_code": "2OO"})
    assert (done.exit_code, "1 to put right before a run" in done.stdout) == (1, True)


def test_a_refresh_token_is_told_as_what_it_is(house: Any) -> None:
    found = checked(house, refresh_token="sandbox-xero-refresh", token_store_key="7" * 64)
    assert "refresh token" in found["access"]["found"]


def test_a_setting_of_the_wrong_kind_is_told_in_a_sentence_by_every_command(crm: Any) -> None:
    for name in ("check", "plan", "reconcile"):
        done = crm.command(name, "--json", mode="paln")
        assert done.exit_code == 1
        assert (
            "'paln' is not one of ['apply', 'plan', 'approve'] in config['mode']"
            in json.loads(done.stdout)["error"]
        )
