"""Waits on this machine for the one answer that the browser brings back, and tells the person in front of it so.

Listens on 127.0.0.1 only. The page holds no code and no token, and the browser is sent on to an address without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from target_xero import limits
from target_xero.errors import AuthorisationError, ConfigurationError

CALLBACK = "/callback"
_DONE = "/done"
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>target-xero</title>
<style>
  :root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 90vh; display: grid; place-items: center; }
  main { max-width: 26rem; padding: 2rem; }
  h1 { font-size: 1.3rem; margin: 0 0 .5rem; }
</style>
<main>
  <h1>Back to the terminal</h1>
  <p>Xero has answered. What came of it stands in your terminal. You can close this page.</p>
</main>
</html>
"""


class Loopback:
    """A listener for one login.

    Raises:
        ConfigurationError: the port is taken or not to be had.
    """

    def __init__(self, port: int) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as failure:
            raise ConfigurationError(
                f"port {port} on this machine cannot be used ({failure.strerror}). End what uses it, or take another with --port; "
                "its address must be registered for the app at developer.xero.com, too"
            ) from None

    def __enter__(self) -> Loopback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    @property
    def redirect_uri(self) -> str:
        """What must be registered for the app, letter by letter. Xero takes http for `localhost` alone."""
        return f"http://localhost:{self._server.server_port}{CALLBACK}"

    def wait(self, seconds: float) -> dict[str, str]:
        """The parameters that came with the first answer.

        Raises:
            AuthorisationError: none came in time.
        """
        self._serve_until(time.monotonic() + seconds, lambda: self._server.answer is not None)
        if self._server.answer is None:
            raise AuthorisationError(
                f"no answer came within {seconds:.0f} s. Nothing was stored. Run login again; from another machine, forward the "
                f"port first: ssh -L {self._server.server_port}:127.0.0.1:{self._server.server_port} …"
            )
        self._serve_until(time.monotonic() + limits.LOGIN_PAGE_S, lambda: self._server.page_seen)
        return self._server.answer

    def _serve_until(self, end: float, reached: Callable[[], bool]) -> None:
        while not reached() and time.monotonic() < end:
            self._server.timeout = min(limits.POLL_S, max(end - time.monotonic(), 0))
            self._server.handle_request()


class _Server(HTTPServer):
    answer: dict[str, str] | None = None
    page_seen = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = limits.LOGIN_PAGE_S
    server_version = "target-xero"
    sys_version = ""

    def do_GET(self) -> None:
        """The answer (once), the page, or nothing."""
        parts = urlsplit(self.path)
        if parts.path == CALLBACK and self.server.answer is None:
            self.server.answer = dict(parse_qsl(parts.query, keep_blank_values=True))
            self._send(303, b"", {"Location": _DONE})
        elif parts.path == _DONE:
            self._send(200, _PAGE.encode(), {"Content-Type": "text/html; charset=utf-8"})
            self.server.page_seen = True
        else:
            self._send(404, b"", {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        safe = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
            "Content-Length": str(len(content)),
            "Connection": "close",
        }
        for name, value in {**safe, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds the code."""
