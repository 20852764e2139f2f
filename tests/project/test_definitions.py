"""What Meltano knows of the plugins is what the plugins say of themselves."""

from __future__ import annotations

import importlib
import importlib.resources
import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from ikaroa_sandbox.cli import serve

from tools import definitions

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SETTING_PLUGINS = [name for name, plugin in definitions.PLUGINS.items() if plugin["plugin_type"] != "mappers"]


def entry(project: dict, name: str) -> dict:
    kind = definitions.PLUGINS[name]["plugin_type"]
    return next(plugin for plugin in project["plugins"][kind] if plugin["name"] == name)


def test_generated_files_are_current() -> None:
    stale = [
        str(path.relative_to(ROOT))
        for path, text in definitions.files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `make definitions`"


@pytest.mark.parametrize("name", SETTING_PLUGINS)
def test_about_meltano_yml_and_lock_name_the_same_settings(project: dict, name: str) -> None:
    told = definitions.about(definitions.PLUGINS[name]["executable"])["settings"]["properties"]
    kind = definitions.PLUGINS[name]["plugin_type"]
    lock = json.loads((ROOT / f"plugins/{kind}/{name}--ikaroa.lock").read_text(encoding="utf-8"))
    here = {setting["name"]: setting for setting in entry(project, name)["settings"]}
    locked = {setting["name"]: setting for setting in lock["settings"]}
    assert set(here) == set(locked) == set(told)
    for setting, schema in told.items():
        for written in (here[setting], locked[setting]):
            assert written["kind"]
            assert written["description"], setting
            assert bool(written.get("sensitive")) == bool(schema.get("secret")), setting


@pytest.mark.parametrize("name", SETTING_PLUGINS)
def test_everything_secret_is_sensitive(project: dict, name: str) -> None:
    for setting in entry(project, name)["settings"]:
        if any(
            word in setting["name"]
            for word in ("secret", "password", "private_key", "refresh_token", "store_key")
        ):
            path = setting["name"].endswith("_path")
            assert bool(setting.get("sensitive")) is not path, setting["name"]


def test_the_project_and_its_locks_hold_no_secret_value(project: dict) -> None:
    for name in SETTING_PLUGINS:
        assert not [
            s["name"] for s in entry(project, name)["settings"] if s.get("sensitive") and s.get("value")
        ]


def test_meltanos_own_schema_accepts_the_project(project: dict) -> None:
    schema = json.loads(
        importlib.resources.files("meltano.schemas").joinpath("meltano.schema.json").read_text()
    )
    errors = [
        error.message
        for error in jsonschema.Draft202012Validator(schema).iter_errors(project)
        if "validate-records" not in error.message  # the Hub knows this capability, the schema not yet
    ]
    assert errors == []


HUB_KEYS = {
    "capabilities", "commands", "definition", "description", "docs", "domain_url", "executable", "hidden", "keywords",
    "label", "logo_url", "maintenance_status", "name", "namespace", "next_steps", "pip_url", "prereq", "quality",
    "repo", "requires", "settings", "settings_group_validation", "settings_preamble", "usage", "variant",
}  # fmt: skip


@pytest.mark.parametrize("name", definitions.PLUGINS)
def test_hub_definitions_keep_the_hubs_rules(name: str) -> None:
    kind = definitions.PLUGINS[name]["plugin_type"]
    path = ROOT / f"plugins/hub/{kind}/{name}/ikaroa.yml"
    hub = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(hub) == sorted(hub)
    assert set(hub) <= HUB_KEYS
    assert path.parent.name == hub["name"]
    assert path.stem == hub["variant"]
    if kind != "mappers":
        assert hub["quality"] in {"gold", "silver", "bronze", "unknown"}
    known = {setting["name"] for setting in hub["settings"]}
    for group in hub.get("settings_group_validation", []):
        assert set(group) <= known


WITH_COMMANDS = [name for name, plugin in definitions.PLUGINS.items() if "commands" in plugin]


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_meltano_invokes_every_command_of_a_plugin_by_its_own_name(project: dict, name: str) -> None:
    plugin = definitions.PLUGINS[name]
    table = importlib.import_module(plugin["commands"]).COMMANDS
    lock = json.loads(
        (ROOT / f"plugins/{plugin['plugin_type']}/{name}--ikaroa.lock").read_text(encoding="utf-8")
    )
    for written in (entry(project, name)["commands"], lock["commands"]):
        assert {command: (about["args"], about["description"]) for command, about in written.items()} == {
            command: (command, text) for command, text in table.items()
        }


def test_meltano_invoke_sandbox_reaches_the_options_of_the_command() -> None:
    taken = {option.envvar for option in serve.params}
    assert {setting["env"] for setting in definitions.SANDBOX["settings"]} <= taken
