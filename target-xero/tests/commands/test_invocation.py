"""Commands that answers name are written as they are typed where they run."""

from __future__ import annotations

from typing import Any

import pytest
from target_xero.invocation import typed


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


@pytest.mark.usefixtures("under_meltano")
def test_answers_and_reports_name_what_can_be_typed(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1, EmailAddress="jörg@söhne.example")))
    assert "meltano --environment=production invoke target-xero--eu:retry" in ran.told
    assert "invoke target-xero--eu:rejects --dismiss" in house.command("rejects").stdout
    proposed = house.load(("contacts", house.contact(2)), mode="approve")
    assert "invoke target-xero--eu:approve " in proposed.last_line
    assert "invoke target-xero--eu:approve " in house.command("plan").stdout
