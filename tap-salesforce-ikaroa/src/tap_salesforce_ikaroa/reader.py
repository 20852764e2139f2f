"""Reads whole records: pages of a window, or by id; wide objects in column parts; child lists in full.

How a shape is read is decided by how long its query gets (URI and headers stay below Salesforce's limit):

1. one query, child lists as sub-queries;
2. too long: the root's columns alone, child rows by `WHERE parent IN (…)` for each page;
3. still too long: the columns in several parts, see `joins`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.client import Client, Page, as_page
from tap_salesforce_ikaroa.describe import ObjectDescribe
from tap_salesforce_ikaroa.errors import (
    IncompleteAnswerError,
    LocatorExpiredError,
    QueryTimeoutError,
    QueryTooLongError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.joins import Join, all_rows, chunks, split
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.rows import Json, Rows, ToRecord, columns, converter
from tap_salesforce_ikaroa.shapes import Child, Shape
from tap_salesforce_ikaroa.soql import Condition, Query
from tap_salesforce_ikaroa.window import Position, Window, parse_stamp

logger = logging.getLogger("tap-salesforce-ikaroa")
SQUEEZE_MAX = 64


class TooManyRows(Exception):  # noqa: N818  an answer, not an error
    """The first page of a query says that there are more rows than REST should read."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


@dataclass(frozen=True)
class Plan:
    """How the root's columns are read: in which parts, and whether child lists come as sub-queries of the first."""

    join: Join
    subqueries: tuple[Query, ...] | None

    def first(self, condition: Condition | None, order_by: Sequence[str] = ()) -> Query:
        """The query of the first part, child lists included where they are nested."""
        return Query(self.join.parts[0], self.join.source, condition, order_by, self.subqueries or ())


