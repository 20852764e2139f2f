"""A person's consent: authorisation code with PKCE (RFC 7636), as Xero documents it for web and PKCE apps.

A `Consent` makes verifier and state; its `address` is where the browser goes, `code_of` checks what came back, `exchange` turns
the code into tokens, once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from target_xero.errors import AuthorisationError
from target_xero.limits import OAUTH_WORD_MAX
from target_xero.xero.auth import Grant, TokenEndpoint, TokenRefusedError
from target_xero.xero.transport import is_loopback

XERO_LOGIN = "https://login.xero.com"
_PATH = "/identity/connect/authorize"
_VERIFIER_BYTES = 48
_STATE_BYTES = 24


class Consent:
    """One attempt. Verifier and state are made anew each time and live in memory only."""

    def __init__(self, identity_url: str, client_id: str, redirect_uri: str, scopes: Iterable[str]) -> None:
        self._redirect_uri = redirect_uri
        self._verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
        self._state = secrets.token_urlsafe(_STATE_BYTES)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": self._state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        base = identity_url if is_loopback(identity_url) else XERO_LOGIN
        self.address = f"{base}{_PATH}?{urlencode(asked)}"
        """Where a browser goes. It holds nothing secret: the verifier stays here."""

    def code_of(self, answer: Mapping[str, str]) -> str:
        """The code out of the redirect's parameters.

        Raises:
            AuthorisationError: it is no answer to this attempt, or the person (or Xero) said no.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), self._state.encode()):
            raise AuthorisationError(
                "the answer in the browser does not belong to this login (its state differs): an older page, or somebody "
                "else's. Nothing was stored. Run login again and use the address it shows then"
            )
        word = answer.get("error")
        if word == "access_denied":
            raise AuthorisationError(
                "access was not given: the consent was cancelled in the browser. Nothing was stored"
            )
        if word is not None:
            raise AuthorisationError(_refused(word))
        if not answer.get("code"):
            raise AuthorisationError("Xero's answer in the browser holds no code. Run login again")
        return answer["code"]

    def exchange(self, endpoint: TokenEndpoint, code: str) -> Grant:
        """The tokens for a code; it works once.

        Raises:
            AuthorisationError: Xero does not take the code, or gives no refresh token for it.
            XeroUnreachableError: Xero could not be reached.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": self._verifier,
        }
        try:
            grant = endpoint.ask(form)
        except TokenRefusedError as refusal:
            raise AuthorisationError(
                _EXCHANGE.get(refusal.code, _EXCHANGE[""]).format(refusal.code)
            ) from None
        if grant.refresh_token is None:
            raise AuthorisationError(
                "Xero gave no refresh token: the scope offline_access is missing. Leave it in the scopes, and allow it for the app"
            )
        return grant


_EXCHANGE = {
    "invalid_grant": "Xero did not take the code ({}): it was used already, is older than five minutes, or is for another "
    "redirect address. Nothing was stored. Run login again",
    "invalid_client": "Xero does not know this app ({}): check client_id and client_secret; a PKCE app has no secret",
    "": "Xero refused the code ({}). Check client_id and client_secret, then run login again",
}


def _refused(word: str) -> str:
    known = word[:OAUTH_WORD_MAX] if word.replace("_", "").isalpha() and word.isascii() else "error"
    cure = {
        "invalid_scope": "the app may not ask for one of the scopes. Apps made since March 2026 have granular scopes only, older "
        "ones broad ones; see --scopes",
        "unauthorized_client": "the client id or the redirect address is not that of the app at developer.xero.com",
    }.get(known, "check the app at developer.xero.com")
    return f"Xero refused ({known}): {cure}. Nothing was stored"
