"""The `where` parameter: a recursive-descent parser that turns an expression into a Python predicate over rows.

Grammar (names and keywords compare without case):

    any        := all (("OR" | "||") all)*
    all        := not (("AND" | "&&") not)*
    not        := ("!" | "NOT") not | comparison
    comparison := operand (("==" | "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") operand)?
    operand    := literal | "(" any ")" | "Guid" "(" text ")" | "DateTime" "(" number, … ")" | field | operand "." method "(" … ")"

Sources: Xero developer docs (requests and responses; Invoices, Contacts, Payments), recorded error texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal

from ikaroa_sandbox.xero import errors, operands, properties, reading, wire
from ikaroa_sandbox.xero.folding import fold
from ikaroa_sandbox.xero.lexer import END, Token, tokens
from ikaroa_sandbox.xero.operands import Operand, Predicate, Value
from ikaroa_sandbox.xero.resource import Field
from ikaroa_sandbox.xero.store import Row


@dataclass(frozen=True)
class Where:
    """A parsed expression.

    Attributes:
        matches: whether a row fits.
        optimised: whether Xero answers it over more than 100,000 rows.
    """

    matches: Predicate
    optimised: bool


def parse(
    where: str,
    fields: Mapping[str, Field],
    type_name: str,
    *,
    missing_fails: bool = False,
    folding: Callable[[str], str] = fold,
) -> Where:
    """Parses an expression over the given fields.

    Args:
        where: the expression.
        fields: what may be named, by lower-case name.
        type_name: what errors call the record: `Invoice`.
        missing_fails: whether `.Contains` and its kin fail with a 500 on a record without that value.
        folding: what makes two texts the same.

    Raises:
        QueryParseError: it cannot be understood.
    """
    parser = _Parser(tokens(where), fields, type_name, missing_fails=missing_fails, folding=folding)
    matches = parser.whole()
    return Where(matches, parser.optimised)


class _Parser:
    def __init__(
        self,
        found: list[Token],
        fields: Mapping[str, Field],
        type_name: str,
        *,
        missing_fails: bool,
        folding: Callable[[str], str],
    ) -> None:
        self._tokens, self._at = found, 0
        self._fields, self._type_name = fields, type_name
        self._missing_fails, self._fold = missing_fails, folding
        self._named: set[str] = set()
        self._has_or = False

    @property
    def optimised(self) -> bool:
        """Optimised fields alone, and OR only over one and the same id."""
        plain = all(self._fields[name].optimised for name in self._named)
        one_id = len(self._named) == 1 and all(self._fields[name].type == "guid" for name in self._named)
        return plain and (one_id or not self._has_or)

    # -- tokens --------------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token is not END:
            self._at += 1
        return token

    def _took(self, *texts: str) -> bool:
        token = self._next
        if token.kind in {"mark", "name"} and token.text.lower() in texts:
            self._at += 1
            return True
        return False

    def _expect(self, mark: str, message: str) -> None:
        if not (self._next.kind == "mark" and self._next.text == mark):
            raise errors.QueryParseError(message)
        self._at += 1

    # -- grammar -------------------------------------------------------------------------------------------------------

    def whole(self) -> Predicate:
        """The expression up to its end."""
        found = self._truth(self._any())
        if self._next is not END:
            raise errors.QueryParseError("Syntax error")
        return found

    def _truth(self, operand: Operand) -> Predicate:
        if operand.type != "bool":
            raise errors.QueryParseError("Expression of type 'Boolean' expected")
        value = operand.value
        return lambda row: value(row) is True

    def _any(self) -> Operand:
        left = self._all()
        while self._took("or", "||"):
            self._has_or = True
            one, other = self._truth(left), self._truth(self._all())
            left = Operand("bool", operands.either(one, other))
        return left

    def _all(self) -> Operand:
        left = self._not()
        while self._took("and", "&&"):
            one, other = self._truth(left), self._truth(self._not())
            left = Operand("bool", operands.both(one, other))
        return left

    def _not(self) -> Operand:
        if self._took("!", "not"):
            inner = self._truth(self._not())
            return Operand("bool", lambda row: not inner(row))
        return self._comparison()

    def _comparison(self) -> Operand:
        left = self._operand()
        token = self._next
        if token.kind != "mark" or token.text not in operands.COMPARE:
            return left
        self._take()
        return operands.compared(left, token.text, self._operand(), self._fold)

    def _operand(self) -> Operand:
        token = self._take()
        if token.kind == "number":
            return operands.constant("number", Decimal(token.text))
        if token.kind == "text":
            return self._methods(operands.constant("text", token.text))
        if token == Token("mark", "("):
            inner = self._any()
            self._expect(")", "')' or operator expected")
            return self._methods(inner)
        if token.kind != "name":
            raise errors.QueryParseError("Expression expected")
        return self._named_operand(token.text)

    def _named_operand(self, name: str) -> Operand:
        lower = name.lower()
        if lower in {"true", "false"}:
            return operands.constant("bool", lower == "true")
        if lower == "null":
            return operands.constant("null", None)
        if lower == "guid" and self._next.text == "(":
            return self._guid()
        if lower == "datetime" and self._next.text in {"(", "."}:
            return self._datetime()
        path = self._path(name)
        field = self._fields.get(path.lower())
        if field is None:
            if properties.exists(self._type_name, path):
                raise errors.NotSimulated(f"a filter by {path} of {self._type_name}")
            stranger = self._stranger(path)
            raise errors.QueryParseError(
                f"No property or field '{stranger}' exists in type '{self._type_name}'"
            )
        self._named.add(path.lower())
        return self._methods(Operand(field.type, field.get))

    def _path(self, name: str) -> str:
        """The longest path of names that is a field; without one all of it, for the error."""
        parts, at = [name], self._at
        while (
            self._tokens[at].text == "."
            and self._tokens[at + 1].kind == "name"
            and self._tokens[at + 2].text != "("
        ):
            parts.append(self._tokens[at + 1].text)
            at += 2
        known = [n for n in range(len(parts), 0, -1) if ".".join(parts[:n]).lower() in self._fields]
        taken = known[0] if known else len(parts)
        self._at += 2 * (taken - 1)
        return ".".join(parts[:taken])

    def _stranger(self, path: str) -> str:
        """The first part of a path that does not exist."""
        parts = path.split(".")
        for count in range(1, len(parts)):
            if not any(name.startswith(".".join(parts[:count]).lower() + ".") for name in self._fields):
                return parts[count - 1]
        return parts[-1]

    def _guid(self) -> Operand:
        (text,) = self._arguments({"text"}, 1, 1)
        value = wire.guid(text)
        if value is None:
            raise errors.QueryParseError(
                "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
            )
        return operands.constant("guid", value)

    def _datetime(self) -> Operand:
        if self._took("."):
            if not self._took("parse"):
                raise errors.QueryParseError("Syntax error")
            (text,) = self._arguments({"text"}, 1, 1)
            try:
                return operands.constant("date", reading.read_moment(text))
            except errors.PostDataInvalid:
                raise errors.QueryParseError("String was not recognized as a valid DateTime.") from None
        numbers = self._arguments({"number"}, 3, 6)
        try:
            year, month, day, hour, minute, second = (int(part) for part in [*numbers, "0", "0", "0"][:6])
            moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
        except ValueError:
            raise errors.QueryParseError(
                "Year, Month, and Day parameters describe an un-representable DateTime."
            ) from None
        return operands.constant("date", moment)

    def _arguments(self, kinds: set[str], least: int, most: int) -> list[str]:
        self._expect("(", "'(' expected")
        found: list[str] = []
        while self._next != Token("mark", ")"):
            if found:
                self._expect(",", "')' or ',' expected")
            token = self._take()
            if token.kind not in kinds:
                raise errors.QueryParseError(
                    "Expression expected" if token.kind in {"end", "mark"} else "Syntax error"
                )
            found.append(token.text)
        self._take()
        if not least <= len(found) <= most:
            raise errors.QueryParseError("Syntax error")
        return found

    def _methods(self, operand: Operand) -> Operand:
        while self._took("."):
            token = self._take()
            if token.kind != "name":
                raise errors.QueryParseError("Identifier expected")
            operand = self._method(operand, token.text)
        return operand

    def _method(self, operand: Operand, name: str) -> Operand:
        lower, value = name.lower(), operand.value
        if lower in {"hasvalue", "value"} and operand.type != "text":
            return Operand("bool", lambda row: value(row) is not None) if lower == "hasvalue" else operand
        if operand.type == "text" and lower in operands.TEXT_CHANGES:
            self._arguments(set(), 0, 0)
            change = operands.TEXT_CHANGES[lower]
            return Operand("text", lambda row: None if (text := value(row)) is None else change(text))
        if operand.type == "text" and lower in operands.TEXT_TESTS:
            (sought,) = self._arguments({"text"}, 1, 1)
            return Operand("bool", self._text_test(lower, value, sought))
        if lower in properties.MEMBERS.get(operand.type, ()):
            raise errors.NotSimulated(f"{name} of a {operands.TYPE_NAMES[operand.type]} in a filter")
        if self._next.text != "(":
            raise errors.QueryParseError(
                f"No property or field '{name}' exists in type '{operands.TYPE_NAMES[operand.type]}'"
            )
        raise errors.QueryParseError(
            f"No applicable method '{name}' exists in type '{operands.TYPE_NAMES[operand.type]}'"
        )

    def _text_test(self, name: str, value: Value, sought: str) -> Predicate:
        test, folding, missing_fails = operands.TEXT_TESTS[name], self._fold, self._missing_fails
        folded = folding(sought)

        def matches(row: Row) -> bool:
            text = value(row)
            if text is None:
                if missing_fails:
                    raise errors.UnknownError
                return False
            return test(folding(text), folded)

        return matches
