"""What people see fits their terminal, and what it names can be typed there."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.table import Table
from target_xero.terminal import console, typed, whole


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
