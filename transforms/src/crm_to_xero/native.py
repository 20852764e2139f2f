"""An expression as Python code: the same value as the evaluator's, without walking the tree again for every record.

The tree comes checked (`expressions`): every name, function and method in it is known and harmless. It is rewritten into a
lambda over the scope in which fields are look-ups in it and everything else goes through the evaluator's own functions, so
that null-safety, exactness and limits are said in one place. What is not covered (sets, dictionaries, unpacking) is left to
the evaluator. A test compares the two.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import simpleeval

from crm_to_xero.evaluator import FUNCTIONS, OPERATORS, element, member, method
from crm_to_xero.scope import Work

SCOPE = "_scope"
FUNCTION, OPERATOR, CONSTANT, BOUND = "_function_", "_operator_", "_constant_", "_bound_"
"""How names begin in the text: of functions, of operators, of values that have no literal, of a comprehension's own."""
_PLAIN_OPERATORS = (ast.Sub, ast.FloorDiv, ast.Mod)
"""Python's own do; the others have limits or are exact."""


class _NotCoveredError(Exception):
    """The evaluator must do this one."""


@dataclass(frozen=True)
class Code:
    """Python's text of an expression over `_scope`, and what the names in it mean; no two values share a name."""

    source: str
    names: Mapping[str, Any]

    def work(self) -> Work:
        """A function of the scope, made when it is first called."""
        made: Work | None = None

        def work(scope: Any) -> Any:
            nonlocal made
            if made is None:
                made = define(f"def work({SCOPE}): return {self.source}", "work", self.names)
            return made(scope)

        return work


def define(source: str, name: str, names: Mapping[str, Any]) -> Any:
    """The function `name` that Python text of this package's own making defines."""
    world: dict[str, Any] = {"__builtins__": {}, **HELPERS, **names}
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", SyntaxWarning
        )  # an option's text in the place of its name: `'GBP' is None`
        exec(source, world)  # noqa: S102  made of checked nodes only
    return world[name]


def native(tree: ast.expr) -> Code | None:
    """The expression as Python, or None where it needs the evaluator."""
    translator = _Translator()
    try:
        body = translator.make(tree)
    except _NotCoveredError:
        return None
    return Code(ast.unparse(body), translator.names)


_numbers = itertools.count()


