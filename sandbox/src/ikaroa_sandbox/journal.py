"""The journal: every exchange as it was on the wire, for checkers that trust no client's log.

An exchange keeps references only; text is made, and secrets are taken out, when somebody reads it. Bounded by count and by
body bytes: the oldest go first, the counts stay.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ikaroa_sandbox.core import SCHEME_HEADER, Request
from ikaroa_sandbox.errors import CommandError
from ikaroa_sandbox.limits import JOURNAL_BODY_BYTES_MAX, JOURNAL_ENTRIES_MAX, JOURNAL_PAGE_MAX
from ikaroa_sandbox.times import iso

_SECRET_FIELDS = frozenset(
    {
        "client_secret",
        "refresh_token",
        "access_token",
        "token",
        "assertion",
        "client_assertion",
        "password",
        "code",
    }
)
_SECRET_JSON = re.compile(rf'("(?:{"|".join(sorted(_SECRET_FIELDS))})"\s*:\s*")[^"]*(")')
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-sfdc-session"})
REDACTED = "[secret]"


@dataclass(slots=True)
class Exchange:
    """One request and what became of it."""

    seq: int
    at: datetime
    system: str
    request: Request
    status: int | None
    """What the client was told; None when it got no answer."""
    outcome: str
    """`answered`, `timeout`, `reset`, `truncated`, `connect_failed`; `late` and `duplicate` for what no client waited for."""
    handled_status: int | None
    """What the system itself answered; None when the request never reached it (or has not yet: a late commit)."""
    effects: list[dict[str, Any]]
    fault: str | None = None
    of: int | None = None
    """For a late commit or a duplicate: the `seq` of the exchange it belongs to."""
    response_bytes: int = 0
    elapsed_ms: float | None = None
    """Real time spent inside; None where the shell gave no timer, so that a journal can be compared byte for byte."""

    def as_json(self) -> dict[str, Any]:
        """This exchange as plain JSON values, without secrets."""
        request = self.request
        return {
            "seq": self.seq,
            "at": iso(self.at),
            "system": self.system,
            "method": request.method,
            "path": request.path,
            "query": _redacted_form(request.query),
            "headers": {
                name: _redacted_header(name, value)
                for name, value in request.headers.items()
                if name != SCHEME_HEADER  # not the client's own
            },
            "body": _body_text(request),
            "in_flight": request.in_flight,
            "status": self.status,
            "outcome": self.outcome,
            "handled_status": self.handled_status,
            "fault": self.fault,
            "of": self.of,
            "effects": self.effects,
            "response_bytes": self.response_bytes,
            "elapsed_ms": self.elapsed_ms,
        }


@dataclass(frozen=True)
class JournalQuery:
    """Which exchanges somebody asks for. `path` is a regular expression searched in the raw path."""

    since: int = 0
    system: str | None = None
    method: str | None = None
    path: str | None = None
    limit: int = JOURNAL_PAGE_MAX


class Journal:
    """The exchanges since the last clearing, oldest first."""

    def __init__(
        self, entries_max: int = JOURNAL_ENTRIES_MAX, body_bytes_max: int = JOURNAL_BODY_BYTES_MAX
    ) -> None:
        self._entries: deque[Exchange] = deque()
        self._entries_max = entries_max
        self._body_bytes_max = body_bytes_max
        self._body_bytes = 0
        self._seq = 0
        self.dropped = 0
        self.counts: Counter[tuple[str, str, str, int | None]] = Counter()
        """How many of each (system, method, outcome, status), dropped exchanges included."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._entries))

    @property
    def last_seq(self) -> int:
        """The number of the newest exchange; numbers are never used twice, clearing included."""
        return self._seq

    def next_seq(self) -> int:
        """Takes the next number."""
        self._seq += 1
        return self._seq

    def add(self, entry: Exchange) -> None:
        """Appends one exchange, dropping the oldest ones where a limit is passed."""
        entries = self._entries
        entries.append(entry)
        self._body_bytes += len(entry.request.body)
        self.counts[entry.system, entry.request.method, entry.outcome, entry.status] += 1
        while len(entries) > self._entries_max or (
            self._body_bytes > self._body_bytes_max and len(entries) > 1
        ):
            self._body_bytes -= len(entries.popleft().request.body)
            self.dropped += 1

    def select(self, query: JournalQuery) -> list[Exchange]:
        """The exchanges asked for, oldest first, at most `query.limit`. Raises CommandError for a bad expression."""
        try:
            path = re.compile(query.path) if query.path else None
        except re.error as error:
            raise CommandError(f"path {query.path!r} is no regular expression: {error}") from error
        method = query.method.upper() if query.method else None
        found: list[Exchange] = []
        for entry in self._entries:
            if entry.seq <= query.since or (query.system and entry.system != query.system):
                continue
            if (method and entry.request.method != method) or (path and not path.search(entry.request.path)):
                continue
            found.append(entry)
            if len(found) >= query.limit:
                break
        return found

    def clear(self) -> None:
        """Forgets every exchange and count. Numbers go on."""
        self._entries.clear()
        self._body_bytes = 0
        self.dropped = 0
        self.counts.clear()

    def save(self) -> object:
        """The journal as it is, for `restore`."""
        return tuple(self._entries), self._seq, self.dropped, self._body_bytes, Counter(self.counts)

    def restore(self, saved: Any) -> None:
        """Puts a journal from `save` back."""
        entries, self._seq, self.dropped, self._body_bytes, counts = saved
        self._entries = deque(entries)
        self.counts = Counter(counts)


def _redacted_header(name: str, value: str) -> str:
    if name.lower() not in _SECRET_HEADERS:
        return value
    scheme, _, rest = value.partition(" ")
    return f"{scheme} {REDACTED}" if rest else REDACTED


def _redacted_form(text: str) -> str:
    if not text or not any(field in text for field in _SECRET_FIELDS):
        return text
    pairs = parse_qsl(text, keep_blank_values=True)
    if not any(name in _SECRET_FIELDS for name, _ in pairs):
        return text
    return urlencode(
        [(name, REDACTED if name in _SECRET_FIELDS else value) for name, value in pairs], safe="[]"
    )


def _body_text(request: Request) -> str:
    text = request.body.decode("utf-8", errors="replace")
    if "json" in request.headers.get("Content-Type", ""):
        return _SECRET_JSON.sub(rf"\g<1>{REDACTED}\g<2>", text) if _might_hold_secret(text) else text
    if text[:1] in "{[<":
        return text
    return _redacted_form(text)


def _might_hold_secret(text: str) -> bool:
    return any(f'"{field}"' in text for field in _SECRET_FIELDS)
