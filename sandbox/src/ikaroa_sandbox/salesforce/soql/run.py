"""Runs plans and hands their rows out in pages.

A page holds `batchSize` rows, child rows counted; a child set longer than its share is continued under a locator of
its own. A locator lives two days and keeps the rows as they were when the query ran.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ikaroa_sandbox.salesforce import ids, limits
from ikaroa_sandbox.salesforce.soql.plan import PageContext, Plan, SqlRow
from ikaroa_sandbox.salesforce.store.database import Database
from ikaroa_sandbox.salesforce.wire import JsonText


@dataclass
class ChildRows:
    """The rows of one sub-query, by parent id."""

    plan: Plan
    by_parent: dict[str, list[SqlRow]]
    sets: list[ChildRows]


@dataclass
class Rows:
    """The rows of a query, or of one parent's child set."""

    plan: Plan
    rows: list[SqlRow]
    sets: list[ChildRows]
    parents: list[str] | None = None
    """Of a child set: its parent's id."""


@dataclass
class Locator:
    """An open result: its rows, its page size, and until when it lives."""

    rows: Rows
    batch: int
    expires: datetime


def run(database: Database, plan: Plan) -> Rows:
    """All rows of a plan, child sets included."""
    database.load_rates()
    rows = database.query(plan.sql, plan.params)
    return Rows(plan, rows, _children(database, plan, rows))


def refreshed(database: Database, rows: Rows) -> Rows:
    """The same rows as they are now; what is no longer found stays as it was."""
    if rows.plan.kind != "rows":
        return rows
    database.load_rates()
    if rows.parents is None:
        now = database.query(rows.plan.sql, rows.plan.params)
    else:
        now = database.query(rows.plan.sql, [json.dumps(rows.parents), *rows.plan.params])
    by_id = {row[0]: row for row in now}
    return Rows(rows.plan, [by_id.get(row[0], row) for row in rows.rows], rows.sets, rows.parents)


def _children(database: Database, plan: Plan, rows: list[SqlRow]) -> list[ChildRows]:
    if not plan.children:
        return []
    parents = json.dumps([row[0] for row in rows])
    sets = []
    for child in plan.children:
        found = database.query(child.plan.sql, [parents, *child.plan.params])
        by_parent: dict[str, list[SqlRow]] = {}
        for row in found:
            by_parent.setdefault(row[-1], []).append(row)
        sets.append(ChildRows(child.plan, by_parent, _children(database, child.plan, found)))
    return sets


@dataclass
class Locators:
    """The open results of an org."""

    open: dict[str, Locator] = field(default_factory=dict)
    made: int = 0

    def add(self, rows: Rows, batch: int, now: datetime) -> str:
        """Opens a result; returns its id."""
        name = ids.make("01g", self.made)
        self.made += 1
        self.open[name] = Locator(rows, batch, now + timedelta(seconds=limits.LOCATOR_SECONDS))
        while len(self.open) > limits.LOCATORS_KEPT_MAX:
            del self.open[next(iter(self.open))]
        return name

    def get(self, name: str, position: int, now: datetime) -> Locator | None:
        """The open result of a locator, None when there is none (any more)."""
        found = self.open.get(name)
        if found is None or found.expires <= now or not 0 <= position <= len(found.rows.rows):
            return None
        return found


@dataclass
class Pager:
    """Turns rows into the pages of one request."""

    locators: Locators
    base: str
    now: datetime
    batch: int
    """Rows of a page, child rows counted."""
    child_page: int
    """Rows of a child set that come before it is continued under a locator."""

    def first(self, rows: Rows) -> dict[str, Any]:
        """The first page of a query."""
        if rows.plan.kind == "count":
            return {"totalSize": rows.rows[0][0], "done": True, "records": []}
        return self.page(rows, 0, None)

    def page(self, rows: Rows, start: int, name: str | None) -> dict[str, Any]:
        """The page that begins at row `start`; `name` is the result's locator, if it has one."""
        context = PageContext(self.base, lambda number, parent: self._child(rows.sets[number], parent))
        end = self._end(rows, start)
        body: dict[str, Any] = {"totalSize": len(rows.rows), "done": end >= len(rows.rows)}
        if not body["done"]:
            name = name or self.locators.add(rows, self.batch, self.now)
            body["nextRecordsUrl"] = f"{self.base}/query/{name}-{end}"
        body["records"] = [JsonText(rows.plan.render(row, context)) for row in rows.rows[start:end]]
        return body

    def _end(self, rows: Rows, start: int) -> int:
        if not rows.sets:
            return min(start + self.batch, len(rows.rows))
        used, end = 0, start
        while end < len(rows.rows) and used < self.batch:
            parent = rows.rows[end][0]
            used += 1 + sum(min(len(one.by_parent.get(parent, ())), self.child_page) for one in rows.sets)
            end += 1
        return end

    def _child(self, found: ChildRows, parent: str) -> str:
        rows = found.by_parent.get(parent)
        if not rows:
            return "null"
        inner = replace(self, batch=self.child_page)
        from_page = inner.page(Rows(found.plan, rows, found.sets, [parent]), 0, None)
        records = ",".join(from_page.pop("records"))
        head = json.dumps(from_page, separators=(",", ":"))[1:-1]
        return f'{{{head},"records":[{records}]}}'
