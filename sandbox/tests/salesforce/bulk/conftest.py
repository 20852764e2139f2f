"""Bulk jobs as a client drives them: create, look until they end, read pages."""

from __future__ import annotations

import csv
import gzip
import io
import random
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from ikaroa_sandbox.core import Clock, Response, Variants, World
from ikaroa_sandbox.salesforce import RULES, SalesforceBackend

Row = dict[str, str]
START = datetime(2026, 11, 2, 9, tzinfo=timezone.utc)
SIGN_IN = {
    "grant_type": "client_credentials",
    "client_id": "sandbox-salesforce-client",
    "client_secret": "sandbox-salesforce-secret",
}


@dataclass
class Bulk:
    """A client of the jobs resources of one org."""

    org: Any

    def sign_in(self) -> None:
        """A new session: the old one has ended, or is of another org."""
        self.org.token = self.org.load(self.org.sign_in(SIGN_IN))["access_token"]

    def create(self, query: str, **more: str) -> Response:
        """POST jobs/query."""
        return self.org.send("POST", "jobs/query", {"operation": "query", "query": query, **more})

    def start(self, query: str, **more: str) -> str:
        """The id of a new query job."""
        answer = self.create(query, **more)
        assert answer.status == 200, answer.body
        return str(self.org.load(answer)["id"])

    def info(self, job: str, kind: str = "query") -> dict[str, Any]:
        """GET of one job."""
        found: dict[str, Any] = self.org.get(f"jobs/{kind}/{job}")
        return found

    def wait(self, job: str, kind: str = "query") -> dict[str, Any]:
        """Looks until the job has ended."""
        for _ in range(10):
            info = self.info(job, kind)
            if info["state"] in ("JobComplete", "Failed", "Aborted"):
                return info
        raise AssertionError(info)

    def done(self, query: str, **more: str) -> str:
        """The id of a query job that has ended well."""
        job = self.start(query, **more)
        assert self.wait(job)["state"] == "JobComplete"
        return job

    def page(self, job: str, headers: dict[str, str] | None = None, **params: Any) -> Response:
        """GET of a page of results."""
        return self.org.send("GET", f"jobs/query/{job}/results", None, headers, urlencode(params))

    def rows(self, query: str, **more: str) -> list[Row]:
        """All rows of a query, on one page."""
        return self.table(self.page(self.done(query, **more)))

    def upload(self, data: str, operation: str = "insert", kind: str = "Account", **more: str) -> str:
        """The id of an ingest job with its data complete."""
        body = {"object": kind, "operation": operation, **more}
        answer = self.org.send("POST", "jobs/ingest", body)
        assert answer.status == 200, answer.body
        job = str(self.org.load(answer)["id"])
        put = self.org.send("PUT", f"jobs/ingest/{job}/batches", data.encode(), {"Content-Type": "text/csv"})
        assert put.status == 201, put.body
        assert self.org.send("PATCH", f"jobs/ingest/{job}", {"state": "UploadComplete"}).status == 200
        return job

    def ingested(self, data: str, operation: str = "insert", kind: str = "Account", **more: str) -> str:
        """The id of an ingest job that has ended well."""
        job = self.upload(data, operation, kind, **more)
        info = self.wait(job, "ingest")
        assert info["state"] == "JobComplete", info
        return job

    @staticmethod
    def text(answer: Response) -> str:
        """A CSV answer's text, decompressed."""
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(answer.body) if packed else answer.body).decode()

    def table(self, answer: Response) -> list[Row]:
        """A CSV answer's rows."""
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(self.text(answer), newline="")))

    def results(self, job: str, which: str) -> list[Row]:
        """The rows of one of an ingest job's result files."""
        answer = self.org.send("GET", f"jobs/ingest/{job}/{which}")
        assert answer.status == 200, answer.body
        return self.table(answer)


@pytest.fixture
def bulk(org: Any) -> Bulk:
    return Bulk(org)


@pytest.fixture(scope="session")
def _crowd() -> object:
    """A saved org with 12,345 contacts, P1 to P12345: more than two blocks of a stored result."""
    backend = SalesforceBackend(World(Clock(START), Variants(RULES), random.Random(1)))
    backend.edit(
        {"action": "bulk_load", "object": "Contact", "count": 12_345, "fields": {"LastName": "P{n}"}}
    )
    return backend.save()


@pytest.fixture
def people(bulk: Bulk, _crowd: object) -> set[str]:
    """The last names of the many contacts that the org now has."""
    bulk.org.backend.restore(_crowd)
    bulk.sign_in()
    return {f"P{n}" for n in range(1, 12_346)}
