"""Text: cleaning, cutting, choosing."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from crm_to_xero import limits
from crm_to_xero.functions.registry import function

BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What no XML or database text can hold: control characters, halves of characters, non-characters."""

_SPACES = re.compile(r"\s+")
_BREAKS = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_EMAIL = re.compile(
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
)
_LATIN = str.maketrans(
    {"ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l",
     "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th", "ı": "i"}  # noqa: RUF001 - a letter of Turkish
)  # fmt: skip
"""Latin letters that have no decomposition."""


def _plain(value: Any) -> str:
    """Text of a scalar; anything else is a mistake in the mapping."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, tuple, set)):
        raise TypeError(
            f"text is expected, not {'a list' if isinstance(value, (list, tuple, set)) else 'a record'}"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def is_empty(value: Any) -> bool:
    """Whether there is nothing: null, blank text, an empty list or record. Zero and false are something."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, (dict, list, tuple, set)) and not value


@function("Text")
def text(value: Any) -> str | None:
    r"""One clean line: Unicode NFC, trimmed, spaces and line breaks collapsed to one space; nothing if blank.

    Example: text('  Zoë\n  Smith ') -> 'Zoë Smith'
    """
    if value is None:
        return None
    if (
        type(value) is str
        and value.isprintable()  # of all spaces and line breaks only a blank is
        and value
        and value[0] != " "
        and value[-1] != " "
        and "  " not in value
        and (value.isascii() or unicodedata.is_normalized("NFC", value))
    ):
        return value  # what most text is: nothing to clean
    line = _plain(value)
    if not line.isascii():
        line = unicodedata.normalize("NFC", line)
    line = " ".join(line.split())
    return BROKEN.sub("\ufffd", line) or None


@function("Text")
def lines(value: Any) -> list[str]:
    r"""The non-blank lines of a text, each clean.

    Example: lines('1 High St\r\n\r\nFloor 2') -> ['1 High St', 'Floor 2']
    """
    if value is None:
        return []
    whole = _plain(value)
    if whole.isprintable():  # a line break is not
        line = text(whole)
        return [line] if line else []
    return [line for part in _BREAKS.split(whole) if (line := text(part))]


@function("Text")
def paragraph(value: Any) -> str | None:
    r"""Clean text that keeps its line breaks.

    Example: paragraph(' one \n\n two ') -> 'one\ntwo'
    """
    return "\n".join(lines(value)) or None


@function("Text")
def address_lines(value: Any, most: int = 4) -> list[str | None]:
    r"""A street as exactly `most` lines: missing ones are nothing, surplus ones join the last.

    Example: address_lines('a\nb\nc\nd\ne') -> ['a', 'b', 'c', 'd, e']
    """
    if type(value) is str and value.isprintable():  # a line break is not
        return [text(value)] + [None] * (most - 1)
    found: list[str | None] = list(lines(value))
    if len(found) > most:
        found[most - 1 :] = [", ".join(str(line) for line in found[most - 1 :])]
    return found + [None] * (most - len(found))


@function("Text")
def join(separator: str, *parts: Any) -> str | None:
    """The parts that are not empty, with the separator between them.

    Example: join(' · ', 'PO 7', None, 'Big deal') -> 'PO 7 · Big deal'
    """
    if parts.count(None) == len(parts):
        return None
    return separator.join([_plain(part) for part in parts if part is not None and not is_empty(part)]) or None


