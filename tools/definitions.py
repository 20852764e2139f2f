"""Writes what Meltano must know of the plugins from the plugins' own `--about`, so that it is said once.

python -m tools.definitions           writes plugins/**/*.lock, plugins/hub/**, and commands and settings in meltano.yml
python -m tools.definitions --check   writes nothing; names what is out of date and exits 1
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/ikaroa/salesforce-xero"
VARIANT = "ikaroa"

PLUGINS: dict[str, dict[str, Any]] = {
    "tap-salesforce-ikaroa": {
        "plugin_type": "extractors",
        "label": "Salesforce",
        "description": "Every Salesforce object, whole aggregates (a deal with its lines and its account), no row missed",
        "pip_url": "tap-salesforce-ikaroa",
        "executable": "tap-salesforce-ikaroa",
        "capabilities": [
            "about", "catalog", "discover", "properties", "schema-flattening", "state", "stream-maps",
            "structured-logging",
        ],
        "groups": [
            ["login_url", "client_id", "client_secret"],
            ["login_url", "client_id", "username", "private_key"],
            ["login_url", "client_id", "username", "private_key_path"],
            ["login_url", "client_id", "refresh_token"],
            ["login_url", "client_id", "token_store_path", "token_store_key"],
        ],
        "commands": "tap_salesforce_ikaroa.commands",
        "keywords": ["crm", "meltano_sdk"],
        "domain_url": "https://www.salesforce.com/",
    },
    "crm-to-xero": {
        "plugin_type": "mappers",
        "label": "CRM to Xero",
        "description": "CRM records to accounting documents: a mapping as code, with its examples as tests",
        "pip_url": "crm-to-xero",
        "executable": "crm-to-xero",
        "capabilities": ["about", "stream-maps", "structured-logging"],
        "keywords": ["meltano_sdk"],
    },
    "target-xero": {
        "plugin_type": "loaders",
        "label": "Xero",
        "description": "Contacts, items, quotes, invoices, credit notes and payments into Xero, once and to the cent",
        "pip_url": "target-xero",
        "executable": "target-xero",
        "capabilities": ["about", "stream-maps", "structured-logging", "validate-records"],
        "groups": [["client_id", "client_secret"], ["client_id", "token_store_key"]],
        "commands": "target_xero.commands",
        "keywords": ["accounting", "meltano_sdk"],
        "domain_url": "https://www.xero.com/",
    },
}  # fmt: skip

SANDBOX: dict[str, Any] = {
    "plugin_type": "utilities",
    "name": "sandbox",
    "namespace": "sandbox",
    "variant": VARIANT,
    "label": "Sandbox",
    "description": "Salesforce and Xero on your own machine: both APIs, stateful, with their rules, limits and faults",
    "docs": f"{REPOSITORY}/tree/main/sandbox",
    "repo": REPOSITORY,
    "pip_url": "ikaroa-sandbox",
    "executable": "ikaroa-sandbox-serve",
    "settings": [
        {"name": "port", "kind": "integer", "label": "Port", "value": 8790, "env": "IKAROA_SANDBOX_PORT",
         "description": "The port on 127.0.0.1 to listen on."},
        {"name": "seed", "kind": "integer", "label": "Seed", "value": 1, "env": "IKAROA_SANDBOX_SEED",
         "description": "Which believable data to make; the same seed gives the same data."},
        {"name": "state", "kind": "string", "label": "State", "value": "output/sandbox/state",
         "env": "IKAROA_SANDBOX_STATE",
         "description": "The file that keeps what happened in the sandbox from one start to the next."},
    ],
}  # fmt: skip

TARGET_JSONL: dict[str, Any] = {
    "plugin_type": "loaders",
    "name": "target-jsonl",
    "namespace": "target_jsonl",
    "variant": "andyh1203",
    "label": "JSON Lines",
    "description": "One file of JSON lines a stream: a look at the documents before they go anywhere",
    "docs": "https://hub.meltano.com/loaders/target-jsonl/",
    "repo": "https://github.com/andyh1203/target-jsonl",
    "pip_url": "target-jsonl==0.1.4",
    "executable": "target-jsonl",
    "settings": [
        {"name": "destination_path", "kind": "string", "label": "Destination path", "value": "output/jsonl",
         "description": "The folder the files go to."},
        {"name": "do_timestamp_file", "kind": "boolean", "label": "Timestamp in the file names", "value": False,
         "description": "Whether each run writes new files."},
    ],
}  # fmt: skip

KINDS = {"integer": "integer", "boolean": "boolean", "object": "object", "array": "array", "string": "string"}


def about(executable: str) -> dict[str, Any]:
    """What a plugin says of itself (`--about --format=json`)."""
    command = [str(Path(sys.executable).parent / executable), "--about", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def settings(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The settings of an `--about` answer as Meltano writes them, in their own order."""
    for name, schema in told["settings"]["properties"].items():
        types = schema.get("type", "string")
        kind = next(t for t in ([types] if isinstance(types, str) else types) if t != "null")
        setting: dict[str, Any] = {
            "name": name,
            "label": schema.get("title") or name.replace("_", " ").capitalize(),
        }
        setting["kind"] = "date_iso8601" if schema.get("format") == "date-time" else KINDS[kind]
        if "enum" in schema:
            setting["kind"] = "options"
            setting["options"] = [
                {"label": str(value), "value": value} for value in schema["enum"] if value is not None
            ]
        if schema.get("secret"):
            setting["sensitive"] = True
        if "default" in schema and schema["default"] is not None:
            setting["value"] = schema["default"]
        setting["description"] = " ".join(schema.get("description", "").split())
        yield setting


