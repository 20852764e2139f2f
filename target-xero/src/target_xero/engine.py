"""One run on one organisation: documents go in, intents are planned in the ledger, carried out in Xero, and summed up.

    engine = Engine(settings)
    engine.accept("contacts", documents)     taken into memory, then into the ledger, batch by batch
    engine.settle()                          plans, sends, receives, until nothing more can be done now
    engine.close()                           what the run did; gives the ledger back

Everything happens in the caller's thread but the HTTP calls themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from requests.adapters import BaseAdapter

from target_xero import limits
from target_xero.errors import AuthorisationError, ConfigurationError, XeroUnreachableError
from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute import Executor, ExecutorSettings
from target_xero.ledger import Ledger, RunSummary
from target_xero.plan import Organisation, Planner, PlannerSettings
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
from target_xero.xero.driver import Driver
from target_xero.xero.pacing import Pacer, Timing
from target_xero.xero.token_store import TokenStore, read_key
from target_xero.xero.transport import new_session


@dataclass
class Outcome:
    """What a run came to: the ledger's own count, and what it cost."""

    summary: RunSummary
    organisation: str
    problems: list[dict[str, Any]]
    """Documents that wait for a person, from this run and earlier ones, oldest first."""
    calls: dict[str, int] = field(default_factory=dict)
    """Requests that went out, by purpose, tokens included."""
    day_left: int | None = None
    """Calls that Xero still grants today, as it last said."""
    stopped: str | None = None
    """Why the run ended before everything was done."""


class Engine:
    """Opens the ledger and takes its lock, gets access, and pins the organisation.

    Args:
        settings: the target's settings.
        stop: says whether the run is asked to end; what is in flight is waited for.
        adapter: carries the requests (default: the network).
        timing: where time comes from (default: the machine).

    Raises:
        TargetXeroError: there is no usable ledger, no access, no Xero, or another organisation than the ledger's.
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
        self._stop = stop
        self._timing = timing or Timing()
        self._session = new_session(adapter)
        self._endpoint = TokenEndpoint(
            self._session, settings.identity_url, settings.client_id, settings.client_secret, self._timing
        )
        self._pending: dict[str, list[Mapping[str, Any]]] = {}
        self._held = 0
        self.stopped: str | None = None
        self._ledger = Ledger(settings.ledger_path)
        try:
            self._start()
        except BaseException:
            self._ledger.close()
            raise

    def _start(self) -> None:
        settings = self._settings
        clock = ClockOffset(self._timing)
        self._client = XeroClient(
            session=self._session,
            api_url=settings.api_url,
            tokens=Tokens(self._credentials(), self._timing),
            pacer=Pacer(self._timing, day_reserve=settings.day_limit_reserve, stop=self._stop),
            clock=clock,
            timing=self._timing,
            read_timeout_s=settings.request_timeout_s,
        )
        self._client.tenant_id = self._tenant_id()
        self._organisation = self._connect()
        self._ledger.begin_run(self._organisation.tenant, clock.now())
        self._planner = Planner(
            self._ledger, lambda: self._organisation, PlannerSettings(allow_statuses=settings.allow_statuses)
        )
        if settings.retry_refused:
            self._planner.retry()
        self._executor = Executor(
            self._ledger,
            self._organisation,
            clock.now,
            ExecutorSettings(
                quiet_period_s=settings.quiet_period_s, batch_documents=settings.batch_documents
            ),
        )
        self._driver = Driver(self._client, self._stop)
        self._clock = clock

    def _credentials(self) -> Credentials:
        settings = self._settings
        stored = settings.refresh_token is not None or settings.token_store_path.exists()
        if settings.auth_method == "refresh_token" or (settings.auth_method == "auto" and stored):
            if settings.token_store_key is None:
                raise ConfigurationError(
                    "setting token_store_key is missing: a rotating refresh token must be stored, and it is stored encrypted"
                )
            key = read_key(settings.token_store_key)
            store = TokenStore(settings.token_store_path, key, settings.client_id)
            return RefreshToken(self._endpoint, store, settings.refresh_token)
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
        answer = self._client.get_unpaced(f"{self._settings.api_url}/connections")
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
            if not self._client.pacer.take(1):
                break
            answer = self._client.send(call)
            if self._client.failed:
                raise self._client.failed
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
            return AuthorisationError(
                f"Xero does not let this app in (HTTP {answer.status}). Check that it is connected to the organisation"
                + (f" {settings.tenant_id}" if settings.tenant_id else "")
                + f" and has the scopes {settings.scopes}"
            )
        if answer.status == 429:
            return XeroUnreachableError(
                "Xero's limit of calls for today is used up. Nothing is lost: run again tomorrow"
            )
        said = f"HTTP {answer.status}" if answer.status else "the run was asked to stop"
        return XeroUnreachableError(
            f"Xero did not say which organisation this is ({said}). Nothing is lost: run again"
        )

    def accept(self, stream: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Takes documents of one stream. They are in the ledger at the latest when `settle` returns."""
        held = self._pending.setdefault(stream, [])
        before = len(held)
        held.extend(documents)
        self._held += len(held) - before
        if self._held >= limits.ACCEPT_DOCUMENTS:
            self._plan()

    def _plan(self) -> None:
        while self._pending:
            stream = next(iter(self._pending))
            self._planner.accept(stream, self._pending[stream])
            del self._pending[stream]
        self._held = 0

    def settle(self) -> bool:
        """Plans what was accepted and carries out all that can be done now.

        Returns:
            Whether it was: everything accepted is done, refused, parked, or waits in the ledger for its time. False when
            the run must end first (`stopped` says why).

        Raises:
            TargetXeroError: no access any more, or the ledger cannot be written. What the ledger has, it has.
        """
        self._plan()
        self.stopped = self._driver.run(self._executor)
        return self.stopped is None

    def outcome(self, summarise: Callable[[], RunSummary] | None = None) -> Outcome:
        """What the run has come to so far."""
        return Outcome(
            summary=(summarise or self._ledger.summary)(),
            organisation=self._organisation.name,
            problems=self._ledger.problems(),
            calls={**self._client.calls, "token": self._endpoint.calls},
            day_left=self._client.pacer.day_left,
            stopped=self.stopped,
        )

    def close(self) -> Outcome:
        """Writes the run's summary into the ledger and gives the ledger back."""
        try:
            return self.outcome(partial(self._ledger.finish_run, self._clock.now()))
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Gives the ledger back without a word; for a run that ends on a failure."""
        self._session.close()
        self._ledger.close()
