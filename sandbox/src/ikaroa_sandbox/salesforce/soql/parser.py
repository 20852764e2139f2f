"""SOQL tokens to a tree, by recursive descent. Says nothing about objects and fields: that is `scope.py`'s."""

from __future__ import annotations

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import QueryError
from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.soql.lexer import Token, tokens, unexpected
from ikaroa_sandbox.salesforce.soql.where import WORDS_NO_FIELD, WhereParser

RESERVED = WORDS_NO_FIELD | {"nulls", "using", "true", "false"}
"""What cannot be an alias."""
CLAUSES = frozenset(["where", "with", "group", "having", "order", "limit", "offset", "for", "all", "using"])


def parse(text: str) -> ast.Query:
    """The tree of a query. Raises QueryError (MALFORMED_QUERY) with the place."""
    if len(text) > limits.SOQL_CHARS_MAX:
        message = f"SOQL statements cannot be longer than {limits.SOQL_CHARS_MAX} characters."
        raise QueryError("QUERY_TOO_LONG", message)
    parser = Parser(text, tokens(text))
    query = parser.query()
    parser.expect_end()
    return query


class Parser(WhereParser):
    """One pass over the tokens of a query."""

    def query(self) -> ast.Query:
        """`SELECT … FROM … [WHERE …] …` up to the end or the closing parenthesis."""
        self.deeper(1)
        start = self.expect_word("select").position
        items = [self.item()]
        while self.take_punct(","):
            items.append(self.item())
        self.expect_word("from")
        source = self.next()  # Order and Group are objects, reserved words or not
        if source.kind != "name":
            raise unexpected(self.text, source)
        alias = self._alias()
        unsupported: list[str] = []
        if self.word() == "using":
            unsupported.append(self._skip("USING SCOPE", 3))
        where = self.condition() if self.take_word("where") else None
        if self.word() == "with":
            unsupported.append(self._skip("WITH", 2))
        group = self._group(unsupported)
        having = self.condition() if group and self.take_word("having") else None
        order = self._order()
        limit = self._count("limit")
        offset = self._count("offset")
        self._for()
        if self.word() == "all":
            raise QueryError(
                "MALFORMED_QUERY", "ALL ROWS not allowed in this context", self.text, self.peek().position
            )
        self.deeper(-1)
        return ast.Query(
            select=tuple(items), source=source.text, source_position=source.position, where=where, group=group,
            having=having, order=order, limit=limit, offset=offset, alias=alias, position=start,
            unsupported=tuple(unsupported),
        )  # fmt: skip

    def _alias(self) -> str | None:
        token = self.peek()
        if token.kind == "name" and "." not in token.text and token.word not in CLAUSES | RESERVED | {"as"}:
            return self.next().text
        if self.take_word("as"):
            return self.name_token().text
        return None

    def item(self) -> ast.Item:
        """One entry of the SELECT list."""
        if self.take_punct("("):
            query = self.query()
            self.expect_punct(")")
            return ast.Item(query)
        if self.word() == "typeof":
            return ast.Item(self._typeof())
        what = self.expression()
        token = self.peek()
        if token.kind == "name" and token.word not in RESERVED:
            if "." in token.text:
                raise unexpected(self.text, token)
            return ast.Item(what, self.next().text, token.position)
        return ast.Item(what)

    def _typeof(self) -> ast.Call:
        start = self.next()
        while self.word() != "end":
            if self.next().kind == "end":
                raise unexpected(self.text, self.peek())
        self.next()
        return ast.Call("TYPEOF", None, start.position)

    def _skip(self, name: str, count: int) -> str:
        for _ in range(count):
            if self.next().kind == "end":
                raise unexpected(self.text, self.peek())
        return name

    def _group(self, unsupported: list[str]) -> tuple[ast.Expression, ...]:
        if not self.take_word("group"):
            return ()
        self.expect_word("by")
        if self.word() in {"rollup", "cube"}:
            unsupported.append(f"GROUP BY {self.next().text.upper()}")
            self.expect_punct("(")
            fields = self._expressions()
            self.expect_punct(")")
            return fields
        return self._expressions()

    def _expressions(self) -> tuple[ast.Expression, ...]:
        found = [self.expression()]
        while self.take_punct(","):
            found.append(self.expression())
        return tuple(found)

    def _order(self) -> tuple[ast.Order, ...]:
        if not self.take_word("order"):
            return ()
        self.expect_word("by")
        found = [self._order_item()]
        while self.take_punct(","):
            found.append(self._order_item())
        return tuple(found)

    def _order_item(self) -> ast.Order:
        what = self.expression()
        descending = self.take_word("desc")
        if not descending:
            self.take_word("asc")
        nulls = None
        if self.take_word("nulls"):
            token = self.next()
            if token.word not in {"first", "last"}:
                raise unexpected(self.text, token)
            nulls = token.word
        return ast.Order(what, descending, nulls)

    def _count(self, word: str) -> int | None:
        if not self.take_word(word):
            return None
        token = self.next()
        if token.kind != "number" or not token.text.isdigit():
            raise unexpected(self.text, token)
        return int(token.text)

    def _for(self) -> None:
        while self.take_word("for"):
            token = self.next()
            if token.word not in {"view", "reference", "update"}:
                raise unexpected(self.text, token)

    def expect_end(self) -> None:
        """Nothing may follow."""
        token: Token = self.peek()
        if token.kind != "end":
            raise unexpected(self.text, token)
