"""Rows of a Bulk result as JSON lines: the same records as by REST, made by one text template a row.

The template holds a slot for each column, with marks around it that no JSON text contains. What depends on the value (empty
is null, a number's plain form, an offset written as Z) is then done for a whole block at once, by its marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import InvalidOperation
from operator import itemgetter

from tap_salesforce_ikaroa.answers import exact
from tap_salesforce_ikaroa.bulk.csvrows import Row
from tap_salesforce_ikaroa.describe import Field
from tap_salesforce_ikaroa.errors import UnexpectedAnswerError
from tap_salesforce_ikaroa.lines import ascii_json
from tap_salesforce_ikaroa.shapes import Parent

_TEXT, _STAMP, _NUMBER, _WHOLE, _BOOLEAN, _THERE = (
    "\x01\x02",
    "\x03\x04",
    "\x05\x06",
    "\x0e\x0f",
    "\x10\x11",
    "\x12\x13",
)
_MARKS = b"\x01\x02\x03\x04\x05\x06\x0e\x0f\x10\x11"
_KINDS = {
    "boolean": _BOOLEAN,
    "int": _WHOLE,
    "long": _WHOLE,
    "double": _NUMBER,
    "currency": _NUMBER,
    "percent": _NUMBER,
    "datetime": _STAMP,
}
_NOT_PLAIN = {
    _NUMBER: re.compile(r"\x05(?!(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)?\x06)"),
    _WHOLE: re.compile(r"\x0e(?!(?:-?(?:0|[1-9][0-9]*))?\x0f)"),
    _BOOLEAN: re.compile(r"\x10(?!(?:true|false)?\x11)"),
}
_NUMBERS = {_NUMBER: re.compile(r"\x05([^\x06]+)\x06"), _WHOLE: re.compile(r"\x0e([^\x0f]+)\x0f")}
_DISCRIMINATOR = re.compile("\x12[^\x13]*\x13")
_SLOT = re.compile('"?[\x01-\x10]%s[\x02-\x11]"?')


class Encoder:
    """Columns to ask for of an object's fields and parent fields, and how a row of their values becomes a record.

    `columns`: SELECT expressions; `extra` ones come in the rows only.
    """

    def __init__(self, fields: Iterable[Field], parents: Iterable[Parent], extra: Iterable[str] = ()) -> None:
        self.columns: list[str] = []
        self._at: dict[str, int] = {}
        self._slots: list[int] = []
        self._kinds: set[str] = set()
        self._nulls: list[tuple[bytes, bytes]] = []
        self._absent: list[str] = []
        parts = [self._member(item, "") for item in fields]
        parts += [self._parent(parent) for parent in parents]
        for column in extra:
            self._column(column)
        # A column may fill several slots (a part of an address is a field, too), and extra ones fill none.
        self._pick = None if self._slots == list(range(len(self.columns))) else itemgetter(*self._slots)
        self._template = "{" + ",".join(parts) + "}\n"

    def lines(self, rows: Sequence[Row]) -> bytes:
        """The rows as JSON lines, each with its end of line.

        Raises:
            UnexpectedAnswerError: a value is none of its column's type.
        """
        template = self._template
        picked = rows if self._pick is None else map(self._pick, rows)
        text = "".join([template % row for row in picked])
        text = text.replace('"\x01\x02"', "null")
        if _STAMP in self._kinds:
            text = text.replace('"\x03\x04"', "null").replace("+0000\x04", "Z\x04")
        for kind in (_NUMBER, _WHOLE, _BOOLEAN):
            if kind in self._kinds:
                text = self._checked(text, kind).replace(kind, "null")
        for absent in self._absent:
            text = _DISCRIMINATOR.sub("", text.replace(absent, "null"))
        block = (text.encode() if text.isascii() else ascii_json(text)).translate(None, _MARKS)
        for given, wanted in self._nulls:
            block = block.replace(given, wanted)
        return block

    def _checked(self, text: str, kind: str) -> str:
        if not _NOT_PLAIN[kind].search(text):
            return text
        if kind == _BOOLEAN:
            raise UnexpectedAnswerError("a Bulk job's result has a boolean that is neither true nor false")
        try:
            return _NUMBERS[kind].sub(lambda match: kind[0] + _number(match[1], kind) + kind[1], text)
        except InvalidOperation:
            raise UnexpectedAnswerError("a Bulk job's result has a number that is none") from None

    def _member(self, item: Field, path: str) -> str:
        if not item.is_compound:
            return f'"{item.name}":{self._slot(item, path)}'
        members = [(part, self._slot(component, path)) for part, component in item.components]
        self._nulls.append(_null(item.name, [part for part, _ in members]))
        return f'"{item.name}":' + "{" + ",".join(f'"{part}":{slot}' for part, slot in members) + "}"

    def _column(self, name: str) -> int:
        if name not in self._at:
            self._at[name] = len(self.columns)
            self.columns.append(name)
        return self._at[name]

    def _slot(self, item: Field, path: str) -> str:
        kind = _KINDS.get(item.type, _TEXT)
        self._kinds.add(kind)
        self._slots.append(self._column(path + item.name))
        slot = f"{kind[0]}%s{kind[1]}"
        return f'"{slot}"' if kind in {_TEXT, _STAMP} else slot

    def _parent(self, parent: Parent) -> str:
        """A parent's object. It is null when the parent's Id is: then all that belongs to it is."""
        path, names = f"{parent.relationship}.", [item.name for item in parent.fields]
        told = "Id" in names
        if not told:
            self._slots.append(self._column(path + "Id"))
        body = "{" + ",".join([self._member(item, path) for item in parent.fields]) + "}"
        if told:
            self._nulls.append(_null(parent.relationship, names))
            return f'"{parent.relationship}":{body}'
        self._absent.append(_THERE + _SLOT.sub("null", body))
        return f'"{parent.relationship}":{_THERE[0]}%s{_THERE[1]}{body}'


def _number(text: str, kind: str) -> str:
    value = exact(text)
    if not value.is_finite():
        raise InvalidOperation
    return str(int(value)) if kind == _WHOLE and value == value.to_integral_value() else str(value)


def _null(name: str, members: Iterable[str]) -> tuple[bytes, bytes]:
    given = f'"{name}":' + "{" + ",".join(f'"{member}":null' for member in members) + "}"
    return given.encode(), f'"{name}":null'.encode()
