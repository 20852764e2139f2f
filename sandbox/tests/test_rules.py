"""The lists of rules and the code that keeps them belong together."""

from __future__ import annotations

import re
from pathlib import Path

import ikaroa_sandbox
import pytest
from ikaroa_sandbox.core import Rule
from ikaroa_sandbox.systems import standard_systems

RULES = {system.rules[0].id.partition(".")[0]: system.rules for system in standard_systems()}
"""By the system that the first rule names."""
each_system = pytest.mark.parametrize(("system", "rules"), RULES.items(), ids=RULES)


def code_of(system: str) -> str:
    folder = Path(ikaroa_sandbox.__file__).parent / system
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))


def test_both_systems_have_rules() -> None:
    assert list(RULES) == ["salesforce", "xero"]


@each_system
def test_a_rule_is_named_once_marked_and_sourced(system: str, rules: tuple[Rule, ...]) -> None:
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.id.startswith(f"{system}."), rule.id
        assert rule.mark in {"documented", "recorded", "assumed"}, rule.id
        assert rule.text, rule.id
        assert rule.source, rule.id


@each_system
def test_assumed_rules_alone_have_variants_to_choose_from(system: str, rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        assert (len(set(rule.variants)) > 1) is (rule.mark == "assumed"), rule.id


@each_system
def test_the_code_asks_for_every_assumed_rule_and_for_no_other(system: str, rules: tuple[Rule, ...]) -> None:
    asked = set(re.findall(rf'\[\s*"({system}\.[\w.]+)"\s*\]', code_of(system)))
    assert asked == {rule.id for rule in rules if rule.mark == "assumed"}


@each_system
def test_the_code_compares_with_variants_that_exist(system: str, rules: tuple[Rule, ...]) -> None:
    known = {rule.id: rule.variants for rule in rules}
    compared = re.findall(rf'\["({system}\.[\w.]+)"\]\s*[=!]=\s*"(\w+)"', code_of(system))
    assert len(compared) > 8
    assert [one for one in compared if one[1] not in known[one[0]]] == []
