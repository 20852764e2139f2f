"""One organisation as the gateway sees it: its id, its connection to the app, its limits, its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ikaroa_sandbox.xero.api import AccountingApi
from ikaroa_sandbox.xero.store import Store
from ikaroa_sandbox.xero.throttle import Throttle


@dataclass
class Tenant:
    """An organisation and the app's connection to it."""

    id: str
    connection_id: str
    store: Store
    api: AccountingApi
    created: datetime
    updated: datetime
    auth_event_id: str
    connected: bool = True
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        self.throttle = Throttle.of(self.id)

    def connect(self, auth_event_id: str, now: datetime) -> None:
        """A user agreed (again) to this organisation."""
        self.connected, self.auth_event_id, self.updated = True, auth_event_id, now

    def connection(self) -> dict[str, Any]:
        """The connection as `/connections` shows it."""
        return {
            "id": self.connection_id,
            "authEventId": self.auth_event_id,
            "tenantId": self.id,
            "tenantType": "ORGANISATION",
            "tenantName": self.store.organisation.get("Name"),
            "createdDateUtc": _seven_decimals(self.created),
            "updatedDateUtc": _seven_decimals(self.updated),
        }

    def save(self) -> dict[str, Any]:
        """A copy for `restore`."""
        return {
            "store": self.store.save(),
            "throttle": self.throttle.copy(),
            "connection": (
                self.connected,
                self.auth_event_id,
                self.updated,
                self.connection_id,
                self.created,
            ),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Puts a copy back."""
        self.store.restore(saved["store"])
        self.throttle = saved["throttle"].copy()
        self.connected, self.auth_event_id, self.updated, self.connection_id, self.created = saved[
            "connection"
        ]


def _seven_decimals(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
