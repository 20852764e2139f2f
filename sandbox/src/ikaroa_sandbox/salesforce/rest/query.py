"""`query`, `queryAll` and the pages that follow."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, ids, limits, wire
from ikaroa_sandbox.salesforce.rest.call import Call
from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.soql.compile import Settings, compile_query
from ikaroa_sandbox.salesforce.soql.parser import parse
from ikaroa_sandbox.salesforce.soql.plan import Plan
from ikaroa_sandbox.salesforce.soql.run import Pager, refreshed, run
from ikaroa_sandbox.salesforce.store import deletion

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State


def settings_of(state: State, version: int, *, deleted_too: bool) -> Settings:
    """What a query is compiled for: a version, the user and the variants."""
    variants = state.world.variants
    return Settings(
        schema=state.org.visible,
        today=state.world.clock.now().date(),
        deleted_too=deleted_too,
        multi_currency=state.org.on("multi_currency"),
        scientific=variants["salesforce.wire.number_text"] == "scientific",
        unordered="DESC" if variants["salesforce.query.row_order"] == "descending" else "ASC",
        nulls_descending=variants["salesforce.query.nulls_descending"],
        version=version,
    )


def compiled(call: Call, text: str, tree: ast.Query, *, deleted_too: bool) -> Plan:
    """The plan of a query for this call's version, user and variants."""
    return compile_query(text, tree, settings_of(call.state, call.version, deleted_too=deleted_too))


@lru_cache(maxsize=limits.QUERIES_KEPT)
def _planned(text: str, settings: Settings) -> Plan:
    """The plan of a client's query, which nothing changes; a client asks the same ones again and again."""
    return compile_query(text, parse(text), settings)


def first_record(call: Call, tree: ast.Query) -> Any:
    """The JSON of the first record of a query that this package made itself."""
    plan = compiled(call, "", tree, deleted_too=True)
    return _pager(call, None).first(run(call.state.db, plan))["records"][0]


def query(call: Call) -> Response:
    """GET query: live rows."""
    return _answer(call, deleted_too=False)


def query_all(call: Call) -> Response:
    """GET queryAll: rows in the recycle bin too."""
    return _answer(call, deleted_too=True)


def _answer(call: Call, *, deleted_too: bool) -> Response:
    params = call.params("q")
    text = params.get("q")
    if text is None:
        raise errors.QueryError("MALFORMED_QUERY", "A query string has to be specified")
    deletion.empty_expired(call.state.context)
    plan = _planned(text, settings_of(call.state, call.version, deleted_too=deleted_too))
    rows = run(call.state.db, plan)
    return wire.json_response(_pager(call, None).first(rows))


def more(call: Call) -> Response:
    """GET query/<locator>-<n>: the page from row n on. A `q` that is sent again is ignored."""
    call.params("q")
    name, _, tail = call.parts[-1].rpartition("-")
    found = ids.normalise(name)
    state = call.state
    variants = state.world.variants
    locator = None
    if found is not None and tail.isdigit():
        locator = state.locators.get(found, int(tail), state.world.clock.now())
    if locator is None:
        status = int(variants["salesforce.query.invalid_locator"])
        raise errors.SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator", status=status)
    rows = locator.rows
    if variants["salesforce.query.later_pages"] == "as_now":
        rows = refreshed(state.db, rows)
    return wire.json_response(_pager(call, locator.batch).page(rows, int(tail), found))


def _pager(call: Call, batch: int | None) -> Pager:
    wanted = call.batch_size()
    size = min(max(wanted, limits.BATCH_MIN), limits.BATCH_MAX) if wanted else batch or limits.BATCH_MAX
    state = call.state
    whole = state.world.variants["salesforce.query.child_page"] == "whole_batch"
    child_page = limits.BATCH_MAX if whole else limits.CHILD_PAGE_ROWS
    return Pager(state.locators, call.base, state.world.clock.now(), size, child_page)
