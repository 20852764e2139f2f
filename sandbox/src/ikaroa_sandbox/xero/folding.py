"""How Xero compares text: names without case and accents (its database's collation), numbers and codes without case."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def lookup_key(text: str | None) -> str | None:
    """What a number or a code is found by: itself without case and outer blanks, None for nothing."""
    return (text or "").strip().lower() or None


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """`text` with case and accents taken out: `Ünïcode GmbH` and `unicode gmbh` give the same."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
