"""A SELECT list to columns, and to the functions that turn a row of them into a record's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import NotSimulatedError, QueryError
from ikaroa_sandbox.salesforce.soql import ast, plan
from ikaroa_sandbox.salesforce.soql.scope import WRAPPERS, Operand, Scope


@dataclass
class Level:
    """The fields asked for of one record of the result, in the order first named."""

    parts: list[plan.Part] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    parents: dict[str, Level] = field(default_factory=dict)


def expanded(tree: ast.Query, scope: Scope) -> list[ast.Item]:
    """The SELECT list with FIELDS(…) written out."""
    found: list[ast.Item] = []
    for one in tree.select:
        if not (isinstance(one.what, ast.Call) and one.what.name == "FIELDS"):
            found.append(one)
            continue
        which = one.what.argument.text.upper() if isinstance(one.what.argument, ast.Path) else ""
        if which not in {"ALL", "STANDARD", "CUSTOM"}:
            raise scope.error("MALFORMED_QUERY", f"unexpected token: '{which}'", one.what.position)
        if which != "STANDARD" and not 0 < (tree.limit or 0) <= limits.FIELDS_LIMIT_MAX:
            message = f"The SOQL FIELDS function must have a LIMIT of at most {limits.FIELDS_LIMIT_MAX}"
            raise QueryError("MALFORMED_QUERY", message)
        found += [
            ast.Item(ast.Path((name.name,), one.what.position))
            for name in scope.item.fields.values()
            if which == "ALL" or name.custom == (which == "CUSTOM")
        ]
    return found


@dataclass
class Shape:
    """Collects the columns and parts of one query level."""

    scope: Scope
    scientific: bool
    columns: list[Operand]
    top: Level = field(default_factory=Level)

    def add(self, one: ast.Item) -> None:
        """One field of the list. Raises QueryError for what is not there or is there twice."""
        what, wrapper = one.what, None
        if isinstance(what, ast.Call):
            wrapper = what.name
            if wrapper not in WRAPPERS or not isinstance(what.argument, ast.Path):
                raise NotSimulatedError(f"the SOQL function {what.name}() in a SELECT list")
            what = what.argument
        elif one.alias is not None and isinstance(what, ast.Path):
            # A plain field takes an alias in grouped queries only.
            raise self.scope.error("MALFORMED_QUERY", f"unexpected token: '{one.alias}'", one.alias_position)
        if not isinstance(what, ast.Path):
            raise NotSimulatedError("a sub-query in this place")
        operand = self.scope.column(what)
        parts = self.scope.relative(what)
        level = self.top
        for depth in range(len(parts) - 1):
            level = self._parent(level, parts[: depth + 1])
        key = one.alias or operand.name
        if key.lower() in level.keys:
            message = f"duplicate field selected: {what.text}"
            raise self.scope.error("MALFORMED_QUERY", message, what.position)
        level.keys.add(key.lower())
        level.parts.append(self._leaf(key, operand, wrapper))

    def _parent(self, level: Level, path: tuple[str, ...]) -> Level:
        """The level of a parent, made when it is first named."""
        name = path[-1].lower()
        found = level.parents.get(name)
        if found is None:
            found = level.parents[name] = Level()
            joined = self.scope.joins[tuple(part.lower() for part in path)]
            self.columns.append(Operand(f'{joined.alias}."Id"', "id", "Id"))
            index = len(self.columns) - 1
            level.parts.append(plan.parent(joined.relationship, joined.item.name, index, found.parts))
        return found

    def _leaf(self, key: str, operand: Operand, wrapper: str | None) -> plan.Part:
        if operand.kind == "address":
            return self._address(key, operand)
        if wrapper == "CONVERTCURRENCY":
            operand = Operand(
                self.scope.corporate(operand), operand.kind, operand.name, operand.field, operand.scale
            )
        self.columns.append(operand)
        formatted = wrapper == "FORMAT" and operand.kind in {"number", "int"}
        text = plan.text_of(operand, scientific=self.scientific and not formatted)
        index = len(self.columns) - 1
        if formatted:
            return plan.leaf(key, index, lambda stored: f'"{text(stored)}"')
        return plan.leaf(key, index, text)

    def _address(self, key: str, operand: Operand) -> plan.Part:
        placed = []
        for part in operand.parts:
            self.columns.append(part)
            short = part.name[len(operand.name) - len("Address") :]
            text = plan.text_of(part, scientific=self.scientific)
            placed.append((short[0].lower() + short[1:], len(self.columns) - 1, text))
        return plan.address(key, placed)
