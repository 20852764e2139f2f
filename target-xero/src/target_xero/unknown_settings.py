"""Settings that nobody knows: refused, because a guard whose name is mistyped would guard nothing.

What the SDK itself knows, whether or not it means something to this target, and names that begin with `_` pass: other tools
hand them on to every plugin.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from crm_to_xero.errors import nearest
from singer_sdk.helpers import capabilities

from target_xero import limits

_OF_THE_SDK = frozenset(
    name
    for found in vars(capabilities).values()
    if isinstance(found, dict) and isinstance(found.get("properties"), dict)
    for name in found["properties"]
)


def unknown_settings(config: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """One sentence for each setting that is none; never with its value, which may be a secret under a mistyped name.

    Args:
        config: the configuration as it was given.
        known: the names of our settings.
    """
    ours = tuple(known)
    return [
        f"there is no setting {_shown(name)}. {nearest(name, ours)} Correct it or take it out: nothing is done with a setting "
        "that means nothing"
        for name in config
        if name not in ours and name not in _OF_THE_SDK and not name.startswith("_")
    ]


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


def _shown(name: str) -> str:
    return repr(name[: limits.NAME_SHOWN])
