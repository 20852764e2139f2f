"""How a run ends: its code, its last line, its report."""

from __future__ import annotations

import errno
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError
from target_xero import limits
from target_xero.ledger.lock import RunLock
from target_xero.target import TargetXero
from target_xero.xero.secret import Secret


def test_when_all_is_well_the_log_has_none_of_the_words_that_fail_meltanos_check(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    assert ran.exit_code == 0
    assert "error" not in ran.told.lower()
    assert "exception" not in ran.told.lower()
    assert ran.last_line == "All settled: 2 documents."


def test_the_report_shows_documents_money_and_calls(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, lines=2)))
    assert "Sandbox Trading Ltd" in ran.err
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")] for line in ran.err.splitlines() if "│" in line
    ]
    assert ["contacts", "1", "-", "-", "-"] in rows
    assert ["invoices", "GBP", "41.00", "41.00", "49.20"] in rows
    assert "left today" in ran.err


def test_an_empty_input_is_a_run_with_nothing_to_do(house: Any) -> None:
    ran = house.run([])
    assert (ran.exit_code, ran.out) == (0, "")
    assert [e["path"] for e in house.exchanges()] == ["/connect/token", "/api.xro/2.0/Organisation"]


def test_work_of_an_earlier_run_is_ended_even_without_input(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.fault("429_day", method="PUT", path="/Contacts")
    assert house.load(("contacts", house.contact(2))).exit_code == 1
    ran = house.run([])
    assert ran.exit_code == 0
    assert "Customer 2" in {contact["Name"] for contact in house.books("Contacts")}


def test_a_second_run_on_the_same_ledger_ends_at_once_and_says_who_has_it(house: Any) -> None:
    lock = RunLock(house.folder / "ledger.sqlite")
    try:
        ran = house.load(("contacts", house.contact(1)))
    finally:
        lock.release()
    assert (ran.exit_code, ran.states) == (1, [])
    assert "Another run is using the ledger" in ran.log
    assert house.exchanges() == []


def test_another_organisation_than_the_ledgers_is_refused_before_anything_is_written(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.sandbox.backend("xero").tenant.store.organisation["OrganisationID"] = (
        "11111111-2222-3333-4444-555555555555"
    )
    house.forget_exchanges()
    ran = house.load(("contacts", house.contact(2)))
    assert (ran.exit_code, ran.states, house.writes) == (1, [], 0)
    assert "belongs to the Xero organisation" in ran.log


def test_a_wrong_secret_is_one_clear_line(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1)), client_secret="wrong-word")
    assert (ran.exit_code, ran.states) == (1, [])
    assert "Xero refused the sign-in" in ran.log
    assert "wrong-word" not in ran.told
    assert "Traceback" not in ran.told


def test_tokens_that_expire_on_the_way_are_renewed_unnoticed(house: Any) -> None:
    house.fault("expire_tokens", method="PUT", path="/Contacts")
    ran = house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    assert ran.exit_code == 0
    assert len([c for c in house.books("Contacts") if c["Name"].startswith("Customer")]) == 2


@pytest.mark.parametrize("kind", ["429_minute", "429_concurrent", "429_appminute"])
def test_a_429_is_sat_out_and_nothing_is_doubled(house: Any, kind: str) -> None:
    house.fault(kind, method="PUT", path="/Contacts", times=2)
    ran = house.load(("contacts", house.contact(1)))
    assert ran.exit_code == 0
    assert len([c for c in house.books("Contacts") if c["Name"] == "Customer 1"]) == 1


@pytest.mark.parametrize("kind", ["503_before", "connect_failed", "timeout_before", "html_page_before"])
def test_a_xero_that_stumbles_over_the_first_question_is_asked_again(house: Any, kind: str) -> None:
    house.fault(kind, path="/Organisation", times=2)
    assert house.load(("contacts", house.contact(1))).exit_code == 0


def test_when_access_ends_on_the_way_the_ledger_keeps_the_rest_for_the_next_run(house: Any) -> None:
    house.fault("expire_tokens", method="PUT", path="/Contacts")
    house.fault("503_before", path="/connect/token", after=1, times=3)
    ran = house.load(("contacts", house.contact(1)))
    assert (ran.exit_code, ran.states) == (1, [])
    assert "Xero at https://identity.xero.com answers HTTP 503 only" in ran.log
    assert "stopped early" in ran.last_line
    ran = house.load(("contacts", house.contact(1)))
    assert (ran.exit_code, ran.states) == (0, [{"bookmarks": {"end": 1}}])
    assert len([c for c in house.books("Contacts") if c["Name"] == "Customer 1"]) == 1


