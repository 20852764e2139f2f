"""Examples beside a mapping file: record in, documents out. They are its tests.

`acme.yml` has its examples in `acme.examples.yml`:

Examples:
      - name: a won deal becomes a draft invoice
        shows: [won-deal]                  rules (of documents and refusals) that it is an example of
        options: {due_days: 14}            optional
        stream: Deal
        record: {Id: D1, Status: won}
        gives:                             the documents, in order
          - invoices: {source_key: D1, Status: DRAFT, …}
        partly: true                       optional: fields that `gives` does not name are not compared

Documents that are only withdrawn may be left out of `gives`, and so may the fields that every document has (source_label,
source_url, source_modified_at, marker). Of a refusal only the keys named are compared. Numbers are compared as numbers.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm_to_xero import yamlfile
from crm_to_xero.documents import COMMON, DOCUMENTS
from crm_to_xero.errors import ExampleFileError, MappingFileError, nearest
from crm_to_xero.loader import load_mapping, shipped
from crm_to_xero.rules import Document, Mapping
from crm_to_xero.yamlfile import Node

_KEYS = ("name", "shows", "options", "stream", "record", "gives", "partly")
_UNNAMED = frozenset(COMMON) - {"source_key", "withdrawn", "refusals"}


@dataclass(frozen=True)
class Example:
    """One example."""

    name: str
    stream: str
    record: dict[str, Any]
    gives: tuple[Document, ...]
    line: int
    options: dict[str, Any] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    partly: bool = False


def examples_text(name_or_path: str) -> tuple[str, str] | None:
    """Text and name of the examples beside a mapping; None where there are none."""
    if name_or_path in shipped():
        source = importlib.resources.files("crm_to_xero") / "mappings" / f"{name_or_path}.examples.yml"
        return (source.read_text(encoding="utf-8"), source.name) if source.is_file() else None
    path = Path(name_or_path)
    beside = path.with_name(f"{path.stem}.examples{path.suffix}")
    return (beside.read_text(encoding="utf-8-sig"), str(beside)) if beside.is_file() else None


def read_examples(text: str, file: str) -> list[Example]:
    """Read an examples file.

    Raises:
        ExampleFileError: It is not as this module's text says.
    """
    try:
        root = yamlfile.parse(text, file)
    except MappingFileError as exc:
        raise ExampleFileError(exc.problem, file=file, line=exc.line, field=exc.field, cure=exc.cure) from exc
    listed = (
        root.value.get("examples")
        if isinstance(root.value, dict) and set(root.value) == {"examples"}
        else None
    )
    if listed is None or not isinstance(listed.value, list):
        raise ExampleFileError("one key `examples` with a list is expected", file=file, line=root.line)
    return [_example(node, file, f"examples[{index}]") for index, node in enumerate(listed.value)]


def _example(node: Node, file: str, path: str) -> Example:
    if not isinstance(node.value, dict):
        raise ExampleFileError(
            f"an example is a mapping, not {node.kind}", file=file, line=node.line, field=path
        )
    for key, item in node.value.items():
        if key not in _KEYS:
            raise ExampleFileError(
                f"an example has no key {key!r}",
                file=file,
                line=item.line,
                field=f"{path}.{key}",
                cure=nearest(key, _KEYS),
            )
    plain = node.plain
    for key, kind in (("name", str), ("stream", str), ("record", dict), ("gives", list)):
        if not isinstance(plain.get(key), kind):
            raise ExampleFileError(f"an example needs `{key}`", file=file, line=node.line, field=path)
    gives = []
    for index, item in enumerate(plain["gives"]):
        if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in DOCUMENTS:
            raise ExampleFileError(
                "a document stands as `stream: {field: value}`",
                file=file,
                line=node.value["gives"].value[index].line,
                field=f"{path}.gives[{index}]",
                cure=nearest(next(iter(item), "") if isinstance(item, dict) else "", DOCUMENTS),
            )
        stream, body = next(iter(item.items()))
        gives.append(Document(stream, body or {}))
    return Example(
        name=plain["name"],
        stream=plain["stream"],
        record=plain["record"],
        gives=tuple(gives),
        line=node.line,
        options=plain.get("options") or {},
        shows=tuple(plain.get("shows") or ()),
        partly=bool(plain.get("partly")),
    )


def run(example: Example, mapping_name: str) -> list[str]:
    """Run an example; the differences, none if it holds.

    Raises:
        MappingFileError: The mapping or the example's options are wrong.
    """
    mapping = load_mapping(mapping_name, example.options)
    if example.stream not in mapping.streams:
        return [f"the mapping has no stream {example.stream!r}. {nearest(example.stream, mapping.streams)}"]
    return list(compare(example, mapping.documents(example.stream, example.record)))


def compare(example: Example, found: list[Document]) -> Iterable[str]:
    """What differs between the documents found and those expected, one line each."""
    wanted = list(example.gives)
    for document in found:
        if wanted and _matches_key(wanted[0], document):
            yield from _differences(document.stream, wanted.pop(0).body, document.body, partly=example.partly)
        elif not document.body.get("withdrawn"):
            yield f"not expected: {document.stream} {_shown(document.body)}"
    for missing in wanted:
        yield f"missing: {missing.stream} {_shown(missing.body)}"


def _matches_key(wanted: Document, found: Document) -> bool:
    return wanted.stream == found.stream and wanted.body.get("source_key") == found.body["source_key"]


def _differences(path: str, wanted: Any, found: Any, *, partly: bool) -> Iterable[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            yield from _differences(
                f"{path}.{name}", value, found.get(name), partly=partly or name == "refusals"
            )
        if not partly:
            top = "." not in path
            for name in found:
                if name not in wanted and not (top and name in _UNNAMED):
                    yield f"{path}.{name}: {_shown(found[name])} was not expected"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(f"{path}[{index}]", one, other, partly=partly)
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        yield f"{path}: expected {_shown(wanted)}, got {_shown(found)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def gaps(mapping: Mapping, examples: Iterable[Example]) -> list[str]:
    """What no example shows: rules, options, and fields that the mapping reads but no example record has (perhaps misspelt)."""
    examples = list(examples)
    shown = {name for example in examples for name in example.shows}
    set_somewhere = {name for example in examples for name in example.options}
    found = []
    for stream in sorted(mapping.streams):
        for rule in mapping.rules(stream):
            names = [rule.rule, *(refusal.rule for refusal in rule.refuse)]
            found += [
                f"no example shows the rule {name} ({stream})" for name in names if name and name not in shown
            ]
        records = [example.record for example in examples if example.stream == stream]
        for path in sorted(mapping.reads(stream)) if records else ():
            if not any(_has(record, path) for record in records):
                found.append(f"no example record of {stream} has the field {path}: is it spelt right?")
    found += [f"no example sets the option {name}" for name in mapping.declared if name not in set_somewhere]
    known = {
        name
        for s in mapping.streams
        for r in mapping.rules(s)
        for name in (r.rule, *(f.rule for f in r.refuse))
    }
    found += [
        f"examples show {name}, which is no rule. {nearest(name, known)}" for name in sorted(shown - known)
    ]
    return list(dict.fromkeys(found))


def _has(record: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(record, dict) or name not in record:
            return False
        record = record[name]
    return True
