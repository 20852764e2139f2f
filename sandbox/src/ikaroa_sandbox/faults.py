"""The seeded plan that says which request meets which fault.

Two sources, in this order: explicit rules (the n-th matching request, every n-th, so many times), then chance (a rate for
each kind, one draw a request from the plan's own generator, until a budget is spent). Same seed, same calls, same faults.
`mishaps.py` does what a fault says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ikaroa_sandbox.core import Request
from ikaroa_sandbox.errors import CommandError
from ikaroa_sandbox.fault_commands import Known, parse_plan
from ikaroa_sandbox.fault_rules import Chance, Fault, FaultRule
from ikaroa_sandbox.limits import FAULT_RULES_MAX, STALE_SECONDS


class FaultPlan:
    """All faults to come. `known` says whether a kind the shell does not know is one of a system's own."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.rules: list[FaultRule] = []
        self.chance: Chance | None = None
        self.stale_windows: dict[str | None, float] = {}
        """Seconds back that stale reads may ask for, by system (None: of any system)."""
        self._numbered = 0

    @property
    def active(self) -> bool:
        """Whether anything could strike at all."""
        return bool(self.rules) or self.chance is not None

    def decide(self, system: str, request: Request) -> Fault | None:
        """The fault for this request, if any. Every matching rule counts the request; the first whose turn it is strikes."""
        chosen: FaultRule | None = None
        for rule in self.rules:
            if rule.strikes(system, request) and chosen is None:
                chosen = rule
        if chosen is not None:
            chosen.struck += 1
            return chosen.fault
        return self.chance.draw(system, request) if self.chance else None

    def stale_window(self, system: str) -> float | None:
        """How many seconds back a stale read of this system may ask for; None when none may."""
        windows = [self.stale_windows[name] for name in (None, system) if name in self.stale_windows]
        return max(windows) if windows else None

    def _find_stale_windows(self) -> dict[str | None, float]:
        found: dict[str | None, float] = {}
        for rule in self.rules:
            if rule.fault.kind == "stale":
                found[rule.scope.system] = max(rule.fault.seconds, found.get(rule.scope.system, 0))
        if self.chance and "stale" in self.chance.rates:
            found[self.chance.scope.system] = max(STALE_SECONDS, found.get(self.chance.scope.system, 0))
        return found

    def add(self, command: Mapping[str, Any]) -> list[str]:
        """Adds a rule, or `{"rules": [...]}`, and `rates` with `seed`, `budget` and a scope. Returns the new rules' ids.

        Raises CommandError; then nothing was added.
        """
        rules, chance = parse_plan(command, self._known, numbered_from=self._numbered + 1)
        if len(self.rules) + len(rules) > FAULT_RULES_MAX:
            raise CommandError(
                f"more than {FAULT_RULES_MAX} fault rules; DELETE /_sandbox/faults clears them"
            )
        self._numbered += len(rules)
        self.rules.extend(rules)
        self.chance = chance or self.chance
        self.stale_windows = self._find_stale_windows()
        return [rule.fault.rule for rule in rules]

    def clear(self) -> None:
        """No faults from here on."""
        self.rules, self.chance, self.stale_windows = [], None, {}

    def save(self) -> object:
        """The plan with its counters and its generator's place, for `restore`."""
        chance = self.chance
        return (
            [(rule, rule.matched, rule.struck) for rule in self.rules],
            (chance, chance.spent, chance.random.getstate()) if chance else None,
        )

    def restore(self, saved: Any) -> None:
        """Puts a plan from `save` back."""
        rules, chance = saved
        self.rules = []
        for rule, matched, struck in rules:
            rule.matched, rule.struck = matched, struck
            self.rules.append(rule)
        self.chance = None
        if chance:
            self.chance, self.chance.spent = chance[0], chance[1]
            self.chance.random.setstate(chance[2])
        self.stale_windows = self._find_stale_windows()

    def as_json(self) -> dict[str, Any]:
        """The plan as it was given, with how often each part matched and struck."""
        rules = [
            {**rule.source, "id": rule.fault.rule, "matched": rule.matched, "struck": rule.struck}
            for rule in self.rules
        ]
        return {
            "rules": rules,
            "random": {**self.chance.source, "struck": self.chance.spent} if self.chance else None,
        }
