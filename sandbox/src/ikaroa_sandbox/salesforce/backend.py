"""The Salesforce half of the sandbox: routes requests, checks session and limits, and is the org's outside hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ikaroa_sandbox.core import Request, Response, World
from ikaroa_sandbox.salesforce import edits, errors, faults, identity, limits, setup, urls, wire
from ikaroa_sandbox.salesforce.bulk import classic, work
from ikaroa_sandbox.salesforce.bulk import faults as bulk_faults
from ikaroa_sandbox.salesforce.dump import dump_state
from ikaroa_sandbox.salesforce.events import capture
from ikaroa_sandbox.salesforce.oauth import Issuer, form_of
from ikaroa_sandbox.salesforce.rest import composite, meta
from ikaroa_sandbox.salesforce.rest.call import METHOD_OVERRIDE, Call
from ikaroa_sandbox.salesforce.seeding import build
from ikaroa_sandbox.salesforce.state import Saved, State

_VERSION = re.compile(r"v(\d+)\.0\Z")


class SalesforceBackend:
    """One simulated org behind its REST API. Does no I/O and reads no clock but the world's."""

    name = "salesforce"
    spoils = bulk_faults.KINDS

    state: State

    def __init__(self, world: World, saved: object | None = None) -> None:
        """`saved` is a copy from `save` to begin with; without one the org is as after signing up."""
        self.world = world
        self.on_events: Callable[[], None] | None = None
        """Told when there are new change events, or when the org is another one."""
        if saved is None:
            self.reset()
        else:
            self.restore(saved)

    def owns(self, request: Request) -> bool:
        """Whether the path is one of Salesforce's."""
        return request.path == "/services" or request.path.startswith(("/services/", "/id/"))

    def handle(self, request: Request) -> Response:
        """Answers one request."""
        told = self.state.jobs.transactions
        try:
            work.advance(self.state)
            response = self._answer(request)
        except errors.WireError as error:
            response = error.response()
        if told != self.state.jobs.transactions:
            self._tell()
        response.effects += _once_each(self.state.context.take_effects())
        self._publish(_origin(request))
        if self._is_api(request) and response.status != 401:
            response.headers["Sforce-Limit-Info"] = self.state.usage.header
        return response

    def _is_api(self, request: Request) -> bool:
        return request.path.startswith("/services/data/v")

    def _answer(self, request: Request) -> Response:
        self._check_size(request)
        parts = request.segments
        if parts[:2] == ["services", "oauth2"]:
            return self._oauth(request, parts[2:])
        if parts[:1] == ["id"]:
            return identity.answer(self.state, request, parts[1:])
        if parts[:2] == ["services", "async"] and len(parts) > 2:
            return classic.handle(self.state, request, parts[2], tuple(parts[3:]))
        if parts[:2] == ["services", "Soap"]:
            return faults.soap_refusal(parts[3] if len(parts) > 3 else "")
        if parts == ["services", "data"] and request.method in {"GET", "HEAD"}:
            return meta.versions()
        if parts[:2] == ["services", "data"] and len(parts) > 2:
            return self._api(request, parts[2], tuple(parts[3:]))
        raise errors.NotSimulatedError(f"{request.method} {request.path}")

    def _check_size(self, request: Request) -> None:
        line = len(request.path) + len(request.query) + 1
        if line > limits.URI_AND_HEADERS_BYTES_MAX:
            raise errors.ResourceError("URI_TOO_LONG", "URI Too Long", status=414)
        headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        if line + headers > limits.URI_AND_HEADERS_BYTES_MAX:
            text = "Request Header Fields Too Large"
            raise errors.ResourceError("REQUEST_HEADER_FIELDS_TOO_LARGE", text, status=431)

    def _oauth(self, request: Request, parts: list[str]) -> Response:
        now = self.world.clock.now()
        state = self.state
        if parts == ["token"]:
            issuer = Issuer(state.tokens, state.org_id, state.context.user_id, now)
            return wire.json_response(
                issuer.answer(request, request.base_url), headers={"Cache-Control": "no-store"}
            )
        if parts == ["authorize"] and request.method == "GET":
            return state.tokens.app.authorize(request, state.tokens.code(), now)
        if parts == ["revoke"] and request.method in {"GET", "POST"}:
            state.tokens.revoke(form_of(request).get("token", ""))
            return wire.empty_response(200)
        if parts == ["userinfo"]:
            state.tokens.check(request, now)
            return wire.json_response(identity.user_info(state, request.base_url))
        raise errors.NotSimulatedError(f"{request.method} {request.path}")

    def _api(self, request: Request, version: str, parts: tuple[str, ...]) -> Response:
        found = _VERSION.match(version)
        if found is None:
            raise errors.not_found()
        number = int(found[1])
        if number < limits.API_VERSION_OLDEST:
            text = "The requested resource is no longer available"
            raise errors.ResourceError("GONE", text, status=410)
        self.state.tokens.check(request, self.world.clock.now())
        self.state.usage.spend(self.world.clock.now())
        return self._dispatch(Call(self.state, request, number, parts))

    def _dispatch(self, call: Call) -> Response:
        if call.parts[:1] != ("jobs",):  # which speak CSV too and look after themselves
            self._check_media(call.request)
        if call.parts in {("composite",), ("composite", "batch")} and not call.nested:
            if call.request.method != "POST":
                raise errors.method_not_allowed(call.request.method, ["POST"])
            run = composite.composite if call.parts == ("composite",) else composite.batch
            return run(call, lambda request: self._inner(request, counted=call.parts != ("composite",)))
        route = urls.find(call.parts)
        if route is None:
            raise errors.NotSimulatedError(f"{call.request.method} {call.request.path}")
        method = "GET" if call.request.method == "HEAD" else call.request.method
        override = dict(call.request.params()).get(METHOD_OVERRIDE) if method == "POST" else None
        handler = route.handlers.get(override or method)
        if handler is None:
            raise errors.method_not_allowed(call.request.method, list(route.handlers))
        return handler(call)

    def _check_media(self, request: Request) -> None:
        accept = request.headers.get("Accept", "*/*").lower()
        if not any(kind in accept for kind in ("json", "*/*", "application/*")):
            raise errors.NotSimulatedError(f"the Accept header {accept!r}: only JSON is spoken here")
        content = request.headers.get("Content-Type", "application/json").lower()
        if request.body and not content.startswith("application/json"):
            text = f"Content-Type header specified in HTTP request is not supported: {content}"
            raise errors.ResourceError("UNSUPPORTED_MEDIA_TYPE", text, status=415)

    def _inner(self, request: Request, *, counted: bool) -> Response:
        """One request inside a composite one. In a batch each counts against the limits, in `composite` none does."""
        parts = request.segments
        found = _VERSION.match(parts[2]) if len(parts) > 2 else None
        try:
            if found is None:
                raise errors.not_found()
            if counted:
                self.state.usage.spend(self.world.clock.now())
            response = self._dispatch(Call(self.state, request, int(found[1]), tuple(parts[3:]), nested=True))
        except errors.WireError as error:
            response = error.response()
        return response

    def fault(self, kind: str, request: Request) -> Response | None:  # noqa: ARG002  the same for every request
        """Salesforce's own answer for a named fault, None for one that is not Salesforce's."""
        return faults.response(kind)

    def spoil(self, kind: str, request: Request, answer: Response, seconds: float | None) -> Response:
        """The right answer gone wrong in one of the ways of `spoils`."""
        return bulk_faults.spoil(self.state, kind, request, answer, seconds)

    def expire_tokens(self) -> None:
        """Ends every session."""
        self.state.tokens.sessions.clear()

    def reset(self) -> None:
        """The org as after signing up."""
        self.state = State.new(self.world)
        setup.sign_up(self.state)
        self.state.capture(self.state.events.settings.entities)
        self._tell()

    def _publish(self, origin: str) -> None:
        """Makes change events of what was just committed."""
        if capture.drain(self.state, origin):
            self._tell()

    def _tell(self) -> None:
        if self.on_events is not None:
            self.on_events()

    def seed(self, seed: int, profile: str) -> dict[str, int]:
        """Fills the org: `default`, `messy` or `empty`. Returns how many records of each object there are."""
        self.reset()
        entities = self.state.events.settings.entities
        self.state.capture(())  # what the org held before anybody looked is no change
        build.build(self.state, seed, profile)
        self.state.capture(entities)
        return setup.counts(self.state)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person's hand in the org. Raises ValueError with a sentence when it cannot be done."""
        work.advance(self.state)
        try:
            return edits.apply(self.state, command)
        finally:
            self._publish("")

    def dump(self) -> dict[str, Any]:
        """Every row of every object, deleted ones flagged."""
        work.advance(self.state)
        return dump_state(self.state)

    def save(self) -> object:
        """A copy for `restore`."""
        return self.state.save()

    def restore(self, saved: object) -> None:
        """Back to a copy from `save`."""
        copy: Saved = saved  # type: ignore[assignment]
        self.state = State.restored(self.world, copy)
        self._tell()


def _origin(request: Request) -> str:
    """The `changeOrigin` of what a request has changed."""
    if request.method in {"GET", "HEAD"}:
        return ""
    found = next((_VERSION.match(part) for part in request.segments[2:3]), None)
    return capture.origin_of(request, int(found[1])) if found else ""


def _once_each(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A record that one request changes several times is told once, with what happened to it first."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for effect in effects:
        key = (effect["object"], effect["id"])
        if effect["action"] == "delete" or key not in first:
            first[key] = effect
    return list(first.values())
