"""What people do beside the runs: `check` names what is missing and writes nothing, `login` keeps a token that runs use."""

from __future__ import annotations

import json
import signal
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from click.testing import CliRunner, Result
from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.salesforce.pubsub import serve_pubsub_in_thread
from tap_salesforce_ikaroa.cli import command_line
from tap_salesforce_ikaroa.commands import COMMANDS, group
from tap_salesforce_ikaroa.commands.shared import World
from tap_salesforce_ikaroa.errors import LoginError
from tap_salesforce_ikaroa.loopback import Loopback
from tap_salesforce_ikaroa.transport import RetryPolicy

if TYPE_CHECKING:
    from conftest import Org, Sync

CONFIG = {
    "login_url": "http://127.0.0.1:8790",
    "client_id": credentials.SALESFORCE_CLIENT_ID,
    "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
    "pubsub_endpoint": "127.0.0.1:9",
}
Command = Callable[..., Result]


@pytest.fixture
def command(org: Org, tmp_path: Path) -> Command:
    """Runs a command in this process against the org: `command("check", needed_fields=[…])`."""

    def run(*words: str, browser: Callable[[str], object] = print, **settings: Any) -> Result:
        config = tmp_path / "config.json"
        config.write_text(json.dumps({**CONFIG, **settings}))
        world = World(
            SandboxAdapter(org.sandbox, spend_time=False), RetryPolicy(sleep=lambda _: None), browser
        )
        return CliRunner().invoke(group, [*words, "--config", str(config)], obj=world, catch_exceptions=False)

    return run


def checks(result: Result) -> dict[str, dict[str, str]]:
    return {line["what"]: line for line in json.loads(result.stdout)["checks"]}


# --- the first word --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["check", "--json"], ["check", "--json"]),
        (["--config", "a.json", "check", "--json"], ["check", "--config", "a.json", "--json"]),
        (["--config", "a", "--catalog", "b", "--state", "c", "login"], ["login", "--config", "a"]),
        (["--config", "check"], None),  # a file of that name
        (["--config", "a.json", "--discover"], None),
        (["--config", "a.json", "--catalog", "b.json"], None),
        (["--config"], None),
        ([], None),
    ],
)
def test_a_command_may_follow_the_files_that_meltano_gives_every_tap(
    words: list[str], told: list[str] | None
) -> None:
    assert command_line(words) == told


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_tells_that_all_is_there(command: Command, org: Org) -> None:
    needs = ["Opportunity.Amount", "Opportunity.OpportunityLineItems.UnitPrice", "Opportunity.Account.Name"]
    result = command("check", "--json", needed_fields=needs)
    found = checks(result)
    assert result.exit_code == 0, result.output
    assert found["needed fields"]["found"] == "all 3 can be read"
    assert {line["level"] for line in found.values()} == {"ok"}
    assert found["organisation"]["found"] == next(iter(org.rows("Organization")))
    assert "several currencies on" in found["features"]["found"]
    assert "not checked" in found["change events"]["found"]


def test_check_names_each_object_and_field_that_the_user_cannot_see(
    command: Command, org: Org, tmp_path: Path
) -> None:
    org.edit("hide_field", object="Opportunity", field="PO_Number__c")
    org.edit("hide_object", object="OpportunityLineItem")
    needs = tmp_path / "needs.json"
    needs.write_text('["Opportunity.OpportunityLineItems.Quantity", "Account.Name"]')
    result = command("check", "--json", "--needs", str(needs), needed_fields=["Opportunity.PO_Number__c"])
    failed = {what for what, line in checks(result).items() if line["level"] == "fail"}
    assert result.exit_code == 1
    assert failed == {"needed Opportunity.PO_Number__c", "needed Opportunity.OpportunityLineItems.Quantity"}
    warned = {what for what, line in checks(result).items() if line["level"] == "warn"}
    assert warned == {"object Opportunity.OpportunityLineItems"}
    assert "permission set" in checks(result)["needed Opportunity.PO_Number__c"]["cure"]


@pytest.mark.parametrize(("used", "level", "code"), [(10, "ok", 0), (700, "warn", 0), (850, "fail", 1)])
def test_check_compares_the_calls_left_with_the_budget(
    command: Command, org: Org, used: int, level: str, code: int
) -> None:
    org.edit("limits", daily=1000, used=used)
    result = command("check", "--json")
    assert result.exit_code == code
    assert checks(result)["API calls"]["level"] == level
    assert checks(result)["objects"]["level"] == "ok", "calls that are used up hide nothing"


@pytest.mark.parametrize(
    ("settings", "what", "text"),
    [
        ({"client_secret": "wrong"}, "access", "client_secret"),
        ({"client_secret": ""}, "access", "`client_secret` is not set"),
        ({"api_version": "99.0"}, "API version", "is not served"),
        ({"login_url": "https://evil.example"}, "access", "allowed_hosts"),
    ],
)
def test_check_tells_why_nothing_can_be_read(
    command: Command, settings: dict[str, str], what: str, text: str
) -> None:
    result = command("check", "--json", **settings)
    assert result.exit_code == 1
    assert checks(result)[what]["level"] == "fail"
    assert text in checks(result)[what]["found"]


def test_check_writes_nothing_and_shows_people_a_table(command: Command, org: Org) -> None:
    before = org.sandbox.dump("salesforce")["objects"]
    result = command("check")
    assert org.sandbox.dump("salesforce")["objects"] == before
    assert "Ready to run" in result.stdout
    sent = {(entry.request.method, entry.request.path.rpartition("/")[2]) for entry in org.exchanges}
    assert {name for method, name in sent if method == "POST"} <= {"token", "composite"}


