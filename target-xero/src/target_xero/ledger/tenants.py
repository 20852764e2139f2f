"""The organisations of a ledger: which it belongs to, and which of them has a document."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, insert, select

from target_xero.errors import WrongOrganisationError
from target_xero.ledger import schema
from target_xero.ledger.base import LedgerBase, milliseconds
from target_xero.ledger.model import State, Tenant
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import OPEN, intent, link

_KEYS: BindParameter[str] = bindparam("keys", expanding=True)
_TENANTS = select(schema.tenant.c.id)
"""Named, so that the tables' indexes serve, which begin with the tenant."""
_PINNED = Prepared(select(schema.tenant))
_PIN = Prepared(insert(schema.tenant), [column.name for column in schema.tenant.c])
_LINKED = Prepared(
    select(link.c.source_key, link.c.tenant).where(
        link.c.tenant.in_(_TENANTS), link.c.kind == bindparam("kind"), link.c.source_key.in_(_KEYS)
    )
)
_OPEN = Prepared(
    select(intent.c.source_key, intent.c.tenant, intent.c.state).where(
        intent.c.tenant.in_(_TENANTS),
        intent.c.kind == bindparam("kind"),
        intent.c.source_key.in_(_KEYS),
        OPEN,
    )
)
_WITHOUT_EFFECT = (State.PLANNED.value, State.REJECTED.value)


class TenantLedger(LedgerBase):
    """A ledger belongs to one organisation, or to those that the setting `organisations` names, each with rows of its own."""

    former_name = ""
    """What the organisation was called when it was pinned, where that is another name."""

    def pin(self, connection: Connection, tenant: Tenant, now: datetime, organisation: str) -> None:
        """Keeps what the organisation is at the first connection, and checks it at every other.

        Args:
            connection: inside the transaction that begins the run.
            tenant: as GET /Organisation tells.
            now: Xero's clock.
            organisation: its name in the setting `organisations`; empty where there is one alone.

        Raises:
            WrongOrganisationError: it is not the one that was pinned.
        """
        pinned = {
            row.id: Tenant(row.id, row.name, row.base_currency, bool(row.is_demo))
            for row in _PINNED.rows(connection, {})
        }
        if organisation:
            self._check_name(connection, organisation, tenant, pinned)
        elif len(pinned) > 1:
            names = ", ".join(sorted(f"{known.name!r}" for known in pinned.values()))
            raise WrongOrganisationError(
                f"The ledger {self.name} belongs to several Xero organisations ({names}), but the setting organisations names "
                "none. Nothing was written. Set organisations as it was, or give this run a ledger of its own (setting ledger_path)."
            )
        known = pinned.get(tenant.id) if organisation else next(iter(pinned.values()), None)
        if known is not None:
            self._check_tenant(known, tenant)
            self.former_name = known.name if known.name != tenant.name else ""
            return
        _PIN.change(
            connection,
            {
                "id": tenant.id,
                "name": tenant.name,
                "base_currency": tenant.base_currency,
                "is_demo": int(tenant.is_demo),
                "pinned_ms": milliseconds(now),
            },
        )

    def _check_name(
        self, connection: Connection, organisation: str, tenant: Tenant, pinned: dict[str, Tenant]
    ) -> None:
        """Two organisations whose ids were exchanged by mistake would each get the other's invoices."""
        meta, key = schema.meta, f"organisation {organisation}"
        known = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
        if known is None:
            connection.execute(insert(meta).values(key=key, value=tenant.id))
        elif known != tenant.id:
            was = pinned[known].name if known in pinned else known
            raise WrongOrganisationError(
                f"Setting organisations: {organisation!r} was the Xero organisation {was!r} ({known}) in this ledger, but the "
                f"access now leads to {tenant.name!r} ({tenant.id}). Nothing was written. Correct its tenant_id or credentials, "
                "or give a new organisation a new name."
            )

    def _check_tenant(self, pinned: Tenant, found: Tenant) -> None:
        differences = [
            f"{label} {was!r}, now {now!r}"
            for label, was, now in (
                ("organisation id", pinned.id, found.id),
                ("base currency", pinned.base_currency, found.base_currency),
                ("demo company", pinned.is_demo, found.is_demo),
            )
            if was != now
        ]
        if differences:
            raise WrongOrganisationError(
                f"The ledger {self.name} belongs to the Xero organisation {pinned.name!r}, but the access leads to "
                f"{found.name!r} ({'; '.join(differences)}). Nothing was written. Use the right credentials, or give this "
                "organisation a ledger of its own (setting ledger_path)."
            )

    def holders(self, kind: str, keys: Iterable[str]) -> dict[str, dict[str, bool]]:
        """Which organisations know these documents: by key, the tenants, each with whether it may be in Xero there."""
        wanted = list(keys)
        found: dict[str, dict[str, bool]] = {}
        with self.reading() as connection:
            for key, tenant, state in self.rows(connection, _OPEN, wanted, kind=kind):
                there = found.setdefault(key, {})
                there[tenant] = there.get(tenant, False) or state not in _WITHOUT_EFFECT
            for key, tenant in self.rows(connection, _LINKED, wanted, kind=kind):
                found.setdefault(key, {})[tenant] = True
        return found
