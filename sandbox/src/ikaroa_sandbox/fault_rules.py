"""The vocabulary of faults, and the two things that bring them about: explicit rules and seeded chance."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from ikaroa_sandbox.core import Request
from ikaroa_sandbox.limits import LATE_COMMIT_SECONDS, SLOW_SECONDS, STALE_SECONDS

KINDS: dict[str, str] = {
    "429_minute": "refused: the minute's calls are used up",
    "429_day": "refused: the day's calls are used up",
    "429_concurrent": "refused: too many calls at once",
    "429_appminute": "refused: all users of the app together called too often this minute",
    "500_before": "500, and nothing was done",
    "500_after": "500, although it was done",
    "502_before": "502, and nothing was done",
    "502_after": "502, although it was done",
    "503_before": "503, and nothing was done",
    "503_after": "503, although it was done",
    "504_before": "504, and nothing was done",
    "504_after": "504, although it was done",
    "timeout_before": "no answer, and nothing was done",
    "timeout_after": "no answer, although it was done",
    "late_commit": "no answer (or `answer`: 500, 502, 503, 504, reset), and it is done `seconds` of sandbox time later",
    "connect_failed": "the connection is refused, nothing was sent (in process; on sockets the connection is cut instead)",
    "reset_before": "the connection is cut before an answer, and nothing was done",
    "reset_after": "the connection is cut before an answer, although it was done",
    "reset_mid_body": "the connection is cut in the middle of the answer; it was done",
    "reset_after_body": "the connection is cut after the whole answer; it was done",
    "truncated_json": "a whole HTTP answer whose JSON breaks off; it was done",
    "html_page_before": "an HTML page (`status`, 503 unless given) instead of JSON, and nothing was done",
    "html_page_after": "an HTML page (`status`, 200 unless given) instead of JSON, although it was done",
    "wrong_content_type": "the right answer called text/plain",
    "duplicate": "the request arrives twice (a proxy's own retry); the client gets the second answer",
    "slow": "the answer takes `seconds` longer",
    "expire_tokens": "every access token given out so far is worthless from here on, this request's too",
    "stale": "a read answers from the data of `seconds` ago; a write is not touched",
    "edit": "a person's `edit` (see POST /_sandbox/edit) happens just before the request is handled",
}
"""Every kind the shell knows, for either system. Kinds of one platform alone are asked of that system itself."""


DEFAULT_SECONDS = {"late_commit": LATE_COMMIT_SECONDS, "slow": SLOW_SECONDS, "stale": STALE_SECONDS}
"""How late, how slow, how far behind: by kind, unless the rule says otherwise."""


@dataclass(frozen=True)
class Fault:
    """One fault about to happen."""

    kind: str
    rule: str
    given_seconds: float | None = None
    """As the rule says; None leaves it to the kind."""
    status: int | None = None
    answer: str = "timeout"
    edit: Mapping[str, Any] | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts, reaches back or puts off."""
        return DEFAULT_SECONDS.get(self.kind, 0) if self.given_seconds is None else self.given_seconds


@dataclass
class Scope:
    """Which requests something is about. Expressions are compiled once and searched, not matched whole."""

    system: str | None = None
    methods: frozenset[str] | None = None
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None
    body: re.Pattern[str] | None = None

    def covers(self, system: str, request: Request) -> bool:
        """Whether the request is one of them. `query` is compared decoded, `body` as text."""
        if (self.system is not None and self.system != system) or (
            self.methods is not None and request.method not in self.methods
        ):
            return False
        if self.path is not None and not self.path.search(request.path):
            return False
        if self.query is not None and not self.query.search(unquote_plus(request.query)):
            return False
        return self.body is None or bool(self.body.search(request.body.decode("utf-8", errors="replace")))


@dataclass
class FaultRule:
    """An explicit rule and how often it has matched and struck."""

    fault: Fault
    scope: Scope
    nth: frozenset[int] | None
    every: int | None
    after: int
    times: int | None
    source: dict[str, Any]
    matched: int = 0
    struck: int = 0

    def strikes(self, system: str, request: Request) -> bool:
        """Counts the request if it matches, and says whether this rule's turn has come."""
        if not self.scope.covers(system, request):
            return False
        self.matched += 1
        if self.times is not None and self.struck >= self.times:
            return False
        place = self.matched - self.after
        if place < 1:
            return False
        if self.nth is not None:
            return place in self.nth
        return place % self.every == 0 if self.every is not None else True


@dataclass
class Chance:
    """Random faults: a rate a kind, within a scope, until the budget is spent."""

    rates: dict[str, float]
    scope: Scope
    budget: int | None
    seed: int | str
    source: dict[str, Any]
    spent: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(f"faults:{self.seed}")  # noqa: S311  chance that must repeat, not a secret

    def draw(self, system: str, request: Request) -> Fault | None:
        """One draw for a request in scope. Draws go on when the budget is spent, so that it does not shift other runs."""
        if not self.scope.covers(system, request):
            return None
        drawn = self.random.random()
        if self.budget is not None and self.spent >= self.budget:
            return None
        for kind, rate in self.rates.items():
            if drawn < rate:
                self.spent += 1
                return Fault(kind, "random")
            drawn -= rate
        return None
