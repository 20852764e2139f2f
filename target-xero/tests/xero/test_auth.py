"""Ways to an access token: what is asked, what is kept, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from target_xero.errors import AuthorisationError, ConfigurationError, XeroUnreachableError
from target_xero.xero.auth import ClientCredentials, RefreshToken, TokenEndpoint, Tokens, choose_tenant
from target_xero.xero.pacing import Timing
from target_xero.xero.secret import Secret
from target_xero.xero.token_store import TokenStore
from target_xero.xero.transport import new_session

KEY = bytes(range(32))
SECRET = Secret("client-word")


def token(name: str, refresh: str | None = None, lifetime: int = 1800) -> tuple[int, dict[str, Any]]:
    body: dict[str, Any] = {"access_token": name, "expires_in": lifetime, "token_type": "Bearer"}
    return 200, body | ({"refresh_token": refresh} if refresh else {})


INVALID_GRANT = (400, {"error": "invalid_grant"})


class Setup:
    def __init__(
        self, scripted: Any, virtual: Any, tmp_path: Path, *replies: Any, secret: Secret | None = SECRET
    ) -> None:
        self.adapter = scripted(*replies)
        self.timing = Timing(virtual.seconds, virtual.sleep)
        self.store = TokenStore(tmp_path / "t.json", KEY, "app")
        self.endpoint = TokenEndpoint(
            new_session(self.adapter), "https://identity.xero.com", "app", secret, self.timing
        )

    def forms(self) -> list[dict[str, str]]:
        return [{k: v[0] for k, v in parse_qs(request.body).items()} for request in self.adapter.requests]

    def refresh(self, configured: str | None = "seed") -> RefreshToken:
        return RefreshToken(self.endpoint, self.store, Secret(configured) if configured else None)

    def stored(self) -> list[str]:
        return [generation.refresh_token.reveal() for generation in self.store.read()]


@pytest.fixture
def make(scripted: Any, virtual: Any, tmp_path: Path) -> Any:
    return lambda *replies, **options: Setup(scripted, virtual, tmp_path, *replies, **options)


def test_client_credentials_send_the_scopes_and_the_secret_in_basic_auth(make: Any) -> None:
    setup = make(token("t"))
    grant = ClientCredentials(setup.endpoint, "accounting.contacts accounting.settings").grant()
    assert grant.access_token.reveal() == "t"
    assert setup.forms() == [
        {"grant_type": "client_credentials", "scope": "accounting.contacts accounting.settings"}
    ]
    assert setup.adapter.requests[0].headers["Authorization"] == "Basic YXBwOmNsaWVudC13b3Jk"
    assert setup.adapter.requests[0].url == "https://identity.xero.com/connect/token"


def test_an_app_without_a_secret_names_itself_in_the_form(make: Any) -> None:
    setup = make(token("t", "next"), secret=None)
    setup.refresh().grant()
    assert setup.forms() == [{"grant_type": "refresh_token", "refresh_token": "seed", "client_id": "app"}]
    assert "Authorization" not in setup.adapter.requests[0].headers


def test_the_new_refresh_token_is_on_disk_before_the_access_token_is_handed_out(make: Any) -> None:
    setup = make(token("t", "next"))
    setup.store.save = None  # type: ignore[assignment]
    with pytest.raises(TypeError):
        setup.refresh().grant()


def test_the_stored_line_of_the_configured_token_goes_on(make: Any) -> None:
    setup = make(token("a", "one"), token("b", "two"), token("c", "three"))
    for _ in range(3):
        setup.refresh().grant()
    assert [form["refresh_token"] for form in setup.forms()] == ["seed", "one", "two"]
    assert setup.stored() == ["three", "two"]


def test_a_token_configured_anew_goes_before_the_stored_ones(make: Any) -> None:
    setup = make(token("a", "one"), token("b", "two"))
    setup.refresh("seed").grant()
    setup.refresh("fresh seed").grant()
    assert [form["refresh_token"] for form in setup.forms()] == ["seed", "fresh seed"]
    assert setup.stored() == ["two"]


def test_without_a_configured_token_the_store_is_enough(make: Any) -> None:
    setup = make(token("a", "one"), token("b", "two"))
    setup.refresh("seed").grant()
    setup.refresh(None).grant()
    assert setup.forms()[1]["refresh_token"] == "one"


def test_a_refused_token_makes_room_for_the_one_before_it_once(make: Any) -> None:
    setup = make(token("a", "one"), token("b", "two"), INVALID_GRANT, token("c", "three"))
    for _ in range(3):
        setup.refresh().grant()
    assert [form["refresh_token"] for form in setup.forms()] == ["seed", "one", "two", "one"]
    assert setup.stored()[0] == "three"


def test_when_both_generations_are_refused_a_person_must_authorise_again(make: Any) -> None:
    setup = make(token("a", "one"), token("b", "two"), INVALID_GRANT)
    setup.refresh().grant()
    setup.refresh().grant()
    with pytest.raises(AuthorisationError, match="target-xero login"):
        setup.refresh().grant()
    assert len(setup.adapter.requests) == 4
    assert setup.stored() == ["two", "one"], "a refusal forgets nothing"


def test_a_lost_answer_is_asked_for_again_with_the_same_token(make: Any) -> None:
    setup = make(requests.ReadTimeout(), (503, b"offline"), token("a", "one"))
    setup.refresh().grant()
    assert [form["refresh_token"] for form in setup.forms()] == ["seed"] * 3


def test_an_empty_store_without_a_token_says_what_to_set(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="Set refresh_token once"):
        make(token("t")).refresh(None).grant()


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("invalid_scope", "developer.xero.com"),
        ("unauthorized_client", "custom connection"),
        ("invalid_client", "client_secret"),
    ],
)
def test_a_refused_sign_in_names_its_cure_and_no_secret(make: Any, code: str, cure: str) -> None:
    setup = make((400, {"error": code, "error_description": "client-word is wrong"}))
    with pytest.raises(AuthorisationError, match=cure) as caught:
        ClientCredentials(setup.endpoint, "accounting.contacts").grant()
    assert code in str(caught.value)
    assert "client-word" not in str(caught.value)
    assert len(setup.adapter.requests) == 1


def test_an_error_word_that_is_none_is_not_repeated(make: Any) -> None:
    setup = make((400, {"error": "<script>client-word</script>"}))
    with pytest.raises(AuthorisationError, match="HTTP 400") as caught:
        ClientCredentials(setup.endpoint, "x").grant()
    assert "script" not in str(caught.value)


def test_a_sandbox_that_is_not_running_is_said_so_at_once(scripted: Any, virtual: Any) -> None:
    refused = requests.ConnectTimeout()
    endpoint = TokenEndpoint(
        new_session(scripted(refused)),
        "http://127.0.0.1:8790",
        "app",
        SECRET,
        Timing(virtual.seconds, virtual.sleep),
    )
    with pytest.raises(
        XeroUnreachableError, match=r"sandbox does not answer at http://127.0.0.1:8790 .* `make sandbox`"
    ):
        endpoint.ask({"grant_type": "client_credentials"})
    assert virtual.slept == []


def test_a_sandbox_that_answers_with_an_order_to_fail_is_not_called_silent(make: Any) -> None:
    setup = make(*[(503, b"")] * 3)
    with pytest.raises(XeroUnreachableError, match="HTTP 503 only") as caught:
        setup.endpoint.ask({"grant_type": "client_credentials"})
    assert "does not answer" not in str(caught.value)


def test_an_answer_without_a_token_is_no_grant(make: Any) -> None:
    with pytest.raises(XeroUnreachableError, match="no access token"):
        ClientCredentials(make((200, b"<html>")).endpoint, "x").grant()


def test_a_token_is_renewed_by_age_and_only_then(make: Any, virtual: Any) -> None:
    setup = make(token("first"), token("second"))
    tokens = Tokens(ClientCredentials(setup.endpoint, "x"), setup.timing)
    assert tokens.current().reveal() == "first"
    virtual.now += 1679
    assert tokens.current().reveal() == "first"
    virtual.now += 2
    assert tokens.current().reveal() == "second"


def test_a_short_lived_token_is_still_used(make: Any, virtual: Any) -> None:
    setup = make(token("first", lifetime=60), token("second", lifetime=60))
    tokens = Tokens(ClientCredentials(setup.endpoint, "x"), setup.timing)
    tokens.current()
    virtual.now += 29
    assert tokens.current().reveal() == "first"


def test_one_refused_token_is_replaced_once_for_all_threads(make: Any) -> None:
    setup = make(token("first"), token("second"))
    tokens = Tokens(ClientCredentials(setup.endpoint, "x"), setup.timing)
    first = tokens.current()
    assert tokens.replace(first).reveal() == "second"
    assert tokens.replace(first).reveal() == "second"
    assert len(setup.adapter.requests) == 2


ONE = {"tenantId": "t-1", "tenantName": "Acme", "tenantType": "ORGANISATION"}
TWO = {"tenantId": "t-2", "tenantName": "Bolt", "tenantType": "ORGANISATION"}
PRACTICE = {"tenantId": "p-1", "tenantName": "Accountants", "tenantType": "PRACTICE"}


def test_the_only_organisation_is_taken_and_a_practice_is_none() -> None:
    assert choose_tenant([PRACTICE, ONE], None) == "t-1"


def test_a_named_organisation_is_taken() -> None:
    assert choose_tenant([ONE, TWO], "t-2") == "t-2"


@pytest.mark.parametrize(
    ("connections", "tenant", "said"),
    [
        ([ONE, TWO], None, r"set tenant_id to one of: Acme \(t-1\), Bolt \(t-2\)"),
        ([ONE], "t-9", r"t-9 is not connected. Connected are: Acme \(t-1\)"),
        ([PRACTICE], None, "no Xero organisation"),
        (None, None, "no Xero organisation"),
    ],
)
def test_any_other_choice_is_left_to_a_person(connections: Any, tenant: str | None, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        choose_tenant(connections, tenant)
