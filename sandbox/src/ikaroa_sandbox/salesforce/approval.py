"""The web server flow: `/services/oauth2/authorize`, where a person in a browser lets an app in, and the code it brings.

The sandbox's person says yes at once. The app is as external client apps are made: its callback addresses are a list that is
compared letter by letter, a proof key (PKCE) and the consumer secret are required; the edit `app` changes that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import TokenError

SCOPES = frozenset({"api", "refresh_token", "offline_access", "id", "openid", "profile", "email", "web"})
LASTING = frozenset({"refresh_token", "offline_access"})
CALLBACK = "http://localhost:1717/OauthRedirect"


@dataclass(frozen=True)
class Code:
    """What a code stands for. It is good once and for fifteen minutes."""

    redirect_uri: str
    challenge: str | None
    scopes: tuple[str, ...]
    expires: datetime


@dataclass
class App:
    """How the external client app is set up, and the codes that were given out for it."""

    callbacks: tuple[str, ...] = (CALLBACK,)
    require_pkce: bool = True
    require_secret: bool = True
    codes: dict[str, Code] = field(default_factory=dict)

    def copy(self) -> App:
        """An independent copy."""
        return replace(self, codes=dict(self.codes))

    def authorize(self, request: Request, code: str, now: datetime) -> Response:
        """Sends the browser back with `code` and `state`, or with an error; a stranger's address gets a page instead.

        `code`: the text that the new code shall have.
        """
        asked = dict(request.params())
        target = asked.get("redirect_uri", "")
        if asked.get("client_id") != credentials.SALESFORCE_CLIENT_ID:
            return _page("error=invalid_client_id&error_description=client identifier invalid")
        if target not in self.callbacks:
            return _page(
                "error=redirect_uri_mismatch&error_description=redirect_uri must match configuration"
            )
        back = {"state": asked["state"]} if "state" in asked else {}
        try:
            self.codes[code] = self._asked(asked, target, now)
        except TokenError as error:
            return _redirect(target, {"error": error.error, "error_description": error.description, **back})
        return _redirect(target, {"code": code, **back})

    def _asked(self, asked: Mapping[str, str], target: str, now: datetime) -> Code:
        if asked.get("response_type") != "code":
            raise TokenError("unsupported_response_type", "response type not supported")
        challenge = asked.get("code_challenge")
        if challenge is None and self.require_pkce:
            raise TokenError("invalid_request", "missing required code challenge")
        if challenge is not None and asked.get("code_challenge_method", "S256") != "S256":
            raise TokenError("invalid_request", "invalid code challenge method")
        scopes = tuple(dict.fromkeys(asked.get("scope", "api refresh_token").split()))
        if not SCOPES.issuperset(scopes):
            raise TokenError("invalid_scope", "the requested scope is not allowed")
        return Code(target, challenge, scopes, now + timedelta(seconds=limits.CODE_SECONDS))

    def redeem(self, form: Mapping[str, str], now: datetime) -> Code:
        """What a code stands for; from then on it is used up. Raises TokenError."""
        found = self.codes.pop(form.get("code", ""), None)
        if found is None or found.expires <= now:
            raise TokenError("invalid_grant", "expired authorization code")
        if form.get("redirect_uri") != found.redirect_uri:
            raise TokenError("redirect_uri_mismatch", "redirect_uri must match configuration")
        verifier = form.get("code_verifier")
        if (found.challenge is None) != (verifier is None) or not _proves(found.challenge, verifier):
            raise TokenError("invalid_grant", "invalid code verifier")
        return found


def _proves(challenge: str | None, verifier: str | None) -> bool:
    if challenge is None or verifier is None:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(made.encode(), challenge.rstrip("=").encode())


def _redirect(target: str, params: Mapping[str, str]) -> Response:
    return Response(302, {"Location": f"{target}{'&' if '?' in target else '?'}{urlencode(params)}"})


def _page(text: str) -> Response:
    return Response(400, {"Content-Type": "text/html; charset=UTF-8"}, text.encode())