def test_no_secret_and_no_token_is_in_a_log_a_report_state_or_the_ledger(
    house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: set[str] = set()
    made = Secret.__init__

    def watched(self: Secret, text: str) -> None:
        seen.add(text)
        made(self, text)

    monkeypatch.setattr(Secret, "__init__", watched)
    caplog.set_level("DEBUG")
    house.fault("expire_tokens", method="PUT", path="/Contacts")
    ran = house.load(
        ("contacts", house.contact(1)),
        ("contacts", house.contact(2, Name=None)),
        refresh_token="sandbox-xero-refresh",
        token_store_key="0f" * 32,
    )
    assert ran.exit_code == 1
    assert len(seen) >= 6, "client secret, key, two access tokens, two refresh tokens"
    written = b"".join(path.read_bytes() for path in house.folder.iterdir())
    for secret in seen:
        assert secret not in ran.told + ran.out
        assert secret.encode() not in written


def test_a_xero_that_is_away_is_one_clear_line(house: Any) -> None:
    house.fault("503_before", path="/Organisation", times=9)
    ran = house.load(("contacts", house.contact(1)))
    assert (ran.exit_code, ran.states) == (1, [])
    assert "Nothing is lost: run again" in ran.log
    assert "Traceback" not in ran.told


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("403_tenant", "still connected to the organisation"),
        ("401_scope", "GET /Organisation: the access lacks the scope accounting.settings.read"),
        ("429_day", "for today is used up"),
        ("connect_failed", "Xero does not answer at https://api.xero.com"),
    ],
)
def test_why_a_run_cannot_begin_is_one_clear_line_and_nothing_is_written(
    house: Any, kind: str, said: str
) -> None:
    house.fault(kind, path="/Organisation", times=9)
    ran = house.load(("contacts", house.contact(1)))
    assert (ran.exit_code, ran.states, house.writes) == (1, [], 0)
    assert said in ran.log
    assert "Traceback" not in ran.told


@pytest.mark.parametrize("kind", ["403_tenant", "401_scope"])
def test_access_that_is_taken_away_in_the_middle_stops_the_run_and_the_next_one_ends_it(
    house: Any, kind: str
) -> None:
    house.fault(kind, method="PUT", path="/Contacts", times=1)
    ran = house.load(("contacts", house.contact(1)))
    assert (ran.exit_code, ran.states) == (1, [])
    assert "stopped early" in ran.last_line
    assert not ran.last_line.endswith("..")
    assert house.load(("contacts", house.contact(1))).exit_code == 0


def test_a_run_without_the_scope_for_a_call_says_which_one_and_goes_on_once_it_is_there(house: Any) -> None:
    invoice = house.invoice(1, 1, Status="AUTHORISED")
    paid = {"source_key": "p1", "invoice_key": invoice["source_key"], "marker": "SF:1", "Date": "2026-11-02",
            "Amount": "24.60", "AccountCode": "090"}  # fmt: skip
    documents = (("contacts", house.contact(1)), ("invoices", invoice), ("payments", paid))
    allowed = {"allow_statuses": ["DRAFT", "AUTHORISED"]}
    lacking = "accounting.contacts accounting.invoices accounting.settings accounting.payments.read"
    ran = house.load(*documents, scopes=lacking, **allowed)
    assert ran.exit_code == 1
    assert (
        "Xero does not allow PUT /Payments: the access lacks the scope accounting.payments (401" in ran.told
    )
    assert house.load(*documents, **allowed).exit_code == 0
    assert len([p for p in house.books("Payments") if "SF:1" in str(p["Reference"])]) == 1


def test_a_ledger_that_cannot_be_written_is_one_clear_line_and_nothing_is_sent(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr("target_xero.plan.planner.Planner.accept", full)
    ran = house.load(("contacts", house.contact(1)))
    assert (ran.exit_code, ran.states, house.writes) == (1, [], 0)
    assert "the ledger cannot be used: database or disk is full" in ran.log
    assert "Traceback" not in ran.told


def test_a_rotating_token_is_stored_encrypted_and_the_next_run_needs_no_other(house: Any) -> None:
    key = "0f" * 32
    first = house.load(
        ("contacts", house.contact(1)), refresh_token="sandbox-xero-refresh", token_store_key=key
    )
    assert first.exit_code == 0
    stored = house.folder / "xero-token.json"
    assert b"sandbox-xero-refresh" not in stored.read_bytes()
    again = house.load(("contacts", house.contact(2)), token_store_key=key)
    assert again.exit_code == 0
    forms = [e["body"] for e in house.exchanges() if e["path"] == "/connect/token"]
    assert all("refresh_token" in form for form in forms)
    assert len(forms) == 2
    assert "connections" in {e["path"].strip("/").lower() for e in house.exchanges()}


def test_a_rotating_token_without_a_key_is_refused_before_it_is_used(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1)), refresh_token="sandbox-xero-refresh")
    assert ran.exit_code == 1
    assert "token_store_key is missing" in ran.log
    assert house.exchanges() == []


