"""Access to Xero: a token that is fresh when a call needs it, and the organisation it is for.

Two ways to a token, chosen by `auth_method`:

    client_credentials  a custom connection: no user, no rotation, nothing to store; the organisation is the connection's own
    refresh_token       a web or PKCE app: every refresh gives a new refresh token, kept in a `TokenStore` before it is used

Tokens live 30 minutes. They are renewed by age, not on failure, and once more when Xero says 401 all the same.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from target_xero import limits
from target_xero.errors import AuthorisationError, ConfigurationError, XeroUnreachableError
from target_xero.exchange import Failure
from target_xero.xero.pacing import Timing
from target_xero.xero.secret import Secret
from target_xero.xero.token_store import TokenStore
from target_xero.xero.transport import describe, failure_of, is_loopback

DEFAULT_SCOPES = (
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.settings",
)
"""Granular scopes, the least that writes every document: items need `accounting.settings`, reading accounts, tax rates and
the organisation needs it too."""


@dataclass(frozen=True)
class Grant:
    """What the token end point gave."""

    access_token: Secret
    lifetime_seconds: float
    refresh_token: Secret | None = None
    scopes: tuple[str, ...] = ()
    """What was granted, as the answer or the token itself says; empty: neither does."""


class TokenRefusedError(Exception):
    """The token end point said no. `code` is OAuth's own word, e.g. `invalid_grant`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TokenEndpoint:
    """`POST {identity_url}/connect/token`.

    Asking again is safe: an access token too many hurts nobody, and an old refresh token is accepted again for a while when
    the answer to its first use was lost.
    """

    def __init__(
        self,
        session: requests.Session,
        identity_url: str,
        client_id: str,
        client_secret: Secret | None,
        timing: Timing,
    ) -> None:
        self._session = session
        self._url = f"{identity_url}/connect/token"
        self._client_id = client_id
        self._client_secret = client_secret
        self._timing = timing
        self.calls = 0

    def ask(self, form: Mapping[str, str]) -> Grant:
        """One grant for this form.

        Raises:
            TokenRefusedError: the end point refused for good.
            XeroUnreachableError: it could not be reached, or failed, as often as we try.
        """
        form = dict(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._client_secret:
            pair = f"{self._client_id}:{self._client_secret.reveal()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        else:
            form["client_id"] = self._client_id
        said = ""
        for attempt in range(limits.TOKEN_ATTEMPTS):
            if attempt:
                self._timing.sleep(limits.TOKEN_PAUSE_S * 2 ** (attempt - 1))
            self.calls += 1
            try:
                response = self._session.post(
                    self._url,
                    data=form,
                    headers=headers,
                    timeout=(limits.CONNECT_TIMEOUT_S, limits.REQUEST_TIMEOUT_S),
                    allow_redirects=False,
                )
            except Exception as failure:  # noqa: BLE001  whatever a transport raises is classified in one place
                said = describe(failure)
                if is_loopback(self._url) and failure_of(failure) is Failure.NEVER_SENT:
                    break  # a sandbox that is not running does not come up in the next seconds
                continue
            if response.status_code == 200:
                return _grant(response)
            said = f"HTTP {response.status_code}"
            if 400 <= response.status_code < 500 and response.status_code not in (408, 429):
                raise TokenRefusedError(_oauth_error(response) or said)
        raise unreachable(self._url, said)


def unreachable(url: str, said: str) -> XeroUnreachableError:
    """The sentence for a Xero (or a sandbox) that gives no answer, or none of use (`HTTP 503`)."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    local = is_loopback(url)
    if said.startswith("HTTP "):
        cure = f"see {base}/_sandbox/faults" if local else "nothing is lost: run again later"
        return XeroUnreachableError(
            f"{'the sandbox' if local else 'Xero'} at {base} answers {said} only; {cure}"
        )
    if local:
        return XeroUnreachableError(
            f"the sandbox does not answer at {base} ({said}); start it with `make sandbox`"
        )
    return XeroUnreachableError(f"Xero does not answer at {base} ({said}). Nothing is lost: run again later")


def _grant(response: requests.Response) -> Grant:
    try:
        body = response.json()
        refresh = body.get("refresh_token")
        return Grant(
            access_token=Secret(body["access_token"]),
            lifetime_seconds=int(body.get("expires_in") or limits.TOKEN_LIFETIME_S),
            refresh_token=Secret(refresh) if refresh else None,
            scopes=_scopes(body),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise XeroUnreachableError(
            "Xero's token end point gave an answer that holds no access token"
        ) from None


def _scopes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes of an answer, else those that the token (a JWT) claims; its signature is Xero's business."""
    said: Any = body.get("scope")
    if not said:
        try:
            claims = body["access_token"].split(".")[1]
            said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("scope")
        except (IndexError, ValueError, AttributeError):
            return ()
    words = said.split() if isinstance(said, str) else said
    return tuple(word for word in words or () if isinstance(word, str))


def _oauth_error(response: requests.Response) -> str:
    """OAuth's error word and nothing else: a description may repeat what we sent."""
    try:
        code = json.loads(response.text).get("error")
    except (ValueError, AttributeError):
        return ""
    return code[: limits.OAUTH_WORD_MAX] if isinstance(code, str) and code.replace("_", "").isalpha() else ""


class Credentials(Protocol):
    """A way to a grant."""

    def grant(self) -> Grant:
        """A new access token. Raises AuthorisationError when there is no way to one, XeroUnreachableError when Xero is away."""


class ClientCredentials:
    """A custom connection."""

    def __init__(self, endpoint: TokenEndpoint, scopes: str) -> None:
        self._endpoint = endpoint
        self._scopes = scopes

    def grant(self) -> Grant:
        """See `Credentials`."""
        try:
            return self._endpoint.ask({"grant_type": "client_credentials", "scope": self._scopes})
        except TokenRefusedError as refusal:
            raise AuthorisationError(
                _CURES.get(refusal.code, _CURE).format(code=refusal.code, scopes=self._scopes)
            ) from None


_CURE = (
    "Xero refused the sign-in ({code}). Check the settings client_id and client_secret, and that the custom connection is "
    "authorised for an organisation"
)
_CURES = {
    "invalid_scope": (
        "Xero refused the scopes ({code}): {scopes}. Switch these on for the app at developer.xero.com, authorise it again, or "
        "list the ones it has in the setting scopes"
    ),
    "unauthorized_client": (
        "Xero refused the sign-in ({code}): this app may not use client credentials. Use a custom connection, or set "
        "refresh_token with token_store_path and token_store_key"
    ),
}


class RefreshToken:
    """A web or PKCE app's rotating token. A token configured anew goes before the stored line of an older one."""

    def __init__(self, endpoint: TokenEndpoint, store: TokenStore, configured: Secret | None) -> None:
        self._endpoint = endpoint
        self._store = store
        self._configured = configured

    def grant(self) -> Grant:
        """See `Credentials`. The new refresh token is on disk before the access token is handed out."""
        with self._store.locked():
            seed, candidates = self._candidates()
            for token in candidates:
                try:
                    grant = self._endpoint.ask(
                        {"grant_type": "refresh_token", "refresh_token": token.reveal()}
                    )
                except TokenRefusedError as refusal:
                    if refusal.code != "invalid_grant":
                        raise AuthorisationError(_CURE.format(code=refusal.code)) from None
                    continue
                self._store.save(grant.refresh_token or token, seed)
                return grant
        raise AuthorisationError(
            "Xero no longer accepts the stored refresh token (invalid_grant): it was not used for 60 days, was replaced "
            "elsewhere, or the organisation was disconnected. Run `target-xero login`, or set a new refresh_token"
        )

    def _candidates(self) -> tuple[str, list[Secret]]:
        """The seed of the line in use, and the tokens to try: the newest, then the one before."""
        stored = self._store.read()
        if self._configured is not None:
            seed = self._store.fingerprint(self._configured)
            ours = [generation.refresh_token for generation in stored if generation.seed == seed]
            return seed, ours or [self._configured]
        if not stored:
            raise ConfigurationError(
                "no refresh token: the token store is empty. Set refresh_token once; from then on the store keeps it"
            )
        return stored[0].seed, [
            generation.refresh_token for generation in stored if generation.seed == stored[0].seed
        ]


class Tokens:
    """The access token in memory, shared by all threads, renewed by one of them."""

    def __init__(self, credentials: Credentials, timing: Timing) -> None:
        self._credentials = credentials
        self._timing = timing
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._stale_at = 0.0
        self.scopes: tuple[str, ...] = ()
        """What the newest token may do, as far as Xero told."""

    def current(self) -> Secret:
        """A token that has some life left."""
        with self._lock:
            if self._token is None or self._timing.seconds() >= self._stale_at:
                self._renew()
            return self._held()

    def replace(self, refused: Secret) -> Secret:
        """The token after `refused`, which Xero did not accept; a new one unless another thread has it already."""
        with self._lock:
            if self._token is None or self._token == refused:
                self._renew()
            return self._held()

    def _renew(self) -> None:
        grant = self._credentials.grant()
        self._token = grant.access_token
        self.scopes = grant.scopes
        margin = min(limits.TOKEN_MARGIN_S, grant.lifetime_seconds / 2)
        self._stale_at = self._timing.seconds() + grant.lifetime_seconds - margin

    def _held(self) -> Secret:
        if self._token is None:  # pragma: no cover  `_renew` sets it or raises
            raise AuthorisationError("no access token")
        return self._token


def choose_tenant(connections: Any, tenant_id: str | None) -> str:
    """The organisation to work on, out of `GET /connections`' answer.

    Raises:
        ConfigurationError: none, or several and no (or another) `tenant_id`; the message lists them by name.
    """
    listed = connections if isinstance(connections, list) else []
    organisations = [
        entry for entry in listed if isinstance(entry, dict) and entry.get("tenantType") == "ORGANISATION"
    ]
    names = ", ".join(f"{entry.get('tenantName')} ({entry.get('tenantId')})" for entry in organisations)
    if not organisations:
        raise ConfigurationError(
            "this app is connected to no Xero organisation. Authorise it for one, then run again"
        )
    if tenant_id:
        if any(entry.get("tenantId") == tenant_id for entry in organisations):
            return tenant_id
        raise ConfigurationError(f"setting tenant_id: {tenant_id} is not connected. Connected are: {names}")
    if len(organisations) > 1:
        raise ConfigurationError(
            f"this app is connected to several organisations; set tenant_id to one of: {names}"
        )
    return str(organisations[0]["tenantId"])
