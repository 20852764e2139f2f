"""Salesforce record ids: 15 characters that tell case apart, and the 18-character form that does not need to."""

from __future__ import annotations

import re

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITAL = dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1)
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?\Z")
_INSTANCE = "Sb0"
_FIRST = sum(ALPHABET.index(char) * 62**place for place, char in enumerate(reversed("00Qx1Wd00")))
"""Where counting starts: far enough in that ids carry letters of both cases, as those of a grown org do."""


def suffix(short: str) -> str:
    """The three characters that record which of the 15 are capitals, five to a character, first one lowest."""
    flags = [_CAPITAL.get(char, 0) for char in short]
    return "".join(
        _SUFFIX[a | b << 1 | c << 2 | d << 3 | e << 4]
        for a, b, c, d, e in (flags[:5], flags[5:10], flags[10:])
    )


def make(prefix: str, number: int) -> str:
    """The 18-character id of the `number`th record (from 0) of the object with this key prefix."""
    value, digits = _FIRST + number, ""
    for _ in range(9):
        value, digit = divmod(value, 62)
        digits = ALPHABET[digit] + digits
    short = prefix + _INSTANCE + digits
    return short + suffix(short)


def normalise(text: str) -> str | None:
    """The 18-character form of a 15- or 18-character id, or None when it is no id.

    Of an 18-character id the case of the first 15 is taken from the last three: that is what they are for.
    """
    if not _SHAPE.match(text):
        return None
    if len(text) == 15:
        return text + suffix(text)
    short, tail = text[:15], text[15:].upper()
    if suffix(short) == tail:
        return short + tail
    repaired = "".join(_with_case(char, tail[place // 5], place % 5) for place, char in enumerate(short))
    return repaired + tail if suffix(repaired) == tail else None


def _with_case(char: str, flags: str, place: int) -> str:
    return char.upper() if _SUFFIX.index(flags) >> place & 1 else char.lower()
