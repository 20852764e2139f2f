"""The one door to the network: sends a request, retries what is transient, keeps the allow-list and Salesforce's clock."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.answers import (
    OWN_FAILURES,
    Answer,
    is_page_for_people,
    is_transient,
    no_answer,
    refusal,
)
from tap_salesforce_ikaroa.errors import (
    NobodyThereError,
    RequestError,
    TapError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.hosts import AllowedHosts, is_loopback, origin

USER_AGENT = "tap-salesforce-ikaroa"
_NO_PROXY: Any = {"http": None, "https": None, "all": None}
"""Of this machine's own address a proxy knows nothing, and what is sent there may be in plain text."""
logger = logging.getLogger("tap-salesforce-ikaroa")


@dataclass
class RetryPolicy:
    """How often and how long apart. `sleep` and `chance` are replaced in tests."""

    retries: int = limits.RETRIES
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def pause(self, attempt: int, retry_after: str | None, now: datetime) -> float | None:
        """Seconds to wait before attempt number `attempt` + 1; None when it is not worth waiting."""
        if attempt > self.retries:
            return None
        asked = _retry_after_s(retry_after, now)
        if asked is not None:
            return asked if asked <= limits.RETRY_AFTER_MAX_S else None
        ceiling: float = min(limits.BACKOFF_MAX_S, limits.BACKOFF_FIRST_S * 2.0 ** (attempt - 1))
        return ceiling * (0.5 + self.chance() / 2)


@dataclass
class ServerClock:
    """Salesforce's time, from the Date header of its last answer and our monotonic clock since."""

    monotonic: Callable[[], float] = time.monotonic
    _date: datetime | None = None
    _at: float = 0.0

    def learn(self, header: str | None) -> None:
        """Takes an answer's Date header; anything unreadable is ignored."""
        moment = _http_date(header)
        if moment:
            self._date, self._at = moment, self.monotonic()

    def now(self) -> datetime:
        """The time in UTC. Before the first answer it is this machine's."""
        if self._date is None:
            return datetime.now(timezone.utc)
        return self._date + timedelta(seconds=self.monotonic() - self._at)

    @property
    def skew_s(self) -> float:
        """By how much this machine's clock is off, in seconds."""
        return abs((self.now() - datetime.now(timezone.utc)).total_seconds())


class _NoAuth(AuthBase):
    # Keeps requests from putting a .netrc entry in the place of our Authorization header.
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass
class Transport:
    """Sends requests to allowed hosts. `adapter` is the seam where tests put a simulated Salesforce."""

    hosts: AllowedHosts
    adapter: BaseAdapter | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_s: float = limits.REQUEST_TIMEOUT_S
    clock: ServerClock = field(default_factory=ServerClock)

    def __post_init__(self) -> None:
        self.session = requests.Session()
        adapter = self.adapter or HTTPAdapter(max_retries=0)
        self.session.headers["User-Agent"] = USER_AGENT
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)

    @contextmanager
    def once(self) -> Iterator[None]:
        """What is sent inside is tried only once: the run is about to end."""
        policy, self.policy = self.policy, replace(self.policy, retries=0)
        try:
            yield
        finally:
            self.policy = policy

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        on_attempt: Callable[[], None] = lambda: None,
        into: IO[bytes] | None = None,
    ) -> Answer:
        """Sends until there is an answer that is not transient, and gives it if it is below 300.

        `into`: a file that takes the body, as it comes over the wire (see Content-Encoding), of an answer below 300.

        Raises:
            TapError: see `errors`; a 401 is a SessionExpiredError and is not retried here.
        """
        self.hosts.check(origin(url), "the address")
        attempt = 0
        while True:
            attempt += 1
            on_attempt()
            problem: TapError
            retry_after: str | None = None
            try:
                answer = self._once(method, url, headers or {}, body, into)
            except (requests.RequestException, HTTPError) as error:
                problem, transient = self._unreachable(url, error), True
                if isinstance(problem, NobodyThereError) or isinstance(error, requests.exceptions.SSLError):
                    raise problem from None
            else:
                verdict = _verdict(answer, in_file=into is not None, asks=method in {"GET", "POST"})
                if verdict is None:
                    return answer
                problem, transient = verdict
                retry_after = answer.headers.get("Retry-After")
            pause = self.policy.pause(attempt, retry_after, self.clock.now()) if transient else None
            if pause is None:
                raise _given_up(problem, attempt) if transient else problem
            logger.info("%s; asking again in %.1f s (%d of %d)", problem, pause, attempt, self.policy.retries)
            self.policy.sleep(pause)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, into: IO[bytes] | None
    ) -> Answer:
        response = self.session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(limits.CONNECT_TIMEOUT_S, self.timeout_s),
            allow_redirects=False,
            auth=_NoAuth(),
            proxies=_NO_PROXY if is_loopback(urlsplit(url).hostname or "") else None,
            stream=into is not None,
        )
        self.clock.learn(response.headers.get("Date"))
        if into and response.status_code < 300:
            with response:
                _receive(response, into)
            return Answer(response.status_code, response.headers)
        return Answer(response.status_code, response.headers, response.content)

    def _unreachable(self, url: str, error: requests.RequestException | HTTPError) -> UnavailableError:
        where = origin(url)
        # The text of the error names host and port only, but a proxy address in it may hold a password.
        if is_loopback(urlsplit(url).hostname or "") and "refused" in str(error).lower():
            return NobodyThereError(
                f"the sandbox does not answer at {where}; start it with `make sandbox` (or `meltano invoke sandbox`) "
                "and run again. For a real org set `login_url` to its My Domain address"
            )
        if isinstance(error, requests.exceptions.SSLError):
            return UnavailableError(f"no trusted TLS connection to {where}: its certificate was not accepted")
        kind = "took too long" if isinstance(error, requests.exceptions.Timeout) else "could not be reached"
        return UnavailableError(f"{where} {kind} ({type(error).__name__})")


def _receive(response: requests.Response, into: IO[bytes]) -> None:
    into.seek(0)
    into.truncate()
    while chunk := response.raw.read(limits.BLOCK_BYTES, decode_content=False):
        into.write(chunk)


def _verdict(answer: Answer, *, in_file: bool, asks: bool) -> tuple[TapError, bool] | None:
    """What is wrong with an answer and whether that may pass; None if nothing is.

    `in_file`: its body is not at hand. `asks`: there must be one.
    """
    if in_file and answer.status < 300:
        return (no_answer(answer), True) if is_page_for_people(answer) else None
    try:
        payload = answer.json() if answer.body else None
    except UnexpectedAnswerError as error:
        if answer.status in {401, 404, 410, 414, 431} or 300 <= answer.status < 400:
            return refusal(answer.status, None), False
        return error, True
    if answer.status < 300:
        return (no_answer(answer), True) if asks and not answer.body else None
    return refusal(answer.status, payload), is_transient(answer.status, payload)


def _given_up(problem: TapError, attempts: int) -> TapError:
    if isinstance(problem, UnexpectedAnswerError):
        return problem
    if isinstance(problem, RequestError) and problem.code in OWN_FAILURES:
        return problem
    return UnavailableError(
        f"{problem}; given up after {attempts} attempts. What was read so far is in STATE; run again later"
    )


def _http_date(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header or "")
    except (OverflowError, TypeError, ValueError):
        return None
    if not limits.ORGS_BEGAN <= moment.year < MAXYEAR:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _retry_after_s(header: str | None, now: datetime) -> float | None:
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    moment: Any = _http_date(header)
    return max(0.0, (moment - now).total_seconds()) if moment else None