class Reader:
    """Reads records of one shape. `key` is the replication key, None where there is none."""

    def __init__(self, client: Client, shape: Shape, key: str | None, *, deleted: bool) -> None:
        self._client = client
        self._shape = shape
        self._key = key
        self._deleted = deleted and shape.object.has_deleted_flag
        self._convert: ToRecord = converter(shape)
        self._name = shape.object.name
        self._squeeze = 1
        self.most_rows: int | None = None
        """Rows of one query, times the parts its columns come in, above which another API should read: TooManyRows."""

    def pages(self, window: Window, purpose: Purpose = Purpose.QUERY) -> Iterator[list[Json]]:
        """The records of a window, page by page, in the window's order.

        Raises:
            TooManyRows: see `most_rows`; nothing was given yet.
            QueryTimeoutError: even the shortest window takes Salesforce too long.
            IncompleteAnswerError: rows are missing, however often they are asked for. Some that come after them were given.
        """
        pending = [window]
        restarts = incomplete = 0
        while pending:
            begun = rest = pending.pop()
            given = 0
            try:
                for rows, position in self._raw_pages(rest, purpose):
                    given += len(rows)
                    if rows:
                        yield [self._convert(row) for row in rows]
                    rest, restarts = rest.resumed(position), 0
            except QueryTimeoutError as error:
                pending += reversed(self._halves(rest, error))
            except LocatorExpiredError:
                restarts += 1
                if restarts > limits.LOCATOR_RESTARTS:
                    raise
                logger.info(
                    "%s: Salesforce has forgotten the query; starting again after the last row", self._name
                )
                pending.append(rest)
            except IncompleteAnswerError as error:
                incomplete += 1
                if self._misses_rows(error, incomplete, begun, given):
                    pending.append(begun)  # which one is not known
            except QueryTooLongError:
                self._tighten()
                pending.append(rest)

    def by_ids(self, ids: Iterable[str], purpose: Purpose = Purpose.REREAD) -> Iterator[Json]:
        """The records with these ids, in no order; those that do not exist are left out."""
        for chunk in chunks(ids, limits.IDS_PER_QUERY):
            rows: Rows | None = None
            while rows is None:
                rows = self._try_by_ids(chunk, purpose)
            yield from (self._convert(row) for row in rows)

    def first_rows(self, window: Window, limit: int) -> str | None:
        """The path of a query for the first rows of a window; None where the columns need more than one query."""
        plan = self._plan()
        if len(plan.join.parts) > 1:
            return None
        query = replace(plan.first(window.condition, window.order_by), limit=limit)
        return self._client.query_path(query.text, deleted=self._deleted)

    def complete(self, rows: Rows, purpose: Purpose = Purpose.QUERY) -> list[Json]:
        """The records of the rows that such a query gave."""
        return (
            [self._convert(row) for row in self._with_children(self._plan(), rows, purpose)] if rows else []
        )

    @property
    def parts(self) -> int:
        """In how many queries the columns come, for being too many for one."""
        return len(self._plan().join.parts)

    # --- one pass over a window ----------------------------------------------------------------------------------

    def _raw_pages(self, window: Window, purpose: Purpose) -> Iterator[tuple[Rows, Position]]:
        plan = self._plan()
        for page in self._paged(plan, window, purpose):
            first, last = self._position(page.rows[0]), self._position(page.rows[-1])
            rows = plan.join.complete(page.rows, window.between(first, last), purpose)
            yield self._with_children(plan, rows, purpose), last

    def _paged(self, plan: Plan, window: Window, purpose: Purpose) -> Iterator[Page]:
        """A query's pages that hold rows."""
        query = plan.first(window.condition, window.order_by)
        page = self._client.query(query.text, purpose, deleted=self._deleted)
        total = page.total or 0
        if self.most_rows is not None and total * len(plan.join.parts) > self.most_rows:
            raise TooManyRows(total)
        yield from (each for each in self._client.pages(page, purpose) if each.rows)

    def _try_by_ids(self, ids: Sequence[str], purpose: Purpose) -> Rows | None:
        try:
            return self._rows_by_ids(ids, purpose)
        except QueryTooLongError:
            self._tighten()
            return None

    def _rows_by_ids(self, ids: Sequence[str], purpose: Purpose) -> Rows:
        plan = self._plan()
        condition = soql.is_in("Id", ids)
        rows = all_rows(self._client, plan.first(condition), purpose, deleted=self._deleted)
        return self._with_children(plan, plan.join.complete(rows, condition, purpose), purpose)

    # --- planning ------------------------------------------------------------------------------------------------

    def _plan(self) -> Plan:
        # Made anew for each pass: a renewed token may be longer and leave less room.
        names = columns(self._shape.fields, self._shape.parents)
        always = _always(self._key)
        subqueries = tuple(_subquery(child) for child in self._shape.children)
        whole = Query((*always, *names), self._name, subqueries=subqueries)
        nested = len(whole.encoded) <= self._room() and len(subqueries) <= limits.SUBQUERIES_PER_QUERY
        return Plan(
            Join(self._client, self._name, split(names, always, self._room()), self._key, self._deleted),
            subqueries if nested else None,
        )

    def _room(self) -> int:
        free = self._client.room_bytes() - limits.CONDITION_BYTES
        return max(free // self._squeeze, limits.COLUMN_BYTES_MIN)

    def _tighten(self) -> None:
        # Salesforce found a query too long, or its formulas too many, although it fitted: ask for half as much.
        if self._squeeze >= SQUEEZE_MAX:
            raise QueryTooLongError(
                f"{self._name}: Salesforce finds even a few columns too long or too complicated for one query. "
                "Deselect formula fields of this stream"
            )
        self._squeeze *= 2

    # --- children ------------------------------------------------------------------------------------------------

    def _with_children(self, plan: Plan, rows: Rows, purpose: Purpose) -> Rows:
        for child in self._shape.children:
            name = child.relationship
            if plan.subqueries is not None:
                for row in rows:
                    row[name] = self._whole_list(row.get(name), purpose)
                continue
            lists = self._children_of([row["Id"] for row in rows], child, purpose)
            for row in rows:
                row[name] = lists.get(row["Id"], [])
        return rows

    def _whole_list(self, value: Mapping[str, Any] | None, purpose: Purpose) -> Rows:
        if value is None:
            return []
        return [row for page in self._client.pages(as_page(value), purpose) for row in page.rows]

    def _children_of(self, ids: Sequence[str], child: Child, purpose: Purpose) -> dict[str, Rows]:
        key = child.object.stamp
        always = (*_always(key), child.link)
        parts = split(columns(child.fields, child.parents), always, self._room())
        join = Join(self._client, child.object.name, parts, key, deleted=False)
        lists: dict[str, Rows] = {}
        for chunk in chunks(ids, limits.IDS_PER_QUERY):
            condition = soql.all_of(soql.is_in(child.link, chunk), _not_deleted(child.object))
            query = Query(parts[0], child.object.name, condition, child.order_by)
            rows = all_rows(self._client, query, purpose, deleted=False)
            for row in join.complete(rows, condition, purpose):
                lists.setdefault(row[child.link], []).append(row)
        return lists

    # --- small things --------------------------------------------------------------------------------------------

    def _position(self, row: Mapping[str, Any]) -> Position:
        try:
            stamp = row[self._key] if self._key else None
            return Position(parse_stamp(stamp) if stamp else None, row["Id"])
        except (AttributeError, KeyError, ValueError):
            raise UnexpectedAnswerError(
                f"{self._name}: Salesforce answered with a row without Id, or without a moment as {self._key}"
            ) from None

    def _misses_rows(self, error: IncompleteAnswerError, times: int, window: Window, given: int) -> bool:
        """Whether rows are missing; not if those that Salesforce said there were are deleted for good meanwhile."""
        text = soql.count(self._name, window.condition)
        if self._client.count(text, deleted=self._deleted) <= given:
            return False
        if times == limits.RESULT_TRIES:
            raise IncompleteAnswerError(
                f"{self._name}: {error}. The bookmark stays where it was; run again"
            ) from None
        logger.info("%s: %s; all of them are read again", self._name, error)
        return True

    def _halves(self, window: Window, error: QueryTimeoutError) -> tuple[Window, Window]:
        halves = window.halves()
        if halves is None:
            raise self._too_slow(error) from None
        logger.info("%s: the query took too long; reading on in windows of half the length", self._name)
        return halves

    def _too_slow(self, error: QueryTimeoutError) -> QueryTimeoutError:
        cure = (
            f"give the integration user View All Data, or View All for {self._name}"
            if error.code == "OPERATION_TOO_LARGE"
            else "deselect formula fields of this stream, or ask Salesforce for a custom index"
        )
        return QueryTimeoutError(
            f"{self._name}: {error}. No shorter window helps; {cure}",
            error.code,
            error.status,
        )


def _always(key: str | None) -> tuple[str, ...]:
    return ("Id", key) if key else ("Id",)


def _subquery(child: Child) -> Query:
    names = columns(child.fields, child.parents)
    return Query(names, child.relationship, _not_deleted(child.object), child.order_by)


def _not_deleted(described: ObjectDescribe) -> Condition | None:
    return soql.compare("IsDeleted", "=", value=False) if described.has_deleted_flag else None
