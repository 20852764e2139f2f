"""Salesforce's REST API as this tap uses it: queries and their pages, describes, composite calls, one session."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import quote, urlsplit

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.answers import Answer, is_transient, learn_names, refusal
from tap_salesforce_ikaroa.auth import Session, TokenSource
from tap_salesforce_ikaroa.errors import (
    HostError,
    IncompleteAnswerError,
    LoginError,
    RequestError,
    SessionExpiredError,
    TapError,
    UnexpectedAnswerError,
    VersionRetiredError,
)
from tap_salesforce_ikaroa.hosts import path_only
from tap_salesforce_ikaroa.quota import Purpose, Quota
from tap_salesforce_ikaroa.transport import USER_AGENT, Transport

Json = dict[str, Any]
VERSIONS = "/services/data"
NO_SUCH_RESOURCE = frozenset({404, 405, 501})
logger = logging.getLogger("tap-salesforce-ikaroa")


@dataclass(frozen=True)
class Page:
    """One page of a query's rows. `more` is the path of the next page, None on the last; `total` None where it is not told."""

    rows: list[Json]
    more: str | None
    total: int | None


@dataclass
class Client:
    """One user's session with one org. Only `tokens` and `fetch` are for several threads."""

    transport: Transport
    tokens: TokenSource
    quota: Quota = field(default_factory=Quota)
    api_version: str = limits.API_VERSION
    page_rows: int = limits.PAGE_ROWS_MAX
    one_by_one: bool = False
    """Whether composite calls are not to be had here: each of their parts is then a call of its own."""
    uncounted: bool = False
    """Whether a query was met that does not say how many rows it has."""

    @property
    def base(self) -> str:
        """The path that all calls of this API version start with."""
        return f"/services/data/v{self.api_version}"

    def query(self, text: str, purpose: Purpose = Purpose.QUERY, *, deleted: bool = False) -> Page:
        """The first page of a query. `deleted` also gives rows in the recycle bin and archived ones."""
        return as_page(self.get(self.query_path(text, deleted=deleted), purpose))

    def count(self, text: str, *, deleted: bool = False) -> int:
        """The number that a `SELECT COUNT()` gives."""
        return counted(self.get(self.query_path(text, deleted=deleted), Purpose.COUNT))

    def query_path(self, text: str, *, deleted: bool = False) -> str:
        """The path of a query."""
        return f"{self.base}/{'queryAll' if deleted else 'query'}?q={soql.encode(text)}"

    def more(self, path: str, purpose: Purpose = Purpose.QUERY) -> Page:
        """A later page, by the path that the page before it gave.

        Raises:
            LocatorExpiredError: Salesforce has forgotten it; start again after the last row.
            HostError: it is not a path, nor an address of the org's own host.
        """
        own = path.removeprefix(self.tokens.session().instance_url)
        return as_page(self.get(path_only(own, "nextRecordsUrl"), purpose))

    def pages(self, first: Page, purpose: Purpose = Purpose.QUERY) -> Iterator[Page]:
        """All pages of a query, from its first on.

        Raises:
            LocatorExpiredError: see `more`.
            IncompleteAnswerError: together they hold fewer rows than the first one said there are.
            UnexpectedAnswerError: they lead in a circle.
        """
        if first.total is None:
            self._tell_uncounted()
        page, rows = first, 0
        followed: set[str] = set()
        while True:
            rows += len(page.rows)
            yield page
            if page.more is None:
                break
            if page.more in followed:
                raise UnexpectedAnswerError("the pages of a query lead in a circle; run again")
            followed.add(page.more)
            page = self.more(page.more, purpose)
        if first.total is not None and rows < first.total:
            raise IncompleteAnswerError(
                f"the pages of a query hold {rows} rows, and Salesforce said it has {first.total}"
            )

    def _tell_uncounted(self) -> None:
        if not self.uncounted:
            self.uncounted = True
            logger.warning(
                "Salesforce does not say how many rows a query has (`totalSize`): it is believed that they are all where it says "
                "that there are no more (`done`). Look for a proxy in between that changes answers"
            )

    def room_bytes(self) -> int:
        """How many bytes the encoded text of a query may have so that URI and headers stay within the limit."""
        session = self.tokens.session()
        url = f"{session.instance_url}{self.base}/queryAll?q="
        headers = {**self._headers(session), "Host": urlsplit(url).netloc, "User-Agent": USER_AGENT}
        used = len(url) + sum(len(name) + len(value) + 4 for name, value in headers.items())
        return limits.URI_AND_HEADERS_BYTES - limits.URI_MARGIN_BYTES - used

    def describe_all(self) -> list[Json]:
        """Every object that this user sees, in brief."""
        answer = self.get(f"{self.base}/sobjects/", Purpose.DESCRIBE)
        return list(answer["sobjects"])

    def describe(self, objects: Sequence[str]) -> dict[str, Json | TapError]:
        """The full description of each object, or why there is none; 25 objects a call, which counts as one."""
        paths = [f"{self.base}/sobjects/{quote(soql.name(name))}/describe" for name in objects]
        learn_names(objects)
        return dict(zip(objects, self.together(paths, Purpose.DESCRIBE), strict=True))

    def together(self, paths: Sequence[str], purpose: Purpose) -> list[Any | TapError]:
        """Many GETs in one composite call, which counts as one. An entry is the JSON or the error that stands for it."""
        results: list[Any | TapError] = []
        for chunk in _composites(paths):
            alone = self.one_by_one
            results += (
                [self._alone(path, purpose) for path in chunk] if alone else self._composite(chunk, purpose)
            )
        return results

    def versions(self) -> list[str]:
        """The API versions that the org serves, oldest first."""
        listed = self.get(VERSIONS, Purpose.DESCRIBE)
        return [str(entry.get("version")) for entry in listed if isinstance(entry, dict)]

    def get(self, path: str, purpose: Purpose) -> Any:
        """GET of a path on the org's own host; the JSON of its answer."""
        return self._call("GET", path, purpose).json()

    def post(self, path: str, body: Json, purpose: Purpose) -> Any:
        """POST of a JSON body; the JSON of the answer."""
        return self._call("POST", path, purpose, body).json()

    def patch(self, path: str, body: Json, purpose: Purpose) -> None:
        """PATCH with a JSON body."""
        self._call("PATCH", path, purpose, body)

    def delete(self, path: str, purpose: Purpose) -> None:
        """DELETE of a path."""
        self._call("DELETE", path, purpose)

    def fetch(self, path: str, purpose: Purpose, into: IO[bytes]) -> Mapping[str, str]:
        """GET of a path whose body, as it comes over the wire, goes into a file; the answer's headers. Thread-safe."""
        return self._call("GET", path_only(path, "resultUrl"), purpose, into=into).headers

    def _composite(self, paths: Sequence[str], purpose: Purpose) -> list[Any | TapError]:
        steps = [{"method": "GET", "url": path, "referenceId": f"r{n}"} for n, path in enumerate(paths)]
        body = {"allOrNone": False, "compositeRequest": steps}
        try:
            answer = self._call("POST", f"{self.base}/composite", purpose, body).json()
        except RequestError as error:
            if error.status not in NO_SUCH_RESOURCE:
                raise
            self._check_version(error)
            logger.info("no composite calls here (%s): what they would ask is asked one by one", error)
            self.one_by_one = True
            return [self._alone(path, purpose) for path in paths]
        entries = answer.get("compositeResponse") if isinstance(answer, dict) else None
        try:
            by_reference = {entry["referenceId"]: entry for entry in entries or ()}
            parts = [by_reference[step["referenceId"]] for step in steps]
            return [self._part(path, part, purpose) for path, part in zip(paths, parts, strict=True)]
        except (KeyError, TypeError, ValueError):
            raise UnexpectedAnswerError(
                "Salesforce's composite answer lacks the answer of a sub-request"
            ) from None

    def _part(self, path: str, part: Mapping[str, Any], purpose: Purpose) -> Any | TapError:
        status, payload = int(part["httpStatusCode"]), part.get("body")
        if status < 300:
            return payload
        problem = refusal(status, payload)
        if is_transient(status, payload) or isinstance(problem, SessionExpiredError):
            return self._alone(path, purpose)
        return problem

    def _alone(self, path: str, purpose: Purpose) -> Any | TapError:
        try:
            return self.get(path, purpose)
        except TapError as error:
            return error

    def _call(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        body: Json | None = None,
        into: IO[bytes] | None = None,
    ) -> Answer:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        session = self.tokens.session()
        try:
            return self._send(method, path, purpose, session, data, into)
        except SessionExpiredError:
            session = self.tokens.renew(session)
        try:
            return self._send(method, path, purpose, session, data, into)
        except SessionExpiredError as error:
            raise LoginError(
                f"{error}, also with a new token. Check that the app and its user are active, that the user has "
                "`API Enabled`, and that the app's policies allow this machine's address",
                error.code,
            ) from None

    def _send(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        session: Session,
        data: bytes | None,
        into: IO[bytes] | None,
    ) -> Answer:
        if not path.startswith("/services/"):
            raise HostError("a path outside /services/ was not followed")
        headers = self._headers(session)
        if into is not None:
            headers["Accept"] = "text/csv"
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self.transport.send(
                method,
                session.instance_url + path,
                headers=headers,
                body=data,
                on_attempt=lambda: self.quota.spend(purpose),
                into=into,
            )
        except VersionRetiredError as error:
            if path == VERSIONS:
                raise
            raise self._version_error(error, self._served()) from None
        self.quota.learn(answer.headers.get("Sforce-Limit-Info"))
        return answer

    def _version_error(self, error: RequestError, served: Sequence[str]) -> VersionRetiredError:
        said = f": {served[0]} to {served[-1]}" if served else ""
        message = f"API version {self.api_version} is not served by this org. Set `api_version` to one that it serves{said}"
        return VersionRetiredError(message, error.code, error.status)

    def _check_version(self, error: RequestError) -> None:
        """Tells a path that is not there from an API version that is not."""
        served = self._served()
        if served and self.api_version not in served:
            raise self._version_error(error, served) from None

    def _served(self) -> list[str]:
        try:
            return self.versions()
        except (TapError, TypeError):  # it is only for the message
            return []

    def _headers(self, session: Session) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {session.access_token}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Sforce-Query-Options": f"batchSize={self.page_rows}",
        }


