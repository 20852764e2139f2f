"""Expressions as straight-line Python: what is known beforehand is worked out while the code is written, the rest once a record.

Known are constants, options, and fields that the records do not have. A call of a function stands in a variable of its own, so that
the same call is not made twice; so does a named value. What an expression does only under a condition stays under it.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from crm_to_xero.expressions import Expression, Named
from crm_to_xero.fields import to_text
from crm_to_xero.native import BOUND, CONSTANT, FUNCTION, HELPERS, SCOPE, define

CLEAN = frozenset({f"{FUNCTION}text", f"{FUNCTION}letters"})
"""Functions whose text is clean: nothing, or text that any document may hold."""
_CLIP = f"{FUNCTION}clip"
PASSING = frozenset(f"{FUNCTION}{name}" for name in ("text", "letters", "clip", "paragraph", "terms", "date"))
"""Functions that give nothing for nothing, whatever else they are given."""
_LOOKS = frozenset({"_member", "_element"})
_NOTHING: tuple[Any, ...] = (([],), ((),))
_CERTAIN = {ast.IfExp: 1, ast.BoolOp: 1, ast.Compare: 2}
"""How many of a node's parts are worked out in any case; of other nodes it is all."""


class Place:
    """Where an expression stands: the names that are its own, and those around it. See `Scope`, which it stands for."""

    def __init__(
        self, lets: Mapping[str, Named], values: Mapping[str, ast.expr], outer: Place | None = None
    ) -> None:
        self.lets, self.values, self.outer = lets, values, outer

    def of(self, name: str) -> Place | None:
        """The place that a name belongs to; None where nobody knows it."""
        if name in self.values or name in self.lets:
            return self
        return self.outer.of(name) if self.outer else None


