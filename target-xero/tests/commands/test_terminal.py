"""What people see fits their terminal, and what it names can be typed there."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from typing import Any

import pytest
import target_xero
from rich.table import Table
from target_xero.commands import COMMANDS
from target_xero.terminal import as_typed, console, printable, typed, whole

LOCK = "target-xero ledger"
"""The name that the database's run lock is made of; nobody reads it."""


@pytest.fixture
def under_meltano(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MELTANO_LOADER_NAME", "target-xero--eu")
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "production")
    monkeypatch.setenv("MELTANO_DEFAULT_ENVIRONMENT", "sandbox")
    return monkeypatch


def test_alone_the_executable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MELTANO_LOADER_NAME", raising=False)
    assert typed("retry --all") == "target-xero retry --all"


def test_under_meltano_the_plugin_by_its_name_there_and_the_environment(under_meltano: Any) -> None:
    assert typed("retry --all") == "meltano --environment=production invoke target-xero--eu:retry --all"
    under_meltano.setenv("MELTANO_ENVIRONMENT", "sandbox")
    assert typed("check") == "meltano invoke target-xero--eu:check", "the default environment goes unsaid"
    under_meltano.delenv("MELTANO_ENVIRONMENT")
    assert typed("check") == "meltano invoke target-xero--eu:check"


@pytest.mark.slow
@pytest.mark.usefixtures("under_meltano")
def test_answers_and_reports_name_what_can_be_typed(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1, EmailAddress="jörg@söhne.example")))
    assert "meltano --environment=production invoke target-xero--eu:retry" in ran.told
    assert "invoke target-xero--eu:rejects --dismiss" in house.command("rejects").stdout
    proposed = house.load(("contacts", house.contact(2)), mode="approve")
    assert "invoke target-xero--eu:approve " in proposed.last_line
    assert "invoke target-xero--eu:approve " in house.command("plan").stdout


@pytest.mark.usefixtures("under_meltano")
def test_commands_in_sentences_that_the_ledger_keeps_are_typed_where_they_are_read() -> None:
    kept = "Restore it, then run `target-xero retry`; or see `target-xero why K`. target-xero never guesses."
    invoke = "meltano --environment=production invoke target-xero--eu"
    read = f"Restore it, then run `{invoke}:retry`; or see `{invoke}:why K`. target-xero never guesses."
    assert as_typed(kept) == printable(kept) == read


@pytest.mark.slow
@pytest.mark.parametrize("answer", [("rejects",), ("rejects", "--json"), ("rejects", "--csv"), ("why", "001000000000000001"),
                                    ("plan",), ("plan", "--json")])  # fmt: skip
def test_a_single_refusals_cure_names_the_command_as_it_is_typed(
    house: Any, monkeypatch: pytest.MonkeyPatch, answer: tuple[str, ...]
) -> None:
    """It was refused by a run on its own, and is read by somebody who has Meltano."""
    monkeypatch.delenv("MELTANO_LOADER_NAME", raising=False)
    house.sandbox.edit("xero", {"action": "create_contact", "fields": {"Name": house.contact(1)["Name"]}})
    alone = house.load(("contacts", house.contact(1)))
    assert "Then run `target-xero retry`" in " ".join(alone.told.split())
    monkeypatch.setenv("MELTANO_LOADER_NAME", "target-xero")
    told = " ".join(house.command(*answer).stdout.split())
    assert "`meltano invoke target-xero:retry`" in told
    assert "`target-xero " not in told


def test_no_sentence_names_a_command_but_in_the_form_that_is_put_right_when_it_is_shown() -> None:
    """A command without its quotes would be told as nobody can type it."""
    names = "|".join(COMMANDS)
    bare = re.compile(rf"(?<![`\w-])target-xero (?:{names})\b")
    for file in sorted(Path(target_xero.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not bare.search(node.value) or node.value == LOCK, f"{file.name}:{node.lineno}"


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_however_narrow_the_terminal_is_no_figure_is_cut_or_broken(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    table = Table("documents", "currency")
    for heading in ("source", "ledger", "Xero", "difference"):
        table.add_column(heading, justify="right")
    table.add_row("invoices", "GBP", "12,341,557.27", "12,341,557.26", "2,341,557.25", "-0.01")
    shown = io.StringIO()
    console(shown).print(whole(table), crop=False)
    for figure in ("12,341,557.27", "12,341,557.26", "2,341,557.25", "-0.01"):
        assert f" {figure} " in shown.getvalue()
    assert "…" not in shown.getvalue()


def test_a_pipe_is_wide_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console(io.StringIO()).width == 120
    monkeypatch.setenv("COLUMNS", "200")
    assert console(io.StringIO()).width == 200


def test_brackets_and_colons_are_text_and_no_markup() -> None:
    shown, table = io.StringIO(), Table("LineItems[0].Description")
    table.add_row("sum([a, b]) if count > 1 else [/]")
    table.add_row("Party :smile: [bold]Ltd")
    console(shown).print(table)
    for text in ("LineItems[0].Description", "sum([a, b]) if count > 1 else [/]", "Party :smile: [bold]Ltd"):
        assert text in shown.getvalue()
