"""The same value without the evaluator, for what most expressions are: a field, a constant, a call of these, a choice.

What is not covered here (arithmetic, comprehensions, f-strings, methods) goes through the evaluator. Both give the same value;
a test compares them.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

import simpleeval

from crm_to_xero.evaluator import FUNCTIONS, element, member
from crm_to_xero.scope import Scope, Work


def quick(tree: ast.expr) -> Work | None:
    """A function of the scope, or None where the expression needs the evaluator."""
    make = _MAKERS.get(type(tree))
    return None if make is None else make(tree)


def _all(trees: Sequence[ast.expr]) -> list[Work] | None:
    works = []
    for tree in trees:
        work = quick(tree)
        if work is None:
            return None
        works.append(work)
    return works


def _constant(tree: Any) -> Work:
    value = tree.value
    return lambda _scope: value


def _name(tree: Any) -> Work:
    return operator.itemgetter(tree.id)


def _attribute(tree: Any) -> Work | None:
    owner, name = quick(tree.value), tree.attr
    return owner and (lambda scope: member(owner(scope), name))


def _subscript(tree: Any) -> Work | None:
    owner = quick(tree.value)
    if owner is None or not isinstance(tree.slice, ast.Constant):
        return None
    key = tree.slice.value
    return lambda scope: element(owner(scope), key)


def _call(tree: Any) -> Work | None:
    if not isinstance(tree.func, ast.Name) or tree.keywords:
        return None
    parts = _all(tree.args)
    if parts is None:
        return None
    call = FUNCTIONS[tree.func.id]
    if len(parts) == 1:
        only = parts[0]
        return lambda scope: call(only(scope))
    return lambda scope: call(*[part(scope) for part in parts])


def _not(tree: Any) -> Work | None:
    inner = quick(tree.operand) if isinstance(tree.op, ast.Not) else None
    return inner and (lambda scope: not inner(scope))


def _choice(tree: Any) -> Work | None:
    parts = _all(tree.values)
    if parts is None:
        return None
    stop = isinstance(tree.op, ast.Or)

    def choose(scope: Scope) -> Any:
        value = None
        for part in parts:
            value = part(scope)
            if bool(value) is stop:
                break
        return value

    return choose


def _if(tree: Any) -> Work | None:
    parts = _all([tree.test, tree.body, tree.orelse])
    if parts is None:
        return None
    test, body, other = parts
    return lambda scope: body(scope) if test(scope) else other(scope)


def _compare(tree: Any) -> Work | None:
    sides = _all([tree.left, *tree.comparators]) if len(tree.ops) == 1 else None
    if sides is None:
        return None
    left, right = sides
    apply = simpleeval.DEFAULT_OPERATORS[type(tree.ops[0])]
    return lambda scope: apply(left(scope), right(scope))


_MAKERS: dict[type[ast.expr], Callable[[Any], Work | None]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.UnaryOp: _not,
    ast.BoolOp: _choice,
    ast.IfExp: _if,
    ast.Compare: _compare,
}
