"""The straight way of a record: one Python function for all documents of a stream's records that have the same fields.

It is for the many records in which nothing is wrong. What the options and the absence of fields decide is worked out while it is
written; a named value is worked out once, a function is called once for the same values, and nothing is kept for explanations.
Where anything is out of the ordinary (an expression fails, a refusal holds, there is no key) it gives nothing, and the record goes
the ordinary way (`rules`), which says what is wrong. All expressions are pure, so that none is missed and none is in the way.
Tests hold the two ways together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from crm_to_xero import limits
from crm_to_xero.expressions import FAILURES, Expression, Named
from crm_to_xero.fields import (
    EachBuilder,
    ListBuilder,
    ObjectBuilder,
    ValueBuilder,
    to_key,
    to_text,
)
from crm_to_xero.partial import Body, Place, name_of
from crm_to_xero.rules import Builder, Document, DocumentRule, elements
from crm_to_xero.scope import Scope, local

Way = Callable[[dict[str, Any]], "list[Document] | None"]
_UNROLLED = 3
"""Elements of a `split` that is known beforehand: up to so many are written one after the other."""


class Ways:
    """The straight ways of one stream, by the fields that its records have; each is written when it is worth it."""

    def __init__(self, lets: Mapping[str, Named], documents: tuple[DocumentRule, ...]) -> None:
        self._lets, self._documents = lets, documents
        self._met: Counter[tuple[str, ...]] = Counter()
        self._ways: dict[tuple[str, ...], Way] = {}

    def documents(self, record: dict[str, Any]) -> list[Document] | None:
        """The documents of a record; None where they must be found the ordinary way."""
        way = self._ways.get(fields := tuple(record))
        if way is None:
            self._note(fields)
            return None
        try:
            return way(record)
        except FAILURES:
            return None

    def _note(self, fields: tuple[str, ...]) -> None:
        """Counts a record that has no straight way; the next one may have."""
        if fields in self._met or len(self._met) < limits.STRAIGHT_KEPT:
            self._met[fields] += 1
            if self._met[fields] == limits.STRAIGHT_AFTER:
                self._ways[fields] = straight(self._lets, self._documents, fields)


def straight(lets: Mapping[str, Named], documents: tuple[DocumentRule, ...], fields: tuple[str, ...]) -> Way:
    """The function for records that have just these fields."""
    if any(name.startswith(" ") for name in fields):
        return _none  # a field that would be taken for a named value
    writer = _Writer(fields)
    try:
        writer.stream(lets, documents)
        way: Way = writer.body.function()
    except (RecursionError, SyntaxError):  # a name that needs itself; blocks deeper than Python takes
        return _none
    return way


def _none(_record: dict[str, Any]) -> None:
    """No straight way."""


class _Writer:
    """Writes the function of one set of fields."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.body = Body(fields)
        self._new = self.body.refer("new", tuple.__new__)
        self._document_type = self.body.refer("Document", Document)
        self._elements = self.body.refer("elements", elements)
        self._enumerate = self.body.refer("enumerate", enumerate)
        self._str = self.body.refer("str", str)

    def stream(self, lets: Mapping[str, Named], documents: tuple[DocumentRule, ...]) -> None:
        """All documents of a record."""
        outer = Place(lets, {})
        self.body.put("found = []")
        for rule in documents:
            if rule.split is None:
                self._document(rule, Place(rule.lets, {}, outer))
            else:
                self._split(rule, rule.split, outer)
        self.body.put("return found")

    def _split(self, rule: DocumentRule, split: Expression, outer: Place) -> None:
        value = self.body.value(split, outer)
        known = self.body.known(value)
        if known and isinstance(known[0], list) and len(known[0]) <= _UNROLLED:
            for part in known[0]:
                self._document(rule, Place(rule.lets, {local(rule.part): self.body.constant(part)}, outer))
            return
        parts = self.body.variable(f"{self._elements}({self.body.text(value)})")
        part = self.body.variable("None")
        inner = Place(rule.lets, {local(rule.part): name_of(part)}, outer)
        with self.body.block(f"for {part} in {parts}:"):
            self._document(rule, inner)

    def _document(self, rule: DocumentRule, place: Place) -> None:
        with self._under(rule.when, place) as possible:
            if not possible:
                return
            withdrawn: Any = None
            if rule.withdraw_when is not None:
                withdrawn = self.body.value(rule.withdraw_when, place)
                if not (known := self.body.known(withdrawn)):
                    withdrawn = name_of(self.body.variable(self.body.text(withdrawn)))
                elif not known[0]:
                    withdrawn = None
            key = self._key(rule, place)
            target = self.body.variable(f"{{'source_key': {key}}}")
            self._fields(target, rule.common, place)
            self._content(rule, target, withdrawn, place)
            self.body.put(f"found.append({self._new}({self._document_type}, ({rule.document!r}, {target})))")

    def _content(self, rule: DocumentRule, target: str, withdrawn: Any, place: Place) -> None:
        if withdrawn is not None:
            with self.body.block(f"if {self.body.text(withdrawn)}:"):
                self.body.put(f"{target}['withdrawn'] = True")
        with nullcontext() if withdrawn is None else self.body.block("else:"):
            for refusal in rule.refuse:
                with self._under(refusal.when, place) as possible:
                    if possible:
                        self.body.put("return None")
            self._fields(target, rule.fields, place)

    @contextmanager
    def _under(self, condition: Expression | None, place: Place) -> Iterator[bool]:
        """A block under a condition. Gives whether it can hold."""
        if condition is None:
            yield True
            return
        value = self.body.value(condition, place)
        if known := self.body.known(value):
            yield bool(known[0])
            return
        with self.body.block(f"if {self.body.text(value)}:"):
            yield True

    def _key(self, rule: DocumentRule, place: Place) -> str:
        value = self.body.text(self.body.value(rule.key.expression, place))
        key = self.body.variable(value)
        coerce = self.body.refer("coerce", to_key)
        # Letters and digits alone are a key as they stand.
        plain = (
            f"{key}.__class__ is {self._str} and {key}.isalnum() and {key}.__len__() <= {limits.SOURCE_KEY}"
        )
        with self.body.block(f"if not ({plain}):"):
            self.body.put(f"{key} = {coerce}({key})")
            self.body.put(f"if {key} is None: return None")
        return key

    # -- fields --------------------------------------------------------------------------------------------------------

    def _fields(self, target: str, parts: Mapping[str, Builder], place: Place) -> frozenset[str]:
        """Sets the fields that have a value. Returns the names of those that may have one."""
        return frozenset(
            name for name, part in parts.items() if self._field(f"{target}[{name!r}]", part, place)
        )

    def _field(self, target: str, part: Builder, place: Place) -> bool:
        """Sets `target` where there is something. Returns whether there may be."""
        if isinstance(part, ValueBuilder):
            return self._value(target, part, place)
        if isinstance(part, ObjectBuilder):
            return self._nested(target, part, place)
        if isinstance(part, ListBuilder):
            return self._list(target, part, place)
        if isinstance(part, EachBuilder):
            return self._each(target, part, place)
        constant = part(Scope({}, {}), [])
        self.body.put(f"{target} = {self.body.refer('constant', constant)}")
        return True

    def _value(self, target: str, part: ValueBuilder, place: Place) -> bool:
        value = self.body.value(part.expression, place)
        if (known := self.body.known(value)) and known[0] is None:
            return False
        if part.coerce is to_text:
            done = self.body.clean(value)
            self.body.put(f"if {done}: {target} = {done}")
        else:
            done = self.body.coerced(value, part.coerce)
            self.body.put(f"if {done} is not None: {target} = {done}")
        return True

    def _object(self, part: ObjectBuilder, place: Place) -> tuple[str, frozenset[str]]:
        found, names = self.body.variable("{}"), frozenset[str]()
        with self._under(part.when.expression if part.when else None, place) as possible:
            if possible:
                names = self._fields(found, part.parts, place)
        return found, names

    def _nested(self, target: str, part: ObjectBuilder, place: Place) -> bool:
        mark = self.body.mark()
        found, names = self._object(part, place)
        if names:
            self.body.put(f"if {found}: {target} = {found}")
        else:
            self.body.back_to(mark)
        return bool(names)

    def _list(self, target: str, part: ListBuilder, place: Place) -> bool:
        start, some = self.body.mark(), False
        found = self.body.variable("[]")
        needed = self.body.refer("needed", part.needed)
        for one in part.parts:
            mark = self.body.mark()
            element, names = self._object(one, place)
            if part.needed.issuperset(names):
                self.body.back_to(mark)
                continue
            some = True
            self.body.put(f"if not {needed}.issuperset({element}): {found}.append({element})")
        if some:
            self.body.put(f"if {found}: {target} = {found}")
        else:
            self.body.back_to(start)
        return some

    def _each(self, target: str, part: EachBuilder, place: Place) -> bool:
        value = self.body.value(part.each, place)
        if (known := self.body.known(value)) and known[0] is None:
            return False
        source = self.body.variable(self.body.text(value))
        with self.body.block(f"if {source} is not None:"):
            found, item, index = (self.body.variable(text) for text in ("[]", "None", "None"))
            values = {local(part.name): name_of(item), local("index"): name_of(index)}
            inner = Place(part.lets, values, place)
            for expression in _expressions(part):
                self.body.settle_names(expression, inner)
            with self.body.block(f"for {index}, {item} in {self._enumerate}({self._elements}({source})):"):
                element, _ = self._object(ObjectBuilder(part.parts, part.when), inner)
                self.body.put(f"if {element}: {found}.append({element})")
            self.body.put(f"{target} = {found}")
        return True


def _expressions(part: Builder | None) -> Iterator[Expression]:
    """Every expression of a field, those of its parts included."""
    if isinstance(part, ValueBuilder):
        yield part.expression
    elif isinstance(part, ListBuilder):
        for one in part.parts:
            yield from _expressions(one)
    elif isinstance(part, (ObjectBuilder, EachBuilder)):
        yield from _expressions(part.when)
        for inner in part.parts.values():
            yield from _expressions(inner)
        if isinstance(part, EachBuilder):
            yield part.each
            yield from (named.expression for named in part.lets.values())
