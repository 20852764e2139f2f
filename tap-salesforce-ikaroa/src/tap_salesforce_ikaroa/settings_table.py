"""The settings as a Markdown table, for the README. `python -m tap_salesforce_ikaroa.settings_table` prints it."""

from __future__ import annotations

import json
import sys
from typing import Any

from singer_sdk.plugin_base import PluginBase

BEGIN = "<!-- settings, from --about -->"
END = "<!-- end of settings -->"


def settings_table(plugin: type[PluginBase]) -> str:
    """One line a setting of this plugin's own; those of the SDK are named below it."""
    schema: dict[str, Any] = json.loads(json.dumps(plugin.config_jsonschema))
    properties = {name: entry for name, entry in schema["properties"].items() if not _of_the_sdk(name)}
    lines = ["| Setting | Kind | Default | What it does |", "|---|---|---|---|"]
    for name, entry in properties.items():
        default = f"`{json.dumps(entry['default'])}`" if "default" in entry else ""
        said = entry["description"].replace("|", "\\|")
        lines.append(f"| `{name}` | {_kind(entry)} | {default} | {said} |")
    return "\n".join(lines)


def _of_the_sdk(name: str) -> bool:
    return name.startswith(("stream_map", "faker_config", "flattening_"))


def _kind(entry: dict[str, Any]) -> str:
    kinds = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
    kind = next(kind for kind in kinds if kind != "null")
    return f"{kind}, secret" if entry.get("secret") else kind


if __name__ == "__main__":
    from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa

    sys.stdout.write(settings_table(TapSalesforceIkaroa) + "\n")