class Body:
    """The body of a function of `record` that is being written."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        """`fields`: those that the record has."""
        self.names: dict[str, Any] = {}
        """What the code refers to by name."""
        self._fields = frozenset(fields)
        self._lines: list[str] = []
        self._depth = 1
        self._variables = 0
        self._seen: ChainMap[Any, ast.expr] = ChainMap()
        """What stands in a variable by now: fields, named values, calls by their text; innermost block first."""
        self._clean: set[str] = set()
        """Variables that hold what a function in CLEAN gave."""

    # -- lines ---------------------------------------------------------------------------------------------------------

    def put(self, line: str) -> None:
        """Adds a line."""
        self._lines.append(" " * self._depth + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines under a condition or in a loop; what they work out is not seen after them."""
        self.put(head)
        at = len(self._lines)
        self._depth += 1
        self._seen = self._seen.new_child()
        yield
        if len(self._lines) == at:
            self.put("pass")
        self._seen = self._seen.parents
        self._depth -= 1

    def mark(self) -> Any:
        """This point, to come back to."""
        return len(self._lines), dict(self._seen.maps[0])

    def back_to(self, mark: Any) -> None:
        """Takes back what was written since."""
        del self._lines[mark[0] :]
        self._seen.maps[0] = mark[1]

    def function(self) -> Any:
        """The function."""
        return define("\n".join(["def work(record):", *self._lines]), "work", self.names)

    def variable(self, text: str) -> str:
        """A new variable that holds this."""
        self._variables += 1
        self.put(f"v{self._variables} = {text}")
        return f"v{self._variables}"

    def refer(self, kind: str, value: Any) -> str:
        """A name for a value of ours."""
        name = next(
            (name for name, known in self.names.items() if known is value), f"_{kind}_{len(self.names)}"
        )
        self.names[name] = value
        return name

    # -- expressions ---------------------------------------------------------------------------------------------------

    def value(self, expression: Expression, place: Place) -> ast.expr:
        """An expression's value: known, or in a variable, or as code that may stand anywhere further on in the block."""
        return self._lowered(self._tree(expression), place)

    @staticmethod
    def text(value: ast.expr) -> str:
        """A value as Python text."""
        return ast.unparse(value)

    def clean(self, value: ast.expr) -> str:
        """The value as text that any document may hold, or nothing: see `to_text`. Returns its name."""
        text = self.text(value)
        if isinstance(value, ast.Name) and value.id in self._clean:
            return text
        if (known := self.known(value)) and to_text(known[0]) == known[0]:
            return text
        if not isinstance(value, ast.Name):
            text = self.variable(text)
        ready = f"{text} is None or {text}.__class__ is {self.refer('str', str)} and {text}.isprintable()"
        return self._once(f"{text} if {ready} else {self.refer('coerce', to_text)}({text})")

    def coerced(self, value: ast.expr, coerce: Any) -> str:
        """The value as one of a field's type, or nothing. Returns its name."""
        text = self.text(value)
        if not isinstance(value, ast.Name):
            text = self.variable(text)
        return self._once(f"None if {text} is None else {self.refer('coerce', coerce)}({text})")

    def _once(self, text: str) -> str:
        if text not in self._seen:
            self._seen[text] = name_of(self.variable(text))
        return self.text(self._seen[text])

    def settle_names(self, expression: Expression, place: Place) -> None:
        """Works out the named values that an expression takes from around its place: before a loop begins, that is."""
        for name in expression.names:
            if place.of(name) is not place:
                self._name(name, place)

    def known(self, value: ast.expr) -> tuple[Any, ...]:
        """The value that is known of it, as the only element; empty where none is."""
        if isinstance(value, ast.Constant):
            return (value.value,)
        if isinstance(value, ast.Name) and value.id.startswith(CONSTANT):
            return (self.names[value.id],)
        return ()

    def _tree(self, expression: Expression) -> ast.expr:
        """An expression over `_scope`; one that only the evaluator can do as a call of it."""
        if expression.code is None:
            names = ", ".join(f"{name!r}: {SCOPE}[{name!r}]" for name in expression.names)
            return _parsed(f"{self.refer('evaluate', expression.work)}({{{names}}})")
        self.names |= expression.code.names
        return _parsed(expression.code.source)

    def _lowered(self, tree: ast.expr, place: Place) -> ast.expr:
        """`a and b`, `a or b` and `b if a else c` as statements, so that what only one side needs stays on that side."""
        if isinstance(tree, ast.IfExp):
            test = self._lowered(tree.test, place)
            if known := self.known(test):
                return self._lowered(tree.body if known[0] else tree.orelse, place)
            return self._either(ast.unparse(test), tree.body, tree.orelse, place)
        if isinstance(tree, ast.BoolOp):
            first, rest = self._lowered(tree.values[0], place), tree.values[1:]
            if not rest:
                return first
            others = ast.BoolOp(tree.op, rest) if len(rest) > 1 else rest[0]
            stops = isinstance(tree.op, ast.Or)
            if known := self.known(first):
                return first if bool(known[0]) is stops else self._lowered(others, place)
            found = self.variable(ast.unparse(first))
            with self.block(f"if not {found}:" if stops else f"if {found}:"):
                self.put(f"{found} = {ast.unparse(self._lowered(others, place))}")
            return name_of(found)
        return self._hoisted(self._settled(tree, place), sure=True)

    def _either(self, test: str, body: ast.expr, orelse: ast.expr, place: Place) -> ast.expr:
        found = self.variable("None")
        clean = True
        for head, tree in ((f"if {test}:", body), ("else:", orelse)):
            with self.block(head):
                value = self._lowered(tree, place)
                clean = clean and (self.text(value) in self._clean or self.known(value) == (None,))
                self.put(f"{found} = {ast.unparse(value)}")
        if clean:
            self._clean.add(found)
        return name_of(found)

    def _name(self, name: str, place: Place) -> ast.expr:
        """What `_scope[name]` is at this place."""
        if name == "record":
            return name_of("record")
        owner = place.of(name)
        if owner is None and (name not in self._fields):
            return ast.Constant(None)
        if owner is not None and name in owner.values:
            return owner.values[name]
        key = (owner, name)
        if key not in self._seen:
            value = self.value(owner.lets[name].expression, owner) if owner else _parsed(f"record[{name!r}]")
            if not isinstance(value, (ast.Name, ast.Constant)):
                value = name_of(self.variable(ast.unparse(value)))
            self._seen[key] = value
        return self._seen[key]

    def _settled(self, tree: ast.expr, place: Place) -> ast.expr:
        """The tree with names in their place, and everything worked out that can be."""
        if isinstance(tree, ast.Subscript) and isinstance(tree.value, ast.Name) and tree.value.id == SCOPE:
            return self._name(ast.literal_eval(tree.slice), place)
        if isinstance(tree, ast.IfExp):
            tree.test = self._settled(tree.test, place)
            if known := self.known(tree.test):
                return self._settled(tree.body if known[0] else tree.orelse, place)
            tree.body, tree.orelse = self._settled(tree.body, place), self._settled(tree.orelse, place)
            return tree
        if isinstance(tree, ast.BoolOp):
            return self._settled_choice(tree, place)
        if isinstance(tree, ast.ListComp):
            loop = tree.generators[0]
            loop.iter = self._settled(loop.iter, place)
            if self.known(loop.iter) in _NOTHING:
                return self.constant([])
        _change(tree, lambda part: self._settled(part, place))
        return self._opened(self._worked_out(tree))

    def _opened(self, tree: ast.expr) -> ast.expr:
        """A look into a record or a list without a call, for what nearly always is one."""
        if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in _LOOKS):
            return tree
        owner, key = tree.args
        if not (isinstance(owner, ast.Name) and isinstance(key, ast.Constant)):
            return tree
        text, is_record = owner.id, isinstance(key.value, str)
        kind, look = (dict, f"{text}.get({key.value!r})") if is_record else (list, f"{text}[{key.value!r}]")
        return _parsed(
            f"{look} if {text}.__class__ is {self.refer(kind.__name__, kind)} else {self.text(tree)}"
        )

    def _settled_choice(self, tree: ast.BoolOp, place: Place) -> ast.expr:
        stops = isinstance(tree.op, ast.Or)
        values: list[ast.expr] = []
        for part in tree.values:
            value = self._settled(part, place)
            known = self.known(value)
            values.append(value)
            if known and bool(known[0]) is stops:
                break  # nothing behind it is ever looked at
        last = values.pop()
        values = [value for value in values if not self.known(value)]
        return ast.BoolOp(tree.op, [*values, last]) if values else last

    def _worked_out(self, tree: ast.expr) -> ast.expr:
        """The value itself, where nothing of a record is in it."""
        if isinstance(tree, (ast.Constant, ast.Name, ast.Lambda, ast.Starred)):
            return tree
        own = {"_method"}
        used: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                (used if isinstance(node.ctx, ast.Load) else own).add(node.id)
        if not (used - own) <= HELPERS.keys() | self.names.keys():
            return tree
        try:
            return self.constant(define(f"def work(): return {ast.unparse(tree)}", "work", self.names)())
        except Exception:  # noqa: BLE001  whatever it is, it is for the record to fail with
            return tree

    def constant(self, value: Any) -> ast.expr:
        """A value as code."""
        if value is None or type(value) in (bool, int, str):
            return ast.Constant(value)
        name = f"{CONSTANT}of_{len(self.names)}"
        self.names[name] = value
        return name_of(name)

    def _hoisted(self, tree: ast.expr, *, sure: bool) -> ast.expr:
        """The tree with variables for the calls of functions that are made in any case, and for those that were made before."""
        if isinstance(tree, (ast.Constant, ast.Name, ast.Lambda)):
            return tree
        if isinstance(tree, ast.ListComp):
            tree.generators[0].iter = self._hoisted(tree.generators[0].iter, sure=sure)
            return tree
        order, certain = itertools.count(), _CERTAIN.get(type(tree), sys.maxsize)
        _change(tree, lambda part: self._hoisted(part, sure=sure and next(order) < certain))
        return self._shared(tree, sure=sure)

    def _shared(self, tree: ast.expr, *, sure: bool) -> ast.expr:
        if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
            return tree
        name = tree.func.id
        text = ast.unparse(tree)
        if text in self._seen:
            return self._seen[text]
        if not sure or not name.startswith(FUNCTION) or BOUND in text:
            return tree
        if name in PASSING and tree.args and not isinstance(tree.args[0], ast.Starred):
            if not isinstance(tree.args[0], ast.Name):
                tree.args[0] = name_of(self.variable(self.text(tree.args[0])))
            found = self.variable(f"None if {self.text(tree.args[0])} is None else {self.text(tree)}")
        else:
            found = self.variable(text)
        if name in CLEAN or (
            name == _CLIP and len(tree.args) == 2 and self.text(tree.args[0]) in self._clean
        ):
            self._clean.add(found)
        self._seen[text] = name_of(found)
        return self._seen[text]


def _change(tree: ast.AST, change: Callable[[ast.expr], ast.expr]) -> None:
    """Puts something in the place of every expression right below a node."""
    for field, part in ast.iter_fields(tree):
        if isinstance(part, ast.expr):
            setattr(tree, field, change(part))
        elif isinstance(part, list):
            setattr(tree, field, [change(item) if isinstance(item, ast.expr) else item for item in part])
            for item in part:
                if isinstance(item, (ast.keyword, ast.comprehension)):
                    _change(item, change)


def _parsed(text: str) -> ast.expr:
    return ast.parse(f"({text}\n)", mode="eval").body


def name_of(name: str) -> ast.expr:
    """A variable as code."""
    return ast.Name(name, ast.Load())
