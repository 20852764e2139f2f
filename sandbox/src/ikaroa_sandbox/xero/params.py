"""Query parameters: known ones are honoured, unknown ones answer 501 by name, so that a misspelt filter cannot pass."""

from __future__ import annotations

from ikaroa_sandbox.core import Request
from ikaroa_sandbox.xero import errors
from ikaroa_sandbox.xero.resource import Context, Resource

_ANY_READ = frozenset(
    {"where", "order", "page", "pagesize", "unitdp", "if-modified-since", "ifmodifiedsince"}
)
"""Known on every list. Where a family does not page, `page` is ignored as Xero ignores it; `If-Modified-Since` is a header only."""
_ANY_WRITE = frozenset({"summarizeerrors", "unitdp"})


def read(request: Request) -> dict[str, str]:
    """The parameters by lower-case name (Xero's names compare without case); the last of several wins."""
    return {name.lower(): value for name, value in request.params()} if request.query else {}


def check_read(resource: Resource, ctx: Context) -> None:
    """Raises NotSimulated for a parameter that GET of this family, of a list or of one record, does not know."""
    _check(resource, ctx, _ANY_READ | resource.query_params | resource.list_params.keys(), "GET")


def check_write(resource: Resource, ctx: Context) -> None:
    """The same for PUT and POST."""
    _check(resource, ctx, _ANY_WRITE | resource.write_params, "PUT and POST")


def flag(ctx: Context, name: str) -> bool:
    """A boolean parameter, `true` in any case."""
    return ctx.params.get(name, "").lower() == "true"


def _check(resource: Resource, ctx: Context, known: frozenset[str] | set[str], verbs: str) -> None:
    for name in ctx.params:
        if name not in known:
            raise errors.NotSimulated(f"the query parameter {name!r} of {verbs} {resource.name}")
