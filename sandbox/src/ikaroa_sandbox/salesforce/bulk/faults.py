"""What goes wrong with bulk jobs alone: right answers spoiled after the fact, jobs that fail or hang."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.salesforce import ids, limits
from ikaroa_sandbox.salesforce.bulk.jobs import FINAL, ClassicJob, Job, QueryJob
from ikaroa_sandbox.salesforce.bulk.pages import Form

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

FAILED_REASON = "InternalServerError : Retried more than 15 times"
_JOB = re.compile(r"/jobs?/(?:query/|ingest/)?(75[0-9A-Za-z]{13,16})")
_COUNT, _LOCATOR = "Sforce-NumberOfRecords", "Sforce-Locator"

KINDS = {
    "job_failed": "the job that the request creates or names fails: the platform retried it 15 times",
    "job_stuck": "the job that the request creates or names does not end before `seconds` (60) from now",
    "row_lost": "a page of results lacks its last row; its count header says what it should hold",
    "count_off": "a page of results is whole, its count header says one row more",
    "locator_repeated": "a page of results names itself as the next one",
    "locator_dropped": "a page of results says that it is the last",
}
"""Kinds of fault that need the right answer first. To any other request they do nothing."""


def spoil(state: State, kind: str, request: Request, answer: Response, seconds: float | None) -> Response:
    """The answer as the fault leaves it."""
    if kind in _PAGE:
        return _PAGE[kind](request, answer) if _COUNT in answer.headers else answer
    job = _named(state, request, answer)
    if job is None or job.state in FINAL:
        return answer
    now = state.world.clock.now()
    if kind == "job_failed":
        for task in job.batches if isinstance(job, ClassicJob) else [job]:
            task.fail(FAILED_REASON, now)
            if isinstance(task, QueryJob):
                task.pages = None
        return answer
    job.stuck_until = now + timedelta(seconds=limits.BULK_STUCK_SECONDS if seconds is None else seconds)
    if job.ends is not None:
        job.ends = max(job.ends, job.stuck_until)
    return answer


def _named(state: State, request: Request, answer: Response) -> Job | None:
    found = _JOB.search(request.path)
    name = found[1] if found else ""
    if not name:
        try:
            told = json.loads(answer.body)
        except ValueError:
            return None
        name = str(told.get("id", "")) if isinstance(told, dict) else ""
    return state.jobs.by_id.get(ids.normalise(name) or "")


def _row_lost(_request: Request, answer: Response) -> Response:
    packed = answer.headers.get("Content-Encoding") == "gzip"
    text = (gzip.decompress(answer.body) if packed else answer.body).decode()
    header = text.split("\n", 1)[0]
    end = "\r\n" if header.endswith("\r") else "\n"
    delimiter = next((char for char in ",;|^`\t" if f'"{char}"' in header), ",")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    kept = rows[:-1] if len(rows) > 1 else rows
    body = "".join(Form(delimiter, end).lines(kept)).encode()
    return replace(answer, headers=dict(answer.headers), body=gzip.compress(body, 1) if packed else body)


def _count_off(_request: Request, answer: Response) -> Response:
    return _with(answer, _COUNT, str(int(answer.headers[_COUNT]) + 1))


def _locator_repeated(request: Request, answer: Response) -> Response:
    asked = dict(request.params()).get("locator")
    return _with(answer, _LOCATOR, asked) if asked else answer


def _locator_dropped(_request: Request, answer: Response) -> Response:
    return _with(answer, _LOCATOR, "null")


def _with(answer: Response, name: str, value: str) -> Response:
    return replace(answer, headers={**answer.headers, name: value})


_PAGE: dict[str, Callable[[Request, Response], Response]] = {
    "row_lost": _row_lost,
    "count_off": _count_off,
    "locator_repeated": _locator_repeated,
    "locator_dropped": _locator_dropped,
}