def _cli(*arguments: str) -> tuple[int, str, list[str]]:
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda entry: logged.append(entry.getMessage())  # type: ignore[method-assign]
    logger, root = logging.getLogger("target-xero"), logging.getLogger()
    before = list(root.handlers)
    logger.addHandler(handler)
    try:
        result = CliRunner().invoke(TargetXero.cli, list(arguments), input="")
    finally:
        logger.removeHandler(handler)
        root.handlers[:] = before
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output, logged


def test_a_configuration_that_is_not_there_is_a_wrong_option(tmp_path: Path) -> None:
    code, output, _ = _cli("--config", str(tmp_path / "none.json"))
    assert code == 2
    assert "none.json" in output


@pytest.mark.slow
def test_a_sandbox_that_is_not_running_is_one_line_with_its_cure(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    login = {
        "client_id": "a",
        "client_secret": "b",
        "api_url": "http://127.0.0.1:9",
        "ledger_path": str(tmp_path / "l.sqlite"),
    }
    config.write_text(json.dumps(login))
    code, output, logged = _cli("--config", str(config))
    assert code == 1
    assert "the sandbox does not answer at http://127.0.0.1:9" in logged[-1]
    assert "start it with `make sandbox`" in logged[-1]
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "setting client_id is missing"),
        ({"client_id": "a"}, "setting client_secret is missing"),
        ({"client_id": "a", "client_secret": "b", "ledger_path": ".meltano/l.sqlite"}, "inside .meltano"),
        (
            {"client_id": "a", "client_secret": "b", "api_url": "https://evil.example"},
            "not one of Xero's hosts",
        ),
        ({"client_id": "a", "client_secret": "b", "mapping": "salesfroce"}, "salesforce"),
        ({"client_id": "a", "client_secret": "b", "quiet_period_seconds": 10}, "quiet"),
        ({"client_id": "a", "client_secret": 424242}, "setting client_secret: text is expected"),
        ({"client_id": "a", "on_unknown_stream": "shrug"}, "'shrug' is not one of"),
        ({"client_id": "a", "batch_documents": 51}, "51 is greater than the maximum of 50"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_setting_is_said_by_name_and_never_by_value(
    house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    code, output, logged = _cli("--config", str(path))
    assert code == 1
    assert said in " ".join([output, *logged])
    assert "424242" not in " ".join([output, *logged])


def test_what_is_refused_or_waits_is_not_counted_as_settled_when_it_comes_again(house: Any) -> None:
    bad = ("contacts", house.contact(2, EmailAddress="nobody"))
    house.load(("contacts", house.contact(1)), bad)
    again = house.load(("contacts", house.contact(1)), bad)
    assert again.last_line == "Not all settled: 1 document is, 1 refused."
    two = [("contacts", house.contact(n)) for n in (3, 4)]
    for _ in range(2):
        stopped = house.load(*two, max_documents=1)
        assert stopped.last_line.startswith("Not all settled: 0 documents are, 1 refused; 2 waiting; stopped")


def test_the_report_calls_refused_what_the_commands_call_so_and_says_how_to_go_on(house: Any) -> None:
    ran = house.load(
        *(("contacts", house.contact(n, EmailAddress="nobody")) for n in range(limits.REFUSALS_SHOWN + 1))
    )
    assert "rejected" not in ran.err
    assert "  refused: contacts: Account 0 " in ran.err
    assert "and 1 more: target-xero rejects --limit 0" in ran.err
    assert "target-xero retry" in ran.err


@pytest.mark.parametrize("command", [None, "check", "plan"])
def test_a_ledger_that_cannot_be_made_is_told_with_its_place_and_the_cure(
    house: Any, command: str | None
) -> None:
    (house.folder / "file").write_text("no folder")
    path = str(house.folder / "file" / "ledger.sqlite")
    if command is None:
        ran = house.load(("contacts", house.contact(1)), ledger_path=path)
        assert (ran.exit_code, house.writes) == (1, 0)
        told = ran.log
    else:
        answer = house.command(command, ledger_path=path)
        assert answer.exit_code == 1
        told = answer.output
    told = " ".join(told.replace("│", " ").split())
    assert "cannot be made" in told
    assert "ledger_path" in told


def test_a_ledger_on_a_disk_that_takes_nothing_is_told_with_its_place(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    house.load(("contacts", house.contact(1)))
    monkeypatch.setattr("target_xero.ledger.lock.os.open", refuse)
    ran = house.load(("contacts", house.contact(2)))
    assert ran.exit_code == 1
    assert "ledger.sqlite cannot be made or written: Read-only file system" in ran.log


def test_a_damaged_ledger_is_told_with_the_cure(house: Any) -> None:
    (house.folder / "ledger.sqlite").write_bytes(b"no ledger at all" * 1000)
    ran = house.load(("contacts", house.contact(1)))
    assert ran.exit_code == 1
    assert "file is not a database" in ran.log
    assert "backup" in ran.log
    assert "target-xero ledger rebuild" in house.command("rejects").stderr
