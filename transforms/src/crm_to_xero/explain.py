"""What a mapping file says, for people and checks: what gives a field, which documents are switched on, which codes it names.

Nothing is run over a record here. What can be told from the options alone is told, everything else counts as possible.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.known import Known, tree
from crm_to_xero.loader import load_mapping, parsed, read_source
from crm_to_xero.yamlfile import Node


@dataclass(frozen=True)
class FieldRule:
    """One field of one document rule."""

    stream: str
    """The source stream."""
    document: str
    rule: str
    field: str
    """Dotted, without list positions: `LineItems.AccountCode`."""
    expression: str
    line: int


@dataclass(frozen=True)
class _Place:
    """An expression and the names it may use."""

    rule: FieldRule
    known: Known


class Explanation:
    """A mapping file with options, ready to be asked."""

    def __init__(self, file: str, options: Mapping[str, Any], root: Node) -> None:
        self.file = file
        self._options = options
        self._places: list[_Place] = []
        self._possible: set[str] = set()
        for stream, node in root.value["streams"].value.items():
            self._stream(stream, node)

    @property
    def documents(self) -> tuple[str, ...]:
        """The document streams that records can give with these options, in the order in which Xero needs them."""
        return tuple(name for name in DOCUMENTS if name in self._possible)

    def rules_of(self, document: str, field: str) -> list[FieldRule]:
        """What gives a field of a document (dotted; list positions are passed over)."""
        wanted = ".".join(part.partition("[")[0] for part in field.split("."))
        return [
            place.rule
            for place in self._places
            if place.rule.document == document
            and (place.rule.field == wanted or place.rule.field.startswith(f"{wanted}."))
        ]

    def codes(self, field: str) -> dict[str, list[FieldRule]]:
        """The values of a field that options and constants name (account codes, tax types), with the rules that use them.

        Args:
            field: the last part of its name, e.g. `AccountCode`. Values from records are not told.
        """
        found: dict[str, list[FieldRule]] = {}
        for place in self._places:
            if place.rule.field.rpartition(".")[2] == field:
                for value in place.known.texts(tree(place.rule.expression)):
                    found.setdefault(value, []).append(place.rule)
        return found

    def tracking(self) -> list[dict[str, Any]]:
        """The tracking rules `{name, from, map, default}` that are given to the function `tracking`."""
        found: list[dict[str, Any]] = []
        for place in self._places:
            for node in ast.walk(tree(place.rule.expression)):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id == "tracking"
                ):
                    rules = place.known.value(node.args[0]) if node.args else ()
                    found += [rule for rule in _listed(rules) if isinstance(rule, dict) and rule not in found]
        return found

    def _stream(self, stream: str, node: Node) -> None:
        parts = node.value or {}
        outer = _names(parts.get("let"))
        for document in _listed(parts["documents"].value if "documents" in parts else None):
            entry = document.value
            names = {**outer, **_names(entry.get("let"))}
            name = str(entry["document"].plain)
            when = entry.get("when")
            if when is not None and not Known(self._options, names).may_hold(str(when.plain)):
                continue
            self._possible.add(name)
            rule = str(entry["rule"].plain) if "rule" in entry else ""
            given = [*_fields(parts.get("common"), ""), *_fields(entry["fields"], "")]
            for field, expression, line, more in given:
                found = FieldRule(stream, name, rule, field, expression, line)
                self._places.append(_Place(found, Known(self._options, {**names, **more})))


def explain(name_or_path: str, options: Mapping[str, Any] | None = None) -> Explanation:
    """Reads a mapping as `load_mapping` does.

    Raises:
        MappingFileError: the file or an option is wrong.
    """
    mapping = load_mapping(name_or_path, dict(options or {}))
    text, file = read_source(name_or_path)
    return Explanation(mapping.file, mapping.options, parsed(text, file))


def _names(node: Node | None) -> dict[str, str]:
    if node is None or not isinstance(node.value, dict):
        return {}
    return {name: str(item.plain) for name, item in node.value.items()}


def _fields(node: Node | None, path: str) -> Iterator[tuple[str, str, int, dict[str, str]]]:
    """Every expression below a node: its field, its text, its line, and the names that `each` adds."""
    if node is None or node.value is None:
        return
    if isinstance(node.value, list):
        for item in node.value:
            yield from _fields(item, path)
    elif isinstance(node.value, dict):
        inner = node.value
        if "each" in inner and "fields" in inner:
            more = _names(inner.get("let"))
            for field, expression, line, names in _fields(inner["fields"], path):
                yield field, expression, line, {**more, **names}
        elif path and set(inner) <= {"when", "fields"} and "fields" in inner:
            yield from _fields(inner["fields"], path)
        else:
            for name, item in inner.items():
                yield from _fields(item, f"{path}.{name}" if path else name)
    else:
        yield path, str(node.plain), node.line, {}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
