"""Tokens and the grants behind them: what is given out, what it may do, and for how long."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ikaroa_sandbox import credentials
from ikaroa_sandbox.xero import limits, scopes, wire

_KEY = b"sandbox-xero-signing-key"
_HEADER = {"alg": "RS256", "kid": "SANDBOX", "typ": "JWT"}
_GRACE = timedelta(seconds=limits.REFRESH_GRACE_SECONDS)
_UNUSED = timedelta(days=limits.REFRESH_TOKEN_DAYS)


@dataclass(frozen=True)
class Grant:
    """One consent: an app, its scopes, and the event id that connections are filtered by.

    `custom` marks a custom connection (client credentials): one organisation, no tenant header needed.
    """

    app: str
    scopes: tuple[str, ...]
    event_id: str
    custom: bool = False


@dataclass(frozen=True)
class AccessToken:
    """An access token's worth."""

    grant: Grant
    expires: datetime


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token: when it was given out, and when (if) another took its place."""

    grant: Grant
    issued: datetime
    replaced: datetime | None = None


@dataclass(frozen=True)
class Code:
    """An authorisation code waiting for its exchange."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires: datetime


@dataclass
class Tokens:
    """Everything given out so far."""

    access: dict[str, AccessToken] = field(default_factory=dict)
    refresh: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    def sign_up(self, now: datetime, chance: random.Random, kind: str) -> None:
        """Forgets everything and gives the demo app its one refresh token."""
        self.access, self.codes = {}, {}
        granted = (*scopes.everything(kind), scopes.OFFLINE)
        grant = Grant(credentials.XERO_CLIENT_ID, granted, wire.new_guid(chance))
        self.refresh = {credentials.XERO_REFRESH_TOKEN: RefreshToken(grant, now)}

    def issue(self, grant: Grant, now: datetime, chance: random.Random) -> dict[str, Any]:
        """New tokens for a grant, as the token end point answers."""
        self._forget_dead(now)
        expires = now + timedelta(seconds=limits.ACCESS_TOKEN_SECONDS)
        token = _jwt(grant, now, expires, chance)
        self.access[token] = AccessToken(grant, expires)
        answer: dict[str, Any] = {
            "access_token": token,
            "expires_in": limits.ACCESS_TOKEN_SECONDS,
            "token_type": "Bearer",
            "scope": " ".join(grant.scopes),
        }
        if scopes.OFFLINE in grant.scopes:
            fresh = _opaque(chance)
            self.refresh[fresh] = RefreshToken(grant, now)
            answer["refresh_token"] = fresh
        if "openid" in grant.scopes:
            answer["id_token"] = _jwt(grant, now, expires, chance)
        return answer

    def usable(self, token: str, app: str, now: datetime, *, grace: bool) -> RefreshToken | None:
        """The refresh token, when it may be used by this app now; None otherwise."""
        found = self.refresh.get(token)
        if found is None or found.grant.app != app or now - found.issued > _UNUSED:
            return None
        if found.replaced is not None and not (grace and now - found.replaced <= _GRACE):
            return None
        return found

    def replaced(self, token: str, now: datetime) -> None:
        """Marks a refresh token as replaced; within its grace it keeps the moment of the first time."""
        found = self.refresh[token]
        if found.replaced is None:
            self.refresh[token] = replace(found, replaced=now)

    def revoke(self, grant: Grant) -> None:
        """Takes back every refresh token of a grant."""
        self.refresh = {
            name: token for name, token in self.refresh.items() if token.grant.event_id != grant.event_id
        }

    def code(
        self, grant: Grant, redirect_uri: str, challenge: str | None, now: datetime, chance: random.Random
    ) -> str:
        """A new authorisation code."""
        code = _opaque(chance)
        self.codes[code] = Code(grant, redirect_uri, challenge, now + timedelta(seconds=limits.CODE_SECONDS))
        return code

    def expire(self, now: datetime) -> None:
        """Makes every access token worthless from this moment."""
        self.access = {
            name: replace(token, expires=min(token.expires, now)) for name, token in self.access.items()
        }

    def copy(self) -> Tokens:
        """A copy for `save`."""
        return Tokens(dict(self.access), dict(self.refresh), dict(self.codes))

    def _forget_dead(self, now: datetime) -> None:
        if len(self.access) > limits.ACCESS_TOKENS_SWEPT_FROM:
            self.access = {
                name: token for name, token in self.access.items() if now - token.expires < _UNUSED
            }


def verifies(challenge: str, verifier: str) -> bool:
    """Whether a PKCE verifier (S256) fits its challenge."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(digest, challenge)


def _opaque(chance: random.Random) -> str:
    return base64.urlsafe_b64encode(chance.getrandbits(256).to_bytes(32, "big")).rstrip(b"=").decode()


def _jwt(grant: Grant, now: datetime, expires: datetime, chance: random.Random) -> str:
    """A token of a JWT's form with the claims Xero's have; its signature is the sandbox's own."""
    claims: dict[str, Any] = {
        "nbf": int(now.timestamp()),
        "exp": int(expires.timestamp()),
        "iss": "https://identity.xero.com",
        "aud": "https://identity.xero.com/resources",
        "client_id": grant.app,
        "jti": f"{chance.getrandbits(128):032X}",
        "authentication_event_id": grant.event_id,
        "scope": list(grant.scopes),
    }
    if not grant.custom:
        claims["sub"] = "0a8a3b6d1b2c5d4e9f00112233445566"
        claims["xero_userid"] = "0a8a3b6d-1b2c-4d4e-9f00-112233445566"
    signed = ".".join(
        _segment(json.dumps(part, separators=(",", ":")).encode()) for part in (_HEADER, claims)
    )
    return f"{signed}.{_segment(hmac.new(_KEY, signed.encode(), hashlib.sha256).digest())}"


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
