"""Xero's Accounting API over HTTP: one call in, one answer out, sent once.

What was provably refused before Xero looked at it is sent again here, and nobody hears of it: a 401 once, after a new token;
a 429 for the minute or for too many at once, after its wait. Everything else comes back as an `Answer`, failures too; what
an answer means is the executor's business.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

import requests

from target_xero import limits
from target_xero.denial import lacks_scope
from target_xero.errors import TargetXeroError
from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.ledger.base import milliseconds
from target_xero.xero import codec
from target_xero.xero.auth import Tokens
from target_xero.xero.pacing import Pacer, Timing
from target_xero.xero.secret import Secret
from target_xero.xero.transport import Adapter, describe, failure_of

API_ROOT = "/api.xro/2.0"


class TooSlowError(Exception):
    """The answer's bytes dripped in for longer than we wait, or were more than we read."""


class ClockOffset:
    """Xero's clock: ours plus what its first `Date` header says we are off. A jump of the local wall clock cannot move it."""

    def __init__(
        self, timing: Timing, wall: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    ) -> None:
        self._timing = timing
        self._zero = wall() - timedelta(seconds=timing.seconds())
        self._known = False

    def note(self, date_header: str | None) -> None:
        """Takes the time from an answer's `Date` header, the first time there is one."""
        if self._known or not date_header:
            return
        try:
            said = parsedate_to_datetime(date_header)
        except ValueError:
            return
        self._zero = said.astimezone(timezone.utc) - timedelta(seconds=self._timing.seconds())
        self._known = True

    def now(self) -> datetime:
        """The time in Xero, in UTC."""
        return self._zero + timedelta(seconds=self._timing.seconds())


