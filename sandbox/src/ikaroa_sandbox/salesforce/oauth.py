"""Access and refresh tokens: how they are asked for, how long they live, what rotation does."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt

from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Request
from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.approval import LASTING, App
from ikaroa_sandbox.salesforce.errors import SessionError, TokenError

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
SCOPE = "api"


def identity_url(base_url: str, org_id: str, user_id: str) -> str:
    """Where the identity is told. The login host is the sandbox itself, as it is for signing in."""
    return f"{base_url}/id/{org_id}/{user_id}"


@dataclass
class Tokens:
    """Every token given out and still good."""

    sessions: dict[str, datetime] = field(default_factory=dict)
    """Access token -> when it ends."""
    refresh_token: str = credentials.SALESFORCE_REFRESH_TOKEN
    retired: set[str] = field(default_factory=set)
    """Refresh tokens that rotation has replaced."""
    of_refresh: set[str] = field(default_factory=set)
    """Access tokens that a refresh token brought."""
    of_people: set[str] = field(default_factory=set)
    """Refresh tokens that came of a login in the browser."""
    app: App = field(default_factory=App)
    rotation: bool = False
    session_seconds: int = limits.SESSION_SECONDS
    made: int = 0

    def copy(self) -> Tokens:
        """An independent copy."""
        return replace(
            self,
            sessions=dict(self.sessions),
            retired=set(self.retired),
            of_refresh=set(self.of_refresh),
            of_people=set(self.of_people),
            app=self.app.copy(),
        )

    def code(self) -> str:
        """The text of a new authorisation code."""
        return f"aPrx{self._fresh('code')}=="

    def remember(self) -> str:
        """A new refresh token beside those that are there."""
        token = f"5Aep861{self._fresh('refresh')}"
        self.of_people.add(token)
        return token

    def _fresh(self, kind: str) -> str:
        self.made += 1
        digest = hashlib.sha512(f"sandbox {kind} {self.made}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=").replace("-", ".")

    def open_session(self, org_id: str, now: datetime) -> str:
        """A new access token."""
        token = f"{org_id[:15]}!{self._fresh('access')}"
        self.sessions[token] = now + timedelta(seconds=self.session_seconds)
        return token

    def rotate(self, old: str) -> str:
        """A new refresh token in place of the old."""
        self.retired.add(old)
        if old in self.of_people:
            self.of_people.discard(old)
            return self.remember()
        self.refresh_token = f"5Aep861{self._fresh('refresh')}"
        return self.refresh_token

    def revoke_family(self) -> None:
        """What happens when a replaced refresh token is used again: every current one and its access tokens end."""
        self._end_refreshed()
        self.retired |= {self.refresh_token, *self.of_people}
        self.of_people.clear()
        self.refresh_token = ""

    def revoke(self, token: str) -> None:
        """Ends a token: an access token alone, a refresh token with the access tokens that refreshing brought.

        Raises:
            TokenError: it is none that is good.
        """
        if token in self.sessions:
            del self.sessions[token]
            self.of_refresh.discard(token)
            return
        if not token or token not in {self.refresh_token, *self.of_people}:
            raise TokenError("invalid_token", "invalid token")
        self.of_people.discard(token)
        if token == self.refresh_token:
            self.refresh_token = ""
        self._end_refreshed()

    def _end_refreshed(self) -> None:
        for token in self.of_refresh:
            self.sessions.pop(token, None)
        self.of_refresh.clear()

    def check(self, request: Request, now: datetime) -> None:
        """Raises SessionError unless the request carries a good access token."""
        header = request.headers.get("Authorization", "")
        kind, _, token = header.partition(" ")
        if header and kind.lower() not in {"bearer", "oauth"}:
            raise SessionError("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        ends = self.sessions.get(token.strip())
        if ends is None or ends <= now:
            raise SessionError


def form_of(request: Request) -> dict[str, str]:
    """The parameters of an OAuth request, of its address and its form."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return {**dict(request.params()), **form}


