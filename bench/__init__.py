"""The project's figures: `python -m bench [NAME …]`, one JSON line a figure.

    {"name": "…", "value": 612, "unit": "calls", "bar": "<= 612", "holds": true}

One module a group; a group is a function marked with `@group` that yields `Figure`s. Figures are measured, never assumed: on
the sandbox's virtual clock where they count calls and minutes, on this machine's processor where they count time.
"""

from __future__ import annotations

from bench.figures import Figure, group, groups

__all__ = ["Figure", "group", "groups"]
