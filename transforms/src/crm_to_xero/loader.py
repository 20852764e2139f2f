"""`load_mapping`: from a name or path to a checked, compiled mapping, or one clear message.

A mapping file:

    mapping: acme                      name
    version: 1                         yours to count
    source: Acme CRM                   how people call the CRM
    description: …                     optional
    options:                           each with type, default, description (and choices); `options.NAME` in expressions
      due_days: {type: whole, default: 30, description: …}
    streams:
      Deal:                            a source stream; `Deal: {}` says that it is known and gives nothing
        let: {won: Status == 'won'}    named values, each may use those above it; worked out when first used
        common: {source_label: …}      fields that every document of this stream has
        documents:
          - document: invoices         a document stream
            rule: won-deal             a name for it: examples and messages use it
            when: won or lost          else no document at all
            withdraw_when: not won     a document that only says `withdrawn: true`
            split: numbers(3)          a list: one document for each element, named by `as` (default `part`)
            let: {…}                   named values of this document
            refuse:                    what makes a document be kept and not sent
              - {rule: …, when: …, field: …, value: …, cure: …}
            fields:                    field of the document: expression, nested fields, or a list
              source_key: Id
              LineItems:
                each: Lines            one line for each element, named by `as` (default `line`); `index` counts from 0
                let: {…}
                when: …
                fields: {…}
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from collections.abc import Mapping as Map
from dataclasses import replace
from pathlib import Path
from typing import Any

from crm_to_xero import limits, yamlfile
from crm_to_xero import options as opts
from crm_to_xero.compiler import Compiler
from crm_to_xero.errors import MappingFileError, nearest
from crm_to_xero.expressions import Vocabulary
from crm_to_xero.rules import Mapping
from crm_to_xero.yamlfile import Node

_TOP = ("mapping", "version", "source", "description", "options", "streams")
_EXAMPLES = ".examples.yml"


def shipped() -> list[str]:
    """Names of the mappings that come with the package."""
    folder = importlib.resources.files("crm_to_xero") / "mappings"
    names = (item.name for item in folder.iterdir())
    return sorted(
        name.removesuffix(".yml") for name in names if name.endswith(".yml") and not name.endswith(_EXAMPLES)
    )


def load_mapping(name_or_path: str, options: Map[str, Any] | None = None) -> Mapping:
    """Load a mapping that comes with the package, by name, or a file, by path.

    Args:
        name_or_path: `salesforce`, or a path to a YAML file (with a folder or an ending in it).
        options: Values for the mapping's options (`mapping_options`).

    Returns:
        The mapping, checked and compiled; no file is read after this.

    Raises:
        MappingFileError: The file is missing or wrong, or an option is; the text is one line with place and cure.
    """
    text, file = read_source(name_or_path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return replace(build(parsed(text, file), file, options), digest=digest)


@functools.lru_cache(maxsize=8)
def parsed(text: str, file: str) -> Node:
    """The file's tree; examples load one mapping many times, with other options."""
    return yamlfile.parse(text, file)


def read_source(name_or_path: str) -> tuple[str, str]:
    """Text of a mapping file, and what messages call it.

    Raises:
        MappingFileError: There is no such mapping or file, or it cannot be read.
    """
    if not name_or_path:
        raise MappingFileError("no mapping is named", file="mapping", cure=nearest("", shipped()))
    by_path = "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith((".yml", ".yaml"))
    if not by_path:
        if name_or_path not in shipped():
            raise MappingFileError(
                "no mapping of that name comes with the package",
                file=name_or_path,
                cure=f"{nearest(name_or_path, shipped())} A file of your own is named by its path: ./{name_or_path}.yml",
            )
        source = importlib.resources.files("crm_to_xero") / "mappings" / f"{name_or_path}.yml"
        return source.read_text(encoding="utf-8"), f"{name_or_path}.yml"
    path = Path(name_or_path)
    try:
        if path.stat().st_size > limits.FILE_BYTES:
            raise MappingFileError(f"larger than {limits.FILE_BYTES} bytes", file=name_or_path)
        return path.read_text(encoding="utf-8-sig"), name_or_path
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise MappingFileError(
            f"cannot be read: {reason}", file=name_or_path, cure=f"Looked in {Path.cwd()}."
        ) from exc
    except UnicodeDecodeError as exc:
        raise MappingFileError(
            f"not UTF-8 text: {exc.reason} at byte {exc.start}", file=name_or_path
        ) from exc


def build(root: Node, file: str, given: Map[str, Any] | None) -> Mapping:
    """Check and compile a parsed mapping file.

    Raises:
        MappingFileError: Something in it, or in the options given, is wrong.
    """
    if not isinstance(root.value, dict):
        raise MappingFileError(
            f"a mapping file begins with `mapping:` and `streams:`, this is {root.kind}",
            file=file,
            line=root.line,
        )
    top: dict[str, Node] = root.value
    for key, node in top.items():
        if key not in _TOP:
            raise MappingFileError(
                "no such key in a mapping file", file=file, line=node.line, field=key, cure=nearest(key, _TOP)
            )
    name = _required_text(top, "mapping", file)
    source = _required_text(top, "source", file)
    streams = top.get("streams")
    if streams is None or not isinstance(streams.value, dict) or not streams.value:
        raise MappingFileError(
            "a mapping from source stream to its documents is expected",
            file=file,
            line=streams.line if streams else None,
            field="streams",
        )
    declared = opts.declare(top.get("options"), file)
    values = opts.settle(declared, given, file)
    version = top.get("version")
    description = top.get("description")
    compiled = {
        stream: Compiler(file, Vocabulary(values, stream=stream)).stream(stream, node)
        for stream, node in streams.value.items()
    }
    return Mapping(
        name=name,
        version=str(version.plain) if version else "",
        source=source,
        description=str(description.plain or "").strip() if description else "",
        file=file,
        options=values,
        declared=declared,
        _streams=compiled,
    )


def _required_text(top: Map[str, Node], key: str, file: str) -> str:
    node = top.get(key)
    if node is None or not isinstance(node.value, str) or not node.value.strip():
        raise MappingFileError("text is expected", file=file, line=node.line if node else None, field=key)
    return node.value.strip()
