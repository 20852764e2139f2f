"""What an expression comes to as far as options and constants alone can tell; everything else is `UNKNOWN`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

UNKNOWN: Any = object()
_PASSES_ON = frozenset({"text", "clip", "letters", "paragraph"})
"""Functions whose value is their first argument's, tidied."""
_DEPTH = 20
"""Names that need each other go round; at this depth they count as unknown."""


def tree(expression: str) -> ast.expr:
    """An expression of a mapping file, which its compiler has checked."""
    return ast.parse(f"({expression.strip()}\n)", mode="eval").body


class Known:
    """One place of a mapping: its options and the names that `let` gives there, as expressions."""

    def __init__(self, options: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._options = options
        self._names = names

    def may_hold(self, expression: str) -> bool:
        """Whether some record can make it true."""
        value = self.value(tree(expression))
        return value is UNKNOWN or bool(value)

    def value(self, node: ast.AST, depth: int = 0) -> Any:
        """The value, or UNKNOWN."""
        work = getattr(self, f"_{type(node).__name__.lower()}", None)
        return work(node, depth + 1) if work and depth <= _DEPTH else UNKNOWN

    def texts(self, node: ast.AST, depth: int = 0) -> Iterator[str]:
        """The texts it may come to, as far as options and constants name them; a table's through `lookup`."""
        if depth > _DEPTH:
            return
        if isinstance(node, ast.Call):
            yield from self._called(node, depth)
            return
        parts = self._branches(node, depth)
        if not parts:
            value = self.value(node, depth)
            if isinstance(value, str) and value:
                yield value
        for part in parts:
            yield from self.texts(part, depth + 1)

    def _branches(self, node: ast.AST, depth: int) -> Sequence[ast.AST]:
        if isinstance(node, ast.IfExp):
            test = self.value(node.test, depth)
            return (node.body, node.orelse) if test is UNKNOWN else (node.body if test else node.orelse,)
        if isinstance(node, ast.BoolOp):
            return node.values
        return (tree(self._names[node.id]),) if isinstance(node, ast.Name) and node.id in self._names else ()

    def _called(self, node: ast.Call, depth: int) -> Iterator[str]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        parts: Sequence[ast.AST] = ()
        if name == "first":
            parts = node.args
        elif name in _PASSES_ON:
            parts = node.args[:1]
        elif name == "lookup":
            table = self.value(node.args[0], depth)
            found = table.values() if isinstance(table, Mapping) else ()
            yield from (value for value in found if isinstance(value, str) and value)
            parts = node.args[2:]
        for part in parts:
            yield from self.texts(part, depth + 1)

    def _constant(self, node: ast.Constant, _depth: int) -> Any:
        return node.value

    def _name(self, node: ast.Name, depth: int) -> Any:
        if node.id == "options":
            return self._options
        return self.value(tree(self._names[node.id]), depth) if node.id in self._names else UNKNOWN

    def _attribute(self, node: ast.Attribute, depth: int) -> Any:
        owner = self.value(node.value, depth)
        return owner.get(node.attr) if isinstance(owner, Mapping) else UNKNOWN

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> Any:
        value = self.value(node.operand, depth)
        return UNKNOWN if value is UNKNOWN or not isinstance(node.op, ast.Not) else not value

    def _boolop(self, node: ast.BoolOp, depth: int) -> Any:
        """One known value may decide, whatever the others are."""
        every = isinstance(node.op, ast.And)
        values = [self.value(part, depth) for part in node.values]
        if any(value is not UNKNOWN and bool(value) is not every for value in values):
            return not every
        return UNKNOWN if any(value is UNKNOWN for value in values) else values[-1]

    def _ifexp(self, node: ast.IfExp, depth: int) -> Any:
        test = self.value(node.test, depth)
        return UNKNOWN if test is UNKNOWN else self.value(node.body if test else node.orelse, depth)

    def _compare(self, node: ast.Compare, depth: int) -> Any:
        left, right = self.value(node.left, depth), self.value(node.comparators[0], depth)
        if len(node.ops) > 1 or left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        operator = type(node.ops[0])
        if operator in (ast.In, ast.NotIn) and isinstance(right, (list, tuple, Mapping, str)):
            return (left in right) is (operator is ast.In)
        if operator in (ast.Eq, ast.NotEq, ast.Is, ast.IsNot):
            return (left == right) is (operator in (ast.Eq, ast.Is))
        return UNKNOWN
