"""From the text of an expression to a function of a record: checked once, at load; fast where it is only a field or a call."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import simpleeval
import simplejson

from crm_to_xero import limits
from crm_to_xero.errors import ExpressionError, nearest
from crm_to_xero.evaluator import FUNCTIONS, IMPURE, KNOWN_METHODS, MODULES, Evaluator
from crm_to_xero.functions import ENTRIES
from crm_to_xero.native import Code, native
from crm_to_xero.scope import Scope, Work, local

FAILURES = (
    ExpressionError,
    simpleeval.InvalidExpression,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""What an expression may raise over a record; anything else is a defect of this package."""


@dataclass(frozen=True)
class Vocabulary:
    """What the expressions at one place of a mapping may name besides fields."""

    options: Mapping[str, Any]
    locals: frozenset[str] = frozenset()
    stream: str = ""

    def with_locals(self, *names: str) -> Vocabulary:
        """The same, and these local names."""
        return Vocabulary(self.options, self.locals | set(names), self.stream)


@dataclass(frozen=True)
class Expression:
    """A compiled expression. Call it with a scope; it raises one of FAILURES if it cannot be worked out."""

    source: str
    work: Work
    names: tuple[str, ...] = field(default=())
    """Keys of the scope that it reads."""
    reads: frozenset[str] = frozenset()
    """Fields of the record that it reads, dotted where it goes into them; list elements are not followed."""
    code: Code | None = None
    """The same as `work`, as Python text; None where only the evaluator can do it."""

    def __call__(self, scope: Scope) -> Any:
        """The value."""
        return self.work(scope)

    def explain(self, exc: BaseException, scope: Scope) -> ExpressionError:
        """Why it could not be worked out, with the values it had before it."""
        if isinstance(exc, ExpressionError):
            return exc
        reason = (
            str(exc).replace("'NoneType'", "nothing").replace("NoneType", "nothing") or type(exc).__name__
        )
        values = ", ".join(f"{name.strip()} = {_shown(scope, name)}" for name in self.names)
        shown = f"{self.source}, with {values}" if values else self.source
        return ExpressionError(reason, value=shown[: limits.SHOWN_VALUE])


@dataclass(frozen=True)
class Named:
    """A `let`: an expression under a name. A failure names it once, whatever uses it."""

    name: str
    expression: Expression
    line: int

    def __call__(self, scope: Scope) -> Any:
        """The value."""
        try:
            return self.expression.work(scope)
        except FAILURES as exc:
            error = self.expression.explain(exc, scope)
            if not error.name:
                error.name, error.line, error.origin = self.name, self.line, scope
            raise error from exc


def _shown(scope: Scope, name: str) -> str:
    try:
        value = scope[name]
    except FAILURES:
        return "(cannot be worked out)"
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list, str)):
        return str(simplejson.dumps(value, use_decimal=True, ensure_ascii=False, default=str))[
            : limits.SHOWN_VALUE // 2
        ]
    return str(value)[:100]


class ExpressionMistake(Exception):  # noqa: N818 - becomes a MappingFileError with its place
    """An expression is wrong in itself: found at load."""

    def __init__(self, problem: str, cure: str = "", line: int = 0) -> None:
        """`line` counts from 0 inside the expression."""
        self.problem, self.cure, self.line = problem, cure, line
        super().__init__(problem)


def compile_expression(source: str, vocabulary: Vocabulary) -> Expression:
    """Check and compile one expression.

    Args:
        source: The text, a Singer stream-map expression.
        vocabulary: Options and local names it may use.

    Raises:
        ExpressionMistake: Its syntax is wrong, or it names a function, option or method that does not exist.
    """
    if _OF_ITS_PLACE.search(source):
        return _compiled(source, vocabulary)
    return _shared(source, vocabulary.locals)


_OF_ITS_PLACE = re.compile(r"options|config|stream_name")
"""What makes an expression mean another thing under other options or in another stream."""


@functools.lru_cache(maxsize=limits.EXPRESSIONS_KEPT)
def _shared(source: str, names: frozenset[str]) -> Expression:
    """An expression that is the same whatever the options: examples load one mapping many times, with other options."""
    return _compiled(source, Vocabulary({}, names))


def _compiled(source: str, vocabulary: Vocabulary) -> Expression:
    if len(source) > limits.EXPRESSION_LENGTH:
        raise ExpressionMistake(
            f"longer than {limits.EXPRESSION_LENGTH} characters", "Give its parts names under `let`."
        )
    try:
        tree = ast.parse(f"({source.strip()}\n)", mode="eval").body
    except SyntaxError as exc:
        where = f" near {exc.text.strip()!r}" if exc.text and exc.text.strip() not in {"", ")"} else ""
        raise ExpressionMistake(
            f"{source!r} is no expression: {exc.msg}{where}",
            "Text stands in quotes of its own: \"'DRAFT'\".",
            max(0, (exc.lineno or 1) - 1),
        ) from None
    except (ValueError, RecursionError, MemoryError) as exc:
        raise ExpressionMistake(f"{source!r} is no expression: {exc}") from None
    if isinstance(tree, ast.Tuple) and not tree.elts:
        raise ExpressionMistake("an empty expression", "Write null for nothing.")
    resolver = _Resolver(vocabulary)
    tree = resolver.visit(tree)
    code = native(tree)
    work = code.work() if code else _slow(tree, source)
    names = tuple(dict.fromkeys(resolver.names))
    return Expression(source.strip(), work, names, frozenset(_reads(tree)), code)


