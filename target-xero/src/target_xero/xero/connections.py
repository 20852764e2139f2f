"""`GET /connections`: the organisations that an app's consent leads to."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from target_xero import limits
from target_xero.errors import XeroUnreachableError
from target_xero.xero.auth import unreachable
from target_xero.xero.secret import Secret
from target_xero.xero.transport import describe


@dataclass(frozen=True)
class Connection:
    """One organisation."""

    tenant_id: str
    name: str

    def as_dict(self) -> dict[str, str]:
        """For an answer."""
        return {"id": self.tenant_id, "name": self.name}


def list_connections(session: requests.Session, api_url: str, token: Secret) -> list[Connection]:
    """The connected organisations, by name.

    Raises:
        XeroUnreachableError: it cannot be read.
    """
    url = f"{api_url}/connections"
    try:
        response = session.get(
            url,
            headers={"Authorization": f"Bearer {token.reveal()}"},
            timeout=(limits.CONNECT_TIMEOUT_S, limits.REQUEST_TIMEOUT_S),
            allow_redirects=False,
        )
        entries = response.json() if response.status_code == 200 else None
    except (requests.RequestException, ValueError) as failure:
        raise unreachable(url, describe(failure)) from None
    if not isinstance(entries, list):
        raise XeroUnreachableError(
            f"Xero did not list the connected organisations (HTTP {response.status_code}). The access is stored: set tenant_id, "
            "and look with `target-xero check`"
        )
    found = [
        Connection(str(entry.get("tenantId")), str(entry.get("tenantName")))
        for entry in entries
        if isinstance(entry, dict) and entry.get("tenantType") == "ORGANISATION"
    ]
    return sorted(found, key=lambda one: one.name)
