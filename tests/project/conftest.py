"""What is read once for all tests of the project's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    """meltano.yml; read by the parser in C where there is one, for it is long."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((ROOT / "meltano.yml").read_text(encoding="utf-8"), Loader=loader)


@pytest.fixture(scope="session")
def variables(project: dict[str, Any]) -> set[str]:
    """The environment variables by which the plugins' settings can be given."""
    return {
        f"{plugin['name']}_{setting['name']}".replace("-", "_").upper()
        for kind in ("extractors", "loaders")
        for plugin in project["plugins"][kind]
        for setting in plugin.get("settings", [])
    }
