"""What to know before the rows are read, in one composite call for all streams.

- How far commits reach (`/updated/`, `latestDateCovered`): the ceiling of each object's bookmark. Salesforce sets it
  back to the start of a transaction that still runs, so that no row committed late is passed.
- Which rows were deleted for good (`/deleted/`).
- Which child rows changed, were added or went to the recycle bin (`queryAll` by their own stamp): their roots are read
  again. A child row that is gone for good is told by its id only, and one that was moved shows its new root only; the
  root it belonged to is no longer known, so all of the stream's roots are read again ("recheck").

All of it is asked before any root is read, so a root read later shows at least what was known here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_ikaroa import limits, replication, soql
from tap_salesforce_ikaroa.client import Client, as_page, counted
from tap_salesforce_ikaroa.describe import ObjectDescribe
from tap_salesforce_ikaroa.errors import (
    HistoryGoneError,
    IncompleteAnswerError,
    LocatorExpiredError,
    QueryTimeoutError,
    RequestError,
    TapError,
    TooManyIdsError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.findings import Changes, Follower
from tap_salesforce_ikaroa.joins import all_rows, chunks
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.shapes import Child
from tap_salesforce_ikaroa.soql import Query, format_stamp
from tap_salesforce_ikaroa.window import Window, end_of_reading, parse_stamp, unstamped

logger = logging.getLogger("tap-salesforce-ikaroa")


@dataclass(frozen=True)
class _Question:
    """`take` gets the answer, or the error that stands for it, and may raise it again; `refused` gets what is no matter of the whole run."""

    path: str
    take: Callable[[Any], None]
    what: str
    refused: Callable[[TapError], None] | None = None
    """What follows from a refusal. None: there is something else to go by."""

    def answered(self, answer: Any) -> None:
        """Takes the answer. Raises UnexpectedAnswerError where it has another form."""
        try:
            self.take(answer)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UnexpectedAnswerError(f"Salesforce's answer about {self.what} has another form") from None


class Survey:
    """Asks for all followers at once; `changes` then holds an entry for each stream."""

    def __init__(
        self,
        client: Client,
        followers: Sequence[Follower],
        lookback: timedelta,
        *,
        begin: datetime | None = None,
        counting: bool = False,
    ) -> None:
        """Asks. `counting`: also how many rows there are since `begin`, of what is read from the beginning."""
        self._client = client
        self._lookback = lookback
        # Whole seconds, as stamps are: a row of this second may still be committed.
        self._now = client.transport.clock.now().replace(microsecond=0)
        self._ceilings: dict[str, datetime] = {}
        self._gone: list[tuple[Follower, Child, set[str]]] = []
        self.changes = {
            follower.stream: Changes(
                self._now,
                self._now,
                recheck=follower.bookmark.recheck_pending,
                recheck_up_to=follower.bookmark.recheck_up_to,
            )
            for follower in followers
        }
        # Ceilings first: what they cover is then visible to everything that is asked after them.
        questions = [*self._ceiling_questions(followers)]
        questions += [question for follower in followers for question in self._questions(follower)]
        if counting:
            questions += [
                self._count_question(follower, begin) for follower in followers if not follower.bookmark.value
            ]
        self._ask(questions)
        for follower in followers:
            self._conclude(follower)
        for follower, child, ids in self._gone:
            self._trace(follower, child, ids)
        for changes in self.changes.values():
            if len(changes.roots) > limits.HELD_IDS:
                # Cheaper than as many ids; what was deleted must still be told by its id.
                changes.at_once = True
                changes.roots = {root: deleted for root, deleted in changes.roots.items() if deleted}

    # --- ceilings ------------------------------------------------------------------------------------------------

    def _ceiling_questions(self, followers: Iterable[Follower]) -> Iterable[_Question]:
        objects = {
            described.name: described
            for follower in followers
            for described in (follower.shape.object, *(child.object for child in follower.shape.children))
        }
        start, end = self._now - limits.UPDATED_WINDOW, self._now + limits.UPDATED_AHEAD
        for name, described in objects.items():
            if described.replicateable:
                path = replication.updated_path(self._client, name, start, end)
                take = self._ceiling_taker(name, start, end)
                yield _Question(path, take, f"the time up to which changes of {name} are final")

    def _ceiling_taker(self, name: str, start: datetime, end: datetime) -> Callable[[Any], None]:
        def take(answer: Any) -> None:
            if isinstance(answer, TooManyIdsError):
                with suppress(TooManyIdsError):  # else it is not known, as where nobody tells it
                    self._cover(name, replication.covered_in_shorter(self._client, name, start, end))
            else:
                self._cover(name, parse_stamp(_told(answer)["latestDateCovered"]))

        return take

    def _cover(self, name: str, covered: datetime) -> None:
        self._ceilings[name] = min(self._now, covered.replace(microsecond=0))

    def _count_question(self, follower: Follower, begin: datetime | None) -> _Question:
        changes = self.changes[follower.stream]

        def take(rows: int) -> None:
            changes.rows = rows

        return self._counted(follower, Window(follower.key, begin), take, "rows")

    def _unstamped_question(self, follower: Follower) -> Iterable[_Question]:
        if not follower.shape.object.fields[follower.key].nillable:
            return
        changes = self.changes[follower.stream]
        changes.unstamped = None

        def take(rows: int) -> None:
            changes.unstamped = rows

        yield self._counted(follower, unstamped(follower.key), take, f"rows without {follower.key}")

    def _counted(
        self, follower: Follower, window: Window, take: Callable[[int], None], what: str
    ) -> _Question:
        root = follower.shape.object
        resource = "queryAll" if follower.deletions and root.has_deleted_flag else "query"
        text = soql.encode(soql.count(root.name, window.condition))

        def take_answer(answer: Any) -> None:
            # A count that takes too long is one of very many.
            too_long = isinstance(answer, QueryTimeoutError)
            take(sys.maxsize if too_long else counted(_told(answer)))

        def refused(error: TapError) -> None:
            logger.info("%s %s could not be counted: %s", root.name, what, error)

        path = f"{self._client.base}/{resource}?q={text}"
        return _Question(path, take_answer, f"the number of {root.name} {what}", refused)

    def _conclude(self, follower: Follower) -> None:
        """The root's ceiling, and where to begin what was never followed before."""
        changes, root = self.changes[follower.stream], follower.shape.object
        changes.ceiling, changes.certain = (
            self._ceilings.get(root.name, self._now),
            root.name in self._ceilings,
        )
        for described in (root, *(child.object for child in follower.shape.children)):
            if follower.bookmark.deletion(described.name) is None:
                changes.deletion_cursors[described.name] = self._reached(described)
        for child in follower.shape.children:
            if follower.bookmark.child(child.relationship) is None:
                changes.child_cursors[child.relationship] = self._reached(child.object)
                # Roots before the bookmark, if any, were emitted without this list.
                changes.at_once = changes.at_once or follower.bookmark.value is not None

    def _reached(self, described: ObjectDescribe) -> datetime:
        return self._ceilings.get(described.name, self._now - self._lookback)

    # --- deletions and children ----------------------------------------------------------------------------------

    def _questions(self, follower: Follower) -> Iterable[_Question]:
        root, changes = follower.shape.object, self.changes[follower.stream]
        yield from self._unstamped_question(follower)
        if follower.deletions and root.replicateable and root.has_deleted_flag:

            def take_roots(deleted: dict[str, str]) -> None:
                changes.roots.update(deleted)

            yield from self._deletion_question(follower, root, take_roots)
        for child in follower.shape.children:
            if child.object.replicateable:
                yield from self._deletion_question(follower, child.object, self._child_taker(follower, child))
            yield from self._child_question(follower, child)

    def _deletion_question(
        self, follower: Follower, described: ObjectDescribe, take_ids: Callable[[dict[str, str]], None]
    ) -> Iterable[_Question]:
        changes = self.changes[follower.stream]
        since = follower.bookmark.deletion(described.name)
        if since is None:  # nothing was emitted before, so nothing of it can have been deleted
            return
        earliest = self._now - limits.DELETIONS_KNOWN + limits.DELETIONS_MARGIN
        if since < earliest:
            self._history_gone(follower, described, since)
        start, end = max(since, earliest), self._now + limits.UPDATED_AHEAD
        path = replication.deleted_path(self._client, described.name, start, end)

        def take(answer: Any) -> None:
            if isinstance(answer, TooManyIdsError):
                try:
                    answer = replication.deleted_in_shorter(self._client, described.name, start, end)
                except HistoryGoneError as error:
                    answer = error
            if isinstance(answer, HistoryGoneError):
                self._history_gone(follower, described, since)
                changes.deletion_cursors[described.name] = self._now
                return
            # Salesforce cuts the start to the minute: what lies before it was told last time.
            moments = {row["id"]: parse_stamp(row["deletedDate"]) for row in _told(answer)["deletedRecords"]}
            deleted = {row_id: format_stamp(moment) for row_id, moment in moments.items() if moment >= since}
            covered = parse_stamp(answer["latestDateCovered"])
            changes.deletion_cursors[described.name] = min(self._now, covered)
            take_ids(deleted)

        def refused(error: TapError) -> None:
            logger.warning(
                "%s: deletions of %s could not be asked for, the next run asks again: %s",
                follower.stream,
                described.name,
                error,
            )
            if described is not follower.shape.object:
                self._recheck(follower, limits.RECHECK_AT_ONCE)

        yield _Question(path, take, f"deletions of {described.name}", refused)

    def _history_gone(self, follower: Follower, described: ObjectDescribe, since: datetime) -> None:
        if described is follower.shape.object:
            logger.warning(
                "deletions of %s since %s are no longer all known to Salesforce (it keeps 15 days, or less when there "
                "are many). Records deleted for good in that time stay in the target; to be sure, run once with a full "
                "refresh (`meltano run --full-refresh …`) and compare, and run at least once a day",
                described.name,
                format_stamp(since),
            )
        else:
            self._recheck(follower, limits.RECHECK_AT_ONCE)

    def _recheck(self, follower: Follower, up_to: int) -> None:
        changes = self.changes[follower.stream]
        changes.recheck, changes.recheck_up_to = True, max(changes.recheck_up_to, up_to)

    def _child_taker(self, follower: Follower, child: Child) -> Callable[[dict[str, str]], None]:
        changes, known = self.changes[follower.stream], follower.bookmark.recent_deletions

        def take(deleted: dict[str, str]) -> None:
            cursor = format_stamp(changes.deletion_cursors[child.object.name])
            changes.recent_deletions += [row_id for row_id, moment in deleted.items() if moment >= cursor]
            if fresh := set(deleted) - known:
                self._gone.append((follower, child, fresh))

        return take

    def _child_question(self, follower: Follower, child: Child) -> Iterable[_Question]:
        changes, name, key = self.changes[follower.stream], child.object.name, child.object.stamp
        if key is None:
            logger.info(
                "changes of %s alone do not re-emit %s: they carry no time stamp", name, follower.stream
            )
            return
        since = follower.bookmark.child(child.relationship)
        if since is None:
            return
        window = Window(key, since - self._lookback, end_of_reading(self._now))
        columns = ["Id", child.link, key]
        if child.movable and "CreatedDate" in child.object.fields:
            columns.append("CreatedDate")
        condition = window.condition
        if condition and child.object.fields[key].nillable:  # nothing tells which of these are new
            condition = soql.any_of(condition, soql.compare(key, "=", None))
        text = Query(columns, name, condition, window.order_by).text
        resource = "queryAll" if child.object.has_deleted_flag else "query"

        def take(answer: Any) -> None:
            try:
                self._take_children(follower, child, since, answer)
            except (QueryTimeoutError, LocatorExpiredError, IncompleteAnswerError):
                logger.info(
                    "changes of %s could not be listed to the end: all of %s is read again",
                    name,
                    follower.stream,
                )
                changes.at_once = True
            changes.child_cursors[child.relationship] = self._reached(child.object)

        def refused(error: TapError) -> None:
            changes.problem = type(error)(f"changes of {name} could not be asked for: {error}")

        path = f"{self._client.base}/{resource}?q={soql.encode(text)}"
        yield _Question(path, take, f"changes of {name}", refused)

    def _take_children(self, follower: Follower, child: Child, since: datetime, answer: Any) -> None:
        changes, settled = self.changes[follower.stream], follower.bookmark.settled
        for page in self._client.pages(as_page(_told(answer)), Purpose.CHANGES):
            for row in page.rows:
                if row[child.link]:
                    changes.roots.setdefault(row[child.link], None)
                if child.movable and not row[child.object.stamp or ""]:  # so it is in each run: not at once
                    self._recheck(follower, 0)
                elif child.movable and _may_have_moved(row, child, since, settled):
                    self._recheck(follower, limits.RECHECK_MOVES_AT_ONCE)
            if len(changes.roots) > limits.HELD_IDS:
                return

    def _trace(self, follower: Follower, child: Child, ids: set[str]) -> None:
        try:
            self._find_roots(follower, child, ids)
        except TapError as error:
            if not error.of_one_stream:
                raise
            logger.info("the roots of deleted %s rows could not be asked for: %s", child.object.name, error)
        if ids:
            logger.info(
                "%d %s rows were deleted for good; Salesforce no longer says of which %s: all of it is checked",
                len(ids),
                child.object.name,
                follower.stream,
            )
            self._recheck(follower, limits.RECHECK_AT_ONCE)

    def _find_roots(self, follower: Follower, child: Child, ids: set[str]) -> None:
        """Finds the roots of deleted child rows; those still in the recycle bin know theirs, and are taken out of `ids`."""
        changes = self.changes[follower.stream]
        for chunk in chunks(sorted(ids), limits.IDS_PER_QUERY):
            query = Query(("Id", child.link), child.object.name, soql.is_in("Id", chunk))
            for row in all_rows(self._client, query, Purpose.CHANGES, deleted=child.object.has_deleted_flag):
                ids.discard(row["Id"])
                if row[child.link]:
                    changes.roots.setdefault(row[child.link], None)

    # --- asking --------------------------------------------------------------------------------------------------

    def _ask(self, questions: Sequence[_Question]) -> None:
        answers = self._client.together([question.path for question in questions], Purpose.CHANGES)
        for question, answer in zip(questions, answers, strict=True):
            self._take(question, answer)

    def _take(self, question: _Question, answer: Any) -> None:
        try:
            question.answered(answer)
        except TapError as error:
            if not error.of_one_stream:
                raise
            if question.refused:
                question.refused(error)
            elif isinstance(error, RequestError):
                logger.info("%s could not be asked for: %s", question.what, error)
            else:
                raise


def _told(answer: Any) -> Any:
    """An answer. Raises the error that stands in the place of one."""
    if isinstance(answer, TapError):
        raise answer
    return answer


def _may_have_moved(row: Mapping[str, Any], child: Child, since: datetime, settled: datetime | None) -> bool:
    """Whether a row changed since then may have been given out as another root's. `settled`: see `Bookmark`."""
    changed, created = row[child.object.stamp or ""], row.get("CreatedDate")
    if parse_stamp(changed) < since:
        return False
    return created is None or settled is None or parse_stamp(created) <= settled + limits.CLOCKS_APART
