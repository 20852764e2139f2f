"""Tokens of a `where` expression. Texts of errors: recorded, or those of the query library that Xero's wording shows."""

from __future__ import annotations

import re
from typing import NamedTuple

from ikaroa_sandbox.xero import errors

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?)[mMfFdDlL]?(?![\w.])
    | (?P<name>[^\W\d]\w*)
    | "(?P<text>(?:[^"]|"")*)"
    | (?P<mark>==|!=|<>|<=|>=|&&|\|\||[=<>!().,])
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One token: `number`, `name`, `text`, `mark` or `end`, and its text."""

    kind: str
    text: str


END = Token("end", "")


def tokens(where: str) -> list[Token]:
    """The tokens of an expression, `END` last.

    Raises:
        QueryParseError: an unclosed string or a character that has no place.
    """
    found: list[Token] = []
    position, length = 0, len(where.rstrip())
    while position < length:
        match = _TOKEN.match(where, position)
        if match is None:
            rest = where[position:].lstrip()
            raise errors.QueryParseError("Unterminated string literal" if rest[0] == '"' else "Syntax error")
        kind = str(match.lastgroup)
        text = match[kind]
        found.append(Token(kind, text.replace('""', '"') if kind == "text" else text))
        position = match.end()
    found.append(END)
    return found
