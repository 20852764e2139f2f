"""Options that several commands share, and CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from target_xero.plan.kinds import KINDS

F = TypeVar("F", bound=Callable[..., Any])
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

organisation = click.option(
    "--organisation", metavar="NAME", help="One organisation of the ledger, by name or tenant id."
)
as_csv = click.option("--csv", "as_csv", is_flag=True, help="Answer with CSV, safe to open in a spreadsheet.")


def documents(command: F) -> F:
    """`--kind`, `--key` and `--rule`: which documents are meant. Each may be given several times."""
    for option in (
        click.option(
            "--rule",
            "rules",
            multiple=True,
            metavar="RULE",
            help="Those that break this rule, e.g. name_taken.",
        ),
        click.option(
            "--key", "keys", multiple=True, metavar="KEY", help="The document with this key of the source."
        ),
        click.option(
            "--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Documents of this kind."
        ),
    ):
        command = option(command)
    return command


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows to stdout. Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
