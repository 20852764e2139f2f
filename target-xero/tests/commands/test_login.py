"""`target-xero login`: consent in a browser, code with PKCE, the refresh token encrypted before it is used."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner, Result
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.xero import organisation as first_organisation
from target_xero.commands import group
from target_xero.commands.shared import World
from target_xero.xero.consent import Consent

pytestmark = pytest.mark.slow

KEY = "7" * 64


class Browser:
    """A person's browser: asks the sandbox's consent page, and follows it to the listener over a real socket."""

    def __init__(self, house: Any, change: Callable[[str], str] = lambda address: address) -> None:
        self.house = house
        self.change = change
        self.asked: dict[str, str] = {}
        self.pages: list[requests.Response] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, address: str) -> None:
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.address = address
        with requests.Session() as session:
            session.mount("http://", SandboxAdapter(self.house.sandbox))
            self.answer = session.get(address, allow_redirects=False)
        back = self.change(self.answer.headers["Location"])
        self.threads.append(threading.Thread(target=lambda: self.pages.append(requests.get(back, timeout=5))))
        self.threads[-1].start()


def login(
    house: Any, browser: Callable[[str], object], *arguments: str, typed: str | None = None, **config: Any
) -> Result:
    file = house.folder / "config.json"
    settings = {
        "client_id": "sandbox-xero-client",
        "api_url": "http://127.0.0.1:8790",
        "token_store_key": KEY,
        "ledger_path": str(house.folder / "ledger.sqlite"),
        **config,
    }
    file.write_text(json.dumps(settings))
    world = World(adapter=SandboxAdapter(house.sandbox), timing=house.timing, browser=browser)
    options = ("--config", str(file), "--port", "0")
    done = CliRunner().invoke(
        group, ["login", *options, *arguments], obj=world, catch_exceptions=False, input=typed
    )
    for thread in getattr(browser, "threads", ()):
        thread.join()
    return done


def test_a_pkce_app_gets_in_and_the_next_run_uses_what_was_stored(house: Any) -> None:
    browser = Browser(house)
    done = login(house, browser, "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["organisation"]["name"] == "Sandbox Trading Ltd"
    assert told["settings"] == {"tenant_id": told["organisation"]["id"]}
    house.config = {
        "client_secret": None, "auth_method": "refresh_token", "token_store_key": KEY,
        "token_store_path": told["token_store"], "tenant_id": told["organisation"]["id"],
    }  # fmt: skip
    assert house.load(("contacts", house.contact(1))).exit_code == 0


def test_a_web_app_sends_its_secret_and_pkce_too(house: Any) -> None:
    browser = Browser(house)
    assert login(house, browser, client_secret="sandbox-xero-secret").exit_code == 0
    assert browser.asked["code_challenge_method"] == "S256"


@pytest.mark.parametrize(
    ("config", "scopes"),
    [
        ({}, "accounting.contacts accounting.invoices accounting.payments accounting.settings"),
        ({"mapping": "salesforce"}, "accounting.contacts accounting.invoices accounting.settings"),
        (
            {"mapping": "salesforce", "mapping_options": {"items": False}},
            "accounting.contacts accounting.invoices accounting.settings.read",
        ),
        (
            {"mapping": "salesforce", "mapping_options": {"items": False, "payments": True}},
            "accounting.contacts accounting.invoices accounting.payments accounting.settings.read",
        ),
        (
            {"scopes": "accounting.transactions accounting.contacts"},
            "accounting.transactions accounting.contacts",
        ),
    ],
)
def test_it_asks_for_exactly_the_scopes_that_are_needed(
    house: Any, config: dict[str, Any], scopes: str
) -> None:
    browser = Browser(house)
    login(house, browser, **config)
    assert browser.asked["scope"] == f"offline_access {scopes}"


def test_nothing_secret_is_shown_and_the_page_holds_no_code(house: Any) -> None:
    browser = Browser(house)
    done = login(house, browser, client_secret="sandbox-xero-secret")
    code = parse_qs(urlsplit(browser.answer.headers["Location"]).query)["code"][0]
    (token,) = [t for t in house.sandbox.backend("xero").identity.tokens.refresh if "sandbox" not in t]
    everything = done.stdout + done.stderr
    for secret in (code, token, "sandbox-xero-secret", KEY):
        assert secret not in everything
    (page,) = browser.pages
    assert code not in page.text + page.url
    assert "Back to the terminal" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert token.encode() not in (house.folder / "xero-token.json").read_bytes()


def test_the_refresh_token_is_stored_before_the_access_token_is_used(house: Any) -> None:
    house.fault("500_before", method="GET", path="/connections", times=9)
    done = login(house, Browser(house))
    assert done.exit_code == 1
    assert "The access is stored" in done.stderr
    assert (house.folder / "xero-token.json").exists()


def test_a_new_login_goes_before_a_configured_token_that_died(house: Any) -> None:
    told = json.loads(login(house, Browser(house), "--json", refresh_token="dead").stdout)
    house.config = {
        "client_secret": None, "refresh_token": "dead", "token_store_key": KEY,
        "token_store_path": told["token_store"], "tenant_id": told["organisation"]["id"],
    }  # fmt: skip
    assert house.load(("contacts", house.contact(1))).exit_code == 0


# -- several organisations -------------------------------------------------------------------------------------------------


@pytest.fixture
def two(house: Any) -> Any:
    house.sandbox.edit(
        "xero",
        {
            "action": "add_organisation",
            "id": "b" * 8 + "-0000-4000-8000-" + "b" * 12,
            "name": "Second Ltd",
        },
    )
    return house


def test_of_several_organisations_the_one_asked_for_is_taken(two: Any) -> None:
    told = json.loads(login(two, Browser(two), "--json", "--tenant", "Second Ltd").stdout)
    assert told["organisation"]["name"] == "Second Ltd"
    assert len(told["connected"]) == 2


def test_without_a_terminal_several_organisations_are_listed_and_end_with_1(two: Any) -> None:
    done = login(two, Browser(two))
    assert done.exit_code == 1
    for words in (
        "Sandbox Trading Ltd",
        "Second Ltd",
        "Set tenant_id",
        "--tenant NAME",
        "setting organisations",
    ):
        assert words in " ".join(done.stdout.split())
    assert (two.folder / "xero-token.json").exists(), "whoever sets tenant_id now need not log in again"


def test_on_a_terminal_the_organisation_is_asked_for(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_xero.commands.login.is_terminal", lambda: True)
    done = login(two, Browser(two), "--json", typed="2\n")
    assert done.exit_code == 0
    assert "1  Sandbox Trading Ltd" in done.stderr
    assert json.loads(done.stdout)["organisation"]["name"] == "Second Ltd"


SECOND = "b" * 8 + "-0000-4000-8000-" + "b" * 12


def routed(**ids: str) -> list[dict[str, Any]]:
    return [{"name": name, "tenant_id": id_} for name, id_ in ids.items()]


def test_several_organisations_that_the_setting_names_are_no_question(two: Any) -> None:
    first = first_organisation.TENANT_ID
    done = login(two, Browser(two), "--json", organisations=routed(UK=first, Second=SECOND))
    assert done.exit_code == 0, done.stdout
    told = json.loads(done.stdout)
    assert [(one["entry"], one["name"], one["state"]) for one in told["organisations"]] == [
        ("UK", "Sandbox Trading Ltd", "connected"),
        ("Second", "Second Ltd", "connected"),
    ]
    assert told["settings"] == {}, "tenant_id is the setting's business"


def test_of_the_setting_organisations_it_says_which_are_connected_and_which_are_not(two: Any) -> None:
    away, other = "d" * 8 + "-0000-4000-8000-" + "d" * 12, "e" * 8 + "-0000-4000-8000-" + "e" * 12
    entries = [
        *routed(Second=SECOND, France=away),
        {"name": "Own", "tenant_id": other, "client_id": "another"},
    ]
    done = login(two, Browser(two), organisations=entries)
    said = " ".join(done.stdout.split())
    assert done.exit_code == 0, "one of them is connected; the others follow"
    assert f"Connected, of the setting organisations: Second ({SECOND})." in said
    assert f"Not connected, but in the setting organisations: France ({away})." in said
    assert f"of their own: Own ({other})." in said
    assert (
        "Connected, but not in the setting organisations: Sandbox Trading Ltd. Nothing is written there."
        in said
    )


def test_a_login_that_connects_none_of_the_setting_organisations_ends_with_1(two: Any) -> None:
    done = login(two, Browser(two), organisations=routed(France="d" * 8 + "-0000-4000-8000-" + "d" * 12))
    assert done.exit_code == 1
    assert "of the setting organisations: none" in done.stdout


def test_an_entry_with_an_app_of_its_own_is_logged_in_by_its_name(two: Any) -> None:
    entries = [
        *routed(UK=first_organisation.TENANT_ID),
        {"name": "Second", "tenant_id": SECOND, "client_id": "sandbox-xero-client"},
    ]
    done = login(
        two, Browser(two), "--json", "--tenant", "Second", client_id="another", organisations=entries
    )
    assert done.exit_code == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert [(one["entry"], one["state"]) for one in told["organisations"]] == [
        ("UK", "access of its own"),
        ("Second", "connected"),
    ]
    assert SECOND in told["token_store"]


def test_an_organisation_that_is_not_connected_is_told_with_those_that_are(two: Any) -> None:
    done = login(two, Browser(two), "--tenant", "Third Ltd")
    assert done.exit_code == 1
    assert "Second Ltd" in done.stderr


# -- what goes wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda back: back.partition("?")[0] + "?error=access_denied&" + back.partition("&")[2],
            "access was not given",
        ),
        (lambda back: back.replace("state=", "state=x"), "does not belong to this login"),
        (lambda back: back.replace("code=", "code=x"), "did not take the code"),
        (lambda back: back.replace("code=", "kode="), "no code"),
        (lambda back: back.partition("?")[0], "does not belong to this login"),
    ],
)
def test_a_wrong_answer_is_told_and_stores_nothing(
    house: Any, change: Callable[[str], str], words: str
) -> None:
    def keeping_state(back: str) -> str:
        changed = change(back)
        if "error=" in changed:
            changed += "&state=" + parse_qs(urlsplit(back).query)["state"][0]
        return changed

    done = login(house, Browser(house, keeping_state))
    assert done.exit_code == 1
    assert words in done.stderr
    assert not (house.folder / "xero-token.json").exists()


def test_a_code_works_once(house: Any) -> None:
    def spend(back: str) -> str:
        asked = parse_qs(urlsplit(back).query)
        house.sandbox.backend("xero").identity.tokens.codes.pop(asked["code"][0])
        return back

    done = login(house, Browser(house, spend))
    assert "it was used already" in done.stderr


def test_an_app_that_may_not_have_a_scope_is_told(house: Any) -> None:
    done = login(house, Browser(house), "--scopes", "accounting.nothing")
    assert "one of the scopes" in done.stderr


def test_nobody_answers(house: Any) -> None:
    done = login(house, lambda _: None, "--wait", "1")
    assert done.exit_code == 1
    assert "no answer came within 1 s" in done.stderr


def test_a_taken_port_is_told_before_anybody_is_asked(house: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = login(house, pytest.fail, "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1
    assert "cannot be used" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"token_store_key": None}, "token_store_key is missing"),
        ({"token_store_key": "short"}, "32 bytes"),
        ({"auth_method": "client_credentials"}, "needs no login"),
    ],
)
def test_settings_that_cannot_work_are_told_before_anybody_is_asked(
    house: Any, config: dict[str, Any], words: str
) -> None:
    done = login(house, pytest.fail, **config)
    assert done.exit_code == 1
    assert words in done.stderr


def test_the_address_shown_is_enough_without_a_browser(house: Any) -> None:
    opened: list[str] = []
    done = login(house, opened.append, "--no-browser", "--wait", "1")
    assert opened == []
    assert "http://127.0.0.1:8790/identity/connect/authorize?response_type=code" in done.stderr


def test_real_consent_is_asked_for_at_xeros_own_login() -> None:
    consent = Consent("https://identity.xero.com", "app", "http://localhost:1/callback", ["offline_access"])
    assert consent.address.startswith("https://login.xero.com/identity/connect/authorize?")
