"""The Xero half as the sandbox's core sees it: routes, resets, seeds, edits, dumps, copies."""

from __future__ import annotations

import random
from typing import Any

from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Request, Response, World
from ikaroa_sandbox.xero import edits, errors, organisation, registry, seeding, wire
from ikaroa_sandbox.xero.api import AccountingApi
from ikaroa_sandbox.xero.dumping import dumped
from ikaroa_sandbox.xero.gateway import Gateway
from ikaroa_sandbox.xero.identity import Identity
from ikaroa_sandbox.xero.store import Store
from ikaroa_sandbox.xero.tenant import Tenant

_PREFIXES = ("/api.xro/", "/connect/", "/connections", "/Connections", "/identity/")


class XeroBackend:
    """Xero: an identity server, a gateway and one organisation (more can be added by hand: `add_organisation`)."""

    name = "xero"

    def __init__(self, world: World) -> None:
        self.world = world
        self._chance = random.Random(world.random.getrandbits(64))  # noqa: S311 - must repeat
        self.tenants: dict[str, Tenant] = {}
        self.identity = Identity(world, self._chance, self.tenants)
        self.gateway = Gateway(world, self.identity)
        self.reset()

    def owns(self, request: Request) -> bool:
        """Whether the path is one of Xero's."""
        return request.path.startswith(_PREFIXES)

    # -- requests ------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answers one request; every answer has a `Xero-Correlation-Id`."""
        try:
            response = self._dispatch(request)
        except errors.WireError as refusal:
            response = refusal.response()
        except errors.TokenError as refusal:
            response = Response(400, {"Content-Type": wire.JSON_UTF8}, wire.dumps(refusal.content()))
        return self._finished(response)

    def _finished(self, response: Response) -> Response:
        response.headers["Xero-Correlation-Id"] = wire.new_guid(self._chance)
        return response

    def _dispatch(self, request: Request) -> Response:
        parts = request.segments
        if parts[:2] == ["api.xro", "2.0"]:
            return self.gateway.handle(request, parts[2:])
        if parts and parts[0].lower() == "connections":
            return self.identity.connections(request, parts[1:])
        end_point = request.method, "/".join(parts[1:] if parts[0] == "identity" else parts)
        answers = {
            ("POST", "connect/token"): self.identity.token,
            ("POST", "connect/revocation"): self.identity.revocation,
            ("GET", "connect/authorize"): self.identity.authorize,
        }
        if end_point not in answers:
            raise errors.NotSimulated(f"{request.method} {request.path}")
        return answers[end_point](request)

    def fault(self, kind: str, request: Request) -> Response | None:
        """Xero's own answer for a named fault; None for one it does not know."""
        response = self.gateway.fault(kind, self.tenant)
        if response is None:
            return None
        if kind == "500":
            self.gateway.keep_failure(credentials.XERO_CLIENT_ID, request, response)
        return self._finished(response)

    def expire_tokens(self) -> None:
        """Every access token given out so far is worthless."""
        self.identity.tokens.expire(self.world.clock.now())

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def tenant(self) -> Tenant:
        """The first organisation: the one that custom connections speak for."""
        return next(iter(self.tenants.values()))

    def reset(self) -> None:
        """One organisation with its settings and no records."""
        self.tenants.clear()
        self.add_organisation(organisation.TENANT_ID, organisation.NAME)
        self.identity.reset()
        self.gateway.reset()

    def add_organisation(self, tenant_id: str, name: str) -> Tenant:
        """Signs up another organisation and connects it."""
        store = Store(self.world.clock, self.world.variants, self._chance)
        resources = registry.resources(store)
        organisation.set_up(store, tenant_id, name)
        now = self.world.clock.now()
        tenant = Tenant(tenant_id, store.guid(), store, AccountingApi(resources), now, now, store.guid())
        self.tenants[tenant_id] = tenant
        return tenant

    def seed(self, seed: int, profile: str) -> dict[str, int]:
        """Fills the organisation with a business's life so far; returns how many of each kind."""
        self._chance.seed(f"xero {seed}")
        self.reset()
        if profile != "empty":
            seeding.fill(self.tenant, self._chance, profile)
        store = self.tenant.store
        return {name: len(table) for name, table in store.tables.items() if len(table)}

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person's hand: `{"action": …, …}`, in the first organisation unless `tenant_id` names another.

        Raises:
            ValueError: it cannot be done, and why.
        """
        return edits.carry_out(self, command)

    def dump(self) -> dict[str, Any]:
        """The first organisation's whole state; further ones under `OtherOrganisations` by tenant id."""
        first, *others = self.tenants.values()
        content = dumped(first)
        if others:
            content["OtherOrganisations"] = {tenant.id: dumped(tenant) for tenant in others}
        return content

    def save(self) -> object:
        """A copy of everything: rows by reference, since a stored row never changes."""
        return {
            "tenants": {tenant_id: tenant.save() for tenant_id, tenant in self.tenants.items()},
            "identity": self.identity.save(),
            "gateway": self.gateway.save(),
        }

    def restore(self, saved: object) -> None:
        """Puts a copy from `save` back."""
        assert isinstance(saved, dict)  # noqa: S101 - what `save` gave
        known = dict(self.tenants)
        self.tenants.clear()
        for tenant_id, content in saved["tenants"].items():
            tenant = known.get(tenant_id) or self.add_organisation(tenant_id, organisation.NAME)
            tenant.restore(content)
            self.tenants[tenant_id] = tenant
        self.identity.restore(saved["identity"])
        self.gateway.restore(saved["gateway"])
