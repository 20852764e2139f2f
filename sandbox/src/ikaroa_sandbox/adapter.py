"""A transport adapter for `requests` that runs the sandbox in process: no socket, no sleep.

    session = requests.Session()
    session.mount("https://", SandboxAdapter(sandbox))

Whatever a real connection would do to the client, this does: the exceptions are those of `requests` over urllib3, from the
same causes. Where a real client would have waited (an answer that is slow or never comes), a frozen clock moves on instead.
"""

from __future__ import annotations

import errno
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from http.client import responses
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import SCHEME_HEADER, Headers, NoResponse, Request, Response
from ikaroa_sandbox.mishaps import SlowResponse

Timeout = float | tuple[float | None, float | None] | None
_BUILDER = HTTPAdapter()
"""Makes answers; sends nothing."""


class SandboxAdapter(BaseAdapter):
    """Sends every request of a session to the sandbox, whatever its host. Safe to share between threads.

    Args:
        sandbox: where requests go.
        spend_time: whether waiting moves a frozen clock: by the client's read timeout when no answer comes, by a slow
            answer's seconds. Without it time moves only by command.
    """

    def __init__(self, sandbox: Sandbox, *, spend_time: bool = True) -> None:
        super().__init__()
        self.sandbox = sandbox
        self._spend_time = spend_time
        self._in_flight: Counter[str] = Counter()
        self._counting = threading.Lock()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002  the signature is that of requests
        timeout: Timeout = None,
        verify: bool | str = True,  # noqa: ARG002, FBT001, FBT002
        cert: object = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Runs one request through the sandbox. Raises what requests raises when a connection fails that way."""
        incoming = _incoming(request)
        system = self.sandbox.system_of(incoming) or "none"
        with self._counting:
            self._in_flight[system] += 1
            in_flight = self._in_flight[system]
        try:
            answer = self.sandbox.handle(
                replace(incoming, in_flight=in_flight) if in_flight > 1 else incoming
            )
        finally:
            with self._counting:
                self._in_flight[system] -= 1
        if isinstance(answer, NoResponse):
            return self._no_response(request, answer, timeout)
        if isinstance(answer, SlowResponse):
            self._wait(request, answer.seconds, timeout)
        return self._response(request, answer)

    def close(self) -> None:
        """Nothing is held open."""

    def _response(self, request: requests.PreparedRequest, answer: Response) -> requests.Response:
        headers = answer.headers
        if "Content-Length" not in headers:
            headers = {**headers, "Content-Length": str(len(answer.body))}
            if "Content-Encoding" not in headers and request.method != "HEAD":
                return _whole(request, answer, headers)
        raw = HTTPResponse(
            body=BytesIO(b"" if request.method == "HEAD" else answer.body),
            headers=headers,
            status=answer.status,
            reason=responses.get(answer.status, ""),
            version=11,
            preload_content=False,
            request_method=request.method,
            request_url=request.url,
        )
        return _BUILDER.build_response(request, raw)

    def _no_response(
        self, request: requests.PreparedRequest, answer: NoResponse, timeout: Timeout
    ) -> requests.Response:
        if answer.kind == "truncated" and answer.partial is not None:
            # Its Content-Length promises more than there is: reading it raises, as it does from a socket.
            return self._response(request, answer.partial)
        if answer.kind == "timeout":
            self._advance(_read_timeout(timeout) or 0.0)
            raise _read_timed_out(request)
        if answer.kind == "connect_failed":
            parts = urlsplit(str(request.url))
            connection = HTTPConnection(str(parts.hostname), parts.port or 443)
            refused = NewConnectionError(
                connection, "Failed to establish a new connection: [Errno 111] Connection refused"
            )
            raise requests.exceptions.ConnectionError(refused, request=request)
        gone = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", gone), request=request)

    def _wait(self, request: requests.PreparedRequest, seconds: float, timeout: Timeout) -> None:
        patience = _read_timeout(timeout)
        if patience is not None and patience < seconds:
            self._advance(patience)
            raise _read_timed_out(request)
        self._advance(seconds)

    def _advance(self, seconds: float) -> None:
        with self.sandbox.lock:
            if self._spend_time and seconds and self.sandbox.clock.frozen:
                self.sandbox.clock.advance(seconds)


class _Whole(BytesIO):
    """The body of an answer that is all there, as `requests` reads it; one that is not goes through urllib3, which notices."""

    def read(self, amount: int | None = -1, decode_content: bool | None = None) -> bytes:  # noqa: ARG002, FBT001
        """Nothing is encoded."""
        return super().read(amount)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: ARG002, FBT001
        """In pieces."""
        while piece := self.read(amount):
            yield piece

    def release_conn(self) -> None:
        """There is no connection."""


def _whole(
    request: requests.PreparedRequest, answer: Response, headers: Mapping[str, str]
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = answer.status, responses.get(answer.status, "")
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = _Whole(answer.body)
    response.request, response.url = request, str(request.url)
    response.connection = _BUILDER
    return response


def _read_timed_out(request: requests.PreparedRequest) -> requests.exceptions.ReadTimeout:
    parts = urlsplit(str(request.url))
    pool = HTTPConnectionPool(str(parts.hostname), parts.port)
    return requests.exceptions.ReadTimeout(
        ReadTimeoutError(pool, str(request.url), "Read timed out."), request=request
    )


def _read_timeout(timeout: Timeout) -> float | None:
    return timeout[1] if isinstance(timeout, tuple) else timeout


def _incoming(request: requests.PreparedRequest) -> Request:
    scheme, _, rest = str(request.url).partition("://")
    host, slash, target = rest.partition("/")
    path, _, query = target.partition("#")[0].partition("?")
    headers: dict[str, str] = {"Host": host, SCHEME_HEADER: scheme}
    headers.update((name, _text(value)) for name, value in request.headers.items())
    return Request(str(request.method), slash + path, query, Headers(headers), _body(request.body))


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(body: Any) -> bytes:
    """The body as it would be on the wire once chunks are put together."""
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8")
    if hasattr(body, "read"):
        return _body(body.read())
    if isinstance(body, Iterable):
        return b"".join(_body(chunk) for chunk in body)
    raise TypeError(f"a request body of type {type(body).__name__} cannot be sent")