class XeroClient:
    """Calls to one organisation. Safe to use from several threads at once."""

    def __init__(
        self,
        *,
        session: requests.Session,
        api_url: str,
        tokens: Tokens,
        pacer: Pacer,
        clock: ClockOffset,
        timing: Timing | None = None,
        read_timeout_s: float = limits.REQUEST_TIMEOUT_S,
        quiet_period_s: float = limits.QUIET_PERIOD_S,
    ) -> None:
        self._session = session
        self._route = session.merge_environment_settings(api_url, {}, True, None, None)  # noqa: FBT003
        """Proxies and certificates, as the environment says."""
        self._api_url = api_url
        self._tokens = tokens
        self._clock = clock
        self._timing = timing or Timing()
        self._read_timeout_s = read_timeout_s
        self._lateness_s = quiet_period_s - read_timeout_s - limits.LATEST_EFFECT_S
        """So much later than the ledger took it for sent a refused write may go again and still be over before the quiet period."""
        self._lock = threading.Lock()
        self._in_flight = 0
        self._last_used = -math.inf
        self.pacer = pacer
        self.tenant_id: str | None = None
        """Sent with every call once it is set; a custom connection works without."""
        self.calls: Counter[str] = Counter()
        """Requests that went out, by purpose."""
        self.failed: TargetXeroError | None = None
        """Why no call can go any more (no token to be had); set once."""

    def send(self, call: Call) -> Answer:
        """Sends a call in a slot taken from the pacer. Always answers; gives the slot back."""
        replaced = False
        waited_since = self._timing.seconds()
        ready_ms = call.sent_ms
        while True:
            try:
                token = self._tokens.current()
            except TargetXeroError as failure:
                self.failed = self.failed or failure
                self.pacer.give_back(1)
                return Answer(call, failure=Failure.NEVER_SENT, failure_detail="no access token")
            answer = self._exchange(call, token, ready_ms=ready_ms)
            self.pacer.answered(answer.headers)
            if answer.status == 401 and not replaced and not lacks_scope(answer):
                replaced = True
                try:
                    self._tokens.replace(token)
                except TargetXeroError as failure:
                    self.failed = self.failed or failure
                    return answer
            elif answer.status == 429:
                waited = self._timing.seconds() - waited_since
                if waited > limits.REFUSED_WAIT_MAX_S or not self.pacer.refused(answer.headers):
                    return answer
            else:
                return answer
            if not self.pacer.take(1):
                return answer
            if call.sent_ms is not None:  # nothing was done so far
                ready_ms = milliseconds(self._clock.now())
                if ready_ms - call.sent_ms > max(self._lateness_s, limits.SEND_WITHIN_S) * 1_000:
                    self.pacer.give_back(1)
                    detail = "Xero's limits held it back for longer than the quiet period allows"
                    return Answer(call, failure=Failure.NEVER_SENT, failure_detail=detail)

    def get_unpaced(self, url: str) -> Answer:
        """Reads something beside the Accounting API (`/connections`); it does not count against an organisation's limits."""
        call = Call(Purpose.CONNECT, "GET", url)
        return self._exchange(call, self._tokens.current(), url=url)

    def _exchange(
        self, call: Call, token: Secret, url: str | None = None, ready_ms: int | None = None
    ) -> Answer:
        """One request, no more. Never raises. `ready_ms`: it goes within moments of that time, or not at all."""
        with self._lock:
            self.calls[call.purpose.value] += 1
            self._close_idle()
            self._in_flight += 1
        try:
            request = self._session.prepare_request(self._request(call, token, url))
        except Exception as failure:  # noqa: BLE001  nothing has left this process
            return self._landed(Answer(call, failure=Failure.NEVER_SENT, failure_detail=describe(failure)))
        try:
            if ready_ms is not None:
                stood_ms = milliseconds(self._clock.now()) - ready_ms
                if stood_ms > limits.SEND_WITHIN_S * 1_000:
                    detail = (
                        f"this process stood still for {stood_ms / 1_000:.0f} s just before it was to be sent"
                    )
                    return self._landed(
                        Answer(call, failure=Failure.NEVER_SENT, failure_detail=detail), sent=False
                    )
            response = self._session.send(
                request,
                timeout=(limits.CONNECT_TIMEOUT_S, self._read_timeout_s),
                allow_redirects=False,
                **self._route,
            )
            # A proxy's error page may repeat what it was sent; the token must not reach a message or the ledger.
            content = self._read(response).replace(token.reveal().encode(), b"***")
        except Exception as failure:  # noqa: BLE001  `failure_of` knows them all; what it does not know is ambiguous
            return self._landed(Answer(call, failure=failure_of(failure), failure_detail=describe(failure)))
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._clock.note(headers.get("date"))
        return self._landed(
            Answer(
                call,
                status=response.status_code,
                headers=headers,
                body=codec.decode(content),
                text=content.decode("utf-8", "replace"),
                granted=self._tokens.scopes if response.status_code in (401, 403) else (),
            )
        )

    def _landed(self, answer: Answer, *, sent: bool = True) -> Answer:
        with self._lock:
            self.calls[answer.call.purpose.value] -= not sent
            self._in_flight -= 1
            self._last_used = time.monotonic()
        return answer

    def _request(self, call: Call, token: Secret, url: str | None) -> requests.Request:
        headers = {"Authorization": f"Bearer {token.reveal()}", **call.headers}
        if self.tenant_id and url is None:
            headers["xero-tenant-id"] = self.tenant_id
        if call.idempotency_key:
            headers["Idempotency-Key"] = call.idempotency_key
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = codec.encode(call.body)
        address = url or f"{self._api_url}{API_ROOT}{quote(call.path)}"
        if call.params:
            address = f"{address}?{urlencode(call.params, quote_via=quote)}"
        return requests.Request(call.method, address, headers=headers, data=content)

    def _read(self, response: requests.Response) -> bytes:
        """The whole body, within the time and the size we allow."""
        started = time.monotonic()
        content = bytearray()
        for piece in response.iter_content(limits.READ_BYTES):
            content += piece
            if len(content) > limits.ANSWER_BYTES_MAX or time.monotonic() - started > limits.ANSWER_TIMEOUT_S:
                response.close()
                raise TooSlowError(f"the answer was not complete after {limits.ANSWER_TIMEOUT_S} s")
        return bytes(content)

    def _close_idle(self) -> None:
        """Drops pooled connections that have been idle: the far side may have closed them in the meantime."""
        if self._in_flight == 0 and time.monotonic() - self._last_used > limits.IDLE_CONNECTION_S:
            for adapter in self._session.adapters.values():
                if isinstance(adapter, Adapter):
                    adapter.drop_idle()
