"""The result pages of a complete job, in order, several fetched at once, each kept in a file until it is read.

Every page names the next one's locator, and this chain alone says which pages there are; `resultPages`, which lists them
beforehand, only lets later ones be fetched early; of its addresses the query alone is taken, on the job's own path. A locator
stays valid as long as the job, so it is where a cut run resumes.
"""

from __future__ import annotations

import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import IO, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.bulk.jobs import Job, Jobs
from tap_salesforce_ikaroa.errors import RequestError, UnexpectedAnswerError
from tap_salesforce_ikaroa.quota import Purpose

_END = "null"


class _Stopped(Exception):  # noqa: N818  ends a fetch nobody waits for
    pass


@dataclass
class ResultPage:
    """One fetched page. `locator` is its own, None for the first; `following` the next one's, None after the last."""

    locator: str | None
    following: str | None
    rows: int
    gzipped: bool
    file: IO[bytes]

    def close(self) -> None:
        """Lets go of its file."""
        self.file.close()

    def blocks(self) -> Iterator[bytes]:
        """Its CSV, in blocks.

        Raises:
            UnexpectedAnswerError: it is cut, or not compressed as it says.
        """
        self.file.seek(0)
        unzip = zlib.decompressobj(wbits=31) if self.gzipped else None
        while block := self.file.read(limits.BLOCK_BYTES // 4 if unzip else limits.BLOCK_BYTES):
            if unzip is None:
                yield block
                continue
            try:
                while block:
                    yield unzip.decompress(block, limits.BLOCK_BYTES)
                    block = unzip.unconsumed_tail
            except zlib.error as error:
                raise UnexpectedAnswerError(f"a page of a Bulk job's result is not gzip: {error}") from None
        if unzip is not None and not unzip.eof:
            raise UnexpectedAnswerError("a page of a Bulk job's result was cut on its way")


class ResultPages:
    """Fetches pages ahead of whoever reads them: at most `parallel` are under way or waiting. A context manager."""

    def __init__(self, jobs: Jobs, job: Job, parallel: int, page_rows: int) -> None:
        self._jobs = jobs
        self._job = job
        self._parallel = parallel
        self._page_rows = page_rows
        self._threads = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="bulk-result")
        self._stop = Event()
        self._files: list[IO[bytes]] = []
        self._ahead: deque[tuple[str, Future[ResultPage]]] = deque()
        self._listed: dict[str, str] = {}  # address by locator, in their order
        self._more_listed: str | None = None
        self._waiting: deque[str] = deque()  # listed, and not yet being fetched

    def __enter__(self) -> ResultPages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._threads.shutdown(cancel_futures=True)
        for file in self._files:
            file.close()

    def after(self, locator: str | None) -> Iterator[ResultPage]:
        """The pages from this locator on; None means from the first."""
        version = float(self._jobs.client.api_version)
        if self._parallel > 1 and self._rows > self._page_rows and version >= limits.RESULT_PAGES_SINCE:
            self._more_listed = self._own("resultPages")
            self._list_more()
            if self._page_rows < limits.RESULT_PAGE_ROWS:
                self._drop_long_pages()
        first, seen = True, {locator}
        while True:
            page = self._next(locator)
            yield page
            if page.following is None:
                return
            locator = page.following
            if locator in seen:
                raise UnexpectedAnswerError(
                    f"the pages of Bulk job {self._job.id} lead in a circle. The bookmark was not moved; run again"
                )
            seen.add(locator)
            if first:
                self._find(locator)
                first = False
            self._fetch_ahead()

    @property
    def _rows(self) -> int:
        return self._job.rows or 0

    def again(self, page: ResultPage) -> None:
        """Fetches the same page anew."""
        fresh = self._fetch(self._address(page.locator), page.locator)
        page.rows, page.gzipped, page.file = fresh.rows, fresh.gzipped, fresh.file

    def _next(self, locator: str | None) -> ResultPage:
        while self._ahead:
            known, future = self._ahead.popleft()
            if known == locator:
                return future.result()
            future.cancel()  # the chain goes elsewhere, and the chain is right
        return self._fetch(self._address(locator), locator)

    def _fetch_ahead(self) -> None:
        while len(self._ahead) < self._parallel and (self._waiting or self._more_listed):
            if not self._waiting:
                self._list_more()
                continue
            locator = self._waiting.popleft()
            fetch = self._threads.submit(self._fetch, self._listed[locator], locator)
            self._ahead.append((locator, fetch))

    def _drop_long_pages(self) -> None:
        """Whoever asks for short pages gets them, one after another, where those that Salesforce lists are longer."""
        while self._more_listed and len(self._listed) * self._page_rows < self._rows:
            self._list_more()
        if len(self._listed) * self._page_rows < self._rows:
            self._listed.clear()
            self._waiting.clear()

    def _find(self, locator: str) -> None:
        """Lists on until this locator is met: fetching ahead begins there."""
        while locator not in self._listed and self._more_listed:
            self._list_more()
        while self._waiting and self._waiting[0] != locator:
            self._waiting.popleft()

    def _fetch(self, path: str, locator: str | None) -> ResultPage:
        # Unlinked from the start: nothing of it stays, however the run ends.
        file = _Stoppable(self._stop)
        self._files.append(file.file)
        headers = self._jobs.client.fetch(path, Purpose.BULK, file)  # type: ignore[arg-type]
        following, rows = headers.get("Sforce-Locator"), headers.get("Sforce-NumberOfRecords")
        if not following and self._job.rows is not None:
            following = _END  # not said, and the job's row count tells whether it is so
        if not rows or not rows.isdecimal() or not following:
            raise UnexpectedAnswerError(
                "a page of a Bulk job's result came without its row count (Sforce-NumberOfRecords) or without saying "
                "what follows (Sforce-Locator); is there a proxy in between that drops headers?"
            )
        gzipped = headers.get("Content-Encoding", "").lower() == "gzip"
        return ResultPage(locator, None if following == _END else following, int(rows), gzipped, file.file)

    def _address(self, locator: str | None) -> str:
        if locator in self._listed:
            return self._listed[locator]
        # A page before the listed ones is cut the way they are, so that the chain leads to them.
        sizes = (_query(address).get("maxRecords") for address in self._listed.values())
        rows = next(sizes) if self._listed else self._page_rows
        query = {"maxRecords": rows, "locator": locator}
        return self._own("results", urlencode({name: value for name, value in query.items() if value}))

    def _own(self, resource: str, query: str = "") -> str:
        return f"{self._jobs.of(self._job.id)}/{resource}" + (f"?{query}" if query else "")

    def _list_more(self) -> None:
        """Takes up to five more addresses; none where the org does not tell them."""
        path, self._more_listed = self._more_listed, None
        try:
            answer = self._jobs.client.get(path or "", Purpose.BULK)
            for entry in answer["resultPages"]:
                address = str(entry["resultUrl"])
                if locator := _query(address).get("locator"):
                    self._listed[locator] = self._own("results", urlsplit(address).query)
                    self._waiting.append(locator)
            if not answer.get("done", True):
                following = answer.get("nextRecordsUrl") or answer.get("nextRecordUrl")
                self._more_listed = self._own("resultPages", urlsplit(following).query) if following else None
        except (RequestError, UnexpectedAnswerError, KeyError, TypeError, ValueError, AttributeError):
            self._waiting.clear()


class _Stoppable:
    """A file that takes no more once nobody waits for it."""

    def __init__(self, stop: Event) -> None:
        self.file: Any = tempfile.SpooledTemporaryFile(max_size=limits.RESULT_IN_MEMORY_BYTES)  # noqa: SIM115
        self._stop = stop
        self.seek, self.truncate = self.file.seek, self.file.truncate

    def write(self, chunk: bytes) -> int:
        if self._stop.is_set():
            raise _Stopped
        return int(self.file.write(chunk))


def _query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