@pytest.mark.parametrize("content", ["{}", "[1]", "not json"])
def test_check_refuses_needs_of_another_form(command: Command, tmp_path: Path, content: str) -> None:
    needs = tmp_path / "needs.json"
    needs.write_text(content)
    result = command("check", "--needs", str(needs))
    assert result.exit_code == 1
    assert "JSON list" in result.stderr


@pytest.mark.e2e
def test_check_asks_the_pubsub_api_which_objects_may_be_followed(command: Command, org: Org) -> None:
    with serve_pubsub_in_thread(org.sandbox) as endpoint:
        result = command("check", "--json", mode="live", pubsub_endpoint=endpoint)
    line = checks(result)["change events"]
    assert line["level"] == "ok", line
    for name in ("Opportunity", "OpportunityLineItem", "Account", "Contact"):
        assert name in line["found"]


# --- login -----------------------------------------------------------------------------------------------------------

STORE = {"token_store_key": "a1" * 32}


@pytest.fixture
def person(org: Org) -> Callable[..., Callable[[str], object]]:
    """A browser with a person in it, who follows redirects; `person(state="x")` changes what comes back."""

    def make(**changes: str) -> Callable[[str], object]:
        def open_address(address: str) -> None:
            asked = dict(parse_qsl(urlsplit(address).query))
            org.edit("app", callbacks=[asked["redirect_uri"]])
            session = requests.Session()
            session.mount("http://127.0.0.1:8790", SandboxAdapter(org.sandbox, spend_time=False))
            answer = session.get(address, allow_redirects=False)
            if answer.status_code != 302:
                return
            back, _, query = answer.headers["Location"].partition("?")
            params = {**dict(parse_qsl(query)), **changes}
            threading.Thread(target=requests.get, args=(f"{back}?{urlencode(params)}",), daemon=True).start()

        return open_address

    return make


@pytest.mark.e2e
@pytest.mark.parametrize("rotation", [False, True])
def test_after_a_login_runs_need_no_refresh_token_in_the_settings(
    command: Command, person: Any, org: Org, sync: Sync, tmp_path: Path, rotation: bool
) -> None:
    org.edit("rotation", on=rotation)
    store = tmp_path / "tokens" / "salesforce.json"
    settings = {**STORE, "token_store_path": str(store)}
    result = command("login", "--port", "0", "--json", browser=person(), **settings)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["settings"] == {"auth_method": "refresh_token"}
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    form = next(
        entry for entry in org.exchanges if entry.request.path == "/services/oauth2/token"
    ).request.body.decode()
    sent = dict(parse_qsl(form))
    assert sent["grant_type"] == "authorization_code"
    for secret in (sent["code"], sent["code_verifier"], CONFIG["client_secret"], "5Aep861"):
        assert secret not in result.output
        assert secret not in store.read_text()
    for _ in range(2):
        run = sync(streams_to_discover=["Lead"], **settings, **told["settings"])
        assert len(run.of("Lead")) == len(org.rows("Lead", deleted=True))


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"state": "x"}, "does not belong to this login"),
        ({"error": "access_denied"}, "access was not given"),
        ({"error": "<script>"}, "Salesforce refused (error)"),
        ({"code": ""}, "holds no code"),
        ({"code": "wrong"}, "invalid_grant"),
    ],
)
def test_an_answer_that_is_no_consent_stores_nothing(
    command: Command, person: Any, tmp_path: Path, changes: dict[str, str], text: str
) -> None:
    store = tmp_path / "salesforce.json"
    result = command("login", "--port", "0", browser=person(**changes), **STORE, token_store_path=str(store))
    assert result.exit_code == 1
    assert text in result.stderr
    assert not store.exists()


def test_login_asks_for_the_store_before_it_asks_a_person(command: Command, org: Org) -> None:
    asked: list[str] = []
    result = command("login", browser=asked.append)
    assert result.exit_code == 1
    assert "token_store_key" in result.stderr
    assert not asked


def test_a_run_with_an_empty_store_says_to_log_in(sync: Sync, tmp_path: Path) -> None:
    settings = {**STORE, "token_store_path": str(tmp_path / "none.json")}
    with pytest.raises(LoginError, match="tap-salesforce-ikaroa login"):
        sync(**settings)


@pytest.mark.e2e
def test_without_an_answer_login_ends_and_says_what_may_be_wrong(command: Command, tmp_path: Path) -> None:
    result = command(
        "login", "--port", "0", "--wait", "1", **STORE, token_store_path=str(tmp_path / "s.json")
    )
    assert result.exit_code == 1
    assert "redirect_uri_mismatch" in result.stderr


@pytest.mark.e2e
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_login_that_is_ended_while_it_waits_says_so_in_one_line(
    command: Command, tmp_path: Path, number: int, code: int
) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        ended = command(
            "login",
            "--port",
            "0",
            browser=lambda _: signal.raise_signal(number),
            **STORE,
            token_store_path=str(tmp_path / "store"),
        )
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert ended.exit_code == code
    assert ended.stderr.splitlines()[-1] == "tap-salesforce-ikaroa: ended before it was done"
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_a_taken_port_is_told(command: Command, tmp_path: Path) -> None:
    with Loopback(0) as taken:
        port = str(urlsplit(taken.redirect_uri).port)
        result = command("login", "--port", port, **STORE, token_store_path=str(tmp_path / "s.json"))
    assert result.exit_code == 1
    assert "--port" in result.stderr


def test_every_command_has_help_and_json() -> None:
    for name in COMMANDS:
        told = CliRunner().invoke(group, [name, "--help"]).output
        assert "--json" in told
        assert "--config" in told
