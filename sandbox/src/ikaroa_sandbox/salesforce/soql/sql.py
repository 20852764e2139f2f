"""The text of a SELECT from its parts. Names in it come from the schema, values are question marks."""

from __future__ import annotations

from collections.abc import Sequence

from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.soql.scope import Scope

ROWS_MAX = 2**31 - 1
"""A LIMIT beyond what SQLite can count means all rows."""


def select(columns: Sequence[str], scope: Scope, where: Sequence[str], *clauses: str) -> str:
    """`SELECT … FROM … WHERE …` and further clauses, empty ones left out."""
    source = " ".join([f'"{scope.item.name}" AS {scope.alias}', *scope.sql_joins])
    parts = ["SELECT", ", ".join(columns), "FROM", source, all_of("WHERE", where), *clauses]
    return " ".join(part for part in parts if part)


def all_of(word: str, conditions: Sequence[str]) -> str:
    """WHERE or HAVING with all conditions, empty without any."""
    return f"{word} {' AND '.join(conditions)}" if conditions else ""


def window(tree: ast.Query) -> str:
    """LIMIT and OFFSET of a query."""
    if tree.limit is None and tree.offset is None:
        return ""
    limit = -1 if tree.limit is None else min(tree.limit, ROWS_MAX)
    return f"LIMIT {limit} OFFSET {tree.offset or 0}"


def order_terms(orders: Sequence[ast.Order], scope: Scope) -> list[str]:
    """The terms of ORDER BY: text without case, empty fields first going up unless said."""
    terms = []
    for one in orders:
        operand = scope.operand(one.what)
        if operand.kind == "address" or (operand.field is not None and not operand.field.sortable):
            message = f"field '{operand.name}' can not be sorted in a query call"
            raise scope.error("INVALID_FIELD", message, one.what.position)
        sql = f"fold({operand.sql})" if operand.kind == "text" else operand.sql
        nulls = one.nulls or (scope.nulls_descending if one.descending else "first")
        terms.append(f"{sql} {'DESC' if one.descending else 'ASC'} NULLS {nulls.upper()}")
    return terms
