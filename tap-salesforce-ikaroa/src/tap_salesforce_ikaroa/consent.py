"""A person's consent: the web server flow with PKCE (RFC 7636).

A `Consent` makes verifier and state; its `address` is where the browser goes, `code_of` checks what came back, `exchange`
turns the code into tokens, once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tap_salesforce_ikaroa.auth import TokenEndpoint
from tap_salesforce_ikaroa.errors import LoginError

SCOPES = ("api", "refresh_token")
"""The least: to read, and to come again."""
_VERIFIER_BYTES = 48
_STATE_BYTES = 24
_CURES = {
    "access_denied": "access was not given: the consent was refused in the browser",
    "redirect_uri_mismatch": "the callback address is not among the app's callback URLs, letter by letter",
    "invalid_scope": "the app may not give the scopes api and refresh_token: add both to the app",
    "invalid_client_id": "check `client_id`; a new app takes up to ten minutes to be known",
    "unsupported_response_type": "switch on the authorization code flow for the app",
    "invalid_request": "Salesforce did not understand the request; check the app's flow settings",
    "OAUTH_APP_ACCESS_DENIED": "an administrator must allow this user to use the app (its policies, or a permission set)",
    "OAUTH_APPROVAL_ERROR_GENERIC": "Salesforce could not give the approval; check the app's scopes and policies",
}
_EXCHANGE_CURE = (
    "the code was used already, is older than 15 minutes, or the app wants something else: check `client_secret` (or switch "
    "off 'Require secret for web server flow') and the callback URL. Run login again"
)


class Consent:
    """One attempt. Verifier and state are made anew each time and live in memory only."""

    def __init__(self, login_url: str, client_id: str, redirect_uri: str) -> None:
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
        self._state = secrets.token_urlsafe(_STATE_BYTES)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": self._state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        self.address = f"{login_url}/services/oauth2/authorize?{urlencode(asked)}"
        """Where a browser goes. It holds nothing secret: the verifier stays here."""

    def code_of(self, answer: Mapping[str, str]) -> str:
        """The code out of the redirect's parameters.

        Raises:
            LoginError: it is no answer to this attempt, or the person (or Salesforce) said no.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), self._state.encode()):
            raise LoginError(
                "the answer in the browser does not belong to this login (its state differs): an older page, or somebody "
                "else's. Nothing was stored. Run login again and use the address it shows then"
            )
        word = answer.get("error")
        if word is not None:
            known = word if word in _CURES else "error"
            cure = _CURES.get(known, "check the app's settings and policies, and run login again")
            raise LoginError(f"Salesforce refused ({known}): {cure}. Nothing was stored", known)
        if not answer.get("code"):
            raise LoginError("Salesforce's answer in the browser holds no code. Run login again")
        return answer["code"]

    def exchange(self, endpoint: TokenEndpoint, code: str, client_secret: str | None) -> dict[str, Any]:
        """The token answer for a code, which works once.

        Raises:
            LoginError: Salesforce does not take the code, or gives no refresh token for it.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "code_verifier": self._verifier,
        }
        if client_secret:
            form["client_secret"] = client_secret
        answer = endpoint.ask(form, _EXCHANGE_CURE)
        if not answer.get("refresh_token"):
            raise LoginError(
                "Salesforce gave no refresh token: add the scope 'Perform requests at any time (refresh_token)' to the app"
            )
        return answer
