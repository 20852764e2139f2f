"""docs/commands.md has every command once, with the very help that the command gives (`UPDATE_DOCS=1` writes it anew)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
import pytest
from target_xero.commands import COMMANDS, group
from target_xero.xero import scopes

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/commands.md"
_WIDTH = 100


def help_of(name: str) -> str:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    context = click.Context(
        command, info_name=f"target-xero {name}", terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    return f"```text\n{command.get_help(context)}\n```\n"


def written(page: str, name: str) -> re.Match[str]:
    found = re.findall(rf"<!-- help of {name} -->\n", page)
    assert len(found) == 1, f"{name} is to be told once"
    match = re.search(rf"<!-- help of {name} -->\n(.*?)<!-- end of help of {name} -->\n", page, re.DOTALL)
    assert match
    return match


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_shows_the_commands_own_help(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    match = written(page, name)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page[: match.start(1)] + help_of(name) + page[match.end(1) :], encoding="utf-8")
        return
    assert match[1] == help_of(name), "run: UPDATE_DOCS=1 pytest tests/project/test_commands_page.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_help_of_its_own(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert (command.help or "").startswith(COMMANDS[name])
    members = command.commands.values() if isinstance(command, click.Group) else [command]
    for member in members:
        options = {option.name: option for option in member.params if isinstance(option, click.Option)}
        assert [option for option, about in options.items() if not about.help] == []
        assert {"as_json", "config"} <= set(options), f"{name} {member.name} answers a program, too"


def test_the_page_has_a_section_for_every_command_and_no_other() -> None:
    sections = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == list(COMMANDS)


def test_the_plugins_readme_lists_the_commands() -> None:
    readme = (ROOT / "target-xero/README.md").read_text(encoding="utf-8")
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in COMMANDS.items())
    match = re.search(
        r"<!-- commands -->\n(\| Command [^\n]*\n\|:[^\n]*\n)(.*?)<!-- end of commands -->\n",
        readme,
        re.DOTALL,
    )
    assert match
    if os.environ.get("UPDATE_DOCS"):
        readme = readme[: match.start(2)] + rows + readme[match.end(2) :]
        (ROOT / "target-xero/README.md").write_text(readme, encoding="utf-8")
        return
    assert match[2] == rows, "run: UPDATE_DOCS=1 pytest tests/project/test_commands_page.py"


def test_the_scopes_on_the_page_are_the_scopes_asked_for() -> None:
    page = (ROOT / "docs/access-to-xero.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|]+) \| `([a-z._]+)` \|$", page, re.MULTILINE))
    assert rows["contacts"] in scopes.needed(["contacts"])
    assert {rows["invoices, quotes, credit notes"]} < set(
        scopes.needed(["invoices", "quotes", "credit_notes"])
    )
    assert rows["payments"] in scopes.needed(["payments"])
    assert scopes.needed(["items"]) == (rows["items"],)
    assert rows["no items: accounts, tax rates and the organisation are only read"] in scopes.needed(
        ["invoices"]
    )
    assert rows["web and PKCE apps, to come again"] == scopes.OFFLINE
