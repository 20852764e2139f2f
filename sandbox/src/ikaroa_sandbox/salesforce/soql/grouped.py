"""Queries whose rows are not records: COUNT(), aggregates, GROUP BY."""

from __future__ import annotations

from ikaroa_sandbox.salesforce.errors import QueryError
from ikaroa_sandbox.salesforce.soql import ast, plan, sql
from ikaroa_sandbox.salesforce.soql.conditions import Conditions
from ikaroa_sandbox.salesforce.soql.scope import AGGREGATES, DATE_FUNCTIONS, Operand, Scope


def is_aggregate(what: ast.Expression | ast.Query) -> bool:
    """Whether an expression sums up rows."""
    return isinstance(what, ast.Call) and what.name in AGGREGATES


def is_bare_count(what: ast.Expression | ast.Query) -> bool:
    """Whether an expression is COUNT()."""
    return isinstance(what, ast.Call) and what.name == "COUNT" and what.argument is None


def count_plan(tree: ast.Query, scope: Scope, conditions: Conditions, where: list[str]) -> plan.Plan:
    """`SELECT COUNT() FROM …`: no records, only their number."""
    if len(tree.select) > 1 or tree.group or tree.order:
        raise scope.error("MALFORMED_QUERY", "unexpected token: 'COUNT'", tree.select[-1].what.position)
    inner = sql.select(["1"], scope, where, sql.window(tree))
    counted = f"SELECT COUNT(*) FROM ({inner})"  # noqa: S608  names are the schema's, values are parameters
    return plan.Plan("count", scope.item.name, counted, conditions.params, plan.aggregate([]))


def grouped_plan(
    tree: ast.Query, scope: Scope, conditions: Conditions, where: list[str], *, scientific: bool
) -> plan.Plan:
    """A query with GROUP BY or with aggregates over all rows."""
    if not tree.group and tree.limit is not None:
        message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
        raise QueryError("MALFORMED_QUERY", message)
    groups = [_group(what, scope) for what in tree.group]
    columns, parts = _columns(tree, scope, {group.sql for group in groups}, scientific=scientific)
    having = [conditions.compile(tree.having)] if tree.having is not None else []
    by = ", ".join(f"fold({group.sql})" if group.kind == "text" else group.sql for group in groups)
    order = ", ".join(sql.order_terms(tree.order, scope)) or by
    text = sql.select(
        [operand.sql for operand in columns],
        scope,
        where,
        f"GROUP BY {by}" if by else "",
        sql.all_of("HAVING", having),
        f"ORDER BY {order}" if order else "",
        sql.window(tree),
    )
    return plan.Plan("aggregate", scope.item.name, text, conditions.params, plan.aggregate(parts))


def _group(what: ast.Expression, scope: Scope) -> Operand:
    operand = scope.operand(what)
    dated = isinstance(what, ast.Call) and what.name in DATE_FUNCTIONS
    if is_aggregate(what) or (operand.field is not None and not operand.field.groupable and not dated):
        message = f"field '{operand.name}' can not be grouped in a query call"
        raise scope.error("MALFORMED_QUERY", message, what.position)
    return operand


def _columns(
    tree: ast.Query, scope: Scope, grouped: set[str], *, scientific: bool
) -> tuple[list[Operand], list[plan.Part]]:
    columns: list[Operand] = []
    parts: list[plan.Part] = []
    keys: set[str] = set()
    unnamed = 0
    for one in tree.select:
        if isinstance(one.what, ast.Query):
            message = "Grouped query cannot have sub-queries in its SELECT list"
            raise scope.error("MALFORMED_QUERY", message, one.what.position)
        operand = scope.operand(one.what)
        if not is_aggregate(one.what) and operand.sql not in grouped:
            name = one.what.text if isinstance(one.what, ast.Path) else operand.name
            message = f"Field must be grouped or aggregated: {name}"
            raise scope.error("MALFORMED_QUERY", message, one.what.position)
        key = one.alias
        if key is None:
            key = operand.name if isinstance(one.what, ast.Path) else f"expr{unnamed}"
            if isinstance(one.what, ast.Call):
                unnamed += 1
        if key.lower() in keys:
            raise scope.error("MALFORMED_QUERY", f"duplicate alias: {key}", one.what.position)
        keys.add(key.lower())
        columns.append(operand)
        parts.append(plan.leaf(key, len(columns) - 1, plan.text_of(operand, scientific=scientific)))
    return columns, parts
