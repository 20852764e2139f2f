"""Xero's identity side: `/connect/token`, `/connect/revocation`, `/identity/connect/authorize`, `/connections`.

The authorise page approves by itself: the sandbox's user always agrees, to all organisations there are.
"""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Request, Response, World
from ikaroa_sandbox.xero import errors, scopes, wire
from ikaroa_sandbox.xero.tenant import Tenant
from ikaroa_sandbox.xero.tokens import AccessToken, Grant, Tokens, verifies


class Identity:
    """Apps, consents, tokens and connections."""

    def __init__(self, world: World, chance: random.Random, tenants: Mapping[str, Tenant]) -> None:
        self._world, self._chance, self._tenants = world, chance, tenants
        self.tokens = Tokens()
        self.scope_kind = scopes.KINDS[0]
        """Which scopes the app may ask for; see `scopes.KINDS`."""

    def reset(self) -> None:
        """Only the demo app's refresh token is left."""
        self.scope_kind = scopes.KINDS[0]
        self.tokens.sign_up(self._world.clock.now(), self._chance, self.scope_kind)

    # -- tokens --------------------------------------------------------------------------------------------------------

    def token(self, request: Request) -> Response:
        """`POST /connect/token`."""
        form = _form(request)
        grants = {
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh,
            "authorization_code": self._code,
        }
        give = grants.get(form.get("grant_type", ""))
        if give is None:
            raise errors.TokenError("unsupported_grant_type")
        return _token_answer(give(form, request))

    def _client_credentials(self, form: dict[str, str], request: Request) -> dict[str, Any]:
        self._authenticate(form, request)
        asked = form.get("scope", "")
        if asked:
            granted = self._scopes(asked)
            if scopes.OFFLINE in granted:
                if self._world.variants["xero.token.client_credentials_offline"] == "refused":
                    raise errors.TokenError("invalid_scope")
                granted = tuple(scope for scope in granted if scope != scopes.OFFLINE)
        else:  # no scope, or `scopes=undefined`: what the connection was authorised for
            granted = scopes.everything(self.scope_kind)
        grant = Grant(credentials.XERO_CLIENT_ID, granted, wire.new_guid(self._chance), custom=True)
        return self.tokens.issue(grant, self._world.clock.now(), self._chance)

    def _refresh(self, form: dict[str, str], request: Request) -> dict[str, Any]:
        # A PKCE app has no secret: it sends its client id alone.
        self._authenticate(form, request, secret_needed=False)
        now = self._world.clock.now()
        sent = form.get("refresh_token", "")
        grace = self._world.variants["xero.token.refresh_grace"] == "thirty_minutes"
        found = self.tokens.usable(sent, credentials.XERO_CLIENT_ID, now, grace=grace)
        if found is None:
            raise errors.TokenError("invalid_grant")
        self.tokens.replaced(sent, now)
        return self.tokens.issue(found.grant, now, self._chance)

    def _code(self, form: dict[str, str], request: Request) -> dict[str, Any]:
        verifier = form.get("code_verifier")
        self._authenticate(form, request, secret_needed=verifier is None)
        now = self._world.clock.now()
        found = self.tokens.codes.pop(form.get("code", ""), None)
        if found is None or now > found.expires or found.redirect_uri != form.get("redirect_uri"):
            raise errors.TokenError("invalid_grant")
        if (found.challenge is None) != (verifier is None):
            raise errors.TokenError("invalid_grant")
        if found.challenge is not None and verifier is not None and not verifies(found.challenge, verifier):
            raise errors.TokenError("invalid_grant")
        return self.tokens.issue(found.grant, now, self._chance)

    def revocation(self, request: Request) -> Response:
        """`POST /connect/revocation`: the refresh token's consent ends, and with it every connection."""
        form = _form(request)
        self._authenticate(form, request, secret_needed=False)
        found = self.tokens.refresh.get(form.get("token", ""))
        if found is not None:
            self.tokens.revoke(found.grant)
            for tenant in self._tenants.values():
                tenant.connected = False
        return Response(200)

    def authorize(self, request: Request) -> Response:
        """`GET /identity/connect/authorize`: agrees at once and sends the browser back with `code` and `state`."""
        asked = dict(request.params())
        target = asked.get("redirect_uri", "")
        if asked.get("client_id") != credentials.XERO_CLIENT_ID or urlsplit(target).scheme not in {
            "http",
            "https",
        }:
            return Response(
                400, {"Content-Type": "text/html"}, b"unauthorized_client: unknown client_id or redirect_uri"
            )
        back = {"state": asked["state"]} if "state" in asked else {}
        try:
            granted, challenge = self._asked(asked)
        except errors.TokenError as error:
            return _redirect(target, {"error": error.code, **back})
        now = self._world.clock.now()
        grant = Grant(credentials.XERO_CLIENT_ID, granted, wire.new_guid(self._chance))
        for tenant in self._tenants.values():
            tenant.connect(grant.event_id, now)
        code = self.tokens.code(grant, target, challenge, now, self._chance)
        return _redirect(target, {"code": code, "scope": " ".join(granted), **back})

    def _asked(self, asked: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
        """The scopes and the PKCE challenge of an authorise request."""
        if asked.get("response_type") != "code":
            raise errors.TokenError("unsupported_response_type")
        challenge = asked.get("code_challenge")
        if challenge is not None and asked.get("code_challenge_method") != "S256":
            raise errors.TokenError("invalid_request")
        return self._scopes(asked.get("scope", "")), challenge

    def _scopes(self, text: str) -> tuple[str, ...]:
        asked = tuple(dict.fromkeys(text.split()))
        if not asked or not scopes.known(self.scope_kind).issuperset(asked):
            raise errors.TokenError("invalid_scope")
        return asked

    @staticmethod
    def _authenticate(form: dict[str, str], request: Request, *, secret_needed: bool = True) -> None:
        client, secret = form.get("client_id", ""), form.get("client_secret")
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                client, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise errors.TokenError("invalid_client") from None
            client, secret = unquote_plus(client), unquote_plus(secret)
        if client != credentials.XERO_CLIENT_ID:
            raise errors.TokenError("invalid_client")
        if secret is None and not secret_needed:
            return
        if secret != credentials.XERO_CLIENT_SECRET:
            raise errors.TokenError("invalid_client")

    # -- who is asking -------------------------------------------------------------------------------------------------

    def access(self, request: Request) -> AccessToken:
        """The request's access token.

        Raises:
            Unauthorised: there is none, or it is not (or no longer) worth anything.
        """
        kind, _, sent = request.headers.get("Authorization", "").partition(" ")
        found = self.tokens.access.get(sent.strip()) if kind.lower() == "bearer" else None
        if found is None:
            raise errors.Unauthorised("AuthenticationUnsuccessful", wire.new_guid(self._chance))
        if self._world.clock.now() >= found.expires:
            moment = found.expires.strftime("%m/%d/%Y %H:%M:%S")
            raise errors.Unauthorised(f"TokenExpired: token expired at {moment}", wire.new_guid(self._chance))
        return found

    def tenant(self, request: Request, token: AccessToken) -> Tenant:
        """The tenant a request is about: its header, or for a custom connection the one there is.

        Raises:
            Forbidden: not connected, unknown, or not named where it must be.
        """
        named = request.headers.get("xero-tenant-id", "").strip()
        tenant = self._tenants.get((wire.guid(named) or named) if named else "")
        if not named and token.grant.custom:
            tenant = next(iter(self._tenants.values()), None)
        if tenant is None or not tenant.connected:
            raise errors.Forbidden("AuthenticationUnsuccessful", wire.ZERO_GUID)
        return tenant

    # -- connections ---------------------------------------------------------------------------------------------------

    def connections(self, request: Request, parts: list[str]) -> Response:
        """`GET /connections` (`authEventId` filters) and `DELETE /connections/{id}`."""
        self.access(request)
        if request.method == "GET" and not parts:
            wanted = dict(request.params()).get("authEventId")
            shown = [
                tenant.connection()
                for tenant in self._tenants.values()
                if tenant.connected and (wanted is None or tenant.auth_event_id == wanted)
            ]
            return Response(200, {"Content-Type": wire.JSON_UTF8}, wire.dumps(shown))
        if request.method == "DELETE" and len(parts) == 1:
            tenant = next((t for t in self._tenants.values() if t.connection_id == wire.guid(parts[0])), None)
            if tenant is None or not tenant.connected:
                raise errors.NotFound(f"no connection {parts[0]!r}")
            tenant.connected = False
            return Response(204)
        raise errors.NotSimulated(f"{request.method} /connections/{'/'.join(parts)}")

    # -- copies --------------------------------------------------------------------------------------------------------

    def save(self) -> tuple[Tokens, str]:
        """A copy for `restore`."""
        return self.tokens.copy(), self.scope_kind

    def restore(self, saved: tuple[Tokens, str]) -> None:
        """Puts a copy back."""
        self.tokens, self.scope_kind = saved[0].copy(), saved[1]


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _token_answer(content: dict[str, Any]) -> Response:
    headers = {
        "Content-Type": wire.JSON_UTF8,
        "Cache-Control": "no-store, no-cache, max-age=0",
        "Pragma": "no-cache",
    }
    return Response(200, headers, wire.dumps(content))


def _redirect(target: str, found: dict[str, str]) -> Response:
    return Response(302, {"Location": f"{target}{'&' if '?' in target else '?'}{urlencode(found)}"})
