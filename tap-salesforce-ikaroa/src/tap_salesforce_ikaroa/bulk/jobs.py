"""Query jobs of Bulk API 2.0: create, wait for, abort, delete.

Source: Bulk API 2.0 developer guide. A job goes UploadComplete -> InProgress -> JobComplete | Failed | Aborted; its result
stays for seven days, so a job's id in STATE lets a later run go on where one was cut.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.answers import safe_text
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.errors import (
    JobFailedError,
    JobTooSlowError,
    NotBulkError,
    NotVisibleError,
    RequestError,
    TapError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.soql import Query

logger = logging.getLogger("tap-salesforce-ikaroa")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")  # it goes into paths
_RUNNING = frozenset({"UploadComplete", "InProgress"})
_SLOW = ("retried more than", "timeout", "timed out", "query_timeout")
_CANNOT = ("bulk", "compound data", "aggregate relationships")
_REFUSED = frozenset(
    {"INVALIDENTITY", "API_DISABLED_FOR_ORG", "FUNCTIONALITY_NOT_ENABLED", "FEATURENOTENABLED"}
)


@dataclass(frozen=True)
class Job:
    """A query job as Salesforce last told it. `rows` is only final once it is complete; None where it is not told."""

    id: str
    state: str
    rows: int | None = None
    reason: str = ""

    @property
    def complete(self) -> bool:
        """Whether its result can be fetched."""
        return self.state == "JobComplete"

    @property
    def running(self) -> bool:
        """Whether it may still become complete."""
        return self.state in _RUNNING


@dataclass(frozen=True)
class Jobs:
    """The query jobs of one org."""

    client: Client

    @property
    def path(self) -> str:
        """Where jobs are made."""
        return f"{self.client.base}/jobs/query"

    def create(self, query: Query, *, deleted: bool) -> Job:
        """A new job for a query; `deleted` also reads the recycle bin and what is archived.

        Raises:
            NotBulkError: Bulk API 2.0 does not read this.
        """
        text = query.text
        if len(text) > limits.SOQL_CHARS:
            raise NotBulkError(
                f"the query is {len(text)} characters long, and SOQL may have {limits.SOQL_CHARS}"
            )
        body = {
            "operation": "queryAll" if deleted else "query",
            "query": text,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            return _job(self.client.post(self.path, body, Purpose.BULK))
        except RequestError as error:
            if _bulk_cannot(error):
                raise NotBulkError(str(error), error.code, error.status) from None
            raise

    def look(self, job_id: str) -> Job | None:
        """A job as it is now; None if Salesforce does not know it (any more)."""
        try:
            return _job(self.client.get(self.of(job_id), Purpose.BULK))
        except NotVisibleError:
            return None

    def wait(self, job_id: str, what: str, *, first_look_s: float = limits.POLL_FIRST_S) -> Job:
        """Waits until a job is complete: looks after half a second, then less and less often.

        Raises:
            JobFailedError: it ended otherwise, with Salesforce's reason.
            NotBulkError: the reason is that Bulk API 2.0 does not read this.
            UnavailableError: it is still running after hours.
        """
        pause, waited = first_look_s, 0.0
        while True:
            self.client.transport.policy.sleep(pause)
            waited += pause
            job = self.look(job_id)
            if job is None:
                raise JobFailedError(f"{what}: somebody deleted Bulk job {job_id} while it ran", "Aborted")
            if job.complete:
                logger.info("%s: Bulk job %s is complete, %s rows", what, job_id, job.rows)
                return job
            if not job.running:
                raise _ended(job, what)
            if waited >= limits.JOB_WAIT_MAX_S:
                raise UnavailableError(
                    f"{what}: Salesforce has been working on Bulk job {job_id} for {waited / 3600:.0f} hours. Run again "
                    "later, or set `api_type` to REST"
                )
            pause = min(max(pause, limits.POLL_FIRST_S) * limits.POLL_GROWTH, limits.POLL_MAX_S)

    def discard(self, job_id: str, *, ended: bool = False) -> bool:
        """Aborts a job unless it has ended, and deletes it; whether it is gone.

        What goes wrong is no reason to fail: it is gone in a week.
        """
        with self.client.transport.once():
            try:
                job = None if ended else self.look(job_id)
                if job and job.running:
                    self.client.patch(self.of(job_id), {"state": "Aborted"}, Purpose.BULK)
                if job or ended:
                    self.client.delete(self.of(job_id), Purpose.BULK)
            except TapError as error:
                logger.info("Bulk job %s was not deleted: %s", job_id, error)
                return False
        return True

    def of(self, job_id: str) -> str:
        """A job's own path."""
        return f"{self.path}/{quote(job_id, safe='')}"


def _job(answer: Any) -> Job:
    if not isinstance(answer, Mapping) or not _ID.match(str(answer.get("id"))) or not answer.get("state"):
        raise UnexpectedAnswerError("Salesforce's answer about a Bulk job has another form")
    rows = answer.get("numberRecordsProcessed")
    reason = safe_text(str(answer.get("errorMessage") or ""))
    return Job(str(answer["id"]), str(answer["state"]), None if rows is None else int(rows), reason)


def _bulk_cannot(error: RequestError) -> bool:
    text = str(error).lower()
    if isinstance(error, NotVisibleError) and error.status == 404:  # this org has no such resource
        return True
    return error.code.upper() in _REFUSED or any(part in text for part in _CANNOT)


def _failed_for_being_bulk(reason: str) -> bool:
    """Whether a job failed for what Bulk cannot do; Salesforce finds some of it only when the query runs."""
    code = reason.partition(":")[0].strip().upper()
    return code in _REFUSED or "not supported" in reason.lower()


def _ended(job: Job, what: str) -> RequestError:
    if job.state == "Aborted":
        return JobFailedError(
            f"{what}: Bulk job {job.id} was aborted in Salesforce{_because(job)}. Ask whoever did, then run again",
            job.state,
        )
    slow = any(part in job.reason.lower() for part in _SLOW)
    if not slow and _failed_for_being_bulk(job.reason):
        return NotBulkError(f"{what}: Bulk job {job.id} failed{_because(job)}", job.state)
    kind = JobTooSlowError if slow else JobFailedError
    return kind(
        f"{what}: Salesforce could not finish Bulk job {job.id}{_because(job)}. `api_type: REST` reads it without Bulk",
        job.state,
    )


def _because(job: Job) -> str:
    return f" ({job.reason})" if job.reason else ""
