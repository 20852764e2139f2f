"""The accounting API's gate: token, tenant, limits, size, scope, idempotency, then the API itself.

Limits are checked before idempotency: a replay costs a call like any other.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Request, Response, World
from ikaroa_sandbox.xero import errors, limits, params, scopes
from ikaroa_sandbox.xero.idempotency import IdempotencyKeys, Kept
from ikaroa_sandbox.xero.identity import Identity
from ikaroa_sandbox.xero.resource import Context, Resource
from ikaroa_sandbox.xero.store import Store
from ikaroa_sandbox.xero.tenant import Tenant
from ikaroa_sandbox.xero.throttle import Gate, Window
from ikaroa_sandbox.xero.tokens import AccessToken


class Gateway:
    """`/api.xro/2.0/…` for every tenant."""

    def __init__(self, world: World, identity: Identity) -> None:
        self._world, self._identity = world, identity
        self.gate = Gate()
        self.keys = IdempotencyKeys()

    def reset(self) -> None:
        """No call counted, no key kept."""
        self.gate, self.keys = Gate(), IdempotencyKeys()

    def save(self) -> tuple[Window, dict[tuple[str, str], Kept]]:
        """A copy for `restore`."""
        return self.gate.app.copy(), self.keys.save()

    def restore(self, saved: tuple[Window, dict[tuple[str, str], Kept]]) -> None:
        """Puts a copy back."""
        self.gate.app = saved[0].copy()
        self.keys.restore(saved[1])

    def handle(self, request: Request, parts: list[str]) -> Response:
        """Answers a request to the accounting API; `parts` is the path after `/api.xro/2.0`.

        Raises:
            WireError: token or tenant are not in order.
        """
        token = self._identity.access(request)
        tenant = self._identity.tenant(request, token)
        now = self._world.clock.now()
        count_refused = self._world.variants["xero.limits.refused_counts"] == "counted"
        try:
            self.gate.admit(tenant.throttle, request.in_flight, now, count_refused=count_refused)
            response = self._admitted(request, parts, token, tenant)
        except errors.WireError as refusal:
            response = refusal.response()
        response.headers.update(self.gate.headers(tenant.throttle, now))
        return response

    def _admitted(self, request: Request, parts: list[str], token: AccessToken, tenant: Tenant) -> Response:
        if len(request.query) > limits.QUERY_CHARACTERS:
            return Response(
                int(self._world.variants["xero.read.query_too_long"]), {"Content-Type": "text/html"}
            )
        if len(request.body) > limits.BODY_BYTES and not _is_attachment(parts):
            return Response(
                int(self._world.variants["xero.limits.body_status"]), {"Content-Type": "text/html"}
            )
        if not (_is_attachment(parts) and request.method == "GET"):  # whose content is of any type
            _speaks_json(request)
        resource = tenant.api.route(parts)
        self._check_scope(request, parts, resource, token, tenant.store)
        key = self.keys.key_of(request)
        if key is None:
            return self._run(request, parts, resource, token, tenant)
        now, app = self._world.clock.now(), token.grant.app
        parallel_runs = self._world.variants["xero.idempotency.parallel"] == "runs"
        kept = self.keys.replay(app, key, request, now, parallel_runs=parallel_runs)
        if kept is not None:
            return kept
        try:
            response = self._run(request, parts, resource, token, tenant)
        except errors.WireError as refusal:
            response = refusal.response()
        self.keys.keep(app, key, request, response, now)
        return response

    @staticmethod
    def _run(
        request: Request, parts: list[str], resource: Resource, token: AccessToken, tenant: Tenant
    ) -> Response:
        """Hands the request to the API: all of its changes stay, or those that a refusal lets stay, or none."""
        store = tenant.store
        ctx = Context(store, token.grant.app, params.read(request), high_volume=tenant.throttle.high_volume)
        store.begin()
        start = store.mark()
        try:
            response = tenant.api.answer(request, parts, resource, ctx)
        except errors.ValidationFailed as refusal:  # has already undone what it undoes
            response = refusal.response()
        except Exception:
            store.rollback(start)
            raise
        response.effects = store.effects()
        return response

    def _check_scope(
        self, request: Request, parts: list[str], resource: Resource, token: AccessToken, store: Store
    ) -> None:
        write = request.method != "GET"
        needed = resource.scopes(write=write)
        if _is_attachment(parts):  # files have a scope of their own, whatever they belong to
            needed = scopes.ATTACHMENTS if write else scopes.ATTACHMENTS + scopes.reading(scopes.ATTACHMENTS)
        if not set(needed).intersection(token.grant.scopes):
            spelled = self._world.variants["xero.token.missing_scope"]
            raise errors.Unauthorised(
                "AuthorizationUnsuccessful", store.guid(), {"WWW-Authenticate": spelled}
            )

    def fault(self, kind: str, tenant: Tenant) -> Response | None:
        """A named fault's answer in Xero's own shape; None for one that is not Xero's."""
        now = self._world.clock.now()
        throttle, at = tenant.throttle, now.timestamp()
        waits = {
            "429_minute": throttle.minute.resets_in(at),
            "429_day": throttle.day.resets_in(at),
            "429_appminute": self.gate.app.resets_in(at),
            "429_concurrent": None,
        }
        error: errors.WireError
        if kind in waits:
            error = errors.RateLimited(kind.partition("_")[2], waits[kind])
        elif kind == "500":
            error = errors.UnknownError()
        elif kind in _OUTAGES:
            return Response(_OUTAGES[kind][0], {"Content-Type": "text/plain"}, _OUTAGES[kind][1])
        elif kind == "401_expired":
            error = errors.Unauthorised(
                f"TokenExpired: token expired at {now:%m/%d/%Y %H:%M:%S}", tenant.store.guid()
            )
        elif kind == "401_scope":
            spelled = self._world.variants["xero.token.missing_scope"]
            error = errors.Unauthorised(
                "AuthorizationUnsuccessful", tenant.store.guid(), {"WWW-Authenticate": spelled}
            )
        elif kind == "403_tenant":
            error = errors.Forbidden("AuthenticationUnsuccessful", tenant.store.guid())
        else:
            return None
        response = error.response()
        response.headers.update(self.gate.headers(throttle, now))
        if kind == "429_minute":
            response.headers["X-MinLimit-Remaining"] = "0"
        if kind == "429_day":
            response.headers["X-DayLimit-Remaining"] = "0"
        return response

    def keep_failure(self, app: str, request: Request, response: Response) -> None:
        """Keeps an internal error under the key of the request that met it."""
        key = self.keys.key_of(request)
        if key is not None:
            self.keys.keep(app, key, request, response, self._world.clock.now())


_OUTAGES = {
    "502": (502, b"Bad Gateway"),
    "503": (503, b"The Xero API is temporarily unavailable"),
    "503_maintenance": (503, b"The Xero API is currently offline for maintenance"),
    "503_organisation": (503, b"The Organisation is offline"),
    "504": (504, b"Gateway Timeout"),
}


def _is_attachment(parts: list[str]) -> bool:
    """Whether a path is about the files of a record."""
    return len(parts) > 2 and parts[2].lower() == "attachments"


def _speaks_json(request: Request) -> None:
    accept = request.headers.get("Accept", "").lower()
    if accept and not any(kind in accept for kind in ("json", "*/*", "application/*")):
        raise errors.NotSimulated(f"answers of type {accept}; send Accept: application/json")
