"""The sandbox on a socket of this machine: a thin ASGI shell around `Sandbox.handle`, and what can only be done to a socket.

Loopback only. The core is quick and runs in the event loop itself, so requests are handled strictly one after the other;
what takes time (a slow answer, a request that gets none) waits outside it and counts as in flight meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, MutableMapping
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import SCHEME_HEADER, Headers, NoResponse, Request, Response
from ikaroa_sandbox.errors import StartError
from ikaroa_sandbox.limits import (
    HOLD_SECONDS,
    KEEP_ALIVE_SECONDS,
    REQUEST_BODY_BYTES_MAX,
    REQUEST_HEAD_BYTES_MAX,
    SHUTDOWN_SECONDS,
    START_SECONDS,
    UPLOAD_BODY_BYTES_MAX,
)
from ikaroa_sandbox.mishaps import SlowResponse

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Wire:
    """The ASGI application."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stopping = asyncio.Event()
        self.cut: Callable[[tuple[str, int], bool], None] = lambda _client, _reset: None
        """Cuts the connection of a client's (host, port): by a reset, or else once the bytes written so far are out."""
        self._in_flight: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or nothing for the other kinds of ASGI traffic."""
        if scope["type"] != "http":
            return
        incoming = HttpRequest(scope, receive)
        try:
            most = UPLOAD_BODY_BYTES_MAX if _is_upload(scope) else REQUEST_BODY_BYTES_MAX
            body = await _read_body(incoming, most)
        except ClientDisconnect:
            return
        if body is None:
            text = f"a body beyond {most} bytes is more than this sandbox reads\n"
            await HttpResponse(text, 413, {"Connection": "close"}, "text/plain")(scope, receive, send)
            return
        request = _request(scope, body)
        system = self.sandbox.system_of(request) or "none"
        self._in_flight[system] += 1
        try:
            await self._answer(replace(request, in_flight=self._in_flight[system]), scope, receive, send)
        finally:
            self._in_flight[system] -= 1

    async def _answer(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = self.sandbox.handle(request)
        except Exception as error:  # noqa: BLE001  a defect of the sandbox must be seen on both ends, and stop nothing
            traceback.print_exc(file=sys.stderr)
            answer = Response(
                500,
                {"Content-Type": "text/plain; charset=utf-8"},
                f"a defect of the sandbox, not of {request.path}: {type(error).__name__}: {error}\n".encode(),
            )
        if isinstance(answer, NoResponse):
            await self._answer_not(answer, scope, receive, send)
            return
        if isinstance(answer, SlowResponse):
            await self._until_stopping(asyncio.sleep(answer.seconds), None)
        await _send_whole(answer, send)

    async def _answer_not(self, answer: NoResponse, scope: Scope, receive: Receive, send: Send) -> None:
        if answer.kind == "timeout":
            await self._until_stopping(_client_leaves(receive), HOLD_SECONDS)
        elif answer.partial is not None:
            await send(_head(answer.partial))
            await send({"type": "http.response.body", "body": answer.partial.body, "more_body": True})
        self.cut(tuple(scope["client"]), answer.partial is None)

    async def _until_stopping(
        self, waiting: Coroutine[Any, Any, None], at_most_seconds: float | None
    ) -> None:
        tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(self.stopping.wait())]
        _, pending = await asyncio.wait(tasks, timeout=at_most_seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _is_upload(scope: Scope) -> bool:
    """Whether the request brings the rows of a bulk job."""
    return scope["method"] == "PUT" and "/jobs/ingest/" in str(scope["path"])


async def _read_body(incoming: HttpRequest, most: int) -> bytes | None:
    """The whole body, chunked or not; None when it is beyond the limit."""
    chunks, size = [], 0
    async for chunk in incoming.stream():
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _request(scope: MutableMapping[str, Any], body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    headers[SCHEME_HEADER] = scope["scheme"]
    return Request(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        Headers(headers),
        body,
    )


def _head(answer: Response, **more: str) -> dict[str, Any]:
    # Names as both platforms spell them: some clients look for Content-Type, and some must not find content-type.
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in (answer.headers | more).items()
    ]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _send_whole(answer: Response, send: Send) -> None:
    bodiless = answer.status in (204, 304)
    length = {} if bodiless else {"Content-Length": str(len(answer.body))}
    await send(_head(answer, **length))
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})


class Server(uvicorn.Server):
    """uvicorn, which tells when it is ready and lets held requests go when it stops."""

    def __init__(self, config: uvicorn.Config, wire: Wire, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._wire, self._ready = wire, ready
        wire.cut = self._cut

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, then says so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets go of the requests that are being held, so that stopping takes no longer than the running ones."""
        self._wire.stopping.set()
        # An idle client never answers the farewell that TLS asks for: it is not waited for.
        self._abort(lambda connection: connection.scheme == "https" and _is_idle(connection))
        await super().shutdown(sockets)
        self._abort(lambda _connection: True)
        await asyncio.sleep(0)  # the event loop closes the sockets in its next turn

    def _abort(self, which: Callable[[Any], bool]) -> None:
        for connection in list(self.server_state.connections):
            if which(connection) and connection.transport is not None:
                connection.transport.abort()

    def _cut(self, client: tuple[str, int], reset: object) -> None:
        connections: list[Any] = list(self.server_state.connections)
        for connection in connections:
            if connection.client != client or connection.transport is None:
                continue
            if reset:
                _reset(connection.transport)
            else:
                connection.transport.close()


def _is_idle(connection: Any) -> bool:
    return connection.cycle is None or connection.cycle.response_complete


def _reset(transport: asyncio.Transport) -> None:
    """Ends a connection with RST, as a crashed peer or a balancer in between does."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on this machine's loopback; port 0 takes a free one. Raises StartError."""
    if host not in LOOPBACK:
        raise StartError(
            f"the sandbox listens on this machine only ({LOOPBACK[0]}), not on {host}: its secrets are public"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"port {port} on {host} cannot be used ({error.strerror}); stop what uses it or choose another with --port"
        ) from error
    return listener


def serve(
    sandbox: Sandbox, listener: socket.socket, *, ready: Callable[[], None], tls: ssl.SSLContext | None = None
) -> None:
    """Serves until SIGTERM or SIGINT. `ready` is called once connections are taken."""
    _server(sandbox, ready, tls).run(sockets=[listener])


@contextlib.contextmanager
def serve_in_thread(
    sandbox: Sandbox, port: int = 0, *, tls: ssl.SSLContext | None = None
) -> Generator[str, None, None]:
    """Serves from a thread of this process while the block runs; gives the base URL. Raises StartError."""
    listener = bind(LOOPBACK[0], port)
    url = f"{'https' if tls else 'http'}://{LOOPBACK[0]}:{listener.getsockname()[1]}"
    started = threading.Event()
    server = _server(sandbox, started.set, tls)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        if not started.wait(START_SECONDS):
            raise StartError(f"the sandbox's server did not start within {START_SECONDS} seconds")
        yield url
    finally:
        server.should_exit = True
        thread.join()


def _server(sandbox: Sandbox, ready: Callable[[], None], tls: ssl.SSLContext | None) -> Server:
    wire = Wire(sandbox)
    config = uvicorn.Config(
        wire,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=REQUEST_HEAD_BYTES_MAX,
    )
    config.load()
    config.ssl = tls
    return Server(config, wire, ready)
