"""Tracking categories and their options: `/TrackingCategories`, `/TrackingCategories/{id}/Options`."""

# ruff: noqa: ARG002 - one signature for every family

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, limits, reading, scopes, write
from ikaroa_sandbox.xero.folding import fold
from ikaroa_sandbox.xero.params import flag
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store


class TrackingCategories(Resource):
    """`/TrackingCategories`: at most two of them are active."""

    name, id_field, type_name = "TrackingCategories", "TrackingCategoryID", "TrackingCategory"
    read_scopes, write_scopes = scopes.reading(scopes.SETTINGS), scopes.SETTINGS
    paging = "none"
    query_params = frozenset({"includearchived"})
    verbs: ClassVar[frozenset[str]] = frozenset({"GET", "PUT"})
    one_verbs: ClassVar[frozenset[str]] = frozenset({"GET", "POST"})
    batch = False
    error_flag = "HasValidationErrors"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.children["Options"] = self._options
        self.fields = {
            "TrackingCategoryID": stored("TrackingCategoryID", "guid"),
            **{name: stored(name) for name in ("Name", "Status")},
        }

    def visible(self, rows: Iterable[Row], ctx: Context) -> Iterable[Row]:
        """Archived ones only with `includeArchived=true`."""
        return rows if flag(ctx, "includearchived") else (row for row in rows if row["Status"] == "ACTIVE")

    def sort_key(self, row: Row) -> Any:
        """By name."""
        return row["Name"]

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Creates a category (PUT) or renames, archives one (POST with its id in the path)."""
        name = reading.read_text(element.get("Name"))
        row, problems = ctx.target, list[str]()
        others = [
            other for other in self.table.rows() if row is None or other[self.id_field] != row[self.id_field]
        ]
        active = [other for other in others if other["Status"] == "ACTIVE"]
        if row is None and not name:
            problems.append("Name is a mandatory field")
        if name and any(fold(other["Name"]) == fold(name) for other in active):
            problems.append("Please enter a unique Name.")
        if row is None and len(active) >= limits.TRACKING_CATEGORIES:
            problems.append("Maximum number of active tracking categories has been reached")
        if problems:
            raise errors.ElementInvalid(problems, dict(element))
        changed: Row = {"Name": name} if name else {}
        status = reading.read_text(element.get("Status"))
        if status:
            changed["Status"] = status.upper()
        row = row or {self.id_field: None, "Status": "ACTIVE", "Options": []}
        return self.present(self.table.put({**row, **changed}), "write", ctx)

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The category with its options."""
        return {
            "Name": row["Name"],
            "Status": row["Status"],
            "TrackingCategoryID": row["TrackingCategoryID"],
            "Options": [
                {
                    **option,
                    "HasValidationErrors": False,
                    "IsDeleted": False,
                    "IsArchived": option["Status"] != "ACTIVE",
                    "IsActive": option["Status"] == "ACTIVE",
                }
                for option in row["Options"]
            ],
        }

    def _options(self, ctx: Context, row: Row, request: Request, tail: list[str]) -> Response:
        """`PUT /TrackingCategories/{id}/Options`: adds options."""
        if request.method != "PUT" or tail:
            raise errors.NotSimulated(f"{request.method} of TrackingCategories/{{id}}/Options")
        ctx.target = row
        return write.many(request, _Options(self), ctx)


class _Options(Resource):
    """The options of the category that `ctx.target` is."""

    name, id_field, type_name = "Options", "TrackingOptionID", "TrackingOption"
    read_scopes, write_scopes = scopes.reading(scopes.SETTINGS), scopes.SETTINGS
    error_flag = "HasValidationErrors"

    def __init__(self, categories: TrackingCategories) -> None:
        self.store, self.table = categories.store, categories.table
        self.fields, self.children, self.edits = {}, {}, {}

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Adds one option."""
        name = reading.read_text(element.get("Name")) or ""
        category = ctx.target
        if category is None:
            raise errors.NotFound("no tracking category")
        problems = [] if name else ["Name is a mandatory field"]
        if len(name) > limits.TRACKING_OPTION:
            problems.append(f"The Name field must not be longer than {limits.TRACKING_OPTION} characters.")
        if len(category["Options"]) >= limits.TRACKING_OPTIONS:
            problems.append("Maximum number of tracking options has been reached")
        if any(fold(option["Name"]) == fold(name) for option in category["Options"]):
            problems.append("Please enter a unique Name.")
        if problems:
            raise errors.ElementInvalid(problems, {"Name": name})
        option = {"TrackingOptionID": self.store.guid(), "Name": name, "Status": "ACTIVE"}
        ctx.target = self.table.put({**category, "Options": [*category["Options"], option]})
        return self.present(option, "write", ctx)

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The option."""
        return {
            **row,
            "HasValidationErrors": False,
            "IsDeleted": False,
            "IsArchived": False,
            "IsActive": True,
        }
