"""What a person at a terminal is shown, and types."""

from __future__ import annotations

import os
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from target_xero import limits


def console(file: TextIO) -> Console:
    """As wide as the terminal, or as `COLUMNS` says; else wide enough for a table where nobody can see it at once.

    Brackets and colons are what they are: `sum([2, 3])` and ":smile:" are names and expressions of people, no markup.
    """
    given = file.isatty() or os.environ.get("COLUMNS", "").isdigit()
    width = None if given else limits.REPORT_WIDTH
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def whole(table: Table) -> Table:
    """However narrow the terminal is, words wrap and no figure is cut or broken."""
    for column in table.columns:
        told = [str(column.header), *(str(cell) for cell in column.cells)]
        column.no_wrap = column.justify == "right"
        words = told if column.no_wrap else [word for cell in told for word in cell.split()]
        column.min_width = max((cell_len(word) for word in words), default=0)
    return table


def printable(text: str) -> str:
    """Text from outside on one line, without what would move a terminal's cursor or begin a line of its own; commands as typed."""
    return as_typed("".join(letter if letter.isprintable() else " " for letter in text))


def as_typed(text: str) -> str:
    """A sentence with its commands (`target-xero retry`) as a person would enter them here.

    The ledger and plans keep sentences with the bare command: a reason is the same reason wherever it was found, and whoever reads it may
    do so from somewhere else. Whatever shows one to people passes it through here.
    """
    return text.replace("`target-xero ", f"`{typed('')}")


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
