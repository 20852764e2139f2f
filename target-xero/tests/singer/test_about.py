"""What the target says of itself: `--about`, the README, nothing that means nothing here."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from target_xero.settings_schema import CONFIG_JSONSCHEMA, SECRETS
from target_xero.target import TargetXero

README = Path(__file__).parents[2] / "README.md"
STREAM_MAPS = {"stream_maps", "stream_map_config"}


@pytest.fixture
def about(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    TargetXero.print_about("json")
    return json.loads(capsys.readouterr().out)


def test_about_lists_our_settings_and_stream_maps_and_nothing_else(about: dict[str, Any]) -> None:
    assert set(about["settings"]["properties"]) == set(CONFIG_JSONSCHEMA["properties"]) | STREAM_MAPS
    for meaningless in (
        "load_method",
        "add_record_metadata",
        "batch_size_rows",
        "validate_records",
        "flattening_enabled",
    ):
        assert meaningless not in about["settings"]["properties"]


def test_about_marks_the_secrets(about: dict[str, Any]) -> None:
    marked = {name for name, setting in about["settings"]["properties"].items() if setting.get("secret")}
    assert marked == set(SECRETS)


def test_about_names_what_the_target_is_and_can(about: dict[str, Any]) -> None:
    assert about["name"] == "target-xero"
    assert about["capabilities"] == ["about", "stream-maps", "structured-logging", "validate-records"]
    assert "Xero" in about["description"]


def settings_table() -> str:
    """The README's table, made from the settings."""
    rows = ["| Setting | Kind | Default | What for |", "|:--|:--|:--|:--|"]
    for name, setting in CONFIG_JSONSCHEMA["properties"].items():
        kind = next(kind for kind in setting["type"] if kind != "null")
        if "enum" in setting:
            kind = " \\| ".join(f"`{value}`" for value in setting["enum"])
        if setting.get("secret"):
            kind += ", secret"
        default = setting.get("default")
        shown = (
            "" if default is None else f"`{json.dumps(default) if not isinstance(default, str) else default}`"
        )
        rows.append(f"| `{name}` | {kind} | {shown} | {setting['description']} |")
    return "\n".join(rows)


def test_the_readmes_settings_are_those_of_the_target() -> None:
    """`UPDATE_README=1 pytest target-xero/tests/singer/test_about.py` writes them anew."""
    if os.environ.get("UPDATE_README"):
        marks = r"(<!-- settings -->\n).*?(\n<!-- end of settings -->)"
        made = re.sub(
            marks, lambda m: m[1] + settings_table() + m[2], README.read_text(), count=1, flags=re.DOTALL
        )
        README.write_text(made)
    found = re.search(r"<!-- settings -->\n(.*?)\n<!-- end of settings -->", README.read_text(), re.DOTALL)
    assert found, "README.md has no settings between its marks"
    assert found.group(1) == settings_table()
