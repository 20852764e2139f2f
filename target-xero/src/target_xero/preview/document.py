"""A plan: what would become of every document, what it comes to, what it costs; and the hash that names it.

The JSON form is described in docs/plan.md. Amounts are hundredths here and exact text there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from target_xero import limits
from target_xero.ledger.base import dump

FORMAT = 1
"""Of the JSON form; raised when a field changes its meaning."""
WRITES = ("create", "update", "delete", "void", "archive")
ACTIONS = (*WRITES, "link", "wait", "refuse", "park")
TITLES = {
    "create": "To be created",
    "update": "To be updated",
    "delete": "To be deleted",
    "void": "To be voided",
    "archive": "To be archived",
    "link": "In Xero already: to be linked, not written",
    "wait": "Waiting",
    "refuse": "Refused",
    "park": "Parked: a person must look",
    "left": "Left alone",
}
SHORT_HASH = 12


@dataclass(frozen=True)
class Change:
    """One field of an update."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One line of a sales document, as it will stand in Xero."""

    description: str
    quantity: str
    unit_amount: str
    discount: str
    account: str
    tax_type: str
    item: str
    tracking: str
    amount_minor: int | None
    tax_minor: int | None


@dataclass(frozen=True)
class PlannedDocument:
    """What would become of one document."""

    action: str
    """One of `ACTIONS`, or `left` (undo only)."""
    kind: str
    source_key: str
    label: str
    url: str = ""
    number: str = ""
    """Xero's number, where it has one."""
    remote_id: str = ""
    """Xero's id of what is changed."""
    party: str = ""
    """The contact, or the document a payment is for."""
    date: str = ""
    due: str = ""
    status: str = ""
    currency: str = ""
    source_minor: int | None = None
    """As the source means it: before tax, or with it where its prices include it; of what is written."""
    before_tax_minor: int | None = None
    tax_minor: int | None = None
    """None: not to be told."""
    total_minor: int | None = None
    was_total_minor: int | None = None
    """Of what Xero has now, tax included."""
    fields: tuple[tuple[str, str], ...] = ()
    lines: tuple[Line, ...] = ()
    changes: tuple[Change, ...] = ()
    reason: str = ""
    """Why it waits, is refused or parked, with the cure."""
    rules: tuple[str, ...] = ()
    proposal: Mapping[str, Any] | None = None
    """What a person could send instead (see `execute.proposal`); it is never sent by itself."""
    intent: int = 0
    revision: int = 0
    proposed_by: str = ""
    content_hash: str = ""
    before_hash: str = ""
    """Of what Xero has (see `execute.drift`); empty: nothing. Of a link to what only a list has shown: its id in Xero."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What the plan's hash is made over."""
        return (self.action, self.kind, self.source_key, self.content_hash, self.before_hash)

    @property
    def is_write(self) -> bool:
        """Whether it costs a write."""
        return self.action in WRITES

    def as_dict(self) -> dict[str, Any]:
        """As in docs/plan.md; fields that say nothing are absent."""
        told: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "action", "kind", "source_key", "label", "url", "number", "remote_id", "party", "date", "due",
                "status", "currency", "reason", "intent", "revision", "proposed_by", "content_hash", "before_hash",
            )
        }  # fmt: skip
        told |= {
            name: exact(getattr(self, f"{name}_minor"))
            for name in ("source", "before_tax", "tax", "total", "was_total")
        }
        told["rules"] = list(self.rules)
        told["proposal"] = dict(self.proposal or {})
        told["fields"] = dict(self.fields)
        told["lines"] = [_line(line) for line in self.lines]
        told["changes"] = [vars(change) for change in self.changes]
        return {name: value for name, value in told.items() if value not in ("", None, 0, [], {})}


def _line(line: Line) -> dict[str, Any]:
    told = {name: value for name, value in vars(line).items() if not name.endswith("_minor")}
    told |= {"amount": exact(line.amount_minor), "tax": exact(line.tax_minor)}
    return {name: value for name, value in told.items() if value not in ("", None)}


def exact(minor: int | None) -> str | None:
    """Hundredths as exact text."""
    return None if minor is None else str(Decimal(minor).scaleb(-2))


