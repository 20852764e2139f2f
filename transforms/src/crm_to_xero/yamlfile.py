"""YAML with line numbers: what a mapping file says and where it says it.

Scalars follow YAML 1.2's core schema and nothing more: `090`, `no`, `on` and `2026-01-01` stay text (account codes, country
codes and dates are no numbers), decimal numbers are `Decimal`. Merge keys (`<<`) and anchors work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from crm_to_xero import limits
from crm_to_xero.errors import MappingFileError


@dataclass(frozen=True)
class Node:
    """A value of the file. `value` is a scalar, a list of nodes, or a dict from key to node."""

    value: Any
    line: int
    """Where it begins, from 1; for a value in a mapping, where its key stands."""

    @property
    def plain(self) -> Any:
        """The value without line numbers."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value

    @property
    def kind(self) -> str:
        """What it is, in words for a message."""
        if self.value is None:
            return "nothing"
        names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
        return names.get(type(self.value), "a number")


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's core scalars."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own class attribute


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first, ""] if _tag == "null" else list(_first)
    )


class _QuickLoader(getattr(yaml, "CSafeLoader", _Loader)):  # type: ignore[misc]  # libyaml's, which PyYAML nearly always has
    """The same in a fifteenth of the time. What it does not take, the other one has better words for."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def _composed(kind: type[_Loader], text: str) -> yaml.Node | None:
    """The one document of a text. Raises YAMLError."""
    loader = kind(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def parse(text: str, file: str) -> Node:
    """Read one YAML document.

    Args:
        text: The document.
        file: Its name in messages.

    Raises:
        MappingFileError: No YAML, a key twice, a key that is no text, too deep, a reference to itself.
    """
    try:
        try:
            # libyaml takes a tab where YAML 1.1 has none
            root = _composed(_Loader if "\t" in text else _QuickLoader, text)
        except yaml.YAMLError:
            root = _composed(_Loader, text)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise MappingFileError(
            f"not readable as YAML: {exc.problem or exc.context}",
            file=file,
            line=mark.line + 1 if mark else None,
            cure="A value that holds `: ` or ` #`, or begins with a quote or bracket, needs quotes around the whole.",
        ) from exc
    except yaml.YAMLError as exc:
        raise MappingFileError(f"not readable as YAML: {exc}", file=file) from exc
    if root is None:
        return Node(value=None, line=1)
    return _convert(root, file, "", 0)


def _convert(node: yaml.Node, file: str, path: str, depth: int) -> Node:
    line = node.start_mark.line + 1
    if depth > limits.NESTING:
        raise MappingFileError(f"more than {limits.NESTING} levels deep", file=file, line=line, field=path)
    if isinstance(node, yaml.ScalarNode):
        return Node(_scalar(node, file, path), line)
    if isinstance(node, yaml.SequenceNode):
        return Node(
            [_convert(item, file, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)], line
        )
    found: dict[str, Node] = {}
    own: dict[str, int] = {}
    for key, key_line, value in _pairs(node, file, path):
        place = f"{path}.{key}" if path else key
        child = _convert(value, file, place, depth + 1)
        if key == "<<":
            for part in child.value if isinstance(child.value, list) else [child]:
                if not isinstance(part.value, dict):
                    raise MappingFileError("<< takes a mapping", file=file, line=key_line, field=path)
                for name, item in part.value.items():
                    found.setdefault(name, item)
            continue
        if key in own:
            raise MappingFileError(
                f"stands here twice (first at line {own[key]})",
                file=file,
                line=key_line,
                field=place,
                cure="Remove one.",
            )
        own[key] = key_line
        found[key] = Node(child.value, key_line)
    return Node(found, line)


def _pairs(node: yaml.Node, file: str, path: str) -> Iterator[tuple[str, int, yaml.Node]]:
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise MappingFileError("a key must be text", file=file, line=line, field=path)
        yield str(key_node.value), line, value_node


def _scalar(node: yaml.ScalarNode, file: str, path: str) -> str | int | bool | Decimal | None:
    kind = node.tag.rpartition(":")[2]
    text = str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text)
    if kind == "float":
        return Decimal(text)
    if kind == "str":
        return text
    raise MappingFileError(
        f"the tag {node.tag} is not known here",
        file=file,
        line=node.start_mark.line + 1,
        field=path,
        cure="Remove it.",
    )
