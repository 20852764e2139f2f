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


def login(house: Any, browser: Callable[[str], object], *arguments: str, **config: Any) -> Result:
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
    done = CliRunner().invoke(group, ["login", *options, *arguments], obj=world, catch_exceptions=False)
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
    for words in ("Sandbox Trading Ltd", "Second Ltd", "set tenant_id"):
        assert words in done.stdout


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
