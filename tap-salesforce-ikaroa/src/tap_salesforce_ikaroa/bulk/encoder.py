"""Rows of a Bulk result as JSON lines: the same records as by REST, made by one text template a row.

Nearly every value can go into the template as it stands. Columns are looked at as a whole, and only one that holds something
else (a number in another form, nothing where a number is due) is gone through value by value. A text that is empty is null:
a mark that no JSON text contains shows where, in the finished block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from operator import itemgetter

from tap_salesforce_ikaroa.answers import exact
from tap_salesforce_ikaroa.bulk.csvrows import Row
from tap_salesforce_ikaroa.describe import Field
from tap_salesforce_ikaroa.errors import UnexpectedAnswerError
from tap_salesforce_ikaroa.lines import ascii_json
from tap_salesforce_ikaroa.shapes import Parent

_MARK, _THERE, _THERE_END = "\x01", "\x02", "\x03"
_EMPTY = f'"{_MARK}"'
_BOOLEANS = {"true", "false"}
_ONE_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_ONE_WHOLE = r"-?(?:0|[1-9][0-9]*)"
_NUMBERS = re.compile(f"{_ONE_NUMBER}(?:,{_ONE_NUMBER})*")
_WHOLES = re.compile(f"{_ONE_WHOLE}(?:,{_ONE_WHOLE})*")
_DISCRIMINATOR = re.compile(f"{_THERE}[^{_THERE_END}]*{_THERE_END}")
_SLOT = re.compile(f'"{_MARK}%s"|%s')
_NULL = "null"


def _are_booleans(values: Sequence[str]) -> bool:
    return set(values) <= _BOOLEANS


def _are_numbers(values: Sequence[str]) -> bool:
    return _all_match(_NUMBERS, values)


def _are_wholes(values: Sequence[str]) -> bool:
    return _all_match(_WHOLES, values)


def _all_match(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    together = ",".join(values)
    return together.count(",") == len(values) - 1 and pattern.fullmatch(together) is not None


def _are_stamps(values: Sequence[str]) -> bool:
    return "+0000" not in ",".join(values)


def _boolean(value: str) -> str:
    if value and value not in _BOOLEANS:
        raise UnexpectedAnswerError("a Bulk job's result has a boolean that is neither true nor false")
    return value or _NULL


def _number(value: str) -> str:
    return str(_exact(value)) if value else _NULL


def _whole(value: str) -> str:
    if not value:
        return _NULL
    number = _exact(value)
    return str(int(number)) if number == number.to_integral_value() else str(number)


def _exact(value: str) -> Decimal:
    try:
        number = exact(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UnexpectedAnswerError("a Bulk job's result has a number that is none")
    return number


def _stamp(value: str) -> str:
    return value[:-5] + "Z" if value.endswith("+0000") else value


Values = Callable[[Sequence[str]], bool]
_KINDS: dict[str, tuple[Values, Callable[[str], str]]] = {
    "boolean": (_are_booleans, _boolean),
    "int": (_are_wholes, _whole),
    "long": (_are_wholes, _whole),
    "double": (_are_numbers, _number),
    "currency": (_are_numbers, _number),
    "percent": (_are_numbers, _number),
    "datetime": (_are_stamps, _stamp),
}


class Encoder:
    """Columns to ask for of an object's fields and parent fields, and how a row of their values becomes a record.

    `columns`: SELECT expressions; `extra` ones come in the rows only.
    """

    def __init__(self, fields: Iterable[Field], parents: Iterable[Parent], extra: Iterable[str] = ()) -> None:
        self.columns: list[str] = []
        self._at: dict[str, int] = {}
        self._slots: list[int] = []
        self._kinds: dict[int, str] = {}
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
        template, rows = self._template, self._plain(rows)
        picked = rows if self._pick is None else map(self._pick, rows)
        text = "".join([template % row for row in picked]).replace(_EMPTY, _NULL)
        for absent in self._absent:
            text = _DISCRIMINATOR.sub("", text.replace(absent, _NULL))
        block = (text.encode() if text.isascii() else ascii_json(text)).translate(None, _MARK.encode())
        for given, wanted in self._nulls:
            block = block.replace(given, wanted)
        return block

    def _plain(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows with every value in the form in which it stands in a record."""
        odd = [at for at, kind in self._kinds.items() if not _KINDS[kind][0](list(map(itemgetter(at), rows)))]
        if not odd:
            return rows
        columns: list[Sequence[str]] = list(zip(*rows, strict=True))
        for at in odd:
            write, column = _KINDS[self._kinds[at]][1], columns[at]
            written = {value: write(value) for value in set(column)}  # mostly the same few, or nothing
            columns[at] = [written[value] for value in column]
        return list(zip(*columns, strict=True))

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
        at = self._column(path + item.name)
        self._slots.append(at)
        if item.type in _KINDS:
            self._kinds[at] = item.type
        return "%s" if item.type in _KINDS and item.type != "datetime" else f'"{_MARK}%s"'

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
        self._absent.append(_THERE + _THERE_END + _SLOT.sub(_NULL, body))
        return f'"{parent.relationship}":{_THERE}%s{_THERE_END}{body}'


def _null(name: str, members: Iterable[str]) -> tuple[bytes, bytes]:
    given = f'"{name}":' + "{" + ",".join(f'"{member}":null' for member in members) + "}"
    return given.encode(), f'"{name}":null'.encode()
