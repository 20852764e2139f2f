"""The rules of documents are complete and honest: each variant that code asks for exists, and each that exists is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import ikaroa_sandbox.xero as package
from ikaroa_sandbox.xero.rules_of_documents import RULES

SOURCES = {path.name: path.read_text(encoding="utf-8") for path in Path(package.__file__).parent.glob("*.py")}


def test_ids_are_unique_and_every_rule_has_a_text_and_a_source() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(
        rule.text and rule.source and rule.mark in ("documented", "recorded", "assumed") for rule in RULES
    )


def test_assumed_rules_have_two_variants_and_others_one() -> None:
    for rule in RULES:
        assert (len(rule.variants) > 1) == (rule.mark == "assumed"), rule.id


def test_every_assumed_rule_is_asked_for_in_the_code() -> None:
    code = "\n".join(text for name, text in SOURCES.items() if not name.endswith("rules.py"))
    for rule in RULES:
        if rule.mark == "assumed":
            assert f'"{rule.id}"' in code, rule.id


def test_the_code_compares_with_variants_that_exist() -> None:
    known = {rule.id: rule.variants for rule in RULES}
    compared = re.compile(r'variants\["(xero\.[a-z_.]+)"\]\s*(?:==|!=)\s*"([a-z_0-9]+)"')
    for name, text in SOURCES.items():
        for rule_id, variant in compared.findall(text):
            if rule_id in known:
                assert variant in known[rule_id], f"{name}: {rule_id} has no variant {variant}"
