"""What every part of the sandbox shares: request, response, clock, rules, and the backend each system is.

The core does no I/O. It never sleeps, opens no socket and reads no wall clock: time comes from `Clock`, chance from
`World.random`. A server on sockets and an adapter for `requests` both end in the same `handle(request)`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl, unquote

PROFILES = ("default", "messy", "empty")
"""The kinds of data to begin with: a first sync meets no refusal; what must be refused or handled; nothing."""

SCHEME_HEADER = "X-Forwarded-Proto"
"""How the shells tell the core by which scheme a client came."""


class Headers(Mapping[str, str]):
    """HTTP headers: names compare without case, the spelling they came with is kept."""

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items = {name.lower(): (name, value) for name, value in (items or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items


@dataclass(frozen=True)
class Request:
    """One HTTP request as it came in. `path` is raw (still percent-encoded), `query` is raw without the `?`."""

    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    in_flight: int = 1
    """How many requests of this client are being served at this moment, this one included."""

    @property
    def segments(self) -> list[str]:
        """The path's parts, percent-decoded, without empty ones."""
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def base_url(self) -> str:
        """Scheme and host as the client used them, without a slash at the end."""
        return f"{self.headers.get(SCHEME_HEADER, 'http')}://{self.headers.get('Host', '127.0.0.1')}"

    def params(self) -> list[tuple[str, str]]:
        """The query's parameters in order, decoded, blanks kept."""
        return parse_qsl(self.query, keep_blank_values=True)

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal. Raises ValueError when it is not JSON."""
        return json.loads(self.body.decode("utf-8"), parse_float=Decimal)


@dataclass
class Response:
    """One HTTP answer, and what it did: `effects` go to the journal, never onto the wire."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    effects: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class NoResponse:
    """The client gets no (whole) answer.

    `kind`: `timeout`, `connect_failed`, `reset` (connection cut), or `truncated` (cut after the bytes of `partial`).
    """

    kind: str
    partial: Response | None = None


def exact(value: Any) -> Any:
    """The same with binary floats, as a caller in Python or plain JSON gives them, as the decimals they print as."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return [exact(item) for item in value] if isinstance(value, list) else value


class Clock:
    """The sandbox's time: follows a source of seconds (wall clock, given by the shell) plus an offset, or stands still."""

    def __init__(self, start: datetime, source: Callable[[], float] | None = None) -> None:
        self._base = start.astimezone(timezone.utc)
        self._source = source
        self._origin = source() if source else 0.0

    @property
    def frozen(self) -> bool:
        """Whether time moves only by `advance`."""
        return self._source is None

    def now(self) -> datetime:
        """The sandbox's time, in UTC."""
        if self._source is None:
            return self._base
        return self._base + timedelta(seconds=self._source() - self._origin)

    def advance(self, seconds: float) -> datetime:
        """Moves time forward (or back, below zero)."""
        self._base += timedelta(seconds=seconds)
        return self.now()

    def freeze(self) -> None:
        """Stops time at this moment."""
        self._base, self._source = self.now(), None

    def follow(self, source: Callable[[], float]) -> None:
        """Lets time run again from this moment."""
        self._base = self.now()
        self._source, self._origin = source, source()


@dataclass(frozen=True)
class Rule:
    """One rule of a platform that the sandbox keeps. An `assumed` rule has at least two variants; the first is the default."""

    id: str
    text: str
    mark: str
    """`documented`, `recorded` or `assumed`."""
    source: str
    variants: tuple[str, ...] = ("on",)


@dataclass(frozen=True)
class Declare:
    """Declares the rules of one system; by mark, where they are known from unless a rule says otherwise."""

    system: str
    documented_in: str
    recorded_in: str
    assumed_from: str

    def documented(self, name: str, text: str, source: str | None = None) -> Rule:
        """A rule that the platform, or somebody who quotes or probed it, states."""
        return Rule(f"{self.system}.{name}", text, "documented", source or self.documented_in)

    def recorded(self, name: str, text: str, source: str | None = None) -> Rule:
        """A rule that was seen at work."""
        return Rule(f"{self.system}.{name}", text, "recorded", source or self.recorded_in)

    def assumed(self, name: str, text: str, variants: tuple[str, ...], source: str | None = None) -> Rule:
        """A rule nobody knows: its variants, the stricter one first."""
        return Rule(f"{self.system}.{name}", text, "assumed", source or self.assumed_from, variants)


class Variants:
    """Which variant of each rule holds now. `seeded` lets chance choose among the variants of the assumed ones."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self._chosen: dict[str, str] = {}

    def __getitem__(self, rule_id: str) -> str:
        return self._chosen.get(rule_id, self.rules[rule_id].variants[0])

    def choose(self, rule_id: str, variant: str) -> None:
        """Sets one rule's variant. Raises KeyError for an unknown rule, ValueError for an unknown variant."""
        if variant not in self.rules[rule_id].variants:
            known = ", ".join(self.rules[rule_id].variants)
            raise ValueError(f"rule {rule_id} has no variant {variant!r}; it has {known}")
        self._chosen[rule_id] = variant

    def seeded(self, chance: random.Random) -> None:
        """Draws a variant for every assumed rule."""
        for rule in self.rules.values():
            if rule.mark == "assumed":
                self._chosen[rule.id] = chance.choice(rule.variants)

    def chosen(self) -> dict[str, str]:
        """Every rule's variant, by rule id."""
        return {rule_id: self[rule_id] for rule_id in self.rules}


@dataclass
class World:
    """What a backend is given: the time, chance and the variants in force."""

    clock: Clock
    variants: Variants
    random: random.Random


@runtime_checkable
class Spoiler(Protocol):
    """A system with faults of its own that need its right answer first."""

    spoils: Mapping[str, str]
    """Kind of fault -> what happens."""

    def spoil(self, kind: str, request: Request, answer: Response, seconds: float | None) -> Response:
        """The right answer to a request, as a fault of `spoils` leaves it."""


class Backend(Protocol):
    """One simulated system. The core routes requests to it and knows nothing of its rules."""

    name: str
    """`salesforce` or `xero`."""

    def owns(self, request: Request) -> bool:
        """Whether this request's path is one of this system's."""

    def handle(self, request: Request) -> Response:
        """Answers one request and does what it asks. Never raises for bad input: that is a 4xx of the platform's own shape."""

    def fault(self, kind: str, request: Request) -> Response | None:
        """This system's own answer for a named fault (`429_minute`, `500`, `503`, …); None for a fault it does not know."""

    def expire_tokens(self) -> None:
        """Makes every access token given out so far worthless."""

    def reset(self) -> None:
        """An empty system, as after signing up: settings there, no records."""

    def seed(self, seed: int, profile: str) -> dict[str, int]:
        """Fills the system with believable data; returns how many of each kind. Same seed and clock, same data."""

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person's hand in the system, outside the API. Raises ValueError with a sentence when it cannot be done."""

    def dump(self) -> dict[str, Any]:
        """The whole state as plain JSON values (money as exact text): what independent checkers read."""

    def save(self) -> object:
        """A copy of the state for `restore`."""

    def restore(self, saved: object) -> None:
        """Puts a state from `save` back."""
