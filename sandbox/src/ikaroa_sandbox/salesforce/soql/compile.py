"""A parsed query to a plan: names resolved, conditions compiled, rows' JSON prepared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import NotSimulated, QueryError
from ikaroa_sandbox.salesforce.schema.model import Child as Link
from ikaroa_sandbox.salesforce.schema.model import ObjectType, Schema
from ikaroa_sandbox.salesforce.soql import ast, plan
from ikaroa_sandbox.salesforce.soql.conditions import Conditions
from ikaroa_sandbox.salesforce.soql.scope import AGGREGATES, DATE_FUNCTIONS, Operand, Scope

_HELP = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True)
class Settings:
    """What a query is compiled for."""

    schema: Schema
    today: date
    deleted_too: bool = False
    """queryAll, or ALL ROWS."""
    multi_currency: bool = False
    scientific: bool = True
    unordered: str = "DESC"
    """How rows come that nobody ordered: by Id, ascending or descending."""
    version: int = limits.API_VERSION_NEWEST


def compile_query(text: str, tree: ast.Query, settings: Settings) -> plan.Plan:
    """The plan of a root query. Raises QueryError as Salesforce would, NotSimulated for what the sandbox cannot."""
    item = settings.schema.get(tree.source)
    if item is None:
        message = (
            f"sObject type '{tree.source}' is not supported. If you are attempting to use a custom object, be sure to "
            f"append the '__c' after the entity name. {_HELP}"
        )
        raise QueryError("INVALID_TYPE", message, text, tree.source_position)
    return Compiler(text, settings).root(tree, item)


@dataclass
class Shape:
    """The fields asked for of one record of the result, in the order first named."""

    parts: list[plan.Part] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    parents: dict[str, Shape] = field(default_factory=dict)


class Compiler:
    """Compiles one query and its sub-queries."""

    def __init__(self, text: str, settings: Settings) -> None:
        self.text, self.settings = text, settings
        self._aliases = 0

    def root(self, tree: ast.Query, item: ObjectType) -> plan.Plan:
        """The plan of the outermost query."""
        grouped = bool(tree.group) or any(_aggregates(one.what) for one in tree.select)
        if any(isinstance(one.what, ast.Call) and _bare_count(one.what) for one in tree.select):
            return self._count(tree, item)
        if grouped:
            return self._grouped(tree, item)
        return self._rows(tree, item, None, 1)

    def _scope(self, tree: ast.Query, item: ObjectType) -> Scope:
        for clause in tree.unsupported:
            raise NotSimulated(f"the SOQL clause {clause}")
        if (tree.offset or 0) > limits.OFFSET_MAX:
            message = f"Maximum SOQL offset allowed is {limits.OFFSET_MAX}"
            raise QueryError("NUMBER_OUTSIDE_VALID_RANGE", message)
        self._aliases += 1
        names = tuple(name.lower() for name in (item.name, tree.alias) if name)
        alias = f"t{self._aliases}"
        currency = self.settings.multi_currency
        return Scope(self.text, self.settings.schema, item, alias, names, multi_currency=currency)

    def _conditions(self, scope: Scope) -> Conditions:
        return Conditions(scope, self.settings.today, self._sub_select)

    def _where(self, tree: ast.Query, scope: Scope, conditions: Conditions) -> list[str]:
        parts = [conditions.compile(tree.where)] if tree.where is not None else []
        if scope.item.has_bin and not (self.settings.deleted_too or tree.all_rows):
            parts.append(f'{scope.alias}."IsDeleted" = 0')
        return parts

    def _sub_select(self, tree: ast.Query) -> tuple[str, list[Any]]:
        """The SQL of a semi join's query: one id column."""
        item = self.settings.schema.get(tree.source)
        if item is None or len(tree.select) != 1 or not isinstance(tree.select[0].what, ast.Path):
            message = "unexpected token: semi join sub-selects select exactly one field of an object"
            raise QueryError("MALFORMED_QUERY", message, self.text, tree.position)
        if tree.order or tree.limit is not None or tree.offset is not None or tree.group:
            message = "Semi join sub-selects cannot have ORDER BY, LIMIT, OFFSET or GROUP BY"
            raise QueryError("MALFORMED_QUERY", message, self.text, tree.position)
        scope = self._scope(tree, item)
        operand = scope.column(tree.select[0].what)
        if operand.kind != "id":
            message = f"The selected field '{operand.name}' in the semi join sub-select is not an ID or reference field"
            raise scope.error("MALFORMED_QUERY", message, tree.select[0].what.position)
        conditions = self._conditions(scope)
        where = [*self._where(tree, scope, conditions), f"{operand.sql} IS NOT NULL"]
        sql = f"SELECT {operand.sql} FROM {_from(scope)} WHERE {' AND '.join(where)}"
        return sql, conditions.params

    def _count(self, tree: ast.Query, item: ObjectType) -> plan.Plan:
        if len(tree.select) > 1 or tree.group or tree.order:
            message = "COUNT() stands alone: no other fields, no GROUP BY, no ORDER BY"
            raise QueryError(
                "MALFORMED_QUERY", f"unexpected token: 'COUNT' ({message})", self.text, tree.position
            )
        scope = self._scope(tree, item)
        conditions = self._conditions(scope)
        where = self._where(tree, scope, conditions)
        tail = f" LIMIT {tree.limit}" if tree.limit is not None else ""
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {_from(scope)}{_clause('WHERE', where)}{tail})"
        return plan.Plan("count", item.name, sql, conditions.params, plan.aggregate([]))

    def _rows(self, tree: ast.Query, item: ObjectType, link: Link | None, level: int) -> plan.Plan:
        """A query of records: the root, or with `link` a sub-query run for many parents at once."""
        scope = self._scope(tree, item)
        columns: list[Operand] = [scope.column(ast.Path(("Id",), tree.position))]
        shape, children = Shape(), []
        for one in self._expanded(tree, scope):
            if isinstance(one.what, ast.Query):
                children.append(self._child(one.what, item, level))
                if len(children) > limits.CHILD_QUERIES_MAX:
                    message = f"maximum number of child queries is {limits.CHILD_QUERIES_MAX}"
                    raise QueryError("MALFORMED_QUERY", message, self.text, one.what.position)
                shape.parts.append(plan.child_set(children[-1].key, len(children) - 1))
                continue
            self._select(one, scope, shape, columns)
        conditions = self._conditions(scope)
        where = self._where(tree, scope, conditions)
        order = self._order(tree, scope)
        render = plan.record(item.name, 0, self._finish(shape, scope, columns, ()))
        selected = ", ".join(operand.sql for operand in columns)
        if link is None:
            sql = f"SELECT {selected} FROM {_from(scope)}{_clause('WHERE', where)} ORDER BY {order}{_window(tree)}"
            params = conditions.params
        else:
            key = f'{scope.alias}."{link.field}"'
            where.insert(0, f"{key} IN (SELECT value FROM json_each(?))")
            rank = f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {order})"
            inner = f"SELECT {selected}, {rank} AS rank_, {key} AS parent_ FROM {_from(scope)}{_clause('WHERE', where)}"
            first = tree.offset or 0
            last = f" AND rank_ <= {first + tree.limit}" if tree.limit is not None else ""
            sql = f"SELECT * FROM ({inner}) WHERE rank_ > {first}{last} ORDER BY rank_"
            params = conditions.params
        return plan.Plan("rows", item.name, sql, params, render, children, columns)

    def _expanded(self, tree: ast.Query, scope: Scope) -> list[ast.Item]:
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

    def _child(self, tree: ast.Query, item: ObjectType, level: int) -> plan.Child:
        deepest = limits.CHILD_LEVELS_MAX if self.settings.version >= limits.CHILD_LEVELS_VERSION else 1
        if level > deepest:
            message = f"Nesting of sub-queries is limited to {deepest} levels"
            raise QueryError("MALFORMED_QUERY", message, self.text, tree.position)
        if tree.group or any(_aggregates(one.what) for one in tree.select):
            message = "only root queries support aggregate expressions"
            raise QueryError("MALFORMED_QUERY", message, self.text, tree.position)
        wanted = tree.source.lower()
        for link in self.settings.schema.children(item.name):
            if link.relationship is not None and link.relationship.lower() == wanted:
                below = self._rows(tree, self.settings.schema[link.object], link, level + 1)
                return plan.Child(link.relationship, below)
        message = (
            f"Didn't understand relationship '{tree.source}' in FROM part of query call. If you are attempting to use a "
            f"custom relationship, be sure to append the '__r' after the custom relationship name. {_HELP}"
        )
        raise QueryError("INVALID_TYPE", message, self.text, tree.source_position)

    def _select(self, one: ast.Item, scope: Scope, shape: Shape, columns: list[Operand]) -> None:
        what, wrapper = one.what, None
        if isinstance(what, ast.Call):
            wrapper = what.name
            if wrapper not in {"TOLABEL", "FORMAT", "CONVERTCURRENCY"} or not isinstance(
                what.argument, ast.Path
            ):
                raise NotSimulated(f"the SOQL function {what.name}() in a SELECT list")
            what = what.argument
        elif one.alias is not None and isinstance(what, ast.Path):
            raise QueryError("MALFORMED_QUERY", f"unexpected token: '{one.alias}'", self.text, what.position)
        if not isinstance(what, ast.Path):
            raise NotSimulated("a nested sub-query in this place")
        operand = scope.column(what)
        parts = what.parts[1:] if len(what.parts) > 1 and what.parts[0].lower() in scope.names else what.parts
        at = shape
        for depth, name in enumerate(parts[:-1]):
            at = self._parent_shape(
                at, name, tuple(part.lower() for part in parts[: depth + 1]), scope, columns
            )
        key = one.alias or operand.name
        if key.lower() in at.keys:
            raise scope.error("MALFORMED_QUERY", f"duplicate field selected: {what.text}", what.position)
        at.keys.add(key.lower())
        at.parts.append(self._leaf(key, operand, wrapper, scope, columns))

    def _parent_shape(
        self, at: Shape, name: str, path: tuple[str, ...], scope: Scope, columns: list[Operand]
    ) -> Shape:
        found = at.parents.get(name.lower())
        if found is None:
            found = at.parents[name.lower()] = Shape()
            alias, item = scope.joins[path]
            above = scope.joins[path[:-1]][1] if len(path) > 1 else scope.item
            reference = above.parent(name)
            key = reference.relationship if reference and reference.relationship else name
            columns.append(Operand(f'{alias}."Id"', "id", "Id"))
            at.parts.append(plan.parent(key, item.name, len(columns) - 1, found.parts))
        return found

    def _leaf(
        self, key: str, operand: Operand, wrapper: str | None, scope: Scope, columns: list[Operand]
    ) -> plan.Part:
        scientific = self.settings.scientific
        if operand.kind == "address":
            placed = []
            for part in operand.parts:
                columns.append(part)
                short = part.name[len(operand.name) - len("Address") :]
                placed.append(
                    (
                        short[0].lower() + short[1:],
                        len(columns) - 1,
                        plan.text_of(part, scientific=scientific),
                    )
                )
            return plan.address(key, placed)
        if wrapper == "CONVERTCURRENCY":
            operand = Operand(
                scope.corporate(operand), operand.kind, operand.name, operand.field, operand.scale
            )
        columns.append(operand)
        text = plan.text_of(operand, scientific=scientific and wrapper != "FORMAT")
        if wrapper == "FORMAT" and operand.kind in {"number", "int"}:
            plain = text
            return plan.leaf(key, len(columns) - 1, lambda stored: f'"{plain(stored)}"')
        return plan.leaf(key, len(columns) - 1, text)

    def _finish(
        self, shape: Shape, scope: Scope, columns: list[Operand], path: tuple[str, ...]
    ) -> list[plan.Part]:
        return shape.parts

    def _order(self, tree: ast.Query, scope: Scope, *, grouped: bool = False) -> str:
        terms = []
        for one in tree.order:
            operand = scope.operand(one.what)
            if operand.kind == "address" or (operand.field is not None and not operand.field.sortable):
                message = f"field '{operand.name}' can not be sorted in a query call"
                raise scope.error("INVALID_FIELD", message, one.what.position)
            sql = f"fold({operand.sql})" if operand.kind == "text" else operand.sql
            nulls = one.nulls or ("last" if one.descending else "first")
            terms.append(f"{sql} {'DESC' if one.descending else 'ASC'} NULLS {nulls.upper()}")
        if not grouped:
            terms.append(f'{scope.alias}."Id" {self.settings.unordered}')
        return ", ".join(terms)

    def _grouped(self, tree: ast.Query, item: ObjectType) -> plan.Plan:
        """A query with GROUP BY or with aggregates over all rows."""
        scope = self._scope(tree, item)
        if not tree.group and tree.limit is not None:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise QueryError("MALFORMED_QUERY", message)
        groups = [self._group(what, scope) for what in tree.group]
        columns: list[Operand] = []
        parts: list[plan.Part] = []
        keys: set[str] = set()
        unnamed = 0
        for one in tree.select:
            if isinstance(one.what, ast.Query):
                message = "Grouped query cannot have sub-queries in its SELECT list"
                raise QueryError("MALFORMED_QUERY", message, self.text, one.what.position)
            operand = scope.operand(one.what)
            if not _aggregates(one.what) and operand.sql not in {group.sql for group in groups}:
                name = one.what.text if isinstance(one.what, ast.Path) else operand.name
                message = f"Field must be grouped or aggregated: {name}"
                raise scope.error("MALFORMED_QUERY", message, one.what.position)
            key = one.alias
            if key is None:
                key = operand.name if isinstance(one.what, ast.Path) else f"expr{unnamed}"
                unnamed += isinstance(one.what, ast.Call)
            if key.lower() in keys:
                raise scope.error("MALFORMED_QUERY", f"duplicate alias: {key}", one.what.position)
            keys.add(key.lower())
            columns.append(operand)
            parts.append(
                plan.leaf(key, len(columns) - 1, plan.text_of(operand, scientific=self.settings.scientific))
            )
        conditions = self._conditions(scope)
        where = self._where(tree, scope, conditions)
        having = [conditions.compile(tree.having)] if tree.having is not None else []
        order = self._order(tree, scope, grouped=True)
        selected = ", ".join(operand.sql for operand in columns)
        by = ", ".join(f"fold({group.sql})" if group.kind == "text" else group.sql for group in groups)
        sql = (
            f"SELECT {selected} FROM {_from(scope)}{_clause('WHERE', where)}"
            f"{f' GROUP BY {by}' if by else ''}{_clause('HAVING', having)}"
            f"{f' ORDER BY {order}' if order else f' ORDER BY {by}' if by else ''}{_window(tree)}"
        )
        return plan.Plan("aggregate", item.name, sql, conditions.params, plan.aggregate(parts), [], columns)

    def _group(self, what: ast.Expression, scope: Scope) -> Operand:
        operand = scope.operand(what)
        if _aggregates(what) or (
            operand.field is not None and not operand.field.groupable and not _dated(what)
        ):
            message = f"field '{operand.name}' can not be grouped in a query call"
            raise scope.error("MALFORMED_QUERY", message, what.position)
        return operand


def _aggregates(what: ast.Expression | ast.Query) -> bool:
    return isinstance(what, ast.Call) and what.name in AGGREGATES


def _dated(what: ast.Expression) -> bool:
    return isinstance(what, ast.Call) and what.name in DATE_FUNCTIONS


def _bare_count(call: ast.Call) -> bool:
    return call.name == "COUNT" and call.argument is None


def _from(scope: Scope) -> str:
    return " ".join([f'"{scope.item.name}" AS {scope.alias}', *scope.sql_joins])


def _clause(word: str, parts: list[str]) -> str:
    return f" {word} {' AND '.join(parts)}" if parts else ""


def _window(tree: ast.Query) -> str:
    if tree.limit is None and tree.offset is None:
        return ""
    return f" LIMIT {tree.limit if tree.limit is not None else -1} OFFSET {tree.offset or 0}"
