"""The part of the parser for expressions, values and conditions."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.errors import NotSimulatedError, QueryError
from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.soql.lexer import Token, unexpected

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS_NO_FIELD = frozenset({
    "and", "asc", "desc", "excludes", "from", "group", "having", "in", "includes", "like", "limit", "not", "null", "or",
    "order", "select", "where", "with",
})  # fmt: skip
"""Reserved words: none of them names a field."""
PERIODS = frozenset(
    [
        "yesterday",
        "today",
        "tomorrow",
        "last_week",
        "this_week",
        "next_week",
        "last_month",
        "this_month",
        "next_month",
        "last_90_days",
        "next_90_days",
        "this_quarter",
        "last_quarter",
        "next_quarter",
        "this_year",
        "last_year",
        "next_year",
        "this_fiscal_quarter",
        "last_fiscal_quarter",
        "next_fiscal_quarter",
        "this_fiscal_year",
        "last_fiscal_year",
        "next_fiscal_year",
    ]
)
_UNITS = ("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
COUNTED_PERIODS = frozenset(
    name for unit in _UNITS for name in (f"last_n_{unit}s", f"next_n_{unit}s", f"n_{unit}s_ago")
)


_MONEY = re.compile(r"[A-Z]{3}[0-9]+(?:\.[0-9]+)?")


class WhereParser:
    """Reading tokens, and what may stand in WHERE."""

    query: Callable[[], ast.Query]

    def __init__(self, text: str, found: list[Token]) -> None:
        self.text, self._tokens, self._at, self._depth = text, found, 0, 0

    def peek(self) -> Token:
        """The next token, left where it is."""
        return self._tokens[self._at]

    def next(self) -> Token:
        """The next token."""
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def word(self) -> str:
        """The next token as a keyword, empty when it is none."""
        return self.peek().word

    def take_word(self, word: str) -> bool:
        """Takes a keyword if it is the next token."""
        if self.peek().word == word:
            self._at += 1
            return True
        return False

    def take_punct(self, text: str) -> bool:
        """Takes a punctuation mark if it is the next token."""
        token = self.peek()
        if token.kind == "punct" and token.text == text:
            self._at += 1
            return True
        return False

    def expect_word(self, word: str) -> Token:
        """Takes a keyword that must come."""
        token = self.next()
        if token.word != word:
            raise unexpected(self.text, token)
        return token

    def expect_punct(self, text: str) -> None:
        """Takes a punctuation mark that must come."""
        if not self.take_punct(text):
            raise unexpected(self.text, self.peek())

    def name_token(self) -> Token:
        """A name that is no reserved word."""
        token = self.next()
        if token.kind != "name" or token.word in WORDS_NO_FIELD:
            raise unexpected(self.text, token)
        return token

    def expression(self) -> ast.Expression:
        """A field path, or a function of one."""
        token = self.name_token()
        if not self.take_punct("("):
            return ast.Path(tuple(token.text.split(".")), token.position)
        if self.take_punct(")"):
            return ast.Call(token.text.upper(), None, token.position)
        self.deeper(1)
        argument = self.expression()
        self.deeper(-1)
        if token.word == "distance":
            raise NotSimulatedError("the SOQL function DISTANCE()")
        self.expect_punct(")")
        return ast.Call(token.text.upper(), argument, token.position)

    def condition(self) -> ast.Condition:
        """Conditions joined by AND or by OR. Mixing both needs parentheses."""
        first = self._negation()
        joint = self.word()
        if joint not in {"and", "or"}:
            return first
        parts = [first]
        while self.word() in {"and", "or"}:
            token = self.next()
            if token.word != joint:
                raise unexpected(self.text, token)
            parts.append(self._negation())
        return ast.Logic(joint, tuple(parts))

    def _negation(self) -> ast.Condition:
        self.deeper(1)
        if self.take_word("not"):
            found: ast.Condition = ast.Logic("not", (self._negation(),))
        elif self.take_punct("("):
            found = self.condition()
            self.expect_punct(")")
        else:
            found = self._simple()
        self.deeper(-1)
        return found

    def deeper(self, step: int) -> None:
        """Counts how deep we are. Raises QueryError where no real query goes."""
        self._depth += step
        if self._depth > limits.CONDITION_LEVELS_MAX:
            raise QueryError(
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too complicated.",
            )

    def _simple(self) -> ast.Condition:
        left = self.expression()
        token = self.next()
        if token.kind == "op":
            return ast.Comparison(left, "!=" if token.text == "<>" else token.text, self.literal())
        if token.word == "like":
            return ast.Comparison(left, "like", self.literal())
        if token.word == "not":
            self.expect_word("in")
            return ast.Membership(left, "not in", self._list(sub_query=True))
        if token.word == "in":
            return ast.Membership(left, "in", self._list(sub_query=True))
        if token.word in {"includes", "excludes"}:
            return ast.Membership(left, token.word, self._list(sub_query=False))
        raise unexpected(self.text, token)

    def _list(self, *, sub_query: bool) -> tuple[ast.Literal, ...] | ast.Query:
        self.expect_punct("(")
        if sub_query and self.word() == "select":
            query = self.query()
            self.expect_punct(")")
            return query
        values = [self.literal()]
        while self.take_punct(","):
            values.append(self.literal())
        self.expect_punct(")")
        return tuple(values)

    def literal(self) -> ast.Literal:
        """One value."""
        token = self.next()
        if token.kind == "number":
            return ast.Literal("number", token.text, token.position, number=Decimal(token.text))
        if token.kind in {"string", "date", "datetime"}:
            return ast.Literal(token.kind, token.text, token.position)
        if token.kind == "punct" and token.text == ":":
            raise QueryError(
                "MALFORMED_QUERY", "Bind variables only allowed in Apex code", self.text, token.position
            )
        if token.word in {"true", "false"}:
            return ast.Literal("boolean", token.word, token.position)
        if token.word == "null":
            return ast.Literal("null", token.word, token.position)
        if token.word in PERIODS:
            return ast.Literal("period", token.word, token.position)
        if token.word in COUNTED_PERIODS:
            return self._counted(token)
        if token.kind == "name" and _MONEY.fullmatch(token.text):
            raise NotSimulatedError("SOQL amounts with a currency, such as USD5000")
        raise unexpected(self.text, token)

    def _counted(self, token: Token) -> ast.Literal:
        self.expect_punct(":")
        count = self.next()
        if count.kind != "number" or not count.text.lstrip("+-").isdigit():
            raise unexpected(self.text, count)
        return ast.Literal("period", token.word, token.position, count=int(count.text))
