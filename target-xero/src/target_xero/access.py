"""Access to one Xero organisation: tokens, the client with its pacing and clock, and which organisation it is.

    with Access(settings) as access:
        access.organisation          as GET /Organisation told, once
        access.client.send(call)     any call, in a slot of access.client.pacer

Runs and commands get in the same way. Nothing here knows the ledger.
"""

from __future__ import annotations

from collections.abc import Callable

from requests.adapters import BaseAdapter

from target_xero import limits
from target_xero.denial import denied
from target_xero.errors import AuthorisationError, ConfigurationError, XeroUnreachableError
from target_xero.exchange import Answer, Call, Purpose
from target_xero.plan import Organisation
from target_xero.settings import Settings
from target_xero.xero.auth import (
    ClientCredentials,
    Credentials,
    RefreshToken,
    TokenEndpoint,
    Tokens,
    choose_tenant,
    unreachable,
)
from target_xero.xero.client import ClockOffset, XeroClient
from target_xero.xero.pacing import Pacer, Timing
from target_xero.xero.token_row import TokenRow
from target_xero.xero.token_store import TokenStore, read_key
from target_xero.xero.transport import new_session


def token_store(settings: Settings) -> TokenStore:
    """Where the rotating refresh token is kept: in the ledger's database where there is one, else in a file.

    Raises:
        ConfigurationError: there is no usable key.
    """
    if settings.token_store_key is None:
        raise ConfigurationError(
            "setting token_store_key is missing: a rotating refresh token must be stored, and it is stored encrypted"
        )
    key = read_key(settings.token_store_key)
    if settings.ledger_url is not None:
        return TokenRow(settings.ledger_url, settings.token_store_path.name, key, settings.client_id)
    return TokenStore(settings.token_store_path, key, settings.client_id)


def is_stored(settings: Settings) -> bool:
    """Whether a refresh token is kept from an earlier run."""
    if settings.ledger_url is None:
        return settings.token_store_path.exists()
    return settings.token_store_key is not None and token_store(settings).exists


class Access:
    """Gets a token and asks which organisation it leads to.

    Args:
        settings: the target's settings.
        stop: says whether the run is asked to end; what is in flight is waited for.
        adapter: carries the requests (default: the network).
        timing: where time comes from (default: the machine).

    Raises:
        TargetXeroError: no access, no Xero, or a setting that does not lead to one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: Callable[[], bool] = lambda: False,
        adapter: BaseAdapter | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._settings = settings
        self._timing = timing or Timing()
        self._session = new_session(adapter)
        self._endpoint = TokenEndpoint(
            self._session, settings.identity_url, settings.client_id, settings.client_secret, self._timing
        )
        try:
            self.clock = ClockOffset(self._timing)
            """Xero's clock."""
            self._tokens = Tokens(self._credentials(), self._timing)
            self.client = XeroClient(
                session=self._session,
                api_url=settings.api_url,
                tokens=self._tokens,
                pacer=Pacer(self._timing, day_reserve=settings.day_limit_reserve, stop=stop),
                clock=self.clock,
                timing=self._timing,
                read_timeout_s=settings.request_timeout_s,
                quiet_period_s=settings.quiet_period_s,
            )
            self.client.tenant_id = self._tenant_id()
            self.organisation = self._connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Access:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def pause(self, seconds: float) -> None:
        """Waits, before something that failed is tried again."""
        self._timing.sleep(seconds)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the token may do, as far as Xero told."""
        return self._tokens.scopes

    @property
    def is_custom_connection(self) -> bool:
        """Whether it got in with client credentials: one organisation of its own, no user, no refresh token."""
        return self._own_organisation

    @property
    def calls(self) -> dict[str, int]:
        """Requests that went out, by purpose, tokens included."""
        return {**self.client.calls, "token": self._endpoint.calls}

    def _credentials(self) -> Credentials:
        settings = self._settings
        stored = settings.refresh_token is not None or is_stored(settings)
        if settings.auth_method == "refresh_token" or (settings.auth_method == "auto" and stored):
            return RefreshToken(self._endpoint, token_store(settings), settings.refresh_token)
        if settings.client_secret is None:
            raise ConfigurationError(
                "setting client_secret is missing (custom connection), or refresh_token with token_store_key (web or PKCE app)"
            )
        self._own_organisation = True
        return ClientCredentials(self._endpoint, settings.scopes)

    _own_organisation = False
    """A custom connection: its token names the organisation, no tenant id is needed."""

    def _tenant_id(self) -> str | None:
        if self._own_organisation:
            return self._settings.tenant_id
        answer = self.client.get_unpaced(f"{self._settings.api_url}/connections")
        if answer.status != 200:
            raise self._no_access(answer)
        return choose_tenant(answer.body, self._settings.tenant_id)

    def _connect(self) -> Organisation:
        """The organisation, asked again while Xero stumbles: nothing can begin without it."""
        call = Call(Purpose.CONNECT, "GET", "/Organisation")
        answer = Answer(call)
        for attempt in range(limits.CONNECT_ATTEMPTS):
            if attempt:
                self._timing.sleep(limits.TOKEN_PAUSE_S * 2 ** (attempt - 1))
            if not self.client.pacer.take(1):
                break
            answer = self.client.send(call)
            if self.client.failed:
                raise self.client.failed
            if answer.status == 200:
                try:
                    return Organisation.from_xero(answer.body)
                except ValueError:
                    continue
            if answer.status is not None and answer.status < 500:
                break
        raise self._no_access(answer)

    def _no_access(self, answer: Answer) -> Exception:
        settings = self._settings
        if answer.failure is not None:
            return unreachable(settings.api_url, answer.failure_detail)
        if answer.status in (401, 403):
            return AuthorisationError(denied(answer, settings.tenant_id))
        if answer.status == 429:
            return XeroUnreachableError(
                "Xero's limit of calls for today is used up. Nothing is lost: run again tomorrow"
            )
        said = f"HTTP {answer.status}" if answer.status else "the run was asked to stop"
        return XeroUnreachableError(
            f"Xero did not say which organisation this is ({said}). Nothing is lost: run again"
        )