def commands(plugin: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What `meltano invoke PLUGIN:COMMAND` runs: the table `COMMANDS` (name: what for) of the module the plugin names."""
    if "commands" not in plugin:
        return {}
    table: dict[str, str] = importlib.import_module(plugin["commands"]).COMMANDS
    return {name: {"args": name, "description": text} for name, text in table.items()}


def definition(name: str) -> dict[str, Any]:
    """A plugin's definition as a lock file holds it."""
    plugin = PLUGINS[name]
    made: dict[str, Any] = {
        "plugin_type": plugin["plugin_type"],
        "name": name,
        "namespace": name.replace("-", "_"),
        "variant": VARIANT,
        "label": plugin["label"],
        "description": plugin["description"],
        "docs": f"{REPOSITORY}/tree/main/{'transforms' if name == 'crm-to-xero' else name}",
        "repo": REPOSITORY,
        "pip_url": plugin["pip_url"],
        "executable": plugin["executable"],
        "capabilities": plugin["capabilities"],
        "settings": list(settings(about(plugin["executable"]))),
    }
    if "groups" in plugin:
        made["settings_group_validation"] = plugin["groups"]
    if found := commands(plugin):
        made["commands"] = found
    return made


def hub_definition(made: dict[str, Any]) -> str:
    """The same as a Hub definition: keys in order, and what the Hub asks besides."""
    plugin = PLUGINS[made["name"]]
    hub = {key: value for key, value in made.items() if key != "plugin_type"}
    hub |= {"maintenance_status": "active", "keywords": plugin["keywords"]}
    if made["plugin_type"] != "mappers":
        hub |= {"quality": "silver", "domain_url": plugin["domain_url"]}
    text: str = yaml.safe_dump(hub, sort_keys=True, allow_unicode=True, width=120)
    return text


def with_settings(project: str, made: dict[str, Any]) -> str:
    """meltano.yml with the plugin's commands and settings written anew between its two marks."""
    begin, end = f"# settings of {made['name']}, from its --about", f"# end of settings of {made['name']}"
    pattern = re.compile(rf"^( *){re.escape(begin)}\n.*?^ *{re.escape(end)}\n", re.DOTALL | re.MULTILINE)
    found = pattern.search(project)
    if not found:
        raise SystemExit(f"meltano.yml has no block '{begin}' … '{end}'")
    pad = found.group(1)
    written = {key: made[key] for key in ("commands", "settings") if key in made}
    block = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=110)
    lines = [begin, *block.rstrip("\n").split("\n"), end]
    return project[: found.start()] + "".join(f"{pad}{line}\n" for line in lines) + project[found.end() :]


def files() -> dict[Path, str]:
    """Every generated file with what belongs in it."""
    made = [definition(name) for name in PLUGINS]
    project = ROOT / "meltano.yml"
    text = project.read_text(encoding="utf-8")
    wanted: dict[Path, str] = {}
    for plugin in [*made, SANDBOX, TARGET_JSONL]:
        lock = ROOT / "plugins" / plugin["plugin_type"] / f"{plugin['name']}--{plugin['variant']}.lock"
        wanted[lock] = json.dumps(plugin, indent=2, ensure_ascii=False) + "\n"
    for plugin in made:
        path = ROOT / "plugins" / "hub" / plugin["plugin_type"] / plugin["name"] / f"{VARIANT}.yml"
        wanted[path] = hub_definition(plugin)
        if plugin["plugin_type"] != "mappers":
            text = with_settings(text, plugin)
    wanted[project] = text
    return wanted


def main() -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 when something is out of date"
    )
    check: bool = parser.parse_args().check
    stale = [
        (path, text)
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(f"{'out of date' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
