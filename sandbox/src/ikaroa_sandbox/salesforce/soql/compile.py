"""A parsed query to a plan: names resolved, conditions compiled, rows' JSON prepared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import NotSimulatedError, QueryError
from ikaroa_sandbox.salesforce.schema.model import Child as Link
from ikaroa_sandbox.salesforce.schema.model import ObjectType, Schema
from ikaroa_sandbox.salesforce.soql import ast, grouped, plan, sql
from ikaroa_sandbox.salesforce.soql.conditions import Conditions, pointed_at
from ikaroa_sandbox.salesforce.soql.scope import NAMES_HELP, Operand, Scope
from ikaroa_sandbox.salesforce.soql.shape import Shape, expanded


@dataclass(frozen=True)
class Settings:
    """What a query is compiled for."""

    schema: Schema
    today: date
    deleted_too: bool = False
    """queryAll."""
    multi_currency: bool = False
    scientific: bool = True
    unordered: str = "DESC"
    """How rows come that nobody ordered: by Id, ascending or descending."""
    nulls_descending: str = "last"
    version: int = limits.API_VERSION_NEWEST


def compile_query(text: str, tree: ast.Query, settings: Settings) -> plan.Plan:
    """The plan of a root query.

    Raises:
        QueryError: as Salesforce would refuse it.
        NotSimulatedError: SOQL that the sandbox cannot run.
    """
    return Compiler(text, settings).root(tree)


class Compiler:
    """Compiles one query and its sub-queries."""

    def __init__(self, text: str, settings: Settings) -> None:
        self.text, self.settings = text, settings
        self._aliases = 0

    def root(self, tree: ast.Query) -> plan.Plan:
        """The plan of the outermost query."""
        item = self._item(tree)
        counts = any(grouped.is_bare_count(one.what) for one in tree.select)
        sums = bool(tree.group) or any(grouped.is_aggregate(one.what) for one in tree.select)
        if not counts and not sums:
            return self._rows(tree, item, None, 1)
        scope, conditions, where = self._from(tree, item)
        if counts:
            return grouped.count_plan(tree, scope, conditions, where)
        return grouped.grouped_plan(tree, scope, conditions, where, scientific=self.settings.scientific)

    def _item(self, tree: ast.Query) -> ObjectType:
        """The object that the outermost query is about."""
        item = self.settings.schema.get(tree.source)
        if item is None:
            message = (
                f"sObject type '{tree.source}' is not supported. If you are attempting to use a custom object, be "
                f"sure to append the '__c' after the entity name. {NAMES_HELP}"
            )
            raise QueryError("INVALID_TYPE", message, self.text, tree.source_position)
        return item

    def _error(self, message: str, position: int) -> QueryError:
        return QueryError("MALFORMED_QUERY", message, self.text, position)

    def _scope(self, tree: ast.Query, item: ObjectType) -> Scope:
        for clause in tree.unsupported:
            raise NotSimulatedError(f"the SOQL clause {clause}")
        if (tree.offset or 0) > limits.OFFSET_MAX:
            message = f"Maximum SOQL offset allowed is {limits.OFFSET_MAX}"
            raise QueryError("NUMBER_OUTSIDE_VALID_RANGE", message)
        self._aliases += 1
        names = tuple(name.lower() for name in (item.name, tree.alias) if name)
        return Scope(
            self.text,
            self.settings.schema,
            item,
            f"t{self._aliases}",
            names,
            multi_currency=self.settings.multi_currency,
            nulls_descending=self.settings.nulls_descending,
        )

    def _from(self, tree: ast.Query, item: ObjectType) -> tuple[Scope, Conditions, list[str]]:
        """The scope of a query, and its WHERE."""
        scope = self._scope(tree, item)
        return scope, *self._where(tree, scope)

    def _where(self, tree: ast.Query, scope: Scope, *, nested: bool = False) -> tuple[Conditions, list[str]]:
        conditions = Conditions(scope, self.settings.today, self._sub_select, nested=nested)
        where = [conditions.compile(tree.where)] if tree.where is not None else []
        if scope.item.has_bin and not self.settings.deleted_too:
            where.append(f'{scope.alias}."IsDeleted" = 0')
        return conditions, where

    def _sub_select(self, tree: ast.Query) -> tuple[str, list[Any], str]:
        """The SQL of a semi join's query, which is one id column, and the object whose ids those are."""
        item = self.settings.schema.get(tree.source)
        if item is None or len(tree.select) != 1 or not isinstance(tree.select[0].what, ast.Path):
            raise self._error("semi join sub-selects select exactly one field of an object", tree.position)
        if tree.order or tree.limit is not None or tree.offset is not None or tree.group:
            message = "semi join sub-selects cannot have ORDER BY, LIMIT, OFFSET or GROUP BY"
            raise self._error(message, tree.position)
        scope = self._scope(tree, item)
        operand = scope.column(tree.select[0].what)
        if operand.kind != "id":
            message = f"The selected field '{operand.name}' in the semi join sub-select is not an ID or reference field"
            raise self._error(message, tree.select[0].what.position)
        if len(scope.relative(tree.select[0].what)) > 1:
            message = f"semi join sub-selects cannot traverse relationships: '{tree.select[0].what.text}'"
            raise self._error(message, tree.select[0].what.position)
        conditions, where = self._where(tree, scope, nested=True)
        text = sql.select([operand.sql], scope, [*where, f"{operand.sql} IS NOT NULL"])
        return text, conditions.params, pointed_at(scope, operand)

    def _rows(self, tree: ast.Query, item: ObjectType, link: Link | None, level: int) -> plan.Plan:
        """A query of records: the root, or with `link` a sub-query run for many parents at once."""
        scope = self._scope(tree, item)
        columns: list[Operand] = [scope.column(ast.Path(("Id",), tree.position))]
        shape = Shape(scope, self.settings.scientific, columns)
        children: list[plan.Child] = []
        items = expanded(tree, scope)
        self._check_children([one.what for one in items if isinstance(one.what, ast.Query)])
        for one in items:
            if not isinstance(one.what, ast.Query):
                shape.add(one)
                continue
            shape.top.parts.append(plan.child_set(self._child(children, one.what, item, level)))
        conditions, where = self._where(tree, scope)
        order = ", ".join(
            [*sql.order_terms(tree.order, scope), f'{scope.alias}."Id" {self.settings.unordered}']
        )
        selected = [operand.sql for operand in columns]
        if link is None:
            text = sql.select(selected, scope, where, f"ORDER BY {order}", sql.window(tree))
        else:
            text = _ranked(tree, scope, selected, where, order, f'{scope.alias}."{link.field}"')
        render = plan.record(item.name, 0, shape.top.parts)
        return plan.Plan("rows", item.name, text, conditions.params, render, children)

    def _check_children(self, found: list[ast.Query]) -> None:
        """Not too many sub-queries, and none over a relationship that another one follows."""
        if len(found) > limits.CHILD_QUERIES_MAX:
            message = f"maximum number of child queries is {limits.CHILD_QUERIES_MAX}"
            raise self._error(message, found[limits.CHILD_QUERIES_MAX].position)
        followed: set[str] = set()
        for one in found:
            if one.source.lower() in followed:
                raise self._error(f"Cannot follow the same relationship twice: {one.source}", one.position)
            followed.add(one.source.lower())

    def _child(
        self, children: list[plan.Child], tree: ast.Query, item: ObjectType, level: int
    ) -> tuple[str, int]:
        """Compiles a sub-query; returns the key of its rows and its number."""
        deepest = limits.CHILD_LEVELS_MAX if self.settings.version >= limits.CHILD_LEVELS_VERSION else 1
        if level > deepest:
            raise self._error(f"Nesting of sub-queries is limited to {deepest} levels", tree.position)
        if tree.group or any(grouped.is_aggregate(one.what) for one in tree.select):
            raise self._error("only root queries support aggregate expressions", tree.position)
        wanted = tree.source.lower()
        for link in self.settings.schema.children(item.name):
            if link.relationship is not None and link.relationship.lower() == wanted:
                below = self._rows(tree, self.settings.schema[link.object], link, level + 1)
                children.append(plan.Child(link.relationship, below))
                return link.relationship, len(children) - 1
        message = (
            f"Didn't understand relationship '{tree.source}' in FROM part of query call. If you are attempting to use "
            f"a custom relationship, be sure to append the '__r' after the custom relationship name. {NAMES_HELP}"
        )
        raise QueryError("INVALID_TYPE", message, self.text, tree.source_position)


def _ranked(
    tree: ast.Query, scope: Scope, selected: list[str], where: list[str], order: str, key: str
) -> str:
    """A sub-query for all parents at once: LIMIT and OFFSET count within each parent."""
    rank = f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {order}) AS rank_"
    ours = [f"{key} IN (SELECT value FROM json_each(?))", *where]  # noqa: S608  names are the schema's
    inner = sql.select([*selected, rank, f"{key} AS parent_"], scope, ours)
    first = tree.offset or 0
    kept = f"rank_ > {first}" + (
        f" AND rank_ <= {first + min(tree.limit, sql.ROWS_MAX)}" if tree.limit is not None else ""
    )
    return f"SELECT * FROM ({inner}) WHERE {kept} ORDER BY rank_"  # noqa: S608  as above
