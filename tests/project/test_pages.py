"""What the pages name is there: addresses within pages, commands, settings, `make` targets. No page stands alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tap_salesforce_ikaroa.commands import COMMANDS as OF_TAP
from target_xero.commands import COMMANDS as OF_TARGET

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sandbox", "transforms", "tap-salesforce-ikaroa", "target-xero")
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / package / "README.md" for package in PACKAGES),
]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@each_page
def test_every_link_within_the_project_leads_to_a_file_and_to_a_heading(page: Path) -> None:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in link:
            continue
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (heading and heading not in anchors(target)):
            dead.append(link)
    assert dead == []


@each_page
def test_every_command_named_is_a_command(page: Path) -> None:
    text = text_of(page)
    named = re.findall(r"\b(target-xero|tap-salesforce-ikaroa):([a-z]+)", text)
    named += re.findall(r"`(target-xero|tap-salesforce-ikaroa) ([a-z]+)[` ]", text)
    known = {"target-xero": OF_TARGET, "tap-salesforce-ikaroa": OF_TAP}
    assert [
        command for plugin, command in named if command not in known[plugin] and command != "target"
    ] == []


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / ".env.example"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_variable_named_is_a_setting(page: Path, variables: set[str]) -> None:
    text = text_of(page)
    heirs = re.findall(r"name: target-xero(-\w+)\n\s+inherit_from: target-xero\n", text)
    known = variables | {
        name.replace("TARGET_XERO", f"TARGET_XERO{heir.replace('-', '_').upper()}", 1)
        for heir in heirs
        for name in variables
    }
    named = re.findall(r"\b(?:TAP_SALESFORCE_IKAROA|TARGET_XERO)_[A-Z_]*[A-Z]\b", text)
    assert [name for name in named if name not in known] == []


def make_commands_of(page: Path) -> list[str]:
    return re.findall(r"(?:`|\$ |^ *|&& )make ([a-z][a-z-]+)", text_of(page), re.MULTILINE)


@each_page
def test_every_make_command_named_is_a_target(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert [name for name in make_commands_of(page) if name not in targets] == []


def test_the_readme_names_what_a_newcomer_types_first() -> None:
    assert {"demo", "test", "sandbox", "help"} <= set(make_commands_of(ROOT / "README.md"))


def test_every_page_of_docs_is_found_from_the_readme_or_a_plugins() -> None:
    starts = "".join(text_of(page) for page in PAGES if page.name == "README.md")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name})" not in starts] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_takes_the_licence_along(package: str) -> None:
    assert (ROOT / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    project = (ROOT / package / "pyproject.toml").read_text(encoding="utf-8")
    assert 'license-files = ["LICENSE"]' in project
    assert '"LICENSE"]' in project.partition("[tool.hatch.build.targets.sdist]")[2]
