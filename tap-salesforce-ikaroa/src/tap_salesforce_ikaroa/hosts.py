"""Which addresses the tap may talk to: Salesforce's own domains, loopback, and what the settings add."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from tap_salesforce_ikaroa.errors import HostError

SALESFORCE_DOMAINS = ("salesforce.com", "force.com", "salesforce.mil")
SHARED_LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})


def is_loopback(host: str) -> bool:
    """Whether the host name or address means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """The scheme, host and port of an address, as `https://host` or `http://127.0.0.1:8790`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class AllowedHosts:
    """The allow-list. Loopback is allowed only where the login address itself is loopback."""

    def __init__(self, login_url: str, extra: Iterable[str] = ()) -> None:
        self._extra = frozenset(host.strip().lower() for host in extra)
        self._local = is_loopback(urlsplit(login_url).hostname or "")

    def check(self, url: str, what: str) -> str:
        """The address without a slash at its end.

        Raises:
            HostError: not allowed, not https (loopback may do without), or not an address at all.
        """
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if not host or parts.scheme not in {"http", "https"} or parts.username or parts.password:
            raise HostError(f"{what} is not an https address: {_shown(url)}. Give it as https://host")
        local = is_loopback(host)
        if parts.scheme == "http" and not local:
            raise HostError(f"{what} is plain http: {_shown(url)}. Use https; http is for loopback only")
        if not self._allows(host, local=local):
            raise HostError(
                f"{what} names the host {host}, which is neither Salesforce's nor in `allowed_hosts`. "
                "Nothing was sent to it; add it to `allowed_hosts` if it is yours"
            )
        return url.rstrip("/")

    def _allows(self, host: str, *, local: bool) -> bool:
        if host in self._extra:
            return True
        if local or self._local:
            return local and self._local
        return any(host == domain or host.endswith(f".{domain}") for domain in SALESFORCE_DOMAINS)


def path_only(value: str, what: str) -> str:
    """A path that Salesforce gave us to follow, such as `nextRecordsUrl`.

    Raises:
        HostError: it is not a plain path, so following it could lead to another host.
    """
    parts = urlsplit(value)
    climbs = any(unquote(part) in {".", ".."} for part in parts.path.split("/"))  # requests would resolve it
    if parts.scheme or parts.netloc or climbs or not value.startswith("/services/") or "\\" in value:
        raise HostError(f"{what} is not a path below /services/: {_shown(value)}. It was not followed")
    return value


def _shown(url: str) -> str:
    # Without query and user part: either may hold something secret.
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:120]
