"""`/updated/` and `/deleted/`: an object's ids in a window of time, also where they are too many for one answer.

Salesforce tells 600,000 ids at most, and refuses a window that holds more (EXCEEDED_ID_LIMIT). It cuts the seconds off both ends.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.errors import HistoryGoneError, TooManyIdsError
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.window import parse_stamp

logger = logging.getLogger("tap-salesforce-ikaroa")


def updated_path(client: Client, name: str, start: datetime, end: datetime) -> str:
    """The path that tells which rows changed from `start` to before `end`."""
    return _path(client, name, "updated", start, end)


def deleted_path(client: Client, name: str, start: datetime, end: datetime) -> str:
    """The path that tells which rows were deleted from `start` to before `end`."""
    return _path(client, name, "deleted", start, end)


def covered_in_shorter(client: Client, name: str, start: datetime, end: datetime) -> datetime:
    """`latestDateCovered` of changes, from the latest part of a window that held too many: there it is the same.

    Raises:
        TooManyIdsError: even one minute holds too many.
    """
    while True:
        middle = _middle(start, end)
        if middle is None:
            raise TooManyIdsError(f"{name}: too many rows changed within one minute", "EXCEEDED_ID_LIMIT")
        start = middle
        try:
            answer = client.get(updated_path(client, name, start, end), Purpose.CHANGES)
        except TooManyIdsError:
            continue
        return parse_stamp(answer["latestDateCovered"])


def deleted_in_shorter(client: Client, name: str, start: datetime, end: datetime) -> dict[str, Any]:
    """What `/deleted/` would tell of a window that held too many, asked for in shorter ones.

    `latestDateCovered` is the earliest at which one of them was not final: a transaction that ran then may have committed since.

    Raises:
        HistoryGoneError: one minute alone holds too many; Salesforce tells them in no way.
    """
    records: list[Any] = []
    unfinal: list[datetime] = []
    pending = [(start, end)]
    while pending:
        start, end = pending.pop()
        try:
            answer = client.get(deleted_path(client, name, start, end), Purpose.CHANGES)
        except TooManyIdsError as error:
            middle = _middle(start, end)
            if middle is None:
                raise HistoryGoneError(str(error), error.code, error.status) from None
            logger.info("deletions of %s are too many for one answer; asking for half the time", name)
            pending += [(middle, end), (start, middle)]
            continue
        records += answer["deletedRecords"]
        covered = parse_stamp(answer["latestDateCovered"])
        if covered < end:
            unfinal.append(covered)
    return {"deletedRecords": records, "latestDateCovered": min(unfinal, default=end).isoformat()}


def _middle(start: datetime, end: datetime) -> datetime | None:
    """The whole minute in the middle; None where Salesforce would see no time on one side of it."""
    start, end = (moment.replace(second=0, microsecond=0) for moment in (start, end))
    middle = (start + (end - start) / 2).replace(second=0, microsecond=0)
    return middle if middle - start >= limits.REPLICATION_STEP else None


def _path(client: Client, name: str, what: str, start: datetime, end: datetime) -> str:
    span = "&".join(
        f"{bound}={quote(moment.strftime('%Y-%m-%dT%H:%M:%S+00:00'), safe='')}"
        for bound, moment in (("start", start), ("end", end))
    )
    return f"{client.base}/sobjects/{name}/{what}/?{span}"
