"""GET: filters, order, paging and the five views, the same for every family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, limits, params, properties, reading, wire
from ikaroa_sandbox.xero.answers import envelope
from ikaroa_sandbox.xero.folding import fold
from ikaroa_sandbox.xero.resource import Context, Field, Resource, View
from ikaroa_sandbox.xero.store import Row
from ikaroa_sandbox.xero.where import Where, parse


def one(row: Row, resource: Resource, ctx: Context) -> Response:
    """`GET /{Name}/{key}`: a list of one."""
    params.check_read(resource, ctx)
    return envelope(resource, [resource.present(row, "single", ctx)], ctx)


def many(request: Request, resource: Resource, ctx: Context) -> Response:
    """`GET /{Name}` with everything that narrows and orders it.

    Raises:
        QueryParseError: `where` or `order` is not understood.
        BadRequest: too many rows for one answer.
    """
    params.check_read(resource, ctx)
    where = _where(resource, ctx)
    rows = _filtered(request, resource, ctx, where)
    ordered, order_optimised = _ordered(rows, resource, ctx)
    page, size = _page(resource, ctx)
    optimised = order_optimised and (where is None or where.optimised)
    if len(ordered) > ctx.high_volume and (page is None or not optimised):
        message = f"This request matches more than {ctx.high_volume} records: use paging, and filter and order by optimised fields"
        raise errors.BadRequest(message)
    summary = params.flag(ctx, "summaryonly") and "summaryonly" in resource.query_params
    if page is None:
        return envelope(resource, [resource.present(row, "list", ctx) for row in ordered], ctx)
    view: View = "summary" if summary else "page"
    shown = [resource.present(row, view, ctx) for row in ordered[(page - 1) * size : page * size]]
    if resource.paging != "full":
        return envelope(resource, shown, ctx)
    pages = -(-len(ordered) // size)
    block = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": len(ordered)}
    return envelope(resource, shown, ctx, pagination=block)


def _where(resource: Resource, ctx: Context) -> Where | None:
    text = ctx.params.get("where")
    if not text or not text.strip():
        return None
    return parse(
        text,
        _by_lower_name(resource),
        resource.type_name,
        missing_fails=ctx.variants["xero.where.missing_text"] == "error_500",
        folding=_folding(resource, ctx),
    )


def _folding(resource: Resource, ctx: Context) -> Callable[[str], str]:
    """What makes two texts the same: recorded for contact names, assumed for the rest."""
    if resource.name == "Contacts" or ctx.variants["xero.where.other_texts"] == "insensitive":
        return fold
    return str


def _by_lower_name(resource: Resource) -> Mapping[str, Field]:
    return {name.lower(): field for name, field in resource.fields.items()}


def _filtered(request: Request, resource: Resource, ctx: Context, where: Where | None) -> list[Row]:
    rows: Iterable[Row] = _by_ids(resource, ctx)
    tests: list[Callable[[Row], bool]] = []
    for name, field_name in resource.list_params.items():
        if ctx.params.get(name) and field_name != resource.id_field:
            tests.append(_in_list(resource.fields[field_name], ctx.params[name]))
    since = _modified_since(request, ctx)
    if since is not None:
        tests.append(since)
    if ctx.params.get("searchterm") and resource.search_fields:
        tests.append(_search(resource, ctx.params["searchterm"]))
    if params.flag(ctx, "createdbymyapp") and "createdbymyapp" in resource.query_params:
        tests.append(lambda row: row.get("CreatedByApp") == ctx.app)
    if where is not None:
        tests.append(where.matches)
    for test in tests:
        rows = filter(test, rows)
    return list(rows)


def _by_ids(resource: Resource, ctx: Context) -> Iterable[Row]:
    """The rows that `IDs` names, straight from the table; without it every row of the list."""
    name = next((name for name, field in resource.list_params.items() if field == resource.id_field), None)
    text = ctx.params.get(name) if name else None
    if not text:
        return resource.listed(ctx)
    wanted = {wire.guid(part.strip()) for part in text.split(",") if part.strip()}
    if None in wanted:
        raise errors.QueryParseError(
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
        )
    found = [row for row in (resource.table.get(guid) for guid in wanted) if row is not None]
    return resource.visible(found, ctx)


def _in_list(field: Field, text: str) -> Callable[[Row], bool]:
    if field.type == "guid":
        wanted = {wire.guid(part.strip()) for part in text.split(",")}
        return lambda row: field.get(row) in wanted
    folded = {fold(part.strip()) for part in text.split(",")}
    return lambda row: (value := field.get(row)) is not None and fold(str(value)) in folded


def _search(resource: Resource, term: str) -> Callable[[Row], bool]:
    folded, gets = fold(term), [resource.fields[name].get for name in resource.search_fields]
    return lambda row: any(folded in fold(str(value)) for get in gets if (value := get(row)) is not None)


def _modified_since(request: Request, ctx: Context) -> Callable[[Row], bool] | None:
    """The `If-Modified-Since` header as a test: ISO (with or without zone and fraction) or an HTTP date."""
    text = request.headers.get("If-Modified-Since", "").strip()
    if not text:
        return None
    try:
        since = reading.read_moment(text.replace(" ", "T", 1) if text[:1].isdigit() else text)
    except errors.PostDataInvalid:
        try:
            since = parsedate_to_datetime(text)
            since = since if since.tzinfo else since.replace(tzinfo=timezone.utc)
        except ValueError:
            raise errors.NotSimulated(
                f"the If-Modified-Since header {text!r}; send yyyy-mm-ddThh:mm:ss in UTC"
            ) from None
    if ctx.variants["xero.read.if_modified_since"] == "inclusive":
        return lambda row: row["UpdatedDateUTC"] >= since
    return lambda row: row["UpdatedDateUTC"] > since


def _ordered(rows: list[Row], resource: Resource, ctx: Context) -> tuple[list[Row], bool]:
    """Rows in the asked order, else in the family's own; and whether every field of the order is optimised."""
    rows.sort(key=resource.sort_key)
    text = ctx.params.get("order", "").strip()
    if not text:
        return rows, True
    fields, optimised = _by_lower_name(resource), True
    for part in reversed(text.split(",")):
        name, _, direction = part.strip().partition(" ")
        field = fields.get(name.lower())
        if field is None:
            if properties.exists(resource.type_name, name):
                raise errors.NotSimulated(f"an order by {name} of {resource.type_name}")
            raise errors.QueryParseError(
                f"No property or field '{name}' exists in type '{resource.type_name}'"
            )
        if direction.strip().lower() not in {"", "asc", "desc", "ascending", "descending"}:
            raise errors.QueryParseError("Syntax error")
        rows.sort(key=_sort_key(field), reverse=direction.strip().lower().startswith("desc"))
        optimised = optimised and (field.optimised or name.lower() == "updateddateutc")
    return rows, optimised


def _sort_key(field: Field) -> Callable[[Row], Any]:
    def key(row: Row) -> Any:
        value = field.get(row)
        if value is None:
            return (0,)
        return (1, fold(value) if field.type == "text" else value)

    return key


def _page(resource: Resource, ctx: Context) -> tuple[int | None, int]:
    """Which page (None: unpaged) and how many rows it has; `summaryOnly` and `pageSize` page by themselves."""
    if resource.paging == "none":
        return None, 0
    text, size_text = ctx.params.get("page"), ctx.params.get("pagesize")
    paged = bool(text) or bool(size_text) or params.flag(ctx, "summaryonly")
    if not paged:
        return None, 0
    page = _whole_number("page", text or "1")
    if resource.paging == "page" or not size_text:
        return page, limits.PAGE_SIZE
    return page, min(_whole_number("pageSize", size_text), limits.PAGE_SIZE_MAX)


def _whole_number(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise errors.NotSimulated(f"{name}={text}; it is a whole number from 1")
    return int(text)
