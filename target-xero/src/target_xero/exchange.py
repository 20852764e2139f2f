"""The words in which executor and driver talk: a call to Xero, and what came of it. No I/O here."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Purpose(str, enum.Enum):
    """Why a call is made; the run's summary counts calls by it."""

    CONNECT = "connect"
    """Organisation, accounts, tax rates: once a run."""
    LOOK_UP = "look up"
    """Does Xero have this already?"""
    WRITE = "write"


class Failure(str, enum.Enum):
    """A call that brought no whole HTTP answer."""

    NEVER_SENT = "never sent"
    """Provably no byte of the request reached Xero: DNS, refused or timed-out connect, no free connection."""
    AMBIGUOUS = "ambiguous"
    """It may have reached Xero, and may still be carried out."""


@dataclass(frozen=True)
class Call:
    """One request to Xero's Accounting API. `path` is relative to the API's root, e.g. `/Contacts`."""

    purpose: Purpose
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    """JSON; Decimal values are written as exact numbers."""
    idempotency_key: str | None = None
    intents: tuple[int, ...] = ()
    """The ledger's intents this call carries, in the order of the body's elements."""
    sent_ms: int | None = None
    """When the ledger took it for sent, on Xero's clock: its first byte leaves within moments of it, or not at all."""


@dataclass(frozen=True)
class Answer:
    """What came of a call: either an HTTP answer (`status` set) or a failure (`failure` set), never both."""

    call: Call
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: Any = None
    """Parsed JSON, numbers with a point as Decimal; None when there was none or it did not parse."""
    text: str = ""
    """The raw text, for messages; never logged whole."""
    failure: Failure | None = None
    failure_detail: str = ""
    granted: tuple[str, ...] = ()
    """The scopes that a refused access has (401, 403), as far as the token says."""
