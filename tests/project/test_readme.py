"""What the README tells a newcomer to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_make_command_is_a_target() -> None:
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = set(re.findall(r"(?:`|\$ |^ +)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test", "sandbox", "help"} <= named
    assert named <= targets


def test_every_variable_is_a_setting() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    known = {
        f"{plugin['name']}_{setting['name']}".replace("-", "_").upper()
        for kind in ("extractors", "loaders")
        for plugin in project["plugins"][kind]
        for setting in plugin.get("settings", [])
    }
    text = README + (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:TAP_SALESFORCE_IKAROA|TARGET_XERO)_[A-Z_]+\b", text))
    assert len(named) > 8
    assert named <= known


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
        assert not dead, page.name
