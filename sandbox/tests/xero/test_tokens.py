"""Tokens, as Xero developer docs and issue threads describe them."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

REFRESH = {"grant_type": "refresh_token", "refresh_token": "sandbox-xero-refresh"}


def claims(token: str) -> dict:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def test_client_credentials_give_a_bearer_token_for_half_an_hour_and_no_refresh_token(xero):
    answer = xero.sign_in(
        {"grant_type": "client_credentials", "scope": "accounting.contacts accounting.invoices"}
    )
    assert answer.status == 200
    assert answer.json["expires_in"] == 1800
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "accounting.contacts accounting.invoices"
    assert "refresh_token" not in answer.json


def test_the_access_token_is_a_jwt_with_xeros_claims(xero):
    found = claims(xero.sign_in().json["access_token"])
    assert found["exp"] - found["nbf"] == 1800
    assert found["client_id"] == "sandbox-xero-client"
    assert "accounting.contacts" in found["scope"]
    assert found["authentication_event_id"]


def test_credentials_in_the_form_body_work_like_basic_ones(xero):
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-xero-client",
        "client_secret": "sandbox-xero-secret",
    }
    assert xero.raw("POST", "/connect/token", body=urlencode(form).encode()).status == 200


def test_scopes_undefined_as_an_sdk_sends_it_gives_what_the_connection_was_authorised_for(xero):
    answer = xero.sign_in({"grant_type": "client_credentials", "scopes": "undefined"})
    assert answer.status == 200
    assert xero.get("Contacts").status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "accounting.everything"}, "invalid_scope"),
        ({"grant_type": "refresh_token", "refresh_token": "nobody's"}, "invalid_grant"),
        (
            {"grant_type": "authorization_code", "code": "nobody's", "redirect_uri": "http://localhost/x"},
            "invalid_grant",
        ),
    ],
)
def test_the_token_end_point_refuses_with_400_and_a_code(xero, form, error):
    answer = xero.sign_in({"nothing": "x", **form})
    assert (answer.status, answer.json) == (400, {"error": error})


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_secret_is_invalid_client(xero, secret):
    basic = "Basic " + base64.b64encode(f"sandbox-xero-client:{secret}".encode()).decode()
    answer = xero.raw("POST", "/connect/token", body=b"grant_type=client_credentials", Authorization=basic)
    assert (answer.status, answer.json) == (400, {"error": "invalid_client"})


def test_offline_access_with_client_credentials_is_refused_or_left_out(xero, variants):
    form = {"grant_type": "client_credentials", "scope": "accounting.contacts offline_access"}
    assert xero.sign_in(form).json == {"error": "invalid_scope"}
    variants.choose("xero.token.client_credentials_offline", "ignored")
    assert xero.sign_in(form).json["scope"] == "accounting.contacts"


def test_a_refresh_gives_new_tokens_and_the_old_refresh_token_is_worth_nothing(xero):
    first = xero.sign_in(REFRESH).json
    assert first["refresh_token"] != "sandbox-xero-refresh"
    assert xero.sign_in(REFRESH).json == {"error": "invalid_grant"}
    assert xero.sign_in({**REFRESH, "refresh_token": first["refresh_token"]}).status == 200


def test_with_grace_the_replaced_refresh_token_works_for_thirty_minutes_and_no_longer(xero, clock, variants):
    variants.choose("xero.token.refresh_grace", "thirty_minutes")
    xero.sign_in(REFRESH)
    clock.advance(1800)
    assert xero.sign_in(REFRESH).status == 200
    clock.advance(1)
    assert xero.sign_in(REFRESH).json == {"error": "invalid_grant"}


def test_a_refresh_token_unused_for_sixty_days_is_dead(xero, clock):
    clock.advance(60 * 86_400 + 1)
    assert xero.sign_in(REFRESH).json == {"error": "invalid_grant"}


def test_an_access_token_is_worthless_after_half_an_hour(xero, clock):
    xero.sign_in()
    clock.advance(1799)
    assert xero.get("Organisation").status == 200
    clock.advance(1)
    answer = xero.get("Organisation")
    assert answer.status == 401
    assert answer.json["Title"] == "Unauthorized"
    assert answer.json["Type"] is None
    assert answer.json["Detail"] == "TokenExpired: token expired at 11/02/2026 09:30:00"
    assert answer.json["Extensions"] == {}


def test_no_token_and_a_strange_one_are_401(xero):
    assert xero.raw("GET", "/api.xro/2.0/Organisation").status == 401
    assert xero.raw("GET", "/api.xro/2.0/Organisation", Authorization="Bearer nonsense").status == 401


def test_expire_tokens_ends_every_token_at_once(xero):
    xero.sign_in()
    xero.backend.expire_tokens()
    assert xero.get("Organisation").status == 401
    xero.sign_in()
    assert xero.get("Organisation").status == 200


def authorize(xero, **asked):
    query = {
        "response_type": "code",
        "client_id": "sandbox-xero-client",
        "redirect_uri": "http://127.0.0.1:9/back",
        "scope": "accounting.contacts offline_access",
        "state": "s1",
        **asked,
    }
    answer = xero.raw("GET", "/identity/connect/authorize", urlencode(query))
    return answer, dict(parse_qsl(urlsplit(answer.headers.get("Location", "")).query))


def pkce(verifier: str) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def exchange(xero, code: str, **more: str):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "http://127.0.0.1:9/back",
        **more,
    }
    return xero.raw("POST", "/connect/token", body=urlencode(form).encode())


def test_authorize_sends_the_browser_back_with_code_and_state(xero):
    answer, back = authorize(xero)
    assert answer.status == 302
    assert back["state"] == "s1"
    assert back["code"]


def test_a_pkce_code_is_exchanged_with_its_verifier_and_without_a_secret_once(xero):
    _, back = authorize(xero, **pkce("v" * 50))
    done = exchange(xero, back["code"], client_id="sandbox-xero-client", code_verifier="v" * 50)
    assert done.status == 200
    assert done.json["refresh_token"]
    again = exchange(xero, back["code"], client_id="sandbox-xero-client", code_verifier="v" * 50)
    assert again.json == {"error": "invalid_grant"}


@pytest.mark.parametrize("more", [{"code_verifier": "w" * 50}, {"client_secret": "sandbox-xero-secret"}])
def test_a_pkce_code_is_worth_nothing_without_its_own_verifier(xero, more):
    _, back = authorize(xero, **pkce("v" * 50))
    assert exchange(xero, back["code"], client_id="sandbox-xero-client", **more).json == {
        "error": "invalid_grant"
    }


def test_a_code_lives_five_minutes(xero, clock):
    _, back = authorize(xero)
    clock.advance(301)
    answer = exchange(
        xero, back["code"], client_id="sandbox-xero-client", client_secret="sandbox-xero-secret"
    )
    assert answer.json == {"error": "invalid_grant"}


def test_authorize_with_an_unknown_scope_goes_back_with_the_error(xero):
    _, back = authorize(xero, scope="accounting.nothing")
    assert back == {"error": "invalid_scope", "state": "s1"}


def test_authorize_for_an_unknown_client_stays_on_the_page(xero):
    answer, _ = authorize(xero, client_id="somebody")
    assert answer.status == 400


def test_revocation_ends_the_consent_and_the_connection(xero):
    tokens = xero.sign_in(REFRESH).json
    form = {
        "token": tokens["refresh_token"],
        "client_id": "sandbox-xero-client",
        "client_secret": "sandbox-xero-secret",
    }
    assert xero.raw("POST", "/connect/revocation", body=urlencode(form).encode()).status == 200
    assert xero.sign_in({**REFRESH, "refresh_token": tokens["refresh_token"]}).json == {
        "error": "invalid_grant"
    }
    assert xero.raw("GET", "/connections", Authorization=f"Bearer {tokens['access_token']}").json == []
