"""The first rows of the streams that come next, asked for in one composite call, which counts as one.

A run mostly finds little or nothing to read in most streams; this way that costs one call for five streams instead of one
each. Only what turns out to be all there is to read is used: a stream with more rows is read as if nothing had been asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.client import Client, Page, as_page
from tap_salesforce_ikaroa.errors import RequestError, TapError
from tap_salesforce_ikaroa.joins import chunks
from tap_salesforce_ikaroa.quota import Purpose


@dataclass(frozen=True)
class Peek:
    """What a stream will ask first: the path of a query for at most `limits.ROWS_AHEAD` rows."""

    stream: str
    path: str


class Ahead:
    """Asks for the streams in the order in which they will be read, a composite call's worth at a time."""

    def __init__(self, client: Client, peeks: Iterable[Peek]) -> None:
        self._client = client
        self._peeks = {peek.stream: peek for peek in peeks}
        self._pages: dict[str, Page] = {}
        self._many: set[str] = set()

    def page(self, stream: str) -> Page | None:
        """All rows that a stream has to read; None where they are many, or not known. Gives them once."""
        if stream in self._peeks:
            self._ask(next(self._groups(stream)))
        return self._pages.pop(stream, None)

    def has_many(self, stream: str) -> bool:
        """Whether a stream is known to have more rows to read than were asked for."""
        return stream in self._many

    def _groups(self, first: str) -> Iterator[list[str]]:
        rest = list(self._peeks)
        return chunks(rest[rest.index(first) :], limits.COMPOSITE_QUERIES)

    def _ask(self, streams: list[str]) -> None:
        peeks = [self._peeks.pop(stream) for stream in streams]
        if len(peeks) < 2:
            return  # nothing saved
        answers = self._client.together([peek.path for peek in peeks], Purpose.QUERY)
        for peek, answer in zip(peeks, answers, strict=True):
            if isinstance(answer, TapError):
                if not isinstance(answer, RequestError):
                    raise answer
                continue  # the stream's own query meets the same, and knows what to do
            page = as_page(answer)
            told = page.total is not None and page.total <= len(page.rows)
            if page.more is None and told and len(page.rows) < limits.ROWS_AHEAD:
                self._pages[peek.stream] = page
            else:
                self._many.add(peek.stream)
