"""`crm-to-xero-check`: is this mapping right, and does it do what its examples say?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TextIO

import click
import simplejson

from crm_to_xero import examples as ex
from crm_to_xero import tables
from crm_to_xero.errors import CrmToXeroError, MappingFileError
from crm_to_xero.loader import load_mapping
from crm_to_xero.rules import Mapping

WRONG_FILE = 2
"""Exit code for a mapping, options or examples that cannot be used; 1 means that an example does not hold."""


@click.command()
@click.argument("mapping", default="salesforce")
@click.option(
    "--set",
    "options",
    metavar="JSON",
    default="{}",
    help="Options of the mapping, as mapping_options has them.",
)
@click.option("--stream", help="With --record: the source stream of the record.")
@click.option(
    "--record",
    type=click.File("r", encoding="utf-8"),
    help="Show the documents of a record (JSON file, - for stdin).",
)
@click.option("--options", "show_options", is_flag=True, help="List the options of the mapping.")
@click.option("--functions", "show_functions", is_flag=True, help="List the functions of expressions.")
@click.option("--strict", is_flag=True, help="Count what no example shows as a failure.")
def main(
    *,
    mapping: str,
    options: str,
    stream: str | None,
    record: TextIO | None,
    show_options: bool,
    show_functions: bool,
    strict: bool,
) -> None:
    """Check a mapping file and run the examples beside it.

    MAPPING is the name of a mapping that comes with the package, or the path of a file. Exit code 0: all is well, 1: an example
    does not hold, 2: the mapping, its options or its examples cannot be used.
    """
    if show_functions:
        click.echo(tables.functions_table())
        return
    try:
        loaded = load_mapping(mapping, _options(options))
        if show_options:
            click.echo(tables.options_table(loaded))
        elif record is not None:
            _show_documents(loaded, stream, record)
        else:
            sys.exit(_run_examples(loaded, mapping, strict=strict))
    except CrmToXeroError as exc:
        click.secho(str(exc), fg="red", err=True)
        sys.exit(WRONG_FILE)


def _options(text: str) -> dict[str, Any]:
    try:
        found = simplejson.loads(text, use_decimal=True)
    except simplejson.JSONDecodeError as exc:
        raise MappingFileError(
            f"no JSON: {exc}", file="--set", cure='Write it like {"due_days": 14}.'
        ) from exc
    if not isinstance(found, dict):
        raise MappingFileError(
            "a JSON object is expected", file="--set", cure='Write it like {"due_days": 14}.'
        )
    return found


def _show_documents(mapping: Mapping, stream: str | None, record: TextIO) -> None:
    if stream is None:
        raise click.UsageError(f"--record needs --stream, one of {', '.join(sorted(mapping.streams))}")
    try:
        parsed = simplejson.loads(record.read(), use_decimal=True)
    except simplejson.JSONDecodeError as exc:
        raise MappingFileError(f"no JSON: {exc}", file=record.name) from exc
    for document in mapping.documents(stream, parsed):
        click.secho(document.stream, bold=True)
        click.echo(simplejson.dumps(document.body, use_decimal=True, indent=2, ensure_ascii=False))


def _run_examples(mapping: Mapping, name: str, *, strict: bool) -> int:
    streams = ", ".join(
        f"{stream} -> {' + '.join(mapping.outputs(stream)) or 'nothing'}"
        for stream in sorted(mapping.streams)
    )
    click.echo(f"{mapping.file}: {mapping.source}, version {mapping.version or 'not numbered'}: {streams}")
    source = ex.examples_text(name)
    if source is None:
        click.secho(
            f"The file is right. It has no examples: write {Path(mapping.file).stem}.examples.yml beside it.",
            fg="yellow",
        )
        return 1 if strict else 0
    found = ex.read_examples(*source)
    failed = 0
    for example in found:
        differences = ex.run(example, name)
        failed += bool(differences)
        mark, colour = ("not ok", "red") if differences else ("ok", "green")
        click.echo(f"  {click.style(f'{mark:6}', fg=colour)}  {example.name}")
        for line in differences:
            click.echo(f"          {line}")
        if differences:
            click.echo(f"          {source[1]}:{example.line}")
    missing = ex.gaps(mapping, found)
    for line in missing:
        click.secho(f"  note    {line}", fg="yellow")
    click.echo(f"{len(found)} examples, {len(found) - failed} hold, {failed} do not; {len(missing)} notes.")
    return 1 if failed or (strict and missing) else 0


if __name__ == "__main__":
    main()
