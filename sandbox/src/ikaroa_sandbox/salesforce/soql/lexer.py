"""SOQL text to tokens. Each keeps its position, so that an error can show the place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ikaroa_sandbox.salesforce.errors import QueryError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)(?![\w.:-]))
  | (?P<date>\d{4}-\d\d-\d\d(?![\w.:-]))
  | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<op><=|>=|!=|<>|=|<|>)
  | (?P<punct>[(),:])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """`kind` is datetime, date, number, name, string, op, punct or end; `text` is as written."""

    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        """The text in lower case, for comparing keywords; a string is never a keyword."""
        return self.text.lower() if self.kind == "name" else ""


def tokens(text: str) -> list[Token]:
    """All tokens of a query, an `end` at last. Raises QueryError for text that is none."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match.group(), position))
        position = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found


def _unreadable(text: str, position: int) -> QueryError:
    if text[position] == "'":
        message = f"line 1:{len(text)} mismatched character '<EOF>' expecting '''"
        return QueryError("MALFORMED_QUERY", message)
    if text[position].isdigit():
        word = re.match(r"\S+", text[position:])
        return unexpected(text, Token("bad", word.group() if word else text[position], position))
    message = f"line 1:{position} no viable alternative at character '{text[position]}'"
    return QueryError("MALFORMED_QUERY", message)


def unexpected(text: str, token: Token) -> QueryError:
    """The error for a token that cannot stand where it stands."""
    return QueryError("MALFORMED_QUERY", f"unexpected token: '{token.text}'", text, token.position)


def unescape(literal: str, text: str, position: int, *, pattern: bool = False) -> str:
    r"""The characters of a quoted literal. In a LIKE `pattern` the escapes `\%` and `\_` stay as they are."""

    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        if code.lower() in _ESCAPES:
            plain = _ESCAPES[code.lower()]
            return "\\\\" if pattern and plain == "\\" else plain
        if code in "%_":
            return match.group() if pattern else code
        raise QueryError("MALFORMED_QUERY", "Illegal string literal: Invalid escape sequence", text, position)

    plain = _ESCAPE.sub(one, literal[1:-1])
    # Two \\u escapes may make one character, as in UTF-16.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
