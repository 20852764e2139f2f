"""Routes of `/api.xro/2.0/`: finds the resource, checks the scope, and hands the request to reading or writing."""

from __future__ import annotations

from collections.abc import Mapping

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, read, write
from ikaroa_sandbox.xero.resource import Context, Resource
from ikaroa_sandbox.xero.store import Row


class AccountingApi:
    """One organisation's accounting API behind its gateway."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self.resources = resources
        self._by_segment = {name.lower(): resource for name, resource in resources.items()}
        if "organisation" not in self._by_segment and "organisations" in self._by_segment:
            self._by_segment["organisation"] = self._by_segment["organisations"]

    def route(self, parts: list[str]) -> Resource:
        """The resource that the first part of the path names.

        Raises:
            NotSimulated: there is none of that name here.
        """
        resource = self._by_segment.get(parts[0].lower()) if parts else None
        if resource is None:
            raise errors.NotSimulated(f"the end point /api.xro/2.0/{'/'.join(parts)}")
        return resource

    def answer(self, request: Request, parts: list[str], resource: Resource, ctx: Context) -> Response:
        """Answers a request whose token, tenant, limits and scope are in order."""
        method = request.method
        if len(parts) == 1:
            self._allow(method, resource.verbs, resource, "")
            if method == "GET":
                return read.many(request, resource, ctx)
            return write.many(request, resource, ctx)
        row = resource.find(parts[1])
        if len(parts) > 2:
            return self._child(request, parts, resource, row, ctx)
        self._allow(method, resource.one_verbs, resource, "/{id}")
        if row is None:
            raise errors.NotFound(f"no {resource.type_name} {parts[1]!r}")
        if method == "GET":
            return read.one(row, resource, ctx)
        if method == "DELETE":
            resource.delete(row, ctx)
            return Response(204)
        ctx.target = row
        return write.one(request, resource, ctx)

    @staticmethod
    def _child(
        request: Request, parts: list[str], resource: Resource, row: Row | None, ctx: Context
    ) -> Response:
        children = {name.lower(): child for name, child in resource.children.items()}
        child = children.get(parts[2].lower())
        if child is None:
            raise errors.NotSimulated(f"the end point /api.xro/2.0/{resource.name}/{{id}}/{parts[2]}")
        if row is None:
            raise errors.NotFound(f"no {resource.type_name} {parts[1]!r}")
        return child(ctx, row, request, parts[3:])

    @staticmethod
    def _allow(method: str, verbs: frozenset[str], resource: Resource, tail: str) -> None:
        if method not in verbs:
            raise errors.NotSimulated(f"{method} /api.xro/2.0/{resource.name}{tail}")
