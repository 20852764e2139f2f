"""A mapping at work: what `load_mapping` builds and a record runs through. Pure and without I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_to_xero import limits
from crm_to_xero.documents import DOCUMENTS, Schema
from crm_to_xero.errors import ExpressionError, RecordError, UnknownStreamError, nearest
from crm_to_xero.expressions import FAILURES, Expression, Named
from crm_to_xero.functions.text import BROKEN, clip
from crm_to_xero.options import Option
from crm_to_xero.scope import Scope, local

if TYPE_CHECKING:
    from crm_to_xero.fields import ValueBuilder


class Document(NamedTuple):
    """One accounting document."""

    stream: str
    """The document stream it belongs to: a key of `documents.DOCUMENTS`."""
    body: dict[str, Any]
    """As that stream's schema says; numbers are Decimal or int."""


@dataclass
class Problem:
    """One field that could not be worked out."""

    field: str
    reason: str
    value: str
    line: int
    origin: object = None
    """The scope of the `let` that failed; None where the field's own expression did."""


Builder = Callable[[Scope, list[Problem]], Any]
"""Works out one field; None where there is nothing, with a problem noted where there should have been something."""


@dataclass(frozen=True)
class Refusal:
    """A `refuse:` rule: when it holds, the document is kept and not sent."""

    rule: str
    when: Expression
    field: str
    value: Expression | None
    cure: str
    line: int


@dataclass(frozen=True)
class DocumentRule:
    """One entry of `documents:`: when and how a record gives a document."""

    document: str
    rule: str
    line: int
    when: Expression | None
    withdraw_when: Expression | None
    split: Expression | None
    part: str
    lets: Map[str, Named]
    key: ValueBuilder
    common: Map[str, Builder]
    """Builders of the fields that every document has, withdrawn ones included."""
    fields: Map[str, Builder]
    """Builders of its own."""
    refuse: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class StreamRules:
    """What a mapping does with one source stream."""

    name: str
    lets: Map[str, Named]
    documents: tuple[DocumentRule, ...]
    reads: frozenset[str] = frozenset()
    straight: Callable[[dict[str, Any]], list[Document] | None] = lambda _: None
    """The documents of a record in which nothing is wrong, many times as fast; None where it does not know (see `straight`)."""


