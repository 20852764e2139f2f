"""The list of rules and the code that keeps them belong together."""

from __future__ import annotations

import re
from pathlib import Path

import ikaroa_sandbox.xero
import pytest
from ikaroa_sandbox.xero.rules import RULES

SOURCE = "\n".join(path.read_text() for path in Path(ikaroa_sandbox.xero.__file__).parent.rglob("*.py"))
LOOKED_UP = set(re.findall(r'variants\[\s*"([\w.]+)"\s*\]', SOURCE))


def test_rule_ids_are_unique_and_xeros():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(rule_id.startswith("xero.") for rule_id in ids)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_marked_sourced_and_assumed_ones_have_variants(rule):
    assert rule.mark in {"documented", "recorded", "assumed"}
    assert rule.text
    assert rule.source
    assert (len(rule.variants) > 1) is (rule.mark == "assumed")


def test_every_assumed_rule_is_asked_for_in_the_code_and_every_rule_asked_for_exists():
    assumed = {rule.id for rule in RULES if rule.mark == "assumed"}
    assert assumed == LOOKED_UP
