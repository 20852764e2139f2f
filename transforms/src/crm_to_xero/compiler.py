"""Checks the nodes of a mapping file against the documents' schemas and compiles them into rules."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NoReturn

from crm_to_xero import fields as build
from crm_to_xero.documents import COMMON, DOCUMENTS, FLAG, NUMBER, Schema
from crm_to_xero.errors import MappingFileError, nearest
from crm_to_xero.expressions import (
    Expression,
    ExpressionMistake,
    Named,
    Vocabulary,
    compile_expression,
)
from crm_to_xero.rules import Builder, DocumentRule, Refusal, StreamRules
from crm_to_xero.scope import local
from crm_to_xero.straight import Ways
from crm_to_xero.yamlfile import Node

_STREAM_KEYS = ("let", "common", "documents")
_DOCUMENT_KEYS = ("document", "rule", "when", "withdraw_when", "split", "as", "let", "refuse", "fields")
_EACH_KEYS = ("each", "as", "let", "when", "fields")
_ENTRY_KEYS = ("when", "fields")
_REFUSE_KEYS = ("rule", "when", "field", "value", "cure")
_OWN_KEYS = frozenset({"withdrawn", "refusals"})
_RESERVED = frozenset({"record", "_", "options", "config", "index"})


class Compiler:
    """Compiles one source stream. Its vocabulary grows by the names that `let`, `as` and `split` give."""

    def __init__(self, file: str, vocabulary: Vocabulary) -> None:
        """Begin with the options; no local names yet."""
        self.file = file
        self.vocabulary = vocabulary
        self.reads: set[str] = set()

    def fail(self, problem: str, node: Node, path: str, cure: str = "") -> NoReturn:
        """Stop with the place."""
        raise MappingFileError(problem, file=self.file, line=node.line, field=path, cure=cure)

    def stream(self, name: str, node: Node) -> StreamRules:
        """Compile `streams.NAME`."""
        path = f"streams.{name}"
        parts = self._mapping(node, path, _STREAM_KEYS, "a stream") if node.value is not None else {}
        lets = self._lets(parts.get("let"), f"{path}.let")
        common = self._common(parts.get("common"), f"{path}.common")
        listed = parts.get("documents")
        rules: list[DocumentRule] = []
        if listed is not None and listed.value is not None:
            if not isinstance(listed.value, list):
                self.fail(f"a list of documents is expected, not {listed.kind}", listed, f"{path}.documents")
            for index, item in enumerate(listed.value):
                rules.append(self._document(item, f"{path}.documents[{index}]", common))
        return StreamRules(
            name, lets, tuple(rules), frozenset(self.reads), Ways(lets, tuple(rules)).documents
        )

    def _document(self, node: Node, path: str, common: dict[str, Builder]) -> DocumentRule:
        parts = self._mapping(node, path, _DOCUMENT_KEYS, "a document")
        stream = self._word(parts.get("document"), node, f"{path}.document")
        if stream not in DOCUMENTS:
            self.fail(
                f"there is no document stream {stream!r}",
                parts["document"],
                f"{path}.document",
                nearest(stream, DOCUMENTS),
            )
        split = self._optional(parts.get("split"), f"{path}.split")
        outside = self.vocabulary
        part = self._word(parts["as"], node, f"{path}.as") if "as" in parts else "part"
        if split is None and "as" in parts:
            self.fail("`as` names the element of a `split`, and there is none", parts["as"], f"{path}.as")
        if split is not None:
            self.vocabulary = self.vocabulary.with_locals(
                self._name(part, parts.get("as", node), f"{path}.as")
            )
        lets = self._lets(parts.get("let"), f"{path}.let")
        wanted = parts.get("fields")
        if wanted is None:
            self.fail("a document needs `fields`", node, path)
        schema = DOCUMENTS[stream]["properties"]
        builders = self._fields(wanted, f"{path}.fields", schema, f"a document of {stream}", barred=_OWN_KEYS)
        if "source_key" not in builders:
            self.fail("a document needs the field source_key", wanted, f"{path}.fields")
        key_node = wanted.value["source_key"]
        key = build.ValueBuilder(
            "source_key", self._expression(key_node, f"{path}.fields.source_key"), build.to_key, key_node.line
        )
        always = {**common, **{name: item for name, item in builders.items() if name in COMMON}}
        common_fields = {name: item for name, item in always.items() if name != "source_key"}
        own_fields = {name: item for name, item in builders.items() if name not in COMMON}
        rule = DocumentRule(
            document=stream,
            rule=self._word(parts["rule"], node, f"{path}.rule") if "rule" in parts else "",
            line=node.line,
            when=self._optional(parts.get("when"), f"{path}.when"),
            withdraw_when=self._optional(parts.get("withdraw_when"), f"{path}.withdraw_when"),
            split=split,
            part=part,
            lets=lets,
            key=key,
            common=common_fields,
            fields=own_fields,
            refuse=self._refusals(parts.get("refuse"), f"{path}.refuse"),
        )
        self.vocabulary = outside
        return rule

    def _common(self, node: Node | None, path: str) -> dict[str, Builder]:
        if node is None or node.value is None:
            return {}
        return self._fields(node, path, COMMON, "what every document has", barred=_OWN_KEYS | {"source_key"})

    def _refusals(self, node: Node | None, path: str) -> tuple[Refusal, ...]:
        if node is None or node.value is None:
            return ()
        if not isinstance(node.value, list):
            self.fail(f"a list of refusals is expected, not {node.kind}", node, path)
        found = []
        for index, item in enumerate(node.value):
            place = f"{path}[{index}]"
            parts = self._mapping(item, place, _REFUSE_KEYS, "a refusal")
            for key in ("rule", "when", "cure"):
                if key not in parts:
                    self.fail(f"a refusal needs `{key}`", item, place)
            found.append(
                Refusal(
                    rule=self._word(parts["rule"], item, f"{place}.rule"),
                    when=self._expression(parts["when"], f"{place}.when"),
                    field=self._word(parts["field"], item, f"{place}.field") if "field" in parts else "",
                    value=self._optional(parts.get("value"), f"{place}.value"),
                    cure=" ".join(self._word(parts["cure"], item, f"{place}.cure").split()),
                    line=item.line,
                )
            )
        return tuple(found)

    def _fields(
        self, node: Node, path: str, schema: dict[str, Schema], what: str, *, barred: Collection[str] = ()
    ) -> dict[str, Builder]:
        if not isinstance(node.value, dict):
            self.fail(f"a mapping from field to expression is expected, not {node.kind}", node, path)
        found = {}
        for name, item in node.value.items():
            place = f"{path}.{name}"
            if name in barred:
                self.fail(f"{name} is set by the engine", item, place, "Use `withdraw_when` or `refuse`.")
            if name not in schema:
                self.fail(
                    f"{what} has no field {name!r}", item, place, nearest(name, set(schema) - set(barred))
                )
            builder = self._field(name, item, place, schema[name])
            if builder is not None:
                found[name] = builder
        return found

    def _field(self, name: str, node: Node, path: str, schema: Schema) -> Builder | None:
        """A builder for one field; None where the file says null."""
        if node.value is None:
            return None
        kind = build.shape(schema)
        if isinstance(node.value, str):
            coerce = build.to_key if name == "source_key" else build.coercer(schema)
            return build.ValueBuilder(name, self._expression(node, path), coerce, node.line)
        if kind == "object" and isinstance(node.value, dict):
            return build.ObjectBuilder(
                self._fields(node, path, schema["properties"], f"{name} of a document")
            )
        if kind == "list" and isinstance(node.value, list):
            return self._written_list(name, node, path, schema["items"])
        if kind == "list" and isinstance(node.value, dict):
            return self._each(name, node, path, schema["items"])
        if kind == "value" and not isinstance(node.value, (dict, list)):
            return build.ConstantBuilder(self._constant(node, path, schema))
        wanted = {"object": "fields", "list": "a list, or `each:` with `fields:`", "value": "an expression"}[
            kind
        ]
        raise MappingFileError(
            f"{wanted} expected, not {node.kind}", file=self.file, line=node.line, field=path
        )

    def _constant(self, node: Node, path: str, schema: Schema) -> Any:
        value = node.value
        if (schema is FLAG) != isinstance(value, bool) or (schema is not FLAG and schema is not NUMBER):
            need = {id(FLAG): "true or false", id(NUMBER): "a number"}.get(id(schema), "text")
            shown = "true" if value is True else "false" if value is False else value
            cure = f"Text stands in two kinds of quotes: \"'{shown}'\"." if need == "text" else ""
            self.fail(f"this field takes {need}, not {shown}", node, path, cure)
        return value

    def _written_list(self, name: str, node: Node, path: str, items: Schema) -> Builder:
        builders: list[build.ObjectBuilder] = []
        constant: set[str] = set()
        for index, item in enumerate(node.value):
            place = f"{path}[{index}]"
            if build.shape(items) != "object" or not isinstance(item.value, dict):
                self.fail(f"an element of {name} is a mapping, not {item.kind}", item, place)
            parts, when = item, None
            if "fields" in item.value:
                keys = self._mapping(item, place, _ENTRY_KEYS, f"an element of {name}")
                parts = keys["fields"]
                when = self._condition(keys.get("when"), f"{place}.when")
            fields = self._fields(parts, place, items["properties"], f"an element of {name}")
            constant |= {key for key, value in parts.value.items() if _is_literal(value)}
            builders.append(build.ObjectBuilder(fields, when))
        return build.ListBuilder(builders, frozenset(constant))

    def _each(self, name: str, node: Node, path: str, items: Schema) -> Builder:
        parts = self._mapping(node, path, _EACH_KEYS, f"{name} with `each`")
        if "each" not in parts or "fields" not in parts:
            self.fail("a list is written out, or has `each` and `fields`", node, path)
        each = self._expression(parts["each"], f"{path}.each")
        variable = self._word(parts["as"], node, f"{path}.as") if "as" in parts else "line"
        outside = self.vocabulary
        self.vocabulary = outside.with_locals(
            self._name(variable, parts.get("as", node), f"{path}.as"), "index"
        )
        lets = self._lets(parts.get("let"), f"{path}.let")
        when = self._condition(parts.get("when"), f"{path}.when")
        fields = self._fields(parts["fields"], f"{path}.fields", items["properties"], f"an element of {name}")
        self.vocabulary = outside
        return build.EachBuilder(name, each, variable, lets, when, fields, node.line)

    def _lets(self, node: Node | None, path: str) -> dict[str, Named]:
        """Compile a `let`; its names are known from the next one on."""
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.fail(f"a mapping from name to expression is expected, not {node.kind}", node, path)
        found: dict[str, Named] = {}
        for name, item in node.value.items():
            place = f"{path}.{name}"
            self._name(name, item, place)
            found[local(name)] = Named(name, self._expression(item, place), item.line)
            self.vocabulary = self.vocabulary.with_locals(name)
        return found

    def _condition(self, node: Node | None, path: str) -> build.ValueBuilder | None:
        if node is None or node.value is None:
            return None
        return build.ValueBuilder("when", self._expression(node, path), bool, node.line)

    def _optional(self, node: Node | None, path: str) -> Expression | None:
        return None if node is None or node.value is None else self._expression(node, path)

    def _expression(self, node: Node, path: str) -> Expression:
        value = node.value
        if isinstance(value, (bool, int, Decimal)):
            value = str(value)
        if not isinstance(value, str):
            self.fail(f"an expression is expected, not {node.kind}", node, path)
        try:
            expression = compile_expression(value, self.vocabulary)
        except ExpressionMistake as mistake:
            self.fail(mistake.problem, node, path, mistake.cure)
        self.reads |= expression.reads
        return expression

    def _mapping(self, node: Node, path: str, known: tuple[str, ...], what: str) -> dict[str, Node]:
        if not isinstance(node.value, dict):
            self.fail(f"{what} is a mapping, not {node.kind}", node, path)
        for key, item in node.value.items():
            if key not in known:
                self.fail(f"{what} has no key {key!r}", item, f"{path}.{key}", nearest(key, known))
        return node.value

    def _word(self, node: Node | None, owner: Node, path: str) -> str:
        if node is None or not isinstance(node.value, str) or not node.value.strip():
            self.fail("text is expected", node or owner, path)
        return node.value.strip()

    def _name(self, name: str, node: Node, path: str) -> str:
        if not name.isidentifier() or name in _RESERVED:
            self.fail(
                f"{name!r} cannot be a name", node, path, "Use letters, digits and _; some names are taken."
            )
        return name


def _is_literal(node: Node) -> bool:
    """Whether a field is the same in every record: an element with nothing else in it is empty."""
    value = node.value
    return not isinstance(value, str) or (len(value) > 1 and value[0] == value[-1] == "'")
