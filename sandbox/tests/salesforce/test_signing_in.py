"""Access tokens: how they are got, what refuses them, what rotation does."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Headers, Request

CLIENT = {
    "client_id": credentials.SALESFORCE_CLIENT_ID,
    "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
}
REFRESH = {**CLIENT, "grant_type": "refresh_token"}


def assertion(org, seconds: float = 180, **changes) -> str:
    claims = {
        "iss": credentials.SALESFORCE_CLIENT_ID,
        "sub": credentials.SALESFORCE_USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": int(org.world.clock.now().timestamp() + seconds),
    }
    return jwt.encode({**claims, **changes}, credentials.jwt_private_key_pem(), algorithm="RS256")


def by_jwt(org, text: str):
    return org.sign_in({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": text})


def test_client_credentials_bring_a_token_without_expiry(org) -> None:
    answer = org.load(org.sign_in({**CLIENT, "grant_type": "client_credentials"}))
    assert {"access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope"} <= set(
        answer
    )
    assert "expires_in" not in answer
    assert "refresh_token" not in answer
    assert answer["instance_url"] == "http://localhost:8790"
    assert answer["issued_at"] == str(int(org.world.clock.now().timestamp() * 1000))


def test_the_identity_url_names_organisation_and_user_by_18_characters(org) -> None:
    answer = org.load(org.sign_in({**CLIENT, "grant_type": "client_credentials"}))
    *_, org_id, user_id = answer["id"].split("/")
    assert org.column("SELECT Id FROM Organization") == [org_id]
    assert org.one("User", user_id, "Username") == credentials.SALESFORCE_USERNAME


def test_client_credentials_may_come_by_basic_authentication(org) -> None:
    pair = base64.b64encode(f"{CLIENT['client_id']}:{CLIENT['client_secret']}".encode()).decode()
    answer = org.sign_in({"grant_type": "client_credentials"}, {"Authorization": f"Basic {pair}"})
    assert answer.status == 200


def test_the_instance_url_has_the_scheme_that_the_client_used(org) -> None:
    answer = org.sign_in({**CLIENT, "grant_type": "client_credentials"}, {"X-Forwarded-Proto": "https"})
    assert org.load(answer)["instance_url"] == "https://localhost:8790"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", **CLIENT, "client_secret": "no"}, "invalid_client"),
        ({"grant_type": "client_credentials", **CLIENT, "client_id": "no"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": CLIENT["client_id"]}, "invalid_client"),
        ({"grant_type": "password", **CLIENT, "username": "u", "password": "p"}, "invalid_grant"),
        ({"grant_type": "magic", **CLIENT}, "unsupported_grant_type"),
        ({**REFRESH, "refresh_token": "no"}, "invalid_grant"),
    ],
)
def test_a_refused_grant_is_an_object_with_400(org, form: dict[str, str], error: str) -> None:
    answer = org.sign_in(form)
    assert answer.status == 400
    assert org.load(answer)["error"] == error
    assert org.load(answer)["error_description"]


def test_a_signed_assertion_brings_a_token(org) -> None:
    token = org.load(by_jwt(org, assertion(org)))["access_token"]
    org.token = token
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "nobody@sandbox.example"},
        {"aud": "https://example.com"},
        {"iss": "another app"},
        {"exp": "soon"},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(org, changes: dict[str, str]) -> None:
    answer = by_jwt(org, assertion(org, **changes))
    assert answer.status == 400
    assert org.load(answer)["error"].startswith("invalid_")


def test_an_assertion_that_has_expired_on_the_sandbox_clock_is_refused(org) -> None:
    text = assertion(org, 60)
    org.pass_time(60)
    assert org.load(by_jwt(org, text))["error"] == "invalid_grant"


def test_an_assertion_signed_by_another_key_is_refused(org) -> None:
    claims = jwt.decode(assertion(org), options={"verify_signature": False})
    other = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        text = jwt.encode(claims, other, algorithm="RS256")
    assert org.load(by_jwt(org, text))["error"] == "invalid_grant"


def test_a_refresh_token_serves_again_and_again_without_rotation(org) -> None:
    form = {**REFRESH, "refresh_token": credentials.SALESFORCE_REFRESH_TOKEN}
    for _ in range(3):
        answer = org.load(org.sign_in(form))
        assert "refresh_token" not in answer


def test_with_rotation_each_refresh_brings_a_new_refresh_token(org) -> None:
    org.edit("rotation", on=True)
    first = org.load(org.sign_in({**REFRESH, "refresh_token": credentials.SALESFORCE_REFRESH_TOKEN}))
    second = org.load(org.sign_in({**REFRESH, "refresh_token": first["refresh_token"]}))
    assert second["refresh_token"] not in (first["refresh_token"], credentials.SALESFORCE_REFRESH_TOKEN)


def test_using_a_replaced_refresh_token_ends_the_current_one_and_its_access_tokens(org) -> None:
    org.edit("rotation", on=True)
    old = credentials.SALESFORCE_REFRESH_TOKEN
    first = org.load(org.sign_in({**REFRESH, "refresh_token": old}))
    assert org.load(org.sign_in({**REFRESH, "refresh_token": old}))["error"] == "invalid_grant"
    assert org.sign_in({**REFRESH, "refresh_token": first["refresh_token"]}).status == 400
    untouched = org.send("GET", "limits")
    org.token = first["access_token"]
    assert org.error(org.send("GET", "limits"))["errorCode"] == "INVALID_SESSION_ID"
    assert untouched.status == 200


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", ""])
def test_an_unknown_token_is_401_as_an_array(org, header: str) -> None:
    found = org.error(org.send("GET", "sobjects", headers={"Authorization": header}))
    assert found == {
        "status": 401,
        "errorCode": "INVALID_SESSION_ID",
        "message": "Session expired or invalid",
    }


def test_a_header_of_another_kind_is_an_invalid_header(org) -> None:
    found = org.error(org.send("GET", "sobjects", headers={"Authorization": "Basic abc"}))
    assert (found["status"], found["errorCode"]) == (401, "INVALID_AUTH_HEADER")


def test_a_session_ends_with_its_time(org) -> None:
    org.pass_time(7199)
    assert org.send("GET", "limits").status == 200
    org.pass_time(1)
    assert org.send("GET", "limits").status == 401


def test_a_shorter_session_can_be_set(org) -> None:
    org.edit("session", seconds=60)
    org.token = org.load(org.sign_in({**CLIENT, "grant_type": "client_credentials"}))["access_token"]
    org.pass_time(60)
    assert org.send("GET", "limits").status == 401


def test_every_token_ends_when_the_shell_says_so(org) -> None:
    org.backend.expire_tokens()
    assert org.send("GET", "limits").status == 401


def revoke(org, token: str):
    headers = Headers({"Content-Type": "application/x-www-form-urlencoded"})
    return org.backend.handle(
        Request("POST", "/services/oauth2/revoke", "", headers, f"token={token}".encode())
    )


def test_a_revoked_access_token_is_worth_nothing_and_others_are(org) -> None:
    other = org.load(org.sign_in({**CLIENT, "grant_type": "client_credentials"}))["access_token"]
    assert revoke(org, other).status == 200
    assert org.error(org.send("GET", "limits", headers={"Authorization": f"Bearer {other}"}))["status"] == 401
    assert org.send("GET", "limits").status == 200


def test_a_revoked_refresh_token_takes_along_what_it_brought_and_nothing_else(org) -> None:
    form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": "sandbox-salesforce-refresh"}
    brought = org.load(org.sign_in(form))["access_token"]
    assert revoke(org, "sandbox-salesforce-refresh").status == 200
    assert org.load(org.sign_in(form))["error"] == "invalid_grant"
    assert org.send("GET", "limits", headers={"Authorization": f"Bearer {brought}"}).status == 401
    assert org.send("GET", "limits").status == 200


def test_an_access_token_that_is_revoked_ends_alone(org) -> None:
    form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": "sandbox-salesforce-refresh"}
    one, other = (org.load(org.sign_in(form))["access_token"] for _ in range(2))
    assert revoke(org, one).status == 200
    assert org.send("GET", "limits", headers={"Authorization": f"Bearer {other}"}).status == 200
    assert org.sign_in(form).status == 200


def test_a_token_that_is_none_cannot_be_revoked(org) -> None:
    answer = revoke(org, "nobody")
    assert (answer.status, org.load(answer)["error"]) == (400, "invalid_token")


def test_user_info_tells_who_is_signed_in(org) -> None:
    assert org.get("/services/oauth2/userinfo")["preferred_username"] == credentials.SALESFORCE_USERNAME


def test_soap_login_is_refused_in_salesforces_own_words(org) -> None:
    answer = org.send("POST", "/services/Soap/u/67.0", b"<login/>", {"Content-Type": "text/xml"})
    assert answer.status == 500
    assert b"INVALID_OPERATION" in answer.body


def test_a_retired_version_is_refused_by_soap_in_its_own_words(org) -> None:
    answer = org.send("POST", "/services/Soap/u/30.0", b"<login/>", {"Content-Type": "text/xml"})
    assert answer.status == 500
    assert b"UNSUPPORTED_API_VERSION" in answer.body


CALLBACK = "http://localhost:1717/OauthRedirect"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "response_type": "code", "client_id": credentials.SALESFORCE_CLIENT_ID, "redirect_uri": CALLBACK, "state": "s&1",
    "scope": "api refresh_token", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip


def authorize(org, **changes: str | None):
    asked = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    return org.send("GET", "/services/oauth2/authorize", query=urlencode(asked))


def came_back(answer) -> dict[str, str]:
    assert answer.status == 302
    address, _, query = answer.headers["Location"].partition("?")
    assert address == CALLBACK
    return dict(parse_qsl(query))


def redeem(org, code: str, **changes: str | None):
    form = {
        **CLIENT,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return org.sign_in({name: value for name, value in {**form, **changes}.items() if value is not None})


def test_a_code_brings_access_and_a_refresh_token_once(org) -> None:
    back = came_back(authorize(org))
    assert back["state"] == "s&1"
    granted = org.load(redeem(org, back["code"]))
    org.token = granted["access_token"]
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 2
    assert org.sign_in({**REFRESH, "refresh_token": granted["refresh_token"]}).status == 200
    assert org.load(redeem(org, back["code"]))["error_description"] == "expired authorization code"


def test_without_the_scope_there_is_no_refresh_token(org) -> None:
    granted = org.load(redeem(org, came_back(authorize(org, scope="api"))["code"]))
    assert "refresh_token" not in granted


def test_a_code_ends_after_fifteen_minutes(org) -> None:
    back = came_back(authorize(org))
    org.pass_time(15 * 60)
    assert org.load(redeem(org, back["code"]))["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"redirect_uri": f"{CALLBACK}/"}, "redirect_uri_mismatch"),
        ({"client_secret": None}, "invalid_client"),
        ({"client_secret": "no"}, "invalid_client"),
        ({"client_id": "no"}, "invalid_client_id"),
    ],
)
def test_a_code_is_refused_without_its_proof(org, changes, error: str) -> None:
    assert org.load(redeem(org, came_back(authorize(org))["code"], **changes))["error"] == error


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "api everything"}, "invalid_scope"),
    ],
)
def test_the_app_learns_why_a_request_was_refused(org, changes, error: str) -> None:
    back = came_back(authorize(org, **changes))
    assert back["error"] == error
    assert back["state"] == "s&1"
    assert "code" not in back


@pytest.mark.parametrize(
    "changes", [{"client_id": "no"}, {"redirect_uri": "http://localhost:1718/OauthRedirect"}]
)
def test_nobody_is_sent_to_an_address_that_the_app_does_not_have(org, changes) -> None:
    answer = authorize(org, **changes)
    assert answer.status == 400
    assert "Location" not in answer.headers


def test_with_rotation_the_token_of_a_browser_login_is_replaced_too(org) -> None:
    org.edit("rotation", on=True)
    first = org.load(redeem(org, came_back(authorize(org))["code"]))["refresh_token"]
    second = org.load(org.sign_in({**REFRESH, "refresh_token": first}))["refresh_token"]
    assert second != first
    assert org.load(org.sign_in({**REFRESH, "refresh_token": first}))["error"] == "invalid_grant"
    assert org.sign_in({**REFRESH, "refresh_token": second}).status == 400, "using the old one ended it"
