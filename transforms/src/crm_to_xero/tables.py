"""The reference tables of README and check command, made from the code, so that they cannot differ from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import simplejson

from crm_to_xero.evaluator import PYTHON_FUNCTIONS, SDK_FUNCTIONS
from crm_to_xero.functions import ENTRIES
from crm_to_xero.rules import Mapping


def functions_table() -> str:
    """All functions of expressions, as Markdown."""
    rows = [
        f"| `{entry.name}` | {_cell(entry.summary)} | `{_cell(entry.example)}` |"
        for entry in ENTRIES.values()
    ]
    plain = ", ".join(f"`{name}`" for name in (*SDK_FUNCTIONS, *PYTHON_FUNCTIONS))
    return "\n".join(
        [
            "| Function | Gives | Example |",
            "|---|---|---|",
            *rows,
            "",
            f"Besides: {plain}, `datetime.…`, `json.loads`, `json.dumps`.",
        ]
    )


def options_table(mapping: Mapping) -> str:
    """All options of a mapping, as Markdown."""
    rows = [
        f"| `{option.name}` | {_kind(option.type, option.choices)} | {_default(option.default)} | {_cell(option.description)} |"
        for option in mapping.declared.values()
    ]
    return "\n".join(["| Option | Type | Default | Meaning |", "|---|---|---|---|", *rows])


def _kind(kind: str, choices: Iterable[Any]) -> str:
    named = {"yes_no": "yes or no", "whole": "whole number"}.get(kind, kind)
    shown = ", ".join(f"`{choice}`" for choice in choices)
    return shown or named


def _default(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict) and len(value) > 4:
        return "see the file"
    if isinstance(value, (dict, list)):
        return f"`{simplejson.dumps(value, use_decimal=True)}`"
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
