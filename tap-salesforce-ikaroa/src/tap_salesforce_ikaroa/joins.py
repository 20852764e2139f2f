"""Rows of one object whose columns do not fit one query: read in parts over the same rows, joined by Id.

A row that changed between two parts shows two stamps, or is missing in one part; it is read again by its id until all
parts show one version. It is dropped only when it is gone from Salesforce.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.errors import IncompleteAnswerError
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.rows import Json, Rows
from tap_salesforce_ikaroa.soql import Condition, Query

logger = logging.getLogger("tap-salesforce-ikaroa")


def split(names: Sequence[str], always: Sequence[str], room: int) -> tuple[tuple[str, ...], ...]:
    """Columns in parts whose encoded text stays within `room` bytes; each part starts with the `always` columns."""
    parts: list[list[str]] = [list(always)]
    used = overhead = sum(len(column) + 1 for column in always)
    for column in names:
        if column in always:
            continue
        if used + len(column) + 1 > room and used > overhead:
            parts.append(list(always))
            used = overhead
        parts[-1].append(column)
        used += len(column) + 1
    return tuple(tuple(part) for part in parts)


def chunks(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """The items in lists of at most `size`."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def all_rows(client: Client, query: Query, purpose: Purpose, *, deleted: bool) -> Rows:
    """All rows of a query that is known to give few."""
    tries = 0
    while True:
        tries += 1
        page = client.query(query.text, purpose, deleted=deleted)
        try:
            return [row for each in client.pages(page, purpose) for row in each.rows]
        except IncompleteAnswerError as error:
            if tries == limits.RESULT_TRIES:
                raise
            logger.info("%s: %s; asking again", query.source, error)


@dataclass(frozen=True)
class Join:
    """How one object's rows are read in parts. `key` is the column whose value tells two versions of a row apart."""

    client: Client
    source: str
    parts: Sequence[Sequence[str]]
    key: str | None
    deleted: bool

    def complete(self, rows: Rows, condition: Condition | None, purpose: Purpose) -> Rows:
        """The rows of the first part, which `condition` gave, with the columns of all other parts, in their order."""
        if len(self.parts) == 1:
            return rows
        merged, torn = self._merge(rows, condition, purpose)
        for _ in range(limits.JOIN_TRIES):
            if not torn:
                break
            logger.info("%s: %d rows changed while being read; reading them again", self.source, len(torn))
            torn = [
                row_id
                for chunk in chunks(torn, limits.IDS_PER_QUERY)
                for row_id in self._again(chunk, merged)
            ]
        return [merged[row["Id"]] for row in rows if row["Id"] in merged]

    def _merge(
        self, rows: Rows, condition: Condition | None, purpose: Purpose
    ) -> tuple[dict[str, Json], list[str]]:
        merged = {row["Id"]: dict(row) for row in rows}
        stamps = {row["Id"]: self._stamp(row) for row in rows}
        torn: dict[str, None] = {}
        for part in self.parts[1:]:
            missing = dict.fromkeys(merged)
            for other in all_rows(
                self.client, Query(part, self.source, condition), purpose, deleted=self.deleted
            ):
                row_id = other["Id"]
                if row_id not in merged:
                    continue
                missing.pop(row_id, None)
                if self._stamp(other) != stamps[row_id]:
                    torn[row_id] = None
                self._absorb(merged[row_id], other)
            torn |= missing
        return merged, list(torn)

    def _again(self, ids: Sequence[str], merged: dict[str, Json]) -> list[str]:
        """Reads rows anew by id into `merged`; gives back the ids of those that have changed yet again."""
        condition = soql.is_in("Id", ids)
        first = Query(self.parts[0], self.source, condition)
        rows = all_rows(self.client, first, Purpose.REREAD, deleted=self.deleted)
        again, torn = self._merge(rows, condition, Purpose.REREAD)
        for gone in set(ids) - set(again):
            del merged[gone]  # deleted for good meanwhile, which /deleted/ will tell
        merged.update(again)
        return torn

    def _stamp(self, row: Json) -> str | None:
        return row.get(self.key) if self.key else None

    def _absorb(self, row: Json, other: Json) -> None:
        for name, value in other.items():
            if isinstance(value, dict) and isinstance(row.get(name), dict):
                row[name] = {**row[name], **value}
            elif name == self.key and name in row:
                # The older stamp stays: while versions differ, the bookmark must not pass the row.
                row[name] = min(row[name] or "", value or "") or None
            else:
                row[name] = value
