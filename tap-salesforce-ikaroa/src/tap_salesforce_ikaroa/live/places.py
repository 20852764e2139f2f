"""Where each topic stands, in a stream's part of STATE: `live: {topic: replay id in base64}`."""

from __future__ import annotations

import base64
import binascii
from typing import Any

_PART = "live"


def _places(state: dict[str, Any]) -> dict[str, Any]:
    places = state.get(_PART)
    return dict(places) if isinstance(places, dict) else {}


def place_in(state: dict[str, Any], topic: str) -> bytes | None:
    """The replay id up to which a stream has followed a topic; None where there is none that can be read."""
    text = _places(state).get(topic)
    try:
        return base64.b64decode(text, validate=True) or None if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None


def keep_place(state: dict[str, Any], topic: str, place: bytes | None) -> None:
    """Notes how far a stream has followed a topic; None forgets it."""
    places = _places(state)
    if place is None:
        places.pop(topic, None)
    else:
        places[topic] = base64.b64encode(place).decode()
    if places:
        state[_PART] = places
    else:
        state.pop(_PART, None)
