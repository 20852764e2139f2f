"""A copy of the project, installed once with the Hub out of reach, and a sandbox a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.processes import NOWHERE, Project, Sandbox, installed_project, sandbox


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a folder of its own, its plugins installed without a word to the Hub."""
    return installed_project(tmp_path_factory.mktemp("project")).root


@pytest.fixture
def org() -> Iterator[Sandbox]:
    """A freshly seeded Salesforce and Xero."""
    with sandbox(seed=3) as running:
        yield running


@pytest.fixture
def project(installed: Path, org: Sandbox, tmp_path: Path) -> Iterator[Project]:
    """The installed project, pointed at this test's sandbox, with a ledger and bookmarks of its own."""
    shutil.copy(installed / "empty.db", tmp_path / "meltano.db")
    variables = {
        **org.environment(),
        "MELTANO_HUB_URL": NOWHERE,
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "TARGET_XERO_LEDGER_PATH": str(tmp_path / "ledger.sqlite"),
    }
    yield Project(installed, variables)
    shutil.rmtree(installed / ".meltano" / "run", ignore_errors=True)
