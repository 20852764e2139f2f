"""The evaluator of expressions: the Singer SDK's (simpleeval), made null-safe, exact and pure.

What differs from a stream map in a tap, and why:
- a field that the record does not have is null, because a CRM leaves out what a user may not see or has not switched on;
- null has no parts: `Account.Name`, `Name.upper()` and `Lines[0]` of null are null; arithmetic on null is an error, because
  an amount must not be guessed;
- numbers are exact: `0.1` in an expression is a Decimal and `/` divides Decimals;
- a null inside an f-string prints nothing;
- only methods that read are there, so that no expression can change a record.
"""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import simpleeval
import simplejson

from crm_to_xero.functions import ENTRIES

IMPURE = frozenset(
    {"now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp", "rand", "randint", "random"}
)
"""What the SDK offers and a mapping may not use: its result depends on when or where it runs."""


class ExactJson:
    """`json.loads` and `json.dumps` with Decimal numbers."""

    @staticmethod
    def loads(text: str) -> Any:
        """Parse JSON; numbers with a point become Decimal."""
        return simplejson.loads(text, use_decimal=True)

    @staticmethod
    def dumps(value: Any) -> str:
        """Write JSON; Decimal keeps its digits."""
        return str(simplejson.dumps(value, use_decimal=True, sort_keys=True))


def md5(text: str) -> str:
    """As the SDK's."""
    return hashlib.md5(text.encode("utf-8")).hexdigest()  # noqa: S324  no secret; the SDK has it


def sha256(text: str) -> str:
    """As the SDK's."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


SDK_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "str": str,
    "bool": bool,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "md5": md5,
    "sha256": sha256,
}
"""The SDK's functions that are pure. `float` is left out (use `decimal`), `rand` and `randint` too."""

PYTHON_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "min": min,
    "max": max,
    "any": any,
    "all": all,
    "sorted": sorted,
}
"""Python's own, which the SDK does not offer."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **SDK_FUNCTIONS,
    **PYTHON_FUNCTIONS,
    **{name: entry.call for name, entry in ENTRIES.items()},
}

MODULES: dict[str, Any] = {"datetime": simpleeval.ModuleWrapper(dt), "json": ExactJson}

_TEXT_METHODS = simpleeval.BASIC_ALLOWED_ATTRS[str] - {
    "format",
    "format_map",
    "encode",
    "maketrans",
    "translate",
}
_DATE_METHODS = {
    name for kind in (dt.date, dt.datetime, dt.timedelta) for name in dir(kind) if not name.startswith("_")
} - IMPURE
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_TEXT_METHODS),
    dict: frozenset({"get", "keys", "values", "items"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
    Decimal: frozenset({"quantize", "normalize", "copy_abs", "is_zero", "to_integral_value"}),
    dt.date: frozenset(_DATE_METHODS),
    dt.datetime: frozenset(_DATE_METHODS),
    dt.timedelta: frozenset(_DATE_METHODS),
    type: frozenset({"fromisoformat", "strptime", "combine", "loads", "dumps"}),
    simpleeval.ModuleWrapper: frozenset({"date", "datetime", "timedelta", "time"}),
}
"""Methods and attributes by the type of what they are asked of."""

KNOWN_METHODS = frozenset().union(*METHODS.values())


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return Decimal(left) / Decimal(right)
    return operator.truediv(left, right)


OPERATORS = {**simpleeval.DEFAULT_OPERATORS, ast.Div: _divide}


def member(value: Any, name: str) -> Any:
    """`value.name`, as expressions mean it: a field of a record, a date's part; null of null."""
    if value is None:
        return None
    if isinstance(value, dict):
        return value.get(name)
    return method(value, name)


def method(value: Any, name: str) -> Any:
    """A method that reads.

    Raises:
        simpleeval.AttributeDoesNotExist: There is none of that name, or it does not only read.
    """
    if name in METHODS.get(type(value), ()):
        return getattr(value, name)
    raise simpleeval.FeatureNotAvailable(f"{_kind(value)} has no {name!r}")


def element(value: Any, key: Any) -> Any:
    """`value[key]`; null of null, and null for a key that a record does not have."""
    if value is None:
        return None
    if isinstance(value, dict):
        return value.get(key)
    return value[key]


def _kind(value: Any) -> str:
    names = {
        str: "text",
        dict: "a record",
        list: "a list",
        bool: "true or false",
        Decimal: "a number",
        int: "a number",
    }
    return names.get(type(value), type(value).__name__)


class Evaluator(simpleeval.EvalWithCompoundTypes):  # type: ignore[misc] # simpleeval is untyped
    """Evaluates one parsed expression over and over; one instance for each expression, not for several threads."""

    def __init__(self) -> None:
        """Take the functions and operators above."""
        super().__init__(operators=OPERATORS, functions=dict(FUNCTIONS))
        self.nodes[ast.Starred] = self._eval_starred
        for kind in (ast.Assign, ast.AugAssign, ast.Import):
            self.nodes.pop(kind, None)

    def run(self, tree: ast.expr, source: str, names: Any) -> Any:
        """The value of the expression.

        Args:
            tree: The parsed expression.
            source: Its text, for messages.
            names: Mapping from name to value; gives None for names it does not know.
        """
        self.names = names
        return self.eval(source, previously_parsed=tree)

    def _check_disallowed_items(self, item: Any) -> None:
        """Nothing to check: names hold JSON, and functions and methods come from the lists above."""

    def _eval(self, node: ast.AST) -> Any:
        handler = self.nodes.get(type(node))
        if handler is None:
            raise simpleeval.FeatureNotAvailable(f"{type(node).__name__} is not available in expressions")
        return handler(node)

    def _eval_name(self, node: ast.Name) -> Any:
        return self.names[node.id]

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        return member(self._eval(node.value), node.attr)

    def _eval_subscript(self, node: ast.Subscript) -> Any:
        return element(self._eval(node.value), self._eval(node.slice))

    def _eval_call(self, node: ast.Call) -> Any:
        call: Callable[..., Any]
        if isinstance(node.func, ast.Attribute):
            owner = self._eval(node.func.value)
            if owner is None:
                return None
            call = method(owner, node.func.attr)
        elif isinstance(node.func, ast.Name) and node.func.id in self.functions:
            call = self.functions[node.func.id]
        else:
            raise simpleeval.FeatureNotAvailable("only functions by name and methods can be called")
        return call(*self._all(node.args), **dict(self._eval(word) for word in node.keywords))

    def _eval_list(self, node: ast.List) -> list[Any]:
        return list(self._all(node.elts))

    def _all(self, nodes: Iterable[ast.expr]) -> Iterable[Any]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from self._eval(node.value) or ()
            else:
                yield self._eval(node)

    def _eval_starred(self, _node: ast.Starred) -> Any:
        raise simpleeval.FeatureNotAvailable("* stands only in lists and calls")

    def _eval_formattedvalue(self, node: ast.FormattedValue) -> Any:
        value = self._eval(node.value)
        if value is None:
            return ""
        return format(value, self._eval(node.format_spec)) if node.format_spec else value
