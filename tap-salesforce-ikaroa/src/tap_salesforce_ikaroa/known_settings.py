"""Names and kinds of settings, checked without repeating a value: a mistyped name is no wish, and a wrong value may be a secret.

What the SDK itself knows and names that begin with `_` pass: other tools hand them on to every plugin.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from singer_sdk.helpers import capabilities

from tap_salesforce_ikaroa import limits

_OF_THE_SDK = frozenset(
    name
    for found in vars(capabilities).values()
    if isinstance(found, dict) and isinstance(found.get("properties"), dict)
    for name in found["properties"]
)


def unknown_settings(config: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """One sentence for each setting that is none, with the name that was probably meant."""
    ours = sorted(known)
    told = []
    for name in config:
        if name in ours or name in _OF_THE_SDK or name.startswith("_"):
            continue
        close = difflib.get_close_matches(name.lower(), ours, n=1)
        meant = (
            f"Did you mean {close[0]}?" if close else "`tap-salesforce-ikaroa --about` lists all there are."
        )
        told.append(f"there is no setting {_shown(name)}. {meant} Correct it or take it out")
    return told


def mistyped_variables(environment: Mapping[str, str], prefix: str, known: Iterable[str]) -> list[str]:
    """One sentence for each environment variable that was surely meant to be a setting.

    Meltano takes settings from the environment, and says nothing of a variable that is none. One that is like no setting
    passes (it may be somebody else's), and so does one that ends like a setting: of a plugin that inherits from this one.
    """
    ours = tuple(known)
    told = []
    for variable in environment:
        name = variable[len(prefix) :].lower() if variable.startswith(prefix) else ""
        if not name or name.startswith("_") or name in _OF_THE_SDK:
            continue
        if any(name == one or name.endswith(f"_{one}") for one in ours):
            continue
        meant = difflib.get_close_matches(name, ours, n=1, cutoff=limits.NAME_LIKENESS)
        if meant:
            told.append(
                f"there is no setting for the environment variable {_shown(variable)}. Did you mean {prefix}{meant[0].upper()}?"
            )
    return told


def unreadable_secrets(config: Mapping[str, Any], properties: Mapping[str, Any]) -> list[str]:
    """What is wrong with what holds secrets, said without their values (a JSON Schema message would repeat them)."""
    return [
        f"setting {name}: text is expected"
        for name, entry in properties.items()
        if entry.get("secret") and config.get(name) is not None and not isinstance(config[name], str)
    ]


def _shown(name: str) -> str:
    return repr(name[: limits.NAME_SHOWN])