@dataclass(frozen=True)
class Issuer:
    """The token end point of one org."""

    tokens: Tokens
    org_id: str
    user_id: str
    now: datetime

    def answer(self, request: Request, base_url: str) -> dict[str, Any]:
        """The token reply for a grant. Raises TokenError."""
        if request.method != "POST":
            raise TokenError("invalid_request", "must use HTTP POST")
        form = form_of(request)
        grant = form.get("grant_type", "")
        more: dict[str, Any] = {}
        if grant == "client_credentials":
            self._client(request, form, secret=True)
        elif grant == JWT_GRANT:
            self._assertion(form.get("assertion", ""))
        elif grant == "refresh_token":
            self._client(request, form, secret=False)
            more = self._refresh(form.get("refresh_token", ""))
        elif grant == "authorization_code":
            more = self._code(request, form)
        elif grant == "password":
            raise TokenError("invalid_grant", "authentication failure")
        else:
            raise TokenError("unsupported_grant_type", "grant type not supported")
        token = self.tokens.open_session(self.org_id, self.now)
        if grant in {"refresh_token", "authorization_code"}:
            self.tokens.of_refresh.add(token)
        return self._reply(token, base_url, more)

    def _reply(self, token: str, base_url: str, more: dict[str, Any]) -> dict[str, Any]:
        issued = str(int(self.now.timestamp() * 1000))
        digest = hashlib.sha256(f"{self.user_id}{issued}".encode()).digest()
        return {
            "access_token": token,
            "signature": base64.b64encode(digest).decode("ascii"),
            "scope": SCOPE,
            **more,
            "instance_url": base_url,
            "id": identity_url(base_url, self.org_id, self.user_id),
            "token_type": "Bearer",
            "issued_at": issued,
        }

    def _code(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        self._client(request, form, secret=self.tokens.app.require_secret)
        scopes = self.tokens.app.redeem(form, self.now).scopes
        lasting = {"refresh_token": self.tokens.remember()} if LASTING.intersection(scopes) else {}
        return {"scope": " ".join(scopes), **lasting}

    def _client(self, request: Request, form: dict[str, str], *, secret: bool) -> None:
        client, given = form.get("client_id"), form.get("client_secret")
        header = request.headers.get("Authorization", "")
        if header.lower().startswith("basic "):
            try:
                pair = base64.b64decode(header[6:], validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                raise TokenError("invalid_client", "invalid client credentials") from None
            client, _, given = (unquote_plus(part) for part in pair.partition(":"))
        if client != credentials.SALESFORCE_CLIENT_ID:
            raise TokenError("invalid_client_id", "client identifier invalid")
        if (secret or given is not None) and given != credentials.SALESFORCE_CLIENT_SECRET:
            raise TokenError("invalid_client", "invalid client credentials")

    def _assertion(self, assertion: str) -> None:
        try:
            claims = jwt.decode(
                assertion,
                credentials.jwt_public_key_pem(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.PyJWTError:
            raise TokenError("invalid_grant", "invalid assertion") from None
        if claims.get("iss") != credentials.SALESFORCE_CLIENT_ID:
            raise TokenError("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in JWT_AUDIENCES:
            raise TokenError("invalid_grant", "audience is invalid")
        if claims.get("sub") != credentials.SALESFORCE_USERNAME:
            raise TokenError("invalid_grant", "user hasn't approved this consumer")
        expires = claims.get("exp")
        if not isinstance(expires, int | float):
            raise TokenError("invalid_grant", "invalid assertion")
        if expires <= self.now.timestamp():
            raise TokenError("invalid_grant", "expired authorization code")

    def _refresh(self, token: str) -> dict[str, Any]:
        if token in self.tokens.retired:
            self.tokens.revoke_family()
        if not token or token not in {self.tokens.refresh_token, *self.tokens.of_people}:
            raise TokenError("invalid_grant", "expired access/refresh token")
        return {"refresh_token": self.tokens.rotate(token)} if self.tokens.rotation else {}
