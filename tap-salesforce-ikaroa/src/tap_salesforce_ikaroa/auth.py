"""Getting and renewing an access token: client credentials, JWT bearer, refresh token with rotation.

Salesforce says no lifetime with a token, so a token is used until a call is answered with 401; then one thread renews
it and all go on with the new one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.answers import Answer
from tap_salesforce_ikaroa.errors import (
    LoginError,
    RequestError,
    SettingsError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.hosts import SHARED_LOGIN_HOSTS
from tap_salesforce_ikaroa.token_store import StoredTokens, TokenStore, fingerprint
from tap_salesforce_ikaroa.transport import Transport

_TOKEN = re.compile(r"[!-~]+")
CURES = {
    "invalid_client_id": "check `client_id`",
    "invalid_client": "check `client_id` and `client_secret`, and that the app is installed in this org",
    "invalid_app_access": "allow the integration user to use the app (its policies, or a permission set)",
    "inactive_user": "activate the integration user",
    "inactive_org": "the org is locked or closed",
    "unsupported_grant_type": "switch this flow on in the external client app, or choose another `auth_method`",
    "rate_limit_exceeded": "too many logins; wait some minutes",
}
GRANT_CURES = {
    "client_credentials": "enable the client credentials flow in the external client app, name its run-as user, and "
    "use the My Domain address as `login_url`",
    "jwt": "check `username`, that the app holds the certificate of this private key, that the user is pre-authorised "
    "for the app, and that `jwt_audience` fits (sandboxes: https://test.salesforce.com)",
    "refresh_token": "the refresh token has ended or was used up; log in anew (`tap-salesforce-ikaroa login`). `login_url` "
    "must be the host that issued it",
}


@dataclass(frozen=True)
class Session:
    """An access token and where it is good. Its repr shows no token."""

    access_token: str = field(repr=False)
    instance_url: str
    generation: int = 0
    organisation_id: str = ""
    """The org's id (18 characters), where the answer names the identity as `…/id/<org>/<user>`."""


class TokenSource(Protocol):
    """What the client needs of authentication."""

    def session(self) -> Session:
        """The session to use for the next request."""

    def renew(self, stale: Session) -> Session:
        """A newer session than the one that was refused."""