class _Translator:
    """Rewrites one tree. `names` is what its code refers to."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._bound: set[str] = set()

    def make(self, tree: ast.expr) -> ast.expr:
        maker = _MAKERS.get(type(tree))
        if maker is None:
            raise _NotCoveredError
        return maker(self, tree)

    def all(self, trees: Iterable[ast.expr]) -> list[ast.expr]:
        return [self.make(tree) for tree in trees]

    def helper(self, name: str, *arguments: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])

    def value(self, value: Any) -> ast.expr:
        """A constant: as itself where Python has a literal for it, else under a name."""
        if value is None or type(value) in (bool, int, str):
            return ast.Constant(value)
        return self._named(f"{CONSTANT}{next(_numbers)}", value)

    def _named(self, name: str, value: Any) -> ast.expr:
        self.names[name] = value
        return ast.Name(name, ast.Load())

    # -- one method a kind of node ---------------------------------------------------------------------------------------

    def constant(self, tree: Any) -> ast.expr:
        return self.value(tree.value)

    def name(self, tree: Any) -> ast.expr:
        if tree.id in self._bound:
            return ast.Name(f"{BOUND}{tree.id}", ast.Load())
        return ast.Subscript(ast.Name(SCOPE, ast.Load()), ast.Constant(tree.id), ast.Load())

    def attribute(self, tree: Any) -> ast.expr:
        return self.helper("_member", self.make(tree.value), ast.Constant(tree.attr))

    def subscript(self, tree: Any) -> ast.expr:
        if self._is_field(tree.value, tree.slice):  # a field is a name, too
            return ast.Subscript(ast.Name(SCOPE, ast.Load()), tree.slice, ast.Load())
        return self.helper("_element", self.make(tree.value), self._key(tree.slice))

    def _is_field(self, owner: ast.expr, key: ast.expr) -> bool:
        """Whether it is `record['Name']`."""
        return (
            isinstance(owner, ast.Name)
            and owner.id == "record"
            and owner.id not in self._bound
            and isinstance(key, ast.Constant)
            and isinstance(key.value, str)
            and key.value != owner.id
            and key.value.isidentifier()
        )

    def _key(self, tree: Any) -> ast.expr:
        if not isinstance(tree, ast.Slice):
            return self.make(tree)
        ends = [
            ast.Constant(None) if end is None else self.make(end)
            for end in (tree.lower, tree.upper, tree.step)
        ]
        return self.helper("_slice", *ends)

    def call(self, tree: Any) -> ast.expr:
        arguments = [self._argument(item) for item in tree.args]
        if any(word.arg is None for word in tree.keywords):
            raise _NotCoveredError
        words = [ast.keyword(word.arg, self.make(word.value)) for word in tree.keywords]
        if isinstance(tree.func, ast.Attribute):
            # Of nothing there is nothing: the arguments are not even looked at.
            later = ast.Lambda(
                ast.arguments(
                    posonlyargs=[], args=[ast.arg("_method")], kwonlyargs=[], kw_defaults=[], defaults=[]
                ),
                ast.Call(ast.Name("_method", ast.Load()), arguments, words),
            )
            return self.helper("_call", self.make(tree.func.value), ast.Constant(tree.func.attr), later)
        if tree.func.id not in FUNCTIONS:
            raise _NotCoveredError
        return ast.Call(self._named(f"{FUNCTION}{tree.func.id}", FUNCTIONS[tree.func.id]), arguments, words)

    def _argument(self, tree: ast.expr) -> ast.expr:
        if isinstance(tree, ast.Starred):
            nothing = ast.Tuple([], ast.Load())
            return ast.Starred(ast.BoolOp(ast.Or(), [self.make(tree.value), nothing]), ast.Load())
        return self.make(tree)

    def list(self, tree: Any) -> ast.expr:
        return ast.List([self._argument(item) for item in tree.elts], ast.Load())

    def tuple(self, tree: Any) -> ast.expr:
        return ast.Tuple(self.all(tree.elts), ast.Load())

    def unary(self, tree: Any) -> ast.expr:
        return ast.UnaryOp(tree.op, self.make(tree.operand))

    def binary(self, tree: Any) -> ast.expr:
        kind = type(tree.op)
        left, right = self.make(tree.left), self.make(tree.right)
        if kind in _PLAIN_OPERATORS:
            return ast.BinOp(left, tree.op, right)
        if kind not in OPERATORS:
            raise _NotCoveredError
        return ast.Call(self._named(f"{OPERATOR}{kind.__name__}", OPERATORS[kind]), [left, right], [])

    def choice(self, tree: Any) -> ast.expr:
        return ast.BoolOp(tree.op, self.all(tree.values))

    def condition(self, tree: Any) -> ast.expr:
        return ast.IfExp(self.make(tree.test), self.make(tree.body), self.make(tree.orelse))

    def compare(self, tree: Any) -> ast.expr:
        return ast.Compare(self.make(tree.left), tree.ops, self.all(tree.comparators))

    def comprehension(self, tree: Any) -> ast.expr:
        """One loop over one name; the evaluator gives a list for a generator, too."""
        if len(tree.generators) != 1 or not isinstance(tree.generators[0].target, ast.Name):
            raise _NotCoveredError
        loop = tree.generators[0]
        source = self.helper("_limited", self.make(loop.iter))
        before, self._bound = self._bound, self._bound | {loop.target.id}
        element_, conditions = self.make(tree.elt), self.all(loop.ifs)
        self._bound = before
        target = ast.Name(f"{BOUND}{loop.target.id}", ast.Store())
        return ast.ListComp(element_, [ast.comprehension(target, source, conditions, 0)])

    def joined(self, tree: Any) -> ast.expr:
        parts = []
        for part in tree.values:
            if isinstance(part, ast.Constant):
                parts.append(self.make(part))
            elif isinstance(part, ast.FormattedValue) and part.conversion == -1:
                form = [self.make(part.format_spec)] if part.format_spec else []
                parts.append(self.helper("_shown", self.make(part.value), *form))
            else:
                raise _NotCoveredError
        return self.helper("_joined", *parts)


_MAKERS: Mapping[type[ast.expr], Callable[[_Translator, Any], ast.expr]] = {
    ast.Constant: _Translator.constant,
    ast.Name: _Translator.name,
    ast.Attribute: _Translator.attribute,
    ast.Subscript: _Translator.subscript,
    ast.Call: _Translator.call,
    ast.List: _Translator.list,
    ast.Tuple: _Translator.tuple,
    ast.UnaryOp: _Translator.unary,
    ast.BinOp: _Translator.binary,
    ast.BoolOp: _Translator.choice,
    ast.IfExp: _Translator.condition,
    ast.Compare: _Translator.compare,
    ast.ListComp: _Translator.comprehension,
    ast.GeneratorExp: _Translator.comprehension,
    ast.JoinedStr: _Translator.joined,
}


def _call(owner: Any, name: str, work: Callable[[Callable[..., Any]], Any]) -> Any:
    return None if owner is None else work(method(owner, name))


def _limited(values: Any) -> Any:
    """The elements of a comprehension's source, no more of them than the evaluator takes."""
    if hasattr(values, "__len__") and len(values) > simpleeval.MAX_COMPREHENSION_LENGTH:
        raise simpleeval.IterableTooLong("Comprehension generates too many elements")
    return values


def _shown(value: Any, form: str = "") -> str:
    """A value inside an f-string; nothing prints nothing."""
    return "" if value is None else format(value, form) if form else str(value)


def _joined(*parts: str) -> str:
    whole = "".join(parts)
    if len(whole) > simpleeval.MAX_STRING_LENGTH:
        raise simpleeval.IterableTooLong("Sorry, I will not evaluate something this long.")
    return whole


HELPERS: Mapping[str, Any] = {
    "_member": member,
    "_element": element,
    "_slice": slice,
    "_call": _call,
    "_limited": _limited,
    "_joined": _joined,
    "_shown": _shown,
}
"""What the text of every expression may name."""
