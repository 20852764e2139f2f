"""The one way out to the network: a `requests` session with everything switched off that could act twice.

No retries, no redirects, no credentials from `.netrc`. The adapter is the seam: tests and the in-process sandbox hand in
their own, everything above it is the same code.

`failure_of` says what a transport exception means for money: *never sent* only where provably no byte of the request left
this machine, *ambiguous* everywhere else.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from importlib import metadata
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from target_xero import limits
from target_xero.errors import ConfigurationError
from target_xero.exchange import Failure

XERO_HOSTS = frozenset({"api.xero.com", "identity.xero.com", "login.xero.com"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
USER_AGENT = f"target-xero/{metadata.version('target-xero')} (Singer)"


def check_url(setting: str, url: str) -> str:
    """The URL without a slash at its end, if a client may talk to it at all.

    Raises:
        ConfigurationError: a host other than Xero's own or this machine, or plain http to anything but this machine.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            f"setting {setting}: a plain address is expected, without user, query or fragment"
        )
    if host not in XERO_HOSTS | LOOPBACK:
        allowed = ", ".join(sorted(XERO_HOSTS))
        raise ConfigurationError(
            f"setting {setting}: {host or url!r} is not one of Xero's hosts ({allowed}) nor this machine (a sandbox)"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ConfigurationError(
            f"setting {setting}: {url!r} must be https; http is for a sandbox on this machine only"
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine: a sandbox."""
    return (urlsplit(url).hostname or "").lower() in LOOPBACK


class _Connection(HTTPSConnection):
    """Says a failed TLS handshake for what it is: a connection that was never made."""

    def connect(self) -> None:
        try:
            super().connect()
        except (ssl.SSLError, ssl.CertificateError) as failure:
            raise NewConnectionError(self, f"TLS handshake failed: {failure}") from failure


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(HTTPAdapter):
    """requests' own adapter with retries off, a pool as wide as we are parallel, and honest TLS failures."""

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=limits.FLIGHTS_MAX, max_retries=0, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Puts our connection class under https."""
        super().init_poolmanager(*args, **kwargs)
        manager = self.poolmanager
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _Pool}

    def drop_idle(self) -> None:
        """Closes pooled connections: the far side may have closed them too, and a write must not find out first."""
        self.poolmanager.clear()


_ROUTING = tuple(
    spelt
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")
    for spelt in (name, name.upper())
)
"""The variables by which requests finds its way."""
_NO_PROXY: dict[str, Any] = dict.fromkeys(("http", "https", "all"))


class Session(requests.Session):
    """Sends what it is given as it stands: no cookies, no `.netrc` over our Authorization header, no redirects, no new quoting."""

    _routes: ClassVar[dict[tuple[Any, ...], Any]] = {}

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Only what our requests have: a method, a whole address, headers and a body (bytes, or a form's fields)."""
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = request.method, request.url
        prepared.prepare_headers({**self.headers, **request.headers})
        prepared.prepare_body(request.data or None, None)
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Proxies and certificates as the environment says; looked up once for a host while it says the same.

        What is for this machine goes through none: a proxy knows nothing of it, and it may be in plain text.
        """
        parts = urlsplit(url)
        asked = (parts.scheme, parts.netloc, stream, verify, cert, *map(os.environ.get, _ROUTING))
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if asked not in self._routes:
            to_none = dict(_NO_PROXY) if is_loopback(url) else {}
            self._routes[asked] = super().merge_environment_settings(url, to_none, stream, verify, cert)
        return self._routes[asked].copy()

    def resolve_redirects(self, *_args: Any, **_options: Any) -> Iterator[Any]:
        """None are followed: money goes where it was sent, or nowhere."""
        return iter(())


def new_session(adapter: BaseAdapter | None = None) -> Session:
    """A session that sends a request once, as it stands, through `adapter` (default: the network)."""
    session = Session()
    session.adapters.clear()
    carrier = adapter or Adapter()
    session.mount("https://", carrier)
    session.mount("http://", carrier)
    session.headers.clear()
    session.headers.update(
        {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Accept": "application/json"}
    )
    return session


NEVER_SENT: frozenset[type[BaseException]] = frozenset(
    {
        # no connection was made
        requests.exceptions.ConnectTimeout,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.NameResolutionError,
        # no connection was free, or none is given out any more
        urllib3.exceptions.EmptyPoolError,
        urllib3.exceptions.ClosedPoolError,
        urllib3.exceptions.FullPoolError,
        # the request could not even be put together
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidProxyURL,
        requests.exceptions.URLRequired,
        requests.exceptions.InvalidJSONError,
        urllib3.exceptions.LocationValueError,
        urllib3.exceptions.LocationParseError,
        urllib3.exceptions.URLSchemeUnknown,
        urllib3.exceptions.ProxySchemeUnknown,
        urllib3.exceptions.ProxySchemeUnsupported,
    }
)
"""Exactly these classes, not their subclasses: a new subclass is ambiguous until someone has thought about it."""

CARRIERS: frozenset[type[BaseException]] = frozenset(
    {
        requests.exceptions.ConnectionError,
        requests.exceptions.ProxyError,
        requests.exceptions.SSLError,
        requests.exceptions.RetryError,
        urllib3.exceptions.MaxRetryError,
        urllib3.exceptions.ProxyError,
    }
)
"""They say nothing themselves: what they wrap decides, and where they wrap nothing they are ambiguous."""

AMBIGUOUS: frozenset[type[BaseException]] = frozenset(
    {
        requests.exceptions.RequestException,
        requests.exceptions.HTTPError,
        requests.exceptions.Timeout,
        requests.exceptions.ReadTimeout,
        requests.exceptions.TooManyRedirects,
        requests.exceptions.InvalidHeader,  # urllib3 raises it for an answer's Content-Length, too
        requests.exceptions.JSONDecodeError,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
        requests.exceptions.StreamConsumedError,
        requests.exceptions.UnrewindableBodyError,
        urllib3.exceptions.HTTPError,
        urllib3.exceptions.PoolError,
        urllib3.exceptions.RequestError,
        urllib3.exceptions.SSLError,
        urllib3.exceptions.DecodeError,
        urllib3.exceptions.ProtocolError,
        urllib3.exceptions.HostChangedError,
        urllib3.exceptions.TimeoutStateError,
        urllib3.exceptions.TimeoutError,
        urllib3.exceptions.ReadTimeoutError,
        urllib3.exceptions.ResponseError,
        urllib3.exceptions.ResponseNotChunked,
        urllib3.exceptions.BodyNotHttplibCompatible,
        urllib3.exceptions.IncompleteRead,
        urllib3.exceptions.InvalidChunkLength,
        urllib3.exceptions.InvalidHeader,
        urllib3.exceptions.HeaderParsingError,
        urllib3.exceptions.UnrewindableBodyError,
    }
)
"""Listed one by one so that a test can tell what nobody has thought about yet."""


def _wrapped(exception: BaseException) -> BaseException | None:
    """What a carrier carries: urllib3's `reason` or `original_error`, else requests' first argument."""
    inner = getattr(exception, "reason", None) or getattr(exception, "original_error", None)
    if inner is None and exception.args:
        inner = exception.args[0]
    return inner if isinstance(inner, BaseException) else None


def failure_of(exception: BaseException) -> Failure:
    """What a transport exception means for the request it ended."""
    current: BaseException | None = exception
    while current is not None and type(current) in CARRIERS:
        current = _wrapped(current)
    if current is not None and type(current) in NEVER_SENT:
        return Failure.NEVER_SENT
    return Failure.AMBIGUOUS


def describe(exception: BaseException) -> str:
    """One short sentence for a person: the innermost class and reason, no address, no header, no body."""
    current = exception
    while type(current) in CARRIERS and (inner := _wrapped(current)) is not None:
        current = inner
    text = str(current).rpartition(": ")[2] or str(current)
    return f"{type(current).__name__}: {text}"[: limits.FAILURE_TEXT_MAX]