def as_page(answer: Any) -> Page:
    """A query's JSON answer as a page.

    Raises:
        UnexpectedAnswerError: it is not a query's answer, says there is more without saying where, or says neither how many rows
            there are nor whether these are all.
    """
    rows = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not set(map(type, rows)) <= {dict}:
        raise UnexpectedAnswerError("Salesforce answered a query without `records`")
    more, done = answer.get("nextRecordsUrl"), answer.get("done")
    if (done is False and not more) or not (more is None or isinstance(more, str)):
        raise UnexpectedAnswerError("Salesforce says that a query has more rows, without saying where")
    if answer.get("totalSize") is not None:
        return Page(rows, more, counted(answer))
    if not isinstance(done, bool):
        raise UnexpectedAnswerError(
            "Salesforce answered a query without saying how many rows it has (`totalSize`) or whether these are all (`done`)"
        )
    return Page(rows, more, None)


def counted(answer: Any) -> int:
    """How many rows an answer says there are.

    Raises:
        UnexpectedAnswerError: it does not say so by a number.
    """
    total = answer.get("totalSize") if isinstance(answer, dict) else None
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise UnexpectedAnswerError(
            "Salesforce answered a query with a `totalSize` that is no number of rows"
        )
    return total


def _composites(paths: Iterable[str]) -> Iterator[list[str]]:
    """The paths in groups that one composite call may hold."""
    group: list[str] = []
    queries = 0
    for path in paths:
        is_query = "/query" in path
        if len(group) == limits.COMPOSITE_REQUESTS or (is_query and queries == limits.COMPOSITE_QUERIES):
            yield group
            group, queries = [], 0
        group.append(path)
        queries += is_query
    if group:
        yield group