@dataclass(frozen=True)
class Mapping:
    """A mapping, checked and compiled. `load_mapping` makes it. Not to be used by several threads at once."""

    name: str
    version: str
    source: str
    description: str
    file: str
    """What messages call the file."""
    options: Map[str, Any] = field(repr=False)
    declared: Map[str, Option] = field(repr=False)
    _streams: Map[str, StreamRules] = field(repr=False)
    digest: str = ""
    """Of the file's text, where it was loaded from one: what a record gives depends on it, the options and the record alone."""

    @property
    def streams(self) -> frozenset[str]:
        """The source streams it knows; one of them may give no document at all."""
        return frozenset(self._streams)

    def outputs(self, stream: str) -> tuple[str, ...]:
        """The document streams that records of a source stream can give, in the order in which Xero needs them.

        Raises:
            UnknownStreamError: The mapping does not know the stream.
        """
        given = {rule.document for rule in self._rules(stream).documents}
        return tuple(name for name in DOCUMENTS if name in given)

    def reads(self, stream: str) -> frozenset[str]:
        """The fields of a record that the mapping looks at, dotted where it goes into a parent record.

        Raises:
            UnknownStreamError: The mapping does not know the stream.
        """
        return self._rules(stream).reads

    def rules(self, stream: str) -> tuple[DocumentRule, ...]:
        """The document rules of a source stream, in the file's order.

        Raises:
            UnknownStreamError: The mapping does not know the stream.
        """
        return self._rules(stream).documents

    @staticmethod
    def schema(document_stream: str) -> Schema:
        """JSON Schema of a document stream.

        Raises:
            KeyError: There is no such document stream.
        """
        return DOCUMENTS[document_stream]

    def documents(self, stream: str, record: dict[str, Any]) -> list[Document]:
        """The documents one record gives, in the order of the file's rules. Raises nothing over what a record holds.

        Args:
            stream: Source stream.
            record: The record, numbers with a point as Decimal. It is not changed.

        Returns:
            Documents; one that could not be worked out has `refusals` and what could be.

        Raises:
            UnknownStreamError: The mapping does not know the stream.
            RecordError: The record is no JSON object.
        """
        rules = self._streams.get(stream) or self._rules(stream)
        if not isinstance(record, dict):
            raise RecordError(f"{stream}: a record is a JSON object, this is {type(record).__name__}")
        found = rules.straight(record)
        return self._interpreted(rules, stream, record) if found is None else found

    def _interpreted(self, rules: StreamRules, stream: str, record: dict[str, Any]) -> list[Document]:
        """The documents, expression by expression; what is wrong is told with the document."""
        scope = Scope(record, rules.lets)
        scope["record"] = record
        found: list[Document] = []
        for rule in rules.documents:
            found += self._apply(rule, scope, stream, record)
        return found

    def _rules(self, stream: str) -> StreamRules:
        rules = self._streams.get(stream)
        if rules is None:
            raise UnknownStreamError(
                f"the mapping {self.name} has no stream {stream!r}. {nearest(stream, self._streams)}"
            )
        return rules

    def _apply(self, rule: DocumentRule, scope: Scope, stream: str, record: dict[str, Any]) -> list[Document]:
        if rule.split is None:
            inner = Scope({}, rule.lets, scope) if rule.lets else scope
            body = self._document(rule, inner, stream, record)
            return [] if body is None else [Document(rule.document, body)]
        try:
            parts = elements(rule.split(scope))
        except FAILURES as exc:
            problem = problem_of("split", rule.split, exc, scope, rule.line)
            return [Document(rule.document, self._refused(rule, scope, stream, record, [problem]))]
        bodies = [
            self._document(rule, Scope({local(rule.part): part}, rule.lets, scope), stream, record)
            for part in parts
        ]
        return [Document(rule.document, body) for body in bodies if body is not None]

    def _document(
        self, rule: DocumentRule, scope: Scope, stream: str, record: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The body of one document; None where the record calls for none."""
        withdrawn = False
        for name, condition in (("when", rule.when), ("withdraw_when", rule.withdraw_when)):
            if condition is None:
                continue
            try:
                holds = bool(condition(scope))
            except FAILURES as exc:
                problem = problem_of(name, condition, exc, scope, rule.line)
                return self._refused(rule, scope, stream, record, [problem])
            if name == "when" and not holds:
                return None
            withdrawn = name == "withdraw_when" and holds
        problems: list[Problem] = []
        body = self._head(rule, scope, stream, record, problems)
        if withdrawn:
            body["withdrawn"] = True
        else:
            body |= together(rule.fields, scope, problems)
        refusals = [self._refusal(problem) for problem in problems]
        if not withdrawn and rule.refuse:
            refusals += self._refuse(rule, scope)
        if refusals:
            body["refusals"] = [item for index, item in enumerate(refusals) if item not in refusals[:index]]
        return body

    def _head(
        self, rule: DocumentRule, scope: Scope, stream: str, record: dict[str, Any], problems: list[Problem]
    ) -> dict[str, Any]:
        """The fields that every document has. A record without a usable key gets one that its content gives."""
        before = len(problems)
        key = rule.key(scope, problems)
        if key is None:
            if len(problems) == before:
                problems.append(
                    Problem("source_key", "the record has no key", _digest_text(record), rule.line)
                )
            key = f"{stream}:unidentified:{hashlib.sha256(_digest_text(record).encode()).hexdigest()[:16]}"[
                -limits.SOURCE_KEY :
            ]
        body = {"source_key": key}
        body |= together(rule.common, scope, problems)
        return body

    def _refused(
        self, rule: DocumentRule, scope: Scope, stream: str, record: dict[str, Any], problems: list[Problem]
    ) -> dict[str, Any]:
        body = self._head(rule, scope, stream, record, problems)
        return {**body, "refusals": [self._refusal(problem) for problem in problems]}

    def _refuse(self, rule: DocumentRule, scope: Scope) -> list[dict[str, Any]]:
        found = []
        for refusal in rule.refuse:
            try:
                if not refusal.when(scope):
                    continue
                value = refusal.value(scope) if refusal.value else None
            except FAILURES as exc:
                found.append(
                    self._refusal(
                        problem_of(refusal.field or refusal.rule, refusal.when, exc, scope, refusal.line)
                    )
                )
                continue
            found.append(
                {"rule": refusal.rule, "field": refusal.field, "value": show(value), "cure": refusal.cure}
            )
        return found

    def _refusal(self, problem: Problem) -> dict[str, Any]:
        return {
            "rule": "expression",
            "field": problem.field,
            "value": show(problem.value),
            "cure": f"{self.file}:{problem.line} cannot be worked out for this record: {show(problem.reason)}. "
            "Correct the record or the mapping.",
        }


def together(parts: Map[str, Builder], scope: Scope, problems: list[Problem]) -> dict[str, Any]:
    """All fields of a structure that have a value, perhaps none."""
    return {name: value for name, part in parts.items() if (value := part(scope, problems)) is not None}


def elements(value: Any) -> list[Any]:
    """The elements of a list; none of null.

    Raises:
        TypeError: It is no list.
        ValueError: It is too long.
    """
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is expected, not {type(value).__name__}")
    if len(value) > limits.LIST_ELEMENTS:
        raise ValueError(f"more than {limits.LIST_ELEMENTS} elements")
    return list(value)


def problem_of(name: str, expression: Expression, exc: BaseException, scope: Scope, line: int) -> Problem:
    """What could not be worked out, why, and from which values."""
    error: ExpressionError = expression.explain(exc, scope)
    if error.name:
        return Problem(error.name, error.reason, error.value, error.line, error.origin)
    return Problem(name, error.reason, error.value, line)


def show(value: Any) -> str | None:
    """A value as a refusal shows it: short, and text that every database and terminal takes."""
    if value is None:
        return None
    return clip(BROKEN.sub("\ufffd", value if isinstance(value, str) else str(value)), limits.SHOWN_VALUE)


def _digest_text(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, default=str)
