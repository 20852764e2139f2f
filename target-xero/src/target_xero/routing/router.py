"""Which organisation a document belongs to: by the settings' conditions alone. Pure: no ledger, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_to_xero.expressions import FAILURES
from crm_to_xero.scope import Scope

from target_xero.refusal import Refusal
from target_xero.routing.branches import Branch

NONE, SEVERAL, UNCLEAR, ELSEWHERE = "route_none", "route_several", "route_unclear", "route_elsewhere"
RULES = frozenset({NONE, SEVERAL, UNCLEAR, ELSEWHERE})
"""What a document can be refused for before it belongs to an organisation."""


@dataclass(frozen=True)
class Arrival:
    """One document on its way, in the shape that each mapping gave it."""

    stream: str
    bodies: Mapping[int, Mapping[str, Any]]
    """By variant: organisations with mapping options of their own have documents of their own."""
    record: Mapping[str, Any]
    """What it was made from; without a mapping the document itself."""
    source: str = ""
    """The source stream of `record`; empty without a mapping."""

    @property
    def document(self) -> Mapping[str, Any]:
        """One of its shapes, for what all have in common."""
        return next(iter(self.bodies.values()))


@dataclass
class Route:
    """Where a document goes: to the branches named by number, or nowhere for a reason."""

    branches: list[int] = field(default_factory=list)
    refusal: Refusal | None = None


class Router:
    """Asks every organisation's condition.

    Args:
        branches: the organisations.
        variants: which variant of a document each of them takes, in the same order.
    """

    def __init__(self, branches: Sequence[Branch], variants: Sequence[int]) -> None:
        self._branches = branches
        self._variants = variants

    def route(self, arrival: Arrival) -> Route:
        """Exactly one organisation whose `when` holds; beside it those that take all documents of the stream."""
        matching: list[int] = []
        for number, (branch, variant) in enumerate(zip(self._branches, self._variants, strict=True)):
            body = arrival.bodies.get(variant)
            if body is None:
                continue
            try:
                if branch.when(_scope(arrival, body)):
                    matching.append(number)
            except FAILURES as failure:
                why = branch.when.explain(failure, _scope(arrival, body))
                return Route(refusal=_unclear(branch, str(why)))
        takers = [
            number
            for number, branch in enumerate(self._branches)
            if arrival.stream in branch.takes_all and self._variants[number] in arrival.bodies
        ]
        if takers:
            return Route(sorted({*takers, *matching}))
        if len(matching) == 1:
            return Route(matching)
        return Route(refusal=self._no_single(arrival, matching))

    def _no_single(self, arrival: Arrival, matching: Sequence[int]) -> Refusal:
        names = ", ".join(self._branches[number].name for number in matching or range(len(self._branches)))
        conditions = "; ".join(
            f"{branch.name}: {branch.when.source}"
            for number, branch in enumerate(self._branches)
            if not matching or number in matching
        )
        if matching:
            cure = (
                f"It belongs to several organisations at once ({conditions}). Make their conditions exclude each other in the "
                "setting organisations, or correct the record; the next run looks again by itself."
            )
            return Refusal(SEVERAL, "organisation", names, cure)
        shared = (
            " A stream that every organisation needs is named in its takes_all."
            if arrival.stream in ("contacts", "items")
            else ""
        )
        cure = (
            f"It belongs to none of the organisations ({conditions}). Complete the record, or the conditions in the setting "
            f"organisations; the next run looks again by itself.{shared}"
        )
        return Refusal(NONE, "organisation", names, cure)


def _unclear(branch: Branch, why: str) -> Refusal:
    cure = (
        f"Whether it belongs to {branch.name} cannot be worked out: {branch.when.source} ({why}). Correct the record, or the "
        "condition in the setting organisations."
    )
    return Refusal(UNCLEAR, "organisation", branch.name, cure)


def _scope(arrival: Arrival, body: Mapping[str, Any]) -> Scope:
    scope = Scope(body, {})
    scope["document"], scope["record"], scope["stream"] = body, arrival.record, arrival.stream
    return scope