def length(value: str) -> int:
    """Characters as Xero counts them: UTF-16 units, an emoji is two."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2


@function("Text")
def clip(value: Any, most: int, end: str = "…") -> str | None:
    """The text cut to `most` characters as Xero counts them (an emoji is two), ending with `end` if cut.

    Example: clip('Consulting', 6) -> 'Consu…'
    """
    if value is None or (type(value) is str and type(most) is int and 2 * len(value) <= most):
        return value  # no character counts more than twice
    whole = _plain(value)
    most = int(most)
    if length(whole) <= most:
        return whole
    room = most - length(end)
    if room < 0:
        raise ValueError(f"{most} characters have no room for {end!r}")
    cut, used = 0, 0
    for char in whole:
        used += 2 if ord(char) > 0xFFFF else 1
        if used > room:
            break
        cut += 1
    while cut and _continues(whole, cut):
        cut -= 1
    return whole[:cut].rstrip() + end


def _continues(whole: str, at: int) -> bool:
    """Whether a cut before `at` would part what people see as one character."""
    after, before = whole[at], whole[at - 1]
    return (
        unicodedata.category(after).startswith("M")
        or after == "\u200d"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )


@function("Text")
def short_code(value: Any, most: int = 30) -> str | None:
    """The text if it fits; else its beginning and six hexadecimal digits of its SHA-256, which stay the same for good.

    Example: short_code('WIDGET-1', 30) -> 'WIDGET-1'
    """
    whole = text(value)
    if whole is None or length(whole) <= most:
        return whole
    digest = hashlib.sha256(whole.encode("utf-8")).hexdigest()[:6]
    return f"{clip(whole, most - 7, '')}-{digest}"


@function("Text")
def letters(value: Any) -> str | None:
    """Only the letters A to Z and single spaces, accents taken off (Xero's `Country`); nothing if none remain.

    Example: letters("Côte d'Ivoire") -> 'Cote d Ivoire'
    """
    return _letters(value) if type(value) is str else _letters(text(value) or "")


@lru_cache(maxsize=limits.NAMES_KEPT)  # there are few countries
def _letters(value: str) -> str | None:
    whole = text(value)
    if whole is None:
        return None
    if whole.isascii() and whole.replace(" ", "").isalpha():
        return whole
    folded = unicodedata.normalize("NFKD", whole.translate(_LATIN))
    kept = "".join(char for char in folded if not unicodedata.combining(char))
    return _SPACES.sub(" ", re.sub(r"[^A-Za-z]", " ", kept)).strip() or None


@function("Text")
def digits(value: Any) -> str | None:
    """Only the digits 0 to 9.

    Example: digits('GB 123 4567') -> '1234567'
    """
    return None if value is None else re.sub(r"[^0-9]", "", _plain(value)) or None


@function("Text")
def is_email(value: Any) -> bool:
    """Whether it is an e-mail address that Xero takes: ASCII, one @, a domain with a dot.

    Example: is_email('jörg@example.com') -> False
    """
    return isinstance(value, str) and len(value) <= 255 and _EMAIL.match(value.strip()) is not None


@function("Text")
def email(value: Any) -> str | None:
    """The trimmed e-mail address if Xero takes it, else nothing (say so with a `refuse` rule on `is_email`).

    Example: email(' ann@example.com ') -> 'ann@example.com'
    """
    return value.strip() if is_email(value) else None


@function("Text")
def split_name(value: Any) -> dict[str, str | None]:
    """A person's name as `first` and `last`: the last word is the last name, `Last, First` is understood.

    Example: split_name('Ann van Dyke') -> {'first': 'Ann van', 'last': 'Dyke'}
    """
    whole = text(value)
    if whole is None:
        return {"first": None, "last": None}
    if "," in whole:
        last, _, first = whole.partition(",")
    else:
        first, _, last = whole.rpartition(" ")
    return {"first": text(first), "last": text(last)}


@function("Choosing")
def first(*values: Any) -> Any:
    """The first value that is not empty (null, blank text, an empty list); nothing if all are.

    Example: first(None, ' ', 0, 5) -> 0
    """
    for value in values:
        if not is_empty(value):
            return value
    return None


@function("Choosing")
def empty(value: Any) -> bool:
    """Whether it is null, blank text or an empty list; zero and false are not empty.

    Example: empty('  ') -> True
    """
    return is_empty(value)


@function("Choosing")
def lookup(table: Any, key: Any, default: Any = None) -> Any:
    """The value of a key in a map (usually an option), else the default. Text keys match whatever their case and spaces.

    Example: lookup({'Hardware': '200'}, ' hardware ', '260') -> '200'
    """
    if not isinstance(table, dict):
        if table is None:
            return default
        raise TypeError("the first value must be a map")
    if key is None:
        return default
    if key in table:
        return table[key]
    if not table and isinstance(key, str):
        return default
    wanted = _plain(key).strip().casefold()
    for name, value in table.items():
        if _plain(name).strip().casefold() == wanted:
            return value
    return default


@function("Choosing")
def truth(value: Any) -> bool:
    """A yes/no field as true or false, also where it comes as text or number; nothing is false.

    Example: truth('Yes') -> True
    """
    if value is None or isinstance(value, bool):
        return bool(value)
    said = _plain(value).strip().casefold()
    if said in {"true", "yes", "y", "on", "1"}:
        return True
    if said in {"false", "no", "n", "off", "0", ""}:
        return False
    raise ValueError("neither yes nor no")


def flatten(values: Iterable[Any]) -> Iterable[Any]:
    """Elements of lists in lists, nothings left out."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from flatten(value)
        elif value is not None:
            yield value