class Grant(Protocol):
    """One OAuth flow."""

    name: str

    def login(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        """Asks for a token; the endpoint's JSON answer."""


@dataclass
class TokenEndpoint:
    """`/services/oauth2/token` of the login host."""

    transport: Transport
    login_url: str

    def ask(self, form: Mapping[str, str], cure: str) -> dict[str, Any]:
        """Posts a token request.

        Raises:
            LoginError: Salesforce refused, with its OAuth error name and the cure.
        """
        url = f"{self.login_url}/services/oauth2/token"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = self.transport.send("POST", url, headers=headers, body=urlencode(form).encode())
        except RequestError as error:
            raise LoginError(
                f"Salesforce refused the login at {self.login_url} ({error.code or error.status}): "
                f"{CURES.get(error.code, cure)}",
                error.code,
            ) from None
        return _token_answer(answer)


def _token_answer(answer: Answer) -> dict[str, Any]:
    payload = answer.json() if answer.body else None
    if not isinstance(payload, dict) or not payload.get("access_token") or not payload.get("instance_url"):
        raise UnexpectedAnswerError(
            "the login address answered without `access_token` and `instance_url`: `login_url` is not a Salesforce "
            "login host"
        )
    if not _TOKEN.fullmatch(str(payload["access_token"])):
        raise UnexpectedAnswerError(
            "the login address answered with an access token that no request can carry: `login_url` is not a Salesforce login host"
        )
    return payload


def organisation_of(answer: Mapping[str, Any]) -> str:
    """The org's id in a token answer's identity address (`…/id/<org>/<user>`), 18 characters; empty where there is none."""
    identity = urlsplit(str(answer.get("id") or "")).path.split("/")
    return soql.long_id(identity[2]) if len(identity) > 3 and identity[1] == "id" else ""


@dataclass
class ClientCredentials:
    """No user, no stored token: the default. Works on the My Domain host only."""

    client_id: str
    client_secret: str = field(repr=False)
    name: str = "client_credentials"

    def login(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        """Asks with id and secret."""
        if (urlsplit(endpoint.login_url).hostname or "") in SHARED_LOGIN_HOSTS:
            raise SettingsError(
                "the client credentials flow works on the org's My Domain address only: set `login_url` to "
                "https://<my domain>.my.salesforce.com (Setup, My Domain)"
            )
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return endpoint.ask(form, GRANT_CURES[self.name])


@dataclass
class JwtBearer:
    """A signed assertion: no shared secret, no stored token."""

    client_id: str
    username: str
    audience: str
    private_key: str = field(repr=False)
    name: str = "jwt"

    def login(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        """Signs and asks; once more on Salesforce's clock when ours is off."""
        try:
            return self._ask(endpoint)
        except LoginError:
            if endpoint.transport.clock.skew_s <= limits.CLOCK_SKEW_S:
                raise
            return self._ask(endpoint)

    def _ask(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        import jwt  # noqa: PLC0415  only this flow needs it, and it takes as long to load as a login

        expires = endpoint.transport.clock.now() + timedelta(seconds=limits.JWT_LIFE_S)
        claims = {"iss": self.client_id, "sub": self.username, "aud": self.audience, "exp": expires}
        try:
            assertion = jwt.encode(claims, self.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise SettingsError(
                "`private_key` is not an RSA private key in PEM form (-----BEGIN PRIVATE KEY-----), or is encrypted. "
                "Give the key that belongs to the app's certificate, without passphrase"
            ) from None
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return endpoint.ask(form, GRANT_CURES[self.name])


@dataclass
class RefreshToken:
    """A token from a browser login: configured, or put into the store by `login`. Rotation needs a store."""

    client_id: str
    refresh_token: str | None = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)
    store: TokenStore | None = None
    name: str = "refresh_token"

    def login(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        """Renews; a new refresh token is on disk before the access token is given out."""
        if self.store is None:
            return self._without_store(endpoint, self.refresh_token or "")
        with self.store.locked():
            known = self._known(self.store)
            used, answer = self._newest_that_works(endpoint, known)
            rotated = answer.get("refresh_token") or used
            if rotated != known.current or known.generation == 0:
                self.store.save(StoredTokens(rotated, used, known.generation + 1, known.seed))
            return answer

    def _known(self, store: TokenStore) -> StoredTokens:
        """What the store holds, or the beginning of a new line with the configured token."""
        known = store.read()
        if self.refresh_token is None:
            if known is None:
                raise LoginError(
                    "the token store is empty: run `tap-salesforce-ikaroa login` (`meltano invoke tap-salesforce-ikaroa login`), "
                    "or set `refresh_token`"
                )
            return known
        seed = fingerprint(self.refresh_token)
        return known if known and known.seed == seed else StoredTokens(self.refresh_token, None, 0, seed)

    def _newest_that_works(self, endpoint: TokenEndpoint, known: StoredTokens) -> tuple[str, dict[str, Any]]:
        try:
            return known.current, self._ask(endpoint, known.current)
        except LoginError as error:
            if error.code != "invalid_grant" or not known.previous or known.previous == known.current:
                raise
        return known.previous, self._ask(endpoint, known.previous)

    def _without_store(self, endpoint: TokenEndpoint, token: str) -> dict[str, Any]:
        answer = self._ask(endpoint, token)
        if answer.get("refresh_token", token) != token:
            raise SettingsError(
                "Salesforce gave a new refresh token and has voided the configured one (rotation is on), and there "
                "is nowhere to keep it. Log in anew, and set `token_store_path` and `token_store_key`; or use client "
                "credentials or JWT, which need no stored token"
            )
        return answer

    def _ask(self, endpoint: TokenEndpoint, token: str) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return endpoint.ask(form, GRANT_CURES[self.name])


class OAuth:
    """The session of one run: made on first use, renewed by one thread at a time."""

    def __init__(
        self, endpoint: TokenEndpoint, grant: Grant, on_login: Callable[[], None] = lambda: None
    ) -> None:
        self._endpoint = endpoint
        self._grant = grant
        self._on_login = on_login
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._logins = 0

    def session(self) -> Session:
        """The session now in force; read it for each request anew."""
        with self._lock:
            return self._session or self._login()

    def renew(self, stale: Session) -> Session:
        """A newer session. Whoever comes second gets what the first one got."""
        with self._lock:
            if self._session and self._session.generation > stale.generation:
                return self._session
            return self._login()

    def _login(self) -> Session:
        self._on_login()
        answer = self._grant.login(self._endpoint)
        hosts = self._endpoint.transport.hosts
        instance_url = hosts.check(str(answer["instance_url"]), "`instance_url` of the login answer")
        self._logins += 1
        token = str(answer["access_token"])
        self._session = Session(token, instance_url, self._logins, organisation_of(answer))
        return self._session
