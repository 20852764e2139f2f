"""The tap's way to the sandbox in a history: no socket, no session of `requests`; and the moments at which things happen.

At every request somebody may work in the org, before it is answered; and at one of them the tap's process may die, so that
nothing it still tries gets through.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Headers, Request, Response
from requests.structures import CaseInsensitiveDict
from tap_salesforce_ikaroa.answers import Answer
from tap_salesforce_ikaroa.transport import ServerClock, Transport


class Died(BaseException):
    """The process is gone: no handler for errors may stop it."""


@dataclass
class Wire:
    """One run's connection. `skew_s`: by how much the clock of Salesforce's web servers is ahead of its database's."""

    sandbox: Sandbox
    skew_s: float = 0.0
    dies_at: int | None = None
    """The request at which the process dies; the request arrives or not, by chance of its number."""
    meanwhile: Callable[[], None] = lambda: None
    calls: int = 0
    dead: bool = False
    _clock: ServerClock = field(default_factory=ServerClock)

    def attach(self, transport: Transport) -> None:
        """Puts this wire in the place of a transport's network and of its clock."""
        transport._once = self.once  # type: ignore[method-assign]
        transport.clock.monotonic = lambda: self.sandbox.clock.now().timestamp()
        self._clock = transport.clock

    def die(self) -> None:
        """Kills the process."""
        self.dead = True

    def once(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, into: IO[bytes] | None
    ) -> Answer:
        """One request, answered by the sandbox. Raises what `requests` raises."""
        if self.dead:
            raise requests.ConnectionError("the process is dead")
        self.calls += 1
        self.meanwhile()
        dying = self.calls == self.dies_at
        if dying and self.calls % 2:
            self.die()
            raise Died
        parts = urlsplit(url)
        sent = {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme, **headers}
        if into is None:
            sent.pop("Accept-Encoding", None)
        answer = self.sandbox.handle(Request(method, parts.path, parts.query, Headers(sent), body or b""))
        if dying:
            self.die()
            raise Died
        return self._received(answer, into)

    def _received(self, answer: Any, into: IO[bytes] | None) -> Answer:
        if not isinstance(answer, Response):
            raise requests.ConnectionError(str(answer.kind))
        headers = CaseInsensitiveDict(answer.headers)
        now = self.sandbox.clock.now() + timedelta(seconds=self.skew_s)
        self._clock.learn(format_datetime(now, usegmt=True))
        if into is not None and answer.status < 300:
            into.seek(0)
            into.truncate()
            into.write(answer.body)
            return Answer(answer.status, headers)
        packed = headers.get("Content-Encoding") == "gzip"
        return Answer(answer.status, headers, gzip.decompress(answer.body) if packed else answer.body)
