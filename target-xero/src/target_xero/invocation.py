"""How a command of this plugin is typed where it runs now: through Meltano, which has the settings, or by itself."""

from __future__ import annotations

import os


def typed(words: str) -> str:
    """A command with its arguments, as a person would enter it: `retry --all` -> `meltano invoke target-xero:retry --all`.

    Meltano tells its plugins their name in the project and the environment they run in; the default one need not be named.
    """
    name = os.environ.get("MELTANO_LOADER_NAME")
    if not name:
        return f"target-xero {words}"
    environment = os.environ.get("MELTANO_ENVIRONMENT")
    default = os.environ.get("MELTANO_DEFAULT_ENVIRONMENT")
    option = f" --environment={environment}" if environment and environment != default else ""
    return f"meltano{option} invoke {name}:{words}"