_NODES = frozenset(Evaluator().nodes)


class _Resolver(ast.NodeTransformer):
    """Checks every node, puts options and constants in their place, and tells local names from fields."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.bound: list[str] = []  # names of the comprehensions around
        self.names: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        parts = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.comprehension)
        if type(node) not in _NODES and not isinstance(node, parts):
            raise ExpressionMistake(
                f"{type(node).__name__} is not available in expressions", line=_line(node)
            )
        return super().visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, float):
            return ast.copy_location(_constant(Decimal(repr(node.value))), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id
        if isinstance(node.ctx, ast.Store) or name in self.bound:
            return node
        if name in {"options", "config"} and name not in self.vocabulary.locals:
            return ast.copy_location(_constant(dict(self.vocabulary.options)), node)
        if name in {"__stream_name__", "__original_stream_name__"}:
            return ast.copy_location(_constant(self.vocabulary.stream), node)
        if name in MODULES and name not in self.vocabulary.locals:
            return ast.copy_location(_constant(MODULES[name]), node)
        key = "record" if name == "_" else local(name) if name in self.vocabulary.locals else name
        self.names.append(key)
        return ast.copy_location(ast.Name(key, node.ctx), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr.startswith("__"):
            raise ExpressionMistake(f"{node.attr} is not available in expressions", line=_line(node))
        owner = self.visit(node.value)
        value: Any = owner.value if isinstance(owner, ast.Constant) else None
        if isinstance(value, dict):
            if node.attr not in value:
                kind = "option" if isinstance(node.value, ast.Name) else "entry"
                raise ExpressionMistake(
                    f"there is no {kind} {node.attr!r}", nearest(node.attr, value), _line(node)
                )
            return ast.copy_location(_constant(value[node.attr]), node)
        if value in MODULES.values() and node.attr in IMPURE:
            raise _impure(node.attr, node)
        node.value = owner
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name):
            self._check_function(node, node.func.id)
        elif isinstance(node.func, ast.Attribute):
            self._check_method(node.func)
            node.func.value = self.visit(node.func.value)
        else:
            raise ExpressionMistake("only functions by name and methods can be called", line=_line(node))
        node.args = [self.visit(item) for item in node.args]
        node.keywords = [self.visit(item) for item in node.keywords]
        return node

    def _check_function(self, node: ast.Call, name: str) -> None:
        if name in IMPURE:
            raise _impure(name, node)
        if name == "float":
            raise ExpressionMistake("float is not exact", "Use decimal(…).", _line(node))
        if name not in FUNCTIONS:
            raise ExpressionMistake(f"there is no function {name!r}", nearest(name, FUNCTIONS), _line(node))
        entry = ENTRIES.get(name)
        if (
            entry is None
            or any(isinstance(item, ast.Starred) for item in node.args)
            or any(k.arg is None for k in node.keywords)
        ):
            return
        try:
            entry.signature.bind(*node.args, **{str(word.arg): word.value for word in node.keywords})
        except TypeError as exc:
            raise ExpressionMistake(
                f"{name}(): {exc}", f"Its form is {name}{_form(entry)}.", _line(node)
            ) from None

    @staticmethod
    def _check_method(func: ast.Attribute) -> None:
        if func.attr in IMPURE:
            raise _impure(func.attr, func)
        if func.attr not in KNOWN_METHODS:
            raise ExpressionMistake(
                f"there is no method {func.attr!r}",
                nearest(func.attr, {*KNOWN_METHODS, *FUNCTIONS}),
                _line(func),
            )

    def _comprehension(self, node: Any) -> ast.AST:
        before = len(self.bound)
        for part in node.generators:
            part.iter = self.visit(part.iter)
            self.bound += [item.id for item in ast.walk(part.target) if isinstance(item, ast.Name)]
            part.ifs = [self.visit(item) for item in part.ifs]
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                setattr(node, name, self.visit(getattr(node, name)))
        del self.bound[before:]
        return node  # type: ignore[no-any-return]

    visit_ListComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815


def _constant(value: Any) -> ast.Constant:
    """A constant of any type: the evaluator takes what Python's own grammar would not."""
    return ast.Constant(value)


def _form(entry: Any) -> str:
    """A function's parameters without their types."""
    plain = [item.replace(annotation=item.empty) for item in entry.signature.parameters.values()]
    return str(entry.signature.replace(parameters=plain, return_annotation=entry.signature.empty))


def _impure(name: str, node: ast.AST) -> ExpressionMistake:
    return ExpressionMistake(
        f"{name}() depends on when it runs",
        "A record must give the same document in every run: use its own dates.",
        _line(node),
    )


def _line(node: ast.AST) -> int:
    return max(0, getattr(node, "lineno", 1) - 1)


def _slow(tree: ast.expr, source: str) -> Work:
    evaluator = Evaluator()
    return lambda scope: evaluator.run(tree, source, scope)


def _reads(tree: ast.AST) -> set[str]:
    """Fields of the record, dotted. Names bound by comprehensions are left out."""
    bound = {
        item.id for item in ast.walk(tree) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        path = _dotted(node)
        if path is not None:
            root = path.split(".", 1)[0]
            if root == "record" and "." in path:
                path = path.split(".", 1)[1]
            if root not in bound and path != "record" and not root.startswith(" "):
                found.add(path)
            return
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.Call) and child is node.func and isinstance(child, ast.Name)):
                walk(child.value if isinstance(node, ast.Call) and child is node.func else child)  # type: ignore[attr-defined]

    walk(tree)
    return found


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.slice.value}"
    return None