@dataclass(frozen=True)
class Sum:
    """What the writes of one kind, action and currency come to."""

    kind: str
    action: str
    currency: str
    documents: int
    source_minor: int | None
    """As the source means its amounts: what the run's report and `reconcile` say. None, here and below: of at least one
    document not to be told."""
    before_tax_minor: int | None
    tax_minor: int | None
    total_minor: int | None
    untold: int = 0
    """Documents whose tax is not to be told."""

    def as_dict(self) -> dict[str, Any]:
        """As in docs/plan.md."""
        return {
            "kind": self.kind,
            "action": self.action,
            "currency": self.currency,
            "documents": self.documents,
            "source": exact(self.source_minor),
            "before_tax": exact(self.before_tax_minor),
            "tax": exact(self.tax_minor),
            "total": exact(self.total_minor),
        }


@dataclass
class Plan:
    """One organisation's plan."""

    purpose: str
    """`run` (what a run would do), `proposals` (what waits for approval) or `undo`."""
    organisation: str
    organisation_id: str
    base_currency: str
    is_demo: bool
    run_by: str
    made_at: datetime
    """On Xero's clock."""
    settings: dict[str, Any]
    """Those that decide what is written."""
    documents: list[PlannedDocument]
    unchanged: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    """The calls it will take, by purpose."""
    day_left: int | None = None
    """Calls that Xero still grants today, as it last said."""
    stopped: str = ""
    """Why the plan is not whole."""
    would_stop: str = ""
    """What a run would be stopped for: more than a limit of the settings allows. The plan is whole all the same."""
    undoes: int = 0
    """The run that is undone."""

    def of(self, *actions: str) -> Iterator[PlannedDocument]:
        """The documents with these actions."""
        return (document for document in self.documents if document.action in actions)

    @property
    def is_clean(self) -> bool:
        """Whether a run would do all of it, and nothing in it is refused or parked."""
        return not (self.stopped or self.would_stop) and not any(self.of("refuse", "park"))

    @property
    def calls_total(self) -> int:
        """All calls it will take."""
        return sum(self.calls.values())

    @property
    def minutes(self) -> int:
        """At Xero's limit of calls a minute, begun minutes counted whole."""
        return -(-self.calls_total // limits.CALLS_PER_MINUTE)

    @property
    def sums(self) -> list[Sum]:
        """Money by kind, action and currency."""
        found: dict[tuple[str, str, str], list[PlannedDocument]] = {}
        for document in self.documents:
            if document.is_write and (document.before_tax_minor, document.total_minor) != (None, None):
                found.setdefault((document.kind, document.action, document.currency), []).append(document)
        return [_sum(*key, documents) for key, documents in found.items()]

    @property
    def hash(self) -> str:
        """SHA-256 over what would be done to which document, from which revision, over what Xero has.

        It does not depend on when, by whom and how often the plan is made.
        """
        content = {
            "format": FORMAT,
            "organisation": self.organisation_id,
            "documents": sorted(list(document.identity) for document in self.documents),
        }
        return hashlib.sha256(dump(content).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def short_hash(self) -> str:
        """Enough of the hash to name the plan."""
        return self.hash[:SHORT_HASH]

    def as_dict(self) -> dict[str, Any]:
        """As in docs/plan.md."""
        return {
            "format": FORMAT,
            "plan_hash": self.hash,
            "purpose": self.purpose,
            **({"undoes_run": self.undoes} if self.undoes else {}),
            "organisation": {
                "name": self.organisation,
                "id": self.organisation_id,
                "base_currency": self.base_currency,
                "is_demo": self.is_demo,
            },
            "run_by": self.run_by,
            "made_at": self.made_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "settings": self.settings,
            "stopped": self.stopped or None,
            "would_stop": self.would_stop or None,
            "counts": {action: count for action in TITLES if (count := sum(1 for _ in self.of(action)))},
            "unchanged": self.unchanged,
            "money": [found.as_dict() for found in self.sums],
            "calls": {
                "total": self.calls_total,
                "by_purpose": self.calls,
                "minutes": self.minutes,
                "day_left": self.day_left,
            },
            "documents": [document.as_dict() for document in self.documents],
        }


def _sum(kind: str, action: str, currency: str, documents: list[PlannedDocument]) -> Sum:
    def whole(amounts: list[int | None]) -> int | None:
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None

    return Sum(
        kind,
        action,
        currency,
        len(documents),
        whole([document.source_minor for document in documents]),
        whole([document.before_tax_minor for document in documents]),
        whole([document.tax_minor for document in documents]),
        whole([document.total_minor for document in documents]),
        sum(document.tax_minor is None for document in documents),
    )
